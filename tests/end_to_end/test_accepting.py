"""From a suggestion to an automation that fires in a real Home Assistant, and back."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from app.bus import Bus
from app.clock import SystemClock
from app.habits.offers.notify_first import asks_first
from app.habits.suggestions import Suggestions
from app.hub.invented import invent
from app.store.database import Store
from tests.process import PROOF, Process, serving
from tests.real_hub.past import SEED, furnish
from tests.real_hub.peer import RealHub
from tests.web.house import suggestion

pytestmark = [pytest.mark.hub, pytest.mark.timeout(300)]


@dataclass
class Hand:
    """What a person does in Home Assistant, over its WebSocket and REST."""

    hub: RealHub
    http: aiohttp.ClientSession

    async def say(self, kind: str, **fields: Any) -> Any:
        async with self.http.ws_connect("/api/websocket") as wire:
            await wire.receive_json()
            await wire.send_json({"type": "auth", "access_token": self.hub.token})
            assert (await wire.receive_json())["type"] == "auth_ok"
            await wire.send_json({"id": 1, "type": kind, **fields})
            answer = await wire.receive_json()
        assert answer["success"], answer
        return answer["result"]

    async def state(self, entity_id: str) -> str:
        async with self.http.get(f"/api/states/{entity_id}") as reply:
            return "" if reply.status == 404 else str((await reply.json())["state"])

    async def becomes(self, entity_id: str, state: str) -> None:
        async with asyncio.timeout(60):
            while await self.state(entity_id) != state:
                await asyncio.sleep(0.1)

    async def recorded(self, entity_id: str, state: str) -> None:
        """Wait until the hub's history ends with that state: its recorder writes every five seconds."""
        async with asyncio.timeout(60):
            while True:
                async with self.http.get(
                    "/api/history/period", params={"filter_entity_id": entity_id}
                ) as reply:
                    told = await reply.json()
                if told and told[0][-1]["state"] == state:
                    return
                await asyncio.sleep(0.1)

    async def turn(self, entity_id: str, service: str = "turn_on") -> None:
        domain = entity_id.partition(".")[0]
        await self.say("call_service", domain=domain, service=service, target={"entity_id": entity_id})

    async def automation(self, unique_id: str) -> dict[str, Any] | None:
        async with self.http.get(f"/api/config/automation/config/{unique_id}") as reply:
            return None if reply.status == 404 else dict(await reply.json())

    async def edit(self, unique_id: str, **changes: Any) -> None:
        config = await self.automation(unique_id)
        assert config is not None
        async with self.http.post(
            f"/api/config/automation/config/{unique_id}", json={**config, **changes}
        ) as reply:
            assert reply.status == 200

    async def entity_id(self, unique_id: str) -> str:
        entries = await self.say("config/entity_registry/list")
        return str(next(one["entity_id"] for one in entries if one["unique_id"] == unique_id))

    async def asked(self, entity_id: str) -> str:
        """Wait until a run of an automation waits for its answer; return the run's context."""
        async with asyncio.timeout(60):
            while True:
                async with self.http.get(f"/api/states/{entity_id}") as reply:
                    said = await reply.json()
                item_id = said["attributes"]["id"]
                runs = await self.say("trace/list", domain="automation", item_id=item_id)
                waiting = [run for run in runs if run["state"] == "running"]
                if waiting and "wait" in await self._steps(item_id, waiting[-1]["run_id"]):
                    return str(said["context"]["id"])
                await asyncio.sleep(0.1)

    async def _steps(self, item_id: str, run_id: str) -> str:
        trace = await self.say("trace/get", domain="automation", item_id=item_id, run_id=run_id)
        return str(list(trace["trace"].values()))

    async def rests(self, entity_id: str) -> None:
        """Wait until no run of an automation is going on."""
        async with asyncio.timeout(60):
            while True:
                async with self.http.get(f"/api/states/{entity_id}") as reply:
                    if (await reply.json())["attributes"]["current"] == 0:
                        return
                await asyncio.sleep(0.1)

    async def delete(self, unique_id: str) -> None:
        async with self.http.delete(f"/api/config/automation/config/{unique_id}"):
            pass


@dataclass
class Things:
    """A button and a lamp of the hub's own, in one area, and a suggestion that has them."""

    button: str
    lamp: str
    area_id: str
    suggestion_id: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def unique_id(self) -> str:
        return f"nightshift_{self.suggestion_id}"

    @property
    def automation(self) -> dict[str, Any]:
        return {
            "alias": f"Lamp {self.suggestion_id} after the button",
            "triggers": [{"trigger": "state", "entity_id": [self.button], "from": "off", "to": "on"}],
            "conditions": [],
            "actions": [{"action": "input_boolean.turn_on", "target": {"entity_id": [self.lamp]}}],
            "mode": "single",
        }


@pytest.fixture
async def hand(real_hub: RealHub) -> AsyncIterator[Hand]:
    head = {"Authorization": f"Bearer {real_hub.token}"}
    async with aiohttp.ClientSession(real_hub.url, headers=head) as http:
        yield Hand(real_hub, http)


@pytest.fixture
async def things(hand: Hand) -> AsyncIterator[Things]:
    """What is made in the hub for one test goes with it."""
    tail = secrets.token_hex(3)
    area = await hand.say("config/area_registry/create", name=f"Room {tail}")
    made = [await hand.say("input_boolean/create", name=f"{name} {tail}") for name in ("button", "lamp")]
    ids = [f"input_boolean.{one['id']}" for one in made]
    for entity_id in ids:
        await hand.becomes(entity_id, "off")
        await hand.say("config/entity_registry/update", entity_id=entity_id, area_id=area["area_id"])
    here = Things(ids[0], ids[1], area["area_id"])
    yield here
    await hand.delete(here.unique_id)
    for one in made:
        await hand.say("input_boolean/delete", input_boolean_id=one["id"])
    await hand.say("config/area_registry/delete", area_id=area["area_id"])


async def offered(folder: Path, things: Things) -> None:
    """Put the suggestion on offer, as a night does, before the program starts."""
    clock = SystemClock()
    store = Store(folder / "nightshift.db", clock)
    await store.open()
    habit = {"entities": [things.lamp], "state": "on", "trigger": {"entity_id": things.button, "to": "on"}}
    one = suggestion(things.suggestion_id, kind="trigger", habit=habit, automation=things.automation)
    await Suggestions(store, Bus(), clock).replace("home", "a night", [(one, "")])
    await store.close()


@dataclass
class Desk:
    """The API of a running Nightshift, about one suggestion."""

    process: Process
    suggestion_id: str

    async def do(self, what: str, **given: Any) -> tuple[int, dict[str, Any]]:
        url = f"{self.process.url}/api/suggestions/{self.suggestion_id}/{what}"
        async with aiohttp.ClientSession() as http, http.post(url, headers=PROOF, json=given) as reply:
            return reply.status, await reply.json()

    async def ready(self) -> None:
        """Wait until the home is known: before that nothing is accepted."""
        async with asyncio.timeout(60):
            while (await self.do("accept", automation={}))[0] == 503:
                await asyncio.sleep(0.1)

    async def decision(self) -> dict[str, Any]:
        known = await self.process.get(f"/api/suggestions/{self.suggestion_id}")
        return dict(known["decision"])

    async def until(self, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(90):
            while not true(now := await self.decision()):
                await asyncio.sleep(0.2)
        return now


@asynccontextmanager
async def desk_of(folder: Path, variables: dict[str, str], things: Things) -> AsyncIterator[Desk]:
    async with serving(folder, variables) as process:
        desk = Desk(process, things.suggestion_id)
        await desk.ready()
        yield desk


@pytest.fixture
async def desk(tmp_path: Path, variables: dict[str, str], things: Things) -> AsyncIterator[Desk]:
    await offered(tmp_path / "data", things)
    async with desk_of(tmp_path / "data", variables, things) as desk:
        yield desk


async def test_accepted_it_stands_enabled_with_label_and_area_and_fires(
    desk: Desk, hand: Hand, things: Things
) -> None:
    status, said = await desk.do("accept")
    assert (status, said["confirm"]) == (422, True)
    status, decision = await desk.do("accept", confirm=True)
    assert (status, decision["verdict"]) == (200, "accepted")
    entity_id = decision["automation"]["entity_id"]
    assert await hand.state(entity_id) == "on"
    entry = await hand.say("config/entity_registry/get", entity_id=entity_id)
    assert (entry["labels"], entry["area_id"]) == (["nightshift"], things.area_id)
    config = await hand.automation(things.unique_id)
    assert config is not None
    assert "Made by Nightshift on" in config["description"]
    await hand.turn(things.button)
    await hand.becomes(things.lamp, "on")
    again, same = await desk.do("accept", confirm=True)
    assert (again, same["decision_id"]) == (200, decision["decision_id"])
    assert await desk.process.get("/api/suggestions") == []


async def test_what_a_person_edited_is_left_alone_until_it_may_be_lost(
    desk: Desk, hand: Hand, things: Things
) -> None:
    await desk.do("accept", confirm=True)
    await hand.edit(things.unique_id, alias="Mine now")
    later = {**things.automation, "alias": "Nightshift's again"}
    for what, given in (("undo", {}), ("change", {"automation": later, "confirm": True})):
        status, said = await desk.do(what, **given)
        assert (status, said["edited"]) == (409, True)
    kept = await hand.automation(things.unique_id)
    assert kept is not None
    assert kept["alias"] == "Mine now"
    status, _ = await desk.do("change", automation=later, confirm=True, force=True)
    changed = await hand.automation(things.unique_id)
    assert (status, changed is not None and changed["alias"]) == (200, "Nightshift's again")
    status, decision = await desk.do("undo")
    assert (status, decision["verdict"]) == (200, "undone")
    assert await hand.automation(things.unique_id) is None
    assert await hand.state(decision["automation"]["entity_id"]) == ""
    assert [one["id"] for one in await desk.process.get("/api/suggestions")] == [things.suggestion_id]


async def test_made_switched_off_it_stays_off_when_changed_and_works_once_switched_on(
    desk: Desk, hand: Hand, things: Things
) -> None:
    _, decision = await desk.do("accept", mode="disabled", confirm=True)
    entity_id = decision["automation"]["entity_id"]
    assert (decision["verdict"], await hand.state(entity_id)) == ("accepted", "off")
    changed = {**things.automation, "alias": "Another name"}
    _, decision = await desk.do("change", automation=changed, confirm=True)
    assert (decision["automation"]["enabled"], await hand.state(entity_id)) == (False, "off")
    _, decision = await desk.do("change", mode="enabled", confirm=True)
    assert (decision["mode"], await hand.state(entity_id)) == ("enabled", "on")
    await hand.turn(things.button)
    await hand.becomes(things.lamp, "on")


async def test_deleted_by_hand_is_noticed_and_accepted_anew(
    tmp_path: Path, variables: dict[str, str], hand: Hand, things: Things
) -> None:
    await offered(tmp_path / "data", things)
    async with desk_of(tmp_path / "data", variables, things) as desk:
        await desk.do("accept", confirm=True)
    await hand.delete(things.unique_id)
    async with desk_of(tmp_path / "data", variables, things) as desk:
        gone = await desk.until(lambda now: now["automation"]["gone_since"] is not None)
        assert gone["verdict"] == "accepted"
        status, again = await desk.do("accept", confirm=True)
        assert (status, again["verdict"], again["automation"]["gone_since"]) == (200, "accepted", None)
        assert await hand.automation(things.unique_id) is not None


async def test_what_the_validator_refuses_stays_on_offer(desk: Desk, hand: Hand, things: Things) -> None:
    wrong = {**things.automation, "triggers": [{"trigger": "time", "at": "25:61"}]}
    status, said = await desk.do("accept", automation=wrong, confirm=True)
    assert status == 422
    assert "triggers" in said["error"]
    assert await hand.automation(things.unique_id) is None
    assert [one["id"] for one in await desk.process.get("/api/suggestions")] == [things.suggestion_id]


async def test_accepted_while_the_hub_is_down_and_killed_it_is_made_once_when_both_are_back(
    real_hub: RealHub, tmp_path: Path, variables: dict[str, str], hand: Hand, things: Things
) -> None:
    folder = tmp_path / "data"
    await offered(folder, things)
    async with desk_of(folder, variables, things) as desk:
        await real_hub.say("hub-stop")
        try:
            status, decision = await desk.do("accept", confirm=True)
            assert (status, decision["verdict"]) == (202, "accepting")
            assert "back" in decision["trouble"] or "hub" in decision["trouble"]
            _, same = await desk.do("accept", confirm=True)
            assert same["decision_id"] == decision["decision_id"]
            await desk.process.kill()
        finally:
            await real_hub.say("hub-start")
    async with serving(folder, variables) as process:
        done = await Desk(process, things.suggestion_id).until(lambda now: now["verdict"] == "accepted")
    assert (done["decision_id"], done["trouble"]) == (decision["decision_id"], None)
    kept = yaml.safe_load((real_hub.config / "automations.yaml").read_text("utf-8"))
    assert [one["id"] for one in kept].count(things.unique_id) == 1
    assert await hand.state(done["automation"]["entity_id"]) == "on"


async def test_a_revoked_token_is_said_and_nothing_is_lost(
    tmp_path: Path, variables: dict[str, str], hand: Hand, things: Things
) -> None:
    folder, name = tmp_path / "data", f"nightshift {secrets.token_hex(3)}"
    token = await hand.say("auth/long_lived_access_token", client_name=name, lifespan=1)
    await offered(folder, things)
    async with desk_of(folder, {**variables, "NIGHTSHIFT_HUB_TOKEN": token}, things) as desk:
        (known,) = [one for one in await hand.say("auth/refresh_tokens") if one["client_name"] == name]
        await hand.say("auth/delete_refresh_token", refresh_token_id=known["id"])
        status, decision = await desk.do("accept", confirm=True)
        assert (status, decision["verdict"]) == (202, "accepting")
        said = await desk.until(lambda now: bool(now["trouble"]))
        assert token not in said["trouble"]
        assert await hand.automation(things.unique_id) is None
    async with serving(folder, variables) as process:
        done = await Desk(process, things.suggestion_id).until(lambda now: now["verdict"] == "accepted")
    assert done["decision_id"] == decision["decision_id"]
    assert await hand.automation(things.unique_id) is not None


async def test_a_hub_that_does_not_load_its_automations_file_is_explained_and_mended(
    real_hub: RealHub, tmp_path: Path, variables: dict[str, str], hand: Hand, things: Things
) -> None:
    line, path = "automation: !include automations.yaml", real_hub.config / "configuration.yaml"
    before = path.read_text("utf-8")
    assert line in before
    await offered(tmp_path / "data", things)
    async with desk_of(tmp_path / "data", variables, things) as desk:
        try:
            await restarted(real_hub, path, before.replace(line, "automation: []"))
            status, decision = await desk.do("accept", confirm=True)
            assert (status, decision["verdict"]) == (202, "accepting")
            await desk.until(lambda now: line in (now["trouble"] or ""))
        finally:
            await restarted(real_hub, path, before)
        done = await desk.until(lambda now: now["verdict"] == "accepted")
    assert done["trouble"] is None
    assert await hand.state(done["automation"]["entity_id"]) == "on"


async def test_a_label_in_home_assistant_says_never(
    tmp_path: Path, variables: dict[str, str], hand: Hand, things: Things
) -> None:
    await offered(tmp_path / "data", things)
    label = await hand.say("config/label_registry/create", name="nightshift_never")
    try:
        await hand.say("config/area_registry/update", area_id=things.area_id, labels=[label["label_id"]])
        async with desk_of(tmp_path / "data", variables, things) as desk:
            assert await desk.process.get("/api/suggestions") == []
            assert (await desk.do("accept", confirm=True))[0] == 404
    finally:
        await hand.say("config/label_registry/delete", label_id=label["label_id"])


async def test_asking_first_a_yes_acts_and_a_no_or_an_old_yes_does_not(
    real_hub: RealHub, hand: Hand, things: Things
) -> None:
    path = real_hub.config / "configuration.yaml"
    before = path.read_text("utf-8")
    # A phone needs the companion app's cloud; to the automation it is an action of that name.
    phone = "command_line:\n  - notify:\n      name: mobile_app_test\n      command: cat\n"
    await restarted(real_hub, path, before + phone)
    try:
        whole = asks_first(things.automation, things.unique_id, ["notify.mobile_app_test"])
        url = f"/api/config/automation/config/{things.unique_id}"
        async with hand.http.post(url, json=whole) as reply:
            assert reply.status == 200
        entity_id = await hand.entity_id(things.unique_id)
        await hand.becomes(entity_id, "on")
        for answer, acts in (("NIGHTSHIFT_LEAVE_", "off"), ("NIGHTSHIFT_DO_", "on")):
            await hand.turn(things.button, "turn_off")
            await hand.turn(things.button)
            context = await hand.asked(entity_id)
            for action in ("NIGHTSHIFT_DO_01K00000000000000000000000", answer + context):
                assert await hand.state(things.lamp) == "off"
                await hand.say(
                    "fire_event",
                    event_type="mobile_app_notification_action",
                    event_data={"action": action},
                )
            await hand.rests(entity_id)
            assert await hand.state(things.lamp) == acts
    finally:
        await restarted(real_hub, path, before)


async def test_all_that_a_night_found_is_made_and_taken_back(
    real_hub: RealHub, nightshift: Process, hand: Hand
) -> None:
    await furnish(real_hub, await asyncio.to_thread(invent, SEED))
    _, started = await nightshift.post("/api/analyze/trigger")
    await nightshift.ended(started["run_id"])
    found = await nightshift.get("/api/suggestions")
    assert found
    for one in found:
        desk = Desk(nightshift, one["id"])
        assert (await desk.do("accept", confirm=one["risk"] == "confirm"))[0] == 200
    made = {f"nightshift_{one['id']}" for one in found}
    assert all([await hand.automation(unique_id) for unique_id in made])
    assert await nightshift.get("/api/suggestions") == []
    for one in found:
        assert (await Desk(nightshift, one["id"]).do("undo"))[0] == 200
    assert not any([await hand.automation(unique_id) for unique_id in made])
    assert len(await nightshift.get("/api/suggestions")) == len(found)


async def restarted(hub: RealHub, path: Path, text: str) -> None:
    """Start the hub anew with that text in its configuration; back when it runs."""
    await hub.say("hub-stop")
    await asyncio.to_thread(path.write_text, text, "utf-8")
    await hub.say("hub-start")
    head = {"Authorization": f"Bearer {hub.token}"}
    async with aiohttp.ClientSession(hub.url, headers=head) as http, asyncio.timeout(60):
        while True:
            async with http.get("/api/config") as reply:
                if reply.ok and (await reply.json())["state"] == "RUNNING":
                    return
            await asyncio.sleep(0.1)
