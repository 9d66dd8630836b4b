"""Nightshift as a device of a real Home Assistant, over a real Mosquitto."""

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import aiomqtt
import pytest

import app
from app.announce.announcer import Announcer
from app.announce.broker import Broker
from app.announce.connection import Backoff
from app.announce.discovery import DeviceFacts, device_payload
from app.announce.topics import ANALYSIS_COMPLETE, Topics
from app.bus import Bus
from app.clock import SystemClock
from app.habits.announcements import SuggestionsChanged
from app.jobs.context import RunContext
from app.jobs.engine import EmbeddedEngine
from app.jobs.ledger import Ledger
from app.jobs.places import Place
from app.jobs.retry_queue import RetryQueue
from app.jobs.run_log import RunLog
from app.jobs.runner import Jobs
from app.jobs.spec import JobSpec, Outcome
from app.neighbours import Neighbours
from app.options import Options
from app.store.database import Store
from tests.real_hub.peer import RealHub

pytestmark = pytest.mark.hub

SOON = 60.0
State = dict[str, Any]


class HubEar:
    """Follows the hub's states over its WebSocket, as its own page does."""

    def __init__(self, wire: aiohttp.ClientWebSocketResponse) -> None:
        self._wire = wire
        self._number = 0
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._news = asyncio.Event()
        self.states: dict[str, State] = {}
        self.mqtt: list[dict[str, Any]] = []

    async def listen(self) -> None:
        async for frame in self._wire:
            message = frame.json()
            if message["type"] == "result":
                self._answers.pop(message["id"]).set_result(message)
            elif "data" in message["event"]:
                self._note(message["event"]["data"])
            else:
                self.mqtt.append(message["event"])
            self._news.set()

    def _note(self, change: dict[str, Any]) -> None:
        if change["new_state"] is None:
            self.states.pop(change["entity_id"], None)
        else:
            self.states[change["entity_id"]] = change["new_state"]

    async def ask(self, kind: str, **fields: Any) -> Any:
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._wire.send_json({"id": self._number, "type": kind, **fields})
        async with asyncio.timeout(SOON):
            message = await answer
        assert message["success"], message
        return message["result"]

    async def until(self, true: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(SOON):
                while not true():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            ours = {name: state["state"] for name, state in self.states.items() if "nightshift" in name}
            pytest.fail(f"the hub never came to it; it has {ours}")

    def state(self, entity_id: str) -> str | None:
        return self.states[entity_id]["state"] if entity_id in self.states else None


@asynccontextmanager
async def _listening(hub: RealHub) -> AsyncIterator[HubEar]:
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{hub.url}/api/websocket", max_msg_size=0) as wire,
    ):
        await wire.receive_json()
        await wire.send_json({"type": "auth", "access_token": hub.token})
        assert (await wire.receive_json())["type"] == "auth_ok"
        ear = HubEar(wire)
        listening = asyncio.create_task(ear.listen())
        try:
            await ear.ask("subscribe_events", event_type="state_changed")
            await ear.ask("mqtt/subscribe", topic=ANALYSIS_COMPLETE, qos=1)
            yield ear
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def _call(hub: RealHub, action: str, entity_id: str) -> None:
    domain, _, name = action.partition(".")
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {hub.token}"}) as http,
        http.post(f"{hub.url}/api/services/{domain}/{name}", json={"entity_id": entity_id}) as answer,
    ):
        assert answer.status == 200, await answer.text()


@dataclass
class Night:
    """A real announcer with real jobs; its one job ends when the test says so."""

    hub: RealHub
    ear: HubEar
    bus: Bus
    jobs: Jobs
    announcer: Announcer
    topics: Topics
    facts: DeviceFacts
    entities: dict[str, str]
    may_end: asyncio.Event
    titles: list[str] = field(default_factory=list)

    def state(self, key: str) -> str | None:
        return self.ear.state(self.entities[key])

    def attributes(self, key: str) -> dict[str, Any]:
        attributes: dict[str, Any] = self.ear.states[self.entities[key]]["attributes"]
        return attributes

    async def shows(self, **states: str) -> None:
        """Wait until the hub shows these states."""
        await self.ear.until(lambda: all(self.state(key) == state for key, state in states.items()))

    async def all_are(self, *, available: bool) -> None:
        await self.ear.until(
            lambda: all((self.state(key) not in {None, "unavailable"}) is available for key in self.entities)
        )


@pytest.fixture
async def night(real_hub: RealHub, tmp_path: Path) -> AsyncIterator[Night]:
    # An instance and a name of its own: other tests may use the same hub at the same time.
    mark = secrets.token_hex(3)
    topics, facts = Topics(f"test_{mark}"), DeviceFacts(f"Nightshift {mark}")
    bus, clock, may_end, titles = Bus(), SystemClock(), asyncio.Event(), list[str]()
    store = Store(tmp_path / "nightshift.db", clock)
    await store.open()
    ledger = Ledger(store, clock)

    async def work(_: RunContext) -> Outcome:
        await may_end.wait()
        return Outcome(counts={"patterns_detected": 7, "suggestions_generated": len(titles)})

    async def offered() -> list[str]:
        return titles

    async def find() -> Broker:
        return Broker(real_hub.mqtt_host, real_hub.mqtt_port)

    jobs = Jobs(
        [JobSpec(name="analysis", title="Analysis", description="Small.", schedule="0 3 * * *", run=work)],
        ledger=ledger,
        bus=bus,
        clock=clock,
        engine=EmbeddedEngine(clock),
        places=[Place("home", ZoneInfo("Europe/Amsterdam"))],
        schedule_path=tmp_path / "schedule.db",
        queue=RetryQueue(store, clock, ledger.generation, bus),
        log=RunLog(store, bus, clock),
    )
    announcer = Announcer(
        await asyncio.to_thread(Options),
        Neighbours(bus, clock),
        bus,
        clock,
        jobs,
        ledger,
        offered,
        find,
        instance=topics.instance,
        facts=facts,
        backoff=Backoff(0.5, 1),
    )
    components = device_payload(topics, facts)["components"]
    entities = {key: part["default_entity_id"] for key, part in components.items()}
    async with _listening(real_hub) as ear:
        await announcer.start()
        await jobs.start(scheduling=False)
        announcer.refresh()
        yield Night(real_hub, ear, bus, jobs, announcer, topics, facts, entities, may_end, titles)
        may_end.set()
        await jobs.stop(1)
        await announcer.stop()
        await _clean_up(real_hub, topics)
        await ear.until(lambda: not ear.states.keys() & set(entities.values()))
    await store.close()


async def _clean_up(hub: RealHub, topics: Topics) -> None:
    async with aiomqtt.Client(hub.mqtt_host, hub.mqtt_port) as client:
        for topic in (topics.discovery, topics.state, topics.availability):
            await client.publish(topic, "", qos=1, retain=True)


async def test_the_device_appears_with_all_its_entities(night: Night) -> None:
    await night.shows(status="idle", running="off", problem="off", pending_suggestions="0")
    await night.shows(nightly_analysis="on", last_run="unknown", last_run_duration="unknown")
    await night.all_are(available=True)
    devices = await night.ear.ask("config/device_registry/list")
    [device] = [d for d in devices if ["mqtt", night.topics.device_id] in d["identifiers"]]
    assert (device["name"], device["manufacturer"]) == (night.facts.name, "Nightshift")
    assert (device["model"], device["sw_version"]) == ("Home Assistant app", app.__version__)
    registered = await night.ear.ask("config/entity_registry/list")
    ours = {entity["entity_id"]: entity for entity in registered if entity["device_id"] == device["id"]}
    assert set(ours) == set(night.entities.values())
    assert ours[night.entities["last_run"]]["entity_category"] == "diagnostic"
    assert ours[night.entities["nightly_analysis"]]["entity_category"] == "config"
    assert night.attributes("status")["options"] == ["idle", "running", "ok", "warning", "failed"]
    assert night.attributes("next_run")["device_class"] == "timestamp"


async def test_pressing_the_button_runs_the_job_and_its_end_is_told(night: Night) -> None:
    await night.all_are(available=True)
    await _call(night.hub, "button.press", night.entities["run_now"])
    await night.shows(status="running", running="on")
    run = night.jobs.running("analysis")
    assert run
    night.titles[:] = ["Hall light at dusk", "Fan off at night"]
    night.bus.announce(
        SuggestionsChanged("home", run.run_id, 2, tuple(night.titles), ("Hall light at dusk",), ())
    )
    night.may_end.set()
    await night.shows(status="ok", running="off", pending_suggestions="2")
    assert night.attributes("pending_suggestions")["titles"] == night.titles
    # The hub shows one entity after the other.
    await night.ear.until(lambda: night.state("last_run") not in {None, "unknown"})
    await night.ear.until(lambda: night.state("suggestion") not in {None, "unknown"})
    event = night.attributes("suggestion")
    assert (event["event_type"], event["titles"]) == ("created", ["Hall light at dusk"])
    await night.ear.until(lambda: any(run.run_id in message["payload"] for message in night.ear.mqtt))
    [heard] = [message for message in night.ear.mqtt if run.run_id in message["payload"]]
    assert (heard["qos"], heard["retain"]) == (1, False)
    told = json.loads(heard["payload"])
    assert (told["status"], told["patterns_detected"], told["suggestions_generated"]) == ("completed", 7, 2)


async def test_the_switch_pauses_the_nights(night: Night) -> None:
    await night.shows(nightly_analysis="on")
    await _call(night.hub, "switch.turn_off", night.entities["nightly_analysis"])
    await night.shows(nightly_analysis="off", next_run="unknown")
    assert night.jobs.is_paused("analysis")
    await _call(night.hub, "switch.turn_on", night.entities["nightly_analysis"])
    await night.shows(nightly_analysis="on")
    await night.ear.until(lambda: night.state("next_run") != "unknown")


async def test_it_is_unavailable_while_it_is_gone(night: Night) -> None:
    await night.all_are(available=True)
    session = night.announcer._connection._session
    assert session
    line = session._client._client.socket()
    assert isinstance(line, socket.socket)
    line.shutdown(socket.SHUT_RDWR)  # the line breaks, without a goodbye
    await night.ear.until(lambda: night.state("status") == "unavailable")
    await night.all_are(available=True)
    await night.announcer.stop()
    await night.all_are(available=False)
