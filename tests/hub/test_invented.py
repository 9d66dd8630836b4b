import ast
from bisect import bisect_right
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import app.hub.invented
from app.clock import TurnedClock, from_ms, to_ms
from app.events import NUMERIC, Event, Events
from app.hub.invented import Faults, Invented, InventedSource, Plan, Planted, invent, invent_as
from app.hub.invented.people import vacation
from app.hub.invented.world import Sky
from app.hub.source import HomeSource
from app.model import Cause


@pytest.fixture(scope="module")
def invented() -> Invented:
    return invent()


@cache
def words_of(events: Events) -> list[Event]:
    return list(events.take(events.state != NUMERIC).rows())


def acts_of(invented: Invented, entity_id: str, state: str) -> list[Event]:
    return [
        row
        for row in words_of(invented.events)
        if row.entity_id == entity_id and row.state == state and row.cause is not Cause.UNKNOWN
    ]


def same(one: Events, other: Events) -> bool:
    return one.compact().encode() == other.compact().encode()


def test_thirty_days_are_big() -> None:
    made = invent()
    assert len(made.events) >= 150_000
    assert (made.events.at[-1] - made.events.at[0]) / 86_400_000 >= 29.9
    assert len({row.entity_id for row in made.events.rows()}) == len(made.home.entities)


def test_the_home_says_that_it_is_invented(invented: Invented) -> None:
    home = invented.home
    assert home.demo
    assert home.name == "Demo home"
    assert all("demo" in person.name for person in home.persons)
    assert (home.time_zone, home.place) == ("Europe/Amsterdam", (52.37, 4.89))


def test_the_same_seed_gives_the_same_home_and_another_one_another(invented: Invented) -> None:
    assert same(invent().events, invented.events)
    assert not same(invent(seed=8).events, invented.events)


def test_a_longer_past_begins_like_a_shorter_one() -> None:
    plan = Plan(first_day=date(2026, 3, 20), until=datetime(2026, 4, 3, 15, 20, tzinfo=UTC))
    longer = invent_as(replace(plan, until=datetime(2026, 4, 6, 9, 0, tzinfo=UTC))).events
    shorter = invent_as(plan).events
    assert len(longer) > len(shorter)
    end = to_ms(plan.until) - 60_000  # a sensor that reports in the last minute may not have known it yet
    assert same(longer.between(0, end), shorter.between(0, end))


def test_nothing_happens_at_or_after_the_end() -> None:
    until = datetime(2026, 7, 1, 10, 30, tzinfo=UTC)
    assert invent(days=3, until=until).events.at[-1] < to_ms(until)


def test_people_hands_and_machines_all_act_and_machines_are_named(invented: Invented) -> None:
    acts = [row for row in words_of(invented.events) if row.cause is not Cause.UNKNOWN]
    users = {person.user_id for person in invented.home.persons if person.user_id}
    machines = {automation.entity_id for automation in invented.home.automations}
    machines |= {user.id for user in invented.home.users if user.system_generated}
    assert {row.cause for row in acts} == {Cause.PERSON, Cause.HAND, Cause.MACHINE}
    assert {row.actor for row in acts if row.cause is Cause.PERSON} == users
    assert {row.actor for row in acts if row.cause is Cause.HAND} == {""}
    assert {row.actor for row in acts if row.cause is Cause.MACHINE} == machines


def test_every_automation_has_a_configuration_and_an_echo(invented: Invented) -> None:
    for automation in invented.home.automations:
        assert automation.config["triggers"]
        (action,) = automation.config["actions"]
        echoes = [row for row in words_of(invented.events) if row.actor == automation.entity_id]
        assert len(echoes) > 15, automation.entity_id
        assert {row.entity_id for row in echoes} == {action["target"]["entity_id"]}


def test_a_groups_members_echo_it_within_a_second_and_share_its_context(invented: Invented) -> None:
    (group,) = (entity for entity in invented.home.entities if entity.members)
    by_context = defaultdict(list)
    for row in words_of(invented.events):
        if row.context:
            by_context[row.context].append(row)
    presses = [rows for rows in by_context.values() if {row.entity_id for row in rows} > set(group.members)]
    assert len(presses) > 20
    assert all(max(row.at for row in rows) - min(row.at for row in rows) < 1000 for rows in presses)


def test_the_clocks_habits_are_kept_as_often_and_as_punctually_as_the_truth_says(invented: Invented) -> None:
    away = vacation(Plan())
    assert away is not None
    sky = Sky(Plan())
    for habit in (habit for habit in invented.truth if habit.kind != "trigger"):
        days = [day for day in Plan().days()[:-1] if not away[0] <= day <= away[1] and is_due(habit, day)]
        acts = [row.at for row in acts_of(invented, habit.target, habit.to_state)]
        days = [day for day in days if is_chance(invented.events, habit, moment(habit, sky, day))]
        kept = [day for day in days if any(abs(at - moment(habit, sky, day)) < 15 * 60_000 for at in acts)]
        assert len(days) >= 7, habit.name
        assert habit.adherence - 0.17 <= len(kept) / len(days), habit.name


def is_due(habit: Planted, day: date) -> bool:
    return habit.days == "all" or (day.weekday() >= 5) == (habit.days == "weekend")


def is_chance(events: Events, habit: Planted, at: int) -> bool:
    """Somebody is in, and the thing is not so already."""
    last = {row.entity_id: row.state for row in words_of(events) if row.at < at - 15 * 60_000}
    in_ = any(last[name] == "home" for name in last if name.startswith("person."))
    return in_ and last[habit.target] != habit.to_state


def moment(habit: Planted, sky: Sky, day: date) -> int:
    if habit.at is not None:
        hour, minute = map(int, habit.at.split(":"))
        return sky.hour(day, hour + minute / 60)
    return sky.rise_and_set(day)[1] + (habit.offset_minutes or 0) * 60_000


def test_what_follows_a_trigger_does_so_as_often_and_as_fast_as_the_truth_says(invented: Invented) -> None:
    sky = Sky(Plan())
    rows = words_of(invented.events)
    for habit in (habit for habit in invented.truth if habit.trigger):
        state, chances, kept = "off", 0, 0
        acts = [row.at for row in acts_of(invented, habit.target, habit.to_state)]
        for row in rows:
            if row.entity_id == habit.target:
                state = row.state
            elif (row.entity_id, row.state) == habit.trigger and state == "off":
                if habit.condition == "it is dark" and not sky.is_dark(row.at):
                    continue
                place = bisect_right(acts, row.at)
                chances += 1
                kept += place < len(acts) and acts[place] - row.at <= (habit.within_seconds or 0) * 1000
        assert chances >= 15, habit.name
        # A contact that chatters and a hall crossed by somebody who leaves are chances nobody could take.
        assert habit.adherence - 0.2 <= kept / chances <= habit.adherence + 0.1, habit.name


def test_there_are_nine_habits_of_three_kinds(invented: Invented) -> None:
    assert len(invented.truth) == 9
    assert {habit.kind for habit in invented.truth} == {"clock", "sun", "trigger"}
    assert {habit.days for habit in invented.truth} == {"all", "workdays", "weekend"}
    assert all(0.75 <= habit.adherence <= 0.95 for habit in invented.truth)


def test_nobody_acts_during_the_vacation(invented: Invented) -> None:
    away = vacation(Plan())
    assert away is not None
    zone = invented.home.zone
    inside = [
        row
        for row in words_of(invented.events)
        if row.cause in {Cause.PERSON, Cause.HAND}
        and away[0] < from_ms(row.at).astimezone(zone).date() < away[1]
    ]
    assert [row for row in inside if row.state != "off"] == []
    assert len(inside) <= 3


def test_a_restart_makes_everything_unavailable_and_brings_it_back(invented: Invented) -> None:
    by_moment = defaultdict(set)
    for row in words_of(invented.events):
        if row.state == "unavailable":
            by_moment[row.at].add(row.entity_id)
    restarts = [names for names in by_moment.values() if len(names) > 40]
    assert len(restarts) >= 3
    silences = np.diff(invented.events.at).max() / 3_600_000
    assert silences >= 3.9  # the outage


def test_a_home_without_habits_has_the_acts_but_not_the_hours() -> None:
    null = invent_as(Plan(habits=frozenset()))
    assert null.truth == ()
    acts = acts_of(null, "switch.coffee_machine", "on")
    assert len(acts) >= 10
    zone = null.home.zone
    hours = [from_ms(row.at).astimezone(zone).hour for row in acts]
    assert len(set(hours)) >= 6


def test_single_habits_faults_and_the_vacation_can_be_left_out() -> None:
    plan = Plan(
        habits=frozenset({"coffee"}),
        vacation_days=0,
        faults=Faults(restarts=0, outage_hours=0, flapping=False),
    )
    made = invent_as(plan)
    assert [habit.name for habit in made.truth] == ["coffee"]
    assert not any(row.state == "unavailable" for row in words_of(made.events))
    assert vacation(plan) is None


def test_far_north_where_the_sun_stays_up_a_home_can_be_invented_too() -> None:
    plan = Plan(
        first_day=date(2026, 6, 15), until=datetime(2026, 6, 20, tzinfo=UTC),
        zone="Europe/Oslo", latitude=69.65, longitude=18.96,
    )  # fmt: skip
    assert len(invent_as(plan).events) > 10_000


async def test_the_source_gives_one_slice_a_day_and_never_the_future() -> None:
    clock = TurnedClock(datetime(2026, 5, 20, 13, 0, tzinfo=UTC))
    source: HomeSource = InventedSource(clock, days=5)
    home = await source.describe()
    since = clock.now() - timedelta(days=3)
    slices = [found async for found in source.history(home, since, clock.now() + timedelta(days=1))]
    assert len(slices) == 5
    assert slices[-1].until == clock.now() + timedelta(days=1)
    joined = Events.join([found.events for found in slices])
    assert to_ms(since) <= joined.at[0]
    assert joined.at[-1] < to_ms(clock.now())
    await source.close()


async def test_the_sources_past_grows_with_the_clock_and_stays_as_it_was() -> None:
    clock = TurnedClock(datetime(2026, 5, 20, 13, 0, tzinfo=UTC))
    source = InventedSource(clock, days=3)
    home = await source.describe()
    since, noon = clock.now() - timedelta(days=2), clock.now()
    before = Events.join([found.events async for found in source.history(home, since, noon)])
    await clock.turn(timedelta(days=1))
    after = Events.join([found.events async for found in source.history(home, since, clock.now())])
    assert len(after) > len(before)
    end = to_ms(noon) - 60_000
    assert same(after.between(0, end), before.between(0, end))


def test_it_is_made_without_knowing_the_miner() -> None:
    folder = Path(app.hub.invented.__file__).parent
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.startswith("app.habits") for name in names), file.name
