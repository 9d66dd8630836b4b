"""What happens in the invented house without its people: automations, another app, sensors, faults."""

import random
from collections.abc import Callable
from datetime import date, time
from functools import partial

from app.hub.invented.house import BRIDGE_USER
from app.hub.invented.plan import Plan
from app.hub.invented.world import HOUR, MINUTE, SECOND, World

_CLOCKS = (
    ("automation.garden_off", time(23, 30), "light.garden", "off"),
    ("automation.blinds_open", time(8, 0), "cover.living_room_blinds", "open"),
    ("automation.night_light_on", time(19, 30), "light.night_light", "on"),
    ("automation.night_light_off", time(21, 0), "light.night_light", "off"),
    ("automation.heating_on", time(5, 45), "climate.living_room", "heat"),
    ("automation.heating_off", time(22, 30), "climate.living_room", "off"),
)
_LASTING = (
    ("automation.study_off", "binary_sensor.study_motion", "off", 10, "light.study", "off"),
    ("automation.hall_off", "binary_sensor.hall_motion", "off", 5, "light.hall_ceiling", "off"),
    ("automation.fan_off", "fan.bathroom", "on", 15, "fan.bathroom", "off"),
    ("automation.coffee_off", "switch.coffee_machine", "on", 40, "switch.coffee_machine", "off"),
    ("automation.lock_door", "binary_sensor.front_door", "off", 1, "lock.front_door", "locked"),
)
_FLAPPING = (
    "light.child_room", "binary_sensor.garden_motion", "light.night_light", "binary_sensor.fridge_door",
)  # fmt: skip
_WEATHER = ("cloudy", "rainy", "partlycloudy", "sunny", "fog")


def install(world: World) -> None:
    """Let the automations that react to something listen."""
    for actor, entity_id, state, minutes, target, to_state in _LASTING:
        _when_lasting(world, entity_id, state, minutes, _action(world, actor, target, to_state))
    study = _action(world, "automation.study_on", "light.study", "on")
    world.when("binary_sensor.study_motion", lambda state: study() if state == "on" else None)


def _action(world: World, actor: str, target: str, to_state: str) -> Callable[[], None]:
    return lambda: world.after(0.2, partial(world.by_machine, target, to_state, actor))


def _when_lasting(world: World, entity_id: str, state: str, minutes: int, act: Callable[[], None]) -> None:
    """As a trigger with `for`: act once the entity has been in that state so long without a break."""
    changes = [0]

    def changed(new: str) -> None:
        changes[0] += 1
        if new == state:
            seen = changes[0]
            world.after(minutes * 60, lambda: act() if changes[0] == seen else None)

    world.when(entity_id, changed)


def begin_day(world: World, day: date) -> None:
    """Plan what the clock, the sun and the sensors do that day."""
    sky, dice = world.sky, world.random
    for actor, at, target, to_state in _CLOCKS:
        world.at(sky.local(day, at), _action(world, actor, target, to_state))
    rise, down = sky.rise_and_set(day)
    world.at(rise, partial(world.sense, "sun.sun", "above_horizon"))
    world.at(down, partial(world.sense, "sun.sun", "below_horizon"))
    world.at(down, _action(world, "automation.garden_on", "light.garden", "on"))
    for hour in (8, 18):  # another app, to the minute, every day: a machine's clock is nobody's habit
        moment = sky.local(day, time(hour))
        world.at(moment, partial(world.by_machine, "switch.fish_tank", "on", BRIDGE_USER))
        world.at(moment + 20 * SECOND, partial(world.by_machine, "switch.fish_tank", "off", BRIDGE_USER))
    for _ in range(dice.randint(15, 40)):  # cats
        start = sky.hour(day, dice.uniform(0, 24))
        _pulse(world, "binary_sensor.garden_motion", start, dice.randint(10, 60))
    for _ in range(dice.randint(4, 10)):
        moment = sky.hour(day, dice.uniform(0, 24))
        world.at(moment, partial(world.sense, "weather.demo", dice.choice(_WEATHER)))
    if dice.random() < 0.5:
        start = sky.hour(day, dice.uniform(9, 20))
        for minutes, phase in ((0, "washing"), (50, "rinsing"), (70, "spinning"), (85, "idle")):
            world.at(start + minutes * MINUTE, partial(world.sense, "sensor.washing_machine", phase))


def _pulse(world: World, entity_id: str, start: int, seconds: float) -> None:
    world.at(start, partial(world.sense, entity_id, "on"))
    world.at(start + round(seconds * SECOND), partial(world.sense, entity_id, "off"))


def begin_faults(world: World, plan: Plan, day: date) -> None:
    """Plan that day's restarts, outage and devices that lose their connection."""
    midnight, dice = world.sky.local(day, time(0)), world.random
    for when, seconds in restarts_on(plan, (day - plan.first_day).days):
        world.at(midnight + when, partial(world.restart, seconds))
    if not plan.faults.flapping:
        return
    for _ in range(dice.randint(0, 4)):
        entity_id, length = dice.choice(_FLAPPING), dice.uniform(2, 900)
        moment = midnight + dice.randrange(24 * HOUR)
        world.at(moment, partial(world.drop_out, entity_id, length))
    # A worn contact: open and shut within a second, nobody at the door.
    for _ in range(dice.randint(0, 2)):
        start = world.sky.hour(day, dice.uniform(0, 24))
        _pulse(world, "binary_sensor.front_door", start, dice.uniform(0.2, 1.5))


def restarts_on(plan: Plan, place: int) -> list[tuple[int, float]]:
    """Return that day's restarts as (ms after midnight, seconds away); `place` counts from the first day.

    They come in every stretch of thirty days, the long outage once in it.
    """
    stretch, offset = divmod(place, 30)
    dice = random.Random(f"{plan.seed} faults {stretch}")  # noqa: S311 - an invented home, no secret
    days = [dice.randrange(30) for _ in range(plan.faults.restarts)]
    found = [(dice.randrange(8 * HOUR, 23 * HOUR), dice.uniform(40, 150)) for day in days if day == offset]
    if plan.faults.outage_hours and dice.randrange(3, 28) == offset:
        found.append((13 * HOUR, plan.faults.outage_hours * 3600))
    return found
