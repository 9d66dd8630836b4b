"""What the weekly cleanup tidies up in tables that belong to no capability: runs, orphans, empty space."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from app.clock import Clock
from app.jobs.ledger import Ledger
from app.jobs.spec import JobSpec
from app.store.database import Store
from app.upkeep.cleanup import Chore

_OTHERS_KEPT: Final = timedelta(days=400)
_AFTER_RUNS: Final = (("job_log", "run_id"), ("job_subject", "run_id"))
_STEP_PAGES: Final = 256
_STEP_SECONDS: Final = 0.05
_SPARED_BYTES: Final = 16 * 1024 * 1024
_SPARED_SHARE: Final = 0.2
_AT_MOST_SECONDS: Final = 60.0


def old_runs(ledger: Ledger, specs: Callable[[], Mapping[str, JobSpec]]) -> Chore:
    """Return the chore that removes runs older than their job keeps them, with their logs."""

    async def work(now: datetime) -> int:
        jobs = specs()
        gone = [await ledger.forget(now - spec.keep, name) for name, spec in jobs.items()]
        return sum(gone) + await ledger.forget(now - _OTHERS_KEPT, but=jobs)

    return Chore("runs", "Old runs", "old runs removed", work)


def orphans(store: Store) -> Chore:
    """Return the chore that removes rows of homes and of runs that are no more.

    A table of homes is one with a column `home_id`. While no home is known, none is taken for gone.
    """

    async def work(_now: datetime) -> int:
        gone = 0
        for table in await _tables_of_homes(store):
            gone += await _removed(
                store,
                f"DELETE FROM {table} WHERE EXISTS (SELECT 1 FROM home) "  # noqa: S608 - a name of the schema
                "AND home_id NOT IN (SELECT home_id FROM home)",
            )
        for table, column in _AFTER_RUNS:
            gone += await _removed(
                store,
                f"DELETE FROM {table} WHERE {column} NOT IN (SELECT run_id FROM job_run)",  # noqa: S608 - ours
            )
        return gone

    return Chore("orphans", "Orphans", "rows removed that belonged to nothing", work)


def empty_space(store: Store, clock: Clock) -> Chore:
    """Return the chore that gives pages of the database that hold nothing back to the disk (counted in MiB).

    Some are left for what comes next, as moving pages is writing: it begins when a fifth of the file, and
    more than 16 MiB, is empty. A minute of work at most, in steps of some 50 ms between which others write;
    what is left then is given back the week after. A database of an earlier version that was too large to be
    converted keeps its pages: they are used again.
    """

    async def work(_now: datetime) -> int:
        size, free = await _space(store)
        spared = max(_SPARED_BYTES, size * _SPARED_SHARE)
        if free <= spared:
            return 0
        wanted, given, worked = free - spared / 2, 0, 0.0
        while given < wanted and worked < _AT_MOST_SECONDS:
            took = await _give_back(store, clock)
            worked += took
            before, (_, free) = free, await _space(store)
            if free >= before:
                break
            given += before - free
            await clock.sleep(took)
        return given // (1024 * 1024)

    return Chore("given_back_mib", "Empty space", "MiB given back to the disk", work)


async def _give_back(store: Store, clock: Clock) -> float:
    """Give some pages back in one short transaction; return how many seconds it took."""
    began = clock.monotonic()
    async with store.writing() as db:
        for _ in range(_STEP_PAGES):
            # One by one: of a statement without columns Python's sqlite3 takes one step, which is one page.
            await db.execute_fetchall("PRAGMA incremental_vacuum(1)")
            if clock.monotonic() - began > _STEP_SECONDS:
                break
    return clock.monotonic() - began


async def _space(store: Store) -> tuple[int, int]:
    """Return the bytes of the database, and of its pages that hold nothing."""
    async with store.reading() as db:
        found = []
        for what in ("page_count", "freelist_count", "page_size"):
            rows = list(await db.execute_fetchall(f"PRAGMA {what}"))
            found.append(int(rows[0][0]))
    pages, free, size = found
    return pages * size, free * size


async def _tables_of_homes(store: Store) -> list[str]:
    async with store.reading() as db:
        rows = await db.execute_fetchall(
            "SELECT one.name FROM sqlite_schema AS one JOIN pragma_table_info(one.name) AS field "
            "WHERE one.type = 'table' AND field.name = 'home_id' AND one.name <> 'home' ORDER BY one.name"
        )
    return [f'"{row[0]}"' for row in rows]


async def _removed(store: Store, statement: str) -> int:
    async with store.writing() as db:
        cursor = await db.execute(statement)
        return max(0, cursor.rowcount)
