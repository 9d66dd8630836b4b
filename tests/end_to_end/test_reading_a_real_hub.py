"""Reading a real Home Assistant: what it is, and who did what in it.

Everything the tests act on they make through the hub's own API and the broker, under names of their own, and
take away again.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import aiomqtt
import pytest
from pydantic import SecretStr

from app.bus import Bus
from app.clock import SystemClock, to_ms
from app.errors import RefusedError
from app.events import Event
from app.hub.attribution import is_ours
from app.hub.client import Hub
from app.hub.errors import UnknownCommandError
from app.hub.live import HubSource
from app.hub.recorder import read_recorder
from app.model import Cause, Home
from app.neighbours import Neighbours, NeighbourState
from tests.real_hub.peer import RealHub

pytestmark = pytest.mark.hub

SOON = 60.0
CLOCK = SystemClock()
LAMPS = ("hall", "lamp", "porch")


@asynccontextmanager
async def connected(url: str, token: str, neighbours: Neighbours | None = None) -> AsyncIterator[Hub]:
    board = neighbours or Neighbours(Bus(), CLOCK)
    async with Hub(url, SecretStr(token), neighbours=board, clock=CLOCK, command_seconds=SOON) as hub:
        yield hub


@pytest.fixture
async def hub(real_hub: RealHub) -> AsyncIterator[Hub]:
    async with connected(real_hub.url, real_hub.token) as hub:
        yield hub


@dataclass
class House:
    """Three MQTT lamps that do what they are told, a helper, and an automation that lights one of them."""

    hub: Hub
    broker: aiomqtt.Client
    name: str
    states: dict[str, str] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def lamp(self, which: str) -> str:
        return f"light.{self.name}_{which}"

    @property
    def helper(self) -> str:
        return f"input_boolean.{self.name}_evening"

    @property
    def automation(self) -> str:
        return f"automation.{self.name}"

    async def furnish(self) -> None:
        await self.hub.command("get_config")  # connected: what is subscribed now is heard from now on
        await self.hub.subscribe("state_changed", self._note)
        for which in LAMPS:
            topic = f"{self.name}/{which}"
            facts = {
                "name": f"{self.name} {which}",
                "unique_id": f"{self.name}_{which}",
                "default_entity_id": self.lamp(which),
                "object_id": f"{self.name}_{which}",
                "command_topic": f"{topic}/set",
                "state_topic": f"{topic}/state",
            }
            await self.broker.publish(
                f"homeassistant/light/{self.name}_{which}/config", json.dumps(facts), retain=True
            )
            await self.until(lambda which=which: self.lamp(which) in self.states)  # type: ignore[misc] # bound here
            await self.press(which, "OFF")
        await self.hub.command("input_boolean/create", name=f"{self.name} evening")
        await self.until(lambda: self.helper in self.states)
        await self.hub.post(
            f"config/automation/config/nightshift_{self.name}",
            {
                "alias": self.name,
                "triggers": [{"trigger": "state", "entity_id": self.helper, "to": "on"}],
                "conditions": [],
                "actions": [{"action": "light.turn_on", "target": {"entity_id": self.lamp("lamp")}}],
                "mode": "single",
            },
        )
        await self.until(lambda: self.automation in self.states)

    async def obey(self) -> None:
        """Do what lamps do: report what they are told."""
        await self.broker.subscribe(f"{self.name}/+/set")
        async for message in self.broker.messages:
            topic = str(message.topic).removesuffix("/set") + "/state"
            await self.broker.publish(topic, message.payload, retain=True)

    async def press(self, which: str, state: str) -> None:
        """Press the lamp's own switch."""
        await self.broker.publish(f"{self.name}/{which}/state", state, retain=True)
        await self.becomes(self.lamp(which), state.lower())

    async def call(self, service: str, entity_id: str) -> None:
        """Call a service as the token's owner: a person on a dashboard."""
        await self.hub.post(f"services/{service.replace('.', '/')}", {"entity_id": entity_id})

    async def becomes(self, entity_id: str, state: str) -> None:
        await self.until(lambda: self.states.get(entity_id) == state)

    async def until(self, true: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(SOON):
                while not true():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pytest.fail(f"the hub never came to it; it has {self.states}")

    def _note(self, event: dict[str, Any]) -> None:
        changed = event["data"]
        if self.name in changed["entity_id"] and changed["new_state"]:
            self.states[changed["entity_id"]] = changed["new_state"]["state"]
            self._news.set()

    async def take_away(self) -> None:
        for which in LAMPS:
            await self.broker.publish(f"homeassistant/light/{self.name}_{which}/config", "", retain=True)
            await self.broker.publish(f"{self.name}/{which}/state", "", retain=True)
        await self.hub.command("input_boolean/delete", input_boolean_id=self.helper.partition(".")[2])
        await self.hub.delete(f"config/automation/config/nightshift_{self.name}")


@pytest.fixture
async def house(hub: Hub, real_hub: RealHub) -> AsyncIterator[House]:
    name = f"reading_{secrets.token_hex(3)}"
    async with aiomqtt.Client(real_hub.mqtt_host, real_hub.mqtt_port) as broker:
        house = House(hub, broker, name)
        obeying = asyncio.create_task(house.obey())
        try:
            await house.furnish()
            yield house
            await house.take_away()
        finally:
            obeying.cancel()
            await asyncio.gather(obeying, return_exceptions=True)


async def recorded(
    hub: Hub, house: House, home: Home, since: datetime, last: tuple[str, str], *, times: int = 1
) -> list[Event]:
    """Return the house's events, once the hub's recorder has written so many of the last one's entity.

    It writes every 5 s.
    """
    async with asyncio.timeout(SOON * 2):
        while True:
            events = [
                event
                async for each in HubSource(hub).history(home, since, CLOCK.now() + timedelta(seconds=1))
                for event in each.events.rows()
                if house.name in event.entity_id
            ]
            of_last = [event for event in events if event.entity_id == last[0]]
            if len(of_last) >= times and last[1] in {event.state for event in of_last}:
                return events
            await CLOCK.sleep(0.5)


async def test_the_hub_is_described_as_it_is(hub: Hub, house: House) -> None:
    home = await HubSource(hub).describe()

    assert (home.name, home.time_zone, home.place) == ("Test home", "Europe/Amsterdam", (52.37, 4.89))
    assert home.version
    assert {area.name for area in home.areas} >= {"Kitchen", "Bedroom"}
    owner = next(user for user in home.users if user.is_owner)
    assert (owner.is_admin, owner.system_generated) == (True, False)
    assert any(user.system_generated for user in home.users)
    assert owner.id in {person.user_id for person in home.persons}
    lamp = next(entity for entity in home.entities if entity.entity_id == house.lamp("hall"))
    assert (lamp.platform, lamp.domain) == ("mqtt", "light")
    automation = next(each for each in home.automations if each.entity_id == house.automation)
    assert automation.enabled
    assert is_ours(automation)
    assert automation.config["triggers"] == [
        {"trigger": "state", "entity_id": [house.helper], "to": ["on"]}
    ] or (automation.config["triggers"] == [{"trigger": "state", "entity_id": house.helper, "to": "on"}])


async def test_who_did_it_is_told_for_each_way_to_switch_a_lamp(hub: Hub, house: House) -> None:
    home = await HubSource(hub).describe()
    owner = next(user for user in home.users if user.is_owner).id
    hall, lamp, porch = (house.lamp(which) for which in LAMPS)
    since = CLOCK.now()

    await house.call("light.turn_on", hall)  # a person
    await house.becomes(hall, "on")
    await house.press("porch", "ON")  # a switch on the wall
    await house.call("input_boolean.turn_on", house.helper)  # a person, and then the automation
    await house.becomes(lamp, "on")
    await hub.post("services/scene/apply", {"entities": {hall: "off"}})  # a scene
    await house.becomes(hall, "off")
    await house.call("light.turn_off", porch)  # a person, whose link the lamp keeps for five seconds
    await house.becomes(porch, "off")
    await house.press("porch", "ON")  # the switch on the wall, within them

    events = await recorded(hub, house, home, since, (porch, "on"), times=3)

    assert [(e.entity_id, e.state, e.cause, e.actor) for e in events] == [
        (hall, "on", Cause.PERSON, owner),
        (porch, "on", Cause.HAND, ""),
        (house.helper, "on", Cause.PERSON, owner),
        (lamp, "on", Cause.MACHINE, house.automation),
        (hall, "off", Cause.MACHINE, ""),
        (porch, "off", Cause.PERSON, owner),
        (porch, "on", Cause.HAND, ""),
    ]
    assert events[3].context != 0


async def test_two_pulls_that_overlap_read_the_same(hub: Hub, house: House) -> None:
    home = await HubSource(hub).describe()
    since = CLOCK.now()
    for state in ("ON", "OFF", "ON"):
        await house.press("hall", state)
    first = await recorded(hub, house, home, since, (house.lamp("hall"), "on"), times=3)

    again = await recorded(hub, house, home, since - timedelta(hours=2), (house.lamp("hall"), "on"))

    assert [event for event in again if event in first] == first
    assert len(set(again)) == len(again)


async def test_the_recorder_file_tells_the_same_as_the_hub(hub: Hub, house: House, real_hub: RealHub) -> None:
    home = await HubSource(hub).describe()
    since = CLOCK.now()
    await house.call("input_boolean.turn_on", house.helper)
    await house.becomes(house.lamp("lamp"), "on")
    await house.press("hall", "ON")
    told = await recorded(hub, house, home, since, (house.lamp("hall"), "on"))

    _, events = await asyncio.to_thread(read_recorder, real_hub.recorder, None, None)

    written = [
        e for e in events.between(to_ms(since), to_ms(CLOCK.now())).rows() if house.name in e.entity_id
    ]
    assert [event._replace(context=0) for event in written] == [event._replace(context=0) for event in told]
    # The file tells every context, the hub only those of runs.
    assert [a.context for a, b in zip(told, written, strict=True) if a.context != b.context] == [0, 0]


async def test_what_this_version_lacks_is_told_apart_from_what_it_refuses(hub: Hub) -> None:
    with pytest.raises(UnknownCommandError):
        await hub.command("nightshift/no_such_command")


async def test_a_wrong_token_is_said_to_be_refused(real_hub: RealHub) -> None:
    neighbours = Neighbours(Bus(), CLOCK)
    async with connected(real_hub.url, "not-a-token", neighbours) as hub:
        with pytest.raises(RefusedError, match="make a new long-lived token"):
            await hub.command("get_config")
        assert neighbours.get("hub").state is NeighbourState.FAILED
        with pytest.raises(RefusedError):
            await hub.get("config")


async def test_a_hub_that_restarts_is_found_again_and_still_heard(real_hub: RealHub, hub: Hub) -> None:
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    await hub.subscribe("nightshift_test", heard.put_nowait)
    await hub.command("get_config")

    await real_hub.say("hub-stop")
    await real_hub.say("hub-start")
    await hub.command("get_config", timeout_seconds=90)
    await hub.post("events/nightshift_test", {"n": 1})

    async with asyncio.timeout(SOON):
        assert (await heard.get())["data"] == {"n": 1}


async def test_what_a_script_does_is_read(hub: Hub) -> None:
    name = f"nightshift_test_{secrets.token_hex(4)}"
    action = {"action": "light.turn_off", "target": {"entity_id": "light.nowhere"}}
    path = f"config/script/config/{name}"
    await hub.post(path, {"alias": name, "sequence": [action]})
    try:
        async with asyncio.timeout(SOON):
            while True:
                home = await HubSource(hub).describe()
                known = [one for one in home.scripts if one.entity_id == f"script.{name}"]
                if known and known[0].config:
                    break
                await asyncio.sleep(0.1)
        assert (known[0].alias, known[0].config["sequence"]) == (name, [action])
    finally:
        await hub.delete(path)
