from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.clock import TurnedClock
from app.jobs.ledger import AlreadyRunningError, Ledger, RunStatus, SkippedBecause, Trigger
from app.store.database import Store
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
