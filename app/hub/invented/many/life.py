"""Who is where in an invented home, hour by hour, and what happens there without any habit."""

import random
from dataclasses import dataclass
from datetime import date
from functools import partial

from app.hub.invented.many.house import usual
from app.hub.invented.many.scene import Scene
from app.hub.invented.many.surroundings import Surroundings, poisson
from app.hub.invented.plan import Resident
from app.hub.invented.world import HOUR, MINUTE, SECOND

_SHIFTS = ("early", "early", "late", "late", "night", "off", "off", "off")
"""Eight days, so that a shift falls on another weekday each week."""
_SHIFT_HOURS = {"early": (5.3, 14.3), "late": (13.2, 22.3), "night": (21.3, 30.4)}
_USED = frozenset({"light", "switch", "fan", "media_player", "cover", "climate", "input_boolean"})


@dataclass(frozen=True, slots=True)
class Usage:
    """How a thing is used without habit: times a day, and whether mostly mornings and evenings."""

    entity_id: str
    rate: float
    peaks: bool


class Life:
    """Plans one day after the other."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.world, self.many = scene, scene.world, scene.many
        dice = random.Random(f"{self.many.plan.seed} life")  # noqa: S311 - an invented home, no secret
        habitual = {entity_id for habit in self.many.habits for entity_id, _ in habit.steps}
        ruled = {rule.step[0] for rule in self.many.rules}
        members = {m for thing in self.many.house.things for m in thing.members}
        self.usages = []
        for thing in self.many.house.things:
            known = thing.entity_id.partition(".")[0] in _USED
            if not known or thing.numeric or thing.entity_id in ruled | members | {"switch.fish_feeder"}:
                continue
            rate = min(max(dice.lognormvariate(-0.4, 0.8), 0.05), 4.0)
            if thing.entity_id == "media_player.tv":
                rate = dice.uniform(0.8, 2)
            elif thing.entity_id == "light.bathroom_ceiling":
                rate = dice.uniform(2, 4)
            elif thing.entity_id in habitual:
                rate *= dice.uniform(0.1, 0.7)
            self.usages.append(Usage(thing.entity_id, rate, not self.many.null and dice.random() < 0.5))
        self.surroundings = Surroundings(scene, [usage.entity_id for usage in self.usages])
        self.lights = dice.uniform(0.1, 0.3)
        self.wake = {who.slug: dice.uniform(6.2, 8.6) for who in self.many.plan.residents}
        self.leaves = {who.slug: dice.uniform(7.3, 9.0) for who in self.many.plan.residents}
        self.works = {who.slug: dice.uniform(7.5, 9.5) for who in self.many.plan.residents}
        self.phase = dice.randrange(len(_SHIFTS))
        self.bursts = dice.uniform(0.3, 0.7)
        for usage in self.usages:
            scene.goes_back(usage.entity_id, usual(usage.entity_id)[1])

    def begin_day(self, day: date) -> None:
        dice, sky = self.world.random, self.world.sky
        for who in self.many.plan.residents:
            self._person(who, day)
        for usage in self.usages:
            rate = usage.rate * (1.6 if day in self.many.guests else 1.0)
            for _ in range(poisson(dice, rate)):
                hours = dice.uniform(7, 23.3)
                if usage.peaks:
                    hours = dice.choice((dice.gauss(8.3, 1.6), dice.gauss(19.3, 2.4), hours))
                self.world.at(
                    sky.hour(day, min(max(hours, 6), 23.7)), partial(self._sometimes, usage.entity_id)
                )
        rise, down = sky.rise_and_set(day)
        self.world.at(rise, partial(self.world.sense, "sun.sun", "above_horizon"))
        self.world.at(down, partial(self.world.sense, "sun.sun", "below_horizon"))
        self.surroundings.begin_day(day)

    def _sometimes(self, entity_id: str) -> None:
        if self.scene.up():
            self.scene.use(entity_id, usual(entity_id)[1])

    def _person(self, who: Resident, day: date) -> None:
        wake, sleep, away = self._hours(who, day)
        scene, world, dice = self.scene, self.world, self.world.random
        world.at(wake, partial(scene.awake_from.__setitem__, who.slug, wake))
        world.at(wake, partial(scene.awake_until.__setitem__, who.slug, sleep))
        for start, end in away:
            world.at(start, partial(self._leave, who))
            world.at(end, partial(self._arrive, who))
        rooms = [room for room in self.many.house.rooms if room != "hall"]
        weights = [{"living_room": 5, "kitchen": 4, "bathroom": 2}.get(room, 1.2) for room in rooms]
        at = wake
        while at < sleep:
            room = dice.choices(rooms, weights)[0]
            stay = min(round(dice.expovariate(1 / 24) * MINUTE) + 2 * MINUTE, sleep - at)
            if not any(start <= at < end for start, end in away):
                if dice.random() < 0.5:
                    world.at(at - 8 * SECOND, partial(scene.move, "hall"))
                world.at(at, partial(self._enter, room, at + stay, away))
            at += stay + 10 * SECOND

    def _enter(self, room: str, until: int, away: list[tuple[int, int]]) -> None:
        if self.world.somebody_home():
            self.scene.enter(room, until, away, lights=self.lights)

    def _hours(self, who: Resident, day: date) -> tuple[int, int, list[tuple[int, int]]]:
        """Return when that person wakes and goes to sleep, and when they are out."""
        dice, sky = self.world.random, self.world.sky

        def hour(mean: float, minutes: float) -> int:
            return sky.hour(day, mean + dice.gauss(0, minutes) / 60)

        weekend = day.weekday() >= 5
        wake, sleep = self.wake[who.slug] + (1.2 if weekend else 0.0), 23.2
        out: list[tuple[int, int]] = []
        shift = _SHIFTS[(day.toordinal() + self.phase) % len(_SHIFTS)]
        leave = self.leaves[who.slug]
        if self.many.null:  # every day another one
            wake, sleep = dice.uniform(5.5, 9.5), dice.uniform(21.5, 24)
            if who.work in {"office", "shifts", "school"} and dice.random() < 0.75:
                leave = dice.uniform(wake + 0.5, 14)
                out.append((hour(leave, 5), hour(leave + dice.uniform(2, 9), 5)))
        elif who.work == "office" and not weekend:
            wake = min(wake, leave - 1)
            out.append((hour(leave, 10), hour(leave + self.works[who.slug], 30)))
        elif who.work == "school" and not weekend:
            wake, sleep = leave - 0.9, 22.0
            out.append((hour(leave, 5), hour(leave + 6.8, 18)))
        elif who.work == "shifts" and shift in _SHIFT_HOURS:
            leave, back = _SHIFT_HOURS[shift]
            out.append((hour(leave, 6), hour(back, 12)))
            wake = min(wake, leave - 0.8) if shift != "night" else 8.5
        if dice.random() < (0.7 if weekend or who.work in {"retired", "home"} else 0.3):
            start = dice.uniform(9.5, 16) if weekend or not out else dice.uniform(18.3, 19.8)
            out.append((hour(start, 15), hour(start + dice.uniform(0.5, 3.5), 5)))
        holiday = self.many.vacation
        if holiday is not None and holiday[0] <= day <= holiday[1]:
            first = sky.hour(day, 10.2 if day == holiday[0] else -0.5)
            last = sky.hour(day, 17.3 if day == holiday[1] else 24.5)
            out = [(first, last)]
        return hour(wake, 14), hour(sleep, 28), sorted(out)

    def _leave(self, who: Resident) -> None:
        world = self.world
        if who.slug not in world.home:
            return
        self.scene.move("hall")
        if "lock.front_door" in world.states and world.random.random() < 0.8:
            world.after(7, partial(world.by_hand, "lock.front_door", "unlocked"))
        world.after(10, self.scene.door)

        def gone() -> None:
            world.home.discard(who.slug)
            self.scene.report(who, "not_home")
            panel = "alarm_control_panel.home"
            if not world.home and panel in world.states and world.random.random() < 0.7:
                wait = world.random.uniform(5, 150)
                world.after(wait, partial(world.by_app, panel, "armed_away", who))

        world.after(world.random.uniform(50, 200), gone)

    def _arrive(self, who: Resident) -> None:
        """One arrival shows in many places at once, and people do this and that when they come in."""
        world, dice = self.world, self.world.random
        holiday = self.many.vacation
        sky = world.sky
        if who.slug in world.home:
            return
        if holiday is not None and sky.hour(holiday[0], 0) <= world.now < sky.hour(holiday[1], 17):
            return
        world.home.add(who.slug)
        self.scene.awake_from.setdefault(who.slug, world.now)
        self.scene.awake_until[who.slug] = max(self.scene.awake_until.get(who.slug, 0), world.now + HOUR)
        self.scene.report(who, "home")
        for delay, entity_id, state in (
            (18, "lock.front_door", "unlocked"), (25, "alarm_control_panel.home", "disarmed"),
        ):  # fmt: skip
            if entity_id in world.states and dice.random() < 0.8:
                world.after(delay, partial(world.by_hand, entity_id, state))
        if "cover.garage_door" in world.states and dice.random() < 0.6:
            world.after(5, partial(world.by_app, "cover.garage_door", "open", who))
            world.after(dice.uniform(300, 18_000), partial(world.by_app, "cover.garage_door", "closed", who))
        world.after(22, self.scene.door)
        world.after(26, partial(self.scene.move, "hall"))
        habitual = {entity_id for habit in self.many.habits for entity_id, _ in habit.steps}
        things = [usage.entity_id for usage in self.usages if usage.entity_id not in habitual]
        if things and dice.random() < self.bursts:
            for _ in range(dice.randint(1, 3)):
                world.after(dice.uniform(30, 400), partial(self._sometimes, dice.choice(things)))
