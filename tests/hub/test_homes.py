from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.clock import TurnedClock, to_ms
from app.hub.homes import Homes
from app.model import Area, Automation, Entity, Home
from app.store.database import Store

HOME = Home(
    home_id="canal",
    name="Canal house",
    time_zone="Europe/Amsterdam",
    latitude=52.37,
    longitude=4.89,
    areas=(Area(area_id="hall", name="Hall"),),
    entities=(Entity(entity_id="group.all", members=("light.a",)),),
    automations=(Automation(entity_id="automation.a", config={"triggers": [{"trigger": "sun"}]}),),
)


@pytest.fixture
def turned() -> TurnedClock:
    return TurnedClock(datetime(2026, 11, 20, 3, tzinfo=UTC))


@pytest.fixture
async def store(tmp_path: Path, turned: TurnedClock) -> AsyncIterator[Store]:
    store = Store(tmp_path / "nightshift.db", turned)
    await store.open()
    yield store
    await store.close()


async def updated_at(store: Store) -> int:
    async with store.reading() as db:
        row = await (await db.execute("SELECT updated_at FROM home")).fetchone()
    assert row is not None
    return int(row["updated_at"])


async def test_a_home_comes_back_as_it_was_saved(store: Store, turned: TurnedClock) -> None:
    homes = Homes(store, turned)
    assert await homes.load("canal") is None

    await homes.save(HOME)

    assert await homes.load("canal") == HOME
    assert await homes.load("another") is None


async def test_a_home_that_changed_replaces_what_was_known(store: Store, turned: TurnedClock) -> None:
    homes = Homes(store, turned)
    await homes.save(HOME)
    await turned.turn(timedelta(hours=1))
    changed = HOME.model_copy(update={"name": "Boat"})
    await homes.save(changed)

    assert await homes.load("canal") == changed
    assert await updated_at(store) == to_ms(turned.now())


async def test_nothing_is_written_when_nothing_changed(store: Store, turned: TurnedClock) -> None:
    homes = Homes(store, turned)
    await homes.save(HOME)
    saved = await updated_at(store)
    await turned.turn(timedelta(hours=1))
    await homes.save(HOME)

    assert await updated_at(store) == saved


async def test_what_cannot_be_read_any_more_counts_as_unknown(
    store: Store, turned: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    homes = Homes(store, turned)
    await homes.save(HOME)
    async with store.writing() as db:
        await db.execute('UPDATE home SET facts = \'{"time_zone": "Mars/Olympus"}\'')

    assert await homes.load("canal") is None
    assert "cannot be read" in caplog.text
