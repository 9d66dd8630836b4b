"""Every act of an automation is read, or the automation is not made."""

from typing import Any

import numpy as np
import pytest

from app.errors import InputError
from app.habits.automation import actions_of
from app.habits.offers.checking import STATES, acts_in, checked, judged, refuse_unsafe
from app.habits.safety import CONFIRM, LOW, NEVER, TABLE
from app.habits.suggestion import Suggestion
from app.habits.targets import STATES as TARGETS
from app.habits.targets import Target
from app.model import Home
from tests.habits.offers.conftest import HOME, found

LAMP = {"action": "light.turn_on", "target": {"entity_id": "light.kitchen"}}


def acts(*actions: Any) -> list[tuple[str, str]]:
    return list(acts_in(list(actions)))


def test_acts_are_found_however_deep_and_however_old_the_keys() -> None:
    nested = {
        "if": [],
        "then": [
            {"choose": [{"conditions": [], "sequence": [{"repeat": {"count": 2, "sequence": [LAMP]}}]}]}
        ],
        "else": {"parallel": [{"service": "switch.turn_off", "entity_id": "switch.a, switch.b"}]},
    }
    assert acts({"delay": "00:05:00"}, nested, {"condition": "sun"}) == [
        ("light.kitchen", "on"), ("switch.a", "off"), ("switch.b", "off"),
    ]  # fmt: skip


def test_toggling_is_as_risky_as_either_way() -> None:
    assert acts({"action": "light.toggle", "target": {"entity_id": ["light.a"]}}) == [
        ("light.a", "on"),
        ("light.a", "off"),
    ]
    assert acts(
        {
            "action": "climate.set_hvac_mode",
            "target": {"entity_id": "climate.a"},
            "data": {"hvac_mode": "heat"},
        }
    ) == [("climate.a", "heat")]


def test_telling_people_is_no_act() -> None:
    assert acts({"action": "notify.mobile_app_ana", "data": {"message": "x"}}) == []


@pytest.mark.parametrize(
    "action",
    [
        {"action": "script.leave", "target": {"entity_id": "script.leave"}},
        {"action": "homeassistant.turn_on", "target": {"entity_id": "light.a"}},
        {"action": "shell_command.x"},
        {"action": "light.reload", "target": {"entity_id": "light.a"}},
        {"action": "{{ 'lock.unlock' }}", "target": {"entity_id": "lock.a"}},
        {"action": "light.turn_on", "target": {"entity_id": "{{ x }}"}},
        {"action": "light.turn_on", "target": {"area_id": "kitchen"}},
        {"action": "light.turn_on", "target": "{{ x }}"},
        {"action": "light.turn_on", "data": "{{ x }}", "target": {"entity_id": "light.a"}},
        {"action": "light.turn_on", "data": {"area_id": "hall"}, "target": {"entity_id": "light.a"}},
        {"action": "light.turn_on", "data_template": {}, "target": {"entity_id": "light.a"}},
        {"service_template": "{{ x }}"},
        {"action": "light.turn_on", "target": {"entity_id": [3]}},
        {"action": "light.turn_on", "target": {"entity_id": {"a": 1}}},
        {"action": "light.turn_on", "target": {"entity_id": "all"}},
        {"action": "light.turn_on"},
        {"type": "turn_on", "device_id": "x", "entity_id": "y", "domain": "light"},
        {"scene": "scene.night"},
        {"event": "x"},
        {},
        "light.turn_on",
    ],
)
def test_what_cannot_be_judged_is_not_made(action: Any) -> None:
    with pytest.raises(InputError):
        acts(action)


def test_nesting_has_a_bottom() -> None:
    nested: dict[str, Any] = LAMP
    for _ in range(30):
        nested = {"sequence": [nested]}
    with pytest.raises(InputError, match="too deeply"):
        acts(nested)


@pytest.mark.parametrize("domain", sorted({row.domain for row in TABLE if row.verdict.risk == NEVER}))
def test_what_is_never_done_is_refused_with_its_reason(domain: str) -> None:
    verbs = [verb for verb in STATES[domain] if verb != "lock"] or ["anything"]
    for verb in verbs:
        automation = {"actions": [{"action": f"{domain}.{verb}", "target": {"entity_id": f"{domain}.x"}}]}
        with pytest.raises(InputError, match="never makes this"):
            refuse_unsafe(automation, HOME)


def test_a_garage_is_never_opened_and_a_blind_on_request() -> None:
    blind = {"actions": [{"action": "cover.open_cover", "target": {"entity_id": "cover.blind"}}]}
    assert judged(blind, HOME).risk == CONFIRM
    gate = {"actions": [{"action": "cover.set_cover_position", "target": {"entity_id": "cover.side_gate"}}]}
    assert judged(gate, Home()).risk == NEVER
    assert judged(found().automation, HOME).risk == LOW


def test_all_that_the_miner_writes_can_be_judged() -> None:
    none = np.empty(0, np.int64)
    never = {row.domain for row in TABLE if not row.states}
    for domain, states in TARGETS.items():
        for state in states:
            if domain in never or state == "unlocked":
                continue
            target = Target((f"{domain}.x",), state, none, none.astype(np.bool_), none, none, none)
            assert acts(*actions_of(target)) == [(f"{domain}.x", state)]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"alias": " "}, "alias"),
        ({"alias": "x" * 256}, "alias"),
        ({"description": 3}, "description"),
        ({"mode": "twice"}, "mode"),
        ({"triggers": []}, "triggers: give at least one"),
        ({"triggers": [{}] * 21}, "triggers"),
        ({"conditions": {}}, "conditions"),
        ({"actions": ["light.turn_on"]}, "actions"),
        ({"variables": {}}, "'variables' is not taken"),
    ],
)
def test_a_shape_that_is_none_is_refused_by_name(change: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        checked({**found().automation, **change})
    with pytest.raises(InputError, match="give an object"):
        checked([found().automation])


def test_a_suggestions_own_automation_has_the_shape() -> None:
    one: Suggestion = found()
    assert checked(one.automation) == {**one.automation, "description": ""}
