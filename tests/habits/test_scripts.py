"""An automation that calls a script does what the script does."""

from typing import Any

from app.habits.known import known_effects
from app.habits.scripts import with_scripts
from app.model import Automation, Home, Script
from tests.habits.offers.diary import AT, Diary, wiring

FAN = "fan.hall"


def call(name: str, **more: Any) -> dict[str, Any]:
    return {"action": name, **more}


def turned(entity_id: str, verb: str = "turn_on") -> dict[str, Any]:
    return call(f"{entity_id.partition('.')[0]}.{verb}", target={"entity_id": entity_id})


def script(name: str, *sequence: Any) -> Script:
    return Script(entity_id=f"script.{name}", alias=name, config={"sequence": list(sequence)})


def effects(scripts: tuple[Script, ...], *actions: dict[str, Any]) -> set[tuple[str, str | None]]:
    automation = Automation(entity_id="automation.a", config={"triggers": [], "actions": list(actions)})
    home = Home(automations=(automation,), scripts=scripts)
    return {(one, effect.state) for effect in known_effects(home) for one in effect.entities}


def test_a_script_is_called_by_its_name_or_by_its_entity() -> None:
    night = script(
        "night", turned("light.a", "turn_off"), {"if": [], "then": [turned("cover.b", "close_cover")]}
    )
    both = {("light.a", "off"), ("cover.b", "closed")}
    assert effects((night,), call("script.night")) == both
    assert effects((night,), call("script.turn_on", target={"entity_id": ["script.night"]})) == both
    assert effects((night,), call("script.turn_on", data={"entity_id": "script.other, script.night"})) == both
    nested = {"choose": [{"conditions": [], "sequence": [{"parallel": [call("script.night")]}]}]}
    assert effects((night,), nested, turned("fan.c")) == {*both, ("fan.c", "on")}
    stopped = effects((night,), call("script.turn_off", target={"entity_id": "script.night"}))
    assert stopped == {("script.night", "off")}


def test_a_script_that_calls_scripts_does_what_they_do_and_a_ring_of_them_ends() -> None:
    one = script("one", turned("light.a"), call("script.two"))
    two = script("two", turned("light.b"), call("script.one"), call("script.two"), call("script.gone"))
    assert effects((one, two), call("script.one")) == {("light.a", "on"), ("light.b", "on")}


def test_scripts_that_call_one_another_twice_do_not_grow_without_end() -> None:
    chain = [script(f"s{i}", *[call(f"script.s{i + 1}")] * 3) for i in range(30)]
    assert effects((*chain, script("s30", turned("light.a"))), call("script.s0")) <= {("light.a", "on")}


def test_what_an_automation_is_written_as_stays_as_it_is() -> None:
    automation = Automation(entity_id="automation.a", config={"actions": [call("script.night")]})
    home = Home(automations=(automation,), scripts=(script("night", turned("light.a")),))
    (read,) = with_scripts(home)
    assert read.config["actions"] == [{"sequence": [[turned("light.a")]]}]
    assert home.automations[0].config == {"actions": [call("script.night")]}


def evenings(scripts: list[Script]) -> Diary:
    """People turn the fan on at seven, and an automation calls a script then."""
    diary = Diary()
    diary.made(wiring() | {"alias": "Evening", "actions": [call("script.evening")]}, name="evening")
    diary.scripts += scripts
    diary.habit(FAN, AT, spread=3, lasts=150)
    return diary


def test_a_habit_that_an_automations_script_does_already_is_not_offered() -> None:
    offered = evenings([]).looked_at()
    assert any(FAN in one.habit["entities"] and one.habit["state"] == "on" for one in offered.suggestions)
    known = evenings([script("evening", turned(FAN))]).mined()
    assert not any(FAN in one.habit["entities"] and one.habit["state"] == "on" for one in known.suggestions)
    assert "an automation does it: Evening" in {one.why for one in known.set_aside}


def test_a_script_that_does_the_opposite_is_a_conflict_of_the_automation_that_calls_it() -> None:
    found = evenings([script("evening", turned(FAN, "turn_off"))]).looked_at()
    (one,) = [
        each for each in found.suggestions if FAN in each.habit["entities"] and each.habit["state"] == "on"
    ]
    (conflict,) = one.conflicts
    assert (conflict.entity_id, conflict.target, conflict.state) == ("automation.evening", FAN, "off")
