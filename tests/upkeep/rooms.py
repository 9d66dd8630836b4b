"""What the tests of the house's checks share: the real rooms, in a house whose clock stands still."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from app.archive.archive import Archive
from app.bus import Bus
from app.clock import TurnedClock
from app.jobs.ledger import Ledger
from app.jobs.retry_queue import Origin, RetryQueue
from app.jobs.runner import Jobs
from app.jobs.subject import Subject
from app.jobs.tally import Tally
from app.neighbours import Neighbours
from app.store.database import Store
from app.upkeep.check import Finding, HouseCheck
from app.upkeep.integrity import Integrity
from app.upkeep.sight import JobSight, Sight, UpkeepParts
from tests.upkeep.sights import DUE, NOW


@dataclass
class Rooms:
    """The rooms of a house that stands still at `NOW`."""

    parts: UpkeepParts
    clock: TurnedClock

    async def look(self, check: HouseCheck, *jobs: JobSight, **changes: Any) -> Finding:
        """Make one check, of these jobs."""
        integrity = changes.pop("integrity", Integrity(self.clock.now()))
        parts = replace(self.parts, **changes)
        known = {job.spec.name: job for job in jobs}
        return await check.look(Sight(parts, self.clock.now(), integrity, known))

    async def put(self, subject: str, next_retry_at: datetime, error: str = "the hub said no") -> None:
        """Put a subject of the analysis into the retry queue."""
        async with self.parts.store.writing() as db:
            await self.parts.queue.put(
                db,
                Origin("analysis", "home", "run", DUE),
                Subject(subject, subject.title()),
                error,
                max_retries=3,
                next_retry_at=next_retry_at,
            )

    async def give_up(self, subject: str) -> None:
        """Let all tries of a subject fail."""
        queue, now = self.parts.queue, self.clock.now()
        await self.put(subject, now)
        for last in (False, False, True):
            (retry,) = await queue.claim("analysis", "home", "again", [subject], now)
            async with self.parts.store.writing() as db:
                await queue.failed(db, retry.retry_id, "again", "no", None if last else now)


@asynccontextmanager
async def rooms(folder: Path) -> AsyncIterator[Rooms]:
    clock, bus = TurnedClock(NOW), Bus()
    store = Store(folder / "nightshift.db", clock)
    await store.open()
    ledger = Ledger(store, clock)
    parts = UpkeepParts(
        clock=clock,
        store=store,
        jobs=_no_jobs,
        ledger=ledger,
        tally=Tally(store),
        queue=RetryQueue(store, clock, ledger.generation, bus),
        archive=Archive(store, clock),
        neighbours=Neighbours(bus, clock),
    )
    try:
        yield Rooms(parts, clock)
    finally:
        await store.close()


def _no_jobs() -> Jobs:
    raise AssertionError("a single check does not ask the runner")
