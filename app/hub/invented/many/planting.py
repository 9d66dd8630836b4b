"""Which habits the people of an invented home have, drawn by lot to fit their house."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta

from app.clock import to_ms
from app.hub.invented.many.house import House, usual
from app.hub.invented.many.lot import Lot
from app.hub.invented.many.priors import DAY_TYPES, KINDS, weighted
from app.hub.invented.many.truth import Planted
from app.hub.invented.plan import Plan
from app.model import zone_of


class Planting(Lot):
    """Draws habits that fit a house, each on things of its own."""

    def __init__(self, dice: random.Random, plan: Plan, house: House, taken: set[str]) -> None:
        super().__init__(dice, plan, house, taken)
        self.templates: dict[str, tuple[Callable[[], Planted | None], ...]] = {
            "clock": (self._clock, self._clock, self._clock, self._clock_off, self._clock_cover),
            "sun": (self._sun,),
            "trigger": (self._motion_light, self._door_light, self._after_tv, self._light_fan,
                        self._first_today, self._only_if, self._too_dim),
            "presence": (self._last_leaves, self._first_arrives, self._one_arrives),
            "numeric": (self._humid, self._hot),
            "duration": (self._off_after_on, self._off_after_motion, self._left_open),
            "routine": (self._routine,),
        }  # fmt: skip

    def plant(self, count: int) -> tuple[Planted, ...]:
        """Return about that many habits."""
        found: list[Planted] = []
        for _ in range(count * 4):
            if len(found) >= count:
                break
            habit = self.dice.choice(self.templates[weighted(self.dice, KINDS)])()
            if habit is None:
                continue
            self.taken |= {entity_id for entity_id, _ in habit.steps}
            if habit.kind == "numeric" and habit.threshold is not None:
                self.taken.add(habit.threshold[0])
            if habit.kind == "trigger" and self.dice.random() < 0.2:
                habit = replace(habit, day_type=self.dice.choice(("workdays", "workdays", "weekends")))
            found.append(self._fated(habit))
            if habit.label == "clock, twice a day":
                found.append(self._second(found[-1]))
        return tuple(found)

    def _fated(self, habit: Planted) -> Planted:
        chance, span = self.dice.random(), len(self.plan.days())
        if chance < 0.08 and span >= 24:
            stop = self.plan.first_day + timedelta(round(span * self.dice.uniform(0.4, 0.55)))
            ended = to_ms(datetime.combine(stop, time(0), zone_of(self.plan.zone)))
            return replace(habit, fate="dead", ended=ended)
        if chance < 0.32 and span >= 30 and habit.label == "clock, daily" and habit.at is not None:
            own = random.Random(f"{self.plan.seed} {habit.name}")  # noqa: S311 - an invented home, no secret
            moved = own.choice((-1, 1)) * own.randint(30, 60)
            return replace(habit, fate="drifting", was_at=habit.at - moved)
        return habit

    def _clock(self) -> Planted | None:
        entity_id = self.free("light", "switch", "media_player", "fan", "climate")
        if entity_id is None:
            return None
        span = len(self.plan.days())
        weights = dict(DAY_TYPES) if span >= 24 else {k: w for k, w in DAY_TYPES.items() if k != "single"}
        day_type = weighted(self.dice, weights)
        label = f"clock, {day_type}"
        if day_type == "single":
            label = "clock, single weekday"
            day_type = self.dice.choice(
                ("mondays", "tuesdays", "wednesdays", "thursdays", "fridays", "saturdays", "sundays")
            )
        elif day_type == "daily" and self.dice.random() < 0.15:
            label = "clock, twice a day"
        at = self.dice.randint(73, 86) * 5 if "twice" in label else self.time(day_type)
        return Planted("clock", label, (usual(entity_id),), self.adherence(), day_type, at=at, was_at=at,
                       spread=round(self.dice.uniform(2, 8), 1))  # fmt: skip

    def _second(self, first: Planted) -> Planted:
        at = self.dice.randint(19 * 12, 22 * 12) * 5
        return replace(first, at=at, was_at=at)

    def _clock_off(self) -> Planted | None:
        entity_id = self.free("light", "switch")
        at = self.dice.randint(21 * 12, 23 * 12 + 4) * 5
        if entity_id is None:
            return None
        return Planted(
            "clock", "clock, daily", ((entity_id, "off"),), self.adherence(), at=at, was_at=at,
            spread=round(self.dice.uniform(2, 8), 1),
        )  # fmt: skip

    def _clock_cover(self) -> Planted | None:
        entity_id = self.free("cover")
        at = self.dice.randint(20 * 12, 23 * 12) * 5
        if entity_id is None:
            return None
        return Planted(
            "clock", "clock, daily", ((entity_id, "closed"),), self.adherence(), at=at, was_at=at,
            spread=round(self.dice.uniform(2, 7), 1),
        )  # fmt: skip

    def _sun(self) -> Planted | None:
        entity_id = self.free("light", "cover", "switch")
        if entity_id is None:
            return None
        event, offset = "sunset", self.dice.randint(-6, 6) * 5
        if entity_id.startswith("cover.") and self.dice.random() < 0.3:
            return Planted("sun", "sun", ((entity_id, "open"),), self.adherence(),
                           sun=("sunrise", abs(offset) + 30),
                           spread=round(self.dice.uniform(2, 7), 1))  # fmt: skip
        return Planted("sun", "sun", (usual(entity_id),), self.adherence(), sun=(event, offset),
                       spread=round(self.dice.uniform(2, 7), 1))  # fmt: skip

    def _motion_light(self) -> Planted | None:
        room = self.dice.choice(self.motions() or ["hall"])
        if not self.own(f"light.{room}_ceiling") or not self.house.has(f"binary_sensor.{room}_motion"):
            return None
        return Planted(
            "trigger", "motion → light, dark", ((f"light.{room}_ceiling", "on"),), self.adherence(),
            trigger=(f"binary_sensor.{room}_motion", "on"), delay=self.dice.uniform(3, 20),
            conditions=frozenset({"somebody", "dark", "quiet"}),
        )  # fmt: skip

    def _door_light(self) -> Planted | None:
        target = next((e for e in ("light.hall_ceiling", "light.hall_lamp") if self.own(e)), None)
        if target is None:
            return None
        dark = self.dice.random() < 0.5
        hours = None if dark else (self.dice.randint(15, 17) * 60, 23 * 60)
        return Planted(
            "trigger", "door → light, dark" if dark else "door → light, hours", ((target, "on"),),
            self.adherence(), trigger=("binary_sensor.front_door", "on"), delay=self.dice.uniform(5, 40),
            conditions=frozenset({"somebody", "dark" if dark else "hours"}), hours=hours,
        )  # fmt: skip

    def _after_tv(self) -> Planted | None:
        target = next((e for e in ("light.living_room_lamp", "light.living_room_spots") if self.own(e)), None)
        if target is None:
            return None
        return Planted(
            "trigger", "TV → lamp", ((target, "on"),), self.adherence(), trigger=("media_player.tv", "on"),
            delay=self.dice.uniform(10, 90),
        )  # fmt: skip

    def _light_fan(self) -> Planted | None:
        if not self.own("fan.bathroom") or "light.bathroom_ceiling" in self.taken:
            return None
        return Planted(
            "trigger", "light → fan", (("fan.bathroom", "on"),), self.adherence(),
            trigger=("light.bathroom_ceiling", "on"), delay=self.dice.uniform(5, 60),
        )  # fmt: skip

    def _first_today(self) -> Planted | None:
        target = next((e for e in ("switch.kettle", "switch.coffee_machine", "media_player.kitchen_radio")
                       if self.own(e)), None)  # fmt: skip
        if target is None or not self.house.has("binary_sensor.kitchen_motion"):
            return None
        return Planted(
            "trigger", "first motion today → kettle", (usual(target),), self.adherence(),
            trigger=("binary_sensor.kitchen_motion", "on"), delay=self.dice.uniform(30, 240),
            conditions=frozenset({"somebody", "first today"}), hours=(4 * 60, 12 * 60),
        )  # fmt: skip

    def _only_if(self) -> Planted | None:
        if not self.own("media_player.kitchen_radio") or not self.own("light.kitchen_ceiling"):
            return None
        return Planted(
            "trigger", "light → radio unless TV", (("media_player.kitchen_radio", "playing"),),
            self.adherence(), trigger=("light.kitchen_ceiling", "on"), delay=self.dice.uniform(10, 60),
            conditions=frozenset({"somebody", "state"}), other=("media_player.tv", "off"),
        )  # fmt: skip

    def _too_dim(self) -> Planted | None:
        lamp, motion = "light.living_room_lamp", "binary_sensor.living_room_motion"
        meter = "sensor.living_room_illuminance"
        if not self.own(lamp) or not self.house.has(motion) or not self.house.has(meter):
            return None
        return Planted(
            "trigger", "motion → lamp, low light", ((lamp, "on"),), self.adherence(), trigger=(motion, "on"),
            threshold=(meter, "below", float(self.dice.randint(4, 9) * 10)), delay=self.dice.uniform(4, 30),
            conditions=frozenset({"somebody", "quiet", "number"}),
        )  # fmt: skip

    def _last_leaves(self) -> Planted | None:
        targets = [e for _ in range(3) if (e := self.free("light", "switch", "media_player"))]
        targets = list(dict.fromkeys(targets))[: self.dice.randint(1, 3)]
        if not targets or all(who.work in {"retired", "home"} for who in self.plan.residents):
            return None
        return Planted(
            "presence", "last leaves → off", tuple((e, "off") for e in targets), self.adherence(),
            trigger=("presence", "last leaves"), equal=self.only_one("not_home"),
            delay=self.dice.uniform(20, 200), conditions=frozenset({"nobody"}),
        )  # fmt: skip

    def _first_arrives(self) -> Planted | None:
        target = self.free("light", "media_player", "climate")
        if target is None or all(who.work in {"retired", "home"} for who in self.plan.residents):
            return None
        conditions = {"somebody", "dark"} if self.dice.random() < 0.4 else {"somebody"}
        return Planted(
            "presence", "first arrives → on", (usual(target),), self.adherence(),
            trigger=("presence", "first arrives"), equal=self.only_one("home"),
            delay=self.dice.uniform(20, 200), conditions=frozenset(conditions),
        )  # fmt: skip

    def _one_arrives(self) -> Planted | None:
        target = self.free("light", "media_player", "switch", "climate")
        out = [who for who in self.plan.residents if who.work in {"office", "shifts", "school"}]
        if target is None or not out or len(self.plan.residents) == 1:
            return None
        who = self.dice.choice(out)
        return Planted(
            "presence", "a person arrives → on", (usual(target),), self.adherence(),
            trigger=(f"person.{who.slug}", "home"), equal=((f"device_tracker.{who.slug}_phone", "home"),),
            delay=self.dice.uniform(20, 200),
        )  # fmt: skip

    def _humid(self) -> Planted | None:
        if not self.own("fan.bathroom") or not self.own("sensor.bathroom_humidity"):
            return None
        return Planted(
            "numeric", "humidity above → fan", (("fan.bathroom", "on"),), self.adherence(),
            threshold=("sensor.bathroom_humidity", "above", float(self.dice.randint(62, 70))),
            delay=self.dice.uniform(20, 240),
        )  # fmt: skip

    def _hot(self) -> Planted | None:
        target = next((e for e in ("fan.bedroom", "cover.bedroom_shutter") if self.own(e)), None)
        if target is None or not self.own("sensor.bedroom_temperature"):
            return None
        return Planted(
            "numeric", "temperature above → on", (usual(target),), self.adherence(),
            threshold=("sensor.bedroom_temperature", "above", self.dice.randint(44, 50) / 2),
            delay=self.dice.uniform(60, 400),
        )  # fmt: skip

    def _off_after_on(self) -> Planted | None:
        target = self.free("switch", "fan", "media_player")
        if target is None:
            return None
        minutes = self.dice.choice((5, 10, 15, 20, 30, 40, 60))
        return Planted(
            "duration", "off N min after on", ((target, "off"),), self.adherence(), trigger=usual(target),
            delay=minutes * 60.0,
        )  # fmt: skip

    def _off_after_motion(self) -> Planted | None:
        rooms = [room for room in self.motions() if self.own(f"light.{room}_lamp")]
        if not rooms:
            return None
        room = self.dice.choice(rooms)
        return Planted(
            "duration", "off N min after last motion", ((f"light.{room}_lamp", "off"),), self.adherence(),
            trigger=(f"binary_sensor.{room}_motion", "off"), delay=self.dice.choice((5, 10, 15, 20)) * 60.0,
        )  # fmt: skip

    def _left_open(self) -> Planted | None:
        window, target = "binary_sensor.bedroom_window", "climate.bedroom"
        if not self.house.has(window) or not self.own(target):
            return None
        return Planted(
            "duration", "left open → climate off", ((target, "off"),), self.adherence(),
            trigger=(window, "on"), delay=self.dice.choice((5, 10, 15)) * 60.0,
        )  # fmt: skip

    def _routine(self) -> Planted | None:
        before, targets = set(self.taken), []
        for _ in range(self.dice.randint(3, 6)):
            target = self.free("light", "switch", "media_player", "cover", "fan")
            if target is not None:
                targets.append(target)
                self.taken.add(target)
        self.taken = before
        if len(targets) < 3:
            return None
        day_type = self.dice.choice(("daily", "workdays"))
        at = self.time(day_type)
        return Planted(
            "routine", "routine of 3 to 6", tuple(usual(target) for target in targets), self.adherence(),
            day_type, at=at, was_at=at, spread=round(self.dice.uniform(2, 7), 1),
        )  # fmt: skip
