"""The broker that the demo brings along."""

import asyncio
import logging
import sys

import pytest

from app.announce.check import check
from app.announce.demo_broker import DemoBroker
from app.errors import NeighbourError
from tests.announce.conftest import free_port


async def test_it_listens_on_loopback_and_passes_messages_on_quietly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = DemoBroker()
    with caplog.at_level(logging.INFO):
        broker = await server.start()
        assert broker.host == "127.0.0.1"
        await check(broker)
        await server.stop()
    assert not [line for line in caplog.records if line.name.startswith(("amqtt", "transitions"))]


async def test_it_takes_the_port_it_is_asked_for_and_gives_it_back() -> None:
    port = free_port()
    for _ in range(2):
        server = DemoBroker(port)
        assert (await server.start()).port == port
        await server.stop()


async def test_a_port_that_is_taken_is_one_clear_line() -> None:
    other = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = other.sockets[0].getsockname()[1]
    async with other:
        with pytest.raises(NeighbourError, match=rf"cannot listen on 127\.0\.0\.1:{port}"):
            await DemoBroker(port).start()


async def test_without_amqtt_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "amqtt.broker", None)
    with pytest.raises(NeighbourError, match=r"nightshift\[demo\]"):
        await DemoBroker().start()


async def test_stopping_what_never_started_is_harmless() -> None:
    await DemoBroker().stop()
