"""Changing an automation before it is accepted, and trying it on the past as it was and as changed."""

import io
import json
from typing import Any

import pytest

from app.errors import InputError
from app.habits.offers.adjusting import Adjustments, adjust
from app.habits.offers.trying import tried
from app.habits.snapshot import encode_snapshot, frame
from app.habits.suggestion import Replay, Suggestion
from app.habits.worker import replay_adjusted
from tests.habits.kinds import KINDS
from tests.habits.stories import Story

CLOCK = {
    "alias": "Lamp on at 7:00",
    "triggers": [{"trigger": "time", "at": "07:00:00"}],
    "conditions": [{"condition": "time", "weekday": ["mon", "tue", "wed", "thu", "fri"]}],
    "actions": [{"action": "light.turn_on", "target": {"entity_id": ["light.lamp"]}}],
    "mode": "single",
}
DOOR: dict[str, Any] = {
    **CLOCK,
    "alias": "Lamp on when the door opens",
    "triggers": [{"trigger": "state", "entity_id": ["binary_sensor.door"], "from": "off", "to": "on"}],
    "conditions": [
        {"condition": "time", "after": "16:00:00", "before": "23:30:00"},
        {"condition": "state", "entity_id": "sun.sun", "state": "below_horizon"},
    ],
}


def adjusted(automation: dict[str, Any], **given: Any) -> dict[str, Any]:
    return adjust(automation, Adjustments.of(given))


DAMP: dict[str, Any] = {
    **CLOCK,
    "alias": "Fan on when the humidity rises above 68 %",
    "triggers": [{"trigger": "numeric_state", "entity_id": "sensor.damp", "above": 68}],
    "conditions": [
        {"condition": "numeric_state", "entity_id": "zone.home", "above": 0},
        {"condition": "numeric_state", "entity_id": "sensor.lux", "below": 40},
    ],
}


def lived_in(days: int = 60) -> Story:
    story = Story(days)
    story.heartbeat()
    story.habit("light.lamp", 420, weekdays=(0, 1, 2, 3, 4))
    story.at_random("switch.plug", 2)
    return story


def found(story: Story, entity_id: str) -> Suggestion:
    return next(one for one in story.mined().suggestions if entity_id in one.habit["entities"])


def play(story: Story, one: Suggestion, **given: Any) -> tuple[Replay, Replay]:
    return tried(story.snapshot(), one.habit, one.automation, adjusted(one.automation, **given))


def test_what_is_left_out_stays_as_it_was() -> None:
    assert adjusted(CLOCK) == CLOCK
    assert adjusted(DOOR) == DOOR


def test_a_new_time_is_in_the_name_too() -> None:
    later = adjusted(CLOCK, at="07:10")
    assert later["triggers"] == [{"trigger": "time", "at": "07:10:00"}]
    assert later["alias"] == "Lamp on at 7:10"
    assert adjusted(CLOCK, at="07:10", alias="Breakfast")["alias"] == "Breakfast"


def test_all_days_need_no_condition() -> None:
    assert adjusted(CLOCK, days=["sun", "sat", "fri", "thu", "wed", "tue", "mon"])["conditions"] == []
    assert adjusted(CLOCK, days=["sat", "mon"])["conditions"][0]["weekday"] == ["mon", "sat"]


def test_the_sun_is_shifted_either_way() -> None:
    sun = {**CLOCK, "triggers": [{"trigger": "sun", "event": "sunset", "offset": "00:20:00"}]}
    assert adjusted(sun, offset_minutes=-15)["triggers"][0]["offset"] == "-00:15:00"
    assert "offset" not in adjusted(sun, offset_minutes=0)["triggers"][0]


def test_a_delay_is_written_as_it_was_before() -> None:
    waits = adjusted(DOOR, delay_minutes=5)
    assert waits["actions"][0] == {"delay": "00:05:00"}
    assert adjusted(waits, delay_minutes=0)["actions"] == DOOR["actions"]
    held = {**DOOR, "triggers": [{**DOOR["triggers"][0], "for": "00:10:00"}]}
    assert adjusted(held, delay_minutes=15)["triggers"][0]["for"] == "00:15:00"
    assert adjusted(held, delay_minutes=15)["actions"] == DOOR["actions"]


def test_a_condition_is_left_out_and_hours_are_changed() -> None:
    assert adjusted(DOOR, drop=[1])["conditions"] == DOOR["conditions"][:1]
    assert adjusted(DOOR, any_hour=True)["conditions"] == DOOR["conditions"][1:]
    hours = adjusted(DOOR, hours={"after": "22:00", "before": "06:00"})["conditions"][0]
    assert hours == {"condition": "time", "after": "22:00:00", "before": "06:00:00"}


def test_a_limit_is_moved_on_its_own_side_and_in_the_name() -> None:
    higher = adjusted(DAMP, limit=72.5)
    assert higher["triggers"] == [{"trigger": "numeric_state", "entity_id": "sensor.damp", "above": 72.5}]
    assert higher["alias"] == "Fan on when the humidity rises above 72.5 %"
    darker = adjusted(DAMP, limits=[{"condition": 1, "limit": 20.0}])
    assert darker["conditions"] == [DAMP["conditions"][0], {**DAMP["conditions"][1], "below": 20}]
    both = adjusted(DAMP, limits=[{"condition": 1, "limit": 20}], drop=[0])
    assert both["conditions"] == [{**DAMP["conditions"][1], "below": 20}]


@pytest.mark.parametrize(
    "given",
    [
        {"limit": "72"},
        {"limit": True},
        {"limit": float("nan")},
        {"limit": 1e300},
        {"limits": [{"condition": 0, "limit": 2}]},
        {"limits": [{"condition": 2, "limit": 2}]},
        {"limits": [{"condition": 1, "limit": 2}, {"condition": 1, "limit": 3}]},
        {"limits": [{"condition": 1}]},
        {"limits": 7},
    ],
)
def test_a_limit_that_makes_no_sense_or_has_no_place_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="limit"):
        adjusted(DAMP, **given)


def test_only_what_measures_has_a_limit_to_choose() -> None:
    with pytest.raises(InputError, match="no number to choose"):
        adjusted(CLOCK, limit=5)
    other = {**DAMP["triggers"][0], "above": "sensor.outside"}
    with pytest.raises(InputError, match="no number to choose"):
        adjusted({**DAMP, "triggers": [other]}, limit=5)


def test_at_another_limit_it_is_tried_anew() -> None:
    story = KINDS["humidity rises"]()
    one = next(each for each in story.mined().suggestions if each.automation["triggers"][0].get("above"))
    before, after = play(story, one, limit=91.5)
    assert before.wanted > 15
    assert after.wanted < before.wanted / 2
    assert after.missed > before.missed


@pytest.mark.parametrize(
    "given",
    [
        {"at": "25:00"},
        {"at": 7},
        {"at": "07:00:00"},
        {"offset_minutes": 20},
        {"delay_minutes": 5},
        {"days": []},
        {"days": ["someday"]},
        {"hours": {"after": "07:00"}},
        {"hours": {"after": "07:00", "before": "07:00"}},
        {"drop": [0]},
        {"drop": [7]},
        {"drop": [-1]},
        {"other": 1},
        {"alias": "x" * 300},
        [],
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(given: Any) -> None:
    with pytest.raises(InputError) as refused:
        adjust(CLOCK, Adjustments.of(given))
    assert "\n" not in str(refused.value)


def test_nothing_is_changed_in_what_was_suggested() -> None:
    before = json.dumps(DOOR)
    adjusted(DOOR, delay_minutes=5, drop=[1], days=["mon"], hours={"after": "07:00", "before": "08:00"})
    assert json.dumps(DOOR) == before


def test_unchanged_it_does_as_well_as_it_did() -> None:
    story = lived_in()
    one = found(story, "light.lamp")
    before, after = play(story, one)
    assert before == after
    assert before.precision == pytest.approx(one.evidence.replay.precision, abs=0.08)
    assert before.wanted > 15


def test_at_another_hour_it_is_never_wanted_and_misses_what_it_was_for() -> None:
    story = lived_in()
    one = found(story, "light.lamp")
    before, after = play(story, one, at="14:00")
    assert (after.wanted, after.missed) == (0, before.wanted + before.missed)
    assert after.unwanted >= before.wanted


def test_without_fridays_it_misses_the_fridays() -> None:
    story = lived_in()
    one = found(story, "light.lamp")
    before, after = play(story, one, days=["mon", "tue", "wed", "thu"])
    assert 0 < after.wanted < before.wanted
    assert after.missed > before.missed


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_of_habit_can_be_tried(name: str) -> None:
    story = KINDS[name]()
    for one in story.mined().suggestions:
        before, after = play(story, one)
        assert before == after
        held = one.evidence.replay
        assert before.precision >= held.precision - 0.15, (one.title, before, held)
        assert before.wanted >= 0.7 * held.wanted, (one.title, before, held)


def test_what_can_no_longer_be_told_is_said() -> None:
    story = lived_in(30)
    habit = {"entities": ["light.other"], "state": "on", "day_type": "daily"}
    with pytest.raises(InputError, match="no longer kept"):
        tried(story.snapshot(), habit, CLOCK, CLOCK)
    strange = {**CLOCK, "conditions": [{"condition": "template", "value_template": "{{ 1 }}"}]}
    with pytest.raises(InputError, match="cannot be tried"):
        tried(story.snapshot(), {**habit, "entities": ["light.lamp"]}, CLOCK, strange)


def test_the_worker_reads_what_is_asked_and_a_past() -> None:
    story = lived_in(30)
    snapshot = story.snapshot()
    one = found(story, "light.lamp")
    asked = {"habit": one.habit, "before": one.automation, "after": adjusted(one.automation, at="07:10")}
    stream = frame(json.dumps(asked).encode()) + encode_snapshot(snapshot.home, snapshot.as_of)
    steps: list[str] = []
    said = json.loads(
        replay_adjusted(
            io.BytesIO(stream + frame(snapshot.events.encode())), lambda step, _done, _of: steps.append(step)
        )
    )
    assert Replay.model_validate(said["before"]).wanted > 0
    assert Replay.model_validate(said["after"]).days == said["before"]["days"]
    assert steps == ["Reading the past", "Trying it"]
    with pytest.raises(InputError, match="damaged"):
        replay_adjusted(io.BytesIO(b""), lambda *_: None)
