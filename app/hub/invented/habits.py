"""The habits that are planted in the invented house, and the acts around them.

A habit is done on a share of its opportunities (`Planted.adherence`), at its time give or take, and only if
the thing is not so already. A habit that is not planted leaves its acts behind, at any time of the day.
"""

from datetime import date, time
from functools import partial

from app.hub.invented.people import Day
from app.hub.invented.plan import Plan, Planted, Resident
from app.hub.invented.world import HOUR, MINUTE, World

IN_THE_DARK = "it is dark"
HABITS = (
    Planted("coffee", "clock", "switch.coffee_machine", "on", 0.92, "workdays", at="06:45",
            condition="the one who works in the office is at home"),
    Planted("bedroom_light_off", "clock", "light.bedroom", "off", 0.92, at="23:10",
            condition="somebody is at home"),
    Planted("living_room_lights", "sun", "light.living_room", "on", 0.92, offset_minutes=-15,
            condition="somebody is at home"),
    Planted("hall_light", "trigger", "light.hall_ceiling", "on", 0.85,
            trigger=("binary_sensor.hall_motion", "on"), within_seconds=8, condition=IN_THE_DARK),
    Planted("fan", "trigger", "fan.bathroom", "on", 0.85,
            trigger=("light.bathroom", "on"), within_seconds=25),
    Planted("hall_lamp", "trigger", "light.hall_lamp", "on", 0.88,
            trigger=("binary_sensor.front_door", "on"), within_seconds=20, condition=IN_THE_DARK),
    Planted("dim_lamp", "trigger", "light.dim_lamp", "on", 0.9,
            trigger=("media_player.tv", "on"), within_seconds=20),
    Planted("radio", "clock", "media_player.kitchen_radio", "playing", 0.9, "weekend", at="09:30",
            condition="somebody is at home"),
    Planted("blinds", "sun", "cover.living_room_blinds", "closed", 0.9, offset_minutes=0,
            condition="somebody is at home"),
)  # fmt: skip
_BY_NAME = {habit.name: habit for habit in HABITS}


def planted_in(plan: Plan) -> tuple[Planted, ...]:
    return tuple(habit for habit in HABITS if plan.habits is None or habit.name in plan.habits)


def install(world: World) -> None:
    """Let the habits that follow something listen."""
    names = {habit.name for habit in planted_in(world.plan)}
    for habit in HABITS:
        if habit.name in names and habit.trigger is not None and habit.within_seconds is not None:
            _follow(world, habit, habit.trigger, habit.within_seconds)


def _follow(world: World, habit: Planted, trigger: tuple[str, str], seconds: int) -> None:
    entity_id, state = trigger
    in_the_dark = habit.condition == IN_THE_DARK

    def act() -> None:
        if world.somebody_home():
            world.by_hand(habit.target, habit.to_state)

    def changed(new: str) -> None:
        if new != state or world.states[habit.target] == habit.to_state or not world.somebody_home():
            return
        if in_the_dark and not world.sky.is_dark(world.now):
            return
        if world.random.random() < habit.adherence:
            world.after(world.random.uniform(seconds / 5, seconds), act)

    world.when(entity_id, changed)


def begin_day(world: World, day: date, days: list[Day]) -> None:
    """Plan what habits do that day, and what makes and ends their occasions."""
    names = {habit.name for habit in planted_in(world.plan)}
    _mornings(world, day, days, names)
    _evenings(world, day, days, names)
    _washing(world, days)
    _ends(world, day, days)
    for habit in HABITS:
        if habit.kind == "trigger" and habit.name not in names:
            for _ in range(2):
                _use(world, days, habit, _sometime(world, day, 7, 23))


def _mornings(world: World, day: date, days: list[Day], names: set[str]) -> None:
    dice = world.random
    weekend = day.weekday() >= 5
    office = [found for found in days if found.resident.work == "office"] or days
    coffee, radio = _BY_NAME["coffee"], _BY_NAME["radio"]
    if "coffee" not in names:
        _use(world, days, coffee, _sometime(world, day, 6, 17))
    elif not weekend and dice.random() < coffee.adherence:
        _use(world, office[:1], coffee, _about(world, day, time(6, 45), 3))
    elif weekend and dice.random() < 0.5:
        _use(world, days, coffee, _sometime(world, day, 8, 16))
    if "radio" not in names:
        if dice.random() < 0.3:
            _use(world, days, radio, _sometime(world, day, 8, 21))
    elif weekend and dice.random() < radio.adherence:
        _use(world, days, radio, _about(world, day, time(9, 30), 4))


def _evenings(world: World, day: date, days: list[Day], names: set[str]) -> None:
    dice = world.random
    _, down = world.sky.rise_and_set(day)
    lights, blinds = _BY_NAME["living_room_lights"], _BY_NAME["blinds"]
    bedroom = _BY_NAME["bedroom_light_off"]
    if "living_room_lights" in names and dice.random() < lights.adherence:
        _use(world, days, lights, down - 15 * MINUTE + round(dice.gauss(0, 4) * MINUTE), by_app=0.7)
    else:
        _use(world, days, lights, _sometime(world, day, 17, 22), by_app=0.7)
    if "blinds" in names and dice.random() < blinds.adherence:
        _use(world, days, blinds, down + round(dice.gauss(0, 4) * MINUTE), by_app=0.8)
    elif dice.random() < 0.6:
        _use(world, days, blinds, _sometime(world, day, 10, 22), by_app=0.8)
    evening = _sometime(world, day, 20.5, 23)
    world.at(evening, partial(_switch, world, "light.bedroom", "on", None))
    if "bedroom_light_off" in names and dice.random() < bedroom.adherence:
        _use(world, days, bedroom, _about(world, day, time(23, 10), 5))
    else:
        _use(world, days, bedroom, evening + dice.randrange(5 * MINUTE, 3 * HOUR))
    if dice.random() < 0.85:
        start = _sometime(world, day, 18.5, 21.5)
        end = start + round(dice.uniform(0.7, 2.5) * HOUR)
        world.at(start, partial(_switch, world, "media_player.tv", "on", None))
        world.at(end, partial(world.by_hand, "media_player.tv", "off"))


def _washing(world: World, days: list[Day]) -> None:
    """Everybody is in the bathroom twice or so: at any hour they are up, mornings a little more often."""
    dice = world.random
    for day in days:
        moments = [dice.randrange(day.wake, day.sleep) for _ in range(dice.randint(1, 2))]
        if dice.random() < 0.6:
            moments.append(day.wake + dice.randrange(5 * MINUTE, 100 * MINUTE))
        for moment in moments:
            if day.is_in(moment):
                _on_and_off(world, "light.bathroom", moment, dice.randrange(4 * MINUTE, 50 * MINUTE))


def _on_and_off(world: World, entity_id: str, at: int, length: int) -> None:
    def on() -> None:
        if world.somebody_home() and world.states[entity_id] == "off":
            world.by_hand(entity_id, "on")
            world.at(world.now + length, partial(world.by_hand, entity_id, "off"))

    world.at(at, on)


def _ends(world: World, day: date, days: list[Day]) -> None:
    """What was switched on is switched off again, at no particular time."""
    dice = world.random
    for entity_id, state, first, last in (
        ("light.living_room", "off", 21.0, 24.4),
        ("light.hall_lamp", "off", 20.5, 24.4),
        ("light.dim_lamp", "off", 20.0, 24.6),
        ("media_player.kitchen_radio", "off", 10.0, 13.0),
    ):
        who = dice.choice(days).resident if dice.random() < 0.3 else None
        world.at(_sometime(world, day, first, last), partial(_switch, world, entity_id, state, who))


def _switch(world: World, entity_id: str, state: str, who: Resident | None) -> None:
    """Somebody who is in does it: by hand, or `who` in the app."""
    if not world.somebody_home():
        return
    if who is None:
        world.by_hand(entity_id, state)
    else:
        world.by_app(entity_id, state, who)


def _about(world: World, day: date, at: time, minutes: float) -> int:
    return world.sky.local(day, at) + round(world.random.gauss(0, minutes) * MINUTE)


def _sometime(world: World, day: date, first: float, last: float) -> int:
    return world.sky.hour(day, world.random.uniform(first, last))


def _use(world: World, days: list[Day], habit: Planted, at: int, by_app: float = 0.35) -> None:
    """Somebody who is in then does it, by hand or in the app."""
    dice = world.random
    app, order = dice.random() < by_app, dice.sample(days, len(days))

    def act() -> None:
        present = [day.resident for day in order if day.resident.slug in world.home]
        if not present or world.states[habit.target] == habit.to_state:
            return
        if app:
            world.by_app(habit.target, habit.to_state, present[0])
        else:
            world.by_hand(habit.target, habit.to_state)

    world.at(at, act)
