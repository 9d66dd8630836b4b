"""Real brokers: amqtt inside the process, Mosquitto where a broker has to die and come back."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt
import pytest

from app.announce.broker import Broker
from app.announce.demo_broker import DemoBroker
from app.bus import Bus
from app.clock import SystemClock, TurnedClock
from app.neighbours import NeighbourChanged, Neighbours, NeighbourState

SOON = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Ear:
    """Another program on the broker: hears everything, can say anything."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self.heard: list[aiomqtt.Message] = []
        self._news = asyncio.Event()

    async def listen(self) -> None:
        async for message in self._client.messages:
            self.heard.append(message)
            self._news.set()

    def texts(self, topic: str) -> list[str]:
        """Return all payloads heard on a topic so far."""
        return [bytes(m.payload).decode() for m in self.heard if m.topic.value == topic]

    async def hear(self, topic: str, wanted: Callable[[str], bool] = bool, *, times: int = 1) -> str:
        """Wait until a topic has carried what is wanted that often; return the last of them."""
        async with asyncio.timeout(SOON):
            while True:
                self._news.clear()
                found = [text for text in self.texts(topic) if wanted(text)]
                if len(found) >= times:
                    return found[times - 1]
                await self._news.wait()

    async def say(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        await self._client.publish(topic, payload, qos=1, retain=retain)

    async def barrier(self) -> None:
        """Come back when everything said before has gone through the broker and back."""
        self.heard = [m for m in self.heard if m.topic.value != "test/barrier"]
        await self.say("test/barrier", "x")
        await self.hear("test/barrier")


@asynccontextmanager
async def ear_at(broker: Broker) -> AsyncIterator[Ear]:
    async with aiomqtt.Client(broker.host, broker.port) as client:
        await client.subscribe("#", qos=1)
        ear = Ear(client)
        listening = asyncio.create_task(ear.listen())
        try:
            yield ear
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


class Mosquitto:
    """A real Mosquitto without a memory of its own: what it kept is gone when it dies."""

    def __init__(self, folder: Path, extra: str = "") -> None:
        self.broker = Broker("127.0.0.1", free_port())
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.broker.port} 127.0.0.1\npersistence false\n{_AS_ROOT}{extra}"
        )
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            _MOSQUITTO or "mosquitto", "-v", "-c", self._config, stderr=asyncio.subprocess.PIPE
        )
        assert self._process.stderr
        async with asyncio.timeout(SOON):
            while b" running" not in (line := await self._process.stderr.readline()):
                assert line, "Mosquitto ended at once"

    async def kill(self) -> None:
        if self._process:
            self._process.kill()
            await self._process.communicate()
            self._process = None


# Started by root it would become another user, who may not read the test's folder.
_AS_ROOT = "user root\n" if os.geteuid() == 0 else ""
_MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
needs_mosquitto = pytest.mark.skipif(not _MOSQUITTO, reason="Mosquitto is not installed")


@pytest.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    server = Mosquitto(tmp_path, "allow_anonymous true\n")
    await server.start()
    yield server
    await server.kill()


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    server = DemoBroker()
    yield await server.start()
    await server.stop()


@pytest.fixture
async def ear(broker: Broker) -> AsyncIterator[Ear]:
    async with ear_at(broker) as ear:
        yield ear


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock(datetime(2026, 11, 22, 2, 0, tzinfo=UTC))


class Board(Neighbours):
    """The board of neighbours, and a way to wait for it."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus, SystemClock())
        self.seen: list[tuple[NeighbourState, str]] = []
        self._news = asyncio.Event()
        bus.subscribe(NeighbourChanged, self._note)

    def _note(self, event: NeighbourChanged) -> None:
        self.seen.append((event.neighbour.state, event.neighbour.message))
        self._news.set()

    async def comes_to(self, state: NeighbourState) -> str:
        """Wait until the broker's state is that one; return the message with it."""
        async with asyncio.timeout(SOON):
            while self.get("broker").state is not state:
                self._news.clear()
                await self._news.wait()
        return self.get("broker").message


@pytest.fixture
def board(bus: Bus) -> Board:
    return Board(bus)


def always(broker: Broker | None) -> Callable[[], Awaitable[Broker | None]]:
    """Return a finder that knows."""

    async def find() -> Broker | None:
        return broker

    return find
