"""The streams of numbers of the invented house: most of what its recorder would hold, and little of use.

They follow what happens (a lamp makes it brighter, a shower moister, a kettle costs power), not the reverse.
"""

from collections.abc import Callable, Iterable
from datetime import date

import numpy as np
import numpy.typing as npt

from app.events import NO_ACTOR, NUMERIC, Event, Events, Int64
from app.hub.invented.plan import Plan
from app.hub.invented.world import HOUR, MINUTE, SECOND, Sky
from app.model import Cause

_Values = npt.NDArray[np.float64]
_WATTS = {
    "switch.coffee_machine": 900.0, "switch.kettle": 1800.0, "media_player.tv": 95.0, "fan.bathroom": 22.0,
    "light.living_room": 27.0, "light.kitchen": 14.0, "light.bedroom": 9.0, "light.garden": 31.0,
}  # fmt: skip
_INDOORS = {
    "living_room": 20.6, "kitchen": 21.0, "bedroom": 18.4,
    "child_room": 19.7, "study": 20.2, "bathroom": 21.5,
}  # fmt: skip


class _Past:
    """What was on when, from the rows of the world."""

    def __init__(self, rows: Iterable[Event]) -> None:
        changes: dict[str, tuple[list[int], list[bool]]] = {}
        for row in rows:
            if row.entity_id in _WATTS or row.entity_id in {"light.bathroom", "light.living_room"}:
                at, lit = changes.setdefault(row.entity_id, ([], []))
                at.append(row.at)
                lit.append(row.state in {"on", "playing"})
        self._changes = {
            name: (np.array(at, np.int64), np.array([False, *lit])) for name, (at, lit) in changes.items()
        }

    def is_on(self, entity_id: str, at: Int64) -> _Values:
        """Return 1 where it was on, else 0."""
        known = self._changes.get(entity_id)
        if known is None:
            return np.zeros(len(at))
        return known[1][np.searchsorted(known[0], at, side="right")].astype(np.float64)

    def changes(self, entity_id: str, start: int, end: int) -> Int64:
        known = self._changes.get(entity_id)
        return known[0][(known[0] >= start) & (known[0] < end)] if known else np.empty(0, np.int64)


class _Day:
    """One day's dice, hours and light."""

    def __init__(self, plan: Plan, sky: Sky, past: _Past, day: date) -> None:
        self.seed = (plan.seed, day.toordinal())
        self.dice = np.random.default_rng(self.seed)
        self.start, self.end = sky.hour(day, 0), sky.hour(day, 24)
        self.past = past
        self._rise, self._down = sky.rise_and_set(day)
        self._clouds = self.dice.uniform(0.2, 1.0)
        self._mildness: float = 8 + 4 * np.sin(day.toordinal() / 4.0)

    def throw_anew(self, stream: int) -> None:
        """Give the next stream dice of its own: what one draws must not change what another does."""
        self.dice = np.random.default_rng((*self.seed, stream))

    def times(self, seconds: float) -> Int64:
        count = int((self.end - self.start) / (seconds * SECOND))
        even = self.start + np.arange(count) * (seconds * SECOND)
        return np.rint(even + self.dice.uniform(0, seconds * SECOND / 4, count)).astype(np.int64)

    def hours(self, at: Int64) -> _Values:
        return (at - self.start) / HOUR

    def sunshine(self, at: Int64) -> _Values:
        """Return 0 at night to 1 at a clear noon."""
        height = np.sin(np.pi * (at - self._rise) / max(self._down - self._rise, 1))
        patchy = 1 - (1 - self._clouds) * self.dice.uniform(0.5, 1.0, len(at))
        return np.clip(height, 0, None) * patchy

    def outdoors(self, at: Int64) -> _Values:
        wave = np.sin((self.hours(at) - 9) / 24 * 2 * np.pi)
        return np.asarray(self._mildness + 4 * wave + self.dice.normal(0, 0.08, len(at)), np.float64)


def _house_power(day: _Day) -> tuple[Int64, _Values]:
    at = day.times(30)
    watts = 165 + day.dice.normal(0, 12, len(at)) + 60 * (np.sin(at / (47 * MINUTE)) > 0.3)
    for entity_id, load in _WATTS.items():
        watts += load * day.past.is_on(entity_id, at)
    return at, np.rint(watts)


def _fridge_power(day: _Day) -> tuple[Int64, _Values]:
    at = day.times(60)
    runs = np.sin(at / (9 * MINUTE)) > 0.2
    watts: _Values = np.where(runs, 78 + day.dice.normal(0, 2, len(at)), 1.2)
    return at, np.round(watts, 1)


def _solar_power(day: _Day) -> tuple[Int64, _Values]:
    at = day.times(60)
    return at, np.rint(3200 * day.sunshine(at))


def _garden_brightness(day: _Day) -> tuple[Int64, _Values]:
    at = day.times(120)
    return at, np.rint(22_000 * day.sunshine(at))


def _living_room_brightness(day: _Day) -> tuple[Int64, _Values]:
    # The sensor reports at once when a lamp goes on: brightness follows the lamp.
    lamp = day.past.changes("light.living_room", day.start, day.end) + 2 * SECOND
    at = day.times(120)
    # Drawn one after the other: what the lamp does later today must not change the readings until then.
    outside = np.concatenate([day.sunshine(at), day.sunshine(lamp)])
    at = np.concatenate([at, lamp])
    lux = np.rint(300 * outside + 140 * day.past.is_on("light.living_room", at))
    order = np.argsort(at, kind="stable")
    return at[order], lux[order]


def _bathroom_humidity(day: _Day) -> tuple[Int64, _Values]:
    at = day.times(150)
    used = day.past.is_on("light.bathroom", at) + day.past.is_on("light.bathroom", at - 10 * MINUTE)
    return at, np.round(52 + 9 * used + day.dice.normal(0, 0.4, len(at)), 1)


def _living_room_humidity(day: _Day) -> tuple[Int64, _Values]:
    at = day.times(300)
    return at, np.round(48 + 3 * np.sin(day.hours(at) / 24 * 2 * np.pi) + day.dice.normal(0, 0.3, len(at)), 1)


def _indoors(mean: float) -> Callable[[_Day], tuple[Int64, _Values]]:
    def made(day: _Day) -> tuple[Int64, _Values]:
        at = day.times(300)
        wave = np.sin((day.hours(at) - 11) / 24 * 2 * np.pi)
        return at, np.round(mean + 0.9 * wave + day.dice.normal(0, 0.06, len(at)), 1)

    return made


def _outdoors(day: _Day) -> tuple[Int64, _Values]:
    at = day.times(240)
    return at, np.round(day.outdoors(at), 1)


_STREAMS: dict[str, Callable[[_Day], tuple[Int64, _Values]]] = {
    "sensor.house_power": _house_power,
    "sensor.fridge_power": _fridge_power,
    "sensor.solar_power": _solar_power,
    "sensor.garden_illuminance": _garden_brightness,
    "sensor.living_room_illuminance": _living_room_brightness,
    "sensor.bathroom_humidity": _bathroom_humidity,
    "sensor.living_room_humidity": _living_room_humidity,
    "sensor.outdoor_temperature": _outdoors,
    **{f"sensor.{room}_temperature": _indoors(mean) for room, mean in _INDOORS.items()},
}


def measured(
    plan: Plan, sky: Sky, days: Iterable[date], rows: Iterable[Event], gaps: list[tuple[int, int]]
) -> Events:
    """Return all streams over those days, without what fell into a gap of the hub's."""
    past = _Past(rows)
    found: dict[str, list[tuple[Int64, _Values]]] = {name: [] for name in _STREAMS}
    for day in days:
        drawn = _Day(plan, sky, past, day)
        for place, (name, draw) in enumerate(_STREAMS.items()):
            drawn.throw_anew(place)
            found[name].append(draw(drawn))
    at, value, entity = [], [], []
    for code, parts in enumerate(found.values()):
        times, numbers = (np.concatenate(column) for column in zip(*parts, strict=True))
        seen = _changed(numbers) & ~_within(times, gaps)
        at.append(times[seen])
        value.append(numbers[seen].astype(np.float32))
        entity.append(np.full(int(seen.sum()), code, np.int32))
    size = sum(map(len, at))
    return Events(
        entities=tuple(found),
        states=(),
        actors=(),
        entity=np.concatenate(entity),
        state=np.full(size, NUMERIC, np.int32),
        value=np.concatenate(value),
        at=np.concatenate(at),
        cause=np.full(size, Cause.UNKNOWN, np.uint8),
        context=np.zeros(size, np.int64),
        actor=np.full(size, NO_ACTOR, np.int32),
    ).sorted()


def _changed(numbers: _Values) -> npt.NDArray[np.bool_]:
    """A hub records a reading only when it differs from the one before."""
    return np.concatenate([[True], numbers[1:] != numbers[:-1]])


def _within(at: Int64, gaps: list[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    hidden = np.zeros(len(at), bool)
    for start, end in gaps:
        hidden |= (at >= start) & (at < end)
    return hidden
