"""A hub's connection to a peer, under a clock that is turned."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from app.bus import Bus
from app.clock import TurnedClock
from app.hub.client import Hub
from app.neighbours import Neighbours
from tests.hub.peer import TOKEN, Board, Peer


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock(datetime(2026, 11, 20, 3, tzinfo=UTC))


@pytest.fixture
def bus() -> Bus:
    return Bus()


@pytest.fixture
def board(bus: Bus) -> Board:
    return Board(bus)


@pytest.fixture
async def peer() -> Peer:
    return Peer()


@pytest.fixture
async def server(peer: Peer) -> AsyncIterator[TestServer]:
    server = peer.server()
    await server.start_server()
    yield server
    await server.close()


@pytest.fixture
def patience() -> float:
    """Return the seconds after which a command without an answer is given up.

    Long, as machines stall; a test in which the hub is silent has less of it (`impatient`).
    """
    return 25.0


impatient = pytest.mark.parametrize("patience", [1.5])


@pytest.fixture
async def hub(
    server: TestServer, bus: Bus, clock: TurnedClock, board: Board, patience: float
) -> AsyncIterator[Hub]:
    """A connection that was not started yet."""
    hub = Hub(
        str(server.make_url("")),
        SecretStr(TOKEN),
        neighbours=Neighbours(bus, clock),
        clock=clock,
        command_seconds=patience,
    )
    yield hub
    await hub.close()
