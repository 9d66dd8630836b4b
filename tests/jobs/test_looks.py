"""Jobs that look every few minutes: what comes of a look is written, the quiet ones once an hour."""

import logging
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from app.clock import TurnedClock
from app.errors import InputError
from app.jobs.context import RunContext
from app.jobs.policies import CatchUp
from app.jobs.run import AlreadyRunningError, Run, RunStatus, Trigger
from app.jobs.spec import JobSpec, Outcome
from tests.jobs.crew import Crew, Gate, Quick, at, crew, job, until

BEGIN = at("2026-03-10 12:01")
_log = logging.getLogger("app.test_looks")


class Looks:
    """Finds nothing, until it is told what happens."""

    def __init__(self) -> None:
        self.runs: list[RunContext] = []
        self.finds = 0
        self.error: Exception | None = None

    async def __call__(self, context: RunContext) -> Outcome:
        self.runs.append(context)
        _log.warning("looked %d times", len(self.runs))
        if self.error is not None:
            raise self.error
        return Outcome(counts={"found": self.finds}, quiet=not self.finds)


def look(work: object, name: str = "alert_detector") -> JobSpec:
    return job(
        work,  # type: ignore[arg-type] # a callable object, as jobs are
        name=name,
        schedule="every 5 minutes",
        look=True,
        attempts=1,
        catch_up=CatchUp.SKIP,
    )


async def five_minutes_on(made: Crew, clock: TurnedClock, times: int = 1) -> None:
    for _ in range(times):
        await clock.turn(timedelta(minutes=5))
        made.jobs.look("alert_detector")
        await until(lambda: made.at_rest)


async def rows(made: Crew) -> list[Run]:
    return list(reversed(await made.ledger.recent("alert_detector", 100)))


async def test_quiet_looks_are_written_once_an_hour_with_how_many_they_were(tmp_path: Path) -> None:
    clock, work = TurnedClock(BEGIN), Looks()
    async with crew(tmp_path, clock, look(work)) as made:
        await five_minutes_on(made, clock, 25)
        written = await rows(made)
    assert len(work.runs) == 25
    assert [run.details["looks"] for run in written] == [1, 12, 12]
    assert {run.status for run in written} == {RunStatus.COMPLETED}


async def test_a_quiet_look_writes_nothing_at_all(tmp_path: Path) -> None:
    clock, work = TurnedClock(BEGIN), Looks()
    async with crew(tmp_path, clock, look(work)) as made:
        await five_minutes_on(made, clock)
        before = everything(tmp_path)
        await five_minutes_on(made, clock, 10)
        assert everything(tmp_path) == before
        assert made.jobs.looked_at("alert_detector") == clock.now()
    assert len(work.runs) == 11


def everything(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.db*") if not path.name.endswith("-shm")}


async def test_a_look_that_finds_something_has_its_row_at_once_and_its_log(tmp_path: Path) -> None:
    clock, work = TurnedClock(BEGIN), Looks()
    async with crew(tmp_path, clock, look(work)) as made:
        await five_minutes_on(made, clock, 3)
        work.finds = 2
        await five_minutes_on(made, clock)
        newest = (await rows(made))[-1]
        assert newest.counts == {"found": 2}
        assert newest.details["looks"] == 3
        assert [line.text for line in await made.log.lines(newest.run_id)] == ["looked 4 times"]
        assert [event.run for event in made.ended()][-1] == newest


async def test_a_look_that_fails_is_written_and_so_is_the_one_after_it(tmp_path: Path) -> None:
    clock, work = TurnedClock(BEGIN), Looks()
    async with crew(tmp_path, clock, look(work)) as made:
        await five_minutes_on(made, clock, 2)
        work.error = InputError("the hub said no")
        await five_minutes_on(made, clock)
        work.error = None
        await five_minutes_on(made, clock, 3)
        written = await rows(made)
    assert [run.status for run in written] == [RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.COMPLETED]
    assert written[1].error_message == "the hub said no"


async def test_looks_that_were_missed_are_not_made_up_for_and_leave_no_rows(tmp_path: Path) -> None:
    clock, work = TurnedClock(BEGIN), Looks()
    async with crew(tmp_path, clock, look(work)) as made:
        await five_minutes_on(made, clock)
    await clock.turn(timedelta(days=2))
    async with crew(tmp_path, clock, look(work)) as made:
        await until(lambda: made.at_rest)
        assert len(work.runs) == 1
        await five_minutes_on(made, clock)
        assert [run.trigger for run in await rows(made)] == [Trigger.SCHEDULE, Trigger.SCHEDULE]
    assert len(work.runs) == 2


async def test_after_the_clocks_file_was_lost_looks_are_not_made_up_for_either(tmp_path: Path) -> None:
    clock, work, other = TurnedClock(BEGIN), Looks(), Quick()
    nightly = job(other)
    async with crew(tmp_path, clock, look(work), nightly) as made:
        await five_minutes_on(made, clock)
    (tmp_path / "clock.db").unlink()
    await clock.turn(timedelta(days=2))
    async with crew(tmp_path, clock, look(work), nightly) as made:
        await until(lambda: made.at_rest)
    assert len(work.runs) == 1
    assert [context.trigger for context in other.runs] == [Trigger.CATCH_UP]


async def test_looks_are_not_in_the_clocks_file(tmp_path: Path) -> None:
    clock = TurnedClock(BEGIN)
    async with crew(tmp_path, clock, look(Looks()), job(Quick())):
        with closing(sqlite3.connect(tmp_path / "clock.db")) as db:
            assert db.execute("SELECT id FROM apscheduler_jobs").fetchall() == [("analysis home",)]


async def test_a_job_that_becomes_a_look_leaves_the_clocks_file(tmp_path: Path) -> None:
    clock = TurnedClock(BEGIN)
    async with crew(tmp_path, clock, job(Quick(), schedule="every 5 minutes")):
        pass
    async with crew(tmp_path, clock, look(Looks(), "analysis")):
        with closing(sqlite3.connect(tmp_path / "clock.db")) as db:
            assert db.execute("SELECT id FROM apscheduler_jobs").fetchall() == []


async def test_a_person_starts_a_look_with_a_row_of_its_own_but_not_beside_one_that_goes_on(
    tmp_path: Path,
) -> None:
    clock, gate = TurnedClock(BEGIN), Gate()
    async with crew(tmp_path, clock, look(gate)) as made:
        await clock.turn(timedelta(minutes=5))
        made.jobs.look("alert_detector")
        await until(lambda: gate.runs)
        with pytest.raises(AlreadyRunningError):
            await made.jobs.trigger("alert_detector")
        gate.open.set()
        await until(lambda: made.at_rest)
        run = await made.jobs.trigger("alert_detector")
        assert (await made.jobs.wait(run.run_id)).trigger is Trigger.MANUAL


async def test_a_look_that_is_cut_off_by_a_stop_owes_nothing(tmp_path: Path) -> None:
    clock, gate = TurnedClock(BEGIN), Gate()
    async with crew(tmp_path, clock, look(gate)) as made:
        await clock.turn(timedelta(minutes=5))
        made.jobs.look("alert_detector")
        await until(lambda: gate.runs)
    work = Looks()
    async with crew(tmp_path, clock, look(work)) as made:
        await until(lambda: made.at_rest)
        assert await rows(made) == []
    assert work.runs == []


async def test_a_paused_look_rests_over_a_restart(tmp_path: Path) -> None:
    clock, work = TurnedClock(BEGIN), Looks()
    async with crew(tmp_path, clock, look(work)) as made:
        await made.jobs.pause("alert_detector")
    async with crew(tmp_path, clock, look(work)) as made:
        await five_minutes_on(made, clock, 3)
        assert work.runs == []
        await made.jobs.resume("alert_detector")
        await five_minutes_on(made, clock)
    assert len(work.runs) == 1


def test_a_look_that_would_be_tried_twice_or_caught_up_is_refused() -> None:
    with pytest.raises(ValueError, match="a look is one piece, tried once, and never caught up"):
        job(Quick(), look=True)
