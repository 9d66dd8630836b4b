"""Puts the invented home together."""

from datetime import UTC, datetime, timedelta

from app.clock import to_ms
from app.events import Events
from app.hub.invented import habits, machines, people, streams
from app.hub.invented.house import first_states, groups, home_of
from app.hub.invented.plan import Invented, Plan
from app.hub.invented.world import World
from app.model import zone_of

_UNTIL = datetime(2026, 11, 8, tzinfo=UTC)
"""Where a past ends that is to be the same whenever it is asked for; the end of summer time lies in it."""


def plan_of(seed: int, days: int, until: datetime) -> Plan:
    """Return the plan of a home whose past began that many days before `until`, at midnight."""
    if days < 1:
        raise ValueError("an invented past has at least one day")
    first = until.astimezone(zone_of(Plan().zone)).date() - timedelta(days=days)
    return Plan(seed=seed, first_day=first, until=until)


def invent(seed: int = 7, days: int = 30, until: datetime | None = None) -> Invented:
    """Return an invented home with at least that many days of history before `until` (exclusive).

    The same arguments give the same home. Thirty days are about 190,000 state changes.
    """
    return invent_as(plan_of(seed, days, until or _UNTIL))


def invent_as(plan: Plan) -> Invented:
    """Return the home that the plan describes."""
    world = World(plan, first_states(plan), groups())
    machines.install(world)
    habits.install(world)
    days, end = plan.days(), to_ms(plan.until)
    world.now = world.sky.hour(days[0], 0)
    world.come_up()
    for day in days:
        world.begin_day(day)
        machines.begin_day(world, day)
        machines.begin_faults(world, plan, day)
        lives = [people.day_of(world, resident, day) for resident in plan.residents]
        for life in lives:
            people.live(world, life)
        people.do_this_and_that(world, day, lives)
        habits.begin_day(world, day, lives)
        world.run(min(world.sky.hour(day, 24), end))
    numbers = streams.measured(plan, world.sky, days, world.rows, world.downtimes)
    events = Events.join([Events.of(world.rows), numbers]).between(0, end)
    return Invented(home_of(plan), events.compact(), habits.planted_in(plan))
