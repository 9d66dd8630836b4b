"""The durable queue `job_retry`: subjects that failed, each tried again alone until it works or is given up.

A try is counted when it begins, so that one which kills the process is given up in the end, too. While it
goes on the row is leased to its run. Every end of a try is a conditional update on that lease: one that comes
too late, from a run that was left behind, changes nothing.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiosqlite

from app.bus import Bus
from app.clock import Clock, from_ms, to_ms
from app.jobs.announcements import SubjectGivenUp
from app.jobs.subject import Retry, Subject
from app.store.database import Store

_COLUMNS = (
    "retry_id, job, home, subject_id, name, run_id, occasion, retry_count, max_retries, last_error, "
    "next_retry_at, created_at"
)
ENDED = "Cut off: Nightshift ended while it was tried."
LEFT_BEHIND = "Cut off: it did not end when it was told to."


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a subject failed first: the run, and what that run was for."""

    job: str
    home: str
    run_id: str
    occasion: datetime


class RetryQueue:
    """The queue in `store`; `generation` is this start of the process, as in the ledger.

    `put`, `done` and `failed` are given the connection of a `Store.writing()` block, so that they stand or
    fall with what else is written there.
    """

    def __init__(self, store: Store, clock: Clock, generation: str, bus: Bus) -> None:
        self._store = store
        self._clock = clock
        self._generation = generation
        self._bus = bus

    async def due(
        self, job: str, home: str, now: datetime, *, occasion: datetime | None = None, limit: int = 1000
    ) -> list[Retry]:
        """Return what is due to be tried again, of one occasion: that given, or the oldest with any.

        Nothing is counted or leased by this; `claim` does that, when the work begins.
        """
        ready = "job = ? AND home = ? AND leased_by IS NULL AND next_retry_at <= ?"
        given = (job, home, to_ms(now))
        return await self._read(
            f"WHERE {ready} AND occasion = coalesce(?, (SELECT min(occasion) FROM job_retry WHERE {ready})) "  # noqa: S608 - constant
            "ORDER BY next_retry_at, retry_id LIMIT ?",
            (*given, None if occasion is None else to_ms(occasion), *given, limit),
        )

    async def next_at(self, job: str, home: str, before: datetime | None = None) -> datetime | None:
        """Return when the next try of that job is due; None when none is, or all are being made.

        With `before` only what failed for an older occasion than that is looked at.
        """
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT min(next_retry_at) FROM job_retry WHERE job = ? AND home = ? AND leased_by IS NULL "
                "AND occasion < coalesce(?, occasion + 1)",
                (job, home, None if before is None else to_ms(before)),
            )
        return next((from_ms(row[0]) for row in rows if row[0] is not None), None)

    async def all(self, job: str | None = None, limit: int = 1000) -> list[Retry]:
        """Return what is in the queue: what was given up first, then by when it is due."""
        where, given = ("WHERE job = ?", (job,)) if job is not None else ("", ())
        return await self._read(
            f"{where} ORDER BY next_retry_at IS NOT NULL, next_retry_at, retry_id LIMIT ?", (*given, limit)
        )

    async def get(self, retry_id: int) -> Retry | None:
        return next(iter(await self._read("WHERE retry_id = ?", (retry_id,))), None)

    async def claim(
        self, job: str, home: str, run_id: str, subject_ids: Iterable[str], until: datetime
    ) -> list[Retry]:
        """Count a try for each of these that is in the queue, and lease it to the run.

        Whoever works on a subject claims it, whatever started the run, for the newest run decides what is
        still owed. What failed for an occasion after `until` is left alone: this run is about an older one.
        Nothing is written when none of them is in the queue.
        """
        where = (
            "job = ? AND home = ? AND leased_by IS NULL AND occasion <= ? "
            "AND subject_id IN (SELECT value FROM json_each(?))"
        )
        given = (job, home, to_ms(until), json.dumps(list(subject_ids)))
        if not await self._read(f"WHERE {where} LIMIT 1", given):
            return []
        async with self._store.writing() as db:
            rows = await db.execute_fetchall(
                "UPDATE job_retry SET retry_count = retry_count + 1, leased_by = ? "  # noqa: S608 - constant
                f"WHERE {where} RETURNING {_COLUMNS}",
                (self._lease(run_id), *given),
            )
        return [_retry(row) for row in rows]

    async def put(
        self,
        db: aiosqlite.Connection,
        origin: Origin,
        subject: Subject,
        error: str,
        *,
        max_retries: int,
        next_retry_at: datetime,
    ) -> bool:
        """Write that a subject failed in a run, to be tried again from `next_retry_at` on.

        It takes the place of what stood there for an older occasion and begins a new count. False when what
        stands there is for a newer one, or for this one and being tried.
        """
        cursor = await db.execute(
            "INSERT INTO job_retry (job, home, subject_id, name, run_id, occasion, retry_count, max_retries, "
            "last_error, next_retry_at, created_at) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?) "
            "ON CONFLICT (job, home, subject_id) DO UPDATE SET name = excluded.name, "
            "run_id = excluded.run_id, occasion = excluded.occasion, retry_count = 0, "
            "max_retries = excluded.max_retries, last_error = excluded.last_error, "
            "next_retry_at = excluded.next_retry_at, leased_by = NULL, created_at = excluded.created_at "
            "WHERE excluded.occasion > job_retry.occasion",
            (
                origin.job,
                origin.home,
                subject.subject_id,
                subject.name,
                origin.run_id,
                to_ms(origin.occasion),
                max_retries,
                error,
                to_ms(next_retry_at),
                to_ms(self._clock.now()),
            ),
        )
        return cursor.rowcount == 1

    async def done(self, db: aiosqlite.Connection, retry_id: int, run_id: str) -> bool:
        """Take out what works again; False when the lease is not this run's any more."""
        cursor = await db.execute(
            "DELETE FROM job_retry WHERE retry_id = ? AND leased_by = ?", (retry_id, self._lease(run_id))
        )
        return cursor.rowcount == 1

    async def failed(
        self,
        db: aiosqlite.Connection,
        retry_id: int,
        run_id: str,
        error: str,
        next_retry_at: datetime | None,
    ) -> Retry | None:
        """Put back what failed again, or give it up (None); None when the lease is not this run's any more.

        Hand what is given up to `given_up` when the transaction is through.
        """
        rows = await db.execute_fetchall(
            "UPDATE job_retry SET last_error = ?, next_retry_at = ?, leased_by = NULL "  # noqa: S608 - constant
            f"WHERE retry_id = ? AND leased_by = ? RETURNING {_COLUMNS}",
            (
                error,
                None if next_retry_at is None else to_ms(next_retry_at),
                retry_id,
                self._lease(run_id),
            ),
        )
        return next((_retry(row) for row in rows), None)

    def given_up(self, retries: Iterable[Retry]) -> None:
        """Announce those that are given up."""
        for retry in retries:
            if retry.dead:
                self._bus.announce(SubjectGivenUp(retry))

    async def hurry(self, run_id: str) -> int:
        """Make due at once what failed first in that run; return how many."""
        now = to_ms(self._clock.now())
        async with self._store.writing() as db:
            cursor = await db.execute(
                "UPDATE job_retry SET next_retry_at = ? "
                "WHERE run_id = ? AND retry_count = 0 AND leased_by IS NULL AND next_retry_at > ?",
                (now, run_id, now),
            )
        return cursor.rowcount

    async def free(
        self, run_id: str, why: str = LEFT_BEHIND, not_before: datetime | None = None
    ) -> list[Retry]:
        """Take back what a run that was cut off, or left behind, holds; the tries it was at stay counted.

        Return and announce what is given up by that; the others are not due again before `not_before`.
        """
        return await self._free("leased_by = ?", self._lease(run_id), why, not_before)

    async def free_others(self) -> list[Retry]:
        """Take back what an earlier start of the process held; return and announce what is given up by that.

        The tries it was at stay counted.
        """
        return await self._free("leased_by NOT LIKE ? || ' %'", self._generation, ENDED)

    async def again(self, retry_id: int) -> Retry | None:
        """Make it due now, given up or not; None when it is not there or being tried just now.

        It gets one more try: its count goes on.
        """
        async with self._store.writing() as db:
            rows = await db.execute_fetchall(
                "UPDATE job_retry SET next_retry_at = ? WHERE retry_id = ? AND leased_by IS NULL "  # noqa: S608 - constant
                f"RETURNING {_COLUMNS}",
                (to_ms(self._clock.now()), retry_id),
            )
        return next((_retry(row) for row in rows), None)

    async def dismiss(self, retry_id: int) -> bool:
        """Forget it, even while it is being tried; False when it is not there."""
        async with self._store.writing() as db:
            cursor = await db.execute("DELETE FROM job_retry WHERE retry_id = ?", (retry_id,))
        return cursor.rowcount == 1

    async def _free(
        self, where: str, given: str, why: str, not_before: datetime | None = None
    ) -> list[Retry]:
        held = f"leased_by IS NOT NULL AND {where}"
        if not await self._read(f"WHERE {held} LIMIT 1", (given,)):
            return []
        async with self._store.writing() as db:
            # What was given up before this try was announced then.
            rows = await db.execute_fetchall(
                "UPDATE job_retry SET next_retry_at = NULL, last_error = ?, leased_by = NULL "  # noqa: S608 - constant
                f"WHERE {held} AND retry_count >= max_retries AND next_retry_at IS NOT NULL "
                f"RETURNING {_COLUMNS}",
                (why, given),
            )
            await db.execute(
                "UPDATE job_retry SET last_error = ?, next_retry_at = max(next_retry_at, ?), "  # noqa: S608 - constant
                f"leased_by = NULL WHERE {held}",
                (why, 0 if not_before is None else to_ms(not_before), given),
            )
        given_up = [_retry(row) for row in rows]
        self.given_up(given_up)
        return given_up

    async def _read(self, rest: str, given: Sequence[Any]) -> list[Retry]:
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(f"SELECT {_COLUMNS} FROM job_retry {rest}", given)  # noqa: S608 - `rest` is ours
        return [_retry(row) for row in rows]

    def _lease(self, run_id: str) -> str:
        return f"{self._generation} {run_id}"


def _retry(row: sqlite3.Row) -> Retry:
    return Retry(
        retry_id=row["retry_id"],
        job=row["job"],
        home=row["home"],
        subject_id=row["subject_id"],
        name=row["name"],
        run_id=row["run_id"],
        occasion=from_ms(row["occasion"]),
        retry_count=row["retry_count"],
        max_retries=row["max_retries"],
        last_error=row["last_error"],
        next_retry_at=None if row["next_retry_at"] is None else from_ms(row["next_retry_at"]),
        created_at=from_ms(row["created_at"]),
    )
