"""An alert as the page shows it: how much it matters, since when, and who has seen it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.alerts.alert import Alert, Level
from app.model import Home
from app.web.history import Moment, moment
from app.web.news import LEVELS
from app.web.wording import counted, remaining, when

_ORDER: Final = tuple(Level)
_MOODS: Final = {
    Level.CRITICAL: "failed",
    Level.HIGH: "failed",
    Level.MEDIUM: "warning",
    Level.LOW: "good",
    Level.INFO: "good",
}
"""The mood of the page's top by the worst that is open."""


@dataclass(frozen=True, slots=True)
class AlertView:
    """`seen` says who read it or takes care of it, "" for nobody. `again` is since when it is open again;
    `lasts` is how long it lasts since then, "" of what came back before that was noted. Every text but `word`
    may be hostile.
    """

    alert_id: str
    anchor: str
    level: Level
    word: str
    title: str
    description: str
    place: str
    since: Moment
    again: Moment | None
    lasts: str
    times: str
    seen: str
    is_read: bool
    is_acknowledged: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What is wrong, at a glance: `mood` of the page's top, a headline, and the next sentence."""

    mood: str
    title: str
    detail: str


def view_of_alert(one: Alert, home: Home | None, now: datetime, zone: ZoneInfo) -> AlertView:
    """Put an alert into words."""
    until = one.closed_at or now
    return AlertView(
        alert_id=one.alert_id,
        anchor=f"alert-{one.alert_id}",
        level=one.level,
        word=LEVELS[one.level],
        title=one.title,
        description=one.description,
        place=one.place,
        since=moment(one.detected_at, now, zone),
        again=moment(one.reopened_at, now, zone) if one.reopened_at else None,
        # Of what came back before it was noted when, it is only known when it first began.
        lasts=_span(until - began) if (began := _began(one)) else "",
        times=f"came back {counted(one.times - 1, 'time', 'times')}" if one.times > 1 else "",
        seen=_seen(one, home, now, zone),
        is_read=one.is_read,
        is_acknowledged=one.acknowledged_at is not None,
    )


def by_level(alerts: Sequence[Alert]) -> list[Alert]:
    """Return the worst first, of one level those nobody takes care of first, then the newest."""
    return sorted(
        alerts,
        key=lambda one: (
            _ORDER.index(one.level),
            one.acknowledged_at is not None,
            -one.detected_at.timestamp(),
        ),
    )


def standing_of(alerts: Sequence[Alert], looked: datetime | None, now: datetime, zone: ZoneInfo) -> Standing:
    """Say how things stand; `looked` is when it was last looked."""
    seen = f"Looked {when(looked, now, zone)}." if looked else ""
    if not alerts:
        if looked is None:
            return Standing(
                "waiting", "Not looked yet", "Every five minutes Nightshift looks for what is wrong."
            )
        return Standing("good", "Nothing is wrong", seen)
    counts = [(level, sum(one.level is level for one in alerts)) for level in Level]
    worst, number = next((level, count) for level, count in counts if count)
    title = f"{counted(len(alerts), 'alert is', 'alerts are')} open"
    if worst is Level.CRITICAL:
        title = f"{counted(number, 'critical alert is', 'critical alerts are')} open"
    said = ", ".join(f"{count} {LEVELS[level].lower()}" for level, count in counts if count)
    return Standing(_MOODS[worst], title, f"{said}; {_cared(alerts)}. {seen}".strip())


def _cared(alerts: Sequence[Alert]) -> str:
    left = sum(one.acknowledged_at is None for one in alerts)
    if not left:
        return "somebody takes care of " + ("it" if len(alerts) == 1 else "each")
    return "nobody takes care of " + ("it yet" if len(alerts) == 1 else f"{left} of them yet")


def _began(one: Alert) -> datetime | None:
    """Return when what lasts, or lasted, began; None where that was not noted."""
    return one.reopened_at or (one.detected_at if one.times == 1 else None)


def _span(span: timedelta) -> str:
    seconds = max(0.0, span.total_seconds())
    return "less than a minute" if seconds < 60 else remaining(span)


def _seen(one: Alert, home: Home | None, now: datetime, zone: ZoneInfo) -> str:
    if one.acknowledged_at is not None:
        since = when(one.acknowledged_at, now, zone)
        return f"{_name(one.acknowledged_by, home)} takes care of it, since {since}."
    if one.read_at is not None:
        return f"{_name(one.read_by, home)} read it {when(one.read_at, now, zone)}."
    return ""


def _name(user_id: str, home: Home | None) -> str:
    users = {user.id: user.name for user in home.users} if home else {}
    return users.get(user_id, "") or "Somebody"
