"""Locks: unlocked at night or with nobody home, and jammed at any hour."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from app.alerts.alert import AlertKind, Level
from app.alerts.finding import Finding, Still
from app.alerts.sight import Sight, Thing
from app.alerts.surroundings import night_since, nobody_since
from app.alerts.words import CHILD_LOCK

_UNLOCKED: Final = frozenset({"unlocked", "open"})
_MOVING: Final = frozenset({"locking", "unlocking", "opening"})
_APPLIANCES: Final = frozenset({
    "climate", "fan", "vacuum", "humidifier", "water_heater", "media_player", "light", "device_tracker",
    "lawn_mower",
})  # fmt: skip
"""What a device also is whose lock is that of its buttons, or that drives away with its people."""
_AT_NIGHT_AFTER: Final = timedelta(minutes=15)
_NOBODY_AFTER: Final = timedelta(minutes=10)
_JAMMED_AFTER: Final = timedelta(minutes=1)


def open_locks(sight: Sight) -> Iterator[Finding | Still]:
    """Say which locks of the home are not locked. One that was never seen locked is not used as a lock."""
    night, nobody = night_since(sight), nobody_since(sight)
    for thing in sight.in_domain("lock"):
        if not is_door_lock(sight, thing):
            continue
        cause = f"unlocked:{thing.entity_id}"
        found = _judged(sight, thing, cause, night, nobody)
        if found is not None:
            yield found
        elif thing.state in _UNLOCKED | _MOVING | {"jammed"} and cause in sight.standing:
            yield Still(cause)


def is_door_lock(sight: Sight, thing: Thing) -> bool:
    """Whether a lock is a door's, and not one of an appliance's buttons or of a car."""
    if not thing.plain or CHILD_LOCK.search(thing.words):
        return False
    return not any(one.domain in _APPLIANCES for one in sight.beside(thing))


def _judged(
    sight: Sight, thing: Thing, cause: str, night: datetime | None, nobody: datetime | None
) -> Finding | None:
    if thing.state == "jammed":
        if sight.now - thing.since < _JAMMED_AFTER:
            return None
        return _finding(sight, thing, cause, AlertKind.LOCK_JAMMED, f"{thing.name} is jammed")
    seen = sight.learned.seen_shut(thing.entity_id) or f"locked:{thing.entity_id}" in sight.known
    if thing.state not in _UNLOCKED or not seen:
        return None
    usual = sight.learned.open_when_away(thing.entity_id)
    if nobody is not None and not usual and _lasts(sight, thing, nobody, _NOBODY_AFTER):
        title = f"{thing.name} is unlocked and nobody is home"
        return _finding(sight, thing, cause, AlertKind.UNLOCKED_NOBODY_HOME, title)
    usual = sight.learned.open_at_night(thing.entity_id)
    if night is not None and not usual and _lasts(sight, thing, night, _AT_NIGHT_AFTER):
        title = f"{thing.name} is unlocked at night"
        return _finding(sight, thing, cause, AlertKind.UNLOCKED_AT_NIGHT, title)
    return None


def _lasts(sight: Sight, thing: Thing, since: datetime, after: timedelta) -> bool:
    return sight.now - max(thing.since, since) >= after


def _finding(sight: Sight, thing: Thing, cause: str, kind: AlertKind, title: str) -> Finding:
    state = "Jammed" if kind is AlertKind.LOCK_JAMMED else "Unlocked"
    return Finding(
        cause=cause,
        kind=kind,
        level=Level.HIGH,
        title=title,
        description=f"{state} since {sight.clock(thing.since)}.",
        since=thing.since,
        **thing.where,
    )
