import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database, Migrations

from app.clock import TurnedClock, to_ms
from app.jobs.ledger import AlreadyRunningError, Ledger, Run, RunStatus, SkippedBecause, Trigger, Undone
from app.store.database import Store
from app.store.migrations import MIGRATIONS
from app.store.preparing import prepare
from tests.jobs.crew import at

NIGHT = at("2026-03-10 02:00")


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock(NIGHT)


@pytest.fixture
async def store(tmp_path: Path, clock: TurnedClock) -> AsyncIterator[Store]:
    store = Store(tmp_path / "nightshift.db", clock)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def ledger(store: Store, clock: TurnedClock) -> Ledger:
    return Ledger(store, clock)


async def test_a_run_is_a_row_from_its_start_to_its_end(ledger: Ledger, clock: TurnedClock) -> None:
    run = await ledger.claim("analysis", "home", Trigger.SCHEDULE, scheduled_for=NIGHT)
    assert run is not None
    assert await ledger.running("analysis") == await ledger.get(run.run_id) == run
    await clock.turn(timedelta(minutes=5))
    ended = await ledger.finish(
        run.run_id, RunStatus.COMPLETED, seconds=300.0, counts={"patterns": 3}, details={"days": ["mon"]}
    )
    assert ended is not None
    assert ended == await ledger.last("analysis")
    assert (ended.status, ended.completed_at, ended.duration_seconds) == (
        RunStatus.COMPLETED,
        at("2026-03-10 02:05"),
        300.0,
    )
    assert (ended.counts, ended.details) == ({"patterns": 3}, {"days": ["mon"]})
    assert await ledger.running("analysis") is None


async def test_one_instant_is_claimed_once(ledger: Ledger) -> None:
    run = await ledger.claim("analysis", "home", Trigger.SCHEDULE, scheduled_for=NIGHT)
    assert run is not None
    await ledger.finish(run.run_id, RunStatus.COMPLETED, seconds=1)
    assert await ledger.claim("analysis", "home", Trigger.CATCH_UP, scheduled_for=NIGHT) is None
    assert await ledger.skip("analysis", "home", NIGHT, because=SkippedBecause.MISSED, why="x") is None
    assert len(await ledger.recent()) == 1


async def test_a_job_runs_once_at_a_time(ledger: Ledger) -> None:
    run = await ledger.claim("analysis", "home", Trigger.MANUAL)
    with pytest.raises(AlreadyRunningError) as refused:
        await ledger.claim("analysis", "home", Trigger.MANUAL)
    assert refused.value.run == run
    assert await ledger.claim("cleanup", "home", Trigger.MANUAL) is not None


async def test_a_late_end_changes_nothing(ledger: Ledger) -> None:
    run = await ledger.claim("analysis", "home", Trigger.MANUAL)
    assert run is not None
    await ledger.finish(run.run_id, RunStatus.INTERRUPTED, seconds=1)
    assert await ledger.finish(run.run_id, RunStatus.COMPLETED, seconds=2) is None
    last = await ledger.last("analysis")
    assert last is not None
    assert last.status is RunStatus.INTERRUPTED


async def test_only_what_another_start_left_running_becomes_interrupted(
    store: Store, clock: TurnedClock, ledger: Ledger
) -> None:
    run = await ledger.claim("analysis", "home", Trigger.SCHEDULE, scheduled_for=NIGHT)
    assert await ledger.interrupt_others() == []
    later = Ledger(store, clock)
    interrupted = await later.interrupt_others()
    assert [(i.run_id, i.status) for i in interrupted] == [(run and run.run_id, RunStatus.INTERRUPTED)]
    assert interrupted[0].error_message == "Cut off: Nightshift ended while it ran."
    assert await later.interrupt_others() == []


async def test_an_error_message_is_bounded_and_has_no_secret(ledger: Ledger) -> None:
    run = await ledger.claim("analysis", "home", Trigger.MANUAL)
    assert run is not None
    ended = await ledger.finish(
        run.run_id, RunStatus.FAILED, seconds=1, error_message="token=abc123 " + "x" * 9000
    )
    assert ended is not None
    assert ended.error_message is not None
    assert len(ended.error_message) == 2000
    assert "abc123" not in ended.error_message


async def test_a_skipped_run_is_in_the_history_but_is_not_the_last_run(
    ledger: Ledger, clock: TurnedClock
) -> None:
    run = await ledger.claim("analysis", "home", Trigger.SCHEDULE, scheduled_for=NIGHT)
    await clock.turn(timedelta(days=1))
    await ledger.skip("analysis", "home", clock.now(), because=SkippedBecause.OVERLAP, why="still going")
    assert [r.status for r in await ledger.recent("analysis")] == [RunStatus.SKIPPED, RunStatus.RUNNING]
    last = await ledger.last("analysis")
    assert last == run


async def test_retention_forgets_old_runs_but_not_the_newest_instant_of_a_job(
    ledger: Ledger, clock: TurnedClock
) -> None:
    for job, instants in {"analysis": (NIGHT, NIGHT + timedelta(days=1)), "yearly": (NIGHT,)}.items():
        for instant in instants:
            run = await ledger.claim(job, "home", Trigger.SCHEDULE, scheduled_for=instant)
            assert run is not None
            await ledger.finish(run.run_id, RunStatus.COMPLETED, seconds=1)
    assert await ledger.forget(clock.now() + timedelta(days=400)) == 1
    kept = {(run.job, run.scheduled_for) for run in await ledger.recent()}
    assert kept == {("analysis", NIGHT + timedelta(days=1)), ("yearly", NIGHT)}


def of_an_old_version(path: Path) -> None:
    """Make the database of the version before 0004, with two runs and a paused job."""
    old = Migrations("nightshift")
    for migration in MIGRATIONS.pending(Database(memory=True)):
        if migration.name < "0004":
            old(name=migration.name)(migration.fn)
    prepare(path, old, 1)
    with closing(sqlite3.connect(path)) as db:
        db.executemany(
            "INSERT INTO job_run (run_id, job, home, trigger, status, scheduled_for, started_at, generation) "
            "VALUES (?, 'analysis', 'home', ?, 'completed', ?, ?, 'x')",
            [("a", "schedule", to_ms(NIGHT), to_ms(NIGHT) + 7), ("b", "manual", None, to_ms(NIGHT) + 9)],
        )
        db.execute("INSERT INTO job_setting VALUES ('analysis', 1)")
        db.commit()


async def test_runs_of_a_version_that_knew_no_occasions_are_read_as_they_were(
    tmp_path: Path, clock: TurnedClock
) -> None:
    path = tmp_path / "old.db"
    await asyncio.to_thread(of_an_old_version, path)
    store = Store(path, clock)
    await store.open()
    ledger = Ledger(store, clock)
    by_hand, at_night = await ledger.recent()
    paused, schedules = await ledger.paused(), await ledger.schedules()
    await store.close()
    assert (at_night.occasion, by_hand.occasion) == (NIGHT, by_hand.started_at)
    assert (at_night.created_at, at_night.success_rate) == (at_night.started_at, None)
    assert (paused, schedules) == ({"analysis"}, {})


async def test_what_retries_is_ended_by_its_next_try_alone_or_by_what_takes_its_place(
    ledger: Ledger, clock: TurnedClock
) -> None:
    async def failed() -> Run:
        run = await ledger.claim("analysis", "home", Trigger.SCHEDULE, scheduled_for=clock.now())
        assert run is not None
        ended = await ledger.finish(
            run.run_id, RunStatus.RETRYING, seconds=1, next_retry_at=clock.now() + timedelta(hours=1)
        )
        assert ended is not None
        return ended

    first = await failed()
    assert [run.run_id for run in await ledger.waiting()] == [first.run_id]
    assert await ledger.claim("analysis", "home", Trigger.RETRY, attempt=2, retry_of="another") is None
    second = await ledger.claim("analysis", "home", Trigger.RETRY, attempt=2, retry_of=first.run_id)
    assert second is not None
    assert await ledger.waiting() == []
    await ledger.finish(second.run_id, RunStatus.COMPLETED, seconds=1)
    assert await ledger.claim("analysis", "home", Trigger.RETRY, attempt=2, retry_of=first.run_id) is None
    await clock.turn(timedelta(hours=1))
    other = await failed()
    alone = await ledger.claim("analysis", "home", Trigger.RETRY, details={"retries": 1})
    assert alone is not None
    assert [run.run_id for run in await ledger.waiting()] == [other.run_id]
    await ledger.finish(alone.run_id, RunStatus.COMPLETED, seconds=1)
    assert await ledger.claim("analysis", "home", Trigger.MANUAL) is not None
    replaced = await ledger.get(other.run_id)
    assert replaced is not None
    assert (replaced.status, replaced.next_retry_at) == (RunStatus.FAILED, None)


async def test_an_end_without_an_instant_for_the_next_try_is_no_retrying(ledger: Ledger) -> None:
    for status, again_at in (
        (RunStatus.RETRYING, None),
        (RunStatus.FAILED, NIGHT),
        (RunStatus.PENDING, None),
    ):
        with pytest.raises(ValueError, match="is no end"):
            await ledger.finish("x", status, seconds=1, next_retry_at=again_at)


async def test_instants_are_decided_together_or_not_at_all_and_each_once(
    ledger: Ledger, clock: TurnedClock
) -> None:
    later = NIGHT + timedelta(days=1)
    undone = [Undone(NIGHT, SkippedBecause.MISSED, "off", at=NIGHT), Undone(later, trigger=Trigger.CATCH_UP)]
    skipped, waiting = await ledger.decide("analysis", "home", undone)
    assert await ledger.decide("analysis", "home", undone) == []
    assert (skipped.status, waiting.status) == (RunStatus.SKIPPED, RunStatus.PENDING)
    assert await ledger.last("analysis") is None
    await clock.turn(timedelta(minutes=5))
    begun = await ledger.take(waiting)
    assert begun is not None
    assert (begun.status, begun.started_at, begun.trigger) == (
        RunStatus.RUNNING,
        clock.now(),
        Trigger.CATCH_UP,
    )
    assert await ledger.call_off(waiting, SkippedBecause.PAUSED, "x") is None
    await ledger.finish(begun.run_id, RunStatus.COMPLETED, seconds=1)
    assert await ledger.take(waiting) is None
    assert await ledger.all_last_scheduled(later) == {("analysis", "home"): later}


async def test_the_liveness_stamp_and_the_pauses_are_kept(store: Store, clock: TurnedClock) -> None:
    ledger = Ledger(store, clock)
    assert await ledger.seen() is None
    await ledger.stamp(NIGHT)
    await ledger.stamp(NIGHT + timedelta(hours=1))
    await ledger.set_paused("analysis", paused=True)
    later = Ledger(store, clock)
    assert await later.seen() == NIGHT + timedelta(hours=1)
    assert await later.paused() == {"analysis"}
    await later.set_paused("analysis", paused=False)
    assert await later.paused() == set()
