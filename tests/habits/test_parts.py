"""The parts of the miner, each by itself, from cleaning to the worker's door."""

import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from app.clock import to_ms
from app.errors import InputError
from app.events import Event, Events, Int64
from app.habits.automation import actions_of, automation_of, clock_text
from app.habits.days import observe
from app.habits.habit import Conditions, Habit, Trigger, When
from app.habits.known import known_effects
from app.habits.localtime import DAY_MS, LocalTime, day_of
from app.habits.replay import play_clock, play_reactive
from app.habits.safety import CONFIRM, LOW, NEVER, judge
from app.habits.snapshot import Snapshot, encode_snapshot, frame, read_snapshot, thinned
from app.habits.suggestion import Analysis
from app.habits.targets import Target, find_targets
from app.habits.timeline import Timeline
from app.habits.worker import analyse
from app.model import Automation, Cause, Entity, Home
from tests.habits.stories import Story, null_home

MINUTE = 60_000
START = to_ms(datetime(2026, 1, 5, tzinfo=UTC))


def events(*rows: tuple[str, str, float]) -> Events:
    """Return events by hand at seconds after START."""
    return Events.of(
        Event(entity, state, START + round(second * 1000), Cause.HAND) for entity, state, second in rows
    )


def states(timeline: Timeline, entity: str) -> list[tuple[str, bool]]:
    rows = timeline.rows(timeline.entities.index(entity))
    return [
        (timeline.states[code], bool(real))
        for code, real in zip(timeline.state[rows].tolist(), timeline.real[rows].tolist(), strict=True)
    ]


def test_flaps_and_repeats_are_no_events() -> None:
    timeline = Timeline.of(
        events(("light.a", "off", 0), ("light.a", "off", 5), ("light.a", "on", 10), ("light.a", "off", 11.5),
               ("light.a", "on", 100))
    )  # fmt: skip
    assert states(timeline, "light.a") == [("off", False), ("on", True)]


def test_coming_back_from_unavailable_is_no_act() -> None:
    timeline = Timeline.of(
        events(("light.a", "off", 0), ("light.a", "unavailable", 100), ("light.a", "on", 200),
               ("light.a", "off", 900))
    )  # fmt: skip
    assert states(timeline, "light.a") == [("off", False), ("on", False), ("off", True)]


def test_the_minutes_after_a_restart_are_blacked_out() -> None:
    rows = [(f"light.{i}", "off", 0.0) for i in range(5)]
    rows += [(f"light.{i}", "unavailable", 1000.0 + i) for i in range(5)]
    rows += [(f"light.{i}", "off", 1060.0) for i in range(5)]
    rows += [("light.0", "on", 1200.0), ("light.0", "off", 5000.0)]
    timeline = Timeline.of(events(*rows))
    assert states(timeline, "light.0") == [("off", False), ("on", False), ("off", True)]


def test_what_begins_as_unknown_was_never_there_to_go_away() -> None:
    added = [(f"sensor.{i}", word, 1000.0 + i) for i, word in enumerate(("unknown", "unavailable") * 3)]
    timeline = Timeline.of(
        events(("light.a", "off", 0), *added, ("light.a", "on", 1200.0), ("light.a", "off", 5000.0))
    )
    assert states(timeline, "light.a") == [("off", False), ("on", True), ("off", True)]


def test_after_a_restart_a_persons_account_is_still_believed() -> None:
    rows = [(f"light.{i}", "off", 0.0) for i in range(5)]
    rows += [(f"light.{i}", "unavailable", 1000.0) for i in range(1, 5)]
    rows += [("light.0", "on", 1200.0), ("light.0", "off", 1250.0)]
    whole = events(*rows)
    cause = whole.cause.copy()
    cause[whole.at == START + 1_250_000] = Cause.PERSON
    timeline = Timeline.of(replace(whole, cause=cause))
    assert states(timeline, "light.0") == [("off", False), ("on", False), ("off", True)]


def test_a_cover_is_closed_when_it_begins_to_close() -> None:
    timeline = Timeline.of(
        events(("cover.a", "open", 0), ("cover.a", "closing", 100), ("cover.a", "closed", 130))
    )
    rows = timeline.rows(0)
    assert [code for code, _ in states(timeline, "cover.a")] == ["open", "closed"]
    assert int(timeline.at[rows][1]) == START + 100_000


def test_local_days_and_minutes_hold_across_both_clock_changes() -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    instants = [datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=7 * i) for i in range(1300)]
    at = np.array([to_ms(instant) for instant in instants], np.int64)
    local = LocalTime.over(zone, int(at[0]), int(at[-1]))
    walls = [instant.astimezone(zone) for instant in instants]
    assert [day_of(int(n)) for n in local.days(at)] == [wall.date() for wall in walls]
    assert np.allclose(local.minutes(at), [wall.hour * 60 + wall.minute for wall in walls])
    days = local.days(at)
    seven = local.instants(days, 420.0)
    assert [
        datetime.fromtimestamp(ms / 1000, zone).strftime("%H:%M") for ms in seven.tolist()
    ] == ["07:00"] * len(at)  # fmt: skip


def test_a_time_that_the_clock_skips_still_has_an_instant() -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    day = (date(2026, 3, 29) - date(1970, 1, 1)).days
    local = LocalTime.over(zone, day * DAY_MS, (day + 1) * DAY_MS)
    (at,) = local.instants(np.array([day], np.int64), 150.0).tolist()
    assert datetime.fromtimestamp(at / 1000, zone).date() == date(2026, 3, 29)


def test_downtime_is_not_observed() -> None:
    story = Story(20, seed=1)
    story.heartbeat(every=10)
    start, end = to_ms(story.at(5, 0)), to_ms(story.at(7, 0))
    story.events = [event for event in story.events if not start <= event.at < end]
    snapshot = story.snapshot()
    local = LocalTime.over(story.zone, snapshot.events.at[0], snapshot.events.at[-1])
    days = observe(snapshot.events, Timeline.of(snapshot.events), local, to_ms(snapshot.as_of))
    assert np.flatnonzero(~days.observed).tolist() == [5, 6]
    assert not days.watched(np.array([start + DAY_MS // 2], np.int64))[0]


def test_a_group_and_its_lamps_are_one_target_by_the_groups_name() -> None:
    story = Story(20, seed=1)
    story.entity("light.group", members=("light.a", "light.b"))
    for day in story.every_day():
        for lamp in ("light.a", "light.b", "light.group"):
            story.set(lamp, "on", story.at(day, 600 + day))
            story.set(lamp, "off", story.at(day, 700 + 2 * day))
    snapshot = story.snapshot()
    timeline = Timeline.of(snapshot.events)
    local = LocalTime.over(story.zone, snapshot.events.at[0], snapshot.events.at[-1])
    days = observe(snapshot.events, timeline, local, to_ms(snapshot.as_of))
    targets = find_targets(snapshot, timeline, days)
    assert sorted((target.entities, target.state) for target in targets) == [
        (("light.group",), "off"),
        (("light.group",), "on"),
    ]


def test_a_group_that_is_on_because_one_lamp_is_was_not_turned_on_by_anybody() -> None:
    story = Story(20, seed=1)
    story.entity("light.group", members=("light.a", "light.b"))
    for day in story.every_day():
        for name in ("light.a", "light.group"):
            story.set(name, "on", story.at(day, 600 + day))
        if day % 3 == 0:
            story.set("light.b", "on", story.at(day, 630 + day))
            story.set("light.b", "off", story.at(day, 660 + day))
        for name in ("light.a", "light.group"):
            story.set(name, "off", story.at(day, 700 + 2 * day))
    snapshot = story.snapshot()
    timeline = Timeline.of(snapshot.events)
    local = LocalTime.over(story.zone, snapshot.events.at[0], snapshot.events.at[-1])
    days = observe(snapshot.events, timeline, local, to_ms(snapshot.as_of))
    on = {target.entities for target in find_targets(snapshot, timeline, days) if target.state == "on"}
    assert on == {("light.a",), ("light.b",)}


def lamp(*stays: tuple[float, float], machine: tuple[float, ...] = ()) -> Target:
    """Return a lamp that was on for those stretches (minutes after START)."""
    flips = np.array([at for stay in stays for at in stay], np.float64) * MINUTE + START
    on = np.array([stay[0] for stay in stays], np.float64) * MINUTE + START
    by_machine = np.isin(on, np.array(machine, np.float64) * MINUTE + START)
    held = np.array([stay[1] - stay[0] for stay in stays])
    people: Int64 = on[~by_machine].astype(np.int64)
    meant: Int64 = on[~by_machine & (held >= 2)].astype(np.int64)
    return Target(
        ("light.a",), "on", flips.astype(np.int64), np.arange(len(flips)) % 2 == 0, meant, people,
        on[by_machine].astype(np.int64),
    )  # fmt: skip


def at_minutes(*minutes: float) -> Int64:
    return (np.array(minutes, np.float64) * MINUTE).astype(np.int64) + START


def test_a_reactive_fire_is_wanted_up_to_a_quarter_of_an_hour_before_the_act() -> None:
    target = lamp((100, 130), (300, 330))
    played = play_reactive(at_minutes(86, 284), target, target.acts)
    assert (len(played.wanted), len(played.unwanted), len(played.missed)) == (1, 1, 1)


def test_a_fire_just_after_the_act_is_wanted_and_a_later_one_is_without_effect() -> None:
    target = lamp((100, 130))
    played = play_reactive(at_minutes(101.5, 110), target, target.acts)
    assert (len(played.wanted), len(played.unwanted), played.without_effect) == (1, 0, 1)
    assert played.coverage == 1.0


def test_having_fired_it_finds_things_done_until_someone_changes_them() -> None:
    target = lamp((1000, 1030), (2000, 2030))
    played = play_reactive(at_minutes(100, 200, 300, 400, 1995), target, target.acts)
    assert (len(played.wanted), len(played.unwanted), played.without_effect) == (1, 1, 3)
    assert len(played.missed) == 1


def test_a_fire_that_is_taken_back_at_once_is_unwanted() -> None:
    target = lamp((100, 101))
    played = play_reactive(at_minutes(99), target, target.acts)
    assert (len(played.wanted), len(played.unwanted)) == (0, 1)


def test_what_a_machine_does_anyway_makes_a_fire_neither_good_nor_bad() -> None:
    target = lamp((100, 130), machine=(100.0,))
    played = play_reactive(at_minutes(99), target, target.acts)
    assert (len(played.wanted), len(played.unwanted), played.without_effect) == (0, 0, 1)


def test_a_clock_fire_is_wanted_within_a_quarter_of_an_hour_on_either_side() -> None:
    target = lamp((100, 130), (1550, 1600), (2880 + 140, 2880 + 150))
    fires = at_minutes(110, 1540, 2880 + 110)
    played = play_clock(fires, target, target.acts, 120 * MINUTE)
    assert (len(played.wanted), len(played.unwanted), len(played.missed)) == (2, 1, 1)


def test_a_clock_fire_that_finds_it_done_is_counted_apart() -> None:
    target = lamp((10, 300))
    played = play_clock(at_minutes(200), target, target.acts, 60 * MINUTE)
    assert (played.fires, played.without_effect) == (0, 1)


@pytest.mark.parametrize(
    ("entity_id", "device_class", "state", "risk"),
    [
        ("light.kitchen", None, "on", LOW),
        ("lock.front", None, "locked", CONFIRM),
        ("lock.front", None, "unlocked", NEVER),
        ("cover.blind", "blind", "open", CONFIRM),
        ("cover.garage", "garage", "open", NEVER),
        ("cover.side_gate", None, "open", NEVER),
        ("cover.garage", "garage", "closed", CONFIRM),
        ("switch.iron", None, "on", NEVER),
        ("switch.iron", None, "off", LOW),
        ("switch.space_heater", None, "on", NEVER),
        ("switch.door_opener", None, "on", NEVER),
        ("switch.freezer", None, "off", NEVER),
        ("switch.kettle", None, "on", CONFIRM),
        ("switch.dishwasher", None, "on", CONFIRM),
        ("switch.block_lamp", None, "on", LOW),
        ("valve.water", None, "open", NEVER),
        ("water_heater.tank", None, "eco", NEVER),
        ("alarm_control_panel.home", None, "disarmed", NEVER),
        ("climate.hall", None, "heat", CONFIRM),
    ],
)
def test_the_safety_table(entity_id: str, device_class: str | None, state: str, risk: str) -> None:
    verdict = judge(Entity(entity_id=entity_id, device_class=device_class), state)
    assert verdict.risk == risk
    assert bool(verdict.why) == (risk != LOW)


def test_actions_go_by_domain() -> None:
    empty = np.empty(0, np.int64)
    mixed = Target(("light.a", "switch.b"), "on", empty, empty.astype(np.bool_), empty, empty, empty)
    assert [action["action"] for action in actions_of(mixed)] == ["light.turn_on", "switch.turn_on"]
    climate = Target(("climate.a",), "heat", empty, empty.astype(np.bool_), empty, empty, empty)
    assert actions_of(climate)[0]["data"] == {"hvac_mode": "heat"}


def test_a_delay_that_the_state_outlasts_is_a_for() -> None:
    target = lamp((1, 2))
    trigger = Trigger("binary_sensor.m", "off", "on", delay=300, held=True)
    habit = Habit("trigger", target, trigger=trigger, conditions=Conditions(away=30, hours=(1320, 360)))
    automation = automation_of(habit, "x")
    assert automation["triggers"][0]["for"] == "00:05:00"
    assert automation["conditions"][0] == {"condition": "time", "after": "22:00:00", "before": "06:00:00"}
    assert automation["conditions"][1]["for"] == "00:30:00"
    waiting = Habit("trigger", target, trigger=Trigger("binary_sensor.m", "off", "on", 300))
    assert automation_of(waiting, "x")["actions"][0] == {"delay": "00:05:00"}


def test_an_offset_before_the_sun_is_negative() -> None:
    habit = Habit("sun", lamp((1, 2)), when=When("sunset", -15, "daily"))
    assert automation_of(habit, "x")["triggers"] == [
        {"trigger": "sun", "event": "sunset", "offset": "-00:15:00"}
    ]
    assert clock_text(3723) == "01:02:03"


def test_automations_are_read_through_areas_groups_and_old_keys() -> None:
    home = Home(
        entities=(
            Entity(entity_id="light.a", area_id="hall"),
            Entity(entity_id="light.g", members=("light.b",)),
        ),
        automations=(
            Automation(
                entity_id="automation.x",
                alias="X",
                config={
                    "trigger": {"platform": "state", "entity_id": "binary_sensor.m"},
                    "action": [
                        {"service": "light.turn_on", "target": {"area_id": "hall"}},
                        {"if": [], "then": [{"service": "light.turn_off", "entity_id": "light.g"}]},
                    ],
                },
            ),
        ),
    )
    effects = {(tuple(sorted(effect.entities)), effect.state) for effect in known_effects(home)}
    assert effects == {(("light.a",), "on"), (("light.b", "light.g"), "off")}


def streamed(story: Story) -> io.BytesIO:
    snapshot: Snapshot = story.snapshot()
    stream = io.BytesIO()
    stream.write(encode_snapshot(snapshot.home, snapshot.as_of, explain=True))
    for day in range(story.days):
        part = snapshot.events.between(to_ms(story.at(day, 0)), to_ms(story.at(day + 1, 0)))
        stream.write(frame(part.encode()))
    stream.seek(0)
    return stream


def test_the_worker_says_the_same_as_the_function() -> None:
    story = null_home(2, days=20)
    story.habit("light.kitchen", 7 * 60, spread=4)
    told: list[tuple[str, int, int]] = []
    answer = analyse(streamed(story), lambda step, done, of: told.append((step, done, of)))
    assert Analysis.model_validate_json(answer) == story.mined()
    assert told[-1][1] == told[-1][2]
    assert json.loads(answer)["suggestions"][0]["automation"]["mode"] == "single"


def test_a_damaged_snapshot_is_refused() -> None:
    whole = streamed(Story(2)).getvalue()
    for broken in (
        b"",
        b"\x01",
        whole[:20],
        frame(b"{}"),
        whole + frame(b"no block"),
        whole + b"\xff\xff\xff\xff",
    ):
        with pytest.raises(InputError):
            read_snapshot(io.BytesIO(broken))


def test_numeric_streams_are_thinned_and_still_counted() -> None:
    rows = [Event("sensor.power", str(i), START + i * 1000) for i in range(600)]
    rows += [Event("light.a", "on", START + 5), Event("light.a", "off", START + 6)]
    thin = thinned(Events.of(rows))
    assert len(thin) == 2 + 1 + 2
    stream = io.BytesIO(
        encode_snapshot(Home(), datetime(2027, 1, 1, tzinfo=UTC)) + frame(Events.of(rows).encode())
    )
    assert read_snapshot(stream).rows == 602
