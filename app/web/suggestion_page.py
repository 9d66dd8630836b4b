"""The page of one suggestion: what it would do, what speaks for it, what was decided and what can be."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from aiohttp import web

from app.errors import InputError
from app.habits import safety
from app.habits.days import DAY_TYPES
from app.habits.habit import TRIGGER
from app.habits.offers.adjusting import kind_of
from app.habits.offers.checking import judged
from app.habits.offers.decision import IN_THE_HUB, Verdict
from app.habits.offers.excluded import acts_of, kinds_of
from app.habits.offers.extending import Extension
from app.habits.offers.offers import Known
from app.habits.offers.troubles import NotOnOfferError
from app.habits.suggestion import Suggestion
from app.habits.suggestions import SuggestionStatus
from app.model import Home
from app.web.automation import as_yaml, read_automation
from app.web.cards import make_cards
from app.web.changes import changes_in_words, take_back
from app.web.decided import People, kind_in_words, never_of, past_of, stand_of
from app.web.editing import EditForm, form_of
from app.web.extending import step_of
from app.web.frame import show
from app.web.moments import KINDS, draw_moments
from app.web.parts import PARTS, WebParts
from app.web.security import VISITOR
from app.web.since import since_of
from app.web.states import zone_of_page
from app.web.visitors import Way
from app.web.wording import counted, date_text, listed, sentence, time_of

_NAMED: Final = 5
"""Instants named one by one; the dates have them all."""
_FADED: Final = "The last night did not find this habit any more. It comes back by itself once it does."
_HIDDEN: Final = (
    "It is not on offer: something like it was decided or excluded. The list of what was decided has it."
)
_INVENTED: Final = (
    "This home is invented, so nothing can be made here. With a real Home Assistant, one press makes it."
)


@dataclass(frozen=True, slots=True)
class Risk:
    """What has to be confirmed (`why`), or what keeps it from being made at all (`never`); both may be ""."""

    why: str = ""
    never: str = ""


async def show_suggestion(request: web.Request) -> web.Response:
    """GET /suggestions/{id}: one suggestion, on offer or not."""
    parts = request.app[PARTS]
    try:
        known = await parts.offers.look(request.match_info["id"])
    except NotOnOfferError:
        raise web.HTTPNotFound from None
    watched = await parts.offers.verdict(request.match_info["id"])
    found = await parts.offers.extension(known)
    context = await asyncio.to_thread(_context, parts, known, people_of(request), found)
    since = since_of(watched) if watched and context["stand"] and context["stand"].mode else None
    return await show(
        request,
        "suggestion.html",
        room="suggestions",
        context={"hub_base": hub_base(request), "since": since, **context},
    )


async def show_decided(request: web.Request) -> web.Response:
    """GET /decided: what people decided, and what is never to be offered."""
    parts = request.app[PARTS]
    home, now, zone = parts.home(), parts.clock.now(), zone_of_page(parts)
    people = people_of(request)
    standing = (await parts.offers.decisions.standing(home.home_id)).values() if home else ()
    held = sorted((one for one in standing if one.holds(now)), key=lambda one: one.decided_at, reverse=True)
    stands = [stand_of(one, home, people, now, zone) for one in held]
    kept = await parts.offers.kept_exclusions()
    return await show(
        request,
        "decided.html",
        room="suggestions",
        context={
            "accepted": [one for one in stands if one.mode],
            "declined": [one for one in stands if not one.mode],
            "nevers": [never_of(one, home, people, zone) for one in kept],
            "hub_base": hub_base(request),
        },
    )


def hub_base(request: web.Request) -> str | None:
    """Return what comes before a path of Home Assistant's own pages; None where they cannot be reached."""
    if request[VISITOR].way is Way.INGRESS:
        return ""  # in a frame of the hub's own page
    url = request.app[PARTS].options.hub_url
    return str(url).rstrip("/") if url else None


def people_of(request: web.Request) -> People:
    """Return who is who, as the visitor would say it."""
    return People.of(request.app[PARTS].home(), request[VISITOR].user_id)


def _context(parts: WebParts, known: Known, people: People, found: Extension | None) -> dict[str, Any]:
    home, now, zone = parts.home(), parts.clock.now(), zone_of_page(parts)
    suggestion, decision = known.offered.suggestion, known.decision
    made = decision.body.automation if decision and decision.verdict in IN_THE_HUB else None
    automation = made or suggestion.automation
    evidence = suggestion.evidence
    # What people wrote themselves is theirs to judge.
    own = suggestion.automation if decision and decision.body.onto else automation
    risk = _risk(own, suggestion, home)
    stands = decision is not None and (
        (decision.holds(now) and not known.on_offer)
        or (decision.verdict is Verdict.UNDONE and bool(decision.body.trouble))
    )
    can = known.on_offer or (decision is not None and decision.gone)
    returned = known.offered.returned
    changed = changes_in_words(known.history, home)
    return {
        "step": step_of(suggestion, found, decision, home),
        "card": make_cards([known.offered], home, zone)[0],
        "returned": returned.said(zone, people.name(returned.declined_by)) if returned else "",
        "reading": read_automation(automation, home),
        "yaml": as_yaml(automation),
        "drawing": draw_moments(evidence, zone, _at(automation)),
        "called": str(automation.get("alias") or "") if made else "",
        "otherwise": _works(own) != _works(suggestion.automation),
        "kinds": KINDS,
        "saved": _saved(suggestion),
        "wrong": _wrong(suggestion, risk, zone),
        "risk": risk,
        "stand": stand_of(decision, home, people, now, zone) if decision and stands else None,
        "can": can,
        "on_offer": known.on_offer,
        "why_not": "" if can or stands else _why_not(known),
        "invented": _INVENTED if home is not None and home.demo else "",
        "api": f"api/suggestions/{quote(suggestion.id, safe='')}",
        "nevers": _nevers(suggestion, home),
        "back": take_back(decision, known.history, home),
        "past": [
            past_of(one, people, now, zone, changed=changed.get(one.decision_id, "")) for one in known.history
        ],
        "found": _found(known, zone),
        "form": _form(known, home),
    }


def _form(known: Known, home: Home | None) -> EditForm | None:
    """Return the form for what stands, or for what is on offer."""
    own = known.decision.own if known.decision else None
    if own is not None:
        return form_of(own, home, accepted=True)
    return form_of(known.offered.suggestion.automation, home) if known.on_offer else None


def _why_not(known: Known) -> str:
    return _FADED if known.offered.status is SuggestionStatus.FADED else _HIDDEN


def _found(known: Known, zone: ZoneInfo) -> str:
    first, last = (
        date_text(one.astimezone(zone).date()) for one in (known.offered.first_seen, known.offered.last_seen)
    )
    return f"Found on {first}." if first == last else f"First found on {first}, last on {last}."


def _works(automation: dict[str, Any]) -> list[Any]:
    """Return what an automation does, whatever it is called."""
    return [automation.get(part) or [] for part in ("triggers", "conditions", "actions")]


def _at(automation: dict[str, Any]) -> int | None:
    """Return the local minutes at which it runs every day, if it does."""
    at = automation["triggers"][0].get("at") if kind_of(automation) == "time" else None
    parts = str(at or "").split(":")
    return int(parts[0]) * 60 + int(parts[1]) if len(parts) == 3 and all(p.isdigit() for p in parts) else None


def _saved(suggestion: Suggestion) -> str:
    """Return what it would have spared people, from the trial's figures alone."""
    replay = suggestion.evidence.replay
    if not replay.wanted or not replay.days:
        return ""
    times = counted(replay.wanted, "time", "times")
    # A habit of the clock counts the days on which it is due, a reaction all that were watched.
    due = str(suggestion.habit.get("day_type") or "daily")
    of_week = 7 if suggestion.kind == TRIGGER else len(DAY_TYPES.get(due, range(7)))
    a_week = replay.wanted / replay.days * of_week
    rate = f"about {round(a_week)} a week" if round(a_week) > 1 else "about once a week"
    if a_week < 0.75:
        rate = "less than once a week"
    return f"In the trial it would have spared you doing this by hand {times}: {rate}."


def _wrong(suggestion: Suggestion, risk: Risk, zone: ZoneInfo) -> list[str]:
    """Return what it might get wrong, each as a sentence."""
    replay = suggestion.evidence.replay
    said = []
    if replay.unwanted:
        of, be = counted(replay.fires, "run", "runs"), "was" if replay.unwanted == 1 else "were"
        said.append(
            f"{replay.unwanted} of {of} in the trial {be} not wanted{_named(replay.unwanted_at, zone)}."
        )
    if replay.missed:
        times = counted(replay.missed, "time", "times")
        said.append(f"It would have missed that you did it {times}{_named(replay.missed_at, zone)}.")
    said += [one.says for one in suggestion.conflicts]
    if not said:
        said.append("In the trial it made no mistake. That was the past: it is no promise.")
    if risk.why:
        said.append(f"It {risk.why}, with nobody looking.")
    return said


def _named(instants: list[str], zone: ZoneInfo) -> str:
    newest = sorted((datetime.fromisoformat(one) for one in instants), reverse=True)
    named = [f"{date_text(one.astimezone(zone).date())} {time_of(one, zone)}" for one in newest[:_NAMED]]
    if not named:
        return ""
    return f": {', '.join(named)} and earlier" if len(newest) > _NAMED else f": {listed(named)}"


def _risk(automation: dict[str, Any], suggestion: Suggestion, home: Home | None) -> Risk:
    if home is None:
        return Risk("can do harm" if suggestion.risk == safety.CONFIRM else "")
    try:
        verdict = judged(automation, home)
    except (InputError, KeyError) as error:
        return Risk(never=sentence(str(error)))
    if verdict.risk == safety.NEVER:
        return Risk(never=f"Nightshift never makes this: {verdict.why}.")
    return Risk(verdict.why if verdict.risk == safety.CONFIRM else "")


def _nevers(suggestion: Suggestion, home: Home | None) -> list[dict[str, Any]]:
    """Return what one can say never to: the label of each, and what the API is told."""
    names = {one.entity_id: one.name for one in home.entities} if home else {}
    entities = sorted({entity_id for entity_id, _ in acts_of(suggestion.habit)})
    said: list[dict[str, Any]] = [
        {"label": f"For {names.get(one) or one}", "body": {"what": "entity", "entity_id": one}}
        for one in entities
    ]
    if len(entities) > 1:
        said.append({"label": "For all of these", "body": {"what": "entity"}})
    kinds = listed([kind_in_words(one.value) for one in kinds_of(suggestion)])
    return [*said, {"label": f"For {kinds}", "body": {"what": "kind"}}]
