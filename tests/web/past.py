"""A past for a house: runs written into its ledger as they would have happened, at their own times."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.clock import TurnedClock
from app.jobs.ledger import Ledger
from app.jobs.run import Run, RunStatus, SkippedBecause, Subjected, Trigger
from tests.web.house import House

COUNTS = {"events": 182_340, "days": 30, "patterns_detected": 14, "suggestions_generated": 5}


@dataclass(frozen=True)
class Told:
    """How one run of the past ended."""

    status: RunStatus = RunStatus.COMPLETED
    seconds: float = 42.0
    error: str | None = None
    counts: dict[str, int] = field(default_factory=lambda: dict(COUNTS))
    subjects: Subjected | None = None
    trigger: Trigger = Trigger.SCHEDULE
    again: datetime | None = None


async def happened(opened: House, job: str, at: datetime, told: Told, home: str = "home", **more: Any) -> Run:
    """Write down a run that came round at `at` and ended."""
    clock = TurnedClock(at)
    ledger = Ledger(opened.store, clock)
    scheduled = None if told.trigger in {Trigger.MANUAL, Trigger.RETRY} else at
    run = await ledger.claim(job, home, told.trigger, scheduled_for=scheduled, **more)
    assert run
    await clock.turn(timedelta(seconds=told.seconds))
    ended = await ledger.finish(
        run.run_id,
        told.status,
        seconds=told.seconds,
        counts=told.counts,
        error_message=told.error,
        subjects=told.subjects,
        next_retry_at=told.again,
    )
    assert ended
    return ended


async def was_missed(opened: House, job: str, at: datetime, home: str = "home") -> None:
    """Write down that a run was due while nothing ran here."""
    ledger = Ledger(opened.store, TurnedClock(at))
    await ledger.skip(
        job, home, at, because=SkippedBecause.MISSED, why="Missed: Nightshift was off or asleep."
    )


async def good_nights(
    opened: House, job: str, newest: datetime, nights: int, *, seconds: float = 42.0, **told: Any
) -> None:
    """Write down so many good nights, the last one at `newest`; how long they took varies by a fifth."""
    for number in reversed(range(nights)):
        took = seconds * (0.9 + 0.2 * ((number * 37) % 11) / 10)
        await happened(opened, job, newest - timedelta(days=number), Told(seconds=took, **told))
