"""The judge of suggestions is strict, and reads automations as Home Assistant runs them."""

from dataclasses import dataclass, replace
from typing import Any

from app.hub.invented.many import Kept, ManyHome, Planted, homes
from benchmarks.homes_judging import HomeJudged, counts, judge
from benchmarks.homes_reading import read, seconds

HABIT = Planted("clock", "clock, daily", (("light.lamp", "on"),), 0.9, at=405, was_at=405)
DONE = Kept(tuple(range(14)), tuple(range(13)))


@dataclass(frozen=True)
class Offered:
    automation: dict[str, Any]
    title: str = ""


def offered(trigger: dict[str, Any], action: str = "light.turn_on", entity_id: str = "light.lamp",
            **more: Any) -> Offered:  # fmt: skip
    actions = [{"action": action, "target": {"entity_id": [entity_id]}}]
    return Offered({"triggers": [trigger], "conditions": [], "actions": actions, **more})


def home_with(*habits: Planted, **facts: Any) -> ManyHome:
    made = next(homes([901]))
    return replace(made, truth=habits, kept=tuple(DONE for _ in habits), days=14, **facts)


def verdict(home: ManyHome, *suggestions: Offered) -> HomeJudged:
    return judge(home, suggestions)


def clock(at: str) -> dict[str, Any]:
    return {"trigger": "time", "at": at}


def test_the_right_act_at_about_the_right_time_is_right_and_its_error_is_kept() -> None:
    found = verdict(home_with(HABIT), offered(clock("06:52:00")))
    assert [one.verdict for one in found.judged] == ["right"]
    assert found.judged[0].time_error == 7
    assert found.judged[0].days_right
    assert found.found(0)


def test_the_right_act_at_another_time_only_stands_in() -> None:
    found = verdict(home_with(HABIT), offered(clock("08:00:00")))
    assert [one.verdict for one in found.judged] == ["stand-in"]
    assert not found.found(0)


def test_days_are_read_from_a_condition_or_from_the_trigger() -> None:
    workdays = ["mon", "tue", "wed", "thu", "fri"]
    said = offered(clock("06:45:00"), conditions=[{"condition": "time", "weekday": workdays}])
    found = verdict(home_with(replace(HABIT, day_type="workdays")), said)
    assert found.judged[0].days_right
    assert verdict(home_with(HABIT), said).judged[0].days_right is False


def test_the_same_habit_offered_twice_is_right_once() -> None:
    found = verdict(home_with(HABIT), offered(clock("06:45:00")), offered(clock("06:50:00")))
    assert [one.verdict for one in found.judged] == ["right", "duplicate"]


def test_a_habit_that_has_stopped_is_not_to_be_offered() -> None:
    found = verdict(home_with(replace(HABIT, fate="dead", ended=1)), offered(clock("06:45:00")))
    assert found.judged[0].verdict == "dead"


def test_what_an_automation_does_or_what_is_never_done_is_told_apart() -> None:
    home = home_with(
        HABIT, existing=frozenset({("light.porch", "on")}), machine_made=frozenset({("switch.fish", "on")})
    )
    found = verdict(
        home,
        offered(clock("18:00:00"), entity_id="light.porch"),
        offered(clock("18:00:00"), "switch.turn_on", "switch.fish"),
        offered(clock("18:00:00"), "lock.unlock", "lock.front_door"),
        offered(clock("18:00:00"), "light.turn_off"),
        offered(clock("18:00:00"), entity_id="light.other"),
    )
    assert [one.verdict for one in found.judged] == ["existing", "machine", "never", "opposite", "false"]


def test_a_trigger_is_right_with_its_delay_within_a_factor() -> None:
    habit = Planted(
        "duration",
        "off N min after on",
        (("light.lamp", "off"),),
        0.9,
        trigger=("light.lamp", "on"),
        delay=600,
    )
    trigger = {"trigger": "state", "entity_id": ["light.lamp"], "to": "on", "for": "00:09:00"}
    found = verdict(home_with(habit), offered(trigger, "light.turn_off"))
    assert found.judged[0].verdict == "right"
    assert found.judged[0].delay_factor == 600 / 540
    assert (
        verdict(home_with(habit), offered({**trigger, "to": "off"}, "light.turn_off")).judged[0].verdict
        == "stand-in"
    )


def test_the_last_who_leaves_is_known_by_the_empty_home_where_several_live() -> None:
    habit = Planted(
        "presence", "last leaves → off", (("light.lamp", "off"),), 0.9, trigger=("presence", "last leaves"),
        conditions=frozenset({"nobody"}),
    )  # fmt: skip
    home = home_with(habit)
    empty = {"trigger": "numeric_state", "entity_id": "zone.home", "below": 1}
    one_gone = {"trigger": "state", "entity_id": "person.alex", "to": "not_home"}
    assert verdict(home, offered(empty, "light.turn_off")).judged[0].verdict == "right"
    several = len(home.home.persons) > 1
    said = verdict(home, offered(one_gone, "light.turn_off")).judged[0].verdict
    assert said == ("stand-in" if several else "right")


def test_a_number_has_to_be_near_the_threshold_and_on_its_side() -> None:
    habit = Planted(
        "numeric", "humidity above → fan", (("fan.bathroom", "on"),), 0.9,
        threshold=("sensor.bathroom_humidity", "above", 65.0),
    )  # fmt: skip
    near = {"trigger": "numeric_state", "entity_id": "sensor.bathroom_humidity", "above": 67}
    wrong = {"trigger": "numeric_state", "entity_id": "sensor.bathroom_humidity", "below": 65}
    home = home_with(habit)
    assert verdict(home, offered(near, "fan.turn_on", "fan.bathroom")).judged[0].verdict == "right"
    assert verdict(home, offered(wrong, "fan.turn_on", "fan.bathroom")).judged[0].verdict == "stand-in"


def test_of_a_routine_two_thirds_of_the_steps_have_to_be_offered() -> None:
    steps = (("light.a", "on"), ("light.b", "on"), ("cover.c", "closed"))
    habit = Planted("routine", "routine of 3 to 6", steps, 0.9, at=1320, was_at=1320)
    home = home_with(habit)
    assert not verdict(home, offered(clock("22:00:00"), entity_id="light.a")).found(0)
    both = verdict(
        home, offered(clock("22:00:00"), entity_id="light.a"), offered(clock("22:00:00"), entity_id="light.b")
    )
    assert both.found(0)


def test_habits_that_hardly_came_up_need_not_be_found() -> None:
    home = home_with(HABIT)
    assert counts(home, 0)
    rare = replace(home, kept=(Kept(tuple(range(6)), tuple(range(6))),))
    assert not counts(rare, 0)
    assert not counts(replace(home, truth=(replace(HABIT, fate="dead"),)), 0)


def test_durations_are_read_in_every_form_of_home_assistant() -> None:
    assert seconds("00:05:00") == 300
    assert seconds("-00:15:00") == -900
    assert seconds({"minutes": 2, "seconds": 5}) == 125
    assert seconds(90) == 90


def test_steps_are_read_from_scenes_and_nested_sequences_and_a_first_delay_counts() -> None:
    said = read(
        {
            "triggers": [{"trigger": "sun", "event": "sunset", "offset": "-00:15:00"}],
            "actions": [
                {"delay": "00:02:00"},
                {
                    "action": "scene.apply",
                    "data": {"entities": {"light.a": "on", "cover.b": {"state": "closed"}}},
                },
                {"if": [], "then": [{"action": "lock.lock", "target": {"entity_id": "lock.c"}}]},
            ],
        }
    )
    assert said.suns == (("sunset", -15),)
    assert said.delay == 120
    assert said.steps == (("light.a", "on"), ("cover.b", "closed"), ("lock.c", "locked"))


def test_what_does_two_habits_of_one_occasion_has_found_both() -> None:
    first, second = (
        Planted(
            "presence", "last leaves → off", ((entity_id, "off"),), 0.9, trigger=("presence", "last leaves"),
            conditions=frozenset({"nobody"}),
        )
        for entity_id in ("light.lamp", "light.hall")
    )  # fmt: skip
    empty = {"trigger": "numeric_state", "entity_id": "zone.home", "below": 1}
    both = offered(empty, "light.turn_off")
    both.automation["actions"][0]["target"]["entity_id"].append("light.hall")
    found = verdict(home_with(first, second), both)
    assert [one.verdict for one in found.judged] == ["right"]
    assert found.found(0)
    assert found.found(1)
    alone = verdict(home_with(first, second), offered(empty, "light.turn_off"))
    assert (alone.found(0), alone.found(1)) == (True, False)
