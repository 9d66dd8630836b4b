"""Batteries that people have to change, one alert a device."""

from collections.abc import Iterator
from typing import Final

from app.alerts.alert import AlertKind, Level
from app.alerts.detectors.safety import guards
from app.alerts.finding import Finding, Still
from app.alerts.sight import Sight, Thing
from app.alerts.words import CHARGED, plain

LOW: Final = 15.0
OVER: Final = 20.0
VERY_LOW: Final = 5.0
_CHARGED_DOMAINS: Final = frozenset({"device_tracker", "vacuum", "lawn_mower", "media_player", "remote"})
_CHARGED_PLATFORMS: Final = frozenset({"mobile_app", "icloud", "tesla_fleet", "teslemetry", "companion"})
_CHARGED_CLASSES: Final = frozenset({"battery_charging", "energy_storage", "energy", "power"})


def low_batteries(sight: Sight) -> Iterator[Finding | Still]:
    """Say which batteries are low; not those of phones, cars, vacuums or whole houses, which are charged."""
    by_device: dict[str, list[Thing]] = {}
    for thing in sight.things.values():
        if _is_battery(thing):
            by_device.setdefault(thing.entity.device_id or thing.entity_id, []).append(thing)
    for key, batteries in by_device.items():
        found = _judged(sight, key, batteries)
        if found is not None:
            yield found


def _is_battery(thing: Thing) -> bool:
    if thing.device_class != "battery" or thing.entity.entity_category == "config":
        return False
    return thing.domain == "binary_sensor" or (thing.domain == "sensor" and thing.unit == "%")


def _judged(sight: Sight, key: str, batteries: list[Thing]) -> Finding | Still | None:
    cause = f"low_battery:{key}"
    levels = [
        one.value
        for one in batteries
        if one.domain == "sensor" and one.value is not None and 0 <= one.value <= 100
    ]
    said_low = any(one.domain == "binary_sensor" and one.state == "on" for one in batteries)
    least = min(levels, default=None)
    if not said_low and (least is None or least > LOW):
        unheard = not any(one.usable for one in batteries)
        if cause in sight.standing and (unheard or (least is not None and least < OVER)):
            return Still(cause)
        return None
    thing = min(batteries, key=lambda one: (one.value is None, one.value or 0.0))
    if _is_charged(sight, thing):
        return None
    very = least is not None and least <= VERY_LOW
    guarding = guards(sight, thing)
    level = Level.HIGH if very and guarding else Level.MEDIUM if very or guarding else Level.LOW
    name = sight.device_names.get(thing.entity.device_id or "") or thing.name
    below = VERY_LOW if very else LOW
    said = (
        f"{below:.0f} % or less is left" if least is not None and least <= LOW else "It says that it is low"
    )
    return Finding(
        cause=cause,
        kind=AlertKind.LOW_BATTERY,
        level=level,
        title=f"Low battery: {name}",
        description=f"{said}." + (" It guards the home: change it soon." if guarding else ""),
        **thing.where,
    )


def _is_charged(sight: Sight, thing: Thing) -> bool:
    device = sight.device_names.get(thing.entity.device_id or "", "")
    if thing.entity.platform in _CHARGED_PLATFORMS:
        return True
    if CHARGED.search(plain(thing.entity_id, thing.name, device)):
        return True
    return any(
        one.domain in _CHARGED_DOMAINS or one.device_class in _CHARGED_CLASSES for one in sight.beside(thing)
    )
