"""What a start finds and takes up: clean stops, kills, downtime, changed options."""

import asyncio
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.clock import TurnedClock
from app.errors import StoreError
from app.jobs.announcements import RunEnded
from app.jobs.context import RunContext
from app.jobs.ledger import AlreadyRunningError, Ledger, Run, RunStatus, Trigger
from app.jobs.spec import CatchUp, Outcome
from app.store.database import Store
from tests.jobs.crew import Gate, Quick, at, crew, job, turn_to, until

THREE = at("2026-03-10 02:00")
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock(at("2026-03-09 12:00"))


def lose(folder: Path) -> None:
    for path in folder.glob("clock.db*"):
        path.unlink()


async def killed_while_running(folder: Path, clock: TurnedClock) -> str:
    """Leave what a process leaves that is killed at 03:00 and a moment: a row that says running."""
    store = Store(folder / "nightshift.db", clock)
    await store.open()
    run = await Ledger(store, clock).claim("analysis", "home", Trigger.SCHEDULE, scheduled_for=THREE)
    await store.close()
    assert run is not None
    return run.run_id


async def test_the_first_start_ever_has_missed_nothing(tmp_path: Path, clock: TurnedClock) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)) as made:
        assert await made.ledger.recent() == []
    assert work.runs == []


async def test_twenty_minutes_late_is_just_late(tmp_path: Path, clock: TurnedClock) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)):
        pass
    await turn_to(clock, THREE + 20 * MINUTE)
    async with crew(tmp_path, clock, job(work)):
        await until(lambda: work.runs)
    assert (work.runs[0].trigger, work.runs[0].scheduled_for) == (Trigger.SCHEDULE, THREE)


async def test_three_nights_off_are_caught_up_once_and_each_leaves_a_row(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work, runs = Quick(), list[Run]()
    async with crew(tmp_path, clock, job(work)):
        pass
    await turn_to(clock, THREE + 2 * DAY + timedelta(hours=4))
    for _ in range(2):
        async with crew(tmp_path, clock, job(work)) as made:
            await until(lambda: work.runs and made.jobs.running("analysis") is None)
            runs = await made.ledger.recent()
    assert [(run.scheduled_for, run.status) for run in runs] == [
        (THREE + 2 * DAY, RunStatus.COMPLETED),
        (THREE + DAY, RunStatus.SKIPPED),
        (THREE, RunStatus.SKIPPED),
    ]
    assert [run.trigger for run in work.runs] == [Trigger.CATCH_UP]


async def test_work_for_its_hour_only_is_not_caught_up(tmp_path: Path, clock: TurnedClock) -> None:
    work = Quick()
    spec = job(work, catch_up=CatchUp.SKIP)
    async with crew(tmp_path, clock, spec):
        pass
    await turn_to(clock, THREE + timedelta(hours=4))
    async with crew(tmp_path, clock, spec) as made:
        (run,) = await made.ledger.recent()
    assert work.runs == []
    assert (run.status, run.scheduled_for) == (RunStatus.SKIPPED, THREE)
    assert run.error_message == "Missed: Nightshift was off or asleep."


async def test_a_killed_run_is_interrupted_and_caught_up_once(tmp_path: Path, clock: TurnedClock) -> None:
    work, runs = Quick(), list[Run]()
    async with crew(tmp_path, clock, job(work)):
        pass
    await turn_to(clock, THREE)
    killed = await killed_while_running(tmp_path, clock)
    await clock.turn(10 * MINUTE)
    for _ in range(3):
        async with crew(tmp_path, clock, job(work)) as made:
            await until(lambda: made.jobs.running("analysis") is None)
            runs = await made.ledger.recent()
    assert [(run.status, run.trigger, run.retry_of) for run in runs] == [
        (RunStatus.COMPLETED, Trigger.CATCH_UP, killed),
        (RunStatus.INTERRUPTED, Trigger.SCHEDULE, None),
    ]
    assert runs[0].attempt == 2
    assert runs[1].run_id == killed


async def test_who_presses_run_now_during_the_start_does_not_get_in_the_way_of_what_is_owed(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Gate()
    async with crew(tmp_path, clock, job(work)):
        pass
    await turn_to(clock, THREE)
    await killed_while_running(tmp_path, clock)
    async with crew(tmp_path, clock, job(work), start=False) as made:
        pressed = asyncio.create_task(made.jobs.trigger("analysis"))
        await made.jobs.start()
        with pytest.raises(AlreadyRunningError):
            await pressed
        await until(lambda: work.runs)
        assert work.runs[0].trigger is Trigger.CATCH_UP
        work.open.set()


async def test_a_run_that_is_cut_off_again_and_again_is_given_up(tmp_path: Path, clock: TurnedClock) -> None:
    work, runs = Gate(), list[Run]()
    for _ in range(6):
        async with crew(tmp_path, clock, job(work, restarts=2)) as made:
            if not work.runs:
                await made.jobs.trigger("analysis")
            await asyncio.sleep(0)
            runs = await made.ledger.recent()
    assert [run.attempt for run in runs] == [3, 2, 1]
    assert {run.status for run in runs} == {RunStatus.INTERRUPTED}


async def test_what_must_not_be_done_twice_is_not_taken_up_again(tmp_path: Path, clock: TurnedClock) -> None:
    work = Gate()
    async with crew(tmp_path, clock, job(work, restarts=0)) as made:
        await made.jobs.trigger("analysis")
    async with crew(tmp_path, clock, job(work, restarts=0)) as made:
        assert made.jobs.running("analysis") is None


async def test_a_night_missed_after_a_killed_one_is_one_run_that_knows_of_it(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)):
        pass
    await turn_to(clock, THREE)
    killed = await killed_while_running(tmp_path, clock)
    await turn_to(clock, THREE + DAY + timedelta(hours=2))
    async with crew(tmp_path, clock, job(work)) as made:
        await until(lambda: work.runs and made.jobs.running("analysis") is None)
        runs = await made.ledger.recent()
    assert [(run.scheduled_for, run.trigger, run.retry_of) for run in runs] == [
        (THREE + DAY, Trigger.CATCH_UP, killed),
        (THREE, Trigger.SCHEDULE, None),
    ]


@pytest.mark.parametrize("off", [timedelta(minutes=10), timedelta(hours=3)])
async def test_the_second_try_of_a_failed_night_outlives_the_process(
    tmp_path: Path, clock: TurnedClock, off: timedelta
) -> None:
    work = Quick(failures=1)
    async with crew(tmp_path, clock, job(work)) as made:
        await turn_to(clock, THREE)
        made.jobs.look("analysis")
        await until(lambda: [event for event in made.heard if isinstance(event, RunEnded)])
    await clock.turn(off)
    async with crew(tmp_path, clock, job(work)) as made:
        await clock.turn(max(timedelta(), timedelta(minutes=30) - off))
        await until(lambda: len(work.runs) == 2 and made.jobs.running("analysis") is None)
        second, first = await made.ledger.recent()
    assert (second.trigger, second.retry_of, second.status) == (
        Trigger.RETRY,
        first.run_id,
        RunStatus.COMPLETED,
    )
    async with crew(tmp_path, clock, job(work)) as made:
        assert made.alarms == {}
    assert len(work.runs) == 2


async def test_a_night_that_was_cut_off_and_then_finds_no_hub_still_has_its_second_try(
    tmp_path: Path, clock: TurnedClock
) -> None:
    """The whole machine started anew: Nightshift is up before the hub is."""
    work = Quick(failures=1)
    async with crew(tmp_path, clock, job(work)):
        pass
    await turn_to(clock, THREE)
    await killed_while_running(tmp_path, clock)
    await clock.turn(MINUTE)
    async with crew(tmp_path, clock, job(work)) as made:
        await until(lambda: made.alarms)
        assert made.jobs.next_run("analysis") == THREE + 31 * MINUTE
        await clock.turn(30 * MINUTE)
        await until(lambda: len(work.runs) == 2 and made.jobs.running("analysis") is None)
        runs = await made.ledger.recent()
    assert [(run.status, run.trigger, run.attempt) for run in runs] == [
        (RunStatus.COMPLETED, Trigger.RETRY, 3),
        (RunStatus.FAILED, Trigger.CATCH_UP, 2),
        (RunStatus.INTERRUPTED, Trigger.SCHEDULE, 1),
    ]


async def test_a_stop_lets_a_run_finish_within_the_grace(tmp_path: Path, clock: TurnedClock) -> None:
    work = Gate()
    async with crew(tmp_path, clock, job(work)) as made:
        run = await made.jobs.trigger("analysis")
        stopping = asyncio.create_task(made.jobs.stop(10))
        await until(lambda: len(clock._sleepers) == 2)
        await clock.turn(timedelta(seconds=5))
        work.open.set()
        await stopping
        ended = await made.ledger.get(run.run_id)
    assert ended is not None
    assert ended.status is RunStatus.COMPLETED


async def test_a_stop_cuts_off_what_takes_longer_and_the_next_start_takes_it_up(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Gate()
    async with crew(tmp_path, clock, job(work)) as made:
        run = await made.jobs.trigger("analysis")
        stopping = asyncio.create_task(made.jobs.stop(10))
        await until(lambda: len(clock._sleepers) == 2)
        await clock.turn(timedelta(seconds=6))
        await stopping
        ended = await made.ledger.get(run.run_id)
        assert ended is not None
        assert ended.error_message == "Cut off: Nightshift was stopped while it ran."
        with pytest.raises(Exception, match="is stopping"):
            await made.jobs.trigger("analysis")
    work.open.set()
    async with crew(tmp_path, clock, job(work)) as made:
        await until(lambda: made.jobs.running("analysis") is None)
        last = await made.ledger.last("analysis")
    assert last is not None
    assert (last.status, last.trigger, last.retry_of) == (
        RunStatus.COMPLETED,
        Trigger.CATCH_UP,
        run.run_id,
    )


async def test_a_stop_does_not_wait_again_and_again_for_a_database_that_takes_nothing(
    tmp_path: Path, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def locked(*_given: object, **_named: object) -> None:
        asked.append("locked")
        raise StoreError("the database is locked by another program")

    async with crew(tmp_path, clock, job(Gate())) as made:
        await made.jobs.trigger("analysis")
        monkeypatch.setattr(made.ledger, "finish", locked)
        monkeypatch.setattr(made.ledger, "stamp", locked)
        await made.jobs.stop(0)
    assert len(asked) == 2  # the run's end, when it was cut off and when it was left behind; no stamp
    monkeypatch.undo()
    async with crew(tmp_path, clock, job(Quick())) as made:
        await until(lambda: made.jobs.running("analysis") is None)
        second, first = await made.ledger.recent()
    assert (first.status, second.status) == (RunStatus.INTERRUPTED, RunStatus.COMPLETED)


async def test_a_job_that_does_not_let_itself_be_stopped_is_left_behind_as_interrupted(
    tmp_path: Path, clock: TurnedClock
) -> None:
    release = asyncio.Event()

    async def work(_context: RunContext) -> Outcome:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return Outcome()

    async with crew(tmp_path, clock, job(work)) as made:
        run = await made.jobs.trigger("analysis")
        try:
            await asyncio.sleep(0)
            await made.jobs.stop(0)
            left = await made.ledger.get(run.run_id)
        finally:
            release.set()
        await made.jobs._crew.wait(run.run_id)
        assert left == await made.ledger.get(run.run_id)
    assert left is not None
    assert left.status is RunStatus.INTERRUPTED


async def test_a_pause_outlives_a_restart_and_what_was_missed_in_it_is_not_caught_up(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)) as made:
        await made.jobs.pause("analysis")
    await turn_to(clock, THREE + timedelta(hours=4))
    async with crew(tmp_path, clock, job(work)) as made:
        assert made.jobs.is_paused("analysis")
        await turn_to(clock, THREE + DAY + timedelta(hours=4))
        await made.jobs.resume("analysis")
    async with crew(tmp_path, clock, job(work)) as made:
        assert made.jobs.next_run("analysis") == THREE + 2 * DAY
    assert work.runs == []


async def test_an_interrupted_run_before_a_pause_is_not_taken_up_after_it(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Gate()
    async with crew(tmp_path, clock, job(work)) as made:
        await made.jobs.trigger("analysis")
        await made.jobs.pause("analysis")
    await turn_to(clock, THREE + timedelta(hours=4))
    async with crew(tmp_path, clock, job(work)) as made:
        await made.jobs.resume("analysis")
    async with crew(tmp_path, clock, job(work)) as made:
        assert made.jobs.running("analysis") is None


async def test_an_overdue_run_of_the_old_schedule_is_not_lost_with_it(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)):
        pass
    await turn_to(clock, THREE + timedelta(hours=2))
    async with crew(tmp_path, clock, job(work, schedule="0 23 * * *")) as made:
        await until(lambda: work.runs and made.jobs.running("analysis") is None)
        assert made.jobs.next_run("analysis") == at("2026-03-10 22:00")
    assert [run.scheduled_for for run in work.runs] == [THREE]


async def test_a_new_schedule_has_missed_nothing_before_it_was_set(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)):
        pass
    await clock.turn(timedelta(hours=4))  # 17:00 in Paris
    for _ in range(2):
        async with crew(tmp_path, clock, job(work, schedule="0 15 * * *")):
            pass
    assert work.runs == []


async def test_a_new_job_has_missed_nothing_before_it_was_there(tmp_path: Path, clock: TurnedClock) -> None:
    old, new = Quick(), Quick()
    async with crew(tmp_path, clock, job(old)):
        pass
    await turn_to(clock, THREE + timedelta(hours=4))
    async with crew(tmp_path, clock, job(old), job(new, name="cleanup")) as made:
        await until(lambda: old.runs and made.jobs.running("analysis") is None)
    assert new.runs == []


async def test_without_the_schedules_file_the_ledger_still_knows_what_was_missed(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)) as made:
        await made.jobs.pause("analysis")
        await made.jobs.resume("analysis")
    lose(tmp_path)
    await turn_to(clock, THREE + timedelta(hours=4))
    async with crew(tmp_path, clock, job(work)) as made:
        await until(lambda: work.runs and made.jobs.running("analysis") is None)
    assert work.runs[0].scheduled_for == THREE


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.timeout(300)
async def test_over_both_changes_of_the_clocks_with_a_restart_each_day_each_night_runs_once(
    tmp_path: Path, zone: str
) -> None:
    work = Quick()
    spec = job(work, schedule="30 2 * * *")
    for start in (at("2026-03-05 10:00"), at("2026-03-26 10:00"), at("2026-10-01 10:00")):
        clock = TurnedClock(start)
        folder = tmp_path / str(start.date())
        first = len(work.runs)
        for _ in range(8):
            async with crew(folder, clock, spec, zone=ZoneInfo(zone)) as made:
                following = made.jobs.next_run("analysis")
                assert following is not None
                await turn_to(clock, following)
                made.jobs.look("analysis")
                await until(lambda: [event for event in made.heard if isinstance(event, RunEnded)])
        days = [
            run.scheduled_for.astimezone(ZoneInfo(zone)).date()
            for run in work.runs[first:]
            if run.scheduled_for is not None
        ]
        assert len(set(days)) == len(days) == 8
        assert (max(days) - min(days)).days == 7
