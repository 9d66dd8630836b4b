"""The API of the alerts: what is wrong and was, who has seen it, and the words looked for in the hub's log.

Thin handlers over `app.alerts`; the gate let only administrators through to what changes something.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from app.alerts.alert import Alert, Level
from app.alerts.book import AlertBook
from app.alerts.keywords import Keyword, Keywords, checked
from app.errors import InputError
from app.model import Home
from app.web.endpoint import Endpoint
from app.web.failures import error_json
from app.web.job_api import given, number
from app.web.security import VISITOR

_MOST: Final = 500
_WHICH: Final = ("open", "all")
Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class AlertParts:
    """What these handlers ask. `home` gives the home as last known, None before the hub was ever reached."""

    home_id: str
    home: Callable[[], Home | None]
    book: AlertBook
    keywords: Keywords


ALERTS: Final = web.AppKey("alerts", AlertParts)


async def alerts(request: web.Request) -> web.Response:
    """List alerts, the newest first: `?which=open|all&level=high&before=…&limit=100`."""
    parts = request.app[ALERTS]
    which = request.query.get("which", "open")
    if which not in _WHICH:
        raise InputError(f"which: give one of {', '.join(_WHICH)}")
    found = await parts.book.listed(
        parts.home_id,
        only_open=which == "open",
        levels=_levels(request),
        until=_instant(request, "before"),
        limit=number(request, "limit", 1, _MOST, 100),
    )
    home = parts.home()
    return web.json_response([alert_json(one, home) for one in found])


async def alert(request: web.Request) -> web.Response:
    """Give one alert, open or over."""
    parts = request.app[ALERTS]
    return _answer(await parts.book.get(parts.home_id, request.match_info["id"]), parts.home())


async def read(request: web.Request) -> web.Response:
    """Note that the visitor has read it; the first one who did stays."""
    parts, by = request.app[ALERTS], request[VISITOR].user_id
    return _answer(await parts.book.read(parts.home_id, request.match_info["id"], by), parts.home())


async def acknowledge(request: web.Request) -> web.Response:
    """Note that the visitor takes care of it; the first one who did stays."""
    parts, by = request.app[ALERTS], request[VISITOR].user_id
    return _answer(await parts.book.acknowledge(parts.home_id, request.match_info["id"], by), parts.home())


async def keywords(request: web.Request) -> web.Response:
    """List the words looked for in the hub's log and notifications."""
    parts = request.app[ALERTS]
    return web.json_response([keyword_json(one) for one in await parts.keywords.of(parts.home_id)])


async def set_keywords(request: web.Request) -> web.Response:
    """Replace that list: `{keywords: [{word, level}]}`; null brings back what Nightshift came with."""
    parts = request.app[ALERTS]
    asked = await given(request, frozenset({"keywords"}))
    if "keywords" not in asked:
        raise InputError("keywords: give a list of {word, level}, or null for what Nightshift came with")
    if asked["keywords"] is None:
        await parts.keywords.restore(parts.home_id)
    else:
        await parts.keywords.replace(parts.home_id, checked(asked["keywords"]), request[VISITOR].user_id)
    return await keywords(request)


def alert_endpoints() -> tuple[Endpoint, ...]:
    """Return this part's addresses."""
    marked = {200: "The alert.", 404: "No such alert."}
    return (
        Endpoint(
            "GET",
            "/api/alerts",
            alerts,
            "Alerts, the newest first.",
            {200: "A list of alerts.", 400: "No such list, level, instant or limit."},
            query=("which", "level", "before", "limit"),
        ),
        Endpoint("GET", "/api/alerts/keywords", keywords, "The words looked for in the hub's log."),
        Endpoint(
            "POST",
            "/api/alerts/keywords",
            set_keywords,
            "Replace that list.",
            {200: "The list as it is now.", 400: "Why not, in a line."},
            body={"keywords": ("array", "null")},
        ),
        Endpoint("GET", "/api/alerts/{id}", alert, "One alert, open or over.", marked),
        Endpoint("POST", "/api/alerts/{id}/read", read, "Note that it was read.", marked),
        Endpoint("POST", "/api/alerts/{id}/acknowledge", acknowledge, "Note who takes care of it.", marked),
    )


def alert_json(one: Alert, home: Home | None) -> dict[str, Any]:
    """Return an alert as JSON: its fields, `open`, and who read and acknowledged it by name."""
    said = one.model_dump(mode="json")
    for name in ("read_by", "acknowledged_by"):
        said[name] = _person(said[name], home)
    return {**said, "is_acknowledged": one.acknowledged_at is not None, "open": one.open}


def keyword_json(one: Keyword) -> dict[str, Any]:
    return {"word": one.word, "level": one.level.value}


def _answer(one: Alert | None, home: Home | None) -> web.Response:
    if one is None:
        return error_json(404, "There is no such alert.")
    return web.json_response(alert_json(one, home))


def _person(user_id: str, home: Home | None) -> dict[str, str] | None:
    if not user_id:
        return None
    users = {user.id: user.name for user in home.users} if home else {}
    return {"id": user_id, "name": users.get(user_id, "")}


def _levels(request: web.Request) -> tuple[Level, ...]:
    """Return the levels asked for, each `level=…`; none is all. Raises InputError."""
    asked = request.query.getall("level", [])
    if wrong := next((one for one in asked if one not in set(Level)), None):
        raise InputError(f"level: {wrong[:50]!r} is none of {', '.join(Level)}")
    return tuple(Level(one) for one in asked)


def _instant(request: web.Request, name: str) -> datetime | None:
    text = request.query.get(name)
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise InputError(f"{name}: give an instant with its zone, such as 2026-11-22T03:00:00+00:00")
    return instant
