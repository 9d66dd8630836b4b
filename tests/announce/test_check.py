"""What `./run.sh check` finds out about the broker."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.announce.broker import Broker
from app.announce.check import check
from app.errors import NeighbourError, RefusedError
from tests.announce.conftest import Ear, Mosquitto, free_port, needs_mosquitto


async def test_a_broker_that_passes_messages_on_is_fine_and_nothing_is_left_there(
    broker: Broker, ear: Ear
) -> None:
    await check(broker)
    await ear.barrier()
    probes = [message for message in ear.heard if message.topic.value.startswith("nightshift/check/")]
    assert len(probes) == 1
    assert not probes[0].retain


async def test_an_absent_broker_is_named_with_what_to_look_at() -> None:
    port = free_port()
    with pytest.raises(NeighbourError, match=rf"cannot reach the broker at 127\.0\.0\.1:{port}.*mqtt_host"):
        await check(Broker("127.0.0.1", port))


async def test_a_host_name_that_does_not_exist_is_an_absent_broker() -> None:
    with pytest.raises(NeighbourError, match=r"broker\.invalid"):
        await check(Broker("broker.invalid"))


async def test_a_server_of_another_kind_is_told_apart() -> None:
    async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(http, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(NeighbourError, match="answers as an MQTT broker"):
            await check(Broker("127.0.0.1", port), seconds=1)


@needs_mosquitto
@pytest.mark.parametrize("username", ["", "ana"])
async def test_a_broker_that_does_not_know_us_refuses(tmp_path: Path, username: str) -> None:
    strict = Mosquitto(tmp_path, "allow_anonymous false\n")
    await strict.start()
    known = Broker("127.0.0.1", strict.broker.port, username, SecretStr("hunter2hunter2"))
    with pytest.raises(RefusedError, match="refuses") as caught:
        await check(known)
    await strict.kill()
    assert "hunter2" not in str(caught.value)


@needs_mosquitto
async def test_a_broker_that_swallows_messages_is_found_out(tmp_path: Path) -> None:
    rules = tmp_path / "acl"
    rules.write_text("topic read nothing\n")
    rules.chmod(0o644)
    deaf = Mosquitto(tmp_path, f"allow_anonymous true\nacl_file {rules}\n")
    await deaf.start()
    with pytest.raises(NeighbourError, match="does not pass them on"):
        await check(deaf.broker, seconds=0.5)
    await deaf.kill()
