"""The connection lasts: through a broker that dies, refuses, says nothing, or is not there yet."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app.announce.broker import Broker, BrokerFinder
from app.announce.connection import Backoff, MqttConnection
from app.announce.session import Incoming
from app.bus import Bus
from app.clock import Clock, SystemClock
from app.errors import NeighbourError
from app.neighbours import NeighbourChanged, NeighbourState
from tests.announce.conftest import Board, Ear, Mosquitto, always, ear_at, free_port, needs_mosquitto

AVAILABILITY = "nightshift/test/availability"
SOON_AGAIN = Backoff(base=0.02, cap=0.05)


@asynccontextmanager
async def _up(
    find: BrokerFinder, board: Board, on_message: Callable[[Incoming], None] = lambda _: None, **more: Any
) -> AsyncIterator[MqttConnection]:
    clock: Clock = SystemClock()
    connection = MqttConnection(
        find,
        board,
        clock,
        client_id="nightshift_test",
        availability_topic=AVAILABILITY,
        topics=("nightshift/test/cmd/#",),
        on_message=on_message,
        **({"backoff": SOON_AGAIN} | more),
    )
    before = asyncio.all_tasks()
    connection.start()
    try:
        yield connection
    finally:
        await connection.stop(seconds=1)
        left = {task for task in asyncio.all_tasks() - before if "mqtt" in task.get_name()}
        assert not left


def _cut(connection: MqttConnection) -> None:
    """Break the line as a pulled plug does: nobody says goodbye."""
    assert connection._session
    line = connection._session._client._client.socket()
    assert isinstance(line, socket.socket)
    line.shutdown(socket.SHUT_RDWR)


async def test_it_says_online_and_at_the_end_offline(broker: Broker, ear: Ear, board: Board) -> None:
    async with _up(always(broker), board):
        await ear.hear(AVAILABILITY, "online".__eq__)
        assert await board.comes_to(NeighbourState.OK) == str(broker)
    await ear.hear(AVAILABILITY, "offline".__eq__)


async def test_the_broker_says_offline_when_we_vanish_and_we_come_back(
    broker: Broker, ear: Ear, board: Board
) -> None:
    async with _up(always(broker), board) as connection:
        await ear.hear(AVAILABILITY, "online".__eq__)
        await board.comes_to(NeighbourState.OK)
        _cut(connection)
        await ear.hear(AVAILABILITY, "offline".__eq__)
        await ear.hear(AVAILABILITY, "online".__eq__, times=2)


async def test_a_late_will_of_a_dead_connection_is_contradicted(
    broker: Broker, ear: Ear, board: Board
) -> None:
    async with _up(always(broker), board):
        await ear.hear(AVAILABILITY, "online".__eq__)
        await ear.say(AVAILABILITY, "offline", retain=True)
        await ear.hear(AVAILABILITY, "online".__eq__, times=2)


async def test_what_arrives_is_handed_on_with_whether_it_had_waited(
    broker: Broker, ear: Ear, board: Board
) -> None:
    await ear.say("nightshift/test/cmd/old", "PRESS", retain=True)
    got: asyncio.Queue[Incoming] = asyncio.Queue()
    async with _up(always(broker), board, got.put_nowait):
        assert await got.get() == Incoming("nightshift/test/cmd/old", b"PRESS", retained=True)
        await board.comes_to(NeighbourState.OK)
        await ear.say("nightshift/test/cmd/new", b"\xff\x00")
        fresh = [await got.get()]
        while fresh[-1].retained:  # amqtt may hand out a kept message more than once
            fresh.append(await got.get())
        assert fresh[-1] == Incoming("nightshift/test/cmd/new", b"\xff\x00", retained=False)


@needs_mosquitto
async def test_an_outage_of_the_broker_loses_nothing(mosquitto: Mosquitto, board: Board) -> None:
    async with _up(always(mosquitto.broker), board) as connection:
        connection.publish("nightshift/test/state", "before", retain=True)
        async with ear_at(mosquitto.broker) as ear:
            await ear.hear("nightshift/test/state", "before".__eq__)
        await mosquitto.kill()
        await board.comes_to(NeighbourState.FAILED)
        connection.publish("nightshift/test/other", "kept", retain=True)
        for number in range(3):
            connection.publish("nightshift/test/message", str(number), retain=False)
        await mosquitto.start()
        await board.comes_to(NeighbourState.OK)
        async with ear_at(mosquitto.broker) as ear:
            # It keeps nothing over its death: that these are here again is our doing.
            await ear.hear("nightshift/test/state", "before".__eq__)
            await ear.hear("nightshift/test/other", "kept".__eq__)
    assert [state for state, _ in board.seen].count(NeighbourState.OK) == 2


@needs_mosquitto
async def test_messages_of_an_outage_arrive_in_order(mosquitto: Mosquitto, board: Board) -> None:
    gate = asyncio.Event()

    async def find() -> Broker:
        await gate.wait()
        return mosquitto.broker

    async with _up(find, board) as connection:
        for number in range(5):
            connection.publish("nightshift/test/message", str(number), retain=False)
        async with ear_at(mosquitto.broker) as ear:
            gate.set()
            await ear.hear("nightshift/test/message", times=5)
            await ear.barrier()
            assert ear.texts("nightshift/test/message") == ["0", "1", "2", "3", "4"]


@needs_mosquitto
async def test_a_refusal_is_told_from_an_absence_without_the_password(
    tmp_path: Path, board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    strict = Mosquitto(tmp_path, "allow_anonymous false\n")
    await strict.start()
    known = Broker("127.0.0.1", strict.broker.port, "ana", SecretStr("hunter2hunter2"))
    with caplog.at_level(logging.DEBUG):
        async with _up(always(known), board):
            message = await board.comes_to(NeighbourState.FAILED)
            assert "refuses the user 'ana'" in message
            assert "mqtt_password" in message
    await strict.kill()
    assert "hunter2" not in caplog.text + message


async def test_a_broker_that_is_not_there_is_tried_again_and_logged_once(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    tries = asyncio.Semaphore(0)
    nowhere = Broker("127.0.0.1", free_port())

    async def find() -> Broker:
        tries.release()
        return nowhere

    with caplog.at_level(logging.INFO):
        async with _up(find, board):
            for _ in range(4):
                await asyncio.wait_for(tries.acquire(), 60)
            assert "cannot reach the broker" in board.get("broker").message
    assert sum("cannot reach" in line.message for line in caplog.records) == 1


@needs_mosquitto
async def test_two_of_the_same_name_push_each_other_out_and_say_what_it_may_be(
    mosquitto: Mosquitto, bus: Bus, board: Board
) -> None:
    told = asyncio.Event()

    def note(event: NeighbourChanged) -> None:
        if "is another Nightshift connected" in event.neighbour.message:
            told.set()

    bus.subscribe(NeighbourChanged, note)
    find = always(mosquitto.broker)
    # No connection here is long enough to count as one that lasted.
    backoff = Backoff(base=0.02, cap=5)
    # Nor does the goodbye to a broker that has just cut the line wait longer than a stop does.
    more: dict[str, Any] = {"backoff": backoff, "answer_seconds": 1}
    async with _up(find, board, **more), _up(find, Board(Bus()), **more):
        await told.wait()


async def test_a_server_that_says_nothing_is_given_up_and_leaves_nothing_open(board: Board) -> None:
    closed = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        closed.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, _up(always(Broker("127.0.0.1", port)), board, answer_seconds=0.1):
        assert "answers as an MQTT broker" in await board.comes_to(NeighbourState.FAILED)
        await asyncio.wait_for(closed.wait(), 60)


async def test_being_stopped_while_connecting_leaves_nothing_open(board: Board) -> None:
    arrived, calls = asyncio.Event(), set[asyncio.Task[None]]()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.current_task()
        assert call
        calls.add(call)  # it may have called again before it is stopped
        with suppress(ConnectionError):  # a caller may hang up without a word
            await reader.read(1)
            arrived.set()
            await reader.read()
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        async with _up(always(Broker("127.0.0.1", port)), board, answer_seconds=3):
            await asyncio.wait_for(arrived.wait(), 60)
        await asyncio.wait_for(asyncio.gather(*calls), 60)


async def test_without_a_broker_nothing_is_kept_and_nothing_tried(board: Board) -> None:
    async with _up(always(None), board) as connection:
        async with asyncio.timeout(60):
            assert connection._task
            await connection._task
        connection.publish("nightshift/test/message", "x", retain=False)
        assert board.get("broker").state is NeighbourState.OFF
        assert not connection._outbox._messages


async def test_a_broker_that_is_installed_later_is_found(broker: Broker, ear: Ear, board: Board) -> None:
    answers: list[Broker | None] = [None, None, broker]

    async def find() -> Broker | None:
        if len(answers) == 2:
            raise NeighbourError("the Supervisor does not answer")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def find_with_a_hiccup() -> Broker | None:
        try:
            return await find()
        except NeighbourError:
            answers.pop(0)
            raise

    async with _up(find_with_a_hiccup, board, keep_looking=True) as connection:
        connection.publish("nightshift/test/message", "patient", retain=False)
        await ear.hear("nightshift/test/message", "patient".__eq__)
    states = [state for state, _ in board.seen]
    assert states[0] is NeighbourState.OFF
    assert NeighbourState.OK in states


def test_pauses_grow_to_the_cap_and_are_spread() -> None:
    backoff = Backoff(base=1, cap=60)
    pauses = [backoff.pause(100) for _ in range(200)]
    assert max(pauses) <= 60
    assert min(pauses) < 10
    assert max(backoff.pause(1) for _ in range(200)) <= 2
