"""The archive: nothing twice, nothing lost, whole local days sealed as blocks."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.archive.archive import Archive
from app.archive.columns import to_rows
from app.archive.queries import ROW_KEPT
from app.clock import TurnedClock, from_ms, to_ms
from app.errors import InputError, StoreError
from app.events import Event, Events
from app.model import Cause
from app.store.database import Store

START = datetime(2026, 3, 1, tzinfo=UTC)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = Store(tmp_path / "nightshift.db", TurnedClock(START))
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def archive(store: Store) -> Archive:
    return Archive(store, store.clock)


def _at(text: str) -> int:
    return to_ms(datetime.fromisoformat(text).replace(tzinfo=UTC))


def _event(text: str, state: str = "on", entity_id: str = "light.a", cause: Cause = Cause.UNKNOWN) -> Event:
    known = cause is not Cause.UNKNOWN
    return Event(entity_id, state, _at(text), cause, 7 if known else 0, "somebody" if known else "")


def _some_days(days: int, seed: int = 3, a_day: int = 60) -> list[Event]:
    chance = random.Random(seed)  # noqa: S311 - invented events, no secret
    rows = []
    for n in range(days * a_day):
        at = START + timedelta(seconds=n * 86400 / a_day)
        entity, state = chance.choice(
            [
                ("light.a", "on"), ("light.a", "off"), ("sensor.t", f"{chance.uniform(-5, 30):.2f}"),
                ("person.p", "home"), ("sensor.n", "1e-7"), ("sensor.n", "12345678"),
            ]
        )  # fmt: skip
        rows.append(
            Event(entity, state, to_ms(at), Cause(chance.randrange(4)), chance.randrange(2**62), "me")
        )
    return rows


async def _all(archive: Archive, since: datetime | None = None) -> list[Event]:
    return [row async for block in archive.blocks("home", since) for row in Events.decode(block).rows()]


def _canonical(rows: list[Event]) -> list[Event]:
    return sorted(Events.of(rows).rows(), key=lambda row: (row.at, row.entity_id, row.state))


async def test_what_is_kept_comes_back_whether_it_is_sealed_or_not(archive: Archive) -> None:
    rows = _some_days(6)
    assert await archive.append("home", Events.of(rows)) == len(rows)
    assert _canonical(await _all(archive)) == _canonical(rows)
    assert await archive.seal("home", AMSTERDAM, date(2026, 3, 5)) == 4
    back = await _all(archive)
    assert _canonical(back) == _canonical(rows)
    assert [row.at for row in back] == sorted(row.at for row in rows)


async def test_the_same_events_again_change_nothing(archive: Archive) -> None:
    rows = _some_days(4)
    await archive.append("home", Events.of(rows))
    await archive.seal("home", AMSTERDAM, date(2026, 3, 3))
    assert await archive.append("home", Events.of(rows)) == 0
    assert await archive.append("home", Events.of(rows[50:150])) == 0
    assert _canonical(await _all(archive)) == _canonical(rows)


async def test_an_empty_slice_is_fine(archive: Archive) -> None:
    assert await archive.append("home", Events.empty()) == 0
    assert await archive.seal("home", AMSTERDAM, date(2026, 3, 3)) == 0
    assert await _all(archive) == []


async def test_homes_are_kept_apart(archive: Archive) -> None:
    await archive.append("home", Events.of([_event("2026-03-01T10:00")]))
    await archive.append("cabin", Events.of([_event("2026-03-01T10:00", "off")]))
    await archive.seal("cabin", AMSTERDAM, date(2026, 4, 1))
    assert [row.state for row in await _all(archive)] == ["on"]
    assert (await archive.size("home")).events == 1
    assert await archive.forget("cabin", date(2027, 1, 1)) == 1
    assert (await archive.size("home")).events == 1


async def test_late_rows_of_a_sealed_day_are_merged_into_it(archive: Archive, store: Store) -> None:
    await archive.append("home", Events.of([_event("2026-03-01T10:00"), _event("2026-03-02T10:00")]))
    assert await archive.seal("home", AMSTERDAM, date(2026, 3, 3)) == 2
    late = [
        _event("2026-02-28T23:30", "off"),
        _event("2026-03-01T10:00"),
        _event("2026-03-01T12:00", "off"),
        _event("2026-03-05T08:00"),
    ]
    assert await archive.append("home", Events.of(late)) == 3
    assert await archive.append("home", Events.of(late)) == 0
    async with store.reading() as db:
        found = [
            (row["day"], row["events"], from_ms(row["first_at"]).hour)
            for row in await db.execute_fetchall("SELECT * FROM archive_day ORDER BY day")
        ]
    # 23:30 in UTC is half past midnight of 1 March in Amsterdam.
    assert found == [("2026-03-01", 3, 23), ("2026-03-02", 1, 10)]
    assert [row.state for row in await _all(archive)] == ["off", "on", "off", "on", "on"]


@pytest.mark.parametrize("sealed", [False, True])
async def test_a_known_cause_replaces_an_unknown_one_and_nothing_else(
    archive: Archive, *, sealed: bool
) -> None:
    when = "2026-03-01T10:00"
    await archive.append("home", Events.of([_event(when)]))
    if sealed:
        await archive.seal("home", AMSTERDAM, date(2026, 3, 3))
    assert await archive.append("home", Events.of([_event(when, cause=Cause.PERSON)])) == 0
    assert await _all(archive) == [_event(when, cause=Cause.PERSON)]
    await archive.append("home", Events.of([_event(when, cause=Cause.MACHINE)]))
    await archive.append("home", Events.of([_event(when)]))
    assert await _all(archive) == [_event(when, cause=Cause.PERSON)]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Amsterdam", date(2026, 3, 29), 23),
        ("Europe/Amsterdam", date(2026, 10, 25), 25),
        ("Europe/Amsterdam", date(2026, 6, 1), 24),
        ("America/Havana", date(2026, 3, 8), 23),
        ("America/Havana", date(2026, 11, 1), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
    ],
)
async def test_a_day_is_sealed_as_long_as_it_is(
    archive: Archive, store: Store, zone: str, day: date, hours: float
) -> None:
    here = ZoneInfo(zone)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=here)
    rows = [Event("light.a", str(n), to_ms(noon) + n * 900_000) for n in range(-150, 150)]
    await archive.append("home", Events.of(rows))
    await archive.seal("home", here, day + timedelta(days=1))
    async with store.reading() as db:
        found = next(
            iter(await db.execute_fetchall("SELECT * FROM archive_day WHERE day = ?", (day.isoformat(),)))
        )
    assert (found["ends_at"] - found["starts_at"]) / 3_600_000 == hours
    assert found["events"] == hours * 4
    assert {from_ms(at).astimezone(here).date() for at in (found["first_at"], found["last_at"])} == {day}
    assert _canonical(await _all(archive)) == _canonical(rows)


async def test_nothing_is_lost_or_doubled_when_the_home_changes_its_zone(archive: Archive) -> None:
    rows = _some_days(6)
    await archive.append("home", Events.of(rows))
    await archive.seal("home", AMSTERDAM, date(2026, 3, 3))
    for zone in ("America/New_York", "Pacific/Auckland", "UTC"):
        await archive.append("home", Events.of(rows))
        await archive.seal("home", ZoneInfo(zone), date(2026, 3, 5))
        assert await archive.append("home", Events.of(rows)) == 0
        assert _canonical(await _all(archive)) == _canonical(rows)


async def test_a_seal_that_fails_leaves_the_rows(archive: Archive, store: Store) -> None:
    rows = _some_days(2)
    await archive.append("home", Events.of(rows))
    async with store.writing() as db:
        await db.execute(
            "CREATE TRIGGER no_more BEFORE DELETE ON archive_event"
            " BEGIN SELECT RAISE(ABORT, 'power cut'); END"
        )
    with pytest.raises(Exception, match="power cut"):
        await archive.seal("home", AMSTERDAM, date(2026, 3, 9))
    assert _canonical(await _all(archive)) == _canonical(rows)
    assert (await archive.size("home")).events == len(rows)
    async with store.writing() as db:
        await db.execute("DROP TRIGGER no_more")
    await archive.seal("home", AMSTERDAM, date(2026, 3, 9))
    assert _canonical(await _all(archive)) == _canonical(rows)


async def test_a_row_that_comes_while_its_day_is_packed_is_sealed_with_it(
    archive: Archive, store: Store
) -> None:
    rows = _some_days(1)
    await archive.append("home", Events.of(rows))
    late = _event("2026-03-01T10:00:01", entity_id="light.late")
    async with store.writing() as db:
        sealing = asyncio.create_task(archive.seal("home", ZoneInfo("UTC"), date(2026, 3, 2)))
        # Until it has packed the day and waits to write it.
        while not store._writing._waiters:
            await asyncio.sleep(0)
        await db.executemany(ROW_KEPT, to_rows("home", Events.of([late])))
    assert await sealing == 1
    assert _canonical(await _all(archive)) == _canonical([*rows, late])
    assert (await archive.size("home")).events == len(rows) + 1


async def test_what_is_sealed_while_it_is_read_is_neither_missed_nor_given_twice(archive: Archive) -> None:
    rows = _some_days(8)
    await archive.append("home", Events.of(rows))
    await archive.seal("home", AMSTERDAM, date(2026, 3, 3))
    back: list[Event] = []
    day = date(2026, 3, 3)
    async for block in archive.blocks("home"):
        back.extend(Events.decode(block).rows())
        day += timedelta(days=1)
        await archive.seal("home", AMSTERDAM, day)
    assert _canonical(back) == _canonical(rows)


async def test_blocks_begin_at_the_instant_asked_for(archive: Archive) -> None:
    rows = _some_days(6)
    await archive.append("home", Events.of(rows))
    await archive.seal("home", AMSTERDAM, date(2026, 3, 5))
    for since in (START + timedelta(days=2, hours=5), START + timedelta(days=5, hours=5)):
        wanted = [row for row in rows if row.at >= to_ms(since)]
        assert _canonical(await _all(archive, since)) == _canonical(wanted)


async def test_rows_between_two_sealed_days_are_given_between_them(archive: Archive, store: Store) -> None:
    rows = _some_days(40, a_day=4)
    await archive.append("home", Events.of(rows))
    await archive.seal("home", AMSTERDAM, date(2026, 4, 9))
    async with store.writing() as db:
        await db.execute("DELETE FROM archive_day WHERE day = '2026-03-15'")
        on_that_day = [
            row for row in rows if from_ms(row.at).astimezone(AMSTERDAM).date() == date(2026, 3, 15)
        ]
        assert on_that_day
        await db.executemany(ROW_KEPT, to_rows("home", Events.of(on_that_day)))
    assert [row.at for row in await _all(archive)] == [row.at for row in rows]


async def test_the_watermark_is_remembered(archive: Archive) -> None:
    assert await archive.watermark("home") is None
    await archive.mark("home", START)
    await archive.mark("home", START + timedelta(hours=1))
    assert await archive.watermark("home") == START + timedelta(hours=1)
    assert await archive.watermark("cabin") is None


async def test_days_older_than_asked_for_are_forgotten(archive: Archive) -> None:
    rows = _some_days(6)
    await archive.append("home", Events.of(rows))
    await archive.seal("home", ZoneInfo("UTC"), date(2026, 3, 4))
    assert await archive.forget("home", date(2026, 3, 3)) == 120
    left = await _all(archive)
    assert len(left) == len(rows) - 120
    assert from_ms(left[0].at) >= datetime(2026, 3, 3, tzinfo=UTC)
    assert await archive.forget("home", date(2026, 3, 5)) == 120
    assert len(await _all(archive)) == len(rows) - 240


async def test_the_size_tells_events_days_and_span(archive: Archive) -> None:
    empty = await archive.size("home")
    assert (empty.events, empty.days, empty.first, empty.last, empty.bytes) == (0, 0, None, None, 0)
    rows = _some_days(6)
    await archive.append("home", Events.of(rows))
    before = await archive.size("home")
    await archive.seal("home", ZoneInfo("UTC"), date(2026, 3, 5))
    after = await archive.size("home")
    assert (before.events, before.days) == (after.events, after.days) == (len(rows), 6)
    assert (after.first, after.last) == (from_ms(rows[0].at), from_ms(rows[-1].at))
    assert 0 < after.bytes < before.bytes


async def test_a_damaged_block_is_told_with_its_day(archive: Archive, store: Store) -> None:
    await archive.append("home", Events.of([_event("2026-03-01T10:00")]))
    await archive.seal("home", AMSTERDAM, date(2026, 3, 3))
    async with store.writing() as db:
        await db.execute("UPDATE archive_day SET block = x'4E53423100'")
    with pytest.raises(StoreError, match=r"2026-03-01.*damaged") as caught:
        await archive.append("home", Events.of([_event("2026-03-01T11:00")]))
    assert isinstance(caught.value.__cause__, InputError)
