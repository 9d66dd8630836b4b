"""What the fittings of the demo's house report.

They follow what happens in the house (people in a room breathe, what is switched on draws power), not the
reverse. Three things are wrong when the demo begins: an empty battery, a sensor that has been silent for two
days, and a door that somebody left open.
"""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from app.events import NO_ACTOR, NUMERIC, Event, Events, Int64
from app.hub.invented.fittings import BATTERIES, DETECTORS, FREEZER, GRID_ENERGY, LEFT_OPEN, OPENINGS, SILENT
from app.hub.invented.plan import Plan
from app.hub.invented.world import HOUR, MINUTE, Sky
from app.model import Cause

_Values = npt.NDArray[np.float64]
_DAY = 24 * HOUR
_OUTDOORS_PPM = 420.0
_AWAY_AFTER = 20 * MINUTE
"""Without motion for so long, nobody is in a room any more."""
_LONGEST_SILENCE = 5 * MINUTE
"""The house's power is reported every half a minute: where it is not, the hub was away."""


class _Air(NamedTuple):
    """How a room's air follows who is in it: who sleeps there, what each adds at length (ppm), how fast."""

    room: str
    sleepers: tuple[str, ...]
    ppm_each: float
    half_minutes: float


def fitting_events(plan: Plan, events: Events, began: int) -> Events:
    """Return what the fittings reported while `events` happened; `began` is when the demo begins (ms).

    The same plan with a later `until` only adds to the end, but for the last quarter of an hour.
    """
    if not len(events):
        return Events.empty()
    sky, days = Sky(plan), plan.days()
    start, end = sky.hour(days[0], 0), int(events.at[-1]) + 1
    house = _House(plan, sky, days, events)
    five = np.arange(start, end, 5 * MINUTE, dtype=np.int64)
    slow = five[::4]
    readings = [(GRID_ENERGY, five, house.drawn(start, five)), (FREEZER, slow, _freezer(slow, began))]
    readings += [(f"sensor.{air.room}_co2", five, house.breathed(air, five)) for air in _airs(plan)]
    readings += [
        (sensor, slow, np.floor(np.clip(full - a_day * ((slow - start) / _DAY), 4, 100)))
        for sensor, full, a_day in BATTERIES.values()
    ]
    heard = slow[slow < began - 2 * _DAY]
    readings.append((SILENT, heard, np.round(31 + 4 * np.sin(heard / (37 * HOUR)), 1)))
    parts = [_numbers(name, at, numbers, house.hears(at)) for name, at, numbers in readings if len(at)]
    rows = [Event(name, "off", start) for name in (*DETECTORS, *OPENINGS)]
    rows.append(Event(SILENT, "unavailable", max(start, began - 2 * _DAY)))
    for place, name in enumerate(OPENINGS):
        rows += house.openings(name, place, began)
    return Events.join([*parts, Events.of(rows)]).between(start, end)


def _airs(plan: Plan) -> list[_Air]:
    pupils = tuple(f"person.{who.slug}" for who in plan.residents if who.work == "school")
    others = tuple(f"person.{who.slug}" for who in plan.residents if who.work != "school")
    return [
        _Air("living_room", (), 260, 40),
        _Air("bedroom", others, 420, 75),
        _Air("child_room", pupils, 620, 80),
    ]


class _House:
    """What was so in the house at given moments."""

    def __init__(self, plan: Plan, sky: Sky, days: list[date], events: Events) -> None:
        self._plan, self._sky, self._days, self._events = plan, sky, days, events
        self._code = {name: code for code, name in enumerate(events.entities)}

    def _of(self, entity_id: str) -> Events:
        return self._events.take(self._events.entity == self._code.get(entity_id, -1))

    def _held(self, entity_id: str, at: Int64) -> _Values:
        """Return the last reading before each moment; 0 before the first."""
        own = self._of(entity_id)
        values = np.concatenate([[0.0], own.value[own.state == NUMERIC].astype(np.float64)])
        return values[np.searchsorted(own.at[own.state == NUMERIC], at, side="right")]

    def _is(self, entity_id: str, state: str, at: Int64) -> npt.NDArray[np.bool_]:
        own = self._of(entity_id)
        code = own.states.index(state) if state in own.states else -2
        return np.concatenate([[False], own.state == code])[np.searchsorted(own.at, at, side="right")]

    def hears(self, at: Int64) -> npt.NDArray[np.bool_]:
        """Whether the hub was there."""
        known = self._of("sensor.house_power").at
        known = self._events.at if not len(known) else known
        place = np.searchsorted(known, at)
        before, after = known[np.maximum(place - 1, 0)], known[np.minimum(place, len(known) - 1)]
        return after - before <= _LONGEST_SILENCE

    def somebody_in(self, at: Int64) -> npt.NDArray[np.bool_]:
        people = [self._is(f"person.{who.slug}", "home", at) for who in self._plan.residents]
        return np.logical_or.reduce(people) if people else np.zeros(len(at), bool)

    def drawn(self, start: int, at: Int64) -> _Values:
        """Return what the meter shows, in kWh: what the house draws and the sun does not give."""
        minutes = np.arange(start, int(at[-1]) + 1, MINUTE, dtype=np.int64)
        watts = self._held("sensor.house_power", minutes) - self._held("sensor.solar_power", minutes)
        total = np.concatenate([[0.0], np.cumsum(np.clip(watts, 0, None)) / 60_000])
        return np.round(412 + total[(at - start) // MINUTE], 3)

    def breathed(self, air: _Air, at: Int64) -> _Values:
        """Return a room's CO₂ in ppm, five minutes apart: it tends to what those who are in would make it."""
        moved = self._of(f"binary_sensor.{air.room}_motion").at
        last = np.concatenate([[-_DAY], moved])[np.searchsorted(moved, at, side="right")]
        people = 1.6 * ((at - last) < _AWAY_AFTER) * self.somebody_in(at)
        hours = self._hours(at)
        asleep = np.where((hours >= 23) | (hours < 6.5), 1.0, 0.0)
        sleepers = sum((self._is(who, "home", at) * asleep for who in air.sleepers), np.zeros(len(at)))
        tends_to = _OUTDOORS_PPM + air.ppm_each * np.maximum(people, sleepers)
        follows = 1 - 0.5 ** (5 / air.half_minutes)
        ppm, found = _OUTDOORS_PPM, []
        for aim in tends_to.tolist():
            ppm += (aim - ppm) * follows
            found.append(ppm)
        return np.rint(np.array(found) / 5) * 5

    def _hours(self, at: Int64) -> _Values:
        hours = np.zeros(len(at))
        for day in self._days:
            midnight = self._sky.hour(day, 0)
            low, high = np.searchsorted(at, [midnight, self._sky.hour(day, 24)])
            hours[low:high] = (at[low:high] - midnight) / HOUR
        return hours

    def openings(self, opening: str, place: int, began: int) -> Iterator[Event]:
        """Yield when a door or window was opened and shut: now and then, while somebody is in."""
        first, last, minutes = OPENINGS[opening]
        left_open = (began - 95 * MINUTE, began + 3 * HOUR)
        free_from = 0
        for day in self._days:
            dice = np.random.default_rng((self._plan.seed, day.toordinal(), 900 + place))
            hours = np.sort(dice.uniform(first, last, dice.integers(1, 4)))
            for hour in hours.tolist():
                opened = self._sky.hour(day, hour)
                shut = opened + round((2 + dice.exponential(minutes)) * MINUTE)
                near = opening == LEFT_OPEN and left_open[0] - HOUR < shut and opened < left_open[1] + HOUR
                if opened < free_from or near or not self.somebody_in(np.array([opened]))[0]:
                    continue
                yield Event(opening, "on", opened)
                yield Event(opening, "off", shut)
                free_from = shut + MINUTE
        if opening == LEFT_OPEN:
            yield Event(opening, "on", left_open[0])
            yield Event(opening, "off", left_open[1])


def _freezer(at: Int64, began: int) -> _Values:
    """Return degrees: four days before the demo begins its door was not quite shut for an hour."""
    ajar = (at >= began - 4 * _DAY) & (at < began - 4 * _DAY + HOUR)
    return np.round(-18.3 + 0.7 * np.sin(at / (23 * MINUTE)) + np.where(ajar, 9.5, 0.0), 1)


def _numbers(name: str, at: Int64, numbers: _Values, heard: npt.NDArray[np.bool_]) -> Events:
    """Return readings as events: the hub records what it hears, and only what differs."""
    at, numbers = at[heard], numbers[heard]
    if not len(at):
        return Events.empty()
    new = np.concatenate([[True], numbers[1:] != numbers[:-1]])
    at, size = at[new], int(new.sum())
    return Events(
        entities=(name,),
        states=(),
        actors=(),
        entity=np.zeros(size, np.int32),
        state=np.full(size, NUMERIC, np.int32),
        value=numbers[new].astype(np.float32),
        at=at,
        cause=np.full(size, Cause.UNKNOWN, np.uint8),
        context=np.zeros(size, np.int64),
        actor=np.full(size, NO_ACTOR, np.int32),
    )
