"""A suggestion added to an automation that somebody wrote in a real Home Assistant, and taken out again."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.bus import Bus
from app.clock import SystemClock
from app.habits.offers.extending import extended
from app.habits.offers.watched import Extends
from app.habits.suggestions import Suggestions
from app.store.database import Store
from tests.end_to_end.test_accepting import Desk, Hand, Things, desk_of, hand, things
from tests.real_hub.peer import RealHub
from tests.web.house import suggestion

__all__ = ["hand", "things"]  # fixtures

pytestmark = [pytest.mark.hub, pytest.mark.timeout(300)]


@dataclass
class Own:
    """Somebody's automation: the button lights another lamp. Written with yesterday's keys, as many are."""

    unique_id: str
    entity_id: str
    lamp: str
    config: dict[str, Any]


@pytest.fixture
async def own(hand: Hand, things: Things) -> AsyncIterator[Own]:
    other = await hand.say("input_boolean/create", name=f"other {secrets.token_hex(3)}")
    lamp = f"input_boolean.{other['id']}"
    await hand.becomes(lamp, "off")
    unique_id = str(1_700_000_000_000 + secrets.randbelow(10**9))
    config = {
        "alias": f"Somebody's {unique_id}",
        "trigger": [{"platform": "state", "entity_id": things.button, "to": "on"}],
        "action": [{"service": "input_boolean.turn_on", "target": {"entity_id": lamp}}],
        "mode": "single",
    }
    path = f"/api/config/automation/config/{unique_id}"
    async with hand.http.post(path, json=config) as reply:
        assert reply.status == 200
    async with asyncio.timeout(60):
        while not [
            one for one in await hand.say("config/entity_registry/list") if one["unique_id"] == unique_id
        ]:
            await asyncio.sleep(0.1)
    yield Own(unique_id, await hand.entity_id(unique_id), lamp, config)
    await hand.delete(unique_id)
    await hand.say("input_boolean/delete", input_boolean_id=other["id"])


async def could_be_added(folder: Path, things: Things, own: Own) -> None:
    clock = SystemClock()
    store = Store(folder / "nightshift.db", clock)
    await store.open()
    habit = {"entities": [things.lamp], "state": "on", "trigger": {"entity_id": things.button, "to": "on"}}
    one = suggestion(things.suggestion_id, kind="trigger", habit=habit, automation=things.automation)
    extends = Extends(
        entity_id=own.entity_id,
        unique_id=own.unique_id,
        name=own.config["alias"],
        says="They act at the same moment.",
        automation=extended(own.config, things.automation),
    )
    one = one.model_copy(update={"extends": extends})
    await Suggestions(store, Bus(), clock).replace("home", "a night", [(one, "")])
    await store.close()


@pytest.fixture
async def desk(tmp_path: Path, variables: dict[str, str], things: Things, own: Own) -> AsyncIterator[Desk]:
    await could_be_added(tmp_path / "data", things, own)
    async with desk_of(tmp_path / "data", variables, things) as desk:
        yield desk


async def actions(hand: Hand, own: Own) -> list[Any]:
    config = await hand.automation(own.unique_id)
    assert config is not None
    return list(config.get("actions") or config["action"])


async def test_added_both_happen_and_taken_out_only_the_first(
    desk: Desk, hand: Hand, things: Things, own: Own
) -> None:
    before = await hand.say("config/entity_registry/get", entity_id=own.entity_id)
    status, said = await desk.do("extend")
    assert (status, said["confirm"]) == (422, True)
    status, decision = await desk.do("extend", confirm=True)
    assert (status, decision["verdict"]) == (200, "accepted"), decision
    assert decision["automation"]["entity_id"] == own.entity_id
    assert await hand.state(own.entity_id) == "on"
    assert await hand.automation(things.unique_id) is None
    after = await hand.say("config/entity_registry/get", entity_id=own.entity_id)
    assert (after["labels"], after["area_id"]) == (before["labels"], before["area_id"])
    await hand.turn(things.button)
    await hand.becomes(own.lamp, "on")
    await hand.becomes(things.lamp, "on")
    status, decision = await desk.do("undo")
    assert (status, decision["verdict"]) == (200, "undone"), decision
    kept = await actions(hand, own)
    assert [one["action"] for one in kept] == ["input_boolean.turn_on"]
    assert kept[0]["target"] == {"entity_id": own.lamp}
    for name in (things.button, things.lamp, own.lamp):
        await hand.turn(name, "turn_off")
        await hand.becomes(name, "off")
    await hand.turn(things.button)
    await hand.becomes(own.lamp, "on")
    await hand.rests(own.entity_id)
    assert await hand.state(things.lamp) == "off"
    assert [one["id"] for one in await desk.process.get("/api/suggestions")] == [things.suggestion_id]


async def test_what_somebody_changed_in_between_is_put_back_only_when_they_say_so(
    desk: Desk, hand: Hand, own: Own
) -> None:
    await desk.do("extend", confirm=True)
    await hand.edit(own.unique_id, alias="Mine now")
    status, said = await desk.do("undo")
    assert (status, said["edited"]) == (409, True)
    assert len(await actions(hand, own)) == 2
    status, decision = await desk.do("undo", force=True)
    assert (status, decision["verdict"]) == (200, "undone")
    config = await hand.automation(own.unique_id)
    assert config is not None
    assert (config["alias"], len(await actions(hand, own))) == (own.config["alias"], 1)


async def test_changed_since_or_not_in_the_editor_nothing_is_done(desk: Desk, hand: Hand, own: Own) -> None:
    await hand.edit(own.unique_id, alias="Mine now")
    status, said = await desk.do("extend", confirm=True)
    assert (status, "Mine now" in said["error"]) == (409, True)
    status, decision = await desk.do("extend", confirm=True, seen=said["seen"])
    assert (status, decision["added_to"]["name"]) == (200, "Mine now")
    await desk.do("undo")
    await hand.delete(own.unique_id)
    status, said = await desk.do("extend", confirm=True)
    assert (status, "automations.yaml" in said["error"] or "no automation" in said["error"]) == (422, True)


async def test_killed_while_the_hub_is_away_it_is_added_once_when_both_are_back(
    real_hub: RealHub, tmp_path: Path, variables: dict[str, str], hand: Hand, things: Things, own: Own
) -> None:
    folder = tmp_path / "killed"
    await could_be_added(folder, things, own)
    async with desk_of(folder, variables, things) as desk:
        await real_hub.say("hub-stop")
        try:
            status, decision = await desk.do("extend", confirm=True)
            assert (status, decision["verdict"]) == (202, "accepting"), decision
            await desk.process.kill()
        finally:
            await real_hub.say("hub-start")
    async with desk_of(folder, variables, things) as desk:
        await desk.until(lambda now: now["verdict"] == "accepted")
    kept = yaml.safe_load((real_hub.config / "automations.yaml").read_text("utf-8"))
    (one,) = [each for each in kept if each["id"] == own.unique_id]
    assert len(one["actions"]) == 2
