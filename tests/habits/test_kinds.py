"""What can be found beyond a clock and a sensor: presence, numbers, durations, other states, routines."""

import pytest

from app.habits.suggestion import Analysis, Suggestion
from tests.habits import kinds


def only(analysis: Analysis, entity_id: str, state: str) -> Suggestion:
    (one,) = [
        one
        for one in analysis.suggestions
        if entity_id in one.habit["entities"] and one.habit["state"] == state
    ]
    return one


def test_the_last_one_leaving_is_a_trigger_of_its_own() -> None:
    one = only(kinds.last_leaves().mined(), "media_player.radio", "off")
    assert one.title == "Turn off the radio when the last person leaves home"
    assert one.automation["triggers"] == [{"trigger": "numeric_state", "entity_id": "zone.home", "below": 1}]


def test_the_first_one_arriving_is_a_trigger_of_its_own() -> None:
    one = only(kinds.first_arrives().mined(), "light.entry", "on")
    assert one.title == "Turn on the entry when the first person comes home"
    assert one.automation["triggers"] == [{"trigger": "numeric_state", "entity_id": "zone.home", "above": 0}]


def test_what_is_turned_off_after_the_same_time_gets_a_for() -> None:
    one = only(kinds.after_being_on().mined(), "fan.toilet", "off")
    assert one.title == "Turn off the toilet 20 minutes after it was turned on"
    assert one.automation["triggers"][0] == {
        "trigger": "state",
        "entity_id": ["fan.toilet"],
        "from": "off",
        "to": "on",
        "for": "00:20:00",
    }


def test_a_number_has_the_limit_at_which_people_act_rounded() -> None:
    one = only(kinds.humidity().mined(), "fan.bath", "on")
    (trigger,) = one.automation["triggers"]
    assert trigger["entity_id"] == "sensor.bath_humidity"
    assert abs(trigger["above"] - 68) <= 2
    assert isinstance(trigger["above"], int)
    assert one.title == f"Turn on the bath when the bath humidity rises above {trigger['above']} %"


def test_another_things_state_is_asked_for_where_it_decides() -> None:
    one = only(kinds.another_entitys_state().mined(), "light.glow", "on")
    asked = {"condition": "state", "entity_id": "media_player.film", "state": "playing"}
    assert asked in one.automation["conditions"]
    assert one.title.startswith("Turn on the glow when the sofa sees motion while the film is playing")


def test_what_is_done_as_one_is_one_suggestion_with_several_steps() -> None:
    analysis = kinds.arrival_and_bedtime().mined()
    home, bed = only(analysis, "light.r_hall", "on"), only(analysis, "light.r_hall", "off")
    assert home.automation["triggers"][0]["entity_id"] == ["person.ana"]
    assert home.automation["actions"] == [
        {"action": "light.turn_on", "target": {"entity_id": ["light.r_hall", "light.r_kitchen"]}},
        {"action": "fan.turn_on", "target": {"entity_id": ["fan.r_office"]}},
        {"action": "media_player.media_play", "target": {"entity_id": ["media_player.r_radio"]}},
    ]
    assert bed.kind == "clock"
    assert len(bed.habit["steps"]) == 4
    assert bed.title.startswith("Turn off the r hall and do 3 more things at 2")
    assert len(analysis.suggestions) == 2


def test_the_id_of_a_routine_stays_when_it_loses_a_step() -> None:
    story = kinds.arrival_and_bedtime()
    whole = only(story.mined(), "light.r_hall", "on")
    story.events = [one for one in story.events if one.entity_id != "media_player.r_radio"]
    assert only(story.mined(), "light.r_hall", "on").id == whole.id


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_nothing_but_what_was_planted_is_offered(kind: str) -> None:
    story = kinds.KINDS[kind]()
    planted = {name for name in story.entities if not name.startswith(("light.lamp_", "switch.plug_"))}
    for one in story.mined().suggestions:
        assert set(one.habit["entities"]) <= planted, one.title
