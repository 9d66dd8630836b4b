"""What a change of an accepted automation changed, in words, and what takes it back."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.habits.offers.adjusting import times_of
from app.habits.offers.decision import Decision, Verdict, wiring_of
from app.model import Home
from app.web.automation import read_automation


@dataclass(frozen=True, slots=True)
class TakeBack:
    """How an automation was before its change: in words (may be hostile), and what the API is told for it."""

    was: str
    body: str


def take_back(decision: Decision | None, history: Sequence[Decision], home: Home | None) -> TakeBack | None:
    """Return what takes the last change of an automation back; None where it was not changed.

    A change that Home Assistant never had, and one of its mode alone, is passed over.
    """
    own = decision.own if decision else None
    if decision is None or own is None:
        return None
    past = {one.decision_id: one for one in history}
    one = past.get(decision.body.changes)
    while one is not None:
        before = one.body.automation
        if one.verdict is Verdict.ACCEPTED and before and wiring_of(one.body) != wiring_of(decision.body):
            # It acts on the same things, with the same yes, as when it was accepted.
            body = {"automation": before, "confirm": True}
            return TakeBack(change_in_words(own, before, home), json.dumps(body))
        one = past.get(one.body.changes)
    return None


def changes_in_words(history: Sequence[Decision], home: Home | None) -> dict[str, str]:
    """Return what each change among the decisions changed of the wiring, by decision id."""
    past = {one.decision_id: one for one in history}
    said = {}
    for one in history:
        before = past.get(one.body.changes)
        if before is not None and before.body.automation and one.body.automation:
            said[one.decision_id] = change_in_words(before.body.automation, one.body.automation, home)
    return said


def change_in_words(before: dict[str, Any], after: dict[str, Any], home: Home | None) -> str:
    """Return what is otherwise in `after`, "" if nothing is: `at 07:10, without “somebody is home”`."""
    pairs = zip(_parts(before, home), _parts(after, home), strict=True)
    said = [one for old, new in pairs for one in _otherwise(old, new)]
    if not said and before.get("alias") != after.get("alias"):
        return f"called “{after.get('alias')}”"
    return ", ".join(said)


def _parts(automation: dict[str, Any], home: Home | None) -> list[list[str]]:
    """Return an automation's lines, in parts of which one takes the place of the other."""
    times = times_of(automation)
    rest = {**automation, "conditions": [one for one in automation["conditions"] if one != times]}
    reading = read_automation(rest, home)
    time = read_automation({"conditions": [times] if times else []}, home).conditions
    return [list(reading.triggers), list(time), list(reading.conditions), list(reading.actions)]


def _otherwise(old: list[str], new: list[str]) -> list[str]:
    added = [one for one in new if one not in old]
    removed = [one for one in old if one not in new]
    # As many as before: what is new says what became of the old.
    return added if len(added) == len(removed) else [*added, *(f"without “{one}”" for one in removed)]
