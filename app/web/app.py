"""Builds the web application: the gate, the routes, the templates, the live feed."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import aiohttp_jinja2
import jinja2
from aiohttp import web

from app import __version__
from app.web.alerts_page import show_alerts
from app.web.assets import asset_url, serve_asset
from app.web.charts import shape_of
from app.web.endpoints import DESCRIPTION, api_endpoints, describe
from app.web.failures import NOISE, answer_errors
from app.web.home_page import show_home
from app.web.job_pages import show_job, show_jobs
from app.web.live import LiveFeed
from app.web.login import log_in, log_out, show_login
from app.web.page import show_page
from app.web.parts import PARTS, WebParts
from app.web.reports_page import show_report, show_reports
from app.web.rooms import RoomParts
from app.web.run_page import show_run
from app.web.scorecards_page import begin_scorecard, show_scorecard, show_scorecards
from app.web.security import DOORMAN, LARGEST_BODY, add_headers, gate
from app.web.suggestion_page import show_decided, show_suggestion
from app.web.visitors import Doorman

# Read when the module is imported, so that no request ever waits for the disk.
_TEMPLATES: Final = {
    path.name: path.read_text("utf-8") for path in (Path(__file__).parent / "templates").glob("*.html")
}
FEED = web.AppKey("feed", LiveFeed)


def build_web(parts: WebParts, rooms: RoomParts) -> web.Application:
    """Return the page and the API over the given parts, ready to be run. Touches no file and no network."""
    logging.getLogger("aiohttp.server").addFilter(NOISE)
    app = web.Application(middlewares=[answer_errors, gate], client_max_size=LARGEST_BODY)
    app[PARTS] = parts
    rooms.put_in(app)
    app[DOORMAN] = Doorman(parts)
    app[FEED] = LiveFeed(parts.bus, parts.clock)
    endpoints = api_endpoints(app[FEED].serve)
    app[DESCRIPTION] = describe(endpoints)
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.DictLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals.update(asset=asset_url, version=__version__, shape_of=shape_of)
    # Compiled now: the first page would hold up everything else for a tenth of a second.
    for name in _TEMPLATES:
        environment.get_template(name)
    app.router.add_get("/", show_page)
    app.router.add_get("/suggestions/{id}", show_suggestion)
    app.router.add_get("/decided", show_decided)
    app.router.add_get("/home", show_home)
    app.router.add_get("/alerts", show_alerts)
    app.router.add_get("/reports", show_reports)
    app.router.add_get("/reports/{report_id}", show_report)
    app.router.add_get("/scorecards", show_scorecards)
    app.router.add_get("/scorecards/{name}", show_scorecard)
    app.router.add_get("/new-scorecard", begin_scorecard)
    app.router.add_get("/jobs", show_jobs)
    app.router.add_get("/jobs/{job}", show_job)
    app.router.add_get("/runs/{run_id}", show_run)
    app.router.add_get("/static/{name:.+}", serve_asset)
    app.router.add_get("/login", show_login)
    app.router.add_post("/login", log_in)
    app.router.add_post("/logout", log_out)
    for endpoint in endpoints:
        app.router.add_route(endpoint.method, endpoint.path, endpoint.handler)
        if endpoint.method == "GET" and not endpoint.streams:
            app.router.add_route("HEAD", endpoint.path, endpoint.handler)
    app.on_response_prepare.append(add_headers)
    app.cleanup_ctx.append(_feed)
    # On shutdown, not on cleanup: the server waits for open streams in between.
    app.on_shutdown.append(_end_streams)
    return app


async def _feed(app: web.Application) -> AsyncIterator[None]:
    app[FEED].start()
    yield


async def _end_streams(app: web.Application) -> None:
    await app[FEED].stop()
