"""The log lines of a run: all of its own, none of another's, bounded, and never in its way."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bus import Bus
from app.clock import TurnedClock
from app.jobs.announcements import LogLine, RunLogged
from app.jobs.run_log import (
    _RECORDED,
    FIRST_KEPT,
    LAST_KEPT,
    LINE_LIMIT,
    TRACEBACK_LINES,
    RunLog,
    _Handler,
    _Recording,
)
from tests.jobs.parts import NIGHT, House, house, run_of

log = logging.getLogger("app.job.outlook")


@dataclass
class Kept:
    """A log that is kept, and what was announced of it."""

    log: RunLog
    house: House
    clock: TurnedClock
    heard: list[RunLogged] = field(default_factory=list)

    async def texts(self, run_id: str = "run1", after: int = -1) -> list[str]:
        return [line.text for line in await self.log.lines(run_id, after)]

    async def written(self, run_id: str = "run1") -> list[int]:
        """Return the numbers of the lines that are in the database."""
        async with self.house.store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT number FROM job_log WHERE run_id = ? ORDER BY number", (run_id,)
            )
        return [row[0] for row in rows]

    async def until_written(self, count: int) -> None:
        """Wait for the writer's thread."""
        while len(await self.written()) < count:
            await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "app")


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    clock = TurnedClock(NIGHT)
    async with house(tmp_path, clock, busy=0.1) as here:
        bus = Bus()
        made = Kept(RunLog(here.store, bus, clock), here, clock)
        bus.subscribe(RunLogged, made.heard.append)
        for run_id in ("run1", "run2"):
            await here.begin(run_id)
        made.log.start()
        yield made
        made.log.stop()


async def test_what_is_logged_in_a_run_is_kept_with_it(kept: Kept) -> None:
    log.info("before")
    with kept.log.recording(run_of("run1")):
        log.info("asked the hub for %d days", 37)
        await kept.clock.turn(timedelta(seconds=1))
        logging.getLogger("app.hub").warning("the hub\nis slow")
        logging.getLogger("elsewhere").warning("not ours")
    log.info("after")
    assert _RECORDED.get() is None
    await kept.log.flush("run1")
    assert await kept.log.lines("run1") == [
        LogLine(0, NIGHT, "INFO", "asked the hub for 37 days"),
        LogLine(1, NIGHT + timedelta(seconds=1), "WARNING", "the hub is slow"),
    ]
    assert await kept.written() == [0, 1]


async def test_each_run_has_its_own_lines_from_its_tasks_and_threads_too(kept: Kept) -> None:
    async def job(run_id: str) -> None:
        with kept.log.recording(run_of(run_id)):
            await asyncio.gather(*(child(f"{run_id} child {number}") for number in range(3)))
            await asyncio.to_thread(log.info, f"{run_id} thread")
        await kept.log.flush(run_id)

    async def child(text: str) -> None:
        await asyncio.sleep(0)
        log.info(text)

    await asyncio.gather(job("run1"), job("run2"))
    for run_id in ("run1", "run2"):
        texts = await kept.texts(run_id)
        assert sorted(texts) == [*(f"{run_id} child {number}" for number in range(3)), f"{run_id} thread"]


async def test_a_thread_of_nobody_and_a_task_that_outlives_its_run_are_not_recorded(kept: Kept) -> None:
    late = asyncio.Event()

    async def outlives() -> None:
        await late.wait()
        log.info("late")

    with kept.log.recording(run_of("run1")):
        recording = kept.log._recordings["run1"]
        task = asyncio.create_task(outlives())
        thread = threading.Thread(target=log.info, args=("another thread",))
        thread.start()
        await asyncio.to_thread(thread.join)
    late.set()
    await task
    await kept.log.flush("run1")
    assert await kept.texts() == []
    assert recording.count == 0


async def test_it_is_announced_a_few_times_a_second_and_written_every_two(kept: Kept) -> None:
    with kept.log.recording(run_of("run1")):
        for number in range(9):
            log.info("line %d", number)
            await kept.clock.turn(timedelta(seconds=0.1))
        await kept.clock.turn(timedelta(seconds=0.25))
        assert 2 <= len(kept.heard) <= 6
        assert [line.number for event in kept.heard for line in event.lines] == list(range(9))
        assert await kept.written() == []
        # Not written yet, but shown to who opens the page now.
        assert len(await kept.texts()) == 9
        for _ in range(8):
            await kept.clock.turn(timedelta(seconds=0.25))
        await kept.until_written(9)
        assert await kept.texts() == [f"line {number}" for number in range(9)]
    await kept.log.flush("run1")


async def test_a_run_that_logs_nothing_writes_nothing(kept: Kept) -> None:
    async def version() -> int:
        async with kept.house.store.reading() as db:
            return int(next(iter(await db.execute_fetchall("PRAGMA data_version")))[0])

    before = await version()
    with kept.log.recording(run_of("run1")):
        await kept.clock.turn(timedelta(hours=1))
    await kept.log.flush("run1")
    await kept.log.flush("unknown")
    assert await version() == before
    assert kept.heard == []


async def test_of_a_flood_the_first_lines_and_the_last_are_kept(kept: Kept) -> None:
    with kept.log.recording(run_of("run1")):
        for number in range(750):
            log.info("line %d", number)
        await kept.log.flush("run1")
        for number in range(750, 2_000):
            log.info("line %d", number)
    await kept.log.flush("run1")
    expected = [*range(FIRST_KEPT), *range(2_000 - LAST_KEPT, 2_000)]
    assert await kept.written() == expected
    assert await kept.texts() == [f"line {number}" for number in expected]
    assert max(len(event.lines) for event in kept.heard) == 50


async def test_lines_are_read_on_from_where_one_was(kept: Kept) -> None:
    with kept.log.recording(run_of("run1")):
        for number in range(5):
            log.info("line %d", number)
        await kept.log.flush("run1")
        for number in range(5, 10):
            log.info("line %d", number)
        assert await kept.texts(after=3) == [f"line {number}" for number in range(4, 10)]
        assert [line.number for line in await kept.log.lines("run1", 1, limit=2)] == [2, 3]
        assert await kept.texts(after=9) == []
    await kept.log.flush("run1")


async def test_a_line_is_bounded_and_tells_no_secret(kept: Kept) -> None:
    with kept.log.recording(run_of("run1")):
        log.info("x" * 5_000)
        log.info("Authorization: Bearer abcdefgh12345678, password=hunter2")
        log.info("it was masked: token=***")
        log.info("odd \udcff")
    await kept.log.flush("run1")
    long, secret, masked, odd = await kept.texts()
    assert len(long) == LINE_LIMIT
    assert secret == "Authorization: Bearer ***, password=***"
    assert masked == "it was masked: token=***"
    assert odd == "odd ?"


async def test_the_end_of_a_traceback_is_kept_line_by_line(kept: Kept) -> None:
    with kept.log.recording(run_of("run1")):
        try:
            exec("def a(n):\n b(n)\ndef b(n):\n  return a(n-1) if n else 1/0\na(20)", {})  # noqa: S102 - a deep one
        except ZeroDivisionError:
            log.exception("it failed")
    await kept.log.flush("run1")
    first, left_out, *lines = await kept.texts()
    assert first == "it failed"
    assert left_out.endswith("lines of the traceback left out")
    assert len(lines) == TRACEBACK_LINES
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert lines[-2].startswith('  File "<string>"')


class Unsayable:
    def __str__(self) -> str:
        raise ValueError


class LogsOnce:
    def __str__(self) -> str:
        log.info("while it is told")
        return "done"


async def test_the_handler_neither_fails_nor_recurses(kept: Kept) -> None:
    with kept.log.recording(run_of("run1")):
        handler = kept.log._handler
        for record in (
            logging.LogRecord("app.x", logging.INFO, "", 0, "%d", ("no number",), None),
            logging.LogRecord("app.x", logging.INFO, "", 0, "%s", (Unsayable(),), None),
        ):
            handler.handle(record)
        handler.handle(logging.LogRecord("app.x", logging.INFO, "", 0, "it is %s", (LogsOnce(),), None))
    await kept.log.flush("run1")
    assert await kept.texts() == ["it is done"]


async def test_a_database_that_takes_nothing_is_told_once_and_the_lines_wait(
    kept: Kept, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def locked() -> sqlite3.Connection:
        other = sqlite3.connect(tmp_path / "nightshift.db", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        return other

    with kept.log.recording(run_of("run1")):
        with closing(await asyncio.to_thread(locked)):
            for number in range(3):
                log.info("line %d", number)
                await kept.log.flush("run1")
        assert sum("its log is not written" in record.message for record in caplog.records) == 1
        await kept.log.flush("run1")
    await kept.log.flush("run1")
    assert await kept.texts() == ["line 0", "line 1", "line 2"]
    assert await kept.written() == [0, 1, 2]


async def test_lines_of_a_run_that_is_gone_are_dropped(kept: Kept) -> None:
    with kept.log.recording(run_of("gone")):
        log.info("whose?")
    await kept.log.flush("gone")
    assert await kept.texts("gone") == []


async def test_a_log_goes_with_its_run(kept: Kept) -> None:
    with kept.log.recording(run_of("run1")):
        log.info("a line")
    await kept.log.flush("run1")
    async with kept.house.store.writing() as db:
        await db.execute("DELETE FROM job_run")
    assert await kept.texts() == []


async def test_without_a_last_flush_the_lines_are_written_all_the_same(kept: Kept) -> None:
    with kept.log.recording(run_of("run1")):
        log.info("a line")
    await kept.clock.turn(timedelta(seconds=1))
    await kept.until_written(1)
    with kept.log.recording(run_of("run2")):
        await asyncio.sleep(0)
    while kept.log._recordings:
        await asyncio.sleep(0)


async def test_after_a_stop_nothing_is_recorded_but_what_was_can_be_written(kept: Kept) -> None:
    with kept.log.recording(run_of("run1")):
        log.info("a line")
        kept.log.stop()
        log.info("another")
    await kept.log.flush("run1")
    assert await kept.texts() == ["a line"]


async def test_while_no_run_is_recorded_a_line_costs_no_lock_and_no_text(kept: Kept) -> None:
    record = logging.LogRecord("app.x", logging.INFO, "", 0, "%s", (Unsayable(),), None)
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        kept.log._handler.acquire()
        held.set()
        release.wait(10)
        kept.log._handler.release()

    holding = asyncio.create_task(asyncio.to_thread(hold))
    while not held.is_set():
        await asyncio.sleep(0)
    assert not kept.log._handler.handle(record)
    release.set()
    await holding


@given(counts=st.lists(st.integers(1, 300), max_size=12), writes=st.sets(st.integers(0, 11)))
def test_whenever_it_is_written_the_same_lines_are_kept(counts: list[int], writes: set[int]) -> None:
    async def keep() -> list[int]:
        handler = _Handler(TurnedClock(NIGHT))
        recording = _Recording("run1", "outlook", asyncio.get_running_loop())
        stored: list[int] = []
        for turn, count in enumerate(counts):
            for _ in range(count):
                handler._add(recording, "INFO", "x")
            if turn in writes or turn == len(counts) - 1:
                waiting = [line.number for line in handler.waiting(recording)]
                stored = [
                    number
                    for number in [*stored, *waiting]
                    if number < FIRST_KEPT or number > waiting[-1] - LAST_KEPT
                ]
                handler.written(recording, waiting[-1])
                assert handler.waiting(recording) == []
        return stored

    total = sum(counts)
    assert asyncio.run(keep()) == [
        number for number in range(total) if number < FIRST_KEPT or number >= total - LAST_KEPT
    ]
