"""The pages of the scorecards: all there are, one with its text, and a new one begun from another."""

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from app.insights.checking import read_scorecard
from app.insights.enough import NOT_ENOUGH, why_not_enough
from app.insights.lines import LONGEST, Fault, FaultsError
from app.insights.scorecard import Scorecard
from app.insights.scorecards import MOST, KeptScorecard, NoScorecardError
from app.web.frame import show
from app.web.history import Moment, moment
from app.web.insights_api import INSIGHTS, InsightParts
from app.web.parts import PARTS
from app.web.states import zone_of_page
from app.web.wording import counted

_NAME: Final = re.compile(r"^name:.*$", re.MULTILINE)
_TITLE: Final = re.compile(r"^title:.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CardLine:
    """A scorecard in the list; texts but `kind` may be hostile. `score` is "" before there is one, and where
    too little is known for one: `lacking` says so.
    """

    name: str
    path: str
    title: str
    description: str
    kind: str
    active: bool
    made_of: str
    wrong: str
    score: str
    lacking: str
    scored: Moment | None


async def show_scorecards(request: web.Request) -> web.Response:
    """GET /scorecards: each with whether it is on, and what it last said."""
    parts, rooms = request.app[PARTS], request.app[INSIGHTS]
    now, zone = parts.clock.now(), zone_of_page(parts)
    kept = await rooms.scorecards.all(rooms.home_id)
    lines = [await _line(rooms, one, now, zone) for one in kept]
    return await show(request, "scorecards.html", room="home", context={"cards": lines})


async def show_scorecard(request: web.Request) -> web.Response:
    """GET /scorecards/{name}: one scorecard and its text, to be read, tried and changed."""
    rooms = request.app[INSIGHTS]
    try:
        kept = await rooms.scorecards.get(rooms.home_id, request.match_info["name"])
    except NoScorecardError:
        raise web.HTTPNotFound from None
    card, faults = await read_kept(kept)
    context = {
        "name": kept.name,
        "title": card.title if card else kept.name,
        "text": kept.text,
        "faults": faults,
        "kind": _kind(kept),
        "active": kept.active,
        "can_remove": kept.own,
        "back": kept.own and kept.shipped,
        "is_new": False,
        **_help(rooms),
    }
    return await show(request, "scorecard.html", room="home", context=context)


async def begin_scorecard(request: web.Request) -> web.Response:
    """GET /new-scorecard: a text to begin with, that of `?from=…`, else of the first there is."""
    rooms = request.app[INSIGHTS]
    kept = await rooms.scorecards.all(rooms.home_id)
    wanted = request.query.get("from", "")
    model = next((one for one in kept if one.name == wanted), kept[0])
    context = {
        "name": "",
        "title": "A scorecard of your own",
        "text": _renamed(model.text, {one.name for one in kept}),
        "faults": (),
        "kind": f"Begun from {model.name}",
        "active": False,
        "can_remove": False,
        "back": False,
        "is_new": True,
        **_help(rooms),
    }
    return await show(request, "scorecard.html", room="home", context=context)


def _renamed(text: str, taken: set[str]) -> str:
    """Return the text under a name that is free, so that saving it takes the place of none."""
    name = next(one for number in range(1, len(taken) + 2) if (one := _own(number)) not in taken)
    text = _NAME.sub(f"name: {name}", text, count=1)
    return _TITLE.sub("title: My own score", text, count=1)


def _own(number: int) -> str:
    return "mine" if number == 1 else f"mine_{number}"


def _help(rooms: InsightParts) -> dict[str, Any]:
    """Return what the editor says beside the text."""
    return {"figures": sorted(rooms.assessor.figures().items()), "longest": LONGEST}


async def _line(rooms: InsightParts, kept: KeptScorecard, now: datetime, zone: ZoneInfo) -> CardLine:
    card, faults = await read_kept(kept)
    newest = await rooms.insights.latest(rooms.home_id, kept.name)
    return CardLine(
        name=kept.name,
        path=f"scorecards/{kept.name}",
        title=card.title if card else kept.name,
        description=card.description if card else "",
        kind=_kind(kept),
        active=kept.active,
        made_of=_made_of(card) if card else "",
        wrong=str(faults[0]) if faults else "",
        score=str(newest.known_score) if newest and newest.sufficient else "",
        lacking=f"{NOT_ENOUGH}. {why_not_enough(newest)}" if newest and not newest.sufficient else "",
        scored=moment(newest.generated_at, now, zone) if newest else None,
    )


async def read_kept(kept: KeptScorecard) -> tuple[Scorecard | None, tuple[Fault, ...]]:
    """Return a scorecard, or what is wrong with its text."""
    return await asyncio.to_thread(_read_text, kept.text)


@lru_cache(maxsize=MOST)
def _read_text(text: str) -> tuple[Scorecard | None, tuple[Fault, ...]]:
    """Read a text; those that are shown again and again are read once."""
    try:
        return read_scorecard(text), ()
    except FaultsError as error:
        return None, error.faults


def _kind(kept: KeptScorecard) -> str:
    if not kept.own:
        return "Came with Nightshift"
    return "Came with Nightshift, changed here" if kept.shipped else "Your own"


def _made_of(card: Scorecard) -> str:
    shares = ", ".join(f"{one.title} {one.weight:g} %" for one in card.categories)
    return f"{shares}; {counted(sum(1 for _ in card.metrics()), 'reading', 'readings')}"
