"""Frost and heat in rooms; freezers and fridges that get warm."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from app.alerts.alert import AlertKind, Level
from app.alerts.finding import Finding, Still
from app.alerts.sight import Sight, Thing
from app.alerts.surroundings import celsius, is_of_a_room
from app.alerts.words import COLD_BOX, FREEZER

FROST: Final = 5.0
FROST_OVER: Final = 6.5
FROST_CRITICAL: Final = 2.0
HEAT: Final = 35.0
HEAT_OVER: Final = 33.0
HEAT_HIGH: Final = 45.0
FREEZER_WARM: Final = -10.0
FREEZER_OVER: Final = -13.0
FRIDGE_WARM: Final = 10.0
FRIDGE_OVER: Final = 8.0
_ROOM: Final = (10.0, 32.0)
_AFTER: Final = timedelta(minutes=30)
_BOX_AFTER: Final = timedelta(minutes=60)
_SENSIBLE: Final = (-60.0, 120.0)


def out_of_range(sight: Sight) -> Iterator[Finding | Still]:
    """Say which temperatures are out of range. One reading is none: it has to stay so for half an hour."""
    for thing in sight.in_domain("sensor"):
        if thing.device_class != "temperature" or not thing.plain:
            continue
        value = celsius(thing.value, thing.unit)
        if value is None or not _SENSIBLE[0] <= value <= _SENSIBLE[1]:
            continue
        if COLD_BOX.search(thing.words):
            yield from _box(sight, thing, value)
        elif _is_room(sight, thing):
            yield from _room(sight, thing, value)


def _is_room(sight: Sight, thing: Thing) -> bool:
    """Whether a sensor measures a room: by its area, its names, and its past if there is one."""
    middle = celsius(sight.learned.middle(thing.entity_id), thing.unit)
    if middle is not None and not _ROOM[0] <= middle <= _ROOM[1]:
        return False
    return bool(thing.area_id) and is_of_a_room(thing.words)


def _room(sight: Sight, thing: Thing, value: float) -> Iterator[Finding | Still]:
    frost, heat = f"frost:{thing.entity_id}", f"heat:{thing.entity_id}"
    if value <= FROST:
        yield Finding(
            cause=frost,
            kind=AlertKind.FROST,
            level=Level.CRITICAL if value <= FROST_CRITICAL else Level.HIGH,
            title=f"Frost threatens: {_at(thing)}",
            description=f"It is {_said(thing)} there; water in pipes freezes at 0 °C (32 °F).",
            after=_AFTER,
            **thing.where,
        )
    elif value <= FROST_OVER and frost in sight.standing:
        yield Still(frost)
    if value >= HEAT:
        yield Finding(
            cause=heat,
            kind=AlertKind.HEAT,
            level=Level.HIGH if value >= HEAT_HIGH else Level.MEDIUM,
            title=f"Very hot: {_at(thing)}",
            description=f"It is {_said(thing)} there.",
            after=_AFTER,
            **thing.where,
        )
    elif value >= HEAT_OVER and heat in sight.standing:
        yield Still(heat)


def _box(sight: Sight, thing: Thing, value: float) -> Iterator[Finding | Still]:
    """Judge a freezer or a fridge, by which of the two its past shows it to be.

    One that never was cold as far as is known may be switched off, or a probe beside it: silent.
    """
    usual = sight.learned.middle(thing.entity_id)
    middle = celsius(usual, thing.unit)
    cause = f"freezer:{thing.entity_id}"
    if middle is None or usual is None:
        return
    if middle <= FREEZER_WARM and FREEZER.search(thing.words):
        warm, over, level, name = FREEZER_WARM, FREEZER_OVER, Level.HIGH, "The freezer"
    elif -2.0 <= middle <= FRIDGE_OVER:
        warm, over, level, name = FRIDGE_WARM, FRIDGE_OVER, Level.MEDIUM, "The fridge"
    else:
        return
    if value > warm:
        yield Finding(
            cause=cause,
            kind=AlertKind.FREEZER,
            level=level,
            title=f"{name} gets warm: {_at(thing)}",
            description=f"It is {_said(thing)} in there; usual is {usual:.0f} {thing.unit}.",
            after=_BOX_AFTER,
            **thing.where,
        )
    elif value > over and cause in sight.standing:
        yield Still(cause)


def _said(thing: Thing) -> str:
    """Return what it shows, in its own unit."""
    return f"{thing.value or 0.0:.0f} {thing.unit}"


def _at(thing: Thing) -> str:
    return thing.name if not thing.place or thing.place in thing.name else f"{thing.name}, {thing.place}"
