"""The API of the analysis and its suggestions; that of the jobs is `job_api`. `endpoints` lists them all."""

from aiohttp import web

from app import __version__
from app.habits.nightly import ANALYSIS
from app.habits.suggestions import Offered
from app.jobs.run import Run, RunStatus
from app.web.automation import as_yaml
from app.web.failures import error_json
from app.web.job_api import started
from app.web.parts import PARTS, WebParts
from app.web.shapes import offered_json, progress_json, run_json
from app.web.states import newest_where


async def health(_request: web.Request) -> web.Response:
    """Answer that the process lives; its neighbours are another matter."""
    return web.json_response({"status": "ok", "version": __version__})


async def trigger(request: web.Request) -> web.Response:
    """Start the analysis now."""
    jobs = request.app[PARTS].jobs
    return await started(lambda: jobs.trigger(ANALYSIS), "The analysis")


async def status(request: web.Request) -> web.Response:
    """Tell whether the analysis runs, how far it is, how it last ended and when it runs next."""
    parts = request.app[PARTS]
    progress = parts.jobs.progress(ANALYSIS)
    running = parts.jobs.running(ANALYSIS)
    last = await newest_where(parts, ANALYSIS, _is_over)
    following = parts.jobs.next_run(ANALYSIS)
    return web.json_response(
        {
            "is_running": running is not None,
            "running": run_json(running) if running else None,
            "progress": progress_json(progress) if progress and running else None,
            "last_run": run_json(last) if last else None,
            "next_run": following.isoformat() if following else None,
            "paused": parts.jobs.is_paused(ANALYSIS),
        }
    )


def _is_over(run: Run) -> bool:
    return run.status.ended and run.status is not RunStatus.SKIPPED


async def suggestions(request: web.Request) -> web.Response:
    """List what is on offer."""
    return web.json_response([offered_json(one) for one in await offered_now(request.app[PARTS])])


async def automation_yaml(request: web.Request) -> web.Response:
    """Give a suggestion's automation as YAML, as Home Assistant's editor takes it."""
    wanted = request.match_info["id"]
    for one in await offered_now(request.app[PARTS]):
        if one.suggestion.id == wanted:
            return web.Response(
                text=as_yaml(one.suggestion.automation), content_type="application/yaml", charset="utf-8"
            )
    return error_json(404, "No such suggestion is on offer.")


async def offered_now(parts: WebParts) -> list[Offered]:
    """Return what is on offer for the home we know; nothing before we know one."""
    home = parts.home()
    return await parts.suggestions.offered(home.home_id) if home else []
