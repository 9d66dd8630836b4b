"""Whether something decided on may be offered again. Pure.

A declined habit stays declined while it merely goes on: that it is kept up is what people knew when they
said no, and a later minute, another part of the day or a day more or less make it no other habit
(`same_habit`). It comes back only when what spoke against it is gone: the doubt about it (1 - confidence, a
lower bound of how often it would be right) has at least halved and fallen by a twentieth, and a month has
passed, so that most of the days it was tested on then have been replaced by new ones. A habit that was nearly
certain when it was declined never comes back: its people do not want it. One that was declined again has to
do so again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.habits.days import DAY_TYPES
from app.habits.offers.decision import Decision, Verdict
from app.habits.offers.excluded import acts_of
from app.habits.suggestion import Evidence, Suggestion

LEAST_REST = timedelta(days=30)
DOUBT_LEFT = 0.5
LEAST_GAIN = 0.05
_APART_MINUTES = 90
"""Clock habits further apart than that on the same thing are two habits (coffee at seven and at nine)."""
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Returned:
    """Why a declined habit is offered again: what was known then, and what happened since.

    `right` of `fires`: how often it would have been right, on the days it was tested on; `then_…` when it was
    declined, the others counted since.
    """

    declined_at: datetime
    declined_by: str
    then_right: int
    then_fires: int
    right: int
    fires: int

    def said(self, zone: ZoneInfo, who: str = "You") -> str:
        """Return it as a sentence; `who` declined it."""
        then = self.declined_at.astimezone(zone)
        return (
            f"{who} declined this on {then.day} {_MONTHS[then.month - 1]}; since then it would have been "
            f"right {self.right} of {self.fires} times ({self.then_right} of {self.then_fires} then)."
        )


def hidden(decision: Decision, suggestion: Suggestion, now: datetime) -> bool:
    """Return whether a decision that `concerns` the suggestion keeps it from being offered.

    A "never" is its exclusions' work: it hides as long as they are there.
    """
    if not decision.holds(now) or decision.body.never:
        return False
    return decision.verdict is not Verdict.DECLINED or returned(decision, suggestion, now) is None


def concerns(decision: Decision, suggestion: Suggestion) -> bool:
    """Return whether a decision is about this suggestion, or the same habit under another id."""
    return decision.suggestion_id == suggestion.id or same_habit(decision.body.suggestion, suggestion)


def returned(decision: Decision, suggestion: Suggestion, now: datetime) -> Returned | None:
    """Return why a declined habit may be offered again, or None while it may not."""
    if decision.verdict is not Verdict.DECLINED or decision.body.never:
        return None
    before, evidence = decision.body.suggestion.evidence, suggestion.evidence
    if now - decision.decided_at < LEAST_REST:
        return None
    if 1 - evidence.confidence > (1 - before.confidence) * DOUBT_LEFT + 1e-9:
        return None
    if evidence.confidence - before.confidence < LEAST_GAIN - 1e-9:
        return None
    right, wrong = _since(evidence, decision.decided_at)
    if right == 0:
        return None
    return Returned(
        declined_at=decision.decided_at,
        declined_by=decision.decided_by,
        then_right=before.replay.wanted,
        then_fires=before.replay.wanted + before.replay.unwanted,
        right=right,
        fires=right + wrong,
    )


def same_habit(one: Suggestion, other: Suggestion) -> bool:
    """Return whether two suggestions are one habit to the people who have it.

    The same things brought to the same states on some of the same days, after the same trigger, or by the
    clock or the sun within an hour and a half: its id holds the part of the day and the days of the week,
    which a habit may drift out of.
    """
    if one.kind != other.kind or set(acts_of(one.habit)) != set(acts_of(other.habit)):
        return False
    first, second = one.habit, other.habit
    if not _days(first) & _days(second):
        return False
    if first.get("trigger") or second.get("trigger"):
        return _trigger(first) == _trigger(second)
    if first.get("sun") or second.get("sun"):
        return (first.get("sun") or {}).get("event") == (second.get("sun") or {}).get("event")
    at, later = _minutes(first.get("at")), _minutes(second.get("at"))
    if at is None or later is None:
        return False
    return abs((at - later + 720) % 1440 - 720) <= _APART_MINUTES


def _days(habit: dict[str, Any]) -> frozenset[int]:
    return frozenset(DAY_TYPES.get(str(habit.get("day_type")), range(7)))


def _trigger(habit: dict[str, Any]) -> tuple[Any, ...]:
    trigger = habit.get("trigger") or {}
    return trigger.get("entity_id"), trigger.get("to")


def _minutes(at: Any) -> int | None:
    parts = str(at or "").split(":")
    if len(parts) < 2 or not all(part.isdigit() for part in parts[:2]):
        return None
    return int(parts[0]) * 60 + int(parts[1])


def _since(evidence: Evidence, instant: datetime) -> tuple[int, int]:
    """Return how often it would have been right, and wrong, after that instant, on the tested days."""

    def later(moments: list[str]) -> int:
        return sum(datetime.fromisoformat(one) > instant for one in moments)

    return later(evidence.replay.wanted_at), later(evidence.replay.unwanted_at)
