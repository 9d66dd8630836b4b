"""Decisions over MQTT: what is asked on the command topic, and what every decision is told as.

Whoever may publish on the broker may decide: the broker does not say who sent a message. So it is off unless
the option `mqtt_decisions` says otherwise.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from app.announce.status import json_text, shown
from app.errors import InputError, NightshiftError
from app.habits.announcements import SuggestionDecided
from app.habits.offers.decision import Decision, Mode, Verdict, Via, Who
from app.habits.offers.offers import Offers

LONGEST_COMMAND: Final = 1024
"""In bytes."""
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_REASON_LENGTH = 255
_FIELDS: Final = frozenset({"id", "do", "mode", "days", "confirm"})
_WEEK: Final = 7


class Told(StrEnum):
    """The event types of the *Suggestion* entity about decisions."""

    ACCEPTED = "accepted"
    """Its automation stands in Home Assistant."""
    WAITING = "waiting"
    """Accepted or taken back, and Home Assistant could not do it yet; `reason` says why."""
    DECLINED = "declined"
    SNOOZED = "snoozed"
    UNDONE = "undone"
    UNCHANGED = "unchanged"
    """A command asked for what stands already."""
    REFUSED = "refused"
    """A command was not carried out; `reason` says why."""


class Do(StrEnum):
    """What a command can ask for."""

    ACCEPT = "accept"
    DECLINE = "decline"
    SNOOZE = "snooze"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Asked:
    """One command. `mode` and `confirm` are for accepting, `days` for putting off."""

    suggestion_id: str
    do: Do
    mode: Mode = Mode.ENABLED
    days: int = _WEEK
    confirm: bool = False


_TOLD: Final = {
    Verdict.ACCEPTED: Told.ACCEPTED,
    Verdict.DECLINED: Told.DECLINED,
    Verdict.SNOOZED: Told.SNOOZED,
    Verdict.UNDONE: Told.UNDONE,
}


class Commander:
    """Carries out what is asked over MQTT. `offers` None: deciding over MQTT is off."""

    def __init__(self, offers: Offers | None, home_id: str) -> None:
        self._offers = offers
        self._home_id = home_id

    async def carry_out(self, payload: bytes) -> str | None:
        """Do what a message asks; return what is to be told of it, None where the decision tells itself."""
        suggestion_id = ""
        try:
            if self._offers is None:
                raise InputError("Deciding over MQTT is off; the option mqtt_decisions turns it on.")
            given = _object(payload)
            suggestion_id = _id_of(given)
            asked = _asked(suggestion_id, given)
            before = await self._offers.decisions.of(self._home_id, suggestion_id)
            after = await _decide(self._offers, asked)
        except NightshiftError as error:
            return message(Told.REFUSED, suggestion_id, reason=str(error))
        if before and (before.decision_id, before.verdict) == (after.decision_id, after.verdict):
            return message(
                Told.UNCHANGED,
                suggestion_id,
                title=after.body.suggestion.title,
                mode=after.mode or "",
                via=after.via,
                reason=f"It is {after.verdict} already.",
            )
        return None


def told_of(decided: SuggestionDecided) -> str | None:
    """Return the event that tells of a decision; None for what is only under way."""
    verdict = Verdict(decided.verdict)
    told = Told.WAITING if decided.trouble else _TOLD.get(verdict)
    if told is None:
        return None
    return message(
        told,
        decided.suggestion_id,
        title=decided.title,
        mode=decided.mode,
        via=decided.via,
        reason=decided.trouble,
    )


def message(
    told: Told, suggestion_id: str, *, title: str = "", mode: str = "", via: str = Via.MQTT, reason: str = ""
) -> str:
    """Return the event as JSON."""
    return json_text(
        {
            "event_type": told,
            "id": suggestion_id,
            "title": shown([title])[0],
            "mode": mode,
            "via": via,
            "reason": " ".join(reason.split())[:_REASON_LENGTH],
        }
    )


async def _decide(offers: Offers, asked: Asked) -> Decision:
    who = Who("", Via.MQTT)
    if asked.do is Do.ACCEPT:
        return await offers.accept(asked.suggestion_id, who, mode=asked.mode, confirm=asked.confirm)
    if asked.do is Do.DECLINE:
        return await offers.decline(asked.suggestion_id, who)
    if asked.do is Do.SNOOZE:
        return await offers.snooze(asked.suggestion_id, who, asked.days)
    return await offers.undo(asked.suggestion_id, who)


def _object(payload: bytes) -> dict[str, Any]:
    if len(payload) > LONGEST_COMMAND:
        raise InputError(f"The command is longer than {LONGEST_COMMAND} bytes.")
    try:
        given = json.loads(payload)
    except (ValueError, RecursionError):
        raise InputError("The command is not JSON.") from None
    if not isinstance(given, dict):
        raise InputError("The command is no JSON object.")
    return given


def _id_of(given: dict[str, Any]) -> str:
    found = given.get("id")
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise InputError("id: give a suggestion's id")
    return found


def _asked(suggestion_id: str, given: dict[str, Any]) -> Asked:
    if unknown := sorted(given.keys() - _FIELDS):
        raise InputError(f"{unknown[0][:50]!r} is not taken here; it takes {', '.join(sorted(_FIELDS))}")
    do, mode = given.get("do"), given.get("mode", Mode.ENABLED.value)
    days, confirm = given.get("days", _WEEK), given.get("confirm", False)
    if not isinstance(do, str) or do not in set(Do):
        raise InputError(f"do: give one of {', '.join(Do)}")
    if not isinstance(mode, str) or mode not in set(Mode):
        raise InputError(f"mode: give one of {', '.join(Mode)}")
    if not isinstance(days, int) or isinstance(days, bool):
        raise InputError("days: give 7 or 30")
    if not isinstance(confirm, bool):
        raise InputError("confirm: give true or false")
    return Asked(suggestion_id, Do(do), Mode(mode), days, confirm)
