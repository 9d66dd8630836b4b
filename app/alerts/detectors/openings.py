"""Doors, garages, gates and windows: left open for too long, open at night, open with nobody home.

One open door is one cause, whatever is wrong about it: the worst that holds is what its alert says.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from app.alerts.alert import AlertKind, Level
from app.alerts.finding import Finding, Still
from app.alerts.learned import UsualSpell
from app.alerts.sight import Sight, Thing, Where
from app.alerts.surroundings import night_since, nobody_since, outside
from app.alerts.words import COLD_BOX, INNER, NOT_OUTER, OUTER, plain

OUTER_LABEL: Final = "nightshift_outer_door"
"""A label of that name in Home Assistant says what no name and no device class does."""
_OPEN: Final = frozenset({"on", "open", "opening", "closing"})
_AT_NIGHT_AFTER: Final = timedelta(minutes=15)
_NOBODY_AFTER: Final = timedelta(minutes=10)
_WINDOWS_AFTER: Final = timedelta(minutes=30)
_COLD: Final = 12.0
_MILD: Final = 15.0
_LISTED: Final = 5


class Opening(StrEnum):
    """What it is that is open."""

    GATE = "gate"
    """A garage door or a gate."""
    OUTER = "outer"
    """A door that leads outside."""
    BOX = "box"
    """The door of a fridge or a freezer."""
    WINDOW = "window"
    INNER = "inner"
    """Any other door: nothing is usual of it until its own past is known."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """`least` is the shortest stay that is ever too long, `before` what holds until its past is known."""

    least: timedelta
    before: timedelta | None
    level: Level


_RULES: Final = {
    Opening.GATE: _Rule(timedelta(minutes=15), timedelta(minutes=60), Level.MEDIUM),
    Opening.OUTER: _Rule(timedelta(minutes=10), timedelta(minutes=60), Level.MEDIUM),
    Opening.BOX: _Rule(timedelta(minutes=3), timedelta(minutes=10), Level.MEDIUM),
    Opening.WINDOW: _Rule(timedelta(minutes=60), None, Level.LOW),
    Opening.INNER: _Rule(timedelta(minutes=60), None, Level.LOW),
}


def left_open(sight: Sight) -> Iterator[Finding | Still]:
    """Say what stands open that should not."""
    night, nobody = night_since(sight), nobody_since(sight)
    windows: list[Thing] = []
    for thing in sight.in_domain("binary_sensor", "cover"):
        kind = opening_of(sight, thing)
        if kind is None or thing.state not in _OPEN:
            continue
        if kind is Opening.WINDOW:
            windows.append(thing)
        found = _worst(sight, thing, kind, night, nobody)
        if found is not None:
            yield found
        elif (cause := f"open:{thing.entity_id}") in sight.standing:
            yield Still(cause)
    yield from _windows(sight, windows, night, nobody)


def opening_of(sight: Sight, thing: Thing) -> Opening | None:
    """Return what kind of opening it is, by its device class, and for doors by names; None for none."""
    if not thing.plain or any(one.domain == "device_tracker" for one in sight.beside(thing)):
        return None  # A car's doors go where its people go.
    if thing.domain == "cover":
        return Opening.GATE if thing.device_class in {"garage", "gate"} else None
    if thing.device_class == "garage_door":
        return Opening.GATE
    if thing.device_class == "window":
        return Opening.WINDOW
    return _door(sight, thing) if thing.device_class in {"door", "opening"} else None


def _door(sight: Sight, thing: Thing) -> Opening:
    """Tell doors apart: by a label, by the lock beside it, by their names."""
    device = sight.device_names.get(thing.entity.device_id or "", "")
    own = plain(thing.entity_id, thing.name, device)
    if COLD_BOX.search(own):
        return Opening.BOX
    leads_out = OUTER.search(own) and not NOT_OUTER.search(own) and not INNER.search(own)
    label = OUTER_LABEL in thing.entity.labels
    if label or leads_out or any(one.domain == "lock" and one.plain for one in sight.beside(thing)):
        return Opening.OUTER
    return Opening.INNER if thing.device_class == "door" else Opening.WINDOW


def _worst(
    sight: Sight, thing: Thing, kind: Opening, night: datetime | None, nobody: datetime | None
) -> Finding | None:
    """Return the worst that holds by now of one thing that is open."""
    if kind in {Opening.GATE, Opening.OUTER}:
        usual = sight.learned.open_when_away(thing.entity_id)
        if nobody is not None and not usual and _lasts(sight, thing, nobody, _NOBODY_AFTER):
            return _finding(
                sight, thing, AlertKind.OPEN_NOBODY_HOME, Level.HIGH,
                f"{_name(thing)} is open and nobody is home", "",
            )  # fmt: skip
        usual = sight.learned.open_at_night(thing.entity_id)
        if night is not None and not usual and _lasts(sight, thing, night, _AT_NIGHT_AFTER):
            return _finding(
                sight, thing, AlertKind.OPEN_AT_NIGHT, Level.HIGH, f"{_name(thing)} is open at night", ""
            )
    if kind is Opening.WINDOW and ((warmth := outside(sight)) is None or warmth > _COLD):
        return None  # In summer a window may be open as long as it likes.
    usual_stay = sight.learned.spell(thing.entity_id)
    limit = _limit(_RULES[kind], usual_stay)
    if limit is None or sight.now - thing.since < limit:
        return None
    return _finding(
        sight,
        thing,
        AlertKind.LEFT_OPEN,
        _RULES[kind].level,
        f"{_name(thing)} was left open",
        _why(usual_stay),
    )


def _limit(rule: _Rule, usual: UsualSpell | None) -> timedelta | None:
    return rule.before if usual is None else max(rule.least, usual.limit)


def _why(usual: UsualSpell | None) -> str:
    if usual is None:
        return ""
    return (
        f" In {usual.days} days it was open {usual.count} times, for {_long(usual.longest)} at the longest."
    )


def _long(stay: timedelta) -> str:
    minutes = max(1, round(stay.total_seconds() / 60))
    if minutes < 100:
        return f"{minutes} minutes" if minutes > 1 else "a minute"
    hours = round(minutes / 60)
    return f"{hours} hours" if hours < 48 else f"{round(hours / 24)} days"


def _lasts(sight: Sight, thing: Thing, since: datetime, after: timedelta) -> bool:
    return sight.now - max(thing.since, since) >= after


def _finding(sight: Sight, thing: Thing, kind: AlertKind, level: Level, title: str, why: str) -> Finding:
    return Finding(
        cause=f"open:{thing.entity_id}",
        kind=kind,
        level=level,
        title=title,
        description=f"Open since {sight.clock(thing.since)}.{why}",
        since=thing.since,
        **thing.where,
    )


def _windows(
    sight: Sight, windows: list[Thing], night: datetime | None, nobody: datetime | None
) -> Iterator[Finding | Still]:
    """Say of all windows at once that they are open with nobody home, or in a cold night.

    Only of those whose past shows that they are not usually open then; nothing is said before that is known.
    """
    warmth = outside(sight)
    away = [
        one
        for one in windows
        if nobody is not None
        and sight.learned.open_when_away(one.entity_id) is False
        and _lasts(sight, one, nobody, _NOBODY_AFTER)
    ]
    cold = [
        one
        for one in windows
        if night is not None
        and warmth is not None
        and warmth < _MILD
        and sight.learned.open_at_night(one.entity_id) is False
        and _lasts(sight, one, night, _WINDOWS_AFTER)
    ]
    cause = "open:windows"
    if away:
        yield _of_windows(cause, AlertKind.OPEN_NOBODY_HOME, Level.MEDIUM, away, "nobody is home")
    elif cold:
        yield _of_windows(cause, AlertKind.OPEN_AT_NIGHT, Level.LOW, cold, "it is a cold night")
    elif windows and cause in sight.standing and (night or nobody):
        yield Still(cause)


def _of_windows(cause: str, kind: AlertKind, level: Level, windows: list[Thing], why: str) -> Finding:
    names = [_name(one) for one in windows]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    single = windows[0].where if len(windows) == 1 else Where()
    return Finding(
        cause=cause,
        kind=kind,
        level=level,
        title=f"{names[0]} is open and {why}"
        if len(names) == 1
        else f"{len(names)} windows are open and {why}",
        description=f"Open: {', '.join(names[:_LISTED])}{more}.",
        since=None,
        **single,
    )


def _name(thing: Thing) -> str:
    if not thing.place or thing.place.casefold() in thing.name.casefold():
        return thing.name
    return f"{thing.name} ({thing.place})"
