"""The long-term figures put together anew: what differs is put right, what is right stays."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from app.clock import TurnedClock
from app.model import Home
from app.statistics.book import Book
from app.statistics.localdays import starts_at
from app.statistics.remaking import Remaking
from app.store.database import Store

NOW = datetime(2026, 5, 3, 2, 0, tzinfo=UTC)
HOME = Home(time_zone="Europe/Amsterdam")
DAY = timedelta(days=1)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = Store(tmp_path / "nightshift.db", TurnedClock(NOW))
    await opened.open()
    yield opened
    await opened.close()


async def _hours(store: Store, day: date, *, events: int, kwh: float) -> None:
    first = starts_at(day, HOME.zone)
    async with store.writing() as db:
        await db.executemany(
            "INSERT INTO stat_hour (home_id, starts_at, area_id, events, energy)"
            " VALUES ('home', ?, '', ?, ?)",
            [(first + number * 3_600_000, events, kwh) for number in range(24)],
        )


async def test_days_are_made_of_their_hours_and_told_what_was_usual(store: Store) -> None:
    book, remaking = Book(store), Remaking(store, lambda: HOME)
    last = date(2026, 5, 1)
    for number in range(21):
        await _hours(store, last - number * DAY, events=2, kwh=0.5)
    assert await remaking.remake(NOW) == 21
    (friday,) = await book.days("home", last, last)
    assert (friday.events, friday.energy, friday.energy_hours) == (48, 12.0, 24)
    assert (friday.energy_low, friday.energy_usual, friday.energy_high) == (12.0, 12.0, 12.0)
    assert await remaking.remake(NOW) == 0, "what is right stays"


async def test_a_day_that_went_wrong_is_put_right_and_days_without_hours_are_left(store: Store) -> None:
    book, remaking = Book(store), Remaking(store, lambda: HOME)
    await _hours(store, date(2026, 5, 1), events=2, kwh=0.5)
    async with store.writing() as db:
        await db.execute(
            "INSERT INTO stat_day (home_id, day, area_id, events, energy) VALUES"
            " ('home', '2026-05-01', '', 7, 1.0), ('home', '2026-04-20', '', 9, 2.0),"
            " ('home', '2025-05-01', '', 5, 3.0)"
        )
    assert await remaking.remake(NOW) == 1
    found = {day.day: day.events for day in await book.days("home", date(2025, 1, 1), date(2026, 5, 3))}
    assert found == {date(2025, 5, 1): 5, date(2026, 4, 20): 9, date(2026, 5, 1): 48}


async def test_before_the_home_is_known_nothing_is_made(store: Store) -> None:
    assert await Remaking(store, lambda: None).remake(NOW) == 0
