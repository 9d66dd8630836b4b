"""The ledger `job_run`: the truth about what ran, what is due and what was missed.

Every change of a run is a conditional update that touches exactly one row, so a late one changes nothing.
"""

import json
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.clock import Clock, from_ms, to_ms
from app.jobs.run import AlreadyRunningError, Run, RunStatus, SkippedBecause, Trigger
from app.jobs.text import one_line
from app.store.database import Store

__all__ = ["AlreadyRunningError", "Ledger", "Run", "RunStatus", "SkippedBecause", "Trigger"]

_COLUMNS = (
    "run_id, job, home, trigger, status, scheduled_for, started_at, completed_at, duration_seconds, "
    "counts, error_message, attempt, retry_of, generation, details"
)
_NEWEST_FIRST = "ORDER BY started_at DESC, rowid DESC"


class Ledger:
    """The runs in `store`, written by this start of the process (`generation`)."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.generation = secrets.token_hex(8)

    async def recent(self, job: str | None = None, limit: int = 30) -> list[Run]:
        """Return the newest runs, skipped ones too, newest first."""
        where, given = ("WHERE job = ?", (job,)) if job is not None else ("", ())
        return await self._runs(f"{where} {_NEWEST_FIRST} LIMIT ?", (*given, limit))

    async def get(self, run_id: str) -> Run | None:
        return _one(await self._runs("WHERE run_id = ?", (run_id,)))

    async def last(self, job: str) -> Run | None:
        """Return the newest run that was not skipped, running or ended."""
        return _one(
            await self._runs(f"WHERE job = ? AND status <> 'skipped' {_NEWEST_FIRST} LIMIT 1", (job,))
        )

    async def running(self, job: str) -> Run | None:
        return _one(await self._runs("WHERE job = ? AND status = 'running' LIMIT 1", (job,)))

    async def claim(
        self,
        job: str,
        home: str,
        trigger: Trigger,
        *,
        scheduled_for: datetime | None = None,
        attempt: int = 1,
        retry_of: str | None = None,
    ) -> Run | None:
        """Start a run: write its row, if this job of this home does not run and the instant has no row yet.

        Returns None when the instant has a row. Raises AlreadyRunningError with the run in the way.
        """
        run = self._new(
            job, home, trigger, RunStatus.RUNNING, scheduled_for, attempt=attempt, retry_of=retry_of
        )
        async with self._store.writing() as db:
            rows = await db.execute_fetchall(
                f"SELECT {_COLUMNS} FROM job_run WHERE job = ? AND home = ? AND status = 'running'",  # noqa: S608 - constant columns
                (job, home),
            )
            for row in rows:
                raise AlreadyRunningError(_run(row))
            written = await _insert(db, run)
        return run if written else None

    async def skip(
        self,
        job: str,
        home: str,
        scheduled_for: datetime,
        *,
        because: SkippedBecause,
        why: str,
        at: datetime | None = None,
    ) -> Run | None:
        """Write down that a due run did not start, and why; None when the instant has a row already.

        `at` is the moment it is shown at: now unless given.
        """
        run = self._new(job, home, Trigger.SCHEDULE, RunStatus.SKIPPED, scheduled_for, at=at)
        run = replace(run, error_message=one_line(why), details={"because": because})
        async with self._store.writing() as db:
            written = await _insert(db, run)
        return run if written else None

    async def finish(
        self,
        run_id: str,
        status: RunStatus,
        *,
        seconds: float,
        counts: Mapping[str, int] | None = None,
        error_message: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> Run | None:
        """End a running run; None when it was not running any more (nothing is then changed)."""
        if not status.ended:
            raise ValueError(f"{status} is no end")
        async with self._store.writing() as db:
            rows = await db.execute_fetchall(
                "UPDATE job_run SET status = ?, completed_at = ?, duration_seconds = ?, counts = ?, "  # noqa: S608 - constant
                "error_message = ?, details = ? WHERE run_id = ? AND status = 'running' "
                f"RETURNING {_COLUMNS}",
                (
                    status,
                    to_ms(self._clock.now()),
                    round(seconds, 3),
                    json.dumps(dict(counts or {})),
                    None if error_message is None else one_line(error_message),
                    json.dumps(dict(details or {}), default=str),
                    run_id,
                ),
            )
        return _one([_run(row) for row in rows])

    async def interrupt_others(self) -> list[Run]:
        """Mark as interrupted what an earlier start of the process left running; return those runs."""
        async with self._store.writing() as db:
            rows = await db.execute_fetchall(
                "UPDATE job_run SET status = 'interrupted', completed_at = ?, error_message = ? "  # noqa: S608 - constant
                f"WHERE status = 'running' AND generation <> ? RETURNING {_COLUMNS}",
                (
                    to_ms(self._clock.now()),
                    "Cut off: Nightshift ended while it ran.",
                    self.generation,
                ),
            )
        return [_run(row) for row in rows]

    async def last_scheduled(self, job: str, home: str, until: datetime) -> datetime | None:
        """Return the newest instant of the schedule, at or before `until`, that has a row."""
        async with self._store.reading() as db:
            rows = list(
                await db.execute_fetchall(
                    "SELECT max(scheduled_for) FROM job_run "
                    "WHERE job = ? AND home = ? AND scheduled_for <= ?",
                    (job, home, to_ms(until)),
                )
            )
        return None if rows[0][0] is None else from_ms(rows[0][0])

    async def seen(self) -> datetime | None:
        """Return the liveness stamp: all that was due until then is decided; None on the first start."""
        async with self._store.reading() as db:
            rows = list(await db.execute_fetchall("SELECT seen_at FROM liveness WHERE id = 1"))
        return from_ms(rows[0][0]) if rows else None

    async def stamp(self, at: datetime) -> None:
        async with self._store.writing() as db:
            await db.execute(
                "INSERT INTO liveness (id, seen_at, generation) VALUES (1, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, generation = excluded.generation",
                (to_ms(at), self.generation),
            )

    async def paused(self) -> set[str]:
        async with self._store.reading() as db:
            rows = await db.execute_fetchall("SELECT job FROM job_setting WHERE paused = 1")
        return {row[0] for row in rows}

    async def set_paused(self, job: str, *, paused: bool) -> None:
        async with self._store.writing() as db:
            await db.execute(
                "INSERT INTO job_setting (job, paused) VALUES (?, ?) "
                "ON CONFLICT (job) DO UPDATE SET paused = excluded.paused",
                (job, int(paused)),
            )

    async def forget(self, before: datetime) -> int:
        """Delete the ended runs from before then, but never a job's newest instant; return how many."""
        async with self._store.writing() as db:
            cursor = await db.execute(
                "DELETE FROM job_run WHERE status <> 'running' AND started_at < ? AND "
                "(scheduled_for IS NULL OR scheduled_for < (SELECT max(newest.scheduled_for) "
                "FROM job_run AS newest WHERE newest.job = job_run.job AND newest.home = job_run.home))",
                (to_ms(before),),
            )
        return cursor.rowcount

    async def _runs(self, rest: str, given: tuple[Any, ...]) -> list[Run]:
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(f"SELECT {_COLUMNS} FROM job_run {rest}", given)  # noqa: S608 - `rest` is ours
        return [_run(row) for row in rows]

    def _new(
        self,
        job: str,
        home: str,
        trigger: Trigger,
        status: RunStatus,
        scheduled_for: datetime | None,
        *,
        attempt: int = 1,
        retry_of: str | None = None,
        at: datetime | None = None,
    ) -> Run:
        now = from_ms(to_ms(at or self._clock.now()))  # as it will be read back
        ended = status.ended
        return Run(
            run_id=f"{to_ms(now):012x}{secrets.token_hex(5)}",
            job=job,
            home=home,
            trigger=trigger,
            status=status,
            scheduled_for=scheduled_for,
            started_at=now,
            completed_at=now if ended else None,
            duration_seconds=0.0 if ended else None,
            attempt=attempt,
            retry_of=retry_of,
            generation=self.generation,
        )


async def _insert(db: Any, run: Run) -> bool:
    cursor = await db.execute(
        f"INSERT INTO job_run ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608 - constant columns
        "ON CONFLICT (job, home, scheduled_for) DO NOTHING",
        (
            run.run_id,
            run.job,
            run.home,
            run.trigger,
            run.status,
            None if run.scheduled_for is None else to_ms(run.scheduled_for),
            to_ms(run.started_at),
            None if run.completed_at is None else to_ms(run.completed_at),
            run.duration_seconds,
            json.dumps(dict(run.counts)),
            run.error_message,
            run.attempt,
            run.retry_of,
            run.generation,
            json.dumps(dict(run.details)),
        ),
    )
    return bool(cursor.rowcount == 1)


def _run(row: sqlite3.Row) -> Run:
    return Run(
        run_id=row["run_id"],
        job=row["job"],
        home=row["home"],
        trigger=Trigger(row["trigger"]),
        status=RunStatus(row["status"]),
        scheduled_for=_instant(row["scheduled_for"]),
        started_at=from_ms(row["started_at"]),
        completed_at=_instant(row["completed_at"]),
        duration_seconds=row["duration_seconds"],
        counts=json.loads(row["counts"]),
        error_message=row["error_message"],
        attempt=row["attempt"],
        retry_of=row["retry_of"],
        generation=row["generation"],
        details=json.loads(row["details"]),
    )


def _one(runs: list[Run]) -> Run | None:
    return runs[0] if runs else None


def _instant(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)
