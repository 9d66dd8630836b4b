"""The whole analysis on small invented homes: what has to be found, and what must never be offered."""

import json
from datetime import date, timedelta

import pytest

from app.clock import from_ms, to_ms
from app.habits.suggestion import Analysis, Suggestion
from app.model import Automation, Cause, Person
from tests.habits.stories import Story, null_home

WORKDAYS = (0, 1, 2, 3, 4)


def found(analysis: Analysis, entity_id: str, state: str = "on") -> list[Suggestion]:
    return [
        one
        for one in analysis.suggestions
        if entity_id in one.habit["entities"] and one.habit["state"] == state
    ]


def only(analysis: Analysis, entity_id: str, state: str = "on") -> Suggestion:
    (one,) = found(analysis, entity_id, state)
    return one


def why_not(analysis: Analysis, words: str) -> list[str]:
    return [aside.why for aside in analysis.set_aside if words in aside.habit]


def minutes(clock: str) -> int:
    hours, rest, _ = clock.split(":")
    return int(hours) * 60 + int(rest)


def test_coffee_on_workdays_is_found_at_its_time() -> None:
    story = null_home(3)
    story.habit("switch.coffee", 6 * 60 + 45, spread=6, adherence=0.9, weekdays=WORKDAYS)
    one = only(story.mined(), "switch.coffee")
    assert one.kind == "clock"
    assert one.habit["day_type"] == "workdays"
    assert abs(minutes(one.habit["at"]) - (6 * 60 + 45)) <= 5
    assert one.automation["triggers"] == [{"trigger": "time", "at": one.habit["at"]}]
    assert one.automation["conditions"] == [
        {"condition": "time", "weekday": ["mon", "tue", "wed", "thu", "fri"]}
    ]
    assert one.automation["actions"] == [
        {"action": "switch.turn_on", "target": {"entity_id": ["switch.coffee"]}}
    ]
    assert one.title == f"Turn on the coffee at {one.habit['at'][:5]} on workdays"
    assert one.risk == "confirm"


def test_two_times_a_day_are_two_habits_with_two_ids() -> None:
    story = null_home(4)
    story.habit("light.desk", 9 * 60, adherence=0.95)
    story.habit("light.desk", 20 * 60, adherence=0.95)
    both = found(story.mined(), "light.desk")
    assert sorted(round(minutes(one.habit["at"]) / 60) for one in both) == [9, 20]
    assert len({one.id for one in both}) == 2


def test_a_weekly_habit_is_told_from_a_daily_one() -> None:
    story = null_home(5, days=42)
    story.habit("light.bin", 19 * 60, adherence=1.0, weekdays=(1,), spread=4)
    one = only(story.mined(), "light.bin")
    assert one.habit["day_type"] == "tuesdays"
    assert "on Tuesdays" in one.title


def test_a_lamp_that_follows_the_sunset_is_told_by_the_sun() -> None:
    story = Story(60, seed=2, start=date(2026, 2, 2))
    story.heartbeat()
    for day in story.every_day():
        on = story.at(day, story.sunset(day) - 20 + story.random.normal(0, 5))
        story.set("light.porch", "on", on)
        story.set("light.porch", "off", story.at(day, 23 * 60 + story.random.normal(0, 15)))
    one = only(story.mined(), "light.porch")
    assert one.kind == "sun"
    assert one.habit["sun"]["event"] == "sunset"
    assert abs(one.habit["sun"]["offset_minutes"] + 20) <= 10
    assert one.automation["triggers"][0]["offset"].startswith("-00:")


def test_a_clock_habit_is_not_told_by_the_sun() -> None:
    story = Story(60, seed=2, start=date(2026, 2, 2))
    story.heartbeat()
    story.habit("light.porch", 18 * 60, spread=5, lasts=120)
    assert only(story.mined(), "light.porch").kind == "clock"


def light_follows_motion(story: Story, adherence: float = 0.9) -> None:
    story.motion("binary_sensor.hall_motion", 14)
    busy = 0
    for event in [e for e in story.events if e.entity_id == "binary_sensor.hall_motion" and e.state == "on"]:
        if event.at > busy and story.random.random() < adherence:
            on = from_ms(event.at) + timedelta(seconds=float(story.random.uniform(2, 15)))
            off = on + timedelta(minutes=float(story.random.uniform(3, 20)))
            story.set("light.hall", "on", on)
            story.set("light.hall", "off", off)
            busy = to_ms(off)


def test_a_lamp_that_follows_motion_is_found_with_its_trigger() -> None:
    story = null_home(6)
    light_follows_motion(story)
    one = only(story.mined(), "light.hall")
    assert one.kind == "trigger"
    assert one.habit["trigger"]["entity_id"] == "binary_sensor.hall_motion"
    assert one.evidence.replay.precision >= 0.6
    assert one.evidence.replay.coverage >= 0.6
    assert one.automation["triggers"][0]["to"] == "on"
    assert "when the hall motion sees motion" in one.title


def test_a_reaction_keeps_to_the_hours_in_which_people_ever_wanted_it() -> None:
    story = null_home(6)
    light_follows_motion(story)
    for day in (3, 9, 27):
        passed = story.at(day, 4 * 60 + float(story.random.uniform(0, 30)))
        story.set("binary_sensor.hall_motion", "on", passed, Cause.UNKNOWN)
        story.set("binary_sensor.hall_motion", "off", passed + timedelta(seconds=40), Cause.UNKNOWN)
    one = only(story.mined(), "light.hall")
    after, before = one.habit["conditions"]["hours"]
    assert "05:00:00" <= after <= "07:00:00"
    assert before == "00:00:00" or before >= "22:00:00"
    assert not [at for at in one.evidence.replay.unwanted_at if "T04:" in at]


def test_a_reaction_that_never_fired_in_vain_at_night_needs_no_hours() -> None:
    story = null_home(6)
    light_follows_motion(story)
    assert "hours" not in only(story.mined(), "light.hall").habit["conditions"]


def test_the_time_people_take_after_a_sensor_falls_silent_becomes_a_for() -> None:
    story = null_home(22, days=40)
    story.entity("binary_sensor.bath", device_class="motion")
    for day in story.every_day():
        minute = 7 * 60 + float(story.random.uniform(0, 60))
        while minute < 1380:
            on, stay = story.at(day, minute), timedelta(minutes=float(story.random.uniform(3, 15)))
            story.set("binary_sensor.bath", "on", on, Cause.UNKNOWN)
            story.set("light.bath", "on", on + timedelta(seconds=float(story.random.uniform(1, 6))))
            story.set("binary_sensor.bath", "off", on + stay, Cause.UNKNOWN)
            story.set("light.bath", "off", on + stay + timedelta(minutes=5 + story.random.normal(0, 0.6)))
            minute += 60 + float(story.random.exponential(120))
    one = only(story.mined(), "light.bath", "off")
    assert one.habit["trigger"]["entity_id"] == "binary_sensor.bath"
    assert one.automation["triggers"][0]["for"] in {"00:04:00", "00:05:00"}
    assert "after the bath sees no more motion" in one.title


def test_the_first_motion_of_the_morning_is_told_by_hours_and_idle_time() -> None:
    story = null_home(23, days=40)
    story.motion("binary_sensor.kitchen", 30)
    for day in story.every_day():
        up = story.at(day, 6 * 60 + 30 + float(story.random.uniform(0, 55)))
        story.set("binary_sensor.kitchen", "on", up, Cause.UNKNOWN)
        story.set("binary_sensor.kitchen", "off", up + timedelta(seconds=40), Cause.UNKNOWN)
        if story.random.random() < 0.9:
            on = up + timedelta(seconds=float(story.random.uniform(30, 120)))
            story.set("switch.kettle", "on", on)
            story.set("switch.kettle", "off", on + timedelta(seconds=float(story.random.uniform(150, 240))))
    one = only(story.mined(), "switch.kettle")
    assert one.habit["trigger"]["entity_id"] == "binary_sensor.kitchen"
    assert one.habit["trigger"]["to"] == "on"
    assert one.habit["conditions"]["hours"][0] <= "06:30:00"
    assert one.evidence.replay.precision >= 0.75


def test_coming_home_is_a_trigger_and_gets_no_condition_that_chance_suggests() -> None:
    story = null_home(21, days=40)
    story.persons.append(Person(entity_id="person.ana", name="Ana"))
    for day in story.every_day():
        story.set("person.ana", "not_home", story.at(day, 8 * 60 + story.random.normal(0, 60)), Cause.UNKNOWN)
        home = story.at(day, 17 * 60 + story.random.normal(0, 90))
        story.set("person.ana", "home", home, Cause.UNKNOWN)
        if story.random.random() < 0.9:
            on = home + timedelta(seconds=float(story.random.uniform(20, 90)))
            story.set("light.entry", "on", on, Cause.PERSON)
            story.set("light.entry", "off", on + timedelta(minutes=float(story.random.uniform(20, 200))))
    one = only(story.mined(), "light.entry")
    assert one.title == "Turn on the entry when Ana comes home"
    assert one.automation["conditions"] == []


def test_a_proxy_of_the_trigger_is_not_offered() -> None:
    story = null_home(6)
    light_follows_motion(story)
    for event in [e for e in story.events if e.entity_id == "binary_sensor.hall_motion" and e.state == "on"]:
        late = from_ms(event.at) - timedelta(seconds=float(story.random.uniform(30, 120)))
        story.set("binary_sensor.stairs", "on", late, Cause.UNKNOWN)
        story.set("binary_sensor.stairs", "off", late + timedelta(seconds=20), Cause.UNKNOWN)
    analysis = story.mined()
    assert only(analysis, "light.hall").habit["trigger"]["entity_id"] == "binary_sensor.hall_motion"
    assert any(why.startswith("a proxy of") for why in why_not(analysis, "stairs"))


def test_what_a_machine_does_is_never_a_habit() -> None:
    story = null_home(7)
    story.habit("switch.pump_lamp", 8 * 60, spread=0.2, cause=Cause.MACHINE)
    analysis = story.mined()
    assert not found(analysis, "switch.pump_lamp")
    assert not found(analysis, "switch.pump_lamp", "off")


def test_an_unknown_cause_is_a_persons_only_where_the_source_knows_none() -> None:
    story = null_home(7)
    story.habit("light.desk", 8 * 60, cause=Cause.UNKNOWN)
    assert not found(story.mined(), "light.desk")
    analysis = story.mined(causes_known=False)
    assert found(analysis, "light.desk")
    assert any("doesn't tell who acted" in note for note in analysis.analysed.notes)


@pytest.mark.parametrize("seed", range(8))
def test_a_home_without_habits_gets_no_suggestion(seed: int) -> None:
    assert null_home(seed, days=(14, 21, 30, 60)[seed % 4]).mined().suggestions == []


def test_seven_lamps_that_are_switched_together_are_one_suggestion() -> None:
    story = null_home(8)
    lamps = [f"light.office_{i}" for i in range(7)]
    for lamp in lamps:
        story.entity(lamp, area_id="office")
    for day in story.every_day():
        on = story.at(day, 8 * 60 + 30 + story.random.normal(0, 5))
        off = story.at(day, 17 * 60 + story.random.normal(0, 5))
        for lamp in lamps:
            echo = timedelta(seconds=float(story.random.uniform(0, 2)))
            story.set(lamp, "on", on + echo)
            story.set(lamp, "off", off + echo)
    analysis = story.mined()
    on_one, off_one = only(analysis, lamps[0]), only(analysis, lamps[3], "off")
    assert on_one.habit["entities"] == lamps
    assert on_one.automation["actions"] == [{"action": "light.turn_on", "target": {"entity_id": lamps}}]
    assert on_one.title.startswith("Turn on 7 lights in the Office at 08:")
    assert off_one.title.startswith("Turn off 7 lights in the Office at ")


def test_local_time_holds_across_a_clock_change() -> None:
    story = Story(40, seed=3, start=date(2026, 3, 9))
    story.heartbeat()
    story.habit("light.kitchen", 7 * 60, spread=4)
    one = only(story.mined(), "light.kitchen")
    assert abs(minutes(one.habit["at"]) - 7 * 60) <= 5
    assert one.evidence.days_kept >= 0.85 * one.evidence.days_observed


def test_a_vacation_does_not_count_against_a_habit() -> None:
    story = null_home(9, days=35)
    story.habit("light.kitchen", 7 * 60, spread=4, adherence=1.0)
    away = {story.date(day) for day in range(14, 23)}
    local = story.zone
    story.events = [
        event
        for event in story.events
        if from_ms(event.at).astimezone(local).date() not in away or event.entity_id.startswith("sensor.")
    ]
    analysis = story.mined()
    one = only(analysis, "light.kitchen")
    assert one.evidence.days_observed <= 26
    assert one.evidence.days_kept >= one.evidence.days_observed - 2
    assert any("left out" in note for note in analysis.analysed.notes)


@pytest.mark.parametrize(
    ("entity_id", "facts", "states"),
    [
        ("lock.front_door", {}, ("unlocked", "locked")),
        ("cover.garage", {"device_class": "garage"}, ("open", "closed")),
        ("alarm_control_panel.home", {}, ("disarmed", "armed_away")),
        ("switch.oven", {}, ("on", "off")),
        ("valve.garden", {}, ("open", "closed")),
    ],
)
def test_what_is_dangerous_is_never_offered_and_it_is_said_why(
    entity_id: str, facts: dict[str, str], states: tuple[str, str]
) -> None:
    story = null_home(10)
    story.entity(entity_id, **facts)
    for day in story.every_day():
        start = story.at(day, 7 * 60 + 30 + story.random.normal(0, 3))
        story.set(entity_id, states[0], start)
        story.set(entity_id, states[1], start + timedelta(minutes=float(story.random.uniform(60, 600))))
    analysis = story.mined()
    assert not found(analysis, entity_id, states[0])
    name = entity_id.partition(".")[2].replace("_", " ")
    assert any(why.startswith("never automated: ") for why in why_not(analysis, name))


def test_what_an_automation_does_already_is_set_aside() -> None:
    story = null_home(11)
    story.habit("light.kitchen", 7 * 60, spread=4)
    story.automations.append(
        Automation(
            entity_id="automation.morning",
            alias="Good morning",
            config={
                "triggers": [{"trigger": "time", "at": "07:00:00"}],
                "actions": [
                    {
                        "choose": [
                            {
                                "conditions": [],
                                "sequence": [
                                    {"action": "light.turn_on", "target": {"entity_id": "light.kitchen"}}
                                ],
                            }
                        ]
                    }
                ],
            },
        )
    )
    analysis = story.mined()
    assert not found(analysis, "light.kitchen")
    assert "an automation does it: Good morning" in why_not(analysis, "Turn on the kitchen")
    story.automations[0] = story.automations[0].model_copy(update={"enabled": False})
    assert found(story.mined(), "light.kitchen")


def test_an_automation_hours_away_is_another_one() -> None:
    story = null_home(11)
    story.habit("light.kitchen", 7 * 60, spread=4)
    config = {
        "triggers": [{"trigger": "time", "at": "19:00:00"}],
        "actions": [{"action": "light.turn_on", "target": {"entity_id": "light.kitchen"}}],
    }
    story.automations.append(Automation(entity_id="automation.evening", config=config))
    assert found(story.mined(), "light.kitchen")


def test_the_id_stays_when_the_minute_shifts() -> None:
    early, late = null_home(12), null_home(12)
    early.habit("light.kitchen", 7 * 60 + 5, spread=3, adherence=1.0)
    late.habit("light.kitchen", 7 * 60 + 25, spread=3, adherence=1.0)
    first, second = only(early.mined(), "light.kitchen"), only(late.mined(), "light.kitchen")
    assert first.habit["at"] != second.habit["at"]
    assert first.id == second.id


def test_ten_days_are_too_few_and_it_is_said() -> None:
    story = Story(10, seed=1)
    story.heartbeat()
    story.habit("light.kitchen", 7 * 60, spread=3, adherence=1.0)
    analysis = story.mined()
    assert analysis.suggestions == []
    assert any("14 days" in note and "21" in note for note in analysis.analysed.notes)


def test_fourteen_days_find_a_daily_habit_and_say_that_weekly_ones_need_more() -> None:
    story = null_home(13, days=14)
    story.habit("light.kitchen", 7 * 60, spread=4, adherence=1.0)
    analysis = story.mined()
    assert found(analysis, "light.kitchen")
    assert any("three weeks" in note for note in analysis.analysed.notes)


def test_acts_taken_back_are_not_meant() -> None:
    story = null_home(14)
    story.at_random("light.attic", 6, lasts=30)
    for day in story.every_day():
        on = story.at(day, 23 * 60 + 20 + story.random.normal(0, 3))
        story.set("light.attic", "on", on)
        story.set("light.attic", "off", on + timedelta(seconds=40))
    assert not found(story.mined(), "light.attic")


def test_somebody_home_is_asked_for_where_it_matters() -> None:
    story = null_home(15, days=45)
    story.persons.append(Person(entity_id="person.ana", name="Ana"))
    for day in story.every_day():
        away = story.random.random() < 0.35
        story.set("person.ana", "not_home", story.at(day, 5 * 60 if away else 9 * 60), Cause.UNKNOWN)
        if not away:
            on = story.at(day, 6 * 60 + 45 + story.random.normal(0, 4))
            story.set("light.kitchen", "on", on)
            story.set("light.kitchen", "off", on + timedelta(minutes=30))
        story.set("person.ana", "home", story.at(day, 18 * 60), Cause.UNKNOWN)
    one = only(story.mined(), "light.kitchen")
    assert {"condition": "numeric_state", "entity_id": "zone.home", "above": 0} in one.automation[
        "conditions"
    ]


def test_the_same_past_gives_the_same_result() -> None:
    story = null_home(16)
    story.habit("light.kitchen", 7 * 60)
    light_follows_motion(story)
    first, second = story.mined(), story.mined()
    assert first == second
    assert json.loads(first.model_dump_json())["suggestions"]


def test_an_empty_past_is_no_error() -> None:
    analysis = Story(0).mined()
    assert (analysis.suggestions, analysis.analysed.events, analysis.analysed.first) == ([], 0, None)


def test_a_machines_work_is_not_offered_on_another_occasion_that_tells_it_less_exactly() -> None:
    story = null_home(17, days=40)
    dice = story.random
    story.entity("binary_sensor.den", device_class="motion")
    for day in story.every_day():
        for minute in range(420, 1320, 90):
            came = story.at(day, minute + float(dice.uniform(0, 40)))
            gone = came + timedelta(minutes=float(dice.uniform(1, 4)))
            story.set("binary_sensor.den", "on", came, Cause.UNKNOWN)
            story.set("light.den", "on", came + timedelta(seconds=1), Cause.UNKNOWN)
            if dice.random() < 0.4:
                # Somebody comes by once more: from their first leaving it takes longer.
                story.set("binary_sensor.den", "off", gone, Cause.UNKNOWN)
                gone += timedelta(minutes=float(dice.uniform(2, 4.5)))
                story.set("binary_sensor.den", "on", gone - timedelta(seconds=20), Cause.UNKNOWN)
            story.set("binary_sensor.den", "off", gone, Cause.UNKNOWN)
            story.set("light.den", "off", gone + timedelta(seconds=300), Cause.UNKNOWN)
    analysis = story.mined(causes_known=False)
    assert not found(analysis, "light.den", "off")
    assert not found(analysis, "light.den")
