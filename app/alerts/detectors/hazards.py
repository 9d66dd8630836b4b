"""Smoke, gas, carbon monoxide, water: at once, whoever is home and whatever the hour."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from app.alerts.alert import AlertKind, Level
from app.alerts.finding import Finding, Still
from app.alerts.sight import Sight, Thing
from app.alerts.words import HAZARD_NAMES, LEAKS, WET_BY_NATURE, plain

_CLASSES: Final = {
    "smoke": AlertKind.SMOKE,
    "gas": AlertKind.GAS,
    "carbon_monoxide": AlertKind.CARBON_MONOXIDE,
    "moisture": AlertKind.WATER,
}
_SAID: Final = {
    AlertKind.SMOKE: ("Smoke", "It reports smoke"),
    AlertKind.GAS: ("Gas", "It reports gas"),
    AlertKind.CARBON_MONOXIDE: ("Carbon monoxide", "It reports carbon monoxide"),
    AlertKind.WATER: ("Water", "It reports water"),
}
_TRUE: Final = frozenset({"true", "on", "1", "yes"})
# EN 50291-1, when a domestic alarm has to sound: 50 ppm within 60 to 90 minutes, 100 ppm within 10 to 40, 300
# ppm within 3. The earliest of each.
_PPM: Final = (
    (300.0, timedelta(minutes=0)),
    (100.0, timedelta(minutes=10)),
    (50.0, timedelta(minutes=60)),
)
_TEST_ENDINGS: Final = ("_test", "_self_test", "_selftest", "_test_mode", "_testing", "_test_in_progress")


def dangers(sight: Sight) -> Iterator[Finding | Still]:
    """Say which sensors report a danger. A detector in its test mode is told as such, as information."""
    for thing in sight.in_domain("binary_sensor"):
        kind = hazard_of(thing)
        if kind is not None and thing.state == "on":
            yield _reported(sight, thing, kind)
    for thing in sight.in_domain("sensor"):
        if thing.device_class == "carbon_monoxide" and thing.unit == "ppm" and thing.plain:
            yield from _measured(sight, thing)


def hazard_of(thing: Thing) -> AlertKind | None:
    """Return the danger that a binary sensor watches for, if it does.

    By its device class; without one by its name, if that ends in the very word and the sensor is neither a
    setting nor a device's inner life (an update, a battery, a link). What is wet by nature is no leak.
    """
    if thing.domain != "binary_sensor" or thing.entity.entity_category is not None:
        return None
    kind = _CLASSES.get(thing.device_class)
    if kind is None and not thing.device_class:
        found = HAZARD_NAMES.search(thing.entity_id.partition(".")[2].casefold())
        kind = AlertKind(found.lastgroup) if found and found.lastgroup else None
    if kind is AlertKind.WATER and _is_wet_by_nature(thing):
        return None
    return kind


def may_warn(entity_id: str, device_class: object) -> bool:
    """Whether a binary sensor may watch for a danger, by its class, or its id where it has none."""
    if device_class:
        return device_class in _CLASSES
    return HAZARD_NAMES.search(entity_id.casefold()) is not None


def _is_wet_by_nature(thing: Thing) -> bool:
    words = plain(thing.entity_id, thing.name)
    return WET_BY_NATURE.search(words) is not None and LEAKS.search(words) is None


def _reported(sight: Sight, thing: Thing, kind: AlertKind) -> Finding:
    what, said = _SAID[kind]
    where = f" in {thing.place}" if thing.place else ""
    cause = f"{kind}:{thing.entity_id}"
    since = sight.clock(thing.since)
    if _is_test(sight, thing):
        return Finding(
            cause=cause,
            kind=kind,
            level=Level.INFO,
            title=f"{thing.name} is being tested",
            description=f"{said} since {since}, and says that this is a test.",
            since=thing.since,
            **thing.where,
        )
    return Finding(
        cause=cause,
        kind=kind,
        level=Level.CRITICAL,
        title=f"{what}{where}: {thing.name}",
        description=f"{said} since {since}.",
        since=thing.since,
        **thing.where,
    )


def _is_test(sight: Sight, thing: Thing) -> bool:
    for name in ("test", "test_mode", "self_test"):
        if str(thing.live.attributes.get(name, "")).casefold() in _TRUE:
            return True
    return any(
        one.state == "on" and one.domain == "binary_sensor" and one.entity_id.endswith(_TEST_ENDINGS)
        for one in sight.beside(thing)
    )


def _measured(sight: Sight, thing: Thing) -> Iterator[Finding | Still]:
    cause = f"{AlertKind.CARBON_MONOXIDE}:{thing.entity_id}"
    value = thing.value
    if value is None:
        return
    passed = next(((least, after) for least, after in _PPM if value >= least), None)
    if passed is None:
        # What stands is over at half of the lowest limit, not at 49 ppm.
        if cause in sight.standing and value >= _PPM[-1][0] / 2:
            yield Still(cause)
        return
    least, after = passed
    if cause in sight.standing:
        after = timedelta()
    where = f" in {thing.place}" if thing.place else ""
    yield Finding(
        cause=cause,
        kind=AlertKind.CARBON_MONOXIDE,
        level=Level.CRITICAL,
        title=f"Carbon monoxide{where}: {thing.name}",
        description=f"It measures {least:.0f} ppm or more.",
        after=after,
        **thing.where,
    )
