"""How the people of an invented home keep their habits: by the share they are planted with."""

from collections.abc import Callable
from datetime import date
from functools import partial

import numpy as np

from app.hub.invented.many.daylight import LAMP_LUX, daylight
from app.hub.invented.many.house import BACK, usual
from app.hub.invented.many.scene import Scene
from app.hub.invented.many.truth import DAY_TYPES, Kept, Planted, Step
from app.hub.invented.plan import Resident
from app.hub.invented.world import HOUR, MINUTE

_VISIT = 10 * MINUTE
"""A room empty for so long is entered anew."""
_FIRST_TODAY = 6 * HOUR


class Keeping:
    """One habit at work: it sees its chances, takes most of them, and remembers both."""

    def __init__(self, scene: Scene, habit: Planted, span: int) -> None:
        self.scene, self.world, self.habit, self.span = scene, scene.world, habit, span
        self.chances: list[int] = []
        self.done: list[int] = []
        self._left: dict[str, int] = {}
        self._prepare()

    def kept(self) -> Kept:
        return Kept(tuple(self.chances), tuple(self.done))

    def begin_day(self, day: date, place: int) -> None:
        """Plan the moments that the clock and the sun make, and what brings about the others' occasions."""
        habit, world, dice = self.habit, self.world, self.world.random
        entity_id, state = habit.steps[0]
        moment = self._moment(day, place)
        if moment is not None and day.weekday() in DAY_TYPES[habit.day_type]:
            at = moment + round(dice.gauss(0, habit.spread) * MINUTE)
            world.at(at, partial(self._chance, dice.uniform(0, 1)))
        if moment is not None and state == "off":
            on = moment - round(dice.uniform(20, 240) * MINUTE)
            world.at(on, partial(self._make_ready, entity_id))
            world.at(moment + round(dice.uniform(40, 200) * MINUTE), partial(self._end, entity_id))
        elif habit.kind == "presence" and state == "off":
            for step in habit.steps:
                world.at(world.sky.hour(day, dice.uniform(6.3, 12)), partial(self._make_ready, step[0]))
                world.at(world.sky.hour(day, dice.uniform(13, 22)), partial(self._make_ready, step[0]))
                world.at(world.sky.hour(day, dice.uniform(23, 26)), partial(self._end, step[0]))
        elif habit.kind == "duration":
            for _ in range(dice.randint(1, 3)):
                world.at(world.sky.hour(day, dice.uniform(7, 22)), partial(self._make_ready, entity_id))

    def _prepare(self) -> None:
        """Listen for what the habit follows."""
        habit, world = self.habit, self.world
        if habit.steps[0][1] == "off":
            self.scene.keeps |= {entity_id for entity_id, _ in habit.steps}
        if habit.kind == "presence":
            for who in self.scene.many.plan.residents:
                world.when(f"person.{who.slug}", partial(self._moved, who))
        elif habit.trigger is not None:
            lasting = habit.kind == "duration"
            world.when(habit.trigger[0], self._lasting(habit.trigger[1]) if lasting else self._changed)

    def _moment(self, day: date, place: int) -> int | None:
        habit, sky = self.habit, self.world.sky
        if habit.at is not None and habit.was_at is not None:
            now = habit.was_at + (habit.at - habit.was_at) * place / max(self.span - 1, 1)
            return sky.hour(day, now / 60)
        if habit.sun is not None:
            return sky.rise_and_set(day)[habit.sun[0] == "sunset"] + habit.sun[1] * MINUTE
        return None

    def _changed(self, state: str) -> None:
        habit, world = self.habit, self.world
        if habit.trigger is None or state != habit.trigger[1]:
            return
        room = self.scene.room.get(habit.trigger[0]) or ""
        if "quiet" in habit.conditions:
            before = self._left.get(room, 0)
            self._left[room] = world.now
            if world.now - before < _VISIT:
                return
        if "first today" in habit.conditions:
            day = world.sky.day_of(world.now).toordinal()
            if self._left.get("day") == day or not self._in_hours():
                return
            if world.now - self._left.get("target", 0) < _FIRST_TODAY:
                return
            self._left["day"] = day
        self._chance(self._wait())

    def numeric(self, entity_id: str) -> None:
        """A number has crossed the habit's threshold."""
        if self.habit.threshold is not None and self.habit.threshold[0] == entity_id:
            self._chance(self._wait())

    def _wait(self) -> float:
        return self.habit.delay * self.world.random.lognormvariate(0, 0.35)

    def _moved(self, who: Resident, state: str) -> None:
        habit, world = self.habit, self.world
        if who.slug in self.scene.glitching:
            return
        occasion = habit.trigger[1] if habit.trigger is not None else ""
        if occasion == "last leaves":
            if state == "not_home" and not world.home:
                self._chance(self._wait(), who)
        elif occasion == "first arrives":
            if state == "home" and world.home == {who.slug}:
                self._chance(self._wait())
        elif habit.trigger == (f"person.{who.slug}", "home") and state == "home":
            self._chance(self._wait())

    def _lasting(self, wanted: str) -> Callable[[str], None]:
        """Return a listener that sees a chance once the state has lasted for the habit's time, or so."""
        changes = [0]

        def changed(state: str) -> None:
            changes[0] += 1
            if state == wanted:
                seen = changes[0]
                wait = self.habit.delay * self.world.random.uniform(0.98, 1.2)
                self.world.after(wait, lambda: self._chance(0) if changes[0] == seen else None)

        return changed

    def _in_hours(self) -> bool:
        hours = self.habit.hours
        if hours is None:
            return True
        sky, now = self.world.sky, self.world.now
        minutes = (now - sky.hour(sky.day_of(now), 0)) / MINUTE
        return hours[0] <= minutes < hours[1]

    def _open(self) -> bool:
        """Return whether this is a chance: due, its conditions true, and something to do."""
        habit, world = self.habit, self.world
        over = habit.ended is not None and world.now >= habit.ended
        states = [world.states[entity_id] == state for entity_id, state in habit.steps]
        done = all(states) if habit.kind == "presence" else states[0]
        if over or done or ("nobody" in habit.conditions) == bool(world.home):
            return False
        if "dark" in habit.conditions and not world.sky.is_dark(world.now):
            return False
        if "number" in habit.conditions and not self._low_light():
            return False
        # The clock's and the sun's moments are planned on their days only.
        if habit.kind == "trigger" and self._weekday() not in DAY_TYPES[habit.day_type]:
            return False
        other = habit.other
        return (other is None or world.states.get(other[0]) == other[1]) and self._in_hours()

    def _weekday(self) -> int:
        return self.world.sky.day_of(self.world.now).weekday()

    def _low_light(self) -> bool:
        world, threshold = self.world, self.habit.threshold
        at = np.array([world.now], np.int64)
        lux = float(daylight(self.scene.many, world.sky, world.sky.day_of(world.now), at)[0])
        lux += LAMP_LUX * (world.states["light.living_room_ceiling"] == "on")
        return threshold is not None and lux < threshold[2]

    def _chance(self, wait: float, who: Resident | None = None) -> None:
        if not self._open():
            if self.habit.trigger == usual(self.habit.steps[0][0]):
                # Nobody is in to end it: left alone it would stay so for good, and never come up again.
                self._ended_some_other_time()
            return
        self.chances.append(self.world.now)
        if self.world.random.random() < self.habit.adherence:
            self.world.after(wait, partial(self._do, who))
        elif self.habit.steps[0][1] == "off":
            self._ended_some_other_time()

    def _ended_some_other_time(self) -> None:
        for entity_id, _ in self.habit.steps:
            self.world.after(self.world.random.uniform(1500, 12000), partial(self._end, entity_id))

    def _do(self, who: Resident | None) -> None:
        self.done.append(self.world.now)
        self._left["target"] = self.world.now
        wait = 0.0
        walk = self.habit.kind in {"clock", "sun", "routine"}
        for entity_id, state in self.habit.steps:
            self.world.after(wait, partial(self.scene.use, entity_id, state, walk=walk, who=who))
            wait += self.world.random.uniform(4, 45)

    def _make_ready(self, entity_id: str) -> None:
        """Bring about what the habit ends: at any time, as anything else is used."""
        step: Step = usual(entity_id)
        if self.scene.up():
            self.scene.use(*step)

    def _end(self, entity_id: str) -> None:
        """End it without the habit: at some other time."""
        if self.world.states.get(entity_id) != usual(entity_id)[1]:
            return
        if self.scene.up():
            self.scene.use(entity_id, BACK[usual(entity_id)[1]], walk=False)
        else:
            self.world.after(self.world.random.uniform(0.5, 4) * 3600, partial(self._end, entity_id))
