"""The store: one funnel for writes, readers beside it, nothing half-written."""

import asyncio
import os
import resource
import shutil
import sqlite3
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.clock import TurnedClock
from app.errors import StoreError
from app.store.database import Store

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "nightshift.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    opened = Store(path, TurnedClock(START), busy_seconds=0.2)
    await opened.open()
    yield opened
    await opened.close()


def _content(path: Path) -> bytes:
    return path.read_bytes()


async def _homes(store: Store) -> list[str]:
    async with store.reading() as db:
        rows = await db.execute_fetchall("SELECT home_id FROM home ORDER BY home_id")
        return [row["home_id"] for row in rows]


async def _add(store: Store, home_id: str) -> None:
    async with store.writing() as db:
        await db.execute("INSERT INTO home VALUES (?, '{}', 0)", (home_id,))


async def test_what_was_written_is_read_and_survives_a_restart(store: Store, path: Path) -> None:
    await _add(store, "cabin")
    assert await _homes(store) == ["cabin"]
    await store.close()
    assert not path.with_name(path.name + "-wal").exists()
    again = Store(path, TurnedClock(START))
    await again.open()
    assert await _homes(again) == ["cabin"]
    await again.close()


async def test_a_block_that_raises_leaves_nothing(store: Store) -> None:
    async def add_and_stumble() -> None:
        async with store.writing() as db:
            await db.execute("INSERT INTO home VALUES ('cabin', '{}', 0)")
            raise KeyError("oh")

    with pytest.raises(KeyError):
        await add_and_stumble()
    await _add(store, "flat")
    assert await _homes(store) == ["flat"]


async def test_a_block_cancelled_halfway_leaves_nothing_and_the_next_one_works(store: Store) -> None:
    inside = asyncio.Event()

    async def write_and_wait() -> None:
        async with store.writing() as db:
            await db.execute("INSERT INTO home VALUES ('cabin', '{}', 0)")
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write_and_wait())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _add(store, "flat")
    assert await _homes(store) == ["flat"]


@pytest.mark.parametrize("steps", range(12))
async def test_wherever_a_write_is_cancelled_it_is_whole_or_absent(store: Store, steps: int) -> None:
    async def write() -> None:
        async with store.writing() as db:
            await db.execute("INSERT INTO home VALUES ('a', '{}', 0)")
            await db.execute("INSERT INTO home VALUES ('b', '{}', 0)")

    task = asyncio.create_task(write())
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await _homes(store) in ([], ["a", "b"])
    await _add(store, "c")
    assert "c" in await _homes(store)


async def test_writes_wait_for_each_other(store: Store) -> None:
    async def add_one() -> None:
        async with store.writing() as db:
            rows = list(await db.execute_fetchall("SELECT count(*) AS n FROM home"))
            await db.execute("INSERT INTO home VALUES (?, '{}', 0)", (f"home{rows[0]['n']:02}",))

    await asyncio.gather(*(add_one() for _ in range(20)))
    assert await _homes(store) == [f"home{n:02}" for n in range(20)]


async def test_a_write_inside_a_write_is_refused_rather_than_waiting_for_ever(store: Store) -> None:
    async with store.writing():
        with pytest.raises(RuntimeError, match="inside writing"):
            async with store.writing():
                pass
    await _add(store, "cabin")


async def test_a_commit_inside_a_block_is_a_mistake_that_is_told(store: Store) -> None:
    with pytest.raises(RuntimeError, match="ended before its block"):
        async with store.writing() as db:
            await db.commit()
    await _add(store, "cabin")


async def test_a_reader_sees_one_moment_and_never_an_unfinished_write(store: Store) -> None:
    await _add(store, "a")
    async with store.reading() as db:
        first = list(await db.execute_fetchall("SELECT home_id FROM home"))
        await _add(store, "b")
        assert list(await db.execute_fetchall("SELECT home_id FROM home")) == first
    async with store.writing() as db:
        await db.execute("INSERT INTO home VALUES ('c', '{}', 0)")
        assert await _homes(store) == ["a", "b"]


async def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        async with store.reading() as db:
            await db.execute("DELETE FROM home")


async def test_many_reads_at_once_share_a_few_connections(store: Store) -> None:
    before = threading.active_count()
    answers = await asyncio.gather(*(_homes(store) for _ in range(50)))
    assert answers == [[]] * 50
    assert threading.active_count() <= before + 4


async def test_a_read_cancelled_while_connecting_leaves_no_thread_behind(store: Store) -> None:
    for steps in range(8):
        task = asyncio.create_task(_homes(store))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await _homes(store) == []
    await store.close()
    # A connection says that it is closed a moment before its thread ends.
    workers = [thread for thread in threading.enumerate() if "connection_worker" in thread.name]
    for worker in workers:
        await asyncio.to_thread(worker.join, 5)
    assert not [worker for worker in workers if worker.is_alive()]


async def test_a_broken_constraint_comes_through_as_itself(store: Store) -> None:
    await _add(store, "cabin")
    with pytest.raises(sqlite3.IntegrityError):
        await _add(store, "cabin")
    await _add(store, "flat")


async def test_another_process_that_keeps_the_file_locked_is_told_after_a_bound(
    store: Store, path: Path
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked by another program"):
        await _add(store, "cabin")
    assert await _homes(store) == []
    other.execute("ROLLBACK")
    other.close()
    await _add(store, "cabin")
    assert await _homes(store) == ["cabin"]


async def test_a_full_disk_rolls_back_and_the_store_works_again_once_there_is_room(store: Store) -> None:
    async def fill() -> None:
        async with store.writing() as db:
            await db.execute("INSERT INTO home VALUES ('small', '{}', 0)")
            await db.execute("INSERT INTO home VALUES ('big', ?, 0)", ("x" * 100_000,))

    async with store.reading() as db:
        pages = next(iter(await db.execute_fetchall("PRAGMA page_count")))[0]
    # SQLite's own bound raises the very error a full disk does.
    assert store._writer is not None
    await store._writer.execute_fetchall(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreError, match="disk is full"):
        await fill()
    assert await _homes(store) == []
    await store._writer.execute_fetchall("PRAGMA max_page_count=1000000")
    await _add(store, "cabin")
    assert await _homes(store) == ["cabin"]


async def test_idle_writes_nothing(store: Store, path: Path) -> None:
    await _add(store, "cabin")
    watcher = sqlite3.connect(path)

    def state() -> list[object]:
        files = sorted(path.parent.iterdir())
        version = watcher.execute("PRAGMA data_version").fetchone()[0]
        return [version, *((f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files)]

    before = state()
    for _ in range(5):
        await _homes(store)
    assert state() == before
    watcher.close()


async def test_opening_a_store_that_is_up_to_date_changes_no_byte(store: Store, path: Path) -> None:
    await store.close()
    before = _content(path)
    again = Store(path, TurnedClock(START))
    await again.open()
    await again.close()
    assert _content(path) == before


async def test_a_closed_store_says_so_and_closing_twice_is_fine(store: Store) -> None:
    await store.close()
    await store.close()
    with pytest.raises(StoreError, match="not open"):
        await _add(store, "cabin")
    with pytest.raises(StoreError, match="not open"):
        await _homes(store)


def _damage(path: Path, kind: str) -> None:
    whole = path.read_bytes()
    if kind == "truncated":
        path.write_bytes(whole[: len(whole) // 2 + 100])
    elif kind == "not a database":
        path.write_bytes(b"hello " * 1000)
    else:
        path.write_bytes(whole[:8192] + os.urandom(4096) + whole[12288:])


@pytest.mark.parametrize("kind", ["truncated", "not a database", "overwritten"])
async def test_a_damaged_database_is_one_clear_line_and_left_as_it_was(
    store: Store, path: Path, kind: str
) -> None:
    async with store.writing() as db:
        await db.executemany(
            "INSERT INTO home VALUES (?, ?, 0)", [(f"home{n}", "x" * 500) for n in range(100)]
        )
    await store.close()
    _damage(path, kind)
    before = _content(path)
    with pytest.raises(StoreError) as caught:
        await Store(path, TurnedClock(START)).open()
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    assert "damaged" in message
    assert "aside" in message
    assert _content(path) == before


async def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be used"):
        await Store(tmp_path / "file" / "nightshift.db", TurnedClock(START)).open()


async def test_a_folder_where_the_file_should_be_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="it is a folder"):
        await Store(tmp_path, TurnedClock(START)).open()


async def test_a_database_locked_while_opening_is_one_clear_line(path: Path) -> None:
    path.parent.mkdir()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE t (x)")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="locked by another program"):
        await Store(path, TurnedClock(START), busy_seconds=0.1).open()
    other.close()


async def test_what_was_committed_is_there_after_the_process_was_killed(
    store: Store, path: Path, tmp_path: Path
) -> None:
    await _add(store, "cabin")
    # What a killed process leaves: the file, its log not yet moved into it.
    left = tmp_path / "left"
    await asyncio.to_thread(shutil.copytree, path.parent, left)
    again = Store(left / path.name, TurnedClock(START))
    await again.open()
    assert await _homes(again) == ["cabin"]
    await again.close()


async def test_killed_while_the_file_was_made_it_is_made_anew(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    # Until the file keeps a log a write goes the old way: into the file, with a journal beside it to undo it.
    making = sqlite3.connect(path, isolation_level=None)
    making.execute("PRAGMA cache_size = 1")
    making.execute("BEGIN")
    making.execute("CREATE TABLE half_made (x)")
    making.execute("INSERT INTO half_made VALUES (zeroblob(100000))")
    left = tmp_path / "left"
    await asyncio.to_thread(shutil.copytree, path.parent, left)
    making.close()
    assert (left / path.name).stat().st_size
    assert (left / f"{path.name}-journal").stat().st_size
    again = Store(left / path.name, TurnedClock(START))
    await again.open()
    await _add(again, "cabin")
    assert await _homes(again) == ["cabin"]
    async with again.reading() as db:
        assert not list(await db.execute_fetchall("SELECT 1 FROM sqlite_master WHERE name = 'half_made'"))
    await again.close()


async def test_a_full_disk_does_not_keep_a_store_from_closing(
    tmp_path: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    async with store.writing() as db:
        await db.execute("INSERT INTO home VALUES ('full', ?, 1)", ("x" * 200_000,))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (store.path.stat().st_size, hard))
    try:
        await store.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "the log stays beside it until the next start" in caplog.text
    again = Store(store.path, store.clock)
    await again.open()
    async with again.reading() as reader:
        (row,) = await reader.execute_fetchall("SELECT length(facts) FROM home WHERE home_id = 'full'")
    await again.close()
    assert row[0] == 200_000
