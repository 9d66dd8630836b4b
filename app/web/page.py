"""What the page shows: each part asked once, put into plain values the template only has to lay out."""

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import aiohttp_jinja2
from aiohttp import web

from app.habits.nightly import ANALYSIS
from app.jobs.run import Run, RunStatus, SkippedBecause, Trigger
from app.model import Home
from app.neighbours import Neighbour, NeighbourState
from app.web.api import last_ended, offered_now
from app.web.cards import make_cards
from app.web.drawings import draw_durations
from app.web.findings import read_findings, tell_empty
from app.web.night import tell_night
from app.web.parts import PARTS, WebParts
from app.web.security import DOORMAN, VISITOR
from app.web.visitors import RefusedVisitorError, Visitor, Way
from app.web.wording import counted, date_text, duration, listed, remaining, sentence, size, when

_SHOWN_RUNS: Final = 30
_SEARCHED_RUNS: Final = 200
_UTC: Final = ZoneInfo("UTC")

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
_STATUS: Final = {
    RunStatus.RUNNING: "running",
    RunStatus.COMPLETED: "done",
    RunStatus.PARTIAL: "incomplete",
    RunStatus.FAILED: "failed",
    RunStatus.INTERRUPTED: "cut short",
    RunStatus.SKIPPED: "skipped",
}
_GOOD: Final = frozenset({RunStatus.COMPLETED, RunStatus.PARTIAL})
_TRIGGERS: Final = {
    Trigger.SCHEDULE: "schedule",
    Trigger.MANUAL: "Run now",
    Trigger.CATCH_UP: "caught up",
    Trigger.RETRY: "second try",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant for `<time>`: `iso` in UTC, `text` in the home's zone."""

    iso: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the history."""

    run: Run
    title: str
    started: Moment
    trigger: str
    status: str
    took: str
    counts: str


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
    """GET /: the page."""
    visitor: Visitor = request[VISITOR]
    context = await gather(request.app[PARTS])
    context["can_log_out"] = visitor.way is Way.SESSION
    context["refused"] = _refused(request, visitor)
    return aiohttp_jinja2.render_template("page.html", request, context)


async def gather(parts: WebParts) -> dict[str, Any]:
    """Ask every part and return what the template needs."""
    now = parts.clock.now()
    home = parts.home()
    zone = home.zone if home else _UTC
    running = await parts.ledger.running(ANALYSIS)
    last = await _newest_night(parts)
    good = await _last_good(parts)
    following = parts.jobs.next_run(ANALYSIS)
    runs = await parts.ledger.recent(limit=_SHOWN_RUNS)
    offered = await offered_now(parts)
    return {
        "root": "",
        "home": home,
        "zone": str(zone),
        "night": tell_night(last, running, following, parts.neighbours.get("hub"), now, zone),
        "running": running,
        "progress": parts.jobs.progress(ANALYSIS) if running else None,
        "following": _moment(following, now, zone) if following else None,
        "wait": remaining(following - now) if following else "",
        "paused": parts.jobs.is_paused(ANALYSIS),
        "job": parts.jobs.specs[ANALYSIS],
        "cards": await asyncio.to_thread(make_cards, offered, home, zone),
        "empty": tell_empty(good, following, now, zone),
        "findings": read_findings(good),
        "rows": [_row(parts, run, now, zone) for run in runs],
        "bars": draw_durations([run for run in runs if run.job == ANALYSIS]),
        "neighbours": [_neighbour(parts.neighbours.get(name), home, now, zone) for name in _shown(parts)],
        "kept": await _kept(parts, zone),
    }


async def _newest_night(parts: WebParts) -> Run | None:
    """Return the newest run that is over, or a night that was missed since.

    Nights passed over because of a pause or of a run that still went on are no news.
    """
    newest = await parts.ledger.recent(ANALYSIS, 1)
    if newest and newest[0].details.get("because") == SkippedBecause.MISSED:
        return newest[0]
    return await last_ended(parts, ANALYSIS)


async def _last_good(parts: WebParts) -> Run | None:
    """Return the run that what is on offer comes from."""
    recent = await parts.ledger.recent(ANALYSIS, _SEARCHED_RUNS)
    return next((run for run in recent if run.status in _GOOD), None)


def _refused(request: web.Request, visitor: Visitor) -> str:
    """Return why the buttons would not work, "" if they would; the gate decides anyway."""
    try:
        request.app[DOORMAN].check_admin(visitor)
    except RefusedVisitorError as error:
        return str(error)
    return ""


def _moment(instant: datetime, now: datetime, zone: ZoneInfo) -> Moment:
    return Moment(instant.isoformat(), when(instant, now, zone))


def _row(parts: WebParts, run: Run, now: datetime, zone: ZoneInfo) -> Row:
    spec = parts.jobs.specs.get(run.job)
    return Row(
        run=run,
        title=spec.title if spec else run.job,
        started=_moment(run.started_at, now, zone),
        trigger=_TRIGGERS[run.trigger],
        status="cancelled" if run.cancelled else _STATUS[run.status],
        took="—" if run.status is RunStatus.SKIPPED else duration(run.duration_seconds),
        counts=_counts(run),
    )


def _counts(run: Run) -> str:
    words = {
        "events": ("change", "changes"),
        "patterns_detected": ("habit", "habits"),
        "suggestions_generated": ("suggestion", "suggestions"),
    }
    return ", ".join(counted(run.counts[key], *said) for key, said in words.items() if key in run.counts)


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
        since=_moment(neighbour.since, now, zone),
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
