"""Deciding without the page: on a phone, and over MQTT, in a real Home Assistant.

The phone is registered as Home Assistant's app does it; its push service is a small server of the test's, so
what arrives there is what the hub would send to a phone, and a tap goes back the app's own way.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import aiomqtt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.end_to_end.test_accepting import (  # what stands there for one test, and who acts on it
    Desk,
    Hand,
    Things,
    desk_of,
    hand,
    offered,
    things,
)
from tests.process import PROOF
from tests.real_hub.peer import RealHub

__all__ = ["hand", "things"]
pytestmark = [pytest.mark.hub, pytest.mark.timeout(300)]
_BLUEPRINT = Path(__file__).parents[2] / "blueprints/automation/nightshift/new_suggestions.yaml"


@dataclass
class Phone:
    """A phone with Home Assistant's app."""

    http: aiohttp.ClientSession
    name: str
    webhook_id: str = ""
    pushed: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)

    @property
    def service(self) -> str:
        return f"notify.mobile_app_{self.name}"

    async def take(self, request: web.Request) -> web.Response:
        """Be the push service: the hub brings what the phone is to show."""
        self.pushed.put_nowait(await request.json())
        return web.json_response({"target": self.name}, status=201)

    async def shows(self) -> dict[str, Any]:
        async with asyncio.timeout(60):
            return await self.pushed.get()

    async def tap(self, action: str) -> None:
        data = {"event_type": "mobile_app_notification_action", "event_data": {"action": action}}
        url = f"/api/webhook/{self.webhook_id}"
        async with self.http.post(url, json={"type": "fire_event", "data": data}) as reply:
            assert reply.status == 200

    async def heard_by(self, desk: Desk) -> None:
        """Come back when that Nightshift hears this phone: it says so of what it does not understand."""
        word = f"NIGHTSHIFT_{secrets.token_hex(4)}"
        async with asyncio.timeout(60):
            while word not in desk.process.log():
                await self.tap(word)
                await asyncio.sleep(0.2)


def _button(push: dict[str, Any], title: str) -> str:
    return str(next(one["action"] for one in push["data"]["actions"] if one["title"] == title))


@asynccontextmanager
async def phone_of(hand: Hand, token: str) -> AsyncIterator[Phone]:
    """Register the phone of whoever has that token; it goes with the block."""
    phone = Phone(hand.http, f"phone_{secrets.token_hex(3)}")
    gateway = web.Application()
    gateway.router.add_post("/push", phone.take)
    async with TestServer(gateway) as server:
        registration = {
            "device_id": phone.name,
            "app_id": "io.homeassistant.companion.android",
            "app_name": "Home Assistant",
            "app_version": "1",
            "device_name": phone.name,
            "manufacturer": "nobody",
            "model": "invented",
            "os_name": "Android",
            "os_version": "16",
            "supports_encryption": False,
            "app_data": {"push_token": "x", "push_url": str(server.make_url("/push"))},
        }
        head = {"Authorization": f"Bearer {token}"}
        url = "/api/mobile_app/registrations"
        async with hand.http.post(url, json=registration, headers=head) as reply:
            assert reply.status == 201, await reply.text()
            phone.webhook_id = (await reply.json())["webhook_id"]
        async with asyncio.timeout(60):
            while phone.service.partition(".")[2] not in (await hand.say("get_services"))["notify"]:
                await asyncio.sleep(0.1)
        yield phone
        entries = await hand.say("config_entries/get", domain="mobile_app")
        (entry,) = [one["entry_id"] for one in entries if one["title"] == phone.name]
        async with hand.http.delete(f"/api/config/config_entries/entry/{entry}") as reply:
            assert reply.status == 200


@pytest.fixture
async def phone(hand: Hand) -> AsyncIterator[Phone]:
    async with phone_of(hand, hand.hub.token) as phone:
        yield phone


@pytest.fixture
def told(variables: dict[str, str], phone: Phone) -> dict[str, str]:
    """What a Nightshift that tells that phone, and obeys MQTT, is told."""
    phones = json.dumps([phone.service])
    return {**variables, "NIGHTSHIFT_DIGEST_PHONES": phones, "NIGHTSHIFT_MQTT_DECISIONS": "true"}


async def _digest(desk: Desk) -> dict[str, Any]:
    url = f"{desk.process.url}/api/jobs/morning_digest/run"
    async with aiohttp.ClientSession() as http, http.post(url, headers=PROOF, json={}) as reply:
        started = await reply.json()
        assert reply.status < 300, started
    return await desk.process.ended(started["run_id"])


async def test_the_morning_digest_asks_twice_for_what_is_risky_and_makes_it_once(
    tmp_path: Path, told: dict[str, str], hand: Hand, things: Things, phone: Phone
) -> None:
    await offered(tmp_path / "data", things)
    async with desk_of(tmp_path / "data", told, things) as desk:
        run = await _digest(desk)
        assert (run["status"], run["counts"]["told"]) == ("completed", 1), run
        digest = await phone.shows()
        assert (await _digest(desk))["counts"]["told"] == 0
    # Between the digest and the answer it was stopped and started: nothing is remembered but by the button.
    async with desk_of(tmp_path / "data", told, things) as desk:
        assert [one["title"] for one in digest["data"]["actions"]] == ["Create", "Not now"]
        await phone.heard_by(desk)
        await phone.tap(_button(digest, "Create"))
        question = await phone.shows()
        assert (question["title"], question["data"]["tag"]) == ("Really?", digest["data"]["tag"])
        assert await hand.automation(things.unique_id) is None
        for _ in range(2):
            await phone.tap(_button(question, "Confirm"))
        assert [(await phone.shows())["title"] for _ in range(2)] == ["Created", "Created"]
        decision = await desk.decision()
        assert (decision["verdict"], decision["via"], decision["decided_by"]["name"]) == (
            "accepted",
            "phone",
            "Owner",
        )
        known = await desk.process.get(f"/api/suggestions/{things.suggestion_id}")
        assert len(known["history"]) == 1
        await hand.turn(things.button)
        await hand.becomes(things.lamp, "on")
        await desk.do("undo")
        await phone.tap(_button(question, "Confirm"))
        late = await phone.shows()
        assert (late["title"], "taken back meanwhile" in late["message"]) == ("Nothing was done", True)
        assert await hand.automation(things.unique_id) is None


async def test_not_now_puts_it_off_for_a_week(
    tmp_path: Path, told: dict[str, str], things: Things, phone: Phone
) -> None:
    await offered(tmp_path / "data", things)
    async with desk_of(tmp_path / "data", told, things) as desk:
        await _digest(desk)
        await phone.heard_by(desk)
        await phone.tap(_button(await phone.shows(), "Not now"))
        assert "put off until" in (await phone.shows())["message"]
        assert (await desk.decision())["verdict"] == "snoozed"


async def test_who_is_no_administrator_is_not_told_and_decides_nothing(
    tmp_path: Path, variables: dict[str, str], hand: Hand, things: Things, phone: Phone
) -> None:
    await offered(tmp_path / "data", things)
    async with (
        guest_of(hand) as token,
        phone_of(hand, token) as theirs,
        desk_of(tmp_path / "data", variables, things) as desk,
    ):
        await _digest(desk)
        assert (await phone.shows())["title"] == "A new suggestion"
        assert theirs.pushed.empty()
        await theirs.heard_by(desk)
        await theirs.tap(f"NIGHTSHIFT_CONFIRM_{things.suggestion_id}")
        assert "Only an administrator" in (await theirs.shows())["message"]
        assert await hand.automation(things.unique_id) is None
        assert len(await desk.process.get("/api/suggestions")) == 1


@asynccontextmanager
async def guest_of(hand: Hand) -> AsyncIterator[str]:
    """Make a user without an administrator's rights; give a token of theirs."""
    name, password, client = f"guest_{secrets.token_hex(3)}", secrets.token_hex(8), f"{hand.hub.url}/"
    made = await hand.say("config/auth/create", name=name, group_ids=["system-users"])
    user_id = made["user"]["id"]
    await hand.say(
        "config/auth_provider/homeassistant/create", user_id=user_id, username=name, password=password
    )
    flow = {"client_id": client, "handler": ["homeassistant", None], "redirect_uri": client}
    async with aiohttp.ClientSession(hand.hub.url, raise_for_status=True) as http:
        async with http.post("/auth/login_flow", json=flow) as reply:
            step = (await reply.json())["flow_id"]
        login = {"client_id": client, "username": name, "password": password}
        async with http.post(f"/auth/login_flow/{step}", json=login) as reply:
            code = (await reply.json())["result"]
        grant = {"client_id": client, "grant_type": "authorization_code", "code": code}
        async with http.post("/auth/token", data=grant) as reply:
            token = (await reply.json())["access_token"]
    # Home Assistant gives the tracker of a new phone to the person of its user: so it is known whose it is.
    person = await hand.say("person/create", name=name, user_id=user_id, device_trackers=[])
    yield token
    await hand.say("person/delete", person_id=person["id"])
    await hand.say("config/auth/delete", user_id=user_id)


@dataclass
class Wire:
    """Another program on the hub's broker."""

    client: aiomqtt.Client

    async def ask(self, **command: Any) -> None:
        await self.client.publish("nightshift/nightshift/cmd/suggestion", json.dumps(command), qos=1)

    async def hears(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(60):
            async for message in self.client.messages:
                said: dict[str, Any] = json.loads(bytes(message.payload))
                if fits(said):
                    return said
        raise AssertionError("the broker went")


@pytest.fixture
async def wire(real_hub: RealHub) -> AsyncIterator[Wire]:
    async with aiomqtt.Client(real_hub.mqtt_host, real_hub.mqtt_port) as client:
        await client.subscribe("nightshift/nightshift/event", qos=1)
        yield Wire(client)


async def test_over_mqtt_it_is_accepted_fires_and_is_taken_back(
    tmp_path: Path, told: dict[str, str], hand: Hand, things: Things, wire: Wire
) -> None:
    await offered(tmp_path / "data", things)
    async with desk_of(tmp_path / "data", told, things):
        await hand.becomes("sensor.nightshift_pending_suggestions", "1")
        one = things.suggestion_id
        await wire.ask(id=one, do="accept")
        refused = await wire.hears(lambda said: said["event_type"] == "refused")
        assert (refused["id"], "confirm true" in refused["reason"]) == (one, True)
        await wire.ask(id=one, do="accept", confirm=True)
        accepted = await wire.hears(lambda said: said["event_type"] == "accepted")
        assert (accepted["id"], accepted["mode"], accepted["via"]) == (one, "enabled", "mqtt")
        await hand.becomes("sensor.nightshift_pending_suggestions", "0")
        await hand.turn(things.button)
        await hand.becomes(things.lamp, "on")
        await wire.ask(id=one, do="accept", confirm=True)
        await wire.hears(lambda said: said["event_type"] == "unchanged")
        await wire.ask(id=one, do="undo")
        await wire.hears(lambda said: said["event_type"] == "undone")
        assert await hand.automation(things.unique_id) is None
        await hand.becomes("sensor.nightshift_pending_suggestions", "1")


async def test_the_blueprint_is_valid_and_its_buttons_decide(
    tmp_path: Path,
    real_hub: RealHub,
    told: dict[str, str],
    hand: Hand,
    things: Things,
    phone: Phone,
    wire: Wire,
) -> None:
    folder = real_hub.config / "blueprints/automation/nightshift"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _BLUEPRINT.name).write_text(_BLUEPRINT.read_text("utf-8"), "utf-8")
    path = f"nightshift/{_BLUEPRINT.name}"
    known = await hand.say("blueprint/list", domain="automation")
    assert "error" not in known[path], known[path]
    devices = await hand.say("config/device_registry/list")
    (device_id,) = [one["id"] for one in devices if one["name"] == phone.name]
    inputs = {"phone": device_id}
    whole = await hand.say("blueprint/substitute", domain="automation", path=path, input=inputs)
    parts = whole["substituted_config"]
    checked = await hand.say(
        "validate_config", **{part: parts[part] for part in ("triggers", "conditions", "actions")}
    )
    assert all(one["valid"] for one in checked.values()), checked
    made = f"tells_{secrets.token_hex(3)}"
    url = f"/api/config/automation/config/{made}"
    use = {"alias": made, "use_blueprint": {"path": path, "input": inputs}}
    async with hand.http.post(url, json=use) as reply:
        assert reply.status == 200, await reply.text()
    try:
        await offered(tmp_path / "data", things)
        async with desk_of(tmp_path / "data", told, things) as desk:
            await hand.becomes("sensor.nightshift_pending_suggestions", "1")
            await hand.becomes(await hand.entity_id(made), "on")
            # As the end of a night tells it.
            one = {"count": 1, "titles": ["Lamp after the button"], "ids": [things.suggestion_id]}
            night = {"event_type": "created", "run_id": "r", **one}
            await wire.client.publish("nightshift/nightshift/event", json.dumps(night), qos=1)
            push = await phone.shows()
            await phone.heard_by(desk)
            assert (push["title"], push["message"]) == ("A new suggestion", "Lamp after the button.")
            await phone.tap(_button(push, "Not now"))
            assert "put off until" in (await phone.shows())["message"]
            assert (await desk.decision())["verdict"] == "snoozed"
    finally:
        await hand.delete(made)
        (folder / _BLUEPRINT.name).unlink()
