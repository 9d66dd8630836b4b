"""The API of the health score: the insights, the scorecards they are made with, and writing one's own.

Thin handlers over `app.insights`; the gate let only administrators through to what changes something.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from app.errors import InputError
from app.figures import FigureAbout
from app.insights.assessing import Assessor
from app.insights.checking import read_scorecard
from app.insights.enough import why_not_enough
from app.insights.insight import Insight
from app.insights.insights import Insights
from app.insights.lines import LONGEST, Fault, FaultsError
from app.insights.previous import Previous
from app.insights.scorecards import KeptScorecard, NoScorecardError, Scorecards, parsed
from app.insights.trend import Trend
from app.model import Home
from app.web.endpoint import Endpoint
from app.web.failures import error_json
from app.web.job_api import given, number
from app.web.security import VISITOR

_MOST_DAYS: Final = 400
Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class InsightParts:
    """What these handlers ask. `home` gives the home as last known, None before the hub was ever reached."""

    home_id: str
    home: Callable[[], Home | None]
    assessor: Assessor
    scorecards: Scorecards
    insights: Insights


INSIGHTS: Final = web.AppKey("insights", InsightParts)


def _answering(handler: Handler) -> Handler:
    """Answer what can go wrong with one clear line: 404, 422."""

    async def answered(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except NoScorecardError as error:
            return error_json(404, str(error))
        except FaultsError as error:
            return error_json(422, str(error), faults=[fault_json(one) for one in error.faults])

    return answered


@_answering
async def insights(request: web.Request) -> web.Response:
    """List the insights, the newest first: `?scorecard=home&limit=30`."""
    parts = request.app[INSIGHTS]
    limit = number(request, "limit", 1, _MOST_DAYS, 30)
    found = await parts.insights.recent(parts.home_id, request.query.get("scorecard") or None, limit=limit)
    return web.json_response([insight_json(one) for one in found])


@_answering
async def latest(request: web.Request) -> web.Response:
    """Give the newest insight of `?scorecard=home`, else of the first that is on, with its trend."""
    parts = request.app[INSIGHTS]
    wanted = request.query.get("scorecard")
    if not wanted:
        active = await parts.scorecards.active(parts.home_id)
        wanted = active[0].name if active else None
    if wanted is None or (found := await parts.insights.latest(parts.home_id, wanted)) is None:
        return error_json(
            404, "There is no insight yet: they are made at six in the morning, or now by the job."
        )
    going = await parts.insights.trend(parts.home_id, found.scorecard)
    before = previous_json(await parts.insights.previous(found))
    return web.json_response({**insight_json(found), "trend": trend_json(going), "previous": before})


@_answering
async def scorecards(request: web.Request) -> web.Response:
    """List the scorecards: whose they are, whether they are on."""
    parts = request.app[INSIGHTS]
    return web.json_response([scorecard_json(one) for one in await parts.scorecards.all(parts.home_id)])


@_answering
async def scorecard(request: web.Request) -> web.Response:
    """Give one scorecard with its text."""
    parts = request.app[INSIGHTS]
    kept = await parts.scorecards.get(parts.home_id, request.match_info["name"])
    return web.json_response({**scorecard_json(kept), "text": kept.text, "faults": await _faults(kept)})


@_answering
async def figures(request: web.Request) -> web.Response:
    """List Nightshift's own figures, which a scorecard may ask for by name."""
    known = request.app[INSIGHTS].assessor.figures()
    return web.json_response([figure_json(name, about) for name, about in sorted(known.items())])


@_answering
async def check(request: web.Request) -> web.Response:
    """Say what a scorecard would score now, without keeping anything: `{text}`."""
    parts = request.app[INSIGHTS]
    card = await asyncio.to_thread(read_scorecard, await _text(request), parts.assessor.figures())
    if (home := parts.home()) is None:
        raise InputError("Home Assistant was not reached yet: the text is right, but nothing can be read.")
    insight = await parts.assessor.assess(parts.home_id, home.zone, card)
    return web.json_response(insight_json(insight))


@_answering
async def put(request: web.Request) -> web.Response:
    """Keep a scorecard under the name in its text, and switch it on: `{text}`."""
    parts = request.app[INSIGHTS]
    text, by = await _text(request), request[VISITOR].user_id
    kept = await parts.scorecards.put(parts.home_id, text, by, parts.assessor.figures())
    return web.json_response({**scorecard_json(kept), "text": kept.text, "faults": []})


@_answering
async def switch(request: web.Request) -> web.Response:
    """Switch a scorecard on or off: `{active}`."""
    parts = request.app[INSIGHTS]
    asked = await given(request, frozenset({"active"}))
    if not isinstance(active := asked.get("active"), bool):
        raise InputError("active: give true or false")
    kept = await parts.scorecards.switch(
        parts.home_id, request.match_info["name"], request[VISITOR].user_id, active=active
    )
    return web.json_response(scorecard_json(kept))


@_answering
async def remove(request: web.Request) -> web.Response:
    """Remove one's own scorecard; where one of that name came with Nightshift, that one is back."""
    parts = request.app[INSIGHTS]
    back = await parts.scorecards.remove(parts.home_id, request.match_info["name"])
    return web.json_response({"back": scorecard_json(back) if back else None})


def insight_endpoints() -> tuple[Endpoint, ...]:
    """Return the addresses of the health score."""
    one = "/api/scorecards/{name}"
    missing = {404: "No such scorecard."}
    wrong = {400: "The request is wrong.", 422: "The text is wrong: every line of it that is, in `faults`."}
    text = {"text": "string"}
    return (
        Endpoint(
            "GET",
            "/api/insights",
            insights,
            "The days' insights, the newest first.",
            {200: "A list of insights.", 400: "A limit that is none."},
            query=("scorecard", "limit"),
        ),
        Endpoint(
            "GET",
            "/api/insights/latest",
            latest,
            "The newest insight of a scorecard, with its trend.",
            {200: "The insight.", 404: "There is none yet."},
            query=("scorecard",),
        ),
        Endpoint("GET", "/api/figures", figures, "Nightshift's own figures, for scorecards to ask."),
        Endpoint("GET", "/api/scorecards", scorecards, "The scorecards, shipped and people's own."),
        Endpoint("GET", one, scorecard, "One scorecard with its text.", {200: "The scorecard.", **missing}),
        Endpoint(
            "POST",
            "/api/scorecards",
            put,
            "Keep a scorecard under the name in its text, and switch it on.",
            {200: "The scorecard.", **wrong},
            body=text,
        ),
        Endpoint(
            "POST",
            "/api/scorecards/check",
            check,
            "Say what a scorecard would score now, and keep nothing.",
            {200: "The insight it would make.", **wrong},
            body=text,
        ),
        Endpoint(
            "POST",
            f"{one}/switch",
            switch,
            "Switch a scorecard on or off.",
            {200: "The scorecard.", 400: wrong[400], **missing},
            body={"active": "boolean"},
        ),
        Endpoint(
            "POST",
            f"{one}/remove",
            remove,
            "Remove one's own scorecard.",
            {200: "What is back in its place.", 400: "It came with Nightshift.", **missing},
        ),
    )


def insight_json(insight: Insight) -> dict[str, Any]:
    """Return an insight as JSON, as the table `coach_insights` has it, and whether enough of it is known."""
    return {
        **insight.model_dump(mode="json"),
        "sufficient": insight.sufficient,
        "reason": why_not_enough(insight),
    }


def previous_json(before: Previous | None) -> dict[str, Any] | None:
    """Return the score before another; `why_not` says why the two cannot be compared, "" where they can."""
    if before is None:
        return None
    return {
        "day": before.day.isoformat(),
        "score": before.score,
        "confidence": before.confidence,
        "comparable": before.comparable,
        "why_not": before.why_not,
    }


def figure_json(name: str, about: FigureAbout) -> dict[str, str]:
    return {"name": name, "title": about.title, "unit": about.unit, "what": about.what or about.title}


def trend_json(going: Trend) -> dict[str, Any]:
    return {
        "direction": going.direction.value,
        "days": going.days,
        "average": None if going.average is None else round(going.average, 1),
        "first": going.first,
        "last": going.last,
        "change": None if going.change is None else round(going.change, 1),
    }


def scorecard_json(kept: KeptScorecard) -> dict[str, Any]:
    return {
        "name": kept.name,
        "shipped": kept.shipped,
        "own": kept.own,
        "active": kept.active,
        "updated_at": kept.updated_at.isoformat() if kept.updated_at else None,
        "updated_by": kept.updated_by or None,
    }


def fault_json(fault: Fault) -> dict[str, Any]:
    return {"line": fault.line, "where": fault.where, "said": fault.said}


async def _faults(kept: KeptScorecard) -> list[dict[str, Any]]:
    try:
        await parsed(kept)
    except FaultsError as error:
        return [fault_json(one) for one in error.faults]
    return []


async def _text(request: web.Request) -> str:
    asked = await given(request, frozenset({"text"}))
    text = asked.get("text")
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
        raise InputError(f"text: give a scorecard's YAML, of at most {LONGEST} characters")
    return text
