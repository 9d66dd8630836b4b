"""Where each occasion is to be done, who failed in one is tried again for it before the next one runs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.clock import TurnedClock
from app.errors import InputError
from app.jobs.announcements import SubjectGivenUp
from app.jobs.context import RunContext
from app.jobs.ledger import RunStatus, Trigger
from app.jobs.policies import CatchUp
from app.jobs.spec import JobSpec, Subjects
from app.jobs.subject import Subject
from tests.jobs.crew import Crew, at, crew, job, turn_to, until

THREE = at("2026-03-10 02:00")
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
ROOMS = tuple(Subject(name) for name in ("attic", "bath", "cellar", "den", "hall"))


class Rooms:
    """Work on rooms; the cellar fails as often as it is told to."""

    def __init__(self, failures: int = 1) -> None:
        self.failures = failures
        self.cellar: list[tuple[datetime, str]] = []

    async def of(self, _context: RunContext) -> Sequence[Subject]:
        return ROOMS

    async def work(self, context: RunContext, room: Subject) -> None:
        if room.subject_id != "cellar":
            return
        failed = len(self.cellar) < self.failures
        self.cellar.append((context.occasion, "failed" if failed else "done"))
        if failed:
            raise InputError("the cellar is locked")

    def job(self, **changes: object) -> JobSpec:
        given = {"catch_up": CatchUp.ALL, "subjects": Subjects(self.of, self.work)}
        return job(None, **{**given, **changes})


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock(at("2026-03-09 12:00"))


async def off_for_two_nights(folder: Path, clock: TurnedClock, spec: JobSpec) -> None:
    async with crew(folder, clock, spec):
        pass
    await turn_to(clock, THREE + DAY + 4 * HOUR)


async def half_an_hour_later(made: Crew, clock: TurnedClock) -> None:
    """Let half an hour go by, after which what waits is tried again."""
    await until(lambda: made.at_rest and made.alarms)
    await clock.turn(30 * MINUTE)
    await until(lambda: made.at_rest)


async def test_of_two_missed_nights_who_failed_in_the_first_is_tried_again_for_it_before_the_second(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Rooms()
    await off_for_two_nights(tmp_path, clock, work.job())
    async with crew(tmp_path, clock, work.job()) as made:
        await until(lambda: made.at_rest and made.alarms)
        assert [run.occasion for run in await made.ledger.waiting()] == [THREE + DAY]
        await half_an_hour_later(made, clock)
        runs = await made.ledger.recent()
        assert await made.queue.all() == []
    assert work.cellar == [(THREE, "failed"), (THREE, "done"), (THREE + DAY, "done")]
    assert {(run.occasion, run.trigger, run.status) for run in runs} == {
        (THREE, Trigger.CATCH_UP, RunStatus.PARTIAL),
        (THREE, Trigger.RETRY, RunStatus.COMPLETED),
        (THREE + DAY, Trigger.CATCH_UP, RunStatus.COMPLETED),
    }


async def test_a_restart_between_the_failure_and_its_second_try_does_not_let_the_next_night_go_first(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Rooms()
    await off_for_two_nights(tmp_path, clock, work.job())
    async with crew(tmp_path, clock, work.job()) as made:
        await until(lambda: made.at_rest and made.alarms)
    async with crew(tmp_path, clock, work.job()) as made:
        await half_an_hour_later(made, clock)
    assert work.cellar == [(THREE, "failed"), (THREE, "done"), (THREE + DAY, "done")]


async def test_what_comes_due_while_somebody_waits_to_be_tried_again_waits_for_that(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Rooms()
    spec = work.job(schedule="*/20 * * * *")
    noon = clock.now()
    async with crew(tmp_path, clock, spec) as made:
        for instant in (noon + 20 * MINUTE, noon + 40 * MINUTE):
            await turn_to(clock, instant)
            made.jobs.look("analysis")
            await until(lambda: made.at_rest)
        assert work.cellar == [(noon + 20 * MINUTE, "failed")]
        await turn_to(clock, noon + 50 * MINUTE)
        await until(lambda: made.at_rest and len(made.ended()) == 3)
    assert work.cellar[1:] == [(noon + 20 * MINUTE, "done"), (noon + 40 * MINUTE, "done")]


async def test_who_is_given_up_is_told_of_and_does_not_hold_up_the_next_night(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Rooms(failures=4)
    await off_for_two_nights(tmp_path, clock, work.job())
    async with crew(tmp_path, clock, work.job()) as made:
        for _ in range(3):
            await half_an_hour_later(made, clock)
        given_up = [event.retry for event in made.heard if isinstance(event, SubjectGivenUp)]
    assert [(retry.subject_id, retry.occasion) for retry in given_up] == [("cellar", THREE)]
    assert work.cellar == [(THREE, "failed")] * 4 + [(THREE + DAY, "done")]


async def test_where_the_newest_makes_up_for_all_it_takes_the_place_of_a_second_try(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Rooms()
    spec = work.job(catch_up=CatchUp.ONCE, schedule="*/20 * * * *")
    noon = clock.now()
    async with crew(tmp_path, clock, spec) as made:
        for instant in (noon + 20 * MINUTE, noon + 40 * MINUTE):
            await turn_to(clock, instant)
            made.jobs.look("analysis")
            await until(lambda: made.at_rest)
        assert await made.queue.all() == []
    assert work.cellar == [(noon + 20 * MINUTE, "failed"), (noon + 40 * MINUTE, "done")]
