"""What stands beside a suggestion: an automation that works against it, or one that it could be added to."""

from typing import Any

from app.habits.offers.watched import Conflict, Extends
from app.habits.suggestion import Suggestion
from app.model import Cause
from tests.habits.offers.diary import AT, LAMP, Diary, wiring

FAN = "fan.hall"


def evenings(diary: Diary, entity_id: str = FAN, minutes: float = AT) -> None:
    """Let people turn something on at about that time, day after day."""
    diary.habit(entity_id, minutes, spread=3, lasts=150)


def suggested(diary: Diary, entity_id: str = FAN) -> Suggestion:
    (one,) = [
        each
        for each in diary.looked_at().suggestions
        if entity_id in each.habit["entities"] and each.habit["state"] == "on"
    ]
    return one


def at(moment: str, entity_id: str = FAN, verb: str = "turn_off", **more: Any) -> dict[str, Any]:
    action = f"{entity_id.partition('.')[0]}.{verb}"
    config = wiring(at=moment, action=action, lamp=entity_id)
    return config | {"alias": "All off"} | more


def test_an_automation_that_does_the_opposite_a_little_later_is_shown() -> None:
    diary = Diary()
    diary.made(at("19:20:00"), name="all_off")
    evenings(diary)
    (one,) = suggested(diary).conflicts
    assert one == Conflict(
        entity_id="automation.all_off", name="All off", target=FAN, state="off", met=one.met, fires=one.fires,
        says=f"“All off” turns off hall within half an hour of it: {one.met} of the last {one.fires} times.",
    )  # fmt: skip
    assert one.met == one.fires >= 28


def test_hours_later_switched_off_or_doing_the_same_it_is_no_conflict() -> None:
    for config, facts in (
        (at("23:00:00"), {}),
        (at("19:20:00"), {"enabled": False}),
        (at("19:20:00", "fan.other"), {}),
        (at("19:20:00", conditions=[{"condition": "time", "weekday": ["sun"]}]), {}),
    ):
        diary = Diary()
        diary.made(config, name="all_off", **facts)
        evenings(diary)
        assert suggested(diary).conflicts == []


def test_what_follows_from_the_act_itself_is_no_conflict() -> None:
    diary = Diary()
    after = {"trigger": "state", "entity_id": FAN, "to": "on", "for": {"minutes": 15}}
    diary.made(at("00:00", triggers=[after]), name="fan_off")
    evenings(diary)
    assert suggested(diary).conflicts == []


def test_a_script_that_was_seen_to_do_the_opposite_is_shown() -> None:
    diary = Diary()
    for day in range(30):
        diary.set(FAN, "on", diary.at(day, AT + float(diary.random.normal(0, 3))))
        diary.runs("script.leaving", diary.at(day, AT + 22), "off", FAN)
    (one,) = suggested(diary).conflicts
    assert (one.entity_id, one.name, one.target, one.state) == ("script.leaving", "leaving", FAN, "off")


def test_a_habit_at_an_automations_moment_could_be_added_to_it() -> None:
    diary = Diary()
    lamp = diary.made()
    for day in range(30):
        diary.evening(lamp, day)
    for day in range(30):
        diary.set(FAN, "on", diary.at(day, AT + float(diary.random.uniform(-4, 4))))
        diary.set(FAN, "off", diary.at(day, AT + 150))
    found = suggested(diary)
    one = found.extends
    assert isinstance(one, Extends)
    assert (one.entity_id, one.unique_id, one.name) == ("automation.lamp", "own_lamp", "Lamp in the evening")
    assert one.says.startswith("“Lamp in the evening” acts at the same moment (")
    assert one.automation["actions"] == [*wiring()["actions"], *found.automation["actions"]]
    assert one.automation["triggers"] == wiring()["triggers"]
    assert found.conflicts == []


def test_at_another_time_on_other_days_or_to_the_same_thing_nothing_is_extended() -> None:
    sundays = [{"condition": "time", "weekday": ["sun"]}]
    for config in (wiring(at="18:00:00"), wiring() | {"conditions": sundays}, at("19:00:00", FAN)):
        diary = Diary()
        diary.made(config)
        evenings(diary)
        assert suggested(diary).extends is None


def test_a_stored_suggestion_from_before_is_still_read() -> None:
    diary = Diary()
    evenings(diary)
    stored = suggested(diary).model_dump(mode="json")
    del stored["conflicts"], stored["extends"]
    read = Suggestion.model_validate(stored)
    assert (read.conflicts, read.extends) == ([], None)


def test_motion_on_and_no_motion_off_belong_together() -> None:
    diary = Diary(40)
    diary.motion("binary_sensor.hall", 12)
    off = {"trigger": "state", "entity_id": "binary_sensor.hall", "to": "off", "for": "00:05:00"}
    diary.made(wiring(action="light.turn_off") | {"triggers": [off]}, name="hall_off")
    motions = [one for one in diary.events if one.entity_id == "binary_sensor.hall"]
    busy = 0
    for event in motions:
        if event.state == "on" and event.at > busy and diary.random.random() < 0.95:
            on = event.at + int(diary.random.uniform(2000, 9000))
            busy = on + 480_000
            diary.events += [
                event._replace(entity_id=LAMP, state="on", at=on, cause=Cause.HAND),
                event._replace(
                    entity_id=LAMP, state="off", at=busy, cause=Cause.MACHINE, actor="automation.hall_off"
                ),
            ]
    assert suggested(diary, LAMP).conflicts == []
