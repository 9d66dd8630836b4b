"""What a change of an accepted automation changed, in words, and what takes it back, as the page says it."""

from pathlib import Path
from typing import Any

import pytest

from app.habits.offers.decision import Via, Who
from app.neighbours import NeighbourState
from app.web.changes import change_in_words
from tests.habits.offers.hub import Editor
from tests.web.house import House, ingress_house, offer
from tests.web.test_suggestion_page import API, HOME, connected, kitchen, page, post

ANA = Who("admin", Via.PAGE)
WORKDAYS = {"condition": "time", "weekday": ["mon", "tue", "wed", "thu", "fri"]}
HOME_ONLY = {"condition": "numeric_state", "entity_id": "zone.home", "above": 0}
LUX = {"condition": "numeric_state", "entity_id": "sensor.lux", "below": 40}
LAMP = {"action": "light.turn_on", "target": {"entity_id": ["light.kitchen"]}}
BEFORE: dict[str, Any] = {
    "alias": "Lamp",
    "triggers": [{"trigger": "time", "at": "07:00:00"}],
    "conditions": [WORKDAYS, HOME_ONLY, LUX],
    "actions": [LAMP],
    "mode": "single",
}


def at(time: str) -> dict[str, Any]:
    return {**kitchen().automation, "triggers": [{"trigger": "time", "at": time}]}


@pytest.mark.parametrize(
    ("otherwise", "said"),
    [
        ({}, ""),
        ({"alias": "Mine"}, "called “Mine”"),
        ({"alias": "Mine", "triggers": [{"trigger": "time", "at": "07:10:00"}]}, "at 07:10"),
        (
            {"conditions": [{**WORKDAYS, "weekday": ["sat", "sun"]}, HOME_ONLY, LUX]},
            "at the weekend",
        ),
        ({"conditions": [HOME_ONLY, LUX]}, "without “from Monday to Friday”"),
        ({"conditions": [WORKDAYS, LUX]}, "without “somebody is home”"),
        ({"conditions": [WORKDAYS, HOME_ONLY, {**LUX, "below": 60}]}, "lux is below 60"),
        (
            {"conditions": [{**WORKDAYS, "weekday": ["sun"]}, {**LUX, "below": 60}]},
            "on Sunday, lux is below 60, without “somebody is home”, without “lux is below 40”",
        ),
        ({"actions": [{"delay": "00:05:00"}, LAMP]}, "wait 5 min"),
    ],
)
def test_a_change_is_told_by_what_is_otherwise(otherwise: dict[str, Any], said: str) -> None:
    assert change_in_words(BEFORE, {**BEFORE, **otherwise}, HOME) == said


async def changed(opened: House, *automations: dict[str, Any]) -> None:
    connected(opened)
    await offer(opened, kitchen())
    await opened.parts.offers.accept("clock-kitchen", ANA)
    for automation in automations:
        await opened.parts.offers.change("clock-kitchen", ANA, automation=automation)


async def test_each_change_is_in_the_history_and_the_last_one_can_be_taken_back(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, editor=Editor(), home=HOME) as (opened, http):
        await changed(opened, at("07:10:00"), at("07:20:00"))
        await post(http, f"{API}/change", {"mode": "disabled"})
        text = await page(http)
        for line in ("at 07:10", "at 07:20", "it is switched off"):
            assert f"<bdi>You changed this: {line}.</bdi>" in text
        assert "<bdi>You accepted this: it runs.</bdi>" in text
        assert "Before its last change: <bdi>at 07:10</bdi>." in text
        assert "What was tried here is the automation as it was suggested" in text


async def test_what_was_only_accepted_has_no_change_to_take_back(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, editor=Editor(), home=HOME) as (opened, http):
        await changed(opened)
        text = await page(http)
        assert 'id="change"' in text
        assert "Before its last change" not in text
        assert "as it was suggested, not as it is now" not in text
        assert (await post(http, f"{API}/undo"))[0] == 200
        assert "You took it back" in await page(http)
        assert 'id="change"' not in await page(http)


async def test_a_change_that_home_assistant_refused_later_is_told_as_that(tmp_path: Path) -> None:
    editor = Editor()
    async with ingress_house(tmp_path, editor=editor, home=HOME) as (opened, http):
        await changed(opened, at("07:10:00"))
        opened.parts.neighbours.set("hub", NeighbourState.FAILED, "away")
        editor.unwanted = "08:00"
        await opened.parts.offers.change("clock-kitchen", ANA, automation=at("08:00:00"))
        assert "Change not made yet" in await page(http)
        opened.parts.neighbours.set("hub", NeighbourState.OK)
        await opened.parts.offers.deploying.take_up()
        text = await page(http)
        assert "<bdi>What was asked could not be done</bdi>" in text
        assert "<bdi>What was asked could not be done: it stays as it was.</bdi>" in text
        assert text.count("no such time") == 2  # as the trouble, and in the history
        # What never came about is nothing to go back to.
        assert "Before its last change: <bdi>at 07:00</bdi>." in text


async def test_a_change_is_tried_from_what_stands_and_not_from_what_was_suggested(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, editor=Editor(), home=HOME) as (opened, http):
        await changed(opened, {**at("07:10:00"), "conditions": [HOME_ONLY]})
        status, told = await post(http, f"{API}/replay", {"days": ["mon"]})
        assert (status, told["before"], told["after"]) == (200, None, None)
        assert told["untried"] == "What happened then is no longer kept, so this cannot be tried."
        assert told["automation"]["triggers"] == at("07:10:00")["triggers"]
        assert told["automation"]["conditions"] == [{"condition": "time", "weekday": ["mon"]}, HOME_ONLY]
        status, told = await post(http, f"{API}/replay", {"at": "noon"})
        assert (status, told["error"]) == (422, "at: give HH:MM")


async def test_what_its_form_cannot_show_is_left_to_home_assistants_own_editor(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, editor=Editor(), home=HOME) as (opened, http):
        two = [{"trigger": "time", "at": "07:00:00"}, {"trigger": "sun", "event": "sunset"}]
        await changed(opened, {**kitchen().automation, "triggers": two})
        text = await page(http)
        assert 'id="change"' not in text
        assert "Open in Home Assistant" in text
