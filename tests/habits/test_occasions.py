"""Which occasion a habit is told by, where several come before the same acts."""

from datetime import timedelta

import numpy as np
import pytest

from app.clock import from_ms, to_ms
from app.events import Event, Events
from app.habits.habit import TRIGGER, Conditions, Habit, Trigger
from app.habits.merge import explain_away
from app.habits.numbers import Measuring
from app.habits.replay import Played
from app.habits.suggestion import Analysis, Suggestion
from app.habits.targets import Target
from app.model import Cause
from tests.habits.kinds import comings_and_goings
from tests.habits.stories import Story, null_home


def about(analysis: Analysis, entity_id: str, state: str) -> list[Suggestion]:
    return [
        one
        for one in analysis.suggestions
        if entity_id in one.habit["entities"] and one.habit["state"] == state
    ]


def triggers(analysis: Analysis, entity_id: str, state: str) -> list[str]:
    found = about(analysis, entity_id, state)
    return [str(part["entity_id"]) for one in found for part in one.automation["triggers"]]


def two_go_off_when_the_last_leaves(seed: int = 51) -> Story:
    story = null_home(seed, days=60)
    dice = story.random
    for gone, back in comings_and_goings(story):
        off = from_ms(gone) + timedelta(seconds=float(dice.uniform(20, 50)))
        kept = dice.random() < 0.78
        for entity_id in ("light.den", "light.loft"):
            story.set(entity_id, "on", from_ms(gone) - timedelta(minutes=float(dice.uniform(5, 60))))
            if not kept:
                off = from_ms(back) + timedelta(minutes=float(dice.uniform(60, 240)))
            story.set(entity_id, "off", off, Cause.PERSON)
            # Not at once: these are two presses.
            off += timedelta(seconds=float(dice.uniform(8, 30)))
    return story


def test_of_two_things_that_go_off_when_the_last_leaves_neither_is_told_by_the_other() -> None:
    analysis = two_go_off_when_the_last_leaves().mined()
    assert triggers(analysis, "light.den", "off") == ["zone.home"]
    assert triggers(analysis, "light.loft", "off") == ["zone.home"]


def the_last_is_often_the_same(seed: int = 126) -> Story:
    story = Story(60, seed=seed)
    story.heartbeat()
    dice = story.random
    for day in story.every_day():
        gone = {
            "ana": story.at(day, 480 + dice.normal(0, 40)),
            "ben": story.at(day, 480 + dice.normal(0, 40)),
        }
        for name, when in gone.items():
            story.set(f"person.{name}", "not_home", when, Cause.UNKNOWN)
            story.set(f"person.{name}", "home", story.at(day, 1050 + dice.normal(0, 60)), Cause.UNKNOWN)
        last = max(gone, key=lambda name: gone[name])
        if dice.random() < 0.85:
            story.set("light.hall", "on", gone[last] - timedelta(minutes=float(dice.uniform(5, 40))))
            off = gone[last] + timedelta(seconds=float(dice.uniform(20, 60)))
            story.set("light.hall", "off", off, Cause.PERSON)
        else:
            story.set("light.hall", "on", gone[last] - timedelta(minutes=float(dice.uniform(5, 40))))
            story.set("light.hall", "off", gone[last] + timedelta(hours=3))
    return story


def test_the_home_is_empty_whoever_leaves_last() -> None:
    assert triggers(the_last_is_often_the_same().mined(), "light.hall", "off") == ["zone.home"]


def door_and_lock(seed: int = 54) -> Story:
    story = null_home(seed, days=60)
    story.events = [one for one in story.events if "front_door" not in one.entity_id]
    dice = story.random
    for day in story.every_day():
        for minute in np.sort(dice.uniform(420, 1320, 3)).tolist():
            at = story.at(day, minute)
            if dice.random() < 0.6:
                story.set("lock.front", "unlocked", at - timedelta(seconds=float(dice.uniform(4, 6))))
                story.set("lock.front", "locked", at + timedelta(seconds=40))
            story.set("binary_sensor.front", "on", at, Cause.UNKNOWN)
            story.set("binary_sensor.front", "off", at + timedelta(seconds=20), Cause.UNKNOWN)
            if dice.random() < 0.85:
                on = at + timedelta(seconds=float(dice.uniform(5, 12)))
                story.set("light.porch", "on", on, Cause.HAND)
                story.set("light.porch", "off", on + timedelta(minutes=float(dice.uniform(5, 50))))
    return story


def test_a_lock_that_is_turned_before_most_doors_stands_for_the_door() -> None:
    analysis = door_and_lock().mined()
    assert triggers(analysis, "light.porch", "on") == ["['binary_sensor.front']"]


def lamp_by_motion() -> Story:
    """An automation of which only the work is seen turns on a lamp with motion; people then the ceiling."""
    story = null_home(54, days=40)
    story.motion("binary_sensor.bed", 6)
    seen = [one for one in story.events if one.entity_id == "binary_sensor.bed" and one.state == "on"]
    busy = 0
    for event in sorted(seen, key=lambda one: one.at):
        if event.at < busy:
            continue
        moment = from_ms(event.at)
        on = moment + timedelta(seconds=float(story.random.uniform(5, 15)))
        off = on + timedelta(minutes=float(story.random.uniform(10, 40)))
        story.set("light.bed_lamp", "on", moment + timedelta(milliseconds=300), Cause.MACHINE)
        story.set("light.bed_lamp", "off", off, Cause.MACHINE)
        if story.random.random() < 0.9:
            story.set("light.bed_ceiling", "on", on)
            story.set("light.bed_ceiling", "off", off)
        busy = to_ms(off) + 1000
    return story


def test_what_follows_an_automations_lamp_follows_the_sensor() -> None:
    analysis = lamp_by_motion().mined()
    assert triggers(analysis, "light.bed_ceiling", "on") == ["['binary_sensor.bed']"]


def kettle(minutes: float, spread: float) -> Story:
    story = null_home(55)
    story.entity("switch.kettle", name="Kettle", device_class="outlet")
    for day in story.every_day():
        for at in (float(story.random.uniform(420, 700)), float(story.random.uniform(900, 1250))):
            on = story.at(day, at)
            stay = story.random.normal(minutes, spread) if story.random.random() < 0.9 else minutes * 2.5
            story.set("switch.kettle", "on", on)
            story.set("switch.kettle", "off", on + timedelta(minutes=float(stay)))
    return story


@pytest.mark.parametrize(("minutes", "spread", "offered"), [(32, 1.5, True), (4, 0.3, False)])
def test_a_kettle_is_done_boiling_by_itself_but_not_after_half_an_hour(
    minutes: float, spread: float, *, offered: bool
) -> None:
    found = about(kettle(minutes, spread).mined(), "switch.kettle", "off")
    assert [one.automation["triggers"][0]["for"] for one in found] == (["00:30:00"] if offered else [])


def fan_by_humidity_and_otherwise() -> Story:
    """Two of three times the fan is turned on for something else."""
    story = null_home(56, days=60)
    story.entity("sensor.bath_humidity", name="bath humidity", device_class="humidity", unit="%")
    for day in story.every_day():
        shower = float(story.random.uniform(420, 600))
        value, running = 50.0, -1.0
        others = np.sort(story.random.uniform(700, 1300, 2)).tolist()
        for minute in range(0, 1440, 2):
            wet = shower <= minute < shower + 12
            value = min(92.0, value + 5) if wet else value + (50 - value) * 0.06
            seen = value + 5 * float(np.sin(minute / 70 + day))
            story.set("sensor.bath_humidity", f"{seen:.1f}", story.at(day, minute), Cause.UNKNOWN)
            if wet and seen > 68 and running < 0 and story.random.random() < 0.9:
                running = minute + 1.0
                story.set("fan.bath", "on", story.at(day, running))
                story.set("fan.bath", "off", story.at(day, running + float(story.random.uniform(15, 40))))
        for minute in others:
            story.set("fan.bath", "on", story.at(day, minute))
            story.set("fan.bath", "off", story.at(day, minute + 4))
    return story


def test_a_limit_is_found_where_most_acts_have_another_reason() -> None:
    (one,) = about(fan_by_humidity_and_otherwise().mined(), "fan.bath", "on")
    (trigger,) = one.automation["triggers"]
    assert trigger["entity_id"] == "sensor.bath_humidity"
    assert 63 <= trigger["above"] <= 72


def weekend_fan() -> Story:
    story = null_home(57, days=70)
    dice = story.random
    for day in story.every_day():
        weekend = story.date(day).weekday() >= 5
        for minute in np.sort(dice.uniform(420, 1300, 2)).tolist():
            on = story.at(day, minute)
            story.set("light.bath", "on", on)
            story.set("light.bath", "off", on + timedelta(minutes=float(dice.uniform(10, 20))))
            if weekend and dice.random() < 0.85:
                start = on + timedelta(seconds=float(dice.uniform(10, 40)))
                story.set("fan.bath", "on", start)
                story.set("fan.bath", "off", start + timedelta(minutes=float(dice.uniform(15, 40))))
    return story


def test_what_is_done_on_weekends_alone_is_not_judged_by_the_week() -> None:
    (one,) = about(weekend_fan().mined(), "fan.bath", "on")
    assert {"condition": "time", "weekday": ["sat", "sun"]} in one.automation["conditions"]
    assert one.evidence.replay.precision >= 0.7


def test_a_number_is_kept_when_it_passes_a_limit_on_the_half_degree() -> None:
    story = Story(1)
    story.entity("sensor.room", device_class="temperature")
    for minute, value in enumerate((21.9, 22.0, 22.1, 22.5, 22.6)):
        story.set("sensor.room", f"{value}", story.at(0, 60 + minute * 5), Cause.UNKNOWN)
    measuring = Measuring(story.home())
    measuring.add(Events.of([Event(e.entity_id, e.state, e.at, e.cause, e.context) for e in story.events]))
    kept = measuring.series()["sensor.room"].value
    assert np.allclose(kept, [21.9, 22.1, 22.5, 22.6])


def leaves_at_the_same_hour(seed: int = 64) -> Story:
    """Two people are gone by twenty past eight; the lamp is often off by then, and used at night too."""
    story = null_home(seed, days=35)
    dice = story.random
    for day in story.every_day():
        gone = [story.at(day, 490 + dice.normal(0, 7)) for _ in range(2)]
        for name, when in zip(("ana", "ben"), gone, strict=True):
            story.set(f"person.{name}", "not_home", when, Cause.UNKNOWN)
            story.set(f"person.{name}", "home", story.at(day, 1050 + dice.normal(0, 60)), Cause.UNKNOWN)
        if dice.random() < 0.5:
            story.set("light.desk", "on", max(gone) - timedelta(minutes=float(dice.uniform(5, 40))))
            off = max(gone) + timedelta(seconds=float(dice.lognormal(np.log(95), 0.3)))
            story.set("light.desk", "off", off if dice.random() < 0.9 else off + timedelta(hours=3))
        on = story.at(day, float(dice.uniform(1100, 1300)))
        story.set("light.desk", "on", on)
        story.set("light.desk", "off", on + timedelta(minutes=float(dice.uniform(5, 60))))
    return story


def test_who_leaves_at_the_same_hour_every_day_turns_it_off_on_leaving_all_the_same() -> None:
    assert triggers(leaves_at_the_same_hour().mined(), "light.desk", "off") == ["zone.home"]


def test_a_door_that_takes_three_conditions_to_be_as_right_as_coming_home_stands_for_it() -> None:
    none = np.empty(0, np.int64)
    heat = Target(("climate.living",), "heat", none, np.empty(0, np.bool_), none, none, none)
    acts = np.arange(40, dtype=np.int64) * 86_400_000

    def habit(trigger: Trigger, conditions: Conditions, wrong: int, spread: float) -> Habit:
        played = Played(acts, acts, acts[:wrong], none, days=40)
        return Habit(
            TRIGGER, heat, trigger=trigger, conditions=conditions, spread=spread, train=played,
            held_out=played, whole=played, explained=acts, fires=acts,
        )  # fmt: skip

    dressed = Conditions(away=240, hours=(720, 1170), day_type="workdays")
    door = habit(Trigger("binary_sensor.door", "on"), dressed, 6, 15.0)
    home = habit(Trigger("zone.home", "home", above=0), Conditions(), 7, 18.0)
    stay, dropped = explain_away([door, home])
    assert stay == [home]
    assert [one.habit for one in dropped] == [door]


def test_a_lamp_that_comes_on_with_a_sensor_asks_for_less_only_because_its_automation_asks() -> None:
    none = np.empty(0, np.int64)
    ceiling = Target(("light.bed_ceiling",), "on", none, np.empty(0, np.bool_), none, none, none)
    acts = np.arange(40, dtype=np.int64) * 86_400_000

    def habit(trigger: Trigger, conditions: Conditions, before: int, spread: float) -> Habit:
        fires = acts - before
        played = Played(fires, acts, fires[:3], none, days=40)
        return Habit(
            TRIGGER, ceiling, trigger=trigger, conditions=conditions, spread=spread, train=played,
            held_out=played, whole=played, explained=acts, fires=fires,
        )  # fmt: skip

    lamp = habit(Trigger("light.bed_lamp", "on", "off"), Conditions(dark=True), 4_000, 1.8)
    sensor = habit(Trigger("binary_sensor.bed", "on", "off"), Conditions(quiet=10, dark=True), 4_500, 1.7)
    assert explain_away([lamp, sensor])[0] == [sensor]


def leaving_and(other: Trigger, acts_met: int, wrong: int, spread: float) -> tuple[list[Habit], Habit, Habit]:
    """Return that a lamp goes off as the home gets empty (40 of 46 times), and that it does after `other`."""
    none = np.empty(0, np.int64)
    loft, den = (
        Target((name,), "off", none, np.empty(0, np.bool_), none, none, none)
        for name in ("light.loft", "light.den")
    )
    acts = np.arange(40, dtype=np.int64) * 86_400_000

    def habit(target: Target, trigger: Trigger, met: int, wrong: int, spread: float) -> Habit:
        own = acts[:met]
        played = Played(own - int(spread * 1000), own, acts[:wrong] + 3_600_000, none, days=40)
        return Habit(
            TRIGGER, target, trigger=trigger, spread=spread, train=played, held_out=played, whole=played,
            explained=own, fires=np.sort(np.concatenate([played.wanted, played.unwanted])),
        )  # fmt: skip

    empty = Trigger("zone.home", "not_home", below=1)
    home = habit(loft, empty, 40, 6, 60.0)
    rival = habit(loft, other, acts_met, wrong, spread)
    return [habit(den, empty, 40, 1, 40.0), home, rival], home, rival


@pytest.mark.parametrize(
    ("other", "acts_met", "wrong", "spread"),
    [
        (Trigger("alarm_control_panel.home", "armed_away"), 24, 1, 15.0),
        (Trigger("light.den", "off", "on"), 33, 0, 15.0),
        (Trigger("person.ana", "not_home", "home"), 38, 9, 55.0),
        (Trigger("binary_sensor.front_door", "on", "off"), 38, 4, 15.0),
    ],
    ids=[
        "the alarm that is armed on leaving",
        "the lamp turned off before",
        "who mostly leaves last",
        "the door",
    ],
)
def test_leaving_is_the_occasion_though_something_else_is_closer(
    other: Trigger, acts_met: int, wrong: int, spread: float
) -> None:
    habits, home, rival = leaving_and(other, acts_met, wrong, spread)
    stay, dropped = explain_away(habits)
    assert home in stay
    assert [one.habit for one in dropped] == [rival]
