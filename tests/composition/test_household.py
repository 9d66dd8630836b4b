"""The home is met again: every hour, and soon after something in it was changed."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.clock import TurnedClock
from app.composition.household import REGISTRIES, Household
from app.errors import NeighbourError
from app.hub.client import Hub
from app.hub.homes import Homes
from app.hub.source import Slice
from app.model import Home
from app.options import Options
from app.store.database import Store
from tests.hub.conftest import board, bus, clock, hub, patience, peer, server
from tests.hub.peer import DROP, Peer, while_the_clock_turns
from tests.jobs.crew import until

__all__ = ["board", "bus", "clock", "hub", "patience", "peer", "server"]


class Described:
    """A source whose home has another name each time."""

    def __init__(self) -> None:
        self.times = 0
        self.away = False

    async def describe(self) -> Home:
        self.times += 1
        if self.away:
            raise NeighbourError("hub: away")
        return Home(name=f"Home {self.times}")

    async def history(self, home: Home, since: datetime, until: datetime) -> AsyncIterator[Slice]:
        nothing: tuple[Slice, ...] = ()
        assert since <= until, home
        for piece in nothing:
            yield piece

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
async def household(tmp_path: Path, clock: TurnedClock) -> AsyncIterator[Household]:
    store = Store(tmp_path / "nightshift.db", clock)
    await store.open()
    made = Household(Homes(store, clock), Options(), clock)
    yield made
    await made.stop()
    await store.close()


async def nothing(_home: Home) -> None:
    """Hear of it."""


async def test_the_home_is_met_at_the_start_and_every_hour(
    household: Household,
    clock: TurnedClock,
) -> None:
    source = Described()
    household.start(source, nothing)
    await until(lambda: source.times == 1 and household.home() is not None)
    await clock.turn(timedelta(minutes=59))
    assert source.times == 1
    await clock.turn(timedelta(minutes=1))
    await until(lambda: source.times == 2)


async def test_a_home_that_cannot_be_read_is_asked_again_in_a_minute(
    household: Household,
    clock: TurnedClock,
) -> None:
    source = Described()
    source.away = True
    household.start(source, nothing)
    await until(lambda: source.times == 1)
    source.away = False
    await clock.turn(timedelta(minutes=1))
    await until(lambda: household.home() is not None)


async def test_a_device_that_is_added_is_known_soon_and_read_once_however_often_it_changes(
    household: Household,
    clock: TurnedClock,
    hub: Hub,
    peer: Peer,
) -> None:
    source = Described()
    hub.start()
    await until(lambda: hub.connected)
    async with AsyncExitStack() as closing:
        household.follow(hub, closing)
        await peer.until(lambda: peer.times("subscribe_events") == len(REGISTRIES))
        household.start(source, nothing)
        await until(lambda: household.home() is not None)
        for _ in range(5):
            await peer.fire("entity_registry_updated", action="create", entity_id="light.new")
        await peer.fire("label_registry_updated", action="create", label_id="nightshift_never")
        await until(household._changed.is_set)
        await clock.turn(timedelta(seconds=20))
        await until(lambda: source.times == 2)
        await clock.turn(timedelta(minutes=30))
        assert source.times == 2


async def test_a_hub_that_goes_away_during_the_start_ends_nothing_and_is_heard_once_it_is_back(
    household: Household,
    clock: TurnedClock,
    hub: Hub,
    peer: Peer,
) -> None:
    hub.start()
    await until(lambda: hub.connected)
    peer.answers["subscribe_events"] = DROP
    async with AsyncExitStack() as closing:
        household.follow(hub, closing)
        await until(lambda: not hub.connected)
        del peer.answers["subscribe_events"]
        await while_the_clock_turns(clock, until(lambda: hub.connected))
        await peer.fire("area_registry_updated", action="create", area_id="attic")
        await until(household._changed.is_set)
