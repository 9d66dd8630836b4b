"""What a hub's scripts do, as far as it tells."""

import asyncio
from typing import Any

import pytest

from app.hub import scripts
from app.hub.client import Hub
from app.hub.registries import read_home
from app.hub.scripts import MOST, read_scripts
from app.model import Script
from tests.hub.peer import DROP, SILENCE, Fail, Peer
from tests.hub.test_registries import ANSWERS, config_of


def states(*names: str) -> dict[str, dict[str, Any]]:
    return {f"script.{name}": {"state": "off", "attributes": {"friendly_name": name}} for name in names}


async def test_scripts_are_read_in_todays_form_and_come_with_the_home(hub: Hub, peer: Peer) -> None:
    config = {"alias": "Good night", "sequence": {"service": "light.turn_off", "entity_id": "light.spot"}}
    listed = [*ANSWERS["get_states"], {"entity_id": "script.night", "state": "off", "attributes": {}}]
    peer.answers |= {**ANSWERS, "get_states": listed, "automation/config": config_of}
    peer.answers["script/config"] = {"config": config}
    (script,) = (await read_home(hub)).scripts
    assert script == Script(
        entity_id="script.night",
        alias="Good night",
        config={**config, "sequence": [{"action": "light.turn_off", "entity_id": "light.spot"}]},
    )


@pytest.mark.parametrize(
    "trouble", [Fail("not_found"), {"config": None}, {"config": [1]}, "nonsense", None, 7]
)
async def test_one_that_is_not_told_stands_without_what_it_does(hub: Hub, peer: Peer, trouble: Any) -> None:
    def said(message: dict[str, Any]) -> Any:
        return trouble if message["entity_id"] == "script.b" else {"config": {"sequence": []}}

    peer.answers["script/config"] = said
    found = await read_scripts(hub, states("a", "b", "c"))
    assert [(one.alias, one.config) for one in found] == [
        ("a", {"sequence": []}),
        ("b", {}),
        ("c", {"sequence": []}),
    ]


async def test_one_that_gets_no_answer_does_not_stop_the_rest(
    hub: Hub, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "_EACH_SECONDS", 1.0)
    for silence in (SILENCE, DROP):

        def said(message: dict[str, Any], silence: Any = silence) -> Any:
            return silence if message["entity_id"] == "script.b" else {"config": {"alias": "told"}}

        peer.answers["script/config"] = said
        found = await read_scripts(hub, states("a", "b", "c"))
        assert "told" in {one.alias for one in found}
        assert len(found) == 3


async def test_what_is_not_told_in_time_is_done_without(
    hub: Hub, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "_ALL_SECONDS", 0.2)
    peer.answers["script/config"] = SILENCE
    async with asyncio.timeout(60):
        found = await read_scripts(hub, states(*(f"s{i:02d}" for i in range(40))))
    assert {tuple(one.config) for one in found} == {()}


async def test_no_more_than_three_hundred_are_asked_for(hub: Hub, peer: Peer) -> None:
    peer.answers["script/config"] = {"config": {"sequence": []}}
    found = await read_scripts(hub, states(*(f"s{i:03d}" for i in range(MOST + 20))))
    assert len(found) == peer.times("script/config") == MOST
