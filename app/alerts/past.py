"""What a home's archive taught, learned day by day as its days are finished, and kept."""

import asyncio
import json
import logging
import zlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, cast

from app.alerts.learned import Learned
from app.alerts.learning import DayFacts, LocalDay, learn
from app.alerts.surroundings import NIGHT_FROM, NIGHT_UNTIL
from app.archive.archive import Archive
from app.clock import Clock, from_ms, to_ms
from app.events import Events
from app.model import Home
from app.store.database import Store

KEPT_DAYS: Final = 90
_A_DAY: Final = timedelta(days=1)
_END_OF_DAY_MS: Final = 3_600_000
_log = logging.getLogger(__name__)


class Past:
    """A home's learned days. Its cost follows what is new: a finished day is read once."""

    def __init__(self, store: Store, archive: Archive, clock: Clock, home_id: str) -> None:
        self._store = store
        self._archive = archive
        self._clock = clock
        self._home_id = home_id
        self._learned: Learned | None = None
        self._last: date | None = None
        self._next: date | None = None

    async def learned(self) -> Learned:
        """Return what is known so far; read from the store once."""
        if self._learned is None:
            async with self._store.reading() as db:
                rows = await db.execute_fetchall(
                    "SELECT day, facts FROM alert_day WHERE home_id = ? ORDER BY day", (self._home_id,)
                )
            rows = list(rows)
            self._last = date.fromisoformat(rows[-1]["day"]) if rows else None
            packed = [row["facts"] for row in rows if row["facts"] is not None]
            self._learned = await asyncio.to_thread(_unpacked, packed)
        return self._learned

    async def learn(self, home: Home, most: int = 1) -> int:
        """Learn up to so many finished days that are not learned yet; return how many were.

        A day is finished when the archive was filled beyond its end. Raises StoreError.
        """
        learned = await self.learned()
        if not home.knows_zone:
            return 0
        until = await self._archive.watermark(self._home_id)
        if until is None:
            return 0
        # Looked for once: how far back the archive goes is asked of all its rows.
        day = self._next or await self._first_to_learn(home, until)
        done = 0
        while done < most and day is not None and _ends_at(day, home) <= until:
            learned = await self._learn_day(home, day, learned)
            done, day = done + 1, day + _A_DAY
        self._learned, self._next = learned, day
        return done

    async def _first_to_learn(self, home: Home, until: datetime) -> date | None:
        oldest = until.astimezone(home.zone).date() - timedelta(days=KEPT_DAYS)
        if self._last is not None:
            return max(self._last + _A_DAY, oldest)
        first = (await self._archive.size(self._home_id)).first
        if first is None:
            return None
        # The day on which the archive begins is seldom whole.
        return max(first.astimezone(home.zone).date() + _A_DAY, oldest)

    async def _learn_day(self, home: Home, day: date, learned: Learned) -> Learned:
        bounds = local_day(day, home)
        events = await self._events(bounds)
        yesterday = (day - _A_DAY).isoformat()
        before = next((one for one in reversed(learned.days) if one.day == yesterday), None)
        offset = datetime.combine(day, time(12), home.zone).utcoffset() or timedelta()
        facts: DayFacts | None = None
        packed: bytes | None = None
        if len(events):
            offset_ms = round(offset.total_seconds() * 1000)
            facts = await asyncio.to_thread(learn, events, home, bounds, before, offset_ms)
            packed = await asyncio.to_thread(_packed, facts)
        oldest = (day - timedelta(days=KEPT_DAYS)).isoformat()
        async with self._store.writing() as db:
            await db.execute(
                "INSERT OR REPLACE INTO alert_day (home_id, day, facts) VALUES (?, ?, ?)",
                (self._home_id, day.isoformat(), packed),
            )
            await db.execute("DELETE FROM alert_day WHERE home_id = ? AND day <= ?", (self._home_id, oldest))
        self._last = day
        if facts is None:
            return learned
        kept = [one for one in learned.days if one.day > oldest]
        return await asyncio.to_thread(Learned.of, [*kept, facts])

    async def _events(self, day: LocalDay) -> Events:
        parts = []
        blocks = cast("AsyncGenerator[bytes]", self._archive.blocks(self._home_id, from_ms(day.start)))
        async with aclosing(blocks) as reading:
            async for block in reading:
                events = await asyncio.to_thread(Events.decode, block)
                if len(events) and events.at[0] >= day.end:
                    break
                parts.append(events.between(day.start, day.end))
                if len(events) and events.at[-1] >= day.end - _END_OF_DAY_MS:
                    break  # The next block is another day's; to look would be to read it.
        return await asyncio.to_thread(Events.join, parts)


def local_day(day: date, home: Home) -> LocalDay:
    """Return a local day's bounds, and those of its two pieces of night."""
    start, end = _ms(day, time.min, home), _ms(day + _A_DAY, time.min, home)
    night = ((start, _ms(day, NIGHT_UNTIL, home)), (_ms(day, NIGHT_FROM, home), end))
    return LocalDay(day.isoformat(), start, end, night)


def _ms(day: date, at: time, home: Home) -> int:
    return to_ms(datetime.combine(day, at, home.zone))


def _ends_at(day: date, home: Home) -> datetime:
    return datetime.combine(day + _A_DAY, time.min, home.zone).astimezone(UTC)


def _packed(facts: DayFacts) -> bytes:
    return zlib.compress(json.dumps(facts.to_json(), separators=(",", ":")).encode(), 6)


def _unpacked(packed: list[bytes]) -> Learned:
    days = []
    for one in packed:
        try:
            days.append(DayFacts.of(json.loads(zlib.decompress(one))))
        except (ValueError, TypeError, KeyError, zlib.error) as error:
            _log.warning("A learned day cannot be read and is left out: %s", error)
    return Learned.of(days)
