"""A night of the crew, its failures, and what people do to it."""

import asyncio
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.clock import SystemClock, TurnedClock
from app.errors import InputError, NightshiftError, StoreError
from app.jobs.announcements import Progress, RunEnded, RunProgressed, RunSkipped, RunStarted
from app.jobs.context import RunContext
from app.jobs.ledger import AlreadyRunningError, RunStatus, Trigger
from app.jobs.only_one import OnlyOne
from app.jobs.places import Place
from app.jobs.spec import Outcome
from tests.jobs.crew import Gate, Quick, at, crew, job, turn_to, until

THREE = at("2026-03-10 02:00")  # 03:00 in Paris
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock(at("2026-03-09 12:00"))


async def test_at_three_the_job_runs_once_and_leaves_a_row(tmp_path: Path, clock: TurnedClock) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)) as made:
        assert made.jobs.next_run("analysis") == THREE
        await turn_to(clock, THREE)
        for _ in range(3):
            made.jobs.look("analysis")
        await until(lambda: [e for e in made.heard if isinstance(e, RunEnded)])
        (run,) = await made.ledger.recent()
        assert (run.trigger, run.status, run.scheduled_for) == (Trigger.SCHEDULE, RunStatus.COMPLETED, THREE)
        assert run.counts == {"patterns": 3}
        assert made.jobs.next_run("analysis") == THREE + DAY
    assert [type(event) for event in made.heard] == [RunStarted, RunEnded]
    assert (work.runs[0].run_id, work.runs[0].home, work.runs[0].scheduled_for) == (run.run_id, "home", THREE)


async def test_a_tick_of_the_clock_reaches_the_job(tmp_path: Path) -> None:
    work = Quick()
    async with crew(tmp_path, SystemClock(), job(work, schedule="* * * * *")) as made:
        # Not a minute of waiting: the last minute counts as not decided on, and APScheduler's row as overdue.
        now = SystemClock().now()
        made.jobs._dispatch.duties._seen = now - timedelta(minutes=1)
        scheduler = made.jobs._dispatch.schedule._ticking()
        await asyncio.to_thread(scheduler.modify_job, "analysis home", next_run_time=now)
        await until(lambda: [e for e in made.heard if isinstance(e, RunEnded)])
        (run,) = await made.ledger.recent()
    assert run.trigger is Trigger.SCHEDULE
    assert run.scheduled_for is not None
    assert run.scheduled_for.second == 0


async def test_a_run_that_is_due_while_the_last_one_goes_on_is_skipped_and_says_why(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Gate()
    async with crew(tmp_path, clock, job(work, time_limit=3 * DAY)) as made:
        await turn_to(clock, THREE)
        made.jobs.look("analysis")
        await until(lambda: work.runs)
        await turn_to(clock, THREE + DAY)
        made.jobs.look("analysis")
        await until(lambda: [e for e in made.heard if isinstance(e, RunSkipped)])
        skipped = (await made.ledger.recent())[0]
        assert (skipped.status, skipped.scheduled_for) == (RunStatus.SKIPPED, THREE + DAY)
        assert skipped.error_message == "Skipped because the run of 03:00 on 10 March 2026 was still going."
        assert len(work.runs) == 1
        work.open.set()


async def test_starting_what_runs_already_tells_which_run_it_is(tmp_path: Path, clock: TurnedClock) -> None:
    work = Gate()
    async with crew(tmp_path, clock, job(work)) as made:
        run = await made.jobs.trigger("analysis")
        with pytest.raises(AlreadyRunningError) as refused:
            await made.jobs.trigger("analysis")
        assert refused.value.run == run == made.jobs.running("analysis")
        work.open.set()
        ended = await made.jobs.wait(run.run_id)
        assert (ended.trigger, ended.status, ended.scheduled_for) == (
            Trigger.MANUAL,
            RunStatus.COMPLETED,
            None,
        )
        assert made.jobs.running("analysis") is None


async def test_a_failed_night_is_tried_once_more_after_a_pause_and_the_next_night_as_ever(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Quick(failures=99)
    async with crew(tmp_path, clock, job(work)) as made:
        await turn_to(clock, THREE)
        made.jobs.look("analysis")
        await until(lambda: made.alarms)
        assert made.jobs.next_run("analysis") == THREE + timedelta(minutes=30)
        await clock.turn(timedelta(minutes=29))
        assert len(work.runs) == 1
        await clock.turn(timedelta(minutes=1))
        await until(lambda: len([e for e in made.heard if isinstance(e, RunEnded)]) == 2)
        second, first = await made.ledger.recent()
        assert (first.status, first.error_message) == (RunStatus.FAILED, "the hub said no")
        assert (second.trigger, second.attempt, second.retry_of) == (Trigger.RETRY, 2, first.run_id)
        await clock.turn(timedelta(hours=20))
        assert len(work.runs) == 2
        assert made.jobs.next_run("analysis") == THREE + DAY
        await turn_to(clock, THREE + DAY)
        made.jobs.look("analysis")
        await until(lambda: len(work.runs) == 3)
        assert work.runs[2].scheduled_for == THREE + DAY


async def test_a_run_by_hand_that_fails_is_left_to_the_person(tmp_path: Path, clock: TurnedClock) -> None:
    async with crew(tmp_path, clock, job(Quick(failures=1))) as made:
        run = await made.jobs.trigger("analysis")
        assert (await made.jobs.wait(run.run_id)).status is RunStatus.FAILED
        assert made.alarms == {}


async def test_a_run_by_hand_takes_the_place_of_the_second_try(tmp_path: Path, clock: TurnedClock) -> None:
    work = Quick(failures=1)
    async with crew(tmp_path, clock, job(work)) as made:
        await turn_to(clock, THREE)
        made.jobs.look("analysis")
        await until(lambda: made.alarms)
        run = await made.jobs.trigger("analysis")
        await made.jobs.wait(run.run_id)
        await clock.turn(timedelta(hours=1))
        assert made.jobs.next_run("analysis") == THREE + DAY
    assert len(work.runs) == 2


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InputError("the zone is unknown: set it in the hub"), "the zone is unknown: set it in the hub"),
        (KeyError("light.x"), "unexpected: KeyError: 'light.x'"),
        (SystemExit(3), "unexpected: SystemExit: 3"),
        (KeyboardInterrupt(), "unexpected: KeyboardInterrupt"),
        (asyncio.CancelledError(), "unexpected: CancelledError"),
    ],
)
async def test_whatever_a_job_raises_is_recorded_on_one_line(
    tmp_path: Path,
    clock: TurnedClock,
    caplog: pytest.LogCaptureFixture,
    error: BaseException,
    said: str,
) -> None:
    async def work(_context: RunContext) -> Outcome:
        raise error

    async with crew(tmp_path, clock, job(work)) as made:
        run = await made.jobs.trigger("analysis")
        ended = await made.jobs.wait(run.run_id)
    assert (ended.status, ended.error_message) == (RunStatus.FAILED, said)
    assert caplog.text.count("Traceback") == (0 if isinstance(error, NightshiftError) else 1)


async def test_a_job_that_returns_no_outcome_has_failed(tmp_path: Path, clock: TurnedClock) -> None:
    async def work(_context: RunContext) -> Any:
        return 3

    async with crew(tmp_path, clock, job(work)) as made:
        ended = await made.jobs.wait((await made.jobs.trigger("analysis")).run_id)
    assert ended.error_message == "unexpected: TypeError: a job returns an Outcome, not int"


async def test_a_run_in_which_some_subjects_failed_is_partial_and_says_which(
    tmp_path: Path, clock: TurnedClock
) -> None:
    async def work(context: RunContext) -> Outcome:
        context.fail("kitchen", InputError("no lamp in it"))
        context.fail("hall", ValueError("x"))
        return Outcome(counts={"rooms": 5}, details={"rooms": "all"})

    async with crew(tmp_path, clock, job(work)) as made:
        ended = await made.jobs.wait((await made.jobs.trigger("analysis")).run_id)
    assert ended.status is RunStatus.PARTIAL
    assert ended.error_message == "2 failed: kitchen: no lamp in it; hall: unexpected: ValueError: x"
    assert ended.details["failures"][0] == {"subject": "kitchen", "error": "no lamp in it"}
    assert (ended.counts, ended.details["rooms"]) == ({"rooms": 5}, "all")


async def test_a_run_beyond_its_time_limit_is_ended_and_has_failed(
    tmp_path: Path, clock: TurnedClock
) -> None:
    async with crew(tmp_path, clock, job(Gate(), time_limit=timedelta(minutes=15))) as made:
        run = await made.jobs.trigger("analysis")
        await clock.turn(timedelta(minutes=14))
        assert made.jobs.running("analysis") is not None
        await clock.turn(timedelta(minutes=1))
        ended = await made.jobs.wait(run.run_id)
    assert (ended.status, ended.duration_seconds) == (RunStatus.FAILED, 900.0)
    assert ended.error_message == "It took longer than 15 minutes and was ended."


async def test_progress_is_known_at_once_and_told_a_few_times_a_second(
    tmp_path: Path, clock: TurnedClock
) -> None:
    gate = asyncio.Event()

    async def work(context: RunContext) -> Outcome:
        for day in range(1, 101):
            context.progress("reading", day, 120)
        await gate.wait()
        context.progress("reading", 120, 120)
        return Outcome()

    async with crew(tmp_path, clock, job(work)) as made:
        assert made.jobs.progress("analysis") is None
        run = await made.jobs.trigger("analysis")
        await until(lambda: made.jobs.progress("analysis"))
        assert made.jobs.progress("analysis") == Progress("reading", 100, 120)
        gate.set()
        await made.jobs.wait(run.run_id)
        assert made.jobs.progress("analysis") is None
    told = [event.progress.done for event in made.heard if isinstance(event, RunProgressed)]
    assert told == [1, 120]


async def test_a_cancelled_run_is_interrupted_and_is_not_taken_up_again(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Gate()
    async with crew(tmp_path, clock, job(work)) as made:
        run = await made.jobs.trigger("analysis")
        assert await made.jobs.cancel(run.run_id)
        ended = await made.jobs.wait(run.run_id)
        assert (ended.status, ended.error_message) == (RunStatus.INTERRUPTED, "Cancelled by hand.")
        assert not await made.jobs.cancel(run.run_id)
        assert not await made.jobs.cancel("no such run")
    async with crew(tmp_path, clock, job(work)) as made:
        assert made.jobs.running("analysis") is None


async def test_whoever_asked_for_a_run_may_leave_before_it_has_started(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)) as made:
        asking = asyncio.create_task(made.jobs.trigger("analysis"))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await until(lambda: [e for e in made.heard if isinstance(e, RunEnded)])
        (run,) = await made.ledger.recent()
    assert run.status is RunStatus.COMPLETED


async def test_an_unknown_job_is_refused_by_name(tmp_path: Path, clock: TurnedClock) -> None:
    async with crew(tmp_path, clock, job(Quick())) as made:
        with pytest.raises(InputError, match="there is no job 'analyse'; there are: analysis"):
            await made.jobs.trigger("analyse")


async def test_a_paused_job_does_not_run_by_itself_but_by_hand(tmp_path: Path, clock: TurnedClock) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)) as made:
        await made.jobs.pause("analysis")
        assert made.jobs.is_paused("analysis")
        assert made.jobs.next_run("analysis") is None
        await turn_to(clock, THREE)
        made.jobs.look("analysis")
        await until(lambda: not made.looks)
        assert work.runs == []
        await made.jobs.wait((await made.jobs.trigger("analysis")).run_id)
        assert len(work.runs) == 1
        await made.jobs.resume("analysis")
        assert made.jobs.next_run("analysis") == THREE + DAY
        made.jobs.look("analysis")
        await until(lambda: not made.looks)
        assert len(work.runs) == 1
        skipped = [run for run in await made.ledger.recent() if run.status is RunStatus.SKIPPED]
        assert [run.scheduled_for for run in skipped] == [THREE]
        assert str(skipped[0].error_message).startswith("Skipped because the job was paused")


async def test_another_zone_moves_the_next_run_and_loses_none(tmp_path: Path, clock: TurnedClock) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)) as made:
        await turn_to(clock, THREE + timedelta(minutes=1))
        await made.jobs.set_places([Place("home", ZoneInfo("America/New_York"))])
        await until(lambda: [e for e in made.heard if isinstance(e, RunEnded)])
        assert [run.scheduled_for for run in work.runs] == [THREE]
        assert made.jobs.next_run("analysis") == at("2026-03-10 07:00")
        await turn_to(clock, at("2026-03-10 07:00"))
        made.jobs.look("analysis")
        await until(lambda: len(work.runs) == 2)


async def test_a_zone_that_the_schedules_file_did_not_take_is_set_when_it_is_told_again(
    tmp_path: Path, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with crew(tmp_path, clock, job(Quick())) as made:

        async def locked(*_given: object) -> None:
            raise StoreError("the schedule's file is locked")

        with monkeypatch.context() as patched:
            patched.setattr(made.jobs._dispatch.schedule, "reconcile", locked)
            with pytest.raises(StoreError):
                await made.jobs.set_places([Place("home", ZoneInfo("America/New_York"))])
        assert made.jobs.next_run("analysis") == THREE
        await made.jobs.set_places([Place("home", ZoneInfo("America/New_York"))])
        assert made.jobs.next_run("analysis") == at("2026-03-10 07:00")


async def test_a_clock_that_is_set_back_an_hour_doubles_nothing(tmp_path: Path, clock: TurnedClock) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)) as made:
        await turn_to(clock, THREE + timedelta(minutes=10))
        made.jobs.look("analysis")
        await until(lambda: [e for e in made.heard if isinstance(e, RunEnded)])
        clock._now = THREE - timedelta(minutes=5)
        made.jobs.look("analysis")
        await turn_to(clock, THREE)
        made.jobs.look("analysis")
        await until(lambda: not made.looks)
    assert len(work.runs) == 1
    async with crew(tmp_path, clock, job(work)) as made:
        pass
    assert len(work.runs) == 1


async def test_a_clock_that_leaps_ahead_catches_up_once(tmp_path: Path, clock: TurnedClock) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)) as made:
        await turn_to(clock, THREE + 3 * DAY + timedelta(hours=5))
        made.jobs.look("analysis")
        await until(lambda: [e for e in made.heard if isinstance(e, RunEnded)])
        runs = await made.ledger.recent()
    assert [(run.scheduled_for, run.status) for run in runs] == [
        (THREE + 3 * DAY, RunStatus.COMPLETED),
        (THREE + 2 * DAY, RunStatus.SKIPPED),
        (THREE + DAY, RunStatus.SKIPPED),
        (THREE, RunStatus.SKIPPED),
    ]
    assert runs[0].trigger is Trigger.CATCH_UP
    assert runs[1].error_message == (
        "Missed: Nightshift was off or asleep. The run of 03:00 makes up for it."
    )


async def test_a_database_that_cannot_take_the_run_is_asked_again(
    tmp_path: Path, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)) as made:
        claim, finish, refused = made.ledger.claim, made.ledger.finish, []

        def once(what: Any) -> Any:
            async def asked(*given: Any, **named: Any) -> Any:
                if what not in refused:
                    refused.append(what)
                    raise StoreError("the disk is full")
                return await what(*given, **named)

            return asked

        monkeypatch.setattr(made.ledger, "claim", once(claim))
        monkeypatch.setattr(made.ledger, "finish", once(finish))
        await turn_to(clock, THREE)
        made.jobs.look("analysis")
        await until(lambda: clock._sleepers)
        await clock.turn(timedelta(seconds=5))
        await until(lambda: len(refused) == 2 and clock._sleepers)
        assert made.jobs.running("analysis") is not None
        await clock.turn(timedelta(seconds=1))
        await until(lambda: [e for e in made.heard if isinstance(e, RunEnded)])
        (run,) = await made.ledger.recent()
    assert (run.status, run.scheduled_for) == (RunStatus.COMPLETED, THREE)


async def test_a_second_try_that_the_database_cannot_take_is_not_lost(
    tmp_path: Path, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Quick(failures=1)
    async with crew(tmp_path, clock, job(work)) as made:
        await turn_to(clock, THREE)
        made.jobs.look("analysis")
        await until(lambda: made.alarms)
        claim, refused = made.ledger.claim, list[Any]()

        async def locked_once(*given: Any, **named: Any) -> Any:
            if not refused:
                refused.append(given)
                raise StoreError("the database is locked by another program")
            return await claim(*given, **named)

        monkeypatch.setattr(made.ledger, "claim", locked_once)
        await clock.turn(timedelta(minutes=30))
        await until(lambda: refused)
        await asyncio.sleep(0)
        await clock.turn(timedelta(seconds=5))
        await until(lambda: len([e for e in made.heard if isinstance(e, RunEnded)]) == 2)
        second, _ = await made.ledger.recent()
    assert (second.trigger, second.status) == (Trigger.RETRY, RunStatus.COMPLETED)


async def test_the_end_of_a_failed_run_says_when_it_is_tried_again(
    tmp_path: Path, clock: TurnedClock
) -> None:
    async with crew(tmp_path, clock, job(Quick(failures=2))) as made:
        await turn_to(clock, THREE)
        made.jobs.look("analysis")
        await until(lambda: made.alarms)
        await clock.turn(timedelta(minutes=30))
        await until(lambda: len([e for e in made.heard if isinstance(e, RunEnded)]) == 2)
        first, second = (event for event in made.heard if isinstance(event, RunEnded))
    assert (first.again_at, second.again_at) == (THREE + timedelta(minutes=30), None)


async def test_runs_of_more_than_400_days_ago_are_forgotten_after_a_run(
    tmp_path: Path, clock: TurnedClock
) -> None:
    async with crew(tmp_path, clock, job(Quick())) as made:
        old = await made.jobs.wait((await made.jobs.trigger("analysis")).run_id)
        await clock.turn(timedelta(days=401))
        new = await made.jobs.wait((await made.jobs.trigger("analysis")).run_id)
        await until(lambda: not made.looks)
        assert await made.ledger.get(old.run_id) is None
        assert await made.ledger.get(new.run_id) is not None


def test_a_second_nightshift_in_a_folder_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    first, second = OnlyOne(tmp_path / "data" / "clock.lock"), OnlyOne(tmp_path / "data" / "clock.lock")
    first.take()
    with pytest.raises(StoreError, match="another Nightshift works in this folder"):
        second.take()
    first.release()
    second.take()
    second.release()


def test_a_folder_that_cannot_be_written_to_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in its place")
    with pytest.raises(StoreError, match="the data folder cannot be written to"):
        OnlyOne(tmp_path / "data" / "clock.lock").take()


async def test_one_run_from_the_command_line_starts_nothing_else(tmp_path: Path, clock: TurnedClock) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)):
        pass
    await turn_to(clock, THREE + timedelta(hours=5))
    async with crew(tmp_path, clock, job(work), start=False) as made:
        await made.jobs.start(scheduling=False)
        await made.jobs.wait((await made.jobs.trigger("analysis")).run_id)
    assert [run.trigger for run in work.runs] == [Trigger.MANUAL]
    async with crew(tmp_path, clock, job(work)) as made:
        await until(lambda: len(work.runs) == 2)
    assert work.runs[1].trigger is Trigger.CATCH_UP


async def test_idle_ticks_write_nothing(tmp_path: Path, clock: TurnedClock) -> None:
    async with crew(tmp_path, clock, job(Quick()), job(Quick(), name="cleanup")) as made:

        def written() -> list[tuple[str, int, int]]:
            # Not by reading them: to close a file of one's own SQLite database lets go of SQLite's locks.
            files = [path for path in sorted(tmp_path.iterdir()) if not path.name.endswith("-shm")]
            return [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]

        before = written()
        for _ in range(50):
            await clock.turn(timedelta(minutes=1))
            made.jobs.look("analysis")
            made.jobs.look("cleanup")
            await asyncio.to_thread(made.jobs._dispatch.schedule._ticking()._process_jobs)
            await until(lambda: not made.looks)
        assert written() == before


async def test_a_listener_hears_of_a_run_after_it_is_written(tmp_path: Path, clock: TurnedClock) -> None:
    async with crew(tmp_path, clock, job(Quick())) as made:
        seen: list[Any] = []
        made.jobs._bus.subscribe(
            RunEnded, lambda event: seen.append((event.run.status, made.jobs.running("analysis")))
        )
        await made.jobs.wait((await made.jobs.trigger("analysis")).run_id)
    assert seen == [(RunStatus.COMPLETED, None)]


async def test_the_engine_is_at_hand_in_a_job(
    tmp_path: Path, clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(context: RunContext) -> Outcome:
        result = await context.engine.call("tests.jobs.crew:reverse", b"night", context.progress)
        return Outcome(details={"said": result.output.decode()})

    with caplog.at_level(logging.INFO):
        async with crew(tmp_path, clock, job(work)) as made:
            ended = await made.jobs.wait((await made.jobs.trigger("analysis")).run_id)
    assert ended.details == {"said": "thgin"}
