"""Where the people of the invented house are, hour by hour, and what they do there without any habit.

Hours and rates are in the range of what people say of themselves (routines collected by Helion, MIT licence);
everything here is drawn anew each day, so none of it is regular enough to be automated.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from app.hub.invented.house import MOTION_ROOMS
from app.hub.invented.plan import Plan, Resident
from app.hub.invented.world import HOUR, MINUTE, SECOND, World

_SHIFTS = ("early", "early", "late", "late", "off", "off")
_SHIFT_HOURS = {"early": (5.33, 14.33), "late": (13.17, 22.33)}
_RANDOM_LIGHTS = (
    ("light.kitchen", 2.5, 10, 120),
    ("light.child_room", 2.0, 5, 150),
    ("light.bedside", 0.8, 5, 60),
    ("light.dim_lamp", 0.25, 10, 120),
    ("light.hall_ceiling", 0.25, 2, 20),
    ("switch.kettle", 2.5, 2, 40),
    ("input_boolean.guests", 0.1, 60, 300),
)
"""Entity, times a day, shortest and longest minutes."""


@dataclass(frozen=True, slots=True)
class Day:
    """One resident's day, in ms: awake from `wake` to `sleep`, out of the house during `away`.

    Who is still away at `end`, the midnight after, comes back on another day.
    """

    resident: Resident
    end: int
    wake: int
    sleep: int
    away: tuple[tuple[int, int], ...]

    def is_in(self, at: int) -> bool:
        return not any(start <= at < end for start, end in self.away)


def vacation(plan: Plan) -> tuple[date, date] | None:
    """Return the first and the last day of the vacation: once, in the second or third week."""
    if plan.vacation_days <= 0:
        return None
    dice = random.Random(f"{plan.seed} vacation")  # noqa: S311 - an invented home, no secret
    first = plan.first_day + timedelta(dice.randint(9, 18))
    return first, first + timedelta(plan.vacation_days - 1)


def day_of(world: World, resident: Resident, day: date) -> Day:
    """Draw that resident's day."""
    dice = world.random

    def hour(mean: float, minutes: float) -> int:
        return world.sky.hour(day, mean + dice.gauss(0, minutes) / 60)

    weekend = day.weekday() >= 5
    wake, sleep, away = hour(8.4, 35), hour(23.6, 25), []
    shift = _SHIFTS[day.toordinal() % len(_SHIFTS)]
    if resident.work == "office" and not weekend:
        wake, away = hour(6.5, 7), [(hour(8.1, 10), hour(17.7, 30))]
    elif resident.work == "school" and not weekend:
        wake, sleep, away = hour(7.1, 8), hour(21.0, 20), [(hour(8.4, 5), hour(15.2, 15))]
    elif resident.work == "school":
        sleep = hour(21.7, 30)
    elif resident.work == "shifts" and shift in _SHIFT_HOURS:
        leave, back = _SHIFT_HOURS[shift]
        away = [(hour(leave, 6), hour(back, 12))]
        wake = min(wake, away[0][0] - 45 * MINUTE)
    if dice.random() < (0.75 if weekend else 0.3):  # shopping, sports, friends
        start = hour(dice.uniform(10, 15) if weekend else dice.uniform(18.3, 19.5), 20)
        away.append((start, start + round(dice.uniform(0.5, 3) * HOUR)))
    return Day(resident, world.sky.hour(day, 24), wake, sleep, _holiday(world, day) or tuple(sorted(away)))


def _holiday(world: World, day: date) -> tuple[tuple[int, int], ...]:
    days = vacation(world.plan)
    if days is None or not days[0] <= day <= days[1]:
        return ()
    start = world.sky.hour(day, 10 if day == days[0] else -1)
    end = world.sky.hour(day, 16 if day == days[1] else 25)
    return ((start, end),)


def live(world: World, day: Day) -> None:
    """Plan where that resident goes that day, seen by motion sensors, doors and their phone."""
    for start, end in day.away:
        world.at(start, partial(_leave, world, day.resident))
        if end < day.end:
            world.at(end, partial(_arrive, world, day.resident))
    dice, at = world.random, day.wake
    while at < day.sleep:
        room = dice.choices(MOTION_ROOMS, (0, 5, 4, 1.5, 2, 2))[0]
        stay = min(round(dice.expovariate(1 / 22) * MINUTE) + 2 * MINUTE, day.sleep - at)
        if day.is_in(at):
            if dice.random() < 0.6:
                motion(world, "hall", at)
            _stay(world, day, room, at + 6 * SECOND, at + stay)
        at += stay + 10 * SECOND


def _stay(world: World, day: Day, room: str, start: int, end: int) -> None:
    dice, at = world.random, start
    while at < end and day.is_in(at):
        motion(world, room, at)
        if room == "kitchen" and dice.random() < 0.25:
            _open_shut(world, "binary_sensor.fridge_door", at + 20 * SECOND, dice.uniform(4, 30))
        at += round(dice.uniform(1.5, 7) * MINUTE)


def motion(world: World, room: str, at: int) -> None:
    """Somebody moves there: the sensor sees it, and clears a minute or so later."""
    sensor = f"binary_sensor.{room}_motion"
    _open_shut(world, sensor, at, world.random.uniform(30, 75))


def _open_shut(world: World, entity_id: str, at: int, seconds: float) -> None:
    world.at(at, partial(world.sense, entity_id, "on"))
    world.at(at + round(seconds * SECOND), partial(world.sense, entity_id, "off"))


def door(world: World) -> None:
    """The front door is opened and shut."""
    _open_shut(world, "binary_sensor.front_door", world.now, world.random.uniform(4, 20))


def _leave(world: World, who: Resident) -> None:
    if who.slug not in world.home:
        return
    motion(world, "hall", world.now)
    world.after(8, partial(world.by_hand, "lock.front_door", "unlocked"))
    world.after(10, partial(door, world))

    def gone() -> None:
        world.home.discard(who.slug)
        _report(world, who, "not_home")

    world.after(world.random.uniform(60, 240), gone)


def _arrive(world: World, who: Resident) -> None:
    """One arrival shows in five places at once."""
    if who.slug in world.home:
        return
    world.home.add(who.slug)
    _report(world, who, "home")
    world.after(20, partial(world.by_hand, "lock.front_door", "unlocked"))
    world.after(23, partial(door, world))
    world.after(27, lambda: motion(world, "hall", world.now))


def _report(world: World, who: Resident, state: str) -> None:
    world.sense(f"device_tracker.{who.slug}_phone", state)
    world.after(0.3, partial(world.sense, f"person.{who.slug}", state))


def do_this_and_that(world: World, day: date, days: list[Day]) -> None:
    """Plan acts without any regularity: at any waking hour, by anybody who is in."""
    dice = world.random
    for entity_id, rate, shortest, longest in _RANDOM_LIGHTS:
        for _ in range(_how_often(dice, rate)):
            at = world.sky.hour(day, dice.uniform(7, 23))
            length = round(dice.uniform(shortest, longest) * MINUTE)
            _for_a_while(world, days, entity_id, at, length)
    if dice.random() < 0.6:  # rubbish, a parcel, a look outside
        at = world.sky.hour(day, dice.uniform(9, 22))
        world.at(at, lambda: door(world) if world.somebody_home() else None)
    if dice.random() < 0.3:  # the wrong switch, put right at once
        at = world.sky.hour(day, dice.uniform(8, 22))
        _for_a_while(world, days, "light.living_room_sofa", at, dice.randrange(2, 60) * SECOND)


def _how_often(dice: random.Random, rate: float) -> int:
    whole = int(rate)
    return whole + (dice.random() < rate - whole)


def _for_a_while(world: World, days: list[Day], entity_id: str, at: int, length: int) -> None:
    dice = world.random
    who, by_app = dice.choice(days), dice.random() < 0.4

    def use(state: str) -> Callable[[], None]:
        def act() -> None:
            if not world.somebody_home():
                return
            if by_app:
                world.by_app(entity_id, state, who.resident)
            else:
                world.by_hand(entity_id, state)

        return act

    world.at(at, use("on"))
    world.at(at + length, use("off"))
