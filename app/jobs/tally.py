"""Light reads of the ledger for looks and figures: how each try ended, without the details it left.

A run's details can be 50 kilobytes of JSON; whoever judges the last hundred runs does not need them.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.clock import from_ms, to_ms
from app.jobs.run import RunStatus, SkippedBecause, Trigger
from app.store.database import Store

NEWEST = 200
"""How many tries of one job in one home are looked at."""
_LONGEST_ERROR = 300
"""Characters; it was cleared of secrets and made one line when it was written."""
# What a run's details are asked for is asked of those alone that have it: each row's would have to be read.
_TRIES = f"""
    SELECT run_id, home, trigger, status, scheduled_for, started_at, completed_at, duration_seconds, counts,
        substr(error_message, 1, {_LONGEST_ERROR}) AS error_message,
        coalesce(occasion, scheduled_for, started_at) AS occasion,
        subjects_processed, subjects_successful, subjects_failed,
        CASE status WHEN 'skipped' THEN json_extract(details, '$.because') END AS because,
        CASE status WHEN 'interrupted' THEN
            coalesce(json_extract(details, '$.cancelled'), json_extract(details, '$.replaced'))
        END AS on_purpose
    FROM job_run WHERE job = ? AND home = ? ORDER BY started_at DESC, rowid DESC LIMIT {NEWEST}
"""  # noqa: S608 - constants of ours
_SUBJECTS = """
    SELECT occasion, count(*) AS subjects, sum(successful) AS successful FROM (
        SELECT coalesce(run.occasion, run.scheduled_for, run.started_at) AS occasion,
            max(subject.status = 'successful') AS successful
        FROM job_run AS run JOIN job_subject AS subject USING (run_id)
        WHERE run.job = ? AND run.home = ? AND run.started_at >= ?
        GROUP BY 1, subject.subject_id
    ) GROUP BY occasion
"""
_KEPT = """
    SELECT job, status, count(*) AS runs, max(started_at) AS started_at, max(completed_at) AS completed_at
    FROM job_run GROUP BY job, status
"""


@dataclass(frozen=True, slots=True)
class Try:
    """One row of the ledger, in short. Times are aware UTC; `error_message` has at most 300 characters."""

    run_id: str
    home: str
    trigger: Trigger
    status: RunStatus
    scheduled_for: datetime | None
    started_at: datetime
    completed_at: datetime | None
    duration_seconds: float | None
    occasion: datetime
    subjects_processed: int
    subjects_successful: int
    subjects_failed: int
    counts: Mapping[str, int]
    error_message: str
    because: SkippedBecause | None = None
    """Why it was skipped, if it was."""
    on_purpose: bool = False
    """Whether it was cut off because a person, or the run after it, wanted that."""

    @property
    def went_wrong(self) -> bool:
        """Whether this try failed, or was cut off and nobody wanted that."""
        cut = self.status is RunStatus.INTERRUPTED and not self.on_purpose
        return cut or self.status in {RunStatus.FAILED, RunStatus.RETRYING}

    @property
    def judged(self) -> bool:
        """Whether it says something about how the job does: it ended, and by itself."""
        return self.went_wrong or self.status in {RunStatus.COMPLETED, RunStatus.PARTIAL}

    def going_at_or_after(self, instant: datetime) -> bool:
        """Whether it ran at that instant or later."""
        if self.status in {RunStatus.SKIPPED, RunStatus.PENDING}:
            return False
        return self.completed_at is None or self.completed_at >= instant


@dataclass(frozen=True, slots=True)
class Worked:
    """How many subjects an occasion had, and for how many of them a try succeeded."""

    subjects: int
    successful: int


@dataclass(frozen=True, slots=True)
class Kept:
    """How many runs of one job and status the ledger keeps, and when the newest of them began and ended."""

    job: str
    status: RunStatus
    runs: int
    started_at: datetime
    completed_at: datetime | None


class Tally:
    """Reads `job_run` for those who judge many runs at a time. Never writes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def tries(self, job: str, home: str) -> list[Try]:
        """Return the newest 200 tries, skipped ones too, newest first. Raises StoreError."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(_TRIES, (job, home))
        return [_try(row) for row in rows]

    async def subjects(self, job: str, home: str, since: datetime) -> dict[datetime, Worked]:
        """Return by occasion how many subjects were worked on and for how many it succeeded in the end.

        Of the runs that began at or after `since`, all tries of an occasion together. Raises StoreError.
        """
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(_SUBJECTS, (job, home, to_ms(since)))
        return {from_ms(row["occasion"]): Worked(row["subjects"], row["successful"]) for row in rows}

    async def kept(self) -> list[Kept]:
        """Return what the ledger holds, by job and status. Raises StoreError."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(_KEPT)
        return [
            Kept(
                job=row["job"],
                status=RunStatus(row["status"]),
                runs=row["runs"],
                started_at=from_ms(row["started_at"]),
                completed_at=_instant(row["completed_at"]),
            )
            for row in rows
        ]


def _try(row: sqlite3.Row) -> Try:
    return Try(
        run_id=row["run_id"],
        home=row["home"],
        trigger=Trigger(row["trigger"]),
        status=RunStatus(row["status"]),
        scheduled_for=_instant(row["scheduled_for"]),
        started_at=from_ms(row["started_at"]),
        completed_at=_instant(row["completed_at"]),
        duration_seconds=row["duration_seconds"],
        occasion=from_ms(row["occasion"]),
        subjects_processed=row["subjects_processed"],
        subjects_successful=row["subjects_successful"],
        subjects_failed=row["subjects_failed"],
        counts=json.loads(row["counts"]),
        error_message=row["error_message"] or "",
        because=SkippedBecause(row["because"]) if row["because"] else None,
        on_purpose=bool(row["on_purpose"]),
    )


def _instant(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)
