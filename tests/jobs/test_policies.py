"""What a declaration says about overlap, catching up, limits, rates and alerts, each seen to be done."""

import asyncio
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.clock import TurnedClock
from app.jobs.announcements import JobFailing, JobRecovered, RunEnded, RunSkipped
from app.jobs.context import RunContext
from app.jobs.places import Place
from app.jobs.policies import Backoff, CatchUp, Overlap, RateLimit, Scope
from app.jobs.run import AlreadyRunningError, RateLimitedError, Run, RunStatus, SkippedBecause, Trigger
from app.jobs.spec import Outcome
from tests.jobs.crew import SOON, Crew, Gate, Quick, at, crew, hang, job, turn_to, until

THREE = at("2026-03-10 02:00")
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock(at("2026-03-09 12:00"))


class Turns:
    """A job each of whose runs waits to be let go on its own."""

    def __init__(self) -> None:
        self.runs: list[RunContext] = []
        self.gates: list[asyncio.Event] = []

    async def __call__(self, context: RunContext) -> Outcome:
        self.runs.append(context)
        gate = asyncio.Event()
        self.gates.append(gate)
        await gate.wait()
        return Outcome()

    @property
    def due(self) -> list[object]:
        return [run.scheduled_for for run in self.runs]

    def open(self) -> None:
        for gate in self.gates:
            gate.set()


async def come_round(made: Crew, clock: TurnedClock, instant: object) -> None:
    """Turn the clock to then and let what is due be decided."""
    assert hasattr(instant, "tzinfo")
    await turn_to(clock, instant)  # type: ignore[arg-type] # an instant
    made.jobs.look("analysis")
    await until(lambda: not made.looks)


async def statuses(made: Crew) -> dict[object, RunStatus]:
    return {run.scheduled_for: run.status for run in await made.ledger.recent() if run.scheduled_for}


async def test_a_queued_run_waits_for_the_one_before_it_and_one_more_is_skipped(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Turns()
    async with crew(tmp_path, clock, job(work, overlap=Overlap.QUEUE, time_limit=9 * DAY)) as made:
        for days in range(3):
            await come_round(made, clock, THREE + days * DAY)
        assert await statuses(made) == {
            THREE: RunStatus.RUNNING,
            THREE + DAY: RunStatus.PENDING,
            THREE + 2 * DAY: RunStatus.SKIPPED,
        }
        skipped = (await made.ledger.recent())[0]
        assert skipped.error_message == (
            "Skipped because the run of 03:00 on 10 March 2026 was still going "
            "and the next one waited already."
        )
        work.open()
        await until(lambda: len(work.runs) == 2)
        assert work.due == [THREE, THREE + DAY]
        assert work.runs[1].occasion == THREE + DAY
        work.open()
        await until(lambda: made.jobs.running("analysis") is None)


async def test_what_waited_is_taken_up_by_the_next_start(tmp_path: Path, clock: TurnedClock) -> None:
    work = Turns()
    spec = job(work, overlap=Overlap.QUEUE, time_limit=9 * DAY)
    async with crew(tmp_path, clock, spec) as made:
        await come_round(made, clock, THREE)
        await come_round(made, clock, THREE + DAY)
    async with crew(tmp_path, clock, spec) as made:
        await until(lambda: len(work.runs) == 2)
        assert work.runs[1].trigger is Trigger.CATCH_UP  # the one that was cut off, first
        work.open()
        await until(lambda: len(work.runs) == 3)
        work.open()
        await until(lambda: made.jobs.running("analysis") is None)
        runs = await made.ledger.recent()
    assert work.due == [THREE, None, THREE + DAY]
    assert work.runs[1].occasion == THREE
    assert [run.status for run in runs] == [RunStatus.COMPLETED, RunStatus.COMPLETED, RunStatus.INTERRUPTED]


async def test_a_run_that_is_replaced_is_cut_off_and_not_taken_up_again(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Turns()
    spec = job(work, overlap=Overlap.REPLACE, time_limit=9 * DAY)
    async with crew(tmp_path, clock, spec) as made:
        await come_round(made, clock, THREE)
        await come_round(made, clock, THREE + DAY)
        await until(lambda: len(work.runs) == 2)
        work.open()
        await until(lambda: made.jobs.running("analysis") is None)
        first = (await made.ledger.recent())[1]
    assert (first.status, first.error_message) == (RunStatus.INTERRUPTED, "Cut off: the next run was due.")
    async with crew(tmp_path, clock, spec) as made:
        assert made.jobs.running("analysis") is None
    assert work.due == [THREE, THREE + DAY]


async def test_a_run_that_waits_can_be_cancelled(tmp_path: Path, clock: TurnedClock) -> None:
    work = Turns()
    async with crew(tmp_path, clock, job(work, overlap=Overlap.QUEUE, time_limit=9 * DAY)) as made:
        await come_round(made, clock, THREE)
        await come_round(made, clock, THREE + DAY)
        (waiting,) = await made.ledger.pending("analysis", "home")
        assert await made.jobs.cancel(waiting.run_id)
        assert not await made.jobs.cancel(waiting.run_id)
        work.open()
        await until(lambda: made.jobs.running("analysis") is None)
        cancelled = await made.ledger.get(waiting.run_id)
    assert cancelled is not None
    assert cancelled.details["because"] == SkippedBecause.CANCELLED
    assert work.due == [THREE]


async def test_a_second_try_that_is_cancelled_has_failed(tmp_path: Path, clock: TurnedClock) -> None:
    async with crew(tmp_path, clock, job(Quick(failures=9))) as made:
        await come_round(made, clock, THREE)
        await until(lambda: made.alarms)
        (run,) = await made.ledger.waiting()
        assert (run.status, run.next_retry_at) == (RunStatus.RETRYING, THREE + 30 * MINUTE)
        assert await made.jobs.cancel(run.run_id)
        await until(lambda: not made.looks)
        assert await made.ledger.waiting() == []
        assert made.jobs.next_run("analysis") == THREE + DAY


async def test_each_missed_night_is_run_the_oldest_first_and_a_kill_between_them_loses_none(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Turns()
    spec = job(work, catch_up=CatchUp.ALL, window=3 * DAY, restarts=9)
    async with crew(tmp_path, clock, spec):
        pass
    await turn_to(clock, THREE + 4 * DAY + 4 * HOUR)
    async with crew(tmp_path, clock, spec) as made:
        await until(lambda: work.runs)
        assert await statuses(made) == {
            THREE: RunStatus.SKIPPED,
            THREE + DAY: RunStatus.SKIPPED,
            THREE + 2 * DAY: RunStatus.RUNNING,
            THREE + 3 * DAY: RunStatus.PENDING,
            THREE + 4 * DAY: RunStatus.PENDING,
        }
    async with crew(tmp_path, clock, spec) as made:
        for count in (2, 3, 4):
            await until(lambda count=count: len(work.runs) == count)  # type: ignore[misc] # mypy knows no default
            work.open()
        await until(lambda: made.jobs.running("analysis") is None and not made.looks)
        ended = await made.ledger.recent()
    assert [run.occasion for run in work.runs[1:]] == [THREE + days * DAY for days in (2, 3, 4)]
    assert {run.status for run in ended} == {
        RunStatus.SKIPPED,
        RunStatus.INTERRUPTED,
        RunStatus.COMPLETED,
    }


async def test_of_several_to_be_made_up_for_one_that_fails_is_tried_again_before_the_next(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Quick(failures=1)
    spec = job(work, catch_up=CatchUp.ALL)
    async with crew(tmp_path, clock, spec):
        pass
    await turn_to(clock, THREE + DAY + 4 * HOUR)
    async with crew(tmp_path, clock, spec) as made:
        await until(lambda: made.alarms)
        assert [run.occasion for run in work.runs] == [THREE]
        await clock.turn(30 * MINUTE)
        await until(lambda: len(work.runs) == 3)
    assert [run.occasion for run in work.runs] == [THREE, THREE, THREE + DAY]


async def test_what_does_not_end_at_the_soft_limit_is_left_behind_at_the_hard_one(
    tmp_path: Path, clock: TurnedClock
) -> None:
    release, told = asyncio.Event(), list[str]()

    async def stubborn(context: RunContext) -> Outcome:
        if told:
            return Outcome()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                told.append("to end")
        context.progress("too late")
        return Outcome(counts={"too": 9})

    spec = job(stubborn, time_limit=15 * MINUTE, hard_limit=20 * MINUTE)
    async with crew(tmp_path, clock, spec) as made:
        run = await made.jobs.trigger("analysis")
        await clock.turn(15 * MINUTE)
        assert told == ["to end"]
        assert made.jobs.running("analysis") is not None
        await clock.turn(5 * MINUTE)
        ended = await made.jobs.wait(run.run_id)
        assert (ended.status, ended.duration_seconds) == (RunStatus.FAILED, 1200)
        assert ended.error_message == "It took longer than 15 minutes, did not end, and was left behind."
        next_one = await made.jobs.wait((await made.jobs.trigger("analysis")).run_id)
        assert next_one.status is RunStatus.COMPLETED
        release.set()
        await until(lambda: not made.jobs._crew._left_behind)
        assert await made.ledger.get(run.run_id) == ended


async def test_a_worker_of_a_run_that_is_left_behind_is_killed(tmp_path: Path, clock: TurnedClock) -> None:
    pids, release = list[int](), asyncio.Event()

    async def stubborn(context: RunContext) -> Outcome:
        def progress(step: str, _done: int, _total: int) -> None:
            pids.append(int(step.split()[1]))

        async def call() -> None:
            await context.engine.call(f"{hang.__module__}:hang", b"", progress)

        calling = asyncio.create_task(call())  # which a cancellation of the work does not reach
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        await asyncio.gather(calling, return_exceptions=True)
        return Outcome()

    async with crew(tmp_path, clock, job(stubborn, time_limit=MINUTE)) as made:
        run = await made.jobs.trigger("analysis")
        await until(lambda: pids)
        await clock.turn(2 * MINUTE)
        assert (await made.jobs.wait(run.run_id)).status is RunStatus.FAILED
        await until(lambda: not Path(f"/proc/{pids[0]}").exists())
        release.set()


async def test_as_many_runs_as_the_rate_allows_and_then_who_asks_is_told_when(
    tmp_path: Path, clock: TurnedClock
) -> None:
    spec = job(Quick(), rate_limit=RateLimit.of("2/hour"))
    async with crew(tmp_path, clock, spec) as made:
        for _ in range(2):
            await made.jobs.wait((await made.jobs.trigger("analysis")).run_id)
            await clock.turn(10 * MINUTE)
        with pytest.raises(RateLimitedError) as refused:
            await made.jobs.trigger("analysis")
        assert refused.value.retry_after == 40 * 60
        await made.jobs.wait((await made.jobs.trigger("analysis", force=True)).run_id)
        await clock.turn(HOUR)
        await made.jobs.trigger("analysis")


async def test_a_scheduled_run_beyond_the_rate_is_skipped_and_says_so(
    tmp_path: Path, clock: TurnedClock
) -> None:
    spec = job(Quick(), schedule="every 10 minutes", rate_limit=RateLimit.of("1/hour"))
    async with crew(tmp_path, clock, spec) as made:
        await come_round(made, clock, at("2026-03-09 12:10"))
        await until(lambda: made.jobs.running("analysis") is None)
        await come_round(made, clock, at("2026-03-09 12:20"))
        skipped, run = await made.ledger.recent()
        assert made.alarms == {}
        assert [event.run for event in made.heard if isinstance(event, RunSkipped)] == [skipped]
    assert (run.status, skipped.details["because"]) == (RunStatus.COMPLETED, SkippedBecause.RATE_LIMIT)
    assert skipped.error_message == ("Skipped because it ran as often as it may; it may again in 3000 s.")


async def test_what_waits_is_not_lost_to_the_rate_but_waits_for_it(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Quick()
    spec = job(work, catch_up=CatchUp.ALL, rate_limit=RateLimit.of("1/hour"))
    async with crew(tmp_path, clock, spec):
        pass
    await turn_to(clock, THREE + DAY + 4 * HOUR)
    async with crew(tmp_path, clock, spec) as made:
        await until(lambda: made.alarms)
        assert len(work.runs) == 1
        await clock.turn(HOUR)
        await until(lambda: len(work.runs) == 2)
    assert [run.occasion for run in work.runs] == [THREE, THREE + DAY]


async def test_people_are_told_once_that_a_job_keeps_failing_and_once_that_it_works_again(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work, heard = Quick(failures=4), list[object]()
    spec = job(work, attempts=1, alert_after=3)
    for days in range(6):
        async with crew(tmp_path, clock, spec) as made:  # a new start each day: it does not say it again
            await come_round(made, clock, THREE + days * DAY)
            await until(lambda: made.ended() and made.at_rest)
            heard += [event for event in made.heard if isinstance(event, JobFailing | JobRecovered)]
            if days < 4:
                assert await made.ledger.failures_in_a_row("analysis", "home") == days + 1
    assert heard == [JobFailing("analysis", "home", 3, "the hub said no"), JobRecovered("analysis", "home")]


async def test_the_second_try_waits_as_long_as_was_drawn_also_over_a_restart(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Quick(failures=2)
    spec = job(work, attempts=3, backoff=Backoff(10 * MINUTE, HOUR))
    async with crew(tmp_path, clock, spec) as made:
        await come_round(made, clock, THREE)
        await until(lambda: made.alarms)
        drawn = made.alarms["analysis home"]
        assert THREE <= drawn < THREE + 10 * MINUTE
    async with crew(tmp_path, clock, spec) as made:
        assert abs(made.alarms["analysis home"] - drawn) < timedelta(milliseconds=1)
        await turn_to(clock, drawn + timedelta(milliseconds=1))
        await until(lambda: len(work.runs) == 2 and made.alarms)
        assert drawn < made.alarms["analysis home"] < drawn + 20 * MINUTE
        await clock.turn(20 * MINUTE)
        await until(lambda: len(work.runs) == 3 and made.jobs.running("analysis") is None)
        runs = await made.ledger.recent()
    assert [run.status for run in runs] == [RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.FAILED]
    assert {run.occasion for run in runs} == {THREE}
    assert [run.scheduled_for for run in runs] == [None, None, THREE]


async def test_two_homes_run_apart_each_at_its_own_hour(tmp_path: Path, clock: TurnedClock) -> None:
    places = [Place("canal", ZoneInfo("Europe/Amsterdam")), Place("loft", ZoneInfo("America/New_York"))]
    work, once = Gate(), Quick()
    specs = job(work), job(once, name="cleanup", scope=Scope.ONCE)
    async with crew(tmp_path, clock, *specs, places=places) as made:
        assert made.jobs.homes == ("canal", "loft")
        assert made.jobs.next_run("analysis", "loft") == at("2026-03-10 07:00")
        assert made.jobs.next_run("analysis") == THREE
        await turn_to(clock, at("2026-03-10 07:00"))
        made.jobs.look("analysis")
        made.jobs.look("cleanup")
        await until(lambda: len(work.runs) == 2 and once.runs)
        assert {(run.home, run.scheduled_for) for run in work.runs} == {
            ("canal", THREE),
            ("loft", at("2026-03-10 07:00")),
        }
        assert [run.home for run in once.runs] == [""]
        with pytest.raises(AlreadyRunningError):
            await made.jobs.trigger("analysis", home="loft")
        running = made.jobs.running("analysis", "loft")
        assert running is not None
        assert await made.jobs.cancel(running.run_id)
        await until(lambda: made.jobs.running("analysis", "loft") is None)
        assert made.jobs.running("analysis", "canal") is not None
        work.open.set()


async def test_a_day_that_is_asked_for_is_the_occasion_of_the_run(tmp_path: Path, clock: TurnedClock) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)) as made:
        run = await made.jobs.trigger("analysis", day=at("2026-02-01 00:00").date(), force=True)
        await made.jobs.wait(run.run_id)
        plain = await made.jobs.wait((await made.jobs.trigger("analysis")).run_id)
    assert (run.occasion, run.scheduled_for, run.details) == (at("2026-02-01 02:00"), None, {"force": True})
    assert (work.runs[0].occasion, work.runs[0].force) == (at("2026-02-01 02:00"), True)
    assert plain.occasion == plain.started_at
    assert work.runs[0].zone.key == "Europe/Paris"


async def test_runs_older_than_their_job_keeps_them_are_forgotten(tmp_path: Path, clock: TurnedClock) -> None:
    async with crew(tmp_path, clock, job(Quick(), keep=7 * DAY), job(Quick(), name="cleanup")) as made:
        for name in ("analysis", "cleanup"):
            await made.jobs.wait((await made.jobs.trigger(name)).run_id)
        await clock.turn(8 * DAY)
        for name in ("analysis", "cleanup"):
            await made.jobs.wait((await made.jobs.trigger(name)).run_id)
        await until(lambda: not made.looks)
        kept = [run.job for run in await made.ledger.recent()]
    assert kept.count("analysis") == 1
    assert kept.count("cleanup") == 2


async def test_how_a_job_did_lately_is_counted(tmp_path: Path, clock: TurnedClock) -> None:
    work = Quick(failures=1)
    async with crew(tmp_path, clock, job(work, attempts=1)) as made:
        for _ in range(3):
            await made.jobs.wait((await made.jobs.trigger("analysis")).run_id)
            await clock.turn(MINUTE)
        run = await made.jobs.trigger("analysis")
        assert isinstance(run, Run)
        await made.jobs.wait(run.run_id)
        stats = await made.ledger.stats("analysis", clock.now() - 2 * MINUTE)
        everything = await made.ledger.stats("analysis", clock.now() - DAY)
    assert (stats.runs, stats.completed, stats.failed) == (3, 3, 0)
    assert (everything.runs, everything.completed, everything.failed) == (4, 3, 1)
    assert everything.seconds == [0.0, 0.0, 0.0]


async def test_a_pause_lets_what_waits_be_and_a_resume_does_not_bring_it_back(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Turns()
    spec = job(work, overlap=Overlap.QUEUE, time_limit=9 * DAY, backoff=SOON)
    async with crew(tmp_path, clock, spec) as made:
        await come_round(made, clock, THREE)
        await come_round(made, clock, THREE + DAY)
        await made.jobs.pause("analysis")
        assert (await statuses(made))[THREE + DAY] is RunStatus.SKIPPED
        work.open()
        await until(lambda: [event for event in made.heard if isinstance(event, RunEnded)])
        await made.jobs.resume("analysis")
        await until(lambda: not made.looks)
    assert work.due == [THREE]
