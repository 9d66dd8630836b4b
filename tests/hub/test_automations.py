from typing import Any

from app.hub.automations import plural


def test_old_keys_become_todays_wherever_they_are_nested() -> None:
    old = {
        "alias": "Evening",
        "trigger": {"platform": "time", "at": "19:00:00"},
        "condition": [{"condition": "state", "entity_id": "person.ana", "state": "home"}],
        "action": [
            {"service": "light.turn_on", "data": {"service": "kept", "platform": "kept"}},
            {"choose": [{"conditions": [], "sequence": [{"service": "scene.turn_on"}]}]},
        ],
    }

    assert plural(old) == {
        "alias": "Evening",
        "triggers": [{"trigger": "time", "at": "19:00:00"}],
        "conditions": [{"condition": "state", "entity_id": "person.ana", "state": "home"}],
        "actions": [
            {"action": "light.turn_on", "data": {"service": "kept", "platform": "kept"}},
            {"choose": [{"conditions": [], "sequence": [{"action": "scene.turn_on"}]}]},
        ],
    }


def test_todays_keys_stay_and_missing_ones_are_empty() -> None:
    new = {"triggers": [{"trigger": "sun", "event": "sunset"}], "actions": [{"action": "light.turn_on"}]}

    assert plural(new) == new | {"conditions": []}
    assert plural({"use_blueprint": {"path": "motion.yaml"}}) == {
        "use_blueprint": {"path": "motion.yaml"},
        "triggers": [],
        "conditions": [],
        "actions": [],
    }


def test_a_configuration_nested_without_end_is_left_as_it_is() -> None:
    deep: dict[str, Any] = {"service": "light.turn_on"}
    for _ in range(200):
        deep = {"sequence": [deep]}

    assert plural({"action": deep})["actions"] == [deep]
