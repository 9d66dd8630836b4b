"""A suggestion as one more step of people's own automation: put in, taken out, never over their changes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from app.bus import Bus
from app.errors import InputError
from app.habits.offers.decision import Decision, Verdict
from app.habits.offers.extending import extended, extension, steps_of
from app.habits.offers.troubles import (
    AddedError,
    ChangedSinceError,
    DecidedAlreadyError,
    EditedError,
    NeedsConfirmationError,
    NotEditableError,
)
from app.habits.offers.watched import Extends
from app.habits.offers.watches import Watches
from app.habits.offers.wiring import mark
from app.habits.suggestion import Suggestion
from app.hub.client import Hub
from app.hub.editor import HubEditor, NotWantedError
from app.model import Automation
from app.neighbours import Neighbours, NeighbourState
from tests.habits.offers.conftest import ANA, BEN, HOME, Desk, found
from tests.habits.offers.hub import LOST
from tests.hub.peer import TOKEN, Peer

UID, ENTITY = "1699000000000", "automation.morning"
OWN: dict[str, Any] = {
    "alias": "Good morning",
    "description": "",
    "triggers": [{"trigger": "time", "at": "07:00:00"}],
    "conditions": [],
    "actions": [{"action": "media_player.media_play", "target": {"entity_id": "media_player.radio"}}],
    "mode": "single",
}
STEP = found().automation["actions"][0]
WHOLE = {**OWN, "actions": [*OWN["actions"], STEP]}


def call(name: str) -> dict[str, Any]:
    return {"action": name, "target": {"entity_id": ["light.a"]}}


def could_be_added(unique_id: str | None = UID, **more: Any) -> Suggestion:
    extends = Extends(
        entity_id=ENTITY, unique_id=unique_id, name="Good morning", says="Together.", automation=WHOLE
    )
    return found(**more).model_copy(update={"extends": extends})


@pytest.fixture
async def shop(desk: Desk) -> Desk:
    """A home with an automation of people's own, and a suggestion that could be a step of it."""
    desk.editor.configs[UID], desk.editor.on[UID] = dict(OWN), True
    own = Automation(entity_id=ENTITY, unique_id=UID, alias="Good morning", config={"id": UID, **OWN})
    desk.home = HOME.model_copy(update={"automations": (own,)})
    desk.again()
    await desk.offer(could_be_added())
    return desk


async def standing(desk: Desk) -> Decision:
    now = await desk.decisions.of("home", "lamp")
    assert now is not None
    return now


def made(*actions: dict[str, Any]) -> dict[str, Any]:
    return {"actions": list(actions)}


def test_the_step_comes_last_where_all_else_is_done_at_once() -> None:
    assert extended(OWN, made(call("light.turn_on")))["actions"] == [*OWN["actions"], call("light.turn_on")]
    assert "id" not in extended({"id": "1", **OWN}, made(STEP))


@pytest.mark.parametrize(
    "slow",
    [
        {"delay": "00:10:00"},
        {"wait_template": "{{ true }}"},
        {"wait_for_trigger": []},
        {"stop": "enough"},
        {"condition": "state", "entity_id": "light.a", "state": "on"},
        {"choose": []},
        {"repeat": {"count": 3, "sequence": []}},
        call("script.evening"),
        "nonsense",
    ],
)
def test_it_comes_before_what_may_wait_or_end_the_run(slow: Any) -> None:
    first, last = call("fan.turn_on"), call("light.turn_on")
    own = {**OWN, "actions": [first, slow]}
    assert extended(own, made(last))["actions"] == [last, first, slow]


def test_a_wait_at_the_beginning_is_kept_once_the_automations_own() -> None:
    wait, act = {"delay": "00:05:00"}, call("light.turn_on")
    assert steps_of(made(wait, act, wait)) == [act, wait]
    assert extended({**OWN, "actions": [wait, *OWN["actions"]]}, made(wait, act))["actions"] == [
        wait, *OWN["actions"], act,
    ]  # fmt: skip
    own = {**OWN, "actions": [wait, *OWN["actions"], wait]}
    assert extended(own, made(act))["actions"] == [wait, act, *OWN["actions"], wait]


def test_what_has_the_step_already_is_not_extended_and_a_blueprint_cannot_be() -> None:
    def looked_at(config: dict[str, Any]) -> Any:
        return extension(ENTITY, UID, "x", config, WHOLE, made(STEP), kept=True, enabled=True)

    assert looked_at(WHOLE) is None
    assert looked_at(OWN).editable
    assert not looked_at(OWN).changed
    assert looked_at({"use_blueprint": {"path": "x.yaml"}}) is None
    assert looked_at({**OWN, "triggers": [{"trigger": "time", "at": "08:00:00"}]}).changed


async def test_added_it_is_a_step_of_that_automation_and_nothing_else_changes(shop: Desk) -> None:
    found_now = await shop.offers.extension(await shop.offers.look("lamp"))
    assert found_now is not None
    assert (found_now.after, found_now.editable, found_now.seen) == (WHOLE, True, mark(OWN))
    decision = await shop.offers.extend("lamp", ANA, seen=found_now.seen)
    assert (decision.verdict, decision.body.unique_id) == (Verdict.ACCEPTED, UID)
    assert shop.editor.configs == {UID: WHOLE}
    assert shop.editor.areas == {}
    assert decision.body.onto is not None
    assert decision.body.onto.before == OWN
    assert await shop.on_offer() == []
    assert await shop.offers.extension(await shop.offers.look("lamp")) is None


async def test_taken_out_again_it_stands_as_before_and_is_on_offer(shop: Desk) -> None:
    await shop.offers.extend("lamp", ANA)
    assert (await shop.offers.undo("lamp", BEN)).verdict is Verdict.UNDONE
    assert shop.editor.configs == {UID: OWN}
    assert await shop.on_offer() == ["lamp"]
    assert (await shop.offers.extend("lamp", BEN)).verdict is Verdict.ACCEPTED


async def test_a_double_tap_is_one_step_and_somebody_else_is_told(shop: Desk) -> None:
    first, second = await asyncio.gather(*(shop.offers.extend("lamp", ANA) for _ in range(2)))
    third = await shop.offers.extend("lamp", ANA)
    assert first.decision_id == second.decision_id == third.decision_id
    assert (shop.editor.configs[UID], shop.editor.puts) == (WHOLE, 1)
    with pytest.raises(DecidedAlreadyError):
        await shop.offers.extend("lamp", BEN)
    with pytest.raises(DecidedAlreadyError):
        await shop.offers.accept("lamp", BEN)


async def test_what_is_not_what_was_looked_at_is_not_changed(shop: Desk) -> None:
    seen = mark(OWN)
    shop.editor.configs[UID]["alias"] = "Early morning"
    with pytest.raises(ChangedSinceError, match="Early morning"):
        await shop.offers.extend("lamp", ANA)
    with pytest.raises(ChangedSinceError, match="Early morning") as said:
        await shop.offers.extend("lamp", ANA, seen=seen)
    assert shop.editor.puts == 0
    assert (await shop.offers.extend("lamp", ANA, seen=said.value.seen)).verdict is Verdict.ACCEPTED
    assert shop.editor.configs[UID] == {**WHOLE, "alias": "Early morning"}
    await shop.offers.undo("lamp", ANA)
    assert shop.editor.configs[UID] == {**OWN, "alias": "Early morning"}


async def test_what_a_person_edited_in_between_is_put_back_only_with_force(shop: Desk) -> None:
    await shop.offers.extend("lamp", ANA)
    shop.editor.configs[UID] = {**WHOLE, "alias": "Mine"}
    with pytest.raises(EditedError):
        await shop.offers.undo("lamp", ANA)
    assert shop.editor.configs[UID]["alias"] == "Mine"
    assert (await shop.offers.undo("lamp", ANA, force=True)).verdict is Verdict.UNDONE
    assert shop.editor.configs == {UID: OWN}


async def test_put_back_or_deleted_by_hand_there_is_nothing_left_to_take_out(shop: Desk) -> None:
    await shop.offers.extend("lamp", ANA)
    shop.editor.configs[UID] = dict(OWN)
    assert (await shop.offers.undo("lamp", ANA)).verdict is Verdict.UNDONE
    assert shop.editor.puts == 1
    await shop.offers.extend("lamp", ANA)
    del shop.editor.configs[UID]
    assert (await shop.offers.undo("lamp", ANA)).verdict is Verdict.UNDONE
    assert shop.editor.configs == {}


async def test_what_the_editor_does_not_have_cannot_be_changed_from_here(shop: Desk) -> None:
    del shop.editor.configs[UID]
    found_now = await shop.offers.extension(await shop.offers.look("lamp"))
    assert found_now is not None
    assert (found_now.editable, found_now.after) == (False, WHOLE)
    with pytest.raises(NotEditableError, match=r"automations\.yaml"):
        await shop.offers.extend("lamp", ANA)
    await shop.offer(could_be_added(unique_id=None))
    with pytest.raises(NotEditableError):
        await shop.offers.extend("lamp", ANA)
    await shop.offer(found())
    with pytest.raises(InputError, match="no automation"):
        await shop.offers.extend("lamp", ANA)
    assert shop.told == []


async def test_only_the_step_is_judged_by_the_table(shop: Desk) -> None:
    siren = {"action": "siren.turn_on", "target": {"entity_id": "siren.roof"}}
    shop.editor.configs[UID]["actions"] = [siren]
    seen = mark(shop.editor.configs[UID])
    blind = could_be_added(identity="lamp", entity_id="cover.blind", state="closed")
    await shop.offer(blind)
    with pytest.raises(NeedsConfirmationError, match="moves a cover"):
        await shop.offers.extend("lamp", ANA, seen=seen)
    assert (await shop.offers.extend("lamp", ANA, seen=seen, confirm=True)).verdict is Verdict.ACCEPTED
    await shop.offers.undo("lamp", ANA)
    await shop.offer(could_be_added(identity="lamp", entity_id="switch.oven"))
    with pytest.raises(InputError, match="heats unattended"):
        await shop.offers.extend("lamp", ANA, seen=seen, confirm=True)
    assert shop.editor.configs[UID]["actions"] == [siren]


async def test_what_the_hub_does_not_take_stays_on_offer(shop: Desk) -> None:
    shop.editor.unwanted = "light.kitchen"
    with pytest.raises(NotWantedError):
        await shop.offers.extend("lamp", ANA)
    assert await shop.on_offer() == ["lamp"]


async def test_a_step_is_changed_in_home_assistant_only_and_gets_no_verdict(shop: Desk) -> None:
    await shop.offers.extend("lamp", ANA)
    with pytest.raises(AddedError, match="Good morning"):
        await shop.offers.change("lamp", ANA, automation=found().automation)
    assert await Watches(shop.store, shop.bus, shop.clock).accepted("home") == []
    await shop.deploying.look(shop.described())
    assert not (await standing(shop)).body.edited
    shop.editor.configs[UID]["alias"] = "Mine"
    await shop.deploying.look(shop.described())
    assert (await standing(shop)).body.edited


async def test_while_the_hub_is_away_it_is_kept_and_done_when_it_is_back(shop: Desk) -> None:
    shop.again(hub=False)
    shop.deploying.start()
    kept = await shop.offers.extend("lamp", ANA)
    assert (kept.verdict, "as soon as it is back" in kept.body.trouble) == (Verdict.ACCEPTING, True)
    shop.neighbours.set("hub", NeighbourState.OK)
    await shop.until(lambda: shop.told[-1] == ("accepted", "ana"))
    assert shop.editor.configs == {UID: WHOLE}


async def test_what_was_changed_while_the_hub_was_away_is_left_alone_and_on_offer(shop: Desk) -> None:
    shop.again(hub=False)
    await shop.offers.extend("lamp", ANA)
    shop.editor.configs[UID]["alias"] = "Mine"
    shop.neighbours.set("hub", NeighbourState.OK)
    assert await shop.deploying.take_up() == 0
    now = await standing(shop)
    assert (now.verdict, "changed this automation" in now.body.trouble) == (Verdict.UNDONE, True)
    assert shop.editor.configs[UID] == {**OWN, "alias": "Mine"}
    assert await shop.on_offer() == ["lamp"]


async def test_killed_or_lost_in_the_middle_it_is_done_once_either_way(shop: Desk) -> None:
    shop.editor.after_put = LOST
    assert (await shop.offers.extend("lamp", ANA)).verdict is Verdict.ACCEPTING
    assert shop.editor.configs == {UID: WHOLE}
    shop.editor.after_put = None
    shop.again()
    assert await shop.deploying.take_up() == 0
    assert ((await standing(shop)).verdict, shop.editor.puts) == (Verdict.ACCEPTED, 1)
    shop.editor.after_put = LOST
    assert (await shop.offers.undo("lamp", ANA)).verdict is Verdict.UNDOING
    shop.editor.after_put = None
    shop.again()
    assert await shop.deploying.take_up() == 0
    assert ((await standing(shop)).verdict, shop.editor.puts) == (Verdict.UNDONE, 2)
    assert shop.editor.configs == {UID: OWN}


async def test_two_added_to_one_automation_come_out_in_any_order_that_loses_nothing(shop: Desk) -> None:
    hall = could_be_added(identity="hall", entity_id="light.hall")
    await shop.offer(could_be_added(), hall)
    await shop.offers.extend("lamp", ANA)
    second = await shop.offers.extension(await shop.offers.look("hall"))
    assert second is not None
    await shop.offers.extend("hall", BEN, seen=second.seen)
    assert shop.editor.configs[UID]["actions"] == [*WHOLE["actions"], hall.automation["actions"][0]]
    with pytest.raises(EditedError):
        await shop.offers.undo("lamp", ANA)
    await shop.offers.undo("hall", ANA)
    await shop.offers.undo("lamp", ANA)
    assert shop.editor.configs == {UID: OWN}


# ── over the wire ──


class Yaml:
    """What a hub keeps in its automations.yaml, behind its own addresses."""

    def __init__(self, peer: Peer) -> None:
        self.config: dict[str, Any] | None = {"id": UID, **OWN}
        self.heard = peer.heard
        path = f"/api/config/automation/config/{UID}"
        peer.pages |= {
            f"POST {path}": self._post,
            f"GET {path}": lambda _: (200, self.config) if self.config else (404, {}),
            f"GET /api/states/{ENTITY}": lambda _: (200, {"state": "on"}),
        }
        peer.answers |= {
            "validate_config": {part: {"valid": True, "error": None} for part in ("triggers", "actions")},
            "config/entity_registry/list": [
                {"entity_id": ENTITY, "platform": "automation", "unique_id": UID, "labels": ["theirs"]}
            ],
        }

    def _post(self, said: Any) -> tuple[int, Any]:
        self.config = {"id": UID, **said}
        return 200, {"result": "ok"}


@pytest.fixture
async def peer() -> AsyncIterator[tuple[Peer, TestServer]]:
    peer = Peer()
    server = peer.server()
    await server.start_server()
    yield peer, server
    await server.close()


async def test_over_the_hubs_own_addresses_no_label_and_no_area_is_touched(
    shop: Desk, peer: tuple[Peer, TestServer]
) -> None:
    hub_side, server = peer
    yaml = Yaml(hub_side)
    hub = Hub(
        str(server.make_url("")), SecretStr(TOKEN), neighbours=Neighbours(Bus(), shop.clock), clock=shop.clock
    )
    shop.hand = HubEditor(hub, shop.clock)
    shop.again()
    try:
        assert (await shop.offers.extend("lamp", ANA, seen=mark(OWN))).verdict is Verdict.ACCEPTED
        assert yaml.config == {"id": UID, **WHOLE}
        yaml.config["description"] = "Edited"
        with pytest.raises(EditedError):
            await shop.offers.undo("lamp", ANA)
        assert (await shop.offers.undo("lamp", ANA, force=True)).verdict is Verdict.UNDONE
        assert yaml.config == {"id": UID, **OWN}
        yaml.config = None
        with pytest.raises(NotEditableError):
            await shop.offers.extend("lamp", ANA, seen=mark(OWN))
    finally:
        await hub.close()
    asked = {message["type"] for message in yaml.heard}
    assert "config/entity_registry/update" not in asked
    assert "config/label_registry/create" not in asked
