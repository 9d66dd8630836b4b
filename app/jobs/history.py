"""What the ledger knows, read: runs as rows of `job_run`, how a job did lately, what waits."""

from datetime import datetime
from typing import Any

from app.clock import from_ms, to_ms
from app.jobs.rows import COLUMNS, instant_of, one, run_of
from app.jobs.run import JobStats, Run, RunStatus
from app.store.database import Store

_NEWEST_FIRST = "ORDER BY started_at DESC, rowid DESC"
_OLDEST_DUE_FIRST = "ORDER BY coalesce(scheduled_for, created_at), rowid"
_LOOKED_BACK = 200
"""How many failures in a row are counted."""


class History:
    """The runs in `store`. `home` None is all homes."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def recent(self, job: str | None = None, limit: int = 30, home: str | None = None) -> list[Run]:
        """Return the newest runs, skipped and waiting ones too, newest first."""
        where, given = _whose(job, home)
        return await self._runs(f"WHERE {where} {_NEWEST_FIRST} LIMIT ?", (*given, limit))

    async def get(self, run_id: str) -> Run | None:
        return one(await self._runs("WHERE run_id = ?", (run_id,)))

    async def last(self, job: str, home: str | None = None) -> Run | None:
        """Return the newest run that began, running or ended; not one that was skipped or still waits."""
        where, given = _whose(job, home)
        began = "status NOT IN ('skipped', 'pending')"
        return one(await self._runs(f"WHERE {where} AND {began} {_NEWEST_FIRST} LIMIT 1", given))

    async def running(self, job: str, home: str | None = None) -> Run | None:
        where, given = _whose(job, home)
        return one(await self._runs(f"WHERE {where} AND status = 'running' {_NEWEST_FIRST} LIMIT 1", given))

    async def pending(self, job: str, home: str) -> list[Run]:
        """Return the runs that wait for the one before them, the longest due first."""
        return await self._runs(
            f"WHERE status = 'pending' AND job = ? AND home = ? {_OLDEST_DUE_FIRST}", (job, home)
        )

    async def waiting(self, job: str | None = None, home: str | None = None) -> list[Run]:
        """Return what is `pending` or `retrying`, the longest due first."""
        where, given = _whose(job, home)
        waits = "status IN ('pending', 'retrying')"
        return await self._runs(f"WHERE {waits} AND {where} {_OLDEST_DUE_FIRST}", given)

    async def interrupted(self) -> set[tuple[str, str]]:
        """Return the jobs and homes that have a run which was cut off."""
        async with self.store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT DISTINCT job, home FROM job_run WHERE status = 'interrupted'"
            )
        return {(row[0], row[1]) for row in rows}

    async def tries(self, run: Run) -> list[Run]:
        """Return this run and those that it took up, newest first."""
        tries = [run]
        while tries[-1].attempt > 1 and (earlier := tries[-1].retry_of) is not None:
            if (before := await self.get(earlier)) is None:
                break
            tries.append(before)
        return tries

    async def failures_in_a_row(self, job: str, home: str, before: Run | None = None) -> int:
        """Return how many of the newest runs failed, up to the first that did not (200 at most).

        With `before` those that lie before that run. One that was cut off neither counts nor ends the row,
        nor does one for single subjects: they have tries of their own.
        """
        async with self.store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT run_id, status FROM job_run WHERE job = ? AND home = ? "  # noqa: S608 - constant
                "AND NOT (trigger = 'retry' AND retry_of IS NULL) "
                f"AND status IN ('completed', 'partial', 'failed', 'retrying') {_NEWEST_FIRST} LIMIT ?",
                (job, home, _LOOKED_BACK + 1),
            )
        found = list(rows)
        if before is not None:
            ids = [row["run_id"] for row in found]
            found = found[ids.index(before.run_id) + 1 :] if before.run_id in ids else []
        failures = 0
        for row in found:
            if row["status"] not in {"failed", "retrying"}:
                break
            failures += 1
        return failures

    async def stats(self, job: str, since: datetime, home: str | None = None) -> JobStats:
        """Return how the job did in the runs that began at or after `since`."""
        where, given = _whose(job, home)
        async with self.store.reading() as db:
            rows = list(
                await db.execute_fetchall(
                    f"SELECT status, duration_seconds FROM job_run WHERE {where} AND started_at >= ? "  # noqa: S608 - `where` is ours
                    f"AND status NOT IN ('pending', 'running') {_NEWEST_FIRST}",
                    (*given, to_ms(since)),
                )
            )
        of = [RunStatus(row["status"]) for row in rows]
        worked = {RunStatus.COMPLETED, RunStatus.PARTIAL}
        return JobStats(
            runs=sum(status is not RunStatus.SKIPPED for status in of),
            completed=of.count(RunStatus.COMPLETED),
            partial=of.count(RunStatus.PARTIAL),
            failed=of.count(RunStatus.FAILED) + of.count(RunStatus.RETRYING),
            skipped=of.count(RunStatus.SKIPPED),
            interrupted=of.count(RunStatus.INTERRUPTED),
            seconds=[row["duration_seconds"] or 0.0 for row, s in zip(rows, of, strict=True) if s in worked],
        )

    async def last_scheduled(self, job: str, home: str, until: datetime) -> datetime | None:
        """Return the newest instant of the schedule, at or before `until`, that has a row."""
        async with self.store.reading() as db:
            rows = list(
                await db.execute_fetchall(
                    "SELECT max(scheduled_for) FROM job_run "
                    "WHERE job = ? AND home = ? AND scheduled_for <= ?",
                    (job, home, to_ms(until)),
                )
            )
        return instant_of(rows[0][0])

    async def all_last_scheduled(self, until: datetime) -> dict[tuple[str, str], datetime]:
        """Return `last_scheduled` of every job and home that has one."""
        async with self.store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT job, home, max(scheduled_for) FROM job_run WHERE scheduled_for <= ? GROUP BY 1, 2",
                (to_ms(until),),
            )
        return {(row[0], row[1]): from_ms(row[2]) for row in rows}

    async def seen(self) -> datetime | None:
        """Return the liveness stamp: all that was due until then is decided; None on the first start."""
        async with self.store.reading() as db:
            rows = list(await db.execute_fetchall("SELECT seen_at FROM liveness WHERE id = 1"))
        return from_ms(rows[0][0]) if rows else None

    async def paused(self) -> set[str]:
        async with self.store.reading() as db:
            rows = await db.execute_fetchall("SELECT job FROM job_setting WHERE paused = 1")
        return {row[0] for row in rows}

    async def schedules(self) -> dict[str, str]:
        """Return the schedules that were set on the page, by job."""
        async with self.store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT job, schedule FROM job_setting WHERE schedule IS NOT NULL"
            )
        return {row[0]: row[1] for row in rows}

    async def _runs(self, rest: str, given: tuple[Any, ...]) -> list[Run]:
        async with self.store.reading() as db:
            rows = await db.execute_fetchall(f"SELECT {COLUMNS} FROM job_run {rest}", given)  # noqa: S608 - `rest` is ours
        return [run_of(row) for row in rows]


def _whose(job: str | None, home: str | None) -> tuple[str, tuple[str, ...]]:
    parts = {"job = ?": job, "home = ?": home}
    wanted = {part: value for part, value in parts.items() if value is not None}
    return " AND ".join(wanted) or "TRUE", tuple(wanted.values())
