"""What the first page shows: each part asked once, put into plain values the template only has to lay out."""

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from app.habits.nightly import ANALYSIS
from app.habits.offers.decision import IN_THE_HUB
from app.jobs.run import RunStatus
from app.model import Home
from app.neighbours import Neighbour, NeighbourState
from app.web.api import offered_now
from app.web.cards import make_cards
from app.web.charts import draw_durations
from app.web.decided import Stand, stand_of
from app.web.findings import read_findings, tell_empty
from app.web.frame import show
from app.web.history import Moment, moment, row_of
from app.web.night import tell_night
from app.web.parts import PARTS, WebParts
from app.web.states import newest_told, newest_where, zone_of_page
from app.web.suggestion_page import hub_base, people_of
from app.web.wording import counted, date_text, listed, remaining, sentence, size

_SHOWN_RUNS: Final = 30

_NEIGHBOURS: Final = {
    "hub": ("Home Assistant", "Check that it runs; its own log says more."),
    "broker": ("MQTT broker", "Check that it runs, and the mqtt options."),
    "model": ("Language model", "Check the model options. Meanwhile suggestions keep their plain wording."),
    "mail": ("Mail server", "Check the mail options."),
}
_OPTION: Final = re.compile(r"\b(hub|mqtt|model|mail)_\w")
"""A message that names an option says itself what to do."""
_OFF: Final = {
    "hub": "Not set up: there is nothing to read habits from.",
    "broker": "Not set up: this page works without, entities in Home Assistant need it.",
    "model": "Not set up: suggestions are worded from templates.",
    "mail": "Not set up.",
}
_STATES: Final = {
    NeighbourState.OFF: "off",
    NeighbourState.TRYING: "connecting",
    NeighbourState.OK: "connected",
    NeighbourState.FAILED: "not working",
}
_GOOD: Final = frozenset({RunStatus.COMPLETED, RunStatus.PARTIAL})


@dataclass(frozen=True, slots=True)
class NeighbourLine:
    """A neighbour: how it is, since when, and what to do about it (`message` and `advice` may be empty)."""

    name: str
    title: str
    state: str
    said: str
    since: Moment
    message: str
    advice: str


async def show_page(request: web.Request) -> web.Response:
    """GET /: the first page."""
    parts = request.app[PARTS]
    context = {
        **await gather(parts),
        "accepted": await _accepted(request, parts),
        "hub_base": hub_base(request),
    }
    return await show(request, "page.html", room="suggestions", context=context)


async def _accepted(request: web.Request, parts: WebParts) -> list[Stand]:
    """Return what was accepted and how it stands, the newest first."""
    if (home := parts.home()) is None:
        return []
    now, zone, people = parts.clock.now(), zone_of_page(parts), people_of(request)
    standing = (await parts.offers.decisions.standing(home.home_id)).values()
    held = sorted(
        (one for one in standing if one.verdict in IN_THE_HUB), key=lambda one: one.decided_at, reverse=True
    )
    return [stand_of(one, home, people, now, zone) for one in held]


async def gather(parts: WebParts) -> dict[str, Any]:
    """Ask every part and return what the template needs."""
    now = parts.clock.now()
    home = parts.home()
    zone = zone_of_page(parts)
    running = parts.jobs.running(ANALYSIS)
    runs = await parts.ledger.recent(ANALYSIS, _SHOWN_RUNS)
    last = newest_told(runs)
    # What is on offer comes from that run.
    good = await newest_where(parts, ANALYSIS, lambda run: run.status in _GOOD)
    following = parts.jobs.next_run(ANALYSIS)
    offered = await offered_now(parts)
    return {
        "night": tell_night(last, running, following, parts.neighbours.get("hub"), now, zone),
        "running": running,
        "progress": parts.jobs.progress(ANALYSIS) if running else None,
        "following": moment(following, now, zone) if following else None,
        "wait": remaining(following - now) if following else "",
        "paused": parts.jobs.is_paused(ANALYSIS),
        "job": parts.jobs.specs[ANALYSIS],
        "cards": await asyncio.to_thread(make_cards, offered, home, zone),
        "empty": tell_empty(good, following, now, zone),
        "findings": read_findings(good),
        "rows": [row_of(run, parts.jobs.specs, now, zone) for run in runs],
        "durations": draw_durations(runs),
        "neighbours": [_neighbour(parts.neighbours.get(name), home, now, zone) for name in _shown(parts)],
        "kept": await _kept(parts, zone),
    }


def _shown(parts: WebParts) -> list[str]:
    """Return the neighbours to show: the three that matter to everyone, others once they are set up."""
    known = [one.name for one in parts.neighbours.all() if one.state is not NeighbourState.OFF]
    return list(dict.fromkeys(["hub", "broker", "model", *known]))


def _neighbour(neighbour: Neighbour, home: Home | None, now: datetime, zone: ZoneInfo) -> NeighbourLine:
    title, advice = _NEIGHBOURS.get(neighbour.name, (neighbour.name, ""))
    failed = neighbour.state is NeighbourState.FAILED
    is_invented = neighbour.name == "hub" and home is not None and home.demo
    off = _OFF.get(neighbour.name, "Not set up.") if neighbour.state is NeighbourState.OFF else ""
    return NeighbourLine(
        name=neighbour.name,
        title=title,
        state=str(neighbour.state),
        said="invented" if is_invented and not failed else _STATES[neighbour.state],
        since=moment(neighbour.since, now, zone),
        message=sentence(neighbour.message) if " " in neighbour.message else neighbour.message or off,
        advice=advice if failed and not _OPTION.search(neighbour.message) else "",
    )


async def _kept(parts: WebParts, zone: ZoneInfo) -> str:
    """Return what the archive holds, in a sentence; "" when it is empty."""
    archive = await parts.archive_size()
    if archive is None or not archive.events or archive.first is None:
        return ""
    since = date_text(archive.first.astimezone(zone).date())
    what = listed([counted(archive.events, "state change", "state changes"), size(archive.bytes)], "in")
    return f"Nightshift remembers {what}, since {since}."
