"""Puts many invented homes together."""

from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np

from app.clock import to_ms
from app.events import NO_ACTOR, Events
from app.hub.invented.many import streams
from app.hub.invented.many.house import first_states, home_of
from app.hub.invented.many.keeping import Keeping
from app.hub.invented.many.life import Life
from app.hub.invented.many.machines import run_rule
from app.hub.invented.many.plans import ManyPlan, plan_of_many
from app.hub.invented.many.scene import Scene
from app.hub.invented.many.truth import ManyHome
from app.hub.invented.world import World
from app.model import Cause


def homes(seeds: Iterable[int], *, null: bool = False) -> Iterator[ManyHome]:
    """Yield the home of each seed."""
    for seed in seeds:
        yield many_as(plan_of_many(seed, null=null))


def many_as(many: ManyPlan) -> ManyHome:
    """Return the home that the plan describes, with its truth."""
    plan, house = many.plan, many.house
    world = World(plan, first_states(plan, house), house.groups())
    scene = Scene(many, world)
    life = Life(scene)
    habits = [Keeping(scene, habit, len(many.days)) for habit in many.habits]
    humidity = streams.Humidity(scene, habits) if house.has(streams.HUMIDITY) else None
    for rule in many.rules:
        run_rule(scene, rule, None)
    world.now = world.sky.hour(many.days[0], 0)
    world.come_up()
    end = to_ms(plan.until)
    for place, day in enumerate(many.days):
        world.begin_day(day)
        for fallen, hour, length in many.downtimes:
            if fallen == place:
                world.at(world.sky.hour(day, hour), partial(world.restart, length * 3600))
        life.begin_day(day)
        for rule in many.rules:
            run_rule(scene, rule, day)
        for keeping in habits:
            keeping.begin_day(day, place)
            streams.warn_of_heat(many, keeping, day)
        if humidity is not None:
            humidity.begin_day(day)
        world.run(min(world.sky.hour(day, 24), end))
    events = Events.join([Events.of(world.rows), streams.measured(many, world, humidity)]).between(0, end)
    home = home_of(plan, house)
    if not many.causes_known:
        events = _without_causes(events)
        home = home.model_copy(update={"automations": tuple(one for one in home.automations if one.config)})
    machine = {(row.entity_id, row.state) for row in world.rows if row.cause is Cause.MACHINE}
    return ManyHome(
        plan.seed, home, events.compact(), end, len(many.days), many.causes_known, many.habits,
        tuple(keeping.kept() for keeping in habits), frozenset(machine),
        frozenset(rule.step for rule in many.rules if rule.automation.config),
    )  # fmt: skip


def _without_causes(events: Events) -> Events:
    size = len(events)
    return Events(
        events.entities, events.states, (), events.entity, events.state, events.value, events.at,
        np.zeros(size, np.uint8), np.zeros(size, np.int64), np.full(size, NO_ACTOR, np.int32),
    )  # fmt: skip
