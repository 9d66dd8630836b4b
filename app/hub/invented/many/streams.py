"""The numbers of an invented home: some follow what happens, and some make people act.

Humidity lives in the world (a shower raises it, a fan brings it down); the rest is drawn afterwards.
"""

import random
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

import numpy as np
import numpy.typing as npt

from app.events import NO_ACTOR, NUMERIC, Events, Int64
from app.hub.invented.many.daylight import LAMP_LUX, daylight
from app.hub.invented.many.keeping import Keeping
from app.hub.invented.many.plans import ManyPlan
from app.hub.invented.many.scene import Scene
from app.hub.invented.world import HOUR, MINUTE, SECOND, Sky, World
from app.model import Cause

_Values = npt.NDArray[np.float64]
HUMIDITY = "sensor.bathroom_humidity"


class Humidity:
    """The bathroom's air: showers raise it, time and the fan bring it down."""

    def __init__(self, scene: Scene, habits: Sequence[Keeping]) -> None:
        self.scene, self.world, self.habits = scene, scene.world, habits
        dice = random.Random(f"{scene.many.plan.seed} air")  # noqa: S311 - an invented home, no secret
        self.base = dice.uniform(45, 54)
        self.now, self.shower_until, self.above = self.base, 0, False
        self.at: list[int] = []
        self.values: list[float] = []

    def begin_day(self, day: date) -> None:
        """Showers come in the morning or the evening of whoever is there."""
        dice, world = self.world.random, self.world
        for who in self.scene.many.plan.residents:
            if dice.random() < 0.75:
                hours = dice.choice((dice.uniform(6, 10.5), dice.uniform(17, 22.5)))
                world.at(world.sky.hour(day, hours), partial(self._shower, who.slug))
        world.at(world.sky.hour(day, 0), partial(self._tick, world.sky.hour(day, 24)))

    def _shower(self, slug: str) -> None:
        world = self.world
        if slug in world.home and world.now > self.shower_until:
            self.scene.move("bathroom")
            self.shower_until = world.now + round(world.random.uniform(5, 14) * MINUTE)

    def _tick(self, end: int) -> None:
        world, dice = self.world, self.world.random
        wet = world.now < self.shower_until
        if wet:
            self.now += dice.uniform(2.5, 5)
        pace = 0.09 if world.states.get("fan.bathroom") == "on" else 0.03
        self.now += (self.base - self.now) * pace + dice.gauss(0, 0.15)
        self.now = min(self.now, 96.0)
        value = round(self.now, 1)
        if not self.values or value != self.values[-1]:
            self.at.append(world.now)
            self.values.append(value)
            for keeping in self.habits:
                threshold = keeping.habit.threshold
                if threshold is not None and threshold[0] == HUMIDITY:
                    if not self.above and value > threshold[2]:
                        self.above = True
                        keeping.numeric(HUMIDITY)
                    elif value <= threshold[2]:
                        self.above = False
        if world.now + 2 * MINUTE < end:
            world.after(120, partial(self._tick, end))


def warn_of_heat(many: ManyPlan, keeping: Keeping, day: date) -> None:
    """Tell a habit of warmth, a second after the thermometer has said so."""
    threshold = keeping.habit.threshold
    if threshold is None or keeping.habit.kind != "numeric" or threshold[0] == HUMIDITY:
        return
    at, values = _indoors(many, keeping.world.sky, day, threshold[0])
    for i in np.flatnonzero((values[1:] > threshold[2]) & (values[:-1] <= threshold[2])) + 1:
        keeping.world.at(int(at[i]) + SECOND, partial(keeping.numeric, threshold[0]))


def _times(sky: Sky, day: date, seconds: int) -> Int64:
    return np.arange(sky.hour(day, 0), sky.hour(day, 24), seconds * SECOND, dtype=np.int64)


def _rng(many: ManyPlan, day: date, name: str) -> np.random.Generator:
    return np.random.default_rng([many.plan.seed, day.toordinal(), sum(name.encode()) + len(name)])


def _indoors(many: ManyPlan, sky: Sky, day: date, entity_id: str) -> tuple[Int64, _Values]:
    dice = _rng(many, day, entity_id)
    at = _times(sky, day, 600)
    hours = (at - sky.hour(day, 0)) / HOUR
    swing = dice.uniform(0.8, 4.2)
    values = 20.6 + dice.normal(0, 0.5) + swing * np.sin((hours - 9.5) / 24 * 2 * np.pi)
    return at, np.round(values + dice.normal(0, 0.05, len(at)), 1)


def _outdoors(many: ManyPlan, sky: Sky, day: date, entity_id: str) -> tuple[Int64, _Values]:
    dice = _rng(many, day, entity_id)
    at = _times(sky, day, 300)
    hours = (at - sky.hour(day, 0)) / HOUR
    season = np.cos((day.timetuple().tm_yday - 200) / 365 * 2 * np.pi) * np.sign(many.plan.latitude or 1)
    values = 12 + 9 * season + dice.normal(0, 2) + 4 * np.sin((hours - 9) / 24 * 2 * np.pi)
    return at, np.round(values + dice.normal(0, 0.1, len(at)), 1)


def _power(many: ManyPlan, sky: Sky, day: date, entity_id: str) -> tuple[Int64, _Values]:
    dice = _rng(many, day, entity_id)
    at = _times(sky, day, 60)
    return at, np.rint(180 + dice.normal(0, 15, len(at)) + 60 * (np.sin(at / (47 * MINUTE)) > 0.3))


def _battery(many: ManyPlan, sky: Sky, day: date, entity_id: str) -> tuple[Int64, _Values]:
    dice = _rng(many, day, entity_id)
    at = _times(sky, day, 4 * 3600)
    return at, np.rint(80 + dice.normal(0, 1, len(at)))


class _Lamp:
    """When the living room's ceiling lamp was on."""

    def __init__(self, world: World) -> None:
        rows = [
            row for row in world.rows
            if row.entity_id == "light.living_room_ceiling" and row.state in {"on", "off"}
        ]  # fmt: skip
        self.moments = np.array([row.at for row in rows], np.int64)
        self.lit = np.array([False, *(row.state == "on" for row in rows)])


def _brightness(many: ManyPlan, sky: Sky, day: date, lamp: _Lamp) -> tuple[Int64, _Values]:
    """Daylight and the room's own lamp: the number follows the lamp, within seconds."""
    at = _times(sky, day, 300)
    moments = lamp.moments
    extra = moments[(moments >= at[0]) & (moments < at[-1])] + 2 * SECOND
    at = np.sort(np.concatenate([at, extra]))
    values = daylight(many, sky, day, at) + LAMP_LUX * lamp.lit[np.searchsorted(moments, at, "right")]
    return at, np.rint(values)


def measured(many: ManyPlan, world: World, humidity: Humidity | None) -> Events:
    """Return all streams, without what fell into a downtime, and only where the number changed."""
    draw: dict[str, Callable[[ManyPlan, Sky, date, str], tuple[Int64, _Values]]] = {
        "temperature": _indoors, "power": _power, "battery": _battery,
    }  # fmt: skip
    found: dict[str, tuple[Int64, _Values]] = {}
    lamp = _Lamp(world)
    for thing in many.house.things:
        if not thing.numeric or thing.entity_id == HUMIDITY:
            continue
        parts = []
        for day in many.days:
            if thing.device_class == "illuminance":
                parts.append(_brightness(many, world.sky, day, lamp))
            elif thing.entity_id == "sensor.outdoor_temperature":
                parts.append(_outdoors(many, world.sky, day, thing.entity_id))
            else:
                parts.append(draw[thing.device_class or ""](many, world.sky, day, thing.entity_id))
        at, values = (np.concatenate(column) for column in zip(*parts, strict=True))
        found[thing.entity_id] = at, values
    if humidity is not None and humidity.at:
        found[HUMIDITY] = np.array(humidity.at, np.int64), np.array(humidity.values)
    at_all, values_all, entity = [], [], []
    for code, (at, values) in enumerate(found.values()):
        seen = np.concatenate([[True], values[1:] != values[:-1]])
        for start, end in world.downtimes:
            seen &= (at < start) | (at >= end)
        at_all.append(at[seen])
        values_all.append(values[seen].astype(np.float32))
        entity.append(np.full(int(seen.sum()), code, np.int32))
    if not at_all:
        return Events.empty()
    size = sum(map(len, at_all))
    return Events(
        tuple(found), (), (), np.concatenate(entity), np.full(size, NUMERIC, np.int32),
        np.concatenate(values_all), np.concatenate(at_all), np.full(size, Cause.UNKNOWN, np.uint8),
        np.zeros(size, np.int64), np.full(size, NO_ACTOR, np.int32),
    ).sorted()  # fmt: skip
