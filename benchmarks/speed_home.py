"""A busy home's days for the speed benchmarks, made fast: 25,000 state changes a day, 85 % numbers."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from app.clock import to_ms
from app.events import NO_ACTOR, NUMERIC, Events, Int32, Int64
from app.model import Cause, Entity, Home

ZONE = ZoneInfo("Europe/Amsterdam")
FIRST_DAY = datetime(2025, 10, 4, tzinfo=ZONE)
_DAY_MS = 86_400_000
_ROOMS = 20
_MEASURED = ("temperature", "humidity", "illuminance", "power")
_OTHERS = 70
_SHARE_OF_NUMBERS = 0.85
_CLOCK_HABITS = 8
_LAMPS_BY_MOTION = 4
_ADHERENCE = 0.85
_USERS = ("5f1f7c3e8d4b4f0f9f8b6f6f1a2b3c4d", "9a1f7c3e8d4b4f0f9f8b6f6f1a2b3c4e")
_SENSORS = tuple(f"sensor.room_{room}_{kind}" for kind in _MEASURED for room in range(_ROOMS)) + tuple(
    f"sensor.counter_{n}" for n in range(_OTHERS)
)
_MOTIONS = tuple(f"binary_sensor.room_{room}_motion" for room in range(_ROOMS))
_LAMPS = tuple(f"light.room_{room}" for room in range(_ROOMS))
_SWITCHES = tuple(f"switch.room_{room}" for room in range(_ROOMS))
_ENTITIES = _SENSORS + _MOTIONS + _LAMPS + _SWITCHES
_MOTION, _LAMP, _SWITCH = len(_SENSORS), len(_SENSORS) + _ROOMS, len(_SENSORS) + 2 * _ROOMS
_OFF, _ON = 0, 1


def speed_home() -> Home:
    """Return the home: four measurements, a motion sensor, a lamp and a switch in each room."""
    classes = dict(zip(_SENSORS, (kind for kind in _MEASURED for _ in range(_ROOMS)), strict=False))
    classes |= dict.fromkeys(_MOTIONS, "motion")
    entities = tuple(Entity(entity_id=name, device_class=classes.get(name)) for name in _ENTITIES)
    return Home(time_zone=ZONE.key, latitude=52.37, longitude=4.89, entities=entities)


def day_starts(number: int) -> datetime:
    """Return the local midnight at which that day begins, from 0."""
    return FIRST_DAY + timedelta(days=number)


def day_of(number: int, rows: int) -> Events:
    """Return one local day (nearly always 24 hours; in autumn the hour more stays empty) of so many rows.

    Eight switches have a time of the day, four lamps follow the first motion after a quiet while; what else
    is done is done at any waking hour.
    """
    chance = np.random.default_rng(number)
    start = to_ms(day_starts(number).astimezone(UTC))
    length = min(_DAY_MS, to_ms(day_starts(number + 1).astimezone(UTC)) - start)
    numeric = round(rows * _SHARE_OF_NUMBERS)
    acted = 200
    moved = (rows - numeric - 2 * acted) // 2
    entity, value, at = _numbers(chance, numeric, length)
    pairs = [_motions(chance, moved, length)]
    pairs += _acts(chance, acted, pairs[0])
    who = (Cause.UNKNOWN, Cause.PERSON, Cause.HAND, Cause.MACHINE)
    cause = [np.zeros(numeric, np.uint8)]
    context = [np.zeros(numeric, np.int64)]
    entities, states, times = [entity], [np.full(numeric, NUMERIC, np.int32)], [at]
    for kind, (which, on, off) in enumerate(pairs):
        count = len(which)
        for state, when in ((_ON, on), (_OFF, off)):
            entities.append(which)
            states.append(np.full(count, state, np.int32))
            times.append(np.minimum(when, length - 1))
            cause.append(np.full(count, who[kind], np.uint8))
            context.append(chance.integers(1, 2**62, count))
    causes = np.concatenate(cause)
    rest = len(causes) - numeric
    return Events(
        _ENTITIES, ("off", "on"), _USERS,
        np.concatenate(entities), np.concatenate(states),
        np.concatenate([value, np.full(rest, np.nan, np.float32)]),
        start + np.concatenate(times), causes, np.concatenate(context),
        np.where(causes == Cause.PERSON, chance.integers(0, 2, len(causes)), NO_ACTOR).astype(np.int32),
    ).sorted()  # fmt: skip


_Pairs = tuple[Int32, Int64, Int64]


def _numbers(
    chance: np.random.Generator, count: int, length: int
) -> tuple[Int32, npt.NDArray[np.float32], Int64]:
    entity = chance.integers(0, len(_SENSORS), count).astype(np.int32)
    at = np.sort(chance.integers(0, length, count))
    level = np.array([20.0, 55.0, 150.0, 60.0], np.float64)[np.minimum(entity // _ROOMS, 3)]
    swing = np.sin(at / _DAY_MS * 2 * np.pi + entity)
    value = (level * (1 + 0.15 * swing) + chance.normal(0, 0.3, count)).round(1)
    return entity, value.astype(np.float32), at


def _motions(chance: np.random.Generator, count: int, length: int) -> _Pairs:
    """Most of them by day; the rooms in turn, so that hardly any overlaps itself."""
    waking = np.sort((np.clip(chance.normal(0.62, 0.19, count), 0, 0.999) * length).astype(np.int64))
    which = (_MOTION + (np.arange(count) + chance.integers(0, 3, count)) % _ROOMS).astype(np.int32)
    return which, waking, waking + chance.integers(20_000, 90_000, count)


def _acts(chance: np.random.Generator, count: int, motions: _Pairs) -> list[_Pairs]:
    """Return what people do in the app, what they do at the wall, and what automations do."""
    hours = np.linspace(6.5, 22.5, _CLOCK_HABITS) * 3_600_000
    kept = chance.random(_CLOCK_HABITS) < _ADHERENCE
    clock = (hours + chance.normal(0, 240_000, _CLOCK_HABITS)).astype(np.int64)[kept]
    switch = (_SWITCH + np.arange(_CLOCK_HABITS, dtype=np.int32))[kept]
    app: _Pairs = (switch, clock, clock + 1_800_000)
    which, lamp, on = motions[0], [], []
    for room in range(_LAMPS_BY_MOTION):
        seen = motions[1][which == _MOTION + room]
        quiet = seen[np.diff(seen, prepend=-_DAY_MS) > 2_400_000]
        quiet = quiet[chance.random(len(quiet)) < _ADHERENCE]
        lamp.append(np.full(len(quiet), _LAMP + room, np.int32))
        on.append(quiet + chance.integers(3_000, 12_000, len(quiet)))
    free = max(0, (count - len(switch) - sum(map(len, on))) // 2)
    lamp.append((_LAMP + chance.integers(_LAMPS_BY_MOTION, _ROOMS, free)).astype(np.int32))
    on.append((chance.uniform(0.28, 0.97, free) * _DAY_MS).astype(np.int64))
    wall = np.concatenate(on)
    hand: _Pairs = (np.concatenate(lamp), wall, wall + chance.integers(600_000, 2_000_000, len(wall)))
    left = max(0, count - len(switch) - len(wall))
    when = (chance.uniform(0.0, 0.97, left) * _DAY_MS).astype(np.int64)
    machine: _Pairs = (
        (_SWITCH + chance.integers(_CLOCK_HABITS, _ROOMS, left)).astype(np.int32), when, when + 900_000,
    )  # fmt: skip
    return [app, hand, machine]
