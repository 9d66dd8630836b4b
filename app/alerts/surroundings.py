"""What it is like around: night, nobody home, cold outside. Each is only said when it is sure."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Final

from app.alerts.sight import Sight, Thing
from app.alerts.words import NO_ROOM, OUTDOORS

NIGHT_FROM: Final = time(23)
NIGHT_UNTIL: Final = time(6)
_MOVED: Final = timedelta(minutes=10)
_MOTION: Final = frozenset({"motion", "occupancy", "presence"})
_WARMEST: Final = 60.0


def night_since(sight: Sight) -> datetime | None:
    """Return when this night began (UTC) where the home is, 23:00 to 06:00; None by day."""
    if not sight.home.knows_zone:
        return None
    local = sight.local
    if local.time() >= NIGHT_FROM:
        day = local.date()
    elif local.time() < NIGHT_UNTIL:
        day = local.date() - timedelta(days=1)
    else:
        return None
    return datetime.combine(day, NIGHT_FROM, sight.home.zone).astimezone(sight.now.tzinfo)


def nobody_since(sight: Sight) -> datetime | None:
    """Return since when nobody is home (UTC), None unless that is sure.

    Everybody whom the hub can follow is known to be elsewhere, at least one person is followed, and nothing
    moved inside for ten minutes: guests and children carry no tracker. A person of whom the hub knows nothing
    at all (no tracker) is not waited for; one whose tracker is silent is.
    """
    people = list(sight.in_domain("person"))
    followed = [one for one in people if one.usable or one.live.attributes.get("device_trackers")]
    if not followed or any(not one.usable or one.state == "home" for one in followed):
        return None
    for thing in sight.in_domain("binary_sensor"):
        if thing.device_class in _MOTION and thing.plain and _moves(thing, sight.now):
            return None
    return max(one.since for one in followed)


def _moves(thing: Thing, now: datetime) -> bool:
    return thing.state == "on" or (thing.state == "off" and now - thing.live.last_changed < _MOVED)


def celsius(value: float | None, unit: str) -> float | None:
    """Return a temperature in degrees Celsius, None for what is none."""
    if value is None:
        return None
    match unit:
        case "°C":
            return value
        case "°F":
            return (value - 32) * 5 / 9
        case "K":
            return value - 273.15
        case _:
            return None


def outside(sight: Sight) -> float | None:
    """Return how warm it is outside, in degrees Celsius, None when the home does not know."""
    known = [*_forecasts(sight), *_sensors(sight)]
    return min(known) if known else None


def _forecasts(sight: Sight) -> Iterable[float]:
    for thing in sight.in_domain("weather"):
        given = thing.live.attributes.get("temperature")
        unit = thing.live.attributes.get("temperature_unit")
        if isinstance(given, int | float) and isinstance(unit, str) and thing.usable:
            value = celsius(float(given), unit)
            if value is not None and abs(value) <= _WARMEST:
                yield value


def _sensors(sight: Sight) -> Iterable[float]:
    for thing in sight.in_domain("sensor"):
        if thing.device_class == "temperature" and thing.plain and OUTDOORS.search(thing.words):
            value = celsius(thing.value, thing.unit)
            if value is not None and abs(value) <= _WARMEST:
                yield value


def is_of_a_room(words: str) -> bool:
    """Whether nothing in a temperature's names speaks against its being a room's."""
    return NO_ROOM.search(words) is None and OUTDOORS.search(words) is None
