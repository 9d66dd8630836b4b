"""Deciding over the API: thin handlers over `habits.offers`; the gate let only administrators through."""

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from app.errors import InputError
from app.habits.offers.adjusting import Adjustments
from app.habits.offers.decision import Decision, Mode, Verdict, Via, Who
from app.habits.offers.troubles import (
    ChangedSinceError,
    DecidedAlreadyError,
    EditedError,
    NeedsConfirmationError,
    NothingDecidedError,
    NotOnOfferError,
)
from app.habits.offers.watched import Watched
from app.hub.editor import NotWantedError, editor_path
from app.model import Home
from app.web.failures import error_json
from app.web.parts import PARTS
from app.web.security import VISITOR
from app.web.shapes import offered_json
from app.web.visitors import Way
from app.web.wording import counted

_PAST: Final = {
    Verdict.ACCEPTING: "accepted",
    Verdict.ACCEPTED: "accepted",
    Verdict.DECLINED: "declined",
    Verdict.SNOOZED: "put off",
    Verdict.UNDOING: "taken back",
    Verdict.UNDONE: "taken back",
}
Handler = Callable[[web.Request], Awaitable[web.Response]]


def _answering(handler: Handler) -> Handler:
    """Answer what can go wrong with one clear line: 404, 409, 422."""

    async def answered(request: web.Request) -> web.Response:
        more: dict[str, object] = {}
        try:
            return await handler(request)
        except NotOnOfferError as error:
            status, said = 404, str(error)
        except DecidedAlreadyError as error:
            home = request.app[PARTS].home()
            status, said = 409, _already(error.decision, request, home)
            more = {"decision": decision_json(error.decision, home)}
        except EditedError as error:
            status, said, more = 409, str(error), {"edited": True}
        except ChangedSinceError as error:
            status, said, more = 409, str(error), {"seen": error.seen}
        except NothingDecidedError as error:
            status, said = 409, str(error)
        except NeedsConfirmationError as error:
            status, said, more = 422, str(error), {"confirm": True}
        except (InputError, NotWantedError) as error:
            status, said = 422, str(error)
        return error_json(status, said, **more)

    return answered


@_answering
async def accept(request: web.Request) -> web.Response:
    """Accept a suggestion: `{mode, confirm, automation?, force?}`."""
    given = _given(await request.read(), {"mode", "confirm", "automation", "force"})
    decision = await request.app[PARTS].offers.accept(
        request.match_info["id"],
        _who(request),
        mode=_mode(given.get("mode", Mode.ENABLED.value)),
        confirm=_flag(given, "confirm"),
        automation=given.get("automation"),
        force=_flag(given, "force"),
    )
    return _decided(request, decision)


@_answering
async def extend(request: web.Request) -> web.Response:
    """Add a suggestion to the automation it could be a step of: `{confirm, seen?}`."""
    given = _given(await request.read(), {"confirm", "seen"})
    seen = given.get("seen", "")
    if not isinstance(seen, str):
        raise InputError("seen: give the mark of the automation as it was looked at")
    decision = await request.app[PARTS].offers.extend(
        request.match_info["id"], _who(request), confirm=_flag(given, "confirm"), seen=seen
    )
    return _decided(request, decision)


@_answering
async def change(request: web.Request) -> web.Response:
    """Change an accepted automation: `{mode?, confirm, automation?, force?}`."""
    given = _given(await request.read(), {"mode", "confirm", "automation", "force"})
    decision = await request.app[PARTS].offers.change(
        request.match_info["id"],
        _who(request),
        mode=_mode(given["mode"]) if given.get("mode") is not None else None,
        confirm=_flag(given, "confirm"),
        automation=given.get("automation"),
        force=_flag(given, "force"),
    )
    return _decided(request, decision)


@_answering
async def decline(request: web.Request) -> web.Response:
    """Decline a suggestion: `{reason?}`."""
    given = _given(await request.read(), {"reason"})
    reason = given.get("reason", "")
    if not isinstance(reason, str):
        raise InputError("reason: give a text")
    offers = request.app[PARTS].offers
    return _decided(request, await offers.decline(request.match_info["id"], _who(request), reason))


@_answering
async def snooze(request: web.Request) -> web.Response:
    """Put a suggestion off: `{days: 7 or 30}`."""
    given = _given(await request.read(), {"days"})
    days = given.get("days")
    if not isinstance(days, int) or isinstance(days, bool):
        raise InputError("days: give 7 or 30")
    offers = request.app[PARTS].offers
    return _decided(request, await offers.snooze(request.match_info["id"], _who(request), days))


@_answering
async def never(request: web.Request) -> web.Response:
    """Never again: `{what: entity or kind, entity_id?}`."""
    given = _given(await request.read(), {"what", "entity_id"})
    what, entity_id = given.get("what"), given.get("entity_id")
    if not isinstance(what, str) or not (entity_id is None or isinstance(entity_id, str)):
        raise InputError("what: give entity or kind")
    offers = request.app[PARTS].offers
    return _decided(request, await offers.never(request.match_info["id"], _who(request), what, entity_id))


@_answering
async def undo(request: web.Request) -> web.Response:
    """Take back what stands decided: `{force?}`."""
    given = _given(await request.read(), {"force"})
    offers = request.app[PARTS].offers
    decision = await offers.undo(request.match_info["id"], _who(request), force=_flag(given, "force"))
    return _decided(request, decision)


@_answering
async def replay(request: web.Request) -> web.Response:
    """Try a changed automation on the past: `{at, offset_minutes, delay_minutes, days, hours, …}`."""
    given = _given(await request.read(), set(Adjustments.model_fields))
    adjusted = await request.app[PARTS].replays.replay(request.match_info["id"], given)
    days = counted(adjusted.after.days, "day", "days") if adjusted.after else ""
    return web.json_response({**adjusted.model_dump(mode="json"), "days": days})


@_answering
async def suggestion(request: web.Request) -> web.Response:
    """Give one suggestion, on offer or not, with what was decided on it."""
    parts = request.app[PARTS]
    home = parts.home()
    known = await parts.offers.look(request.match_info["id"])
    watched = await parts.offers.verdict(request.match_info["id"])
    returned = known.offered.returned
    return web.json_response(
        {
            **offered_json(known.offered),
            "on_offer": known.on_offer,
            "returned": returned.said(home.zone, _name(returned.declined_by, request, home))
            if returned and home
            else None,
            "decision": decision_json(known.decision, home) if known.decision else None,
            "history": [decision_json(one, home) for one in known.history],
            "watched": watched_json(watched) if watched else None,
            "verdict": watched.proposal.model_dump() if watched and watched.proposal else None,
        }
    )


async def automations(request: web.Request) -> web.Response:
    """List all automations that are watched: those Nightshift made, and those that people made, read-only."""
    return web.json_response([watched_json(one) for one in await request.app[PARTS].offers.watched()])


@_answering
async def exclusions(request: web.Request) -> web.Response:
    """List what is never to be offered."""
    home = request.app[PARTS].home()
    kept = await request.app[PARTS].offers.kept_exclusions()
    return web.json_response(
        [
            {
                "kind": one.exclusion.kind.value,
                "value": one.exclusion.value,
                "created_at": one.created_at.isoformat(),
                "created_by": _person(one.created_by, home),
            }
            for one in kept
        ]
    )


@_answering
async def exclude(request: web.Request) -> web.Response:
    """Never offer that again: `{kind, value}`."""
    given = _given(await request.read(), {"kind", "value"})
    one = await request.app[PARTS].offers.exclude(given.get("kind"), given.get("value"), _who(request))
    return web.json_response({"kind": one.kind.value, "value": one.value})


@_answering
async def allow(request: web.Request) -> web.Response:
    """Let it be offered again: `{kind, value}`."""
    given = _given(await request.read(), {"kind", "value"})
    if not await request.app[PARTS].offers.allow(given.get("kind"), given.get("value")):
        return error_json(404, "That is not excluded.")
    return web.json_response({"kind": given["kind"], "value": given["value"]})


def watched_json(one: Watched) -> dict[str, Any]:
    """Return what an automation did of late as JSON, day by day, with its verdict if there is one."""
    missed = [day.missed for day in one.days]
    return {
        "unique_id": one.unique_id,
        "entity_id": one.entity_id,
        "alias": one.alias,
        "suggestion_id": one.suggestion_id or None,
        "since": one.since.isoformat() if one.since else None,
        "fired": sum(day.fired for day in one.days),
        "undone": sum(day.undone for day in one.days),
        "by_hand": sum(day.by_hand for day in one.days),
        "missed": None if None in missed or not missed else sum(day or 0 for day in missed),
        "days": [day.model_dump() for day in one.days],
        "undone_at": one.undone_at,
        "verdict": one.proposal.model_dump() if one.proposal else None,
    }


def decision_json(decision: Decision, home: Home | None) -> dict[str, Any]:
    """Return a decision as JSON; `automation` is null unless it has to do with one."""
    body = decision.body
    automation = {
        "unique_id": body.unique_id,
        "entity_id": body.entity_id or None,
        "editor": editor_path(body.unique_id),
        "enabled": body.enabled,
        "edited": body.edited,
        "gone_since": body.gone_since,
    }
    return {
        "decision_id": decision.decision_id,
        "suggestion_id": decision.suggestion_id,
        "title": body.suggestion.title,
        "verdict": decision.verdict.value,
        "mode": decision.mode.value if decision.mode else None,
        "until": decision.until.isoformat() if decision.until else None,
        "reason": decision.reason,
        "decided_at": decision.decided_at.isoformat(),
        "decided_by": _person(decision.decided_by, home),
        "via": decision.via.value,
        "trouble": body.trouble or None,
        "never": [{"kind": kind, "value": value} for kind, value in body.never],
        "automation": automation if body.unique_id else None,
        "added_to": {"entity_id": body.onto.entity_id, "name": body.onto.name} if body.onto else None,
    }


def _decided(request: web.Request, decision: Decision) -> web.Response:
    """Answer 200 when it is done, 202 while Home Assistant still has to do it."""
    waiting = decision.verdict in {Verdict.ACCEPTING, Verdict.UNDOING}
    return web.json_response(
        decision_json(decision, request.app[PARTS].home()), status=202 if waiting else 200
    )


def _who(request: web.Request) -> Who:
    visitor = request[VISITOR]
    return Who(visitor.user_id, Via.API if visitor.way is Way.KEY else Via.PAGE)


def _given(body: bytes, known: set[str]) -> dict[str, Any]:
    """Return the request's JSON object; no body is an empty one. Raises InputError."""
    try:
        given = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise InputError("The request is not JSON.") from None
    if not isinstance(given, dict):
        raise InputError("The request is no JSON object.")
    if unknown := sorted(given.keys() - known):
        raise InputError(f"{unknown[0][:50]!r} is not taken here; it takes {', '.join(sorted(known))}")
    return given


def _mode(given: Any) -> Mode:
    if not isinstance(given, str) or given not in set(Mode):
        raise InputError(f"mode: give one of {', '.join(Mode)}")
    return Mode(given)


def _flag(given: dict[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise InputError(f"{name}: give true or false")
    return value


def _person(user_id: str, home: Home | None) -> dict[str, str] | None:
    if not user_id:
        return None
    users = {user.id: user.name for user in home.users} if home else {}
    return {"id": user_id, "name": users.get(user_id, "")}


def _name(user_id: str, request: web.Request, home: Home | None) -> str:
    """Return whose decision it was, as the visitor would say it."""
    if user_id == request[VISITOR].user_id:
        return "You"
    person = _person(user_id, home)
    return (person["name"] if person else "") or "Someone"


def _already(decision: Decision, request: web.Request, home: Home | None) -> str:
    past = _PAST[decision.verdict]
    # With the API key nobody is known by name: it may have been the asker, or somebody else who has it.
    who = _name(decision.decided_by, request, home) if decision.decided_by else ""
    said = f"{who} {past} this already." if who else f"This was {past} already."
    return f"{said} Undo that first to decide otherwise."
