"""The weekly cleanup: what is old goes, what is not stays, and it says what went."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.clock import SystemClock, TurnedClock, to_ms
from app.errors import StoreError
from app.jobs.run import RunStatus
from app.store.database import Store
from app.upkeep.cleanup import WEEKLY_CLEANUP, Chore, WeeklyCleanup, weekly_cleanup_job
from app.upkeep.cleanup_chores import empty_space, old_runs, orphans
from tests.upkeep.house import PARIS, House, house
from tests.upkeep.sights import NOW

DAY = timedelta(days=1)


@asynccontextmanager
async def _house(folder: Path, *chores: Chore) -> AsyncIterator[House]:
    async with house(folder, None, weekly_cleanup_job(WeeklyCleanup(chores).run)) as opened:
        yield opened


def _chore(key: str, count: int, done: list[str], error: Exception | None = None) -> Chore:
    async def work(now: datetime) -> int:
        assert now == NOW
        done.append(key)
        if error:
            raise error
        return count

    return Chore(key, key.title(), f"{key} removed", work)


async def test_it_is_due_on_sunday_at_four_where_the_home_is(tmp_path: Path) -> None:
    async with _house(tmp_path) as opened:
        when = opened.jobs.when(WEEKLY_CLEANUP)
        assert when is not None
        first = when.next(NOW)
        assert first is not None
        local = first.astimezone(PARIS)
        assert (local.strftime("%A"), local.hour, local.minute) == ("Sunday", 4, 0)


async def test_every_chore_has_its_turn_and_what_went_is_said(tmp_path: Path) -> None:
    done: list[str] = []
    chores = [_chore("alerts", 1200, done), _chore("mails", 0, done), _chore("runs", 7, done)]
    async with _house(tmp_path, *chores) as opened:
        run = await opened.run(WEEKLY_CLEANUP)
        assert run.status is RunStatus.COMPLETED
        assert run.counts == {"alerts": 1200, "mails": 0, "runs": 7}
        assert run.details["removed"] == ["1,200 alerts removed", "7 runs removed"]
    assert done == ["alerts", "mails", "runs"]


async def test_where_there_is_nothing_it_says_so(tmp_path: Path) -> None:
    async with _house(tmp_path, _chore("alerts", 0, [])) as opened:
        run = await opened.run(WEEKLY_CLEANUP)
        assert run.details["removed"] == ["nothing: there was nothing to remove"]


@pytest.mark.parametrize("error", [StoreError("the disk is full"), KeyError("oh")])
async def test_a_chore_that_fails_keeps_none_from_its_turn(tmp_path: Path, error: Exception) -> None:
    done: list[str] = []
    chores = [_chore("alerts", 0, done, error), _chore("runs", 3, done)]
    async with _house(tmp_path, *chores) as opened:
        run = await opened.run(WEEKLY_CLEANUP)
        assert run.status is RunStatus.PARTIAL
        assert run.counts == {"runs": 3}
        assert "Alerts" in str(run.error_message) + str(run.details)
    assert done == ["alerts", "runs"]


async def test_runs_beyond_what_their_job_keeps_go_and_the_newest_stay(tmp_path: Path) -> None:
    async with _house(tmp_path) as opened:
        chore = old_runs(opened.parts.ledger, lambda: opened.jobs.specs)
        async with opened.parts.store.writing() as db:
            for number, (job, days) in enumerate(
                [
                    ("analysis", 399),
                    ("analysis", 401),
                    ("health_check", 181),
                    ("dishes", 399),
                    ("dishes", 401),
                ]
            ):
                at = to_ms(NOW - days * DAY)
                await db.execute(
                    "INSERT INTO job_run (run_id, job, home, trigger, status, started_at, completed_at,"
                    " generation) VALUES (?, ?, 'home', 'schedule', 'completed', ?, ?, 'g')",
                    (f"run{number}", job, at, at),
                )
        assert await chore.work(NOW) == 3
        assert {run.run_id for run in await opened.parts.ledger.recent()} == {"run0", "run3"}


async def test_rows_of_homes_and_runs_that_are_no_more_go(tmp_path: Path) -> None:
    async with _house(tmp_path) as opened:
        store = opened.parts.store
        chore = orphans(store)
        async with store.writing() as db:
            await db.execute("INSERT INTO archive_mark VALUES ('cabin', 1), ('home', 1)")
            await db.execute(
                "INSERT INTO exclusion VALUES ('cabin', 'entity', 'light.a', 1, ''),"
                " ('home', 'entity', 'light.a', 1, '')"
            )
        assert await chore.work(NOW) == 0, "while no home is known, none is taken for gone"
        async with store.writing() as db:
            await db.execute("INSERT INTO home VALUES ('home', '{}', 0)")
        with closing(sqlite3.connect(store.path)) as other:
            # As another program would leave it: foreign keys are only kept by those who ask for it.
            other.execute("INSERT INTO job_log VALUES ('gone', 0, 1, 'info', 'x')")
            other.commit()
        assert await chore.work(NOW) == 3
        assert await chore.work(NOW) == 0
        async with store.reading() as db:
            rows = list(await db.execute_fetchall("SELECT home_id FROM archive_mark"))
        assert [row["home_id"] for row in rows] == ["home"]


async def _filled(store: Store, rows: int, kilobytes: int) -> None:
    async with store.writing() as db:
        await db.execute("CREATE TABLE IF NOT EXISTS filler (number INTEGER PRIMARY KEY, body BLOB)")
        for _ in range(rows):
            await db.execute("INSERT INTO filler (body) VALUES (zeroblob(?))", (kilobytes * 1024,))


async def _emptied(store: Store, share: float) -> None:
    async with store.writing() as db:
        await db.execute("DELETE FROM filler WHERE number <= (SELECT max(number) FROM filler) * ?", (share,))


async def test_empty_pages_are_given_back_when_there_are_many(tmp_path: Path) -> None:
    store = Store(tmp_path / "nightshift.db", SystemClock())
    await store.open()
    try:
        chore = empty_space(store, store.clock)
        await _filled(store, 24, 1024)
        await _emptied(store, 0.1)
        assert await chore.work(NOW) == 0, "a few are left for what comes next"
        await _emptied(store, 1.0)
        given = await chore.work(NOW)
        assert 14 <= given <= 18
        assert await chore.work(NOW) == 0
    finally:
        await store.close()
    assert store.path.stat().st_size < 11 * 1024 * 1024
    with closing(sqlite3.connect(store.path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_others_write_while_space_is_given_back(tmp_path: Path) -> None:
    store = Store(tmp_path / "nightshift.db", SystemClock())
    await store.open()
    try:
        await _filled(store, 24, 1024)
        await _emptied(store, 1.0)
        giving = asyncio.ensure_future(empty_space(store, store.clock).work(NOW))
        written = 0
        while not giving.done():
            async with store.writing() as db:
                await db.execute("INSERT INTO archive_mark VALUES (?, 1)", (f"home{written}",))
            written += 1
        assert await giving > 10
        assert written > 10
    finally:
        await store.close()


async def test_a_file_of_an_earlier_version_learns_to_give_pages_back(tmp_path: Path) -> None:
    path = tmp_path / "nightshift.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE old (body BLOB)")
        db.execute("INSERT INTO old VALUES (zeroblob(100000))")
        db.commit()
    store = Store(path, TurnedClock(datetime(2026, 1, 1, tzinfo=UTC)))
    await store.open()
    await store.close()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA auto_vacuum").fetchone() == (2,)
        assert db.execute("SELECT length(body) FROM old").fetchone() == (100000,)
