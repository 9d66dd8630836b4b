"""A decision on a suggestion: what people can decide, and when one takes the place of another. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from app.habits.suggestion import Suggestion

_SAME_MOMENT = timedelta(minutes=1)
"""Two ends of a snooze this near are one wish, tapped twice."""


class Verdict(StrEnum):
    """What was decided."""

    ACCEPTING = "accepting"
    """Accepted; Home Assistant does not have it yet."""
    ACCEPTED = "accepted"
    """The automation stands in Home Assistant."""
    DECLINED = "declined"
    SNOOZED = "snoozed"
    UNDOING = "undoing"
    """An acceptance taken back; the automation is still to be removed from Home Assistant."""
    UNDONE = "undone"
    """Taken back: it is as if nothing had been decided."""


IN_THE_HUB = frozenset({Verdict.ACCEPTING, Verdict.ACCEPTED, Verdict.UNDOING})
"""Verdicts under which the hub may have the automation."""
PENDING = frozenset({Verdict.ACCEPTING, Verdict.UNDOING})
"""Verdicts that are still to be carried out in the hub."""


class Mode(StrEnum):
    """How an accepted automation works."""

    ENABLED = "enabled"
    NOTIFY = "notify"
    """It asks on the phone instead of acting."""
    DISABLED = "disabled"
    """It is made switched off."""


class Via(StrEnum):
    """Which way a decision came."""

    PAGE = "page"
    PHONE = "phone"
    MQTT = "mqtt"
    API = "api"


@dataclass(frozen=True, slots=True)
class Who:
    """Who decides: the hub's user id, empty where nobody tells it (the API key, the broker)."""

    user_id: str
    via: Via


class Onto(BaseModel):
    """People's own automation that a suggestion was added to; `before` is its configuration as it was."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    entity_id: str
    name: str
    before: dict[str, Any]


class Body(BaseModel):
    """All else that is known of a decision.

    `suggestion` is the suggestion as it was then. `automation` is what was accepted, `put` what goes to the
    hub for it, `hashes` the marks by which that is known again; `area_id` where it belongs. `trouble` says
    why the hub does not have it yet, in one line. `force`: a person's own changes may be lost. `keep_switch`:
    a change leaves it on or off as it is. `edited` is True once a person changed it in Home Assistant,
    `enabled` how it was last seen, `gone_since` when it was first found missing (ISO, UTC). `never` are the
    exclusions that came with a "never". `onto` is there when no automation is made, but people's own (whose
    `unique_id` it is) becomes what `automation` says. `changes` is the id of the acceptance that this one
    changes.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    suggestion: Suggestion
    automation: dict[str, Any] | None = None
    put: dict[str, Any] | None = None
    unique_id: str = ""
    entity_id: str = ""
    area_id: str | None = None
    hashes: tuple[str, ...] = ()
    trouble: str = ""
    force: bool = False
    keep_switch: bool = False
    edited: bool = False
    enabled: bool | None = None
    gone_since: str | None = None
    never: tuple[tuple[str, str], ...] = ()
    onto: Onto | None = None
    changes: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision. `until` is a snooze's end; times are UTC."""

    decision_id: str
    home_id: str
    suggestion_id: str
    verdict: Verdict
    mode: Mode | None
    until: datetime | None
    reason: str
    decided_at: datetime
    decided_by: str
    via: Via
    body: Body

    def holds(self, now: datetime) -> bool:
        """Return whether it still says something: an undone one and a snooze that is over do not."""
        if self.verdict is Verdict.SNOOZED:
            return self.until is not None and self.until > now
        return self.verdict is not Verdict.UNDONE

    @property
    def gone(self) -> bool:
        """Whether its automation was removed in Home Assistant by someone else."""
        return self.verdict is Verdict.ACCEPTED and self.body.gone_since is not None

    @property
    def own(self) -> dict[str, Any] | None:
        """The automation of our own that stands or is about to, and can be changed; None without one."""
        stands = self.verdict in {Verdict.ACCEPTING, Verdict.ACCEPTED} and not self.gone
        return self.body.automation if stands and self.body.onto is None else None

    @property
    def change_waits(self) -> bool:
        """Whether the hub still has the automation as it was before it was changed."""
        return self.verdict is Verdict.ACCEPTING and bool(self.body.changes and self.body.entity_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A decision that is about to be made."""

    verdict: Verdict
    who: Who
    body: Body
    mode: Mode | None = None
    until: datetime | None = None
    reason: str = ""


def same_wish(known: Decision, wish: Wish) -> bool:
    """Return whether one person tapped the same thing twice. An acceptance is the same under way and done."""
    if known.decided_by != wish.who.user_id:
        return False
    verdict = Verdict.ACCEPTING if known.verdict is Verdict.ACCEPTED else known.verdict
    ends = (known.until, wish.until)
    until = ends == (None, None) or (
        ends[0] is not None and ends[1] is not None and abs(ends[0] - ends[1]) <= _SAME_MOMENT
    )
    alike = known.body.never == wish.body.never and wiring_of(known.body) == wiring_of(wish.body)
    return until and alike and (verdict, known.mode) == (wish.verdict, wish.mode) and not known.gone


def wiring_of(body: Body) -> dict[str, Any]:
    """Return what tells one wish for an automation from another; its description names the day."""
    return {key: value for key, value in (body.automation or {}).items() if key != "description"}


def gives_way(known: Decision, wish: Wish, now: datetime, over: str | None) -> bool:
    """Return whether a wish takes the place of the decision that stands."""
    if known.decision_id == over or not known.holds(now):
        return True
    return _changes_own_mind(known, wish) and not same_wish(known, wish)


def _changes_own_mind(known: Decision, wish: Wish) -> bool:
    """Return whether a person goes back on their own "no" or "later": nobody else's wish is overruled."""
    mine = bool(wish.who.user_id) and known.decided_by == wish.who.user_id
    return mine and known.verdict in {Verdict.DECLINED, Verdict.SNOOZED} and not known.body.never
