"""What happens in an invented home by itself: sensors, another app, faults, a hand on the wrong switch."""

import random
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

from app.hub.invented.many.house import BACK, FEEDER, usual
from app.hub.invented.many.scene import Scene
from app.hub.invented.plan import Resident
from app.hub.invented.world import MINUTE, SECOND

_FLAPPING = ("binary_sensor.front_door", "binary_sensor.garden_motion", "binary_sensor.fridge_door")


class Surroundings:
    """Plans one day after the other; `used` are the things that people use."""

    def __init__(self, scene: Scene, used: Sequence[str]) -> None:
        self.scene, self.world, self.used = scene, scene.world, used

    def begin_day(self, day: date) -> None:
        """Plan that day's doors, windows, weather, machines and mishaps."""
        world, dice, sky = self.world, self.world.random, self.world.sky

        def any_hour(first: float = 0, last: float = 24) -> int:
            return sky.hour(day, dice.uniform(first, last))

        for _ in range(poisson(dice, 0.7)):  # rubbish, a parcel
            world.at(any_hour(8, 22), lambda: self.scene.door() if world.somebody_home() else None)
        for _ in range(poisson(dice, 9)):
            world.at(any_hour(7, 23), lambda: self._fridge() if self.scene.up() else None)
        for _ in range(dice.randint(8, 30)):  # cats
            self._pulse("binary_sensor.garden_motion", any_hour(), dice.uniform(10, 60))
        for window in ("binary_sensor.living_room_window", "binary_sensor.bedroom_window"):
            for _ in range(poisson(dice, 1.3)):
                self._pulse(window, any_hour(7, 22), dice.lognormvariate(6.9, 0.9))
        self._machines(any_hour)
        self._faults(any_hour)
        if "switch.fish_feeder" in world.states:  # another app: a machine's clock is nobody's habit
            for hour in (8, 18):
                at = sky.hour(day, hour)
                world.at(at, partial(world.by_machine, "switch.fish_feeder", "on", FEEDER))
                world.at(at + 20 * SECOND, partial(world.by_machine, "switch.fish_feeder", "off", FEEDER))

    def _machines(self, any_hour: Callable[..., int]) -> None:
        dice = self.world.random
        for _ in range(dice.randint(3, 9)):
            self._say("weather.home", any_hour(), dice.choice(("cloudy", "rainy", "sunny", "fog")))
        for _ in range(dice.randint(60, 120)):  # a machine that talks all day
            self._say("sensor.heat_pump", any_hour(), dice.choice(("idle", "heating", "defrosting")))
        if dice.random() < 0.4:
            at = any_hour(9, 20)
            for minutes, phase in ((0, "washing"), (55, "rinsing"), (75, "spinning"), (90, "idle")):
                self._say("sensor.washing_machine", at + minutes * MINUTE, phase)

    def _faults(self, any_hour: Callable[[], int]) -> None:
        world, dice = self.world, self.world.random
        for entity_id in _FLAPPING:
            if entity_id in world.states and dice.random() < 0.5:
                at = any_hour()
                if dice.random() < 0.5:
                    world.at(at, partial(world.drop_out, entity_id, dice.uniform(2, 900)))
                else:
                    self._pulse(entity_id, at, dice.uniform(0.2, 1.5))
        if dice.random() < 0.06:  # a phone that is lost for a while, with its owner at home
            who = dice.choice(self.scene.many.plan.residents)
            world.at(any_hour(), partial(self._lose_phone, who))
        if dice.random() < 0.3:
            world.at(any_hour(), partial(self._wrong_switch, dice.choice(self.used)))

    def _lose_phone(self, who: Resident) -> None:
        if who.slug not in self.world.home:
            return
        self.scene.glitching.add(who.slug)
        self.scene.report(who, "not_home")

        def again() -> None:
            if who.slug in self.world.home:
                self.scene.report(who, "home")
            self.world.after(2, partial(self.scene.glitching.discard, who.slug))

        self.world.after(self.world.random.uniform(60, 900), again)

    def _wrong_switch(self, entity_id: str) -> None:
        """Somebody takes the wrong switch, and puts it right at once."""
        world = self.world
        step = usual(entity_id)
        if self.scene.up() and world.states.get(entity_id) == BACK[step[1]]:
            world.by_hand(*step)
            world.after(world.random.uniform(2, 60), partial(world.by_hand, entity_id, BACK[step[1]]))

    def _say(self, entity_id: str, at: int, state: str) -> None:
        if entity_id in self.world.states:
            self.world.at(at, partial(self.world.sense, entity_id, state))

    def _fridge(self) -> None:
        if "binary_sensor.fridge_door" not in self.world.states:
            return
        self.scene.move("kitchen")
        self._pulse("binary_sensor.fridge_door", self.world.now, self.world.random.uniform(4, 40))

    def _pulse(self, entity_id: str, start: int, seconds: float) -> None:
        self._say(entity_id, start, "on")
        self._say(entity_id, start + round(seconds * SECOND), "off")


def poisson(dice: random.Random, rate: float) -> int:
    """Draw how often something happens that happens so often on average."""
    count, left = 0, dice.expovariate(1.0)
    while left < rate:
        count += 1
        left += dice.expovariate(1.0)
    return count
