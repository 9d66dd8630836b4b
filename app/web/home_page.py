"""The page Home: the score first, what it is made of, what to do, and the home's figures, drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from app.insights.daily import DAILY_INSIGHTS
from app.insights.insight import Insight
from app.insights.scorecards import KeptScorecard
from app.statistics.measures import lived_in
from app.statistics.queries import RoomSeries
from app.web.alert_plot import AlertPlot, draw_alerts, first_week
from app.web.alerts_api import ALERTS
from app.web.energy_plot import draw_energy
from app.web.frame import show
from app.web.history import Moment, moment
from app.web.insights_api import INSIGHTS, InsightParts
from app.web.parts import PARTS, WebParts
from app.web.place_view import view_of_places
from app.web.room_plot import HOURS, draw_rooms
from app.web.score_plot import DAYS, draw_scores
from app.web.score_view import view_of_score
from app.web.scorecards_page import read_kept
from app.web.states import zone_of_page
from app.web.statistics_api import STATISTICS


@dataclass(frozen=True, slots=True)
class Choice:
    """A scorecard to look at: `is_shown` where it is the one that is."""

    name: str
    title: str
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Making:
    """The job that makes scores: whether it runs, and when it runs next."""

    name: str
    going: bool
    following: Moment | None


async def show_home(request: web.Request) -> web.Response:
    """GET /home: the score of `?scorecard=…` (else of the first that is on), the figures and the charts."""
    parts, rooms = request.app[PARTS], request.app[INSIGHTS]
    now, zone = parts.clock.now(), zone_of_page(parts)
    choices = await _choices(rooms, request.query.get("scorecard", ""))
    shown = next((one.name for one in choices if one.is_shown), "")
    context = {
        **await _score(rooms, shown, now, zone),
        **await _figures(request, now, zone),
        "alerts_drawn": await weeks_drawn(request, now, zone),
        "choices": choices,
        "making": _making(parts, now, zone),
    }
    return await show(request, "home.html", room="home", context=context)


async def weeks_drawn(request: web.Request, now: datetime, zone: ZoneInfo) -> AlertPlot | None:
    """Draw the alerts week by week."""
    parts = request.app[ALERTS]
    return draw_alerts(await parts.book.noticed(parts.home_id, first_week(now, zone)), now, zone)


async def _score(rooms: InsightParts, shown: str, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    today = now.astimezone(zone).date()
    since = today - timedelta(days=DAYS - 1)
    recent = await rooms.insights.recent(rooms.home_id, shown, since=since) if shown else []
    newest = recent[0] if recent else None
    if newest is None and shown:
        newest = await rooms.insights.latest(rooms.home_id, shown)
    if newest is None:
        return {"score": None, "drawn": None}
    going = await rooms.insights.trend(rooms.home_id, newest.scorecard)
    previous = await rooms.insights.previous(newest)
    return {"score": view_of_score(newest, going, previous, now, zone), "drawn": draw_scores(recent, today)}


async def _figures(request: web.Request, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    parts = request.app[STATISTICS]
    queries, home_id = parts.queries, parts.home_id
    places = await queries.latest(home_id)
    series = await queries.room_temperatures(home_id, hours=HOURS)
    today = now.astimezone(zone).date()
    return {
        "places": view_of_places(places),
        "computed": moment(places[0].computed_at, now, zone) if places else None,
        "energy": draw_energy(await queries.energy_days(home_id, DAYS), today),
        "rooms_drawn": draw_rooms(_lived_in(request, series), now, zone),
    }


def _lived_in(request: web.Request, series: Sequence[RoomSeries]) -> list[RoomSeries]:
    """Return the rooms that people live in: a garden's weather is on no scale with theirs."""
    home = request.app[PARTS].home()
    rooms = lived_in(home.areas) if home else frozenset()
    return [one for one in series if one.area_id in rooms]


async def _choices(rooms: InsightParts, wanted: str) -> list[Choice]:
    """Return the scorecards there are to look at: those that are on, and others that once scored."""
    kept = await rooms.scorecards.all(rooms.home_id)
    scored = await rooms.insights.latest_of_each(rooms.home_id)
    titles = {one.scorecard: one.title for one in scored}
    names = [one.name for one in kept if one.active]
    names += [name for name in titles if name not in names]
    for one in kept:
        # What never scored has told no title yet: its text has it.
        if one.active and one.name not in titles and (card := (await read_kept(one))[0]) is not None:
            titles[one.name] = card.title
    shown = wanted if wanted in names else _first(kept, scored, names)
    return [Choice(name, titles.get(name, name), name == shown) for name in names]


def _first(kept: Sequence[KeptScorecard], scored: Sequence[Insight], names: Sequence[str]) -> str:
    """Return the first one that is on and has a score, else the first there is."""
    have = {one.scorecard for one in scored}
    ready = [one.name for one in kept if one.active and one.name in have]
    return (ready or list(names) or [""])[0]


def _making(parts: WebParts, now: datetime, zone: ZoneInfo) -> Making | None:
    if DAILY_INSIGHTS not in parts.jobs.specs:
        return None
    following = parts.jobs.next_run(DAILY_INSIGHTS)
    return Making(
        DAILY_INSIGHTS,
        parts.jobs.running(DAILY_INSIGHTS) is not None,
        moment(following, now, zone) if following else None,
    )
