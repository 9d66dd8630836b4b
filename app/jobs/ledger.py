"""The ledger `job_run`: the truth about what ran, what is due and what was missed.

Every change of a run is a conditional update that touches exactly one row, so a late one changes nothing.
"""

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.clock import Clock, from_ms, to_ms
from app.jobs.history import History
from app.jobs.policies import RateLimit
from app.jobs.rows import COLUMNS, end_retrying, insert, interrupt, let_through, ms_of, one, run_of
from app.jobs.run import (
    AlreadyRunningError,
    JobStats,
    RateLimitedError,
    Run,
    RunStatus,
    SkippedBecause,
    Start,
    Subjected,
    Trigger,
)
from app.jobs.text import one_line
from app.store.database import Store

__all__ = [
    "AlreadyRunningError",
    "JobStats",
    "Ledger",
    "RateLimitedError",
    "Run",
    "RunStatus",
    "SkippedBecause",
    "Trigger",
    "Undone",
]


_NONE_OF = "job NOT IN (SELECT value FROM json_each(?))"


@dataclass(frozen=True, slots=True)
class Undone:
    """An instant of the schedule that does not start a run now: it waits, or is skipped and says why."""

    instant: datetime
    because: SkippedBecause | None = None
    """None: it waits."""
    why: str = ""
    at: datetime | None = None
    """The moment that it is shown at: now unless given."""
    trigger: Trigger = Trigger.SCHEDULE
    details: Mapping[str, Any] = field(default_factory=dict)
    """What the row of one that waits says."""


class Ledger(History):
    """The runs in `store`, written by this start of the process (`generation`)."""

    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__(store)
        self._clock = clock
        self.generation = secrets.token_hex(8)

    async def claim(
        self,
        job: str,
        home: str,
        trigger: Trigger,
        *,
        scheduled_for: datetime | None = None,
        occasion: datetime | None = None,
        attempt: int = 1,
        retry_of: str | None = None,
        details: Mapping[str, Any] | None = None,
        rate_limit: RateLimit | None = None,
    ) -> Run | None:
        """Start a run: write its row, if this job of this home does not run and the instant has no row yet.

        A second try (`Trigger.RETRY` of a run) needs that run to be `retrying` still; any other start ends
        what is `retrying`, except one that is for single subjects. Returns None when the instant has a row,
        or there is nothing to retry any more. Raises AlreadyRunningError with the run in the way,
        RateLimitedError.
        """
        run = self._new(job, home, trigger, RunStatus.RUNNING, scheduled_for)
        run = replace(
            run,
            attempt=attempt,
            retry_of=retry_of,
            details=dict(details or {}),
            occasion=run.occasion if occasion is None else from_ms(to_ms(occasion)),
        )
        alone = bool(run.details.get("retries"))
        async with self.store.writing() as db:
            await let_through(db, job, home, rate_limit, to_ms(self._clock.now()))
            if trigger is Trigger.RETRY and not alone:
                tried_again = await end_retrying(db, job, home, retry_of)
                return run if tried_again and await insert(db, run) else None
            if not await insert(db, run):
                return None
            if not alone:
                await end_retrying(db, job, home)
        return run

    async def begin(self, job: str, home: str, start: Start, rate_limit: RateLimit | None) -> Run | None:
        """Claim what `start` says: a new run, or one that waits. Returns and raises as `claim` does."""
        if start.waiting is not None:
            return await self.take(start.waiting, rate_limit)
        return await self.claim(
            job,
            home,
            start.trigger,
            scheduled_for=start.scheduled_for,
            occasion=start.occasion,
            attempt=start.attempt,
            retry_of=start.retry_of,
            details=start.details,
            rate_limit=rate_limit,
        )

    def unwritten(self, job: str, home: str, start: Start) -> Run:
        """Return the run that `start` begins, without a row: `record` writes it when it has ended."""
        run = self._new(job, home, start.trigger, RunStatus.RUNNING, start.scheduled_for)
        return replace(run, details=dict(start.details))

    async def record(self, ended: Run) -> bool:
        """Write a run that had no row while it ran; False when its instant has one."""
        if not ended.status.ended:
            raise ValueError(f"{ended.status} is no end")
        async with self.store.writing() as db:
            return await insert(db, ended)

    async def take(self, waiting: Run, rate_limit: RateLimit | None = None) -> Run | None:
        """Start a run that waited; None when it waits no more. Raises as `claim` does."""
        now = to_ms(self._clock.now())
        async with self.store.writing() as db:
            await let_through(db, waiting.job, waiting.home, rate_limit, now)
            rows = await db.execute_fetchall(
                "UPDATE job_run SET status = 'running', started_at = ?, generation = ? "  # noqa: S608 - constant
                f"WHERE run_id = ? AND status = 'pending' RETURNING {COLUMNS}",
                (now, self.generation, waiting.run_id),
            )
            taken = one([run_of(row) for row in rows])
            if taken is not None:
                await end_retrying(db, waiting.job, waiting.home)
        return taken

    async def decide(self, job: str, home: str, undone: Sequence[Undone]) -> list[Run]:
        """Write down instants that do not start now, all or none; return the rows of those that had none."""
        runs = [self._undone(job, home, each) for each in undone]
        if not runs:
            return []
        async with self.store.writing() as db:
            return [run for run in runs if await insert(db, run)]

    async def skip(
        self, job: str, home: str, scheduled_for: datetime, *, because: SkippedBecause, why: str
    ) -> Run | None:
        """Write down that a due run did not start, and why; None when the instant has a row already."""
        return one(await self.decide(job, home, [Undone(scheduled_for, because, why)]))

    async def call_off(self, waiting: Run, because: SkippedBecause, why: str) -> Run | None:
        """Skip a run that waits; None when it waits no more."""
        now = to_ms(self._clock.now())
        async with self.store.writing() as db:
            rows = await db.execute_fetchall(
                "UPDATE job_run SET status = 'skipped', completed_at = ?, duration_seconds = 0, "  # noqa: S608 - constant
                "error_message = ?, details = ? WHERE run_id = ? AND status = 'pending' "
                f"RETURNING {COLUMNS}",
                (now, one_line(why), json.dumps({"because": because}), waiting.run_id),
            )
        return one([run_of(row) for row in rows])

    async def give_up_retry(self, job: str, home: str) -> Run | None:
        """Let what is `retrying` be `failed` and not be tried again; None when nothing is."""
        async with self.store.writing() as db:
            return await end_retrying(db, job, home)

    async def finish(
        self,
        run_id: str,
        status: RunStatus,
        *,
        seconds: float,
        counts: Mapping[str, int] | None = None,
        error_message: str | None = None,
        details: Mapping[str, Any] | None = None,
        subjects: Subjected | None = None,
        next_retry_at: datetime | None = None,
    ) -> Run | None:
        """End a running run; None when it was not running any more (nothing is then changed).

        Without `details` those that it began with stay.
        """
        if not status.ended or (status is RunStatus.RETRYING) != (next_retry_at is not None):
            raise ValueError(f"{status} is no end, or its next try is not where it should be")
        about = subjects or Subjected()
        async with self.store.writing() as db:
            rows = await db.execute_fetchall(
                "UPDATE job_run SET status = ?, completed_at = ?, duration_seconds = ?, counts = ?, "  # noqa: S608 - constant
                "error_message = ?, details = coalesce(?, details), next_retry_at = ?, "
                "subjects_processed = ?, subjects_successful = ?, subjects_failed = ? "
                f"WHERE run_id = ? AND status = 'running' RETURNING {COLUMNS}",
                (
                    status,
                    to_ms(self._clock.now()),
                    round(seconds, 3),
                    json.dumps(dict(counts or {})),
                    None if error_message is None else one_line(error_message),
                    None if details is None else json.dumps(dict(details), default=str),
                    ms_of(next_retry_at),
                    about.processed,
                    about.successful,
                    about.failed,
                    run_id,
                ),
            )
        return one([run_of(row) for row in rows])

    async def interrupt_others(self) -> list[Run]:
        """Mark as interrupted what an earlier start of the process left running; return those runs."""
        now = to_ms(self._clock.now())
        async with self.store.writing() as db:
            left = await db.execute_fetchall(
                "SELECT run_id, started_at FROM job_run WHERE status = 'running' AND generation <> ?",
                (self.generation,),
            )
            ended = [await interrupt(db, row["run_id"], row["started_at"], now) for row in list(left)]
        return [run for run in ended if run is not None]

    async def stamp(self, at: datetime) -> None:
        async with self.store.writing() as db:
            await db.execute(
                "INSERT INTO liveness (id, seen_at, generation) VALUES (1, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, generation = excluded.generation",
                (to_ms(at), self.generation),
            )

    async def set_paused(self, job: str, *, paused: bool) -> None:
        async with self.store.writing() as db:
            await db.execute(
                "INSERT INTO job_setting (job, paused) VALUES (?, ?) "
                "ON CONFLICT (job) DO UPDATE SET paused = excluded.paused",
                (job, int(paused)),
            )

    async def set_schedule(self, job: str, text: str | None) -> None:
        """Keep the schedule that was set on the page; None forgets it."""
        async with self.store.writing() as db:
            await db.execute(
                "INSERT INTO job_setting (job, paused, schedule) VALUES (?, 0, ?) "
                "ON CONFLICT (job) DO UPDATE SET schedule = excluded.schedule",
                (job, text),
            )

    async def forget(self, before: datetime, job: str | None = None, *, but: Collection[str] = ()) -> int:
        """Delete the ended runs from before then, but never a job's newest instant; return how many.

        Of that job, or of every job `but` these. Their log and their subjects go with them.
        """
        whose, given = ("job = ?", job) if job is not None else (_NONE_OF, json.dumps(list(but)))
        async with self.store.writing() as db:
            cursor = await db.execute(
                f"DELETE FROM job_run WHERE {whose} AND started_at < ? "  # noqa: S608 - constants
                "AND status NOT IN ('running', 'pending', 'retrying') "
                "AND (scheduled_for IS NULL OR scheduled_for < (SELECT max(newest.scheduled_for) "
                "FROM job_run AS newest WHERE newest.job = job_run.job AND newest.home = job_run.home))",
                (given, to_ms(before)),
            )
        return cursor.rowcount

    def _undone(self, job: str, home: str, what: Undone) -> Run:
        if what.because is None:
            run = self._new(job, home, what.trigger, RunStatus.PENDING, what.instant)
            return replace(run, details=dict(what.details))
        run = self._new(job, home, what.trigger, RunStatus.SKIPPED, what.instant, at=what.at)
        return replace(run, error_message=one_line(what.why), details={"because": what.because})

    def _new(
        self,
        job: str,
        home: str,
        trigger: Trigger,
        status: RunStatus,
        scheduled_for: datetime | None,
        *,
        at: datetime | None = None,
    ) -> Run:
        created = from_ms(to_ms(self._clock.now()))  # as it will be read back
        shown = created if at is None else from_ms(to_ms(at))
        return Run(
            run_id=f"{to_ms(shown):012x}{secrets.token_hex(5)}",
            job=job,
            home=home,
            trigger=trigger,
            status=status,
            scheduled_for=scheduled_for,
            started_at=shown,
            completed_at=shown if status.ended else None,
            duration_seconds=0.0 if status.ended else None,
            generation=self.generation,
            occasion=scheduled_for or shown,
            created_at=created,
        )
