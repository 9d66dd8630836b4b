"""Jobs that are done for people, each by their own clock, and what becomes of those for whom it fails."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.clock import TurnedClock
from app.errors import InputError
from app.jobs.announcements import JobChanged, JobFailing, RunSkipped, SubjectGivenUp
from app.jobs.context import RunContext
from app.jobs.places import Place
from app.jobs.policies import Overlap, Scope
from app.jobs.run import AlreadyRunningError, RunStatus, SkippedBecause, Trigger
from app.jobs.spec import JobSpec, Subjects
from app.jobs.subject import Subject
from tests.jobs.crew import HALF_AN_HOUR, at, crew, turn_to, until

PARIS = ZoneInfo("Europe/Paris")
ANNA, BEN, CHEN = (
    Subject("person.anna", "Anna"),
    Subject("person.ben", "Ben", "Asia/Kolkata"),
    Subject("person.chen", "Chen"),
)
HOME = Place("home", PARIS, (ANNA, BEN, CHEN))
SEVEN = at("2026-03-10 06:00")
SEVEN_IN_KOLKATA = at("2026-03-10 01:30")
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock(at("2026-03-09 12:00"))


class Outlook:
    """Written for each person; fails for those it is told to, waits while it is told to."""

    def __init__(self) -> None:
        self.written: list[tuple[str, object]] = []
        self.failing: set[str] = set()
        self.open = asyncio.Event()
        self.open.set()

    async def everyone(self, context: RunContext) -> Sequence[Subject]:
        return context.people

    async def write(self, context: RunContext, person: Subject) -> dict[str, int]:
        await self.open.wait()
        if person.subject_id in self.failing:
            raise InputError("no calendar")
        self.written.append((person.label, context.occasion))
        return {"words": 40}

    def job(self, **changes: object) -> JobSpec:
        given: dict[str, object] = {
            "name": "outlook",
            "title": "Daily outlook",
            "description": "Writes to each person what the day will bring.",
            "schedule": "0 7 * * *",
            "scope": Scope.PERSON,
            "subjects": Subjects(self.everyone, self.write),
            "backoff": HALF_AN_HOUR,
        }
        return JobSpec(**{**given, **changes})  # type: ignore[arg-type] # what is given is what it takes


async def test_each_person_is_served_once_a_day_at_seven_by_their_own_clock(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Outlook()
    async with crew(tmp_path, clock, work.job(), places=[HOME]) as made:
        assert made.jobs.next_run("outlook") == SEVEN_IN_KOLKATA
        for instant in (SEVEN_IN_KOLKATA, SEVEN):
            await turn_to(clock, instant)
            made.jobs.look("outlook")
            await until(lambda: made.jobs.running("outlook") is None and made.at_rest)
        runs = await made.ledger.recent()
    assert work.written == [("Ben", SEVEN_IN_KOLKATA), ("Anna", SEVEN), ("Chen", SEVEN)]
    assert [(run.subjects_processed, run.success_rate, run.counts) for run in runs] == [
        (2, 1.0, {"words": 80}),
        (1, 1.0, {"words": 40}),
    ]


async def test_a_night_without_nightshift_is_made_up_for_for_the_people_of_each_zone(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Outlook()
    async with crew(tmp_path, clock, work.job(), places=[HOME]):
        pass
    await turn_to(clock, SEVEN + DAY + 4 * HOUR)
    async with crew(tmp_path, clock, work.job(), places=[HOME]) as made:
        await until(lambda: len(made.ended()) == 2 and made.at_rest)
        skipped = [run for run in await made.ledger.recent() if run.status is RunStatus.SKIPPED]
    assert work.written == [("Ben", SEVEN_IN_KOLKATA + DAY), ("Anna", SEVEN + DAY), ("Chen", SEVEN + DAY)]
    assert [run.scheduled_for for run in skipped] == [SEVEN, SEVEN_IN_KOLKATA]


async def test_where_there_is_nobody_it_says_so(tmp_path: Path, clock: TurnedClock) -> None:
    async with crew(tmp_path, clock, Outlook().job(), places=[Place("home", PARIS)]) as made:
        await turn_to(clock, SEVEN)
        made.jobs.look("outlook")
        await until(lambda: [event for event in made.heard if isinstance(event, RunSkipped)])
        (run,) = await made.ledger.recent()
    assert run.details["because"] == SkippedBecause.NOBODY


async def test_one_person_can_be_asked_for_alone(tmp_path: Path, clock: TurnedClock) -> None:
    work = Outlook()
    async with crew(tmp_path, clock, work.job(), places=[HOME]) as made:
        run = await made.jobs.trigger("outlook", person="person.ben", day=at("2026-03-01 00:00").date())
        ended = await made.jobs.wait(run.run_id)
        with pytest.raises(InputError, match=r"no person 'person\.dora'; there are: person\.anna"):
            await made.jobs.trigger("outlook", person="person.dora")
    assert ended.details["person"] == "person.ben"
    assert [name for name, _ in work.written] == ["Ben"]


async def test_who_failed_is_tried_again_alone_for_the_same_occasion_also_over_a_restart(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Outlook()
    work.failing = {"person.anna"}
    alone = Place("home", PARIS, (ANNA, CHEN, *(Subject(f"person.p{n}") for n in range(8))))
    async with crew(tmp_path, clock, work.job(), places=[alone]) as made:
        await turn_to(clock, SEVEN)
        made.jobs.look("outlook")
        await until(lambda: made.ended() and made.at_rest)
        (first,) = await made.ledger.recent()
        assert (first.status, first.subjects_failed, first.success_rate) == (RunStatus.PARTIAL, 1, 0.9)
        assert made.alarms == {"outlook home": SEVEN + 30 * MINUTE}
        assert made.jobs.next_run("outlook") == SEVEN + 30 * MINUTE
    work.failing, work.written = set(), []
    async with crew(tmp_path, clock, work.job(), places=[alone]) as made:
        await clock.turn(30 * MINUTE)
        await until(lambda: made.ended() and made.at_rest)
        again = (await made.ledger.recent())[0]
        assert await made.queue.all() == []
        assert made.alarms == {}
    assert work.written == [("Anna", SEVEN)]
    assert (again.trigger, again.status, again.occasion) == (Trigger.RETRY, RunStatus.COMPLETED, SEVEN)
    assert (again.subjects_processed, again.scheduled_for) == (1, None)


async def test_when_most_failed_they_are_tried_again_at_once_and_given_up_after_three_tries(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Outlook()
    work.failing = {"person.anna", "person.chen"}
    place = Place("home", PARIS, (ANNA, CHEN))
    async with crew(tmp_path, clock, work.job(), places=[place]) as made:
        await turn_to(clock, SEVEN)
        made.jobs.look("outlook")
        await until(lambda: len(made.ended()) == 2 and made.at_rest)
        assert made.ended()[0].run.status is RunStatus.FAILED  # for nobody did it work
        assert made.ended()[0].again_at is None
        for _ in range(6):
            await clock.turn(30 * MINUTE)
            await until(lambda: made.at_rest)
        given_up = [event.retry for event in made.heard if isinstance(event, SubjectGivenUp)]
        assert {retry.subject_id for retry in given_up} == {"person.anna", "person.chen"}
        assert len(made.ended()) == 4  # the first and three tries
        assert await made.ledger.failures_in_a_row("outlook", "home") == 1  # that of the job itself
        assert not [event for event in made.heard if isinstance(event, JobFailing)]
        assert made.jobs.next_run("outlook") == SEVEN + DAY

        work.failing = set()
        run = await made.jobs.retry_subject(given_up[0].retry_id)
        await made.jobs.wait(run.run_id)
        assert work.written == [(given_up[0].name, SEVEN)]
        made.heard.clear()
        assert await made.jobs.dismiss_subject(given_up[1].retry_id)
        assert made.heard == [JobChanged("outlook")]
        assert not await made.jobs.dismiss_subject(given_up[1].retry_id)
        with pytest.raises(InputError, match="nothing to try again"):
            await made.jobs.retry_subject(given_up[0].retry_id)


async def test_a_paused_job_tries_nobody_again_until_it_is_resumed(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Outlook()
    work.failing = {"person.anna"}
    async with crew(tmp_path, clock, work.job(), places=[HOME]) as made:
        await made.jobs.wait((await made.jobs.trigger("outlook")).run_id)
        await made.jobs.pause("outlook")
        await clock.turn(2 * HOUR)
        await until(lambda: made.at_rest)
        assert made.alarms == {}
        ended = len(made.ended())
        work.failing = set()
        await made.jobs.resume("outlook")
        await until(lambda: len(made.ended()) > ended and made.at_rest)
    assert work.written[-1][0] == "Anna"


async def test_a_run_that_is_cut_off_goes_on_with_those_it_had_not_done(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Outlook()
    place = Place("home", PARIS, tuple(Subject(f"person.p{n}") for n in range(6)))
    seen: list[str] = []

    async def write(context: RunContext, person: Subject) -> None:
        seen.append(person.subject_id)
        if person.subject_id == "person.p3":
            await work.open.wait()

    spec = work.job(subjects=Subjects(work.everyone, write), batch_size=2)
    work.open.clear()
    async with crew(tmp_path, clock, spec, places=[place]) as made:
        await turn_to(clock, SEVEN)
        made.jobs.look("outlook")
        await until(lambda: "person.p3" in seen)
    work.open.set()
    async with crew(tmp_path, clock, spec, places=[place]) as made:
        await until(lambda: made.jobs.running("outlook") is None and made.at_rest)
        taken_up, cut_off = await made.ledger.recent()
    assert (cut_off.status, taken_up.status) == (RunStatus.INTERRUPTED, RunStatus.COMPLETED)
    assert taken_up.occasion == SEVEN
    assert [name for name in seen if seen.count(name) > 1] == ["person.p3"] * 2
    assert set(seen) == {f"person.p{n}" for n in range(6)}


async def test_a_job_whose_retry_cannot_even_begin_does_not_spin(tmp_path: Path, clock: TurnedClock) -> None:
    work = Outlook()
    work.failing = {"person.anna"}
    place = Place("home", PARIS, (ANNA,))
    async with crew(tmp_path, clock, work.job(), places=[place]) as made:
        await made.queue.all()
        await made.jobs.wait((await made.jobs.trigger("outlook")).run_id)
        await until(lambda: made.at_rest)

        async def broken(*_given: object) -> None:
            raise InputError("the queue cannot be read")

        made.queue.claim = broken  # type: ignore[assignment,method-assign] # a fault of ours
        before = len(made.ended())
        await clock.turn(30 * MINUTE)
        await until(lambda: made.at_rest)
        assert len(made.ended()) == before + 1
        assert made.alarms["outlook home"] > clock.now()


async def test_a_retry_that_comes_while_the_job_runs_waits_for_it(tmp_path: Path, clock: TurnedClock) -> None:
    work = Outlook()
    work.failing = {"person.anna"}
    spec = work.job(overlap=Overlap.QUEUE, time_limit=9 * DAY)
    async with crew(tmp_path, clock, spec, places=[HOME]) as made:
        await made.jobs.wait((await made.jobs.trigger("outlook")).run_id)
        await until(lambda: made.at_rest)
        (retry,) = await made.queue.all()
        work.open.clear()
        run = await made.jobs.trigger("outlook", person="person.chen")
        with pytest.raises(AlreadyRunningError):
            await made.jobs.retry_subject(retry.retry_id)
        work.failing = set()
        work.open.set()
        await made.jobs.wait(run.run_id)
        await until(lambda: made.at_rest)
        assert await made.queue.all() == []
    assert work.written[-1][0] == "Anna"


async def test_a_run_that_is_due_while_single_people_are_tried_again_waits_and_is_not_left_out(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Outlook()
    work.failing = {"person.anna"}
    async with crew(tmp_path, clock, work.job(time_limit=9 * DAY), places=[HOME]) as made:
        await turn_to(clock, SEVEN_IN_KOLKATA - 10 * MINUTE)
        await made.jobs.wait((await made.jobs.trigger("outlook")).run_id)
        await until(lambda: made.at_rest)
        work.open.clear()
        work.failing = set()
        await clock.turn(30 * MINUTE)
        await until(lambda: made.jobs.running("outlook"))
        made.jobs.look("outlook")
        await until(lambda: not made.looks)
        (waiting,) = await made.ledger.pending("outlook", "home")
        assert waiting.scheduled_for == SEVEN_IN_KOLKATA
        work.open.set()
        await until(lambda: made.at_rest)
    assert work.written[-2:] == [("Anna", SEVEN_IN_KOLKATA - 10 * MINUTE), ("Ben", SEVEN_IN_KOLKATA)]


async def test_who_is_tried_again_is_still_in_their_own_zone(tmp_path: Path, clock: TurnedClock) -> None:
    outlook, seen = Outlook(), list[Subject]()

    async def write(context: RunContext, person: Subject) -> dict[str, int]:
        seen.append(person)
        return await outlook.write(context, person)

    spec = outlook.job(subjects=Subjects(outlook.everyone, write))
    async with crew(tmp_path, clock, spec, places=[HOME]) as made:
        outlook.failing = {BEN.subject_id}
        await turn_to(clock, SEVEN_IN_KOLKATA)
        made.jobs.look("outlook")
        await until(lambda: len(seen) == 2 and made.at_rest)
    assert seen == [BEN, BEN]
