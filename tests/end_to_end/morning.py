"""What the tests of the morning have beside a running Nightshift: sensors, a phone, the broker, a room."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import aiomqtt
import pytest

from tests.end_to_end.test_accepting import Hand, hand
from tests.end_to_end.test_from_the_phone import Phone, phone_of
from tests.process import PROOF, Process, serving
from tests.real_hub.peer import RealHub

__all__ = ["Hand", "Phone", "hand"]
ALERT, COACH = "nightshift/nightshift/alert", "nightshift/nightshift/coach_alert"


@dataclass
class Wire:
    """Another program on the hub's broker."""

    client: aiomqtt.Client
    heard: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)

    async def listen(self) -> None:
        async for message in self.client.messages:
            said = json.loads(bytes(message.payload))
            self.heard.append((time.monotonic(), message.topic.value, said))

    async def hears(self, topic: str, fits: Callable[[dict[str, Any]], bool]) -> tuple[float, dict[str, Any]]:
        async with asyncio.timeout(60):
            while True:
                for at, heard, said in self.heard:
                    if heard == topic and fits(said):
                        return at, said
                await asyncio.sleep(0.01)


@pytest.fixture
async def wire(real_hub: RealHub) -> AsyncIterator[Wire]:
    async with aiomqtt.Client(real_hub.mqtt_host, real_hub.mqtt_port) as client:
        await client.subscribe([(ALERT, 1), (COACH, 1)])
        wire = Wire(client)
        listening = asyncio.create_task(wire.listen())
        yield wire
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


@dataclass
class Watcher:
    """A running Nightshift, and what a page on its live channel sees."""

    process: Process
    http: aiohttp.ClientSession
    live: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)

    async def run(self, job: str, **given: Any) -> dict[str, Any]:
        async with self.http.post(f"/api/jobs/{job}/run", headers=PROOF, json=given) as reply:
            started = await reply.json()
            assert reply.status < 300, started
        await self.process.ended(started["run_id"])
        run: dict[str, Any] = await self.process.get(f"/api/runs/{started['run_id']}")
        return run

    async def follow(self) -> None:
        async with self.http.get("/api/events", timeout=aiohttp.ClientTimeout(None)) as stream:
            name = ""
            async for line in stream.content:
                word, _, rest = line.decode().strip().partition(": ")
                if word == "event":
                    name = rest
                elif word == "data":
                    self.live.append((time.monotonic(), name, json.loads(rest)))

    async def sees(self, name: str, fits: Callable[[dict[str, Any]], bool]) -> tuple[float, dict[str, Any]]:
        async with asyncio.timeout(60):
            while True:
                for at, one, said in self.live:
                    if one == name and fits(said):
                        return at, said
                await asyncio.sleep(0.01)

    async def alert_about(self, entity_id: str) -> tuple[float, dict[str, Any]]:
        """Ask for open alerts until there is one about it."""
        async with asyncio.timeout(60):
            while True:
                for one in await self.process.get("/api/alerts"):
                    if one["entity_id"] == entity_id:
                        return time.monotonic(), one
                await asyncio.sleep(0.02)

    async def post(self, path: str, **given: Any) -> Any:
        async with self.http.post(path, headers=PROOF, json=given) as reply:
            said = await reply.json()
            assert reply.status < 300, said
            return said


@asynccontextmanager
async def watching(folder: Path, variables: dict[str, str]) -> AsyncIterator[Watcher]:
    """Lend a Nightshift that sees the home as it is now."""
    async with serving(folder, variables) as process, aiohttp.ClientSession(process.url) as http:
        watcher = Watcher(process, http)
        following = asyncio.create_task(watcher.follow())
        async with asyncio.timeout(60):
            # Whoever looks has the home's states: the run says so where they are not there yet.
            while (await watcher.run("alert_detector"))["details"].get("away"):
                await asyncio.sleep(0.1)
        yield watcher
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


@pytest.fixture
async def phone(hand: Hand) -> AsyncIterator[Phone]:
    async with phone_of(hand, hand.hub.token) as phone:
        yield phone


@pytest.fixture
def told(variables: dict[str, str], phone: Phone) -> dict[str, str]:
    """What a Nightshift that tells that phone at any hour is told."""
    phones = json.dumps([phone.service])
    return {**variables, "NIGHTSHIFT_ALERT_QUIET_HOURS": "off", "NIGHTSHIFT_ALERT_PHONES": phones}


@pytest.fixture
async def watcher(tmp_path: Path, told: dict[str, str]) -> AsyncIterator[Watcher]:
    async with watching(tmp_path / "data", told) as watcher:
        yield watcher


@dataclass
class Sensors:
    """Sensors of one test, written through the hub's API; they go with it."""

    hand: Hand
    made: set[str] = field(default_factory=set)

    async def set(self, entity_id: str, state: object, **attributes: Any) -> str:
        self.made.add(entity_id)
        said = {"state": str(state), "attributes": attributes}
        async with self.hand.http.post(f"/api/states/{entity_id}", json=said) as reply:
            assert reply.status < 300, await reply.text()
        return entity_id

    async def remove(self) -> None:
        for entity_id in self.made:
            async with self.hand.http.delete(f"/api/states/{entity_id}"):
                pass


@pytest.fixture
async def sensors(hand: Hand) -> AsyncIterator[Sensors]:
    sensors = Sensors(hand)
    yield sensors
    await sensors.remove()


async def attributes(hand: Hand, entity_id: str) -> dict[str, Any]:
    async with hand.http.get(f"/api/states/{entity_id}") as reply:
        return {} if reply.status == 404 else dict((await reply.json())["attributes"])


async def comes_to(hand: Hand, entity_id: str, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until an entity's attributes are so."""
    async with asyncio.timeout(60):
        while not fits(found := await attributes(hand, entity_id)):
            await asyncio.sleep(0.1)
    return found


async def in_side_bar(hand: Hand, alert_id: str) -> dict[str, Any] | None:
    stands = await hand.say("persistent_notification/get")
    name = f"nightshift_alert_{alert_id}"
    return next((one for one in stands if one["notification_id"] == name), None)


async def shortly(look: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await look():
            await asyncio.sleep(0.05)


@dataclass
class Room:
    """An area of one test with a thermometer in it, as another device on the broker makes one."""

    wire: Wire
    hand: Hand
    tail: str = field(default_factory=lambda: secrets.token_hex(3))
    area_id: str = ""

    @property
    def _discovery(self) -> str:
        return f"homeassistant/sensor/thermometer_{self.tail}/config"

    async def furnish(self) -> None:
        area = await self.hand.say("config/area_registry/create", name=f"Room {self.tail}")
        self.area_id = area["area_id"]
        thermometer = {
            "name": f"Thermometer {self.tail}",
            "unique_id": f"thermometer_{self.tail}",
            "default_entity_id": f"sensor.thermometer_{self.tail}",
            "device_class": "temperature",
            "unit_of_measurement": "°C",
            "state_topic": f"room/{self.tail}",
        }
        await self.wire.client.publish(self._discovery, json.dumps(thermometer), qos=1, retain=True)
        name = f"sensor.thermometer_{self.tail}"
        await self.hand.becomes(name, "unknown")
        await self.hand.say("config/entity_registry/update", entity_id=name, area_id=self.area_id)
        await self.wire.client.publish(f"room/{self.tail}", "20.44", qos=1, retain=True)
        await self.hand.becomes(name, "20.44")

    async def clear(self) -> None:
        for topic in (self._discovery, f"room/{self.tail}"):
            await self.wire.client.publish(topic, "", qos=1, retain=True)
        if self.area_id:
            await self.hand.say("config/area_registry/delete", area_id=self.area_id)
            self.area_id = ""


@pytest.fixture
async def room(wire: Wire, hand: Hand) -> AsyncIterator[Room]:
    room = Room(wire, hand)
    await room.furnish()
    yield room
    await room.clear()
