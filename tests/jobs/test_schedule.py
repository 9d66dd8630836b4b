"""Each pitfall of APScheduler that was measured, and what the schedule does about it."""

import asyncio
import logging
import pickle
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from app.errors import StoreError
from app.jobs.due import Cron
from app.jobs.schedule import Schedule, Stored, fire
from app.jobs.trigger import CronSimTrigger
from tests.jobs.crew import at, until

NIGHTLY = Cron("0 3 * * *", "Europe/Paris")
EARLY = Cron("0 2 * * *", "Europe/Paris")


@asynccontextmanager
async def opened(
    path: Path, on_due: Callable[[str], None] = lambda _job: None
) -> AsyncIterator[tuple[Schedule, Stored]]:
    schedule = Schedule(path, on_due)
    try:
        yield schedule, await schedule.open()
    finally:
        await schedule.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clock.db"


def next_runs(path: Path) -> dict[str, float | None]:
    with closing(sqlite3.connect(path)) as db:
        return dict(db.execute("SELECT id, next_run_time FROM apscheduler_jobs").fetchall())


def content(path: Path) -> bytes:
    return path.read_bytes()


def put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def make_overdue(path: Path, job: str, by: timedelta) -> float:
    """Set back a job's next run, in its row and in the pickle, as if nothing had run since."""
    instant = (datetime.now(UTC) - by).replace(microsecond=0)
    with closing(sqlite3.connect(path)) as db:
        state: dict[str, Any] = pickle.loads(  # noqa: S301 - our own row
            db.execute("SELECT job_state FROM apscheduler_jobs WHERE id = ?", (job,)).fetchone()[0]
        )
        state["next_run_time"] = instant
        db.execute(
            "UPDATE apscheduler_jobs SET next_run_time = ?, job_state = ? WHERE id = ?",
            (instant.timestamp(), pickle.dumps(state), job),
        )
        db.commit()
    return instant.timestamp()


async def test_an_overdue_run_survives_the_reconciliation_and_fires_at_once(path: Path) -> None:
    async with opened(path) as (schedule, _):
        await schedule.reconcile({"analysis": NIGHTLY}, set())
    overdue = make_overdue(path, "analysis", timedelta(hours=5))
    due: list[str] = []
    async with opened(path, due.append) as (schedule, stored):
        assert stored == Stored({"analysis": NIGHTLY}, rebuilt=False)
        await schedule.reconcile({"analysis": NIGHTLY}, set())
        assert next_runs(path) == {"analysis": overdue}
        await schedule.run()
        await until(lambda: due)
    assert due == ["analysis"]
    following = next_runs(path)["analysis"]
    assert following is not None
    assert following > datetime.now(UTC).timestamp()


async def test_a_changed_schedule_is_rescheduled_and_the_old_one_is_told(path: Path) -> None:
    async with opened(path) as (schedule, stored):
        assert stored.rebuilt
        await schedule.reconcile({"analysis": NIGHTLY}, set())
    before = next_runs(path)
    async with opened(path) as (schedule, stored):
        assert stored.whens == {"analysis": NIGHTLY}
        await schedule.reconcile({"analysis": EARLY}, set())
    after = next_runs(path)
    assert after.keys() == before.keys()
    assert after != before


async def test_a_changed_schedule_does_not_wake_a_paused_job(path: Path) -> None:
    async with opened(path) as (schedule, _):
        await schedule.reconcile({"analysis": NIGHTLY}, {"analysis"})
        assert next_runs(path) == {"analysis": None}
        await schedule.reconcile({"analysis": EARLY}, {"analysis"})
    assert next_runs(path) == {"analysis": None}
    async with opened(path) as (schedule, stored):
        assert stored.whens == {"analysis": EARLY}
        await schedule.reconcile({"analysis": EARLY}, set())
    assert next_runs(path)["analysis"] is not None


async def test_a_start_that_changes_nothing_writes_nothing_to_the_schedule(path: Path) -> None:
    crons = {"analysis": NIGHTLY, "cleanup": EARLY}
    async with opened(path) as (schedule, _):
        await schedule.reconcile(crons, {"cleanup"})
    before = content(path)
    async with opened(path) as (schedule, _):
        await schedule.reconcile(crons, {"cleanup"})
        await schedule.run()
    assert content(path) == before


async def test_new_policy_reaches_the_stored_rows(path: Path) -> None:
    async with opened(path) as (schedule, _):
        await schedule.reconcile({"analysis": NIGHTLY}, set())
        schedule._ticking().modify_job("analysis", misfire_grace_time=1, coalesce=False, max_instances=7)
    async with opened(path) as (schedule, _):
        await schedule.reconcile({"analysis": NIGHTLY}, set())
        row = schedule._ticking().get_job("analysis")
        assert (row.misfire_grace_time, row.coalesce, row.max_instances) == (3600, True, 1)


async def test_a_job_that_is_no_longer_declared_leaves_the_schedule(path: Path) -> None:
    async with opened(path) as (schedule, _):
        await schedule.reconcile({"analysis": NIGHTLY, "old": NIGHTLY}, set())
        await schedule.reconcile({"analysis": NIGHTLY}, set())
    assert next_runs(path).keys() == {"analysis"}


def test_rows_refer_to_one_eternal_name_and_a_trigger_that_is_the_same_after_pickling() -> None:
    assert f"{fire.__module__}:{fire.__qualname__}" == "app.jobs.schedule:fire"
    trigger = CronSimTrigger(NIGHTLY)
    again = pickle.loads(pickle.dumps(trigger))  # noqa: S301 - our own
    assert again == trigger
    assert hash(again) == hash(trigger)
    assert again != CronSimTrigger(EARLY)
    assert again != CronSimTrigger(Cron(NIGHTLY.expression, "Asia/Kolkata"))
    assert b"app.jobs.trigger" in pickle.dumps(trigger)
    with pytest.raises(RuntimeError):
        fire("analysis")


def test_the_trigger_neither_doubles_nor_loses_the_hour_that_the_clocks_change() -> None:
    trigger = CronSimTrigger(Cron("30 2 * * *", "Europe/Paris"))
    first = trigger.get_next_fire_time(None, at("2026-10-24 12:00"))
    assert first == at("2026-10-25 00:30")
    assert trigger.get_next_fire_time(first, at("2026-10-25 00:30")) == at("2026-10-26 01:30")
    assert trigger.get_next_fire_time(None, at("2026-03-28 12:00")) == at("2026-03-29 01:00")


def test_a_year_asleep_does_not_make_the_trigger_walk_through_every_minute() -> None:
    trigger = CronSimTrigger(Cron("* * * * *", "Europe/Paris"))
    following = trigger.get_next_fire_time(at("2025-03-10 02:00"), at("2026-03-10 02:00"))
    assert following == at("2026-03-09 02:01")


async def test_a_tick_that_raises_is_tried_again_and_the_clock_lives_on(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("app.jobs.schedule._AFTER_TROUBLE", 0.01)
    due: list[str] = []
    async with opened(path) as (schedule, _):
        await schedule.reconcile({"analysis": NIGHTLY}, set())
    make_overdue(path, "analysis", timedelta(minutes=1))
    async with opened(path, due.append) as (schedule, _):
        store = schedule._ticking()._jobstores["default"]
        update, failures = store.update_job, list[str]()

        def locked(job: Any) -> None:
            if len(failures) < 3:
                failures.append(job.id)
                raise OperationalError("UPDATE", {}, sqlite3.OperationalError("database is locked"))
            update(job)

        monkeypatch.setattr(store, "update_job", locked)
        await schedule.run()
        await until(lambda: len(due) == 4)
        await until(lambda: (next_runs(path)["analysis"] or 0) > datetime.now(UTC).timestamp())
        assert [thread.is_alive() for thread in threading.enumerate() if thread.name == "APScheduler"]
    assert caplog.text.count("The schedule's tick failed") == 1


async def test_a_lock_held_on_the_schedules_file_does_not_hold_the_event_loop(path: Path) -> None:
    async with opened(path) as (schedule, _):
        await schedule.reconcile({"analysis": NIGHTLY}, set())
        await schedule.run()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            changing = asyncio.create_task(schedule.reconcile({"analysis": EARLY}, set()))
            turns = 0
            while turns < 100:  # in a loop that waited for the lock this would not come to its end
                await asyncio.sleep(0.002)
                turns += 1
            assert not changing.done()
            other.execute("ROLLBACK")
        await changing
    assert next_runs(path)["analysis"] is not None


async def test_the_clock_looks_at_least_once_a_minute_so_that_a_set_clock_is_noticed(path: Path) -> None:
    async with opened(path) as (schedule, _):
        await schedule.reconcile({"analysis": NIGHTLY}, set())
        scheduler = schedule._ticking()
        scheduler.resume()
        assert scheduler._process_jobs() <= 60


async def test_after_its_end_the_schedule_does_not_tick_once_more(path: Path) -> None:
    due: list[str] = []
    async with opened(path) as (schedule, _):
        await schedule.reconcile({"analysis": NIGHTLY}, set())
    make_overdue(path, "analysis", timedelta(minutes=1))
    async with opened(path, due.append) as (schedule, _):
        scheduler = schedule._ticking()
    assert scheduler._process_jobs() == 0
    assert due == []
    assert not [thread for thread in threading.enumerate() if thread.name == "APScheduler"]


@pytest.mark.parametrize(
    "damage", [b"this is no database" * 100, b"SQLite format 3\x00" + b"\xff" * 4080, b"SQL"]
)
async def test_a_damaged_file_is_moved_aside_and_rebuilt(
    path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    put(path, damage)
    with caplog.at_level(logging.WARNING):
        async with opened(path) as (schedule, stored):
            assert stored == Stored({}, rebuilt=True)
            await schedule.reconcile({"analysis": NIGHTLY}, set())
    assert next_runs(path).keys() == {"analysis"}
    assert content(path.with_name("clock.db.damaged")) == damage
    assert "moved aside to clock.db.damaged and rebuilt" in caplog.text


async def test_a_truncated_file_is_rebuilt(path: Path) -> None:
    async with opened(path) as (schedule, _):
        await schedule.reconcile({f"job{number}": NIGHTLY for number in range(50)}, set())
    put(path, content(path)[: len(content(path)) // 2])
    async with opened(path) as (schedule, stored):
        assert stored.rebuilt
        await schedule.reconcile({"analysis": NIGHTLY}, set())
    assert next_runs(path).keys() == {"analysis"}


async def test_a_row_that_cannot_be_unpickled_is_made_anew(path: Path) -> None:
    async with opened(path) as (schedule, _):
        await schedule.reconcile({"analysis": NIGHTLY}, set())
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE apscheduler_jobs SET job_state = x'00'")
        db.commit()
    async with opened(path) as (schedule, stored):
        assert stored == Stored({}, rebuilt=False)
        await schedule.reconcile({"analysis": NIGHTLY}, set())
    assert next_runs(path).keys() == {"analysis"}


async def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="ascii")
    with pytest.raises(StoreError, match="the schedule's file cannot be used"):
        await Schedule(tmp_path / "file" / "clock.db", lambda _job: None).open()
