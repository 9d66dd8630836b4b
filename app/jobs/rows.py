"""Rows of `job_run`: runs as values, and the statements that the ledger's transactions are made of."""

import json
import sqlite3
from datetime import datetime, timedelta
from typing import Any

import aiosqlite

from app.clock import from_ms, to_ms
from app.jobs.policies import RateLimit
from app.jobs.run import AlreadyRunningError, RateLimitedError, Run, RunStatus, Trigger

COLUMNS = (
    "run_id, job, home, trigger, status, scheduled_for, started_at, completed_at, duration_seconds, "
    "counts, error_message, attempt, retry_of, generation, details, occasion, created_at, next_retry_at, "
    "subjects_processed, subjects_successful, subjects_failed"
)
_SIGNS_OF_LIFE = (
    "SELECT max(at) FROM (SELECT max(at) AS at FROM job_log WHERE run_id = :run_id "
    "UNION ALL SELECT max(completed_at) FROM job_subject WHERE run_id = :run_id "
    "UNION ALL SELECT seen_at FROM liveness)"
)


def run_of(row: sqlite3.Row) -> Run:
    return Run(
        run_id=row["run_id"],
        job=row["job"],
        home=row["home"],
        trigger=Trigger(row["trigger"]),
        status=RunStatus(row["status"]),
        scheduled_for=instant_of(row["scheduled_for"]),
        started_at=from_ms(row["started_at"]),
        completed_at=instant_of(row["completed_at"]),
        duration_seconds=row["duration_seconds"],
        counts=json.loads(row["counts"]),
        error_message=row["error_message"],
        attempt=row["attempt"],
        retry_of=row["retry_of"],
        generation=row["generation"],
        details=json.loads(row["details"]),
        occasion=instant_of(row["occasion"]),
        created_at=instant_of(row["created_at"]),
        next_retry_at=instant_of(row["next_retry_at"]),
        subjects_processed=row["subjects_processed"],
        subjects_successful=row["subjects_successful"],
        subjects_failed=row["subjects_failed"],
    )


def row_of(run: Run) -> tuple[Any, ...]:
    """Return the run as values for `COLUMNS`."""
    return (
        run.run_id,
        run.job,
        run.home,
        run.trigger,
        run.status,
        ms_of(run.scheduled_for),
        to_ms(run.started_at),
        ms_of(run.completed_at),
        run.duration_seconds,
        json.dumps(dict(run.counts)),
        run.error_message,
        run.attempt,
        run.retry_of,
        run.generation,
        json.dumps(dict(run.details)),
        ms_of(run.occasion),
        ms_of(run.created_at),
        ms_of(run.next_retry_at),
        run.subjects_processed,
        run.subjects_successful,
        run.subjects_failed,
    )


def one(runs: list[Run]) -> Run | None:
    return runs[0] if runs else None


def instant_of(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)


def ms_of(instant: datetime | None) -> int | None:
    return None if instant is None else to_ms(instant)


async def let_through(
    db: aiosqlite.Connection, job: str, home: str, limit: RateLimit | None, now: int
) -> None:
    """Raise what is in the way of a run `now` (ms): one that runs, or as many starts as there may be.

    AlreadyRunningError, RateLimitedError.
    """
    for row in await db.execute_fetchall(
        f"SELECT {COLUMNS} FROM job_run WHERE job = ? AND home = ? AND status = 'running'",  # noqa: S608 - constant columns
        (job, home),
    ):
        raise AlreadyRunningError(run_of(row))
    if limit is None:
        return
    per = limit.per // timedelta(milliseconds=1)
    starts = list(
        await db.execute_fetchall(
            "SELECT started_at FROM job_run WHERE job = ? AND home = ? "
            "AND status NOT IN ('skipped', 'pending') AND started_at > ? AND started_at <= ? "
            "ORDER BY started_at DESC LIMIT ?",
            (job, home, now - per, now, limit.runs),
        )
    )
    if len(starts) == limit.runs:
        raise RateLimitedError(job, (starts[-1][0] + per - now) / 1000)


async def insert(db: aiosqlite.Connection, run: Run) -> bool:
    """Write its row; False when its instant has one already."""
    row = row_of(run)
    cursor = await db.execute(
        f"INSERT INTO job_run ({COLUMNS}) VALUES ({', '.join('?' * len(row))}) "  # noqa: S608 - constant columns
        "ON CONFLICT (job, home, scheduled_for) DO NOTHING",
        row,
    )
    return cursor.rowcount == 1


async def end_retrying(
    db: aiosqlite.Connection, job: str, home: str, run_id: str | None = None
) -> Run | None:
    """What waited for its second try has failed: it has begun, or something took its place."""
    rows = await db.execute_fetchall(
        "UPDATE job_run SET status = 'failed', next_retry_at = NULL WHERE job = ? AND home = ? "  # noqa: S608 - constant
        f"AND status = 'retrying' AND run_id = coalesce(?, run_id) RETURNING {COLUMNS}",
        (job, home, run_id),
    )
    return one([run_of(row) for row in rows])


async def interrupt(db: aiosqlite.Connection, run_id: str, started_at: int, now: int) -> Run | None:
    """End a run that nobody is behind any more. Times in ms.

    How long it took is known from the last it was heard of: a line of its log, a subject, the liveness stamp.
    One that was never heard of counts until now.
    """
    signs = list(await db.execute_fetchall(_SIGNS_OF_LIFE, {"run_id": run_id}))
    heard = signs[0][0]
    until = heard if heard is not None and started_at < heard <= now else now
    why = "Cut off: Nightshift ended while it ran."
    rows = await db.execute_fetchall(
        "UPDATE job_run SET status = 'interrupted', completed_at = ?, duration_seconds = ?, "  # noqa: S608 - constant
        f"error_message = ? WHERE run_id = ? AND status = 'running' RETURNING {COLUMNS}",
        (now, max(0, until - started_at) / 1000, why, run_id),
    )
    return one([run_of(row) for row in rows])
