"""The archive: every state change of a home, kept longer than the hub keeps it.

Recent events are rows; a finished local day is sealed as one compressed block (docs/decisions/0002).
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import takewhile
from zoneinfo import ZoneInfo

import aiosqlite

from app.archive.columns import from_rows, known, same, to_rows, union
from app.archive.queries import (
    BLOCK,
    CAUSE_LEARNED,
    DAY_KEPT,
    DAYS_BEFORE_DELETED,
    DAYS_BEFORE_SIZE,
    DAYS_BETWEEN,
    DAYS_SIZE,
    FIRST_RECENT,
    MARK,
    MARKED,
    NEXT_DAYS,
    RECENT_BETWEEN,
    RECENT_COUNT,
    RECENT_DELETED,
    RECENT_SIZE,
    ROW_KEPT,
)
from app.clock import Clock, from_ms, to_ms
from app.errors import InputError, StoreError
from app.events import Events
from app.store.database import Store

_BATCH = 4000
"""Rows a transaction: other writers wait for one batch, some 50 ms, not for a whole history."""
_READ_BYTES = 2 * 1024 * 1024
_MOST_DAYS = 32
_DAY_MS = 24 * 3600 * 1000
_BEGINNING = -(2**62)
_END = 2**62


@dataclass(frozen=True, slots=True)
class ArchiveSize:
    """What the archive holds of a home.

    `days` are sealed local days, and those (in UTC) that recent rows lie in; `bytes` is what the blocks take,
    and the text and numbers of the recent rows, without the database's own overhead.
    """

    events: int
    days: int
    first: datetime | None
    last: datetime | None
    bytes: int


@dataclass(frozen=True, slots=True)
class _Day:
    day: str
    starts_at: int
    ends_at: int


class Archive:
    """The events of all homes. Make one per store: it is what keeps appending and sealing apart."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._changing = asyncio.Lock()

    async def append(self, home_id: str, events: Events) -> int:
        """Keep these events and return how many were new.

        Idempotent: a row is known by (entity, at, state). When it comes again with a cause where that was
        unknown, the cause, context and actor are learned; a known cause is never replaced. Rows of a sealed
        day are merged into its block. In batches, oldest first: what was kept before a failure stays.
        """
        if not len(events):
            return 0
        async with self._changing:
            first, last = int(events.at[0]), int(events.at[-1])
            async with self._store.reading() as db:
                rows = await db.execute_fetchall(DAYS_BETWEEN, {"home": home_id, "from": first, "to": last})
            added = 0
            for row in rows:
                day = _Day(row["day"], row["starts_at"], row["ends_at"])
                late = await asyncio.to_thread(events.between, day.starts_at, day.ends_at)
                if len(late):
                    added += await self._merge_late(home_id, day, late)
                    events = await asyncio.to_thread(_outside, events, day)
            for batch in _batches(events):
                added += await self._keep_recent(home_id, batch)
            return added

    async def _keep_recent(self, home_id: str, batch: Events) -> int:
        rows = await asyncio.to_thread(to_rows, home_id, batch)
        async with self._store.writing() as db:
            cursor = await db.executemany(ROW_KEPT, rows)
            added = cursor.rowcount
            if added < len(rows):
                await db.executemany(CAUSE_LEARNED, await asyncio.to_thread(known, rows))
        return added

    async def _merge_late(self, home_id: str, day: _Day, late: Events) -> int:
        async with self._store.writing() as db:
            kept = await _block_of(db, home_id, day.day)
            if kept is None:
                raise LookupError(f"the sealed day {day.day} went away")
            before = await asyncio.to_thread(_decoded, kept, day.day)
            after = await asyncio.to_thread(union, before, late)
            if not same(before, after):
                packed = await asyncio.to_thread(after.encode)
                await _keep_day(db, home_id, day, after, packed)
        return len(after) - len(before)

    async def seal(self, home_id: str, zone: ZoneInfo, before: date) -> int:
        """Turn every local day before `before` that still has rows into one block; return how many.

        Each day is one transaction: its rows and its block are never both there, nor both gone.
        """
        limit = _starts_at(before, zone)
        sealed = 0
        async with self._changing:
            position = _BEGINNING
            while (first := await self._first_recent(home_id, position)) is not None and first < limit:
                local = from_ms(first).astimezone(zone).date()
                ends = _starts_at(local + timedelta(days=1), zone)
                if await self._seal_day(home_id, _Day(local.isoformat(), _starts_at(local, zone), ends)):
                    sealed += 1
                    position = ends
        return sealed

    async def _seal_day(self, home_id: str, day: _Day) -> bool:
        bounds = {"home": home_id, "from": day.starts_at, "to": day.ends_at}
        async with self._store.reading() as db:
            events = await _recent(db, bounds)
            block = await _block_of(db, home_id, day.day)
        recent = len(events)
        # The day has a block already when rows of it came from another process, or the zone was changed.
        if block is not None:
            events = await asyncio.to_thread(union, await asyncio.to_thread(_decoded, block, day.day), events)
        packed = await asyncio.to_thread(events.encode)
        async with self._store.writing() as db:
            # Packing a busy day takes a second, too long to keep others from writing; so another process may
            # have come in between, and the day is begun again.
            if (await _row(db, RECENT_COUNT, bounds))[0] != recent:
                return False
            await _keep_day(db, home_id, day, events, packed)
            await db.execute(RECENT_DELETED, bounds)
        return True

    async def blocks(self, home_id: str, since: datetime | None = None) -> AsyncIterator[bytes]:
        """Yield all events from `since` on as encoded blocks, oldest first, a day or less each.

        No transaction is held between two readings, and of memory no more than a few megabytes or one block;
        what is sealed meanwhile is neither missed nor given twice.
        """
        start = _BEGINNING if since is None else to_ms(since)
        position, days = start, 1
        while (found := await self._next_blocks(home_id, position, start, days)) is not None:
            blocks, position = found
            for block in blocks:
                if block:
                    yield block
            # To ask for each day anew would take longer than to read it.
            days = max(1, min(_MOST_DAYS, _READ_BYTES // max(1, *map(len, blocks))))

    async def _next_blocks(
        self, home_id: str, position: int, start: int, days: int
    ) -> tuple[list[bytes], int] | None:
        """Return the blocks of up to so many days at or after `position` (empty for what is all before
        `start`), and where they end.
        """
        bounds = {"home": home_id, "from": position, "days": days}
        async with self._store.reading() as db:
            sealed = list(await db.execute_fetchall(NEXT_DAYS, bounds))
            first = (await _row(db, FIRST_RECENT, bounds))[0]
            if first is not None and (not sealed or first < sealed[0]["starts_at"]):
                end = min(first + _DAY_MS, sealed[0]["starts_at"] if sealed else _END)
                events = await _recent(db, {**bounds, "to": end})
                return [await asyncio.to_thread(events.encode)], end
        # Rows that lie between two days come in between.
        known = list(takewhile(lambda day: first is None or day["starts_at"] <= first, sealed))
        if not known:
            return None
        blocks = [
            day["block"]
            if day["first_at"] >= start
            else await asyncio.to_thread(_cut, day["block"], day["day"], start)
            for day in known
        ]
        return blocks, known[-1]["ends_at"]

    async def watermark(self, home_id: str) -> datetime | None:
        """Return until when the home's past has been pulled, or None when never."""
        async with self._store.reading() as db:
            row = await _one(db, MARKED, {"home": home_id})
        return None if row is None else from_ms(row["pulled_until"])

    async def mark(self, home_id: str, until: datetime) -> None:
        """Record until when the home's past has been pulled."""
        async with self._store.writing() as db:
            await db.execute(MARK, {"home": home_id, "until": to_ms(until)})

    async def forget(self, home_id: str, before: date) -> int:
        """Delete the sealed local days before `before`, and rows before it in UTC; return how many events."""
        days = {"home": home_id, "day": before.isoformat()}
        rows = {"home": home_id, "from": _BEGINNING, "to": _starts_at(before, UTC)}
        async with self._changing, self._store.writing() as db:
            gone = (await _row(db, DAYS_BEFORE_SIZE, days))[0]
            await db.execute(DAYS_BEFORE_DELETED, days)
            await db.execute(RECENT_DELETED, rows)
            # The cursor does not count for a statement that begins with WITH.
            gone += (await _row(db, "SELECT changes()", {}))[0]
        return int(gone)

    async def size(self, home_id: str) -> ArchiveSize:
        """Return what there is of a home; all zero when there is nothing."""
        async with self._store.reading() as db:
            sealed = await _row(db, DAYS_SIZE, {"home": home_id})
            recent = await _row(db, RECENT_SIZE, {"home": home_id})
        firsts = [at for at in (sealed["first_at"], recent["first_at"]) if at is not None]
        lasts = [at for at in (sealed["last_at"], recent["last_at"]) if at is not None]
        return ArchiveSize(
            events=sealed["events"] + recent["events"],
            days=sealed["days"] + recent["days"],
            first=from_ms(min(firsts)) if firsts else None,
            last=from_ms(max(lasts)) if lasts else None,
            bytes=sealed["bytes"] + recent["bytes"],
        )

    async def _first_recent(self, home_id: str, position: int) -> int | None:
        async with self._store.reading() as db:
            at: int | None = (await _row(db, FIRST_RECENT, {"home": home_id, "from": position}))[0]
        return at


def _starts_at(day: date, zone: tzinfo) -> int:
    """Return when the local day begins, ms; where the clock skips midnight, the instant it does."""
    return to_ms(datetime.combine(day, time.min, zone))


def _outside(events: Events, day: _Day) -> Events:
    return events.take((events.at < day.starts_at) | (events.at >= day.ends_at))


def _batches(events: Events) -> Iterator[Events]:
    for start in range(0, len(events), _BATCH):
        yield events.take(slice(start, start + _BATCH))


def _decoded(block: bytes, day: str) -> Events:
    try:
        return Events.decode(block)
    except InputError as error:
        raise StoreError(f"the archive's day {day}: {error}; restore a backup of the database") from error


def _cut(block: bytes, day: str, start: int) -> bytes:
    left = _decoded(block, day).between(start, _END)
    return left.encode() if len(left) else b""


async def _recent(db: aiosqlite.Connection, bounds: Mapping[str, object]) -> Events:
    parts = []
    async with db.execute(RECENT_BETWEEN, bounds) as cursor:
        # Never a whole day as Python rows: they would cost memory, and pauses of the garbage collector.
        while rows := await cursor.fetchmany(_BATCH):
            parts.append(await asyncio.to_thread(from_rows, rows))
    return await asyncio.to_thread(Events.join, parts)


async def _keep_day(db: aiosqlite.Connection, home_id: str, day: _Day, events: Events, block: bytes) -> None:
    first, last = int(events.at[0]), int(events.at[-1])
    values = (home_id, day.day, day.starts_at, day.ends_at, first, last, len(events), block)
    await db.execute(DAY_KEPT, values)


async def _block_of(db: aiosqlite.Connection, home_id: str, day: str) -> bytes | None:
    row = await _one(db, BLOCK, {"home": home_id, "day": day})
    return None if row is None else row["block"]


async def _one(db: aiosqlite.Connection, query: str, values: Mapping[str, object]) -> sqlite3.Row | None:
    return next(iter(await db.execute_fetchall(query, values)), None)


async def _row(db: aiosqlite.Connection, query: str, values: Mapping[str, object]) -> sqlite3.Row:
    """Return the one row of a query that always has one: an aggregate."""
    return next(iter(await db.execute_fetchall(query, values)))
