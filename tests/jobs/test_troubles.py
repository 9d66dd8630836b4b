"""A full disk, a locked database, clocks that are set: real ones where they can be had."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.clock import TurnedClock
from app.errors import StoreError
from app.jobs.context import RunContext
from app.jobs.places import Place
from app.jobs.policies import CatchUp, Overlap
from app.jobs.run import RunStatus, Trigger
from app.jobs.spec import Outcome
from app.store.database import Store
from tests.jobs.crew import Gate, Quick, at, crew, job, turn_to, until

THREE = at("2026-03-10 02:00")
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class SetClock(TurnedClock):
    """A clock that people or NTP set: the time of day leaps, what sleeps does not notice."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.off_by = timedelta()

    def now(self) -> datetime:
        return super().now() + self.off_by


@pytest.fixture
def clock() -> SetClock:
    return SetClock(at("2026-03-09 12:00"))


@asynccontextmanager
async def full_disk(store: Store) -> AsyncIterator[None]:
    """Let SQLite find no more room, as on a full disk, until the block ends."""
    writer = store._opened()
    ((pages,),) = await writer.execute_fetchall("PRAGMA page_count")
    await writer.execute_fetchall(f"PRAGMA max_page_count = {pages}")
    number, size = 0, 4096
    while size:  # in the very table and its indexes, down to the last gap in a page
        number += 1
        try:
            async with store.writing() as db:
                await db.execute(
                    "INSERT INTO job_run (run_id, job, home, trigger, status, generation, started_at, "
                    "details) VALUES (?, 'filler', '', 'manual', 'completed', '', 0, ?)",
                    (f"filler{number:040}", "x" * size),
                )
        except StoreError:
            size //= 2
    yield
    await writer.execute_fetchall("PRAGMA max_page_count = 1000000")


async def test_on_a_full_disk_the_run_that_is_due_waits_for_room_and_then_runs_once(
    tmp_path: Path, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)) as made:
        async with full_disk(made.store):
            await turn_to(clock, THREE)
            made.jobs.look("analysis")
            await until(lambda: "analysis could not be started" in caplog.text)
            assert "the disk is full" in caplog.text
            assert work.runs == []
        await clock.turn(timedelta(seconds=5))
        await until(lambda: made.ended() and made.at_rest)
        runs = [run for run in await made.ledger.recent() if run.job == "analysis"]
    assert [(run.status, run.scheduled_for) for run in runs] == [(RunStatus.COMPLETED, THREE)]
    assert len(work.runs) == 1


async def test_a_database_that_another_program_holds_delays_runs_and_loses_none(
    tmp_path: Path, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work), busy_seconds=0.05) as made:
        with closing(sqlite3.connect(made.store.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await turn_to(clock, THREE)
            made.jobs.look("analysis")
            await until(lambda: "is locked by another program" in caplog.text)
            assert work.runs == []
            turns = 0
            while turns < 50:  # the loop goes on meanwhile
                await asyncio.sleep(0.001)
                turns += 1
            other.execute("ROLLBACK")
        await clock.turn(timedelta(seconds=5))
        await until(lambda: made.ended() and made.at_rest)
        (run,) = await made.ledger.recent()
    assert (run.status, run.scheduled_for) == (RunStatus.COMPLETED, THREE)


async def test_a_database_that_is_held_when_a_run_ends_has_its_end_a_little_later(
    tmp_path: Path, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    work = Gate()
    async with crew(tmp_path, clock, job(work), busy_seconds=0.05) as made:
        run = await made.jobs.trigger("analysis")
        await until(lambda: work.runs)
        with closing(sqlite3.connect(made.store.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            work.open.set()
            await until(lambda: "is not written yet" in caplog.text)
            assert made.jobs.running("analysis") is not None
            other.execute("ROLLBACK")
        await clock.turn(timedelta(seconds=5))
        ended = await made.jobs.wait(run.run_id)
    assert ended.status is RunStatus.COMPLETED


async def test_a_clock_that_leaps_ahead_does_not_let_a_second_try_wait_longer(
    tmp_path: Path, clock: SetClock
) -> None:
    work = Quick(failures=1)
    async with crew(tmp_path, clock, job(work)) as made:
        await turn_to(clock, THREE)
        made.jobs.look("analysis")
        await until(lambda: made.alarms)
        clock.off_by = 2 * HOUR
        await clock.turn(MINUTE)
        await until(lambda: len(work.runs) == 2)


async def test_a_clock_that_is_set_back_neither_doubles_a_second_try_nor_forgets_it(
    tmp_path: Path, clock: SetClock
) -> None:
    work = Quick(failures=1)
    async with crew(tmp_path, clock, job(work)) as made:
        await turn_to(clock, THREE)
        made.jobs.look("analysis")
        await until(lambda: made.alarms)
        clock.off_by = -HOUR
        await clock.turn(30 * MINUTE)
        made.jobs.look("analysis")
        await until(lambda: made.at_rest)
        assert len(work.runs) == 1
        await clock.turn(61 * MINUTE)
        await until(lambda: len(work.runs) == 2 and made.at_rest)
        await clock.turn(10 * HOUR)
        made.jobs.look("analysis")
        await until(lambda: made.at_rest)
    assert len(work.runs) == 2


@pytest.mark.parametrize("leap", [-26 * HOUR, -HOUR, 26 * HOUR, 400 * DAY])
async def test_a_start_with_a_wrong_clock_and_then_a_right_one_doubles_and_loses_nothing(
    tmp_path: Path, clock: SetClock, leap: timedelta
) -> None:
    """A board without a battery: it starts years off, then NTP sets it."""
    work = Quick()
    async with crew(tmp_path, clock, job(work)) as made:
        await turn_to(clock, THREE)
        made.jobs.look("analysis")
        await until(lambda: made.ended() and made.at_rest)
    clock.off_by = leap
    async with crew(tmp_path, clock, job(work)) as made:
        await until(lambda: made.at_rest)
        await clock.turn(MINUTE)
        made.jobs.look("analysis")
        await until(lambda: made.at_rest)
    clock.off_by = timedelta()
    async with crew(tmp_path, clock, job(work)) as made:
        for _ in range(3):
            await clock.turn(DAY)
            made.jobs.look("analysis")
            await until(lambda: made.at_rest and made.jobs.running("analysis") is None)
    right = [
        run.scheduled_for for run in work.runs if run.scheduled_for and run.scheduled_for < THREE + 4 * DAY
    ]
    assert len(right) == len(set(right))
    assert {THREE + days * DAY for days in range(4)} <= set(right)


@pytest.mark.parametrize(
    ("zone", "night"),
    [
        ("Europe/Paris", "2026-03-29"),
        ("Europe/Paris", "2026-10-25"),
        ("Australia/Lord_Howe", "2026-04-05"),
        ("Australia/Lord_Howe", "2026-10-04"),
    ],
)
@pytest.mark.parametrize("policy", [CatchUp.ONCE, CatchUp.ALL])
async def test_off_in_the_night_that_the_clocks_change_each_night_is_made_up_for_once(
    tmp_path: Path, zone: str, night: str, policy: CatchUp
) -> None:
    work, there = Quick(), ZoneInfo(zone)
    change = datetime.fromisoformat(f"{night} 12:00").replace(tzinfo=there)
    clock = SetClock(change - 2 * DAY)
    spec = job(work, schedule="15 2 * * *", catch_up=policy, overlap=Overlap.QUEUE)
    async with crew(tmp_path, clock, spec, places=[Place("home", there)]) as made:
        pass
    await turn_to(clock, change)
    async with crew(tmp_path, clock, spec, places=[Place("home", there)]) as made:
        await until(lambda: made.at_rest and made.jobs.running("analysis") is None)
    days = [run.occasion.astimezone(there).date() for run in work.runs]
    nights = [change.date() - DAY, change.date()]
    assert days == (nights if policy is CatchUp.ALL else nights[1:])


async def test_an_interrupted_run_says_how_long_it_was_heard_of(tmp_path: Path, clock: SetClock) -> None:
    async def work(context: RunContext) -> Outcome:
        await asyncio.Event().wait()
        return Outcome()

    async with crew(tmp_path, clock, job(work)) as made:
        run = await made.ledger.claim("analysis", "home", Trigger.MANUAL)
        assert run is not None
        await clock.turn(7 * MINUTE)
        async with made.store.writing() as db:
            await db.execute(
                "INSERT INTO job_log VALUES (?, 0, ?, 'INFO', 'still here')",
                (run.run_id, round(clock.now().timestamp() * 1000)),
            )
    await clock.turn(5 * HOUR)
    async with crew(tmp_path, clock, job(Quick())) as made:
        interrupted = await made.ledger.get(run.run_id)
    assert interrupted is not None
    assert (interrupted.status, interrupted.duration_seconds) == (RunStatus.INTERRUPTED, 420.0)
