"""How each subject of a run ended: the rows of `job_subject`."""

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime

import aiosqlite

from app.clock import from_ms, to_ms
from app.jobs.subject import SubjectResult, SubjectStatus
from app.store.database import Store

_COLUMNS = "run_id, subject_id, name, status, duration_seconds, completed_at, error, checks, counts"
Also = Callable[[aiosqlite.Connection], Awaitable[None]]


class SubjectResults:
    """The results in `store`; they go when their run's row goes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def write(self, run_id: str, results: Sequence[SubjectResult], also: Also | None = None) -> bool:
        """Write results of one run, and in the same transaction what `also` writes.

        False when the run does not run any more: nothing is then written, so that a task which was left
        behind changes nothing. A subject that has a result keeps it. Raises StoreError.
        """
        async with self._store.writing() as db:
            running = await db.execute_fetchall(
                "SELECT 1 FROM job_run WHERE run_id = ? AND status = 'running'", (run_id,)
            )
            if not list(running):
                return False
            await db.executemany(
                f"INSERT INTO job_subject ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "  # noqa: S608 - constant columns
                "ON CONFLICT (run_id, subject_id) DO NOTHING",
                [
                    (
                        run_id,
                        result.subject_id,
                        result.name,
                        result.status,
                        round(result.duration_seconds, 3),
                        to_ms(result.completed_at),
                        result.error,
                        json.dumps(dict(result.checks)),
                        json.dumps(dict(result.counts)),
                    )
                    for result in results
                ],
            )
            if also is not None:
                await also(db)
        return True

    async def of(self, run_id: str, limit: int = 1000) -> list[SubjectResult]:
        """Return a run's results, the failed ones first, then in the order in which they ended."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                f"SELECT {_COLUMNS} FROM job_subject WHERE run_id = ? "  # noqa: S608 - constant columns
                "ORDER BY status = 'successful', completed_at, subject_id LIMIT ?",
                (run_id, limit),
            )
        return [
            SubjectResult(
                run_id=row["run_id"],
                subject_id=row["subject_id"],
                name=row["name"],
                status=SubjectStatus(row["status"]),
                duration_seconds=row["duration_seconds"],
                completed_at=from_ms(row["completed_at"]),
                error=row["error"],
                checks=json.loads(row["checks"]),
                counts=json.loads(row["counts"]),
            )
            for row in rows
        ]

    async def completed(self, run_ids: Iterable[str]) -> set[str]:
        """Return the ids of the subjects that one of these runs completed."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT DISTINCT subject_id FROM job_subject "
                "WHERE run_id IN (SELECT value FROM json_each(?)) AND status = 'successful'",
                (json.dumps(list(run_ids)),),
            )
        return {row[0] for row in rows}

    async def completed_for(self, job: str, home: str, occasion: datetime) -> set[str]:
        """Return the ids of the subjects that any run for that occasion completed, second tries too."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT DISTINCT subject_id FROM job_subject JOIN job_run USING (run_id) "
                "WHERE job = ? AND home = ? AND occasion = ? AND job_subject.status = 'successful'",
                (job, home, to_ms(occasion)),
            )
        return {row[0] for row in rows}
