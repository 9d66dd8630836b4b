"""Counting what happens: live as it is heard, what was not heard from the past, each change once.

`stat_mark` says until when all is in the tables. What the ear heard since, without a gap, is added to them; a
gap (a restart, a hub that was away) is read from the hub's history, or from the archive where that has it
already.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from app.archive.archive import Archive
from app.clock import Clock, from_ms, to_ms
from app.errors import NeighbourError
from app.events import Events
from app.hub.source import HomeSource, Slice
from app.model import Home
from app.statistics.book import Book, Mark
from app.statistics.ear import Ear
from app.statistics.localdays import DAY, DAY_MS, day_of, minute_of, starts_at
from app.statistics.tally import Places, Tally, runs_in

_log = logging.getLogger(__name__)
KEPT_DAYS: Final = 62
"""So far back is counted, and are hours kept: this month and the whole of the last one."""
_RECORDED: Final = timedelta(seconds=30)
"""By then a hub has written down what it heard: its recorder commits every few seconds, and the clock of
another machine may be off by half a minute.
"""
_OVERLAP: Final = timedelta(hours=2)
"""The archive's newest hours may still get late rows."""
_WORTH_THE_ARCHIVE: Final = timedelta(hours=6)
_QUIET: Final = timedelta(minutes=2)
"""What happened before would have been heard by now."""
_SECONDS_A_PASS: Final = 60.0


@dataclass(slots=True)
class Counted:
    """How far a pass came. `new` changes were counted; `heard` is what the tables do not have yet."""

    mark: Mark
    heard: Tally
    new: int = 0
    behind: bool = False
    """Whether there is more to read than one pass may."""
    note: str = ""


@dataclass(slots=True)
class _Gap:
    """What is remembered from slice to slice of one stretch of the past."""

    away: set[str] = field(default_factory=set)
    runs: set[tuple[str, int]] = field(default_factory=set)
    ran: set[str] = field(default_factory=set)


class Counting:
    """Counts one home. One pass at a time."""

    def __init__(self, *, source: HomeSource, ear: Ear, archive: Archive, book: Book, clock: Clock) -> None:
        self._source = source
        self._ear = ear
        self._archive = archive
        self._book = book
        self._clock = clock
        self._gap: tuple[int, _Gap] | None = None
        self._looked_back: str = ""

    async def advance(self, home: Home, places: Places) -> Counted:
        """Count what is new. Raises StoreError; what the hub cannot tell now is counted by a later pass."""
        known = await self._book.mark(home.home_id)
        mark = await self._begun(home, known)
        counted = Counted(mark, Tally(places))
        try:
            await self._look_back(home, places, counted)
            await self._catch_up(home, places, counted)
        except NeighbourError as error:
            counted.note = f"What happened while nobody listened is not counted yet: {error}"
            counted.behind = True
        await self._settle(home, places, counted)
        if counted.mark == mark != known:
            await self._book.keep_counts(home.home_id, Tally(places), mark)
        for heard in self._ear.pending:
            if heard.run:
                counted.heard.add_run(heard.entity_id, heard.at)
            else:
                counted.heard.add(heard.entity_id, heard.at)
        return counted

    async def _begun(self, home: Home, known: Mark | None) -> Mark:
        """Return the mark to go on from: of a new home the beginning of this month, or of this week."""
        now = self._clock.now()
        if known is not None:
            # A mark from the future is that of a clock which was wrong then.
            return replace(known, counted_until=min(known.counted_until, minute_of(to_ms(now))))
        today = now.astimezone(home.zone).date()
        first = min(today.replace(day=1), today - today.weekday() * DAY)
        since = starts_at(first, home.zone)
        return Mark(since, since)

    async def _look_back(self, home: Home, places: Places, counted: Counted) -> None:
        """Count, once, what the archive has from before counting began: the first night fills it
        for weeks.
        """
        today = self._clock.now().astimezone(home.zone).date()
        since = starts_at(today - KEPT_DAYS * DAY, home.zone)
        mark = counted.mark
        if mark.counted_from <= since + DAY_MS or self._looked_back == today.isoformat():
            return
        pulled = await self._archive.watermark(home.home_id)
        self._looked_back = today.isoformat()
        if pulled is None or to_ms(pulled) < mark.counted_from:
            return
        tally = Tally(places)
        new = await self._from_archive(home, tally, since, mark.counted_from, _Gap())
        if new:
            counted.new += new
            counted.mark = replace(mark, counted_from=tally.begins)
            await self._book.keep_counts(home.home_id, tally, counted.mark)

    async def _catch_up(self, home: Home, places: Places, counted: Counted) -> None:
        """Count what was not heard: from the mark until the ear began to hear."""
        heard_from = self._heard_from()
        if heard_from is None or counted.mark.counted_until >= heard_from:
            return
        until = min(heard_from, minute_of(to_ms(self._clock.now() - _RECORDED)))
        await self._from_nights(home, places, counted, until)
        await self._from_history(home, places, counted, until)
        counted.behind = counted.mark.counted_until < heard_from

    async def _from_nights(self, home: Home, places: Places, counted: Counted, until: int) -> None:
        """Take what the nights have read already: it costs the hub nothing."""
        pulled = await self._archive.watermark(home.home_id)
        if pulled is None:
            return
        since, end = counted.mark.counted_until, min(until, minute_of(to_ms(pulled - _OVERLAP)))
        if from_ms(end) - from_ms(since) < _WORTH_THE_ARCHIVE:
            return
        tally = Tally(places)
        counted.new += await self._from_archive(home, tally, since, end, self._gap_at(since))
        self._gap = (end, self._gap_at(since))
        counted.mark = _reaching(counted.mark, end, tally)
        await self._book.keep_counts(home.home_id, tally, counted.mark)

    async def _from_history(self, home: Home, places: Places, counted: Counted, until: int) -> None:
        began, first = self._clock.monotonic(), counted.mark.counted_until
        if first >= until:
            return
        gap = self._gap_at(first)
        async for piece in _minutes(self._source.history(home, from_ms(first), from_ms(until))):
            tally = Tally(places)
            counted.new += await asyncio.to_thread(self._add, tally, piece.events, gap)
            end = to_ms(piece.until)
            if end >= until:
                self._add_quiet_runs(tally, gap, first, until)
            counted.mark = _reaching(counted.mark, end, tally)
            await self._book.keep_counts(home.home_id, tally, counted.mark)
            self._gap = (end, gap)
            if self._clock.monotonic() - began > _SECONDS_A_PASS:
                return

    async def _settle(self, home: Home, places: Places, counted: Counted) -> None:
        """Write down what was heard, as far as nothing of it can still be on its way."""
        heard_from, mark = self._heard_from(), counted.mark
        if heard_from is None or mark.counted_until < heard_from:
            return
        # What was heard of before is in the history that was read.
        self._ear.forget(heard_from)
        until = max(self._ear.settled_until() or 0, self._quiet_until(home, mark))
        if until <= mark.counted_until:
            return
        tally = Tally(places)
        for heard in self._ear.pending:
            if heard.at < until:
                (tally.add_run if heard.run else tally.add)(heard.entity_id, heard.at)
        counted.new += sum(count for (_, area), count in tally.events.items() if not area)
        if tally.events or tally.automations or self._quiet_until(home, mark):
            counted.mark = replace(mark, counted_until=until)
            await self._book.keep_counts(home.home_id, tally, counted.mark)
        self._ear.forget(until)

    def _quiet_until(self, home: Home, mark: Mark) -> int:
        """Return until when the mark moves even if nothing happens: once a day, for a day without events was
        one.
        """
        late = minute_of(to_ms(self._clock.now() - _QUIET))
        return late if day_of(mark.counted_until, home.zone) < day_of(late, home.zone) else 0

    def _heard_from(self) -> int | None:
        """Return the first whole minute (ms) of which everything was heard.

        Whole minutes, for of a sensor one number a minute counts: half of one here and half there would be
        two.
        """
        since = self._ear.since
        return None if since is None else -minute_of(-to_ms(since))

    def _gap_at(self, since: int) -> _Gap:
        """Return what is remembered of the stretch that ended there, or begin anew."""
        return self._gap[1] if self._gap is not None and self._gap[0] == since else _Gap()

    async def _from_archive(self, home: Home, tally: Tally, since: int, until: int, gap: _Gap) -> int:
        new = 0
        async for block in self._archive.blocks(home.home_id, from_ms(since)):
            events = await asyncio.to_thread(Events.decode, block)
            if len(events) and int(events.at[0]) >= until:
                break
            new += await asyncio.to_thread(self._add, tally, events.between(since, until), gap)
        return new

    def _add(self, tally: Tally, events: Events, gap: _Gap) -> int:
        new = tally.add_past(events, gap.away)
        for automation, at in runs_in(events, gap.runs):
            tally.add_run(automation, at)
            gap.ran.add(automation)
        return new

    def _add_quiet_runs(self, tally: Tally, gap: _Gap, since: int, until: int) -> None:
        """Count the last run of those automations that ran meanwhile and were not seen to change anything."""
        for automation, last in self._ear.last_runs().items():
            if since <= (at := to_ms(last)) < until and automation not in gap.ran:
                tally.add_run(automation, at)


def _reaching(mark: Mark, until: int, tally: Tally) -> Mark:
    """Return the mark after what was read up to `until`.

    Of a new home counting begins where its past does: what the hub has forgotten was not a quiet time.
    """
    if mark.counted_from < mark.counted_until:
        return replace(mark, counted_until=until)
    return replace(mark, counted_from=min(tally.begins, until), counted_until=until)


async def _minutes(slices: AsyncIterator[Slice]) -> AsyncIterator[Slice]:
    """Yield slices that end with a whole minute: of those that do not, the rest goes to the next one."""
    left = Events.empty()
    async for piece in slices:
        events, end = Events.join([left, piece.events]), minute_of(to_ms(piece.until))
        left = events.between(end, to_ms(piece.until))
        yield Slice(events.between(-(2**62), end), from_ms(end))
