"""Runs that work through subjects: each isolated, written down, and tried again alone."""

import asyncio
import random
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.clock import SystemClock, TurnedClock, to_ms
from app.errors import InputError, NeighbourError, NightshiftError
from app.jobs.context import RunContext
from app.jobs.results import Also, SubjectResults
from app.jobs.run import Trigger
from app.jobs.spec import JobSpec, Subjects
from app.jobs.subject import Subject, SubjectResult, SubjectStatus
from tests.jobs.cut_short import SUBJECTS
from tests.jobs.parts import FIVE_MINUTES, HOME, JOB, NIGHT, House, house, many, people, spec

Work = Callable[[RunContext, Subject], Awaitable[Any]]
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock(NIGHT)


@pytest.fixture
async def here(tmp_path: Path, clock: TurnedClock) -> AsyncIterator[House]:
    async with house(tmp_path, clock, busy=0.2) as made:
        yield made


class Crowd:
    """Subjects, those of them that fail, and who was worked on."""

    def __init__(self, subjects: list[Subject], *failing: str) -> None:
        self.subjects = subjects
        self.failing = set(failing)
        self.worked: list[str] = []

    async def of(self, _context: RunContext) -> list[Subject]:
        return self.subjects

    async def work(self, _context: RunContext, subject: Subject) -> dict[str, int]:
        self.worked.append(subject.subject_id)
        await asyncio.sleep(0)
        if subject.subject_id in self.failing:
            raise NeighbourError(f"the hub said no\nto {subject.name}")
        return {"insights": 2}

    def declared(self, **changes: Any) -> JobSpec:
        return spec(Subjects(self.of, self.work), **changes)


def declared(work: Work, *subjects: Subject, verify: Any = None, **changes: Any) -> JobSpec:
    async def of(_context: RunContext) -> list[Subject]:
        return list(subjects)

    return spec(Subjects(of, work, verify), **changes)


async def nothing(_context: RunContext, _subject: Subject) -> None:
    """Do no work at all."""


async def statuses(here: House, run_id: str) -> dict[str, str | None]:
    return {result.subject_id: result.error for result in await here.results.of(run_id)}


async def test_subjects_are_worked_on_ten_at_a_time(here: House) -> None:
    together, most, order = 0, 0, list[str]()

    async def work(_context: RunContext, subject: Subject) -> None:
        nonlocal together, most
        together += 1
        most = max(most, together)
        order.append(subject.subject_id)
        await asyncio.sleep(0)
        together -= 1

    context = here.context("run1")
    await here.whole(declared(work, *many(25)), context)
    assert most == 10
    assert order == [subject.subject_id for subject in many(25)]
    assert (context.subjects_processed, context.subjects_successful, context.subjects_failed) == (25, 25, 0)
    assert len(await here.results.completed(["run1"])) == 25


async def test_progress_is_said_after_each(here: House) -> None:
    await here.whole(declared(nothing, *many(12)), here.context("run1"))
    assert [(said.done, said.total) for said in here.said] == [(done, 12) for done in range(13)]
    assert {said.step for said in here.said} == {"Daily outlook"}


async def test_the_failure_of_one_is_its_alone_and_goes_to_the_queue(here: House) -> None:
    crowd = Crowd(people("ann", "bob", "cleo", "dan", "eve", "fay"), "bob")
    context = here.context("run1")
    outcome = await here.whole(crowd.declared(), context)
    assert outcome.counts == {"insights": 10}
    assert (context.subjects_processed, context.subjects_successful, context.subjects_failed) == (6, 5, 1)
    assert [(failure.subject, failure.error) for failure in context.failures] == [
        ("Bob", "the hub said no to Bob")
    ]
    bob, *others = await here.results.of("run1")
    assert (bob.subject_id, bob.name, bob.status) == ("bob", "Bob", SubjectStatus.FAILED)
    assert bob.error == "the hub said no to Bob"
    assert {(other.status, other.error) for other in others} == {(SubjectStatus.SUCCESSFUL, None)}
    (queued,) = await here.queue.all()
    assert (queued.subject_id, queued.run_id, queued.occasion, queued.max_retries) == (
        "bob",
        "run1",
        NIGHT,
        3,
    )
    assert (queued.last_error, queued.next_retry_at) == ("the hub said no to Bob", NIGHT + FIVE_MINUTES)


class MuteError(Exception):
    def __str__(self) -> str:
        raise ValueError


async def ends_itself() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)


async def waits_for_the_cancelled() -> None:
    task = asyncio.ensure_future(asyncio.sleep(10))
    task.cancel()
    await task


async def fails_in_a_group() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(raises(InputError("a token=abc123 is wrong")))


async def raises(error: BaseException) -> None:
    raise error


HOSTILE: Mapping[str, tuple[Callable[[], Awaitable[Any]], str]] = {
    "exits": (lambda: raises(SystemExit(3)), "unexpected: SystemExit: 3"),
    "bug": (lambda: raises(KeyError("no\nsuch")), "unexpected: KeyError: 'no\\nsuch'"),
    "mute": (lambda: raises(MuteError()), "unexpected: MuteError"),
    "surrogate": (lambda: raises(InputError("file \udcff is odd")), "file ? is odd"),
    "memory": (lambda: raises(MemoryError()), "unexpected: MemoryError"),
    "ends_itself": (ends_itself, "Its own work was cancelled."),
    "waits": (waits_for_the_cancelled, "Its own work was cancelled."),
    "group": (fails_in_a_group, "a token=*** is wrong"),
    "late": (lambda: asyncio.wait_for(asyncio.Event().wait(), 0), "unexpected: TimeoutError"),
    "number": (
        lambda: asyncio.sleep(0, 7),
        "unexpected: TypeError: a job's work returns counts or nothing, not int",
    ),
    "uncountable": (
        lambda: asyncio.sleep(0, {"insights": "many"}),
        "unexpected: ValueError: invalid literal for int() with base 10: 'many'",
    ),
}


async def test_whatever_a_subject_raises_is_its_own_failure(
    here: House, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(_context: RunContext, subject: Subject) -> Any:
        if subject.subject_id in HOSTILE:
            return await HOSTILE[subject.subject_id][0]()
        return None

    subjects = people("ann", *HOSTILE, "zoe")
    context = here.context("run1")
    await here.whole(declared(work, *subjects), context)
    said = await statuses(here, "run1")
    assert said == {"ann": None, "zoe": None} | {name: text for name, (_, text) in HOSTILE.items()}
    assert context.subjects_failed == len(HOSTILE)
    tracebacks = {record.getMessage() for record in caplog.records if record.exc_info}
    assert "outlook: Bug" in tracebacks
    assert not any("Surrogate" in message or "Group" in message for message in tracebacks)


async def test_a_subject_that_is_named_twice_is_worked_on_once(here: House) -> None:
    crowd = Crowd([*people("ann", "bob"), Subject("ann", "Ann again")])
    context = here.context("run1")
    await here.whole(crowd.declared(), context)
    assert crowd.worked == ["ann", "bob"]
    assert [result.name for result in await here.results.of("run1")] == ["Ann", "Bob"]
    assert context.subjects_processed == 2
    assert (here.said[-1].done, here.said[-1].total) == (2, 2)


async def test_hostile_names_are_bounded_and_ids_that_cannot_be_kept_fail_alone(here: House) -> None:
    wrong = ["", "x" * 300, "two\nlines", "half \udc80", "\x00"]
    crowd = Crowd([Subject("ann", "A" * 10_000 + "\n"), Subject("odd", "\udcff\n\x1b"), *map(Subject, wrong)])
    await here.whole(crowd.declared(), here.context("run1"))
    assert sorted(crowd.worked) == ["ann", "odd"]
    results = {result.subject_id: result for result in await here.results.of("run1")}
    assert len(results["ann"].name) == 200
    failed = [result for result in results.values() if result.status is SubjectStatus.FAILED]
    assert {result.error for result in failed} == {"its id is not 1 to 255 printable characters"}
    assert len(failed) == len(wrong)
    assert max(len(result.subject_id) for result in failed) == 64
    assert await here.queue.all() == []


async def test_what_does_not_hold_afterwards_is_a_failure_that_names_the_checks(here: House) -> None:
    async def verify(_context: RunContext, subject: Subject) -> dict[str, bool]:
        if subject.subject_id == "cleo":
            raise InputError("the brief cannot be read")
        there = subject.subject_id == "ann"
        return {"brief_exists": there, "insights_generated": there, "patterns_found": True}

    await here.whole(declared(nothing, *people("ann", "bob", "cleo"), verify=verify), here.context("run1"))
    results = {result.subject_id: result for result in await here.results.of("run1")}
    assert results["ann"].error is None
    assert results["ann"].checks == {
        "brief_exists": True,
        "insights_generated": True,
        "patterns_found": True,
    }
    assert results["bob"].error == "not verified: brief_exists, insights_generated"
    assert results["bob"].checks["brief_exists"] is False
    assert results["cleo"].error == "the brief cannot be read"


async def test_what_an_earlier_try_completed_is_left_out_and_counts_as_progress(here: House) -> None:
    crowd = Crowd(people("ann", "bob", "cleo"))
    context = here.context("run1")
    outcome = await here.whole(crowd.declared(), context, done_before=frozenset({"ann", "gone"}))
    assert crowd.worked == ["bob", "cleo"]
    assert outcome.details == {"done_before": 1}
    assert context.subjects_processed == 2
    assert [(said.done, said.total) for said in here.said] == [(1, 3), (2, 3), (3, 3)]


async def test_nobody_to_work_for_is_a_completed_run(here: House) -> None:
    outcome = await here.whole(declared(nothing), here.context("run1"))
    assert (outcome.counts, outcome.details) == ({}, {})


async def test_below_eighty_percent_the_failed_ones_are_due_at_once(here: House) -> None:
    crowd = Crowd(people("ann", "bob", "cleo", "dan"), "bob")
    await here.whole(crowd.declared(), here.context("run1"))
    assert [retry.subject_id for retry in await here.queue.due(JOB, HOME, here.clock.now())] == ["bob"]


async def test_tried_again_alone_it_works_and_leaves_the_queue(here: House, clock: TurnedClock) -> None:
    crowd = Crowd(people("ann", "bob", "cleo"), "bob")
    await here.whole(crowd.declared(), here.context("run1"))
    crowd.failing.clear()
    crowd.worked.clear()
    await clock.turn(DAY)
    again = await here.try_again(crowd.declared(), "run2")
    assert again is not None
    assert again.occasion == NIGHT
    assert crowd.worked == ["bob"]
    assert await here.queue.all() == []
    assert await here.try_again(crowd.declared(), "run3") is None


async def test_after_three_tries_with_growing_pauses_it_is_given_up_and_announced_once(
    here: House, clock: TurnedClock
) -> None:
    crowd = Crowd(people("ann", "bob"), "bob")
    await here.whole(crowd.declared(), here.context("run1"))
    waits = []
    while (following := await here.queue.next_at(JOB, HOME)) is not None:
        waits.append((following - clock.now()) / timedelta(minutes=1))
        await clock.turn(following - clock.now())
        assert await here.try_again(crowd.declared(), f"try{len(waits)}") is not None
    assert waits == [0, 10, 20]
    assert crowd.worked == ["ann", "bob", "bob", "bob", "bob"]
    (dead,) = await here.queue.all()
    assert (dead.dead, dead.retry_count, dead.last_error) == (True, 3, "the hub said no to Bob")
    assert here.given_up == [dead]
    # A person asks for it once more.
    await here.queue.again(dead.retry_id)
    crowd.failing.clear()
    await here.try_again(crowd.declared(), "asked")
    assert await here.queue.all() == []


async def test_the_next_scheduled_run_clears_what_was_given_up_or_begins_a_new_count(
    here: House, clock: TurnedClock
) -> None:
    crowd = Crowd(people("ann", "bob"), "ann", "bob")
    await here.whole(crowd.declared(subject_attempts=1), here.context("run1"))
    await here.try_again(crowd.declared(subject_attempts=1), "run2")
    assert [retry.dead for retry in await here.queue.all()] == [True, True]
    await clock.turn(DAY)
    crowd.failing = {"bob"}
    await here.whole(crowd.declared(), here.context("run3"))
    (left,) = await here.queue.all()
    assert (left.subject_id, left.occasion, left.retry_count, left.dead) == ("bob", NIGHT + DAY, 0, False)


async def test_a_run_for_a_past_day_touches_nothing_that_is_newer(here: House) -> None:
    crowd = Crowd(people("ann"), "ann")
    await here.whole(crowd.declared(), here.context("run1"))
    before = await here.queue.all()
    crowd.failing.clear()
    await here.whole(crowd.declared(), here.context("run2", trigger=Trigger.MANUAL, occasion=NIGHT - DAY))
    assert await here.queue.all() == before


async def test_cut_off_in_the_middle_what_had_ended_is_written_and_counted(here: House) -> None:
    begun, ended = asyncio.Event(), list[str]()

    async def work(_context: RunContext, subject: Subject) -> None:
        if subject.subject_id == "bob":
            raise InputError("no")
        if subject.subject_id == "cleo":
            begun.set()
            await asyncio.Event().wait()
        ended.append(subject.subject_id)

    context = here.context("run1")
    await here.begin("run1")
    running = asyncio.create_task(here.work(declared(work, *people("ann", "bob", "cleo", "dan")), context))
    await begun.wait()
    await asyncio.sleep(0)
    running.cancel()
    running_again = asyncio.get_running_loop().call_soon(running.cancel)
    with pytest.raises(asyncio.CancelledError):
        await running
    running_again.cancel()
    assert await statuses(here, "run1") == {"ann": None, "bob": "no", "dan": None}
    assert (context.subjects_processed, context.subjects_successful, context.subjects_failed) == (3, 2, 1)
    assert [retry.subject_id for retry in await here.queue.all()] == ["bob"]


@pytest.mark.parametrize("turns", range(0, 36, 6))
async def test_cut_off_while_it_is_written_down_nothing_is_lost_and_what_is_given_up_is_announced(
    here: House, turns: int
) -> None:
    crowd = Crowd(people("ann", "bob"), "ann", "bob")
    job = crowd.declared(subject_attempts=1)
    await here.whole(job, here.context("run1"))
    crowd.failing = {"bob"}
    await here.begin("run2")
    context = here.context("run2", trigger=Trigger.RETRY, occasion=NIGHT)
    running = asyncio.create_task(here.work(job, context, only=people("ann", "bob")))
    while context.subjects_processed < 2:
        await asyncio.sleep(0)
    for _ in range(turns):
        await asyncio.sleep(0.0001)
    while not running.done():
        running.cancel()
        await asyncio.sleep(0)
    assert await statuses(here, "run2") == {"ann": None, "bob": "the hub said no to Bob"}
    assert [(retry.subject_id, retry.dead) for retry in here.given_up] == [("bob", True)]
    assert here.given_up == await here.queue.all()


async def test_cut_off_just_after_it_is_written_what_is_given_up_is_announced_all_the_same(
    here: House,
) -> None:
    written = asyncio.Event()

    class Lingering(SubjectResults):
        async def write(
            self, run_id: str, results: Sequence[SubjectResult], also: Also | None = None
        ) -> bool:
            running = await super().write(run_id, results, also)
            written.set()
            for _ in range(5):
                await asyncio.sleep(0)
            return running

    crowd = Crowd(people("ann"), "ann")
    await here.whole(crowd.declared(subject_attempts=1), here.context("run1"))
    here.results = Lingering(here.store)
    await here.begin("run2")
    context = here.context("run2", trigger=Trigger.RETRY, occasion=NIGHT)
    running = asyncio.create_task(here.work(crowd.declared(), context))
    await written.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [retry.subject_id for retry in here.given_up] == ["ann"]


async def test_a_run_that_is_over_for_the_ledger_begins_no_further_batch(here: House) -> None:
    async def work(context: RunContext, _subject: Subject) -> None:
        await here.end(context.run_id, "failed")

    context = here.context("run1")
    await here.begin("run1")
    with pytest.raises(NightshiftError, match="run run1 is over"):
        await here.work(declared(work, *many(3), batch_size=1), context)
    assert context.subjects_processed == 1
    assert await here.results.of("run1") == []


async def test_a_run_made_again_for_the_same_instant_counts_as_a_try(here: House) -> None:
    crowd = Crowd(people("ann"), "ann")
    odd = NIGHT + timedelta(microseconds=1)
    tries = []
    for number in range(4):
        await here.whole(crowd.declared(), here.context(f"run{number}", occasion=odd))
        tries += [(retry.retry_count, retry.dead) for retry in await here.queue.all()]
    assert tries == [(0, False), (1, False), (2, False), (3, True)]


async def test_what_the_cut_makes_fail_is_no_failure_but_what_still_succeeds_is_kept(here: House) -> None:
    begun = asyncio.Event()

    async def work(_context: RunContext, subject: Subject) -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if subject.subject_id == "ann":
                raise NeighbourError("the line was cut") from None

    context = here.context("run1")
    await here.begin("run1")
    running = asyncio.create_task(here.work(declared(work, *people("ann", "bob")), context))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await statuses(here, "run1") == {"bob": None}
    assert await here.queue.all() == []


async def test_a_try_that_is_cut_off_counts_and_is_not_due_again_at_once(
    here: House, clock: TurnedClock
) -> None:
    crowd = Crowd(people("ann"), "ann")
    await here.whole(crowd.declared(), here.context("run1"))
    begun = asyncio.Event()

    async def hang(_context: RunContext, _subject: Subject) -> None:
        begun.set()
        await asyncio.Event().wait()

    for count in (1, 2, 3):
        await here.begin(f"try{count}")
        context = here.context(f"try{count}", trigger=Trigger.RETRY, occasion=NIGHT)
        running = asyncio.create_task(here.work(declared(hang), context, only=people("ann")))
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        begun.clear()
        (left,) = await here.queue.all()
        assert (left.retry_count, left.last_error) == (count, "Cut off while it was tried.")
        assert left.next_retry_at == (None if count == 3 else clock.now() + FIVE_MINUTES)
        await clock.turn(FIVE_MINUTES)
    assert here.given_up == await here.queue.all()


async def test_a_run_that_was_left_behind_changes_nothing_any_more(here: House) -> None:
    let_go = asyncio.Event()
    crowd = Crowd(people("ann"), "ann")
    await here.whole(crowd.declared(), here.context("run1"))

    async def slow(_context: RunContext, _subject: Subject) -> None:
        while not let_go.is_set():
            with suppress(asyncio.CancelledError):
                await let_go.wait()

    await here.begin("run2")
    context = here.context("run2", trigger=Trigger.RETRY, occasion=NIGHT)
    running = asyncio.create_task(here.work(declared(slow), context, only=people("ann")))
    while not (await here.queue.all())[0].retry_count:
        await asyncio.sleep(0)
    running.cancel()
    # The hard limit: the row is ended, the slot and the leases are free for others.
    await here.end("run2", "failed")
    await here.queue.free("run2")
    (held,) = await here.queue.claim(JOB, HOME, "run3", ["ann"], NIGHT)
    let_go.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await here.results.of("run2") == []
    assert await here.queue.all() == [held]
    assert await here.queue.due(JOB, HOME, here.clock.now()) == []


async def test_while_the_database_takes_nothing_the_run_waits_and_does_no_work_twice(
    here: House, clock: TurnedClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    crowd = Crowd(people("ann", "bob"), "bob")
    await here.begin("run1")

    def locked() -> sqlite3.Connection:
        other = sqlite3.connect(tmp_path / "nightshift.db", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        return other

    with closing(await asyncio.to_thread(locked)) as other:
        running = asyncio.create_task(here.work(crowd.declared(), here.context("run1")))
        while not any("takes nothing just now" in record.message for record in caplog.records):
            await asyncio.sleep(0.01)
        await asyncio.to_thread(other.execute, "ROLLBACK")
        while not running.done():
            await clock.turn(timedelta(seconds=1))
            await asyncio.sleep(0.01)
    await running
    assert crowd.worked == ["ann", "bob"]
    assert await statuses(here, "run1") == {"ann": None, "bob": "the hub said no to Bob"}
    assert len(await here.queue.all()) == 1


async def test_only_named_subjects_are_worked_on_and_nobody_else_is_asked_for(here: House) -> None:
    async def of(_context: RunContext) -> list[Subject]:
        raise AssertionError

    crowd = Crowd([])
    await here.whole(spec(Subjects(of, crowd.work)), here.context("run1"), only=people("bob"))
    assert crowd.worked == ["bob"]


async def test_a_list_that_cannot_be_had_fails_the_run_and_touches_no_queue(here: House) -> None:
    async def of(_context: RunContext) -> list[Subject]:
        raise NeighbourError("no list")

    with pytest.raises(NeighbourError):
        await here.whole(spec(Subjects(of, nothing)), here.context("run1"))
    assert await here.queue.all() == []


@settings(max_examples=25)
@given(
    failing=st.lists(st.sets(st.integers(0, 6)), min_size=1, max_size=6),
    cuts=st.lists(st.integers(0, 30), max_size=6),
    batch_size=st.integers(1, 4),
)
def test_however_runs_fail_and_are_cut_off_each_subject_is_done_or_queued_or_given_up(
    tmp_path_factory: pytest.TempPathFactory, failing: list[set[int]], cuts: list[int], batch_size: int
) -> None:
    folder = tmp_path_factory.mktemp("life")
    asyncio.run(_live_through(folder, failing, cuts, batch_size))


async def _live_through(folder: Path, failing: list[set[int]], cuts: list[int], batch_size: int) -> None:
    clock = TurnedClock(NIGHT)
    async with house(folder, clock) as here:
        life = Life(here, clock, batch_size)
        rounds = iter(failing)
        life.fail(next(rounds))
        for cut in [*cuts, None]:
            if await life.take_up(cut, only=None):
                break
        assert await life.queued() == life.everyone - life.done
        while (following := await here.queue.next_at(JOB, HOME)) is not None:
            life.fail(next(rounds, set()))
            await clock.turn(max(following - clock.now(), timedelta()))
            due = await here.queue.due(JOB, HOME, clock.now())
            await life.take_up(None, only=[Subject(retry.subject_id) for retry in due])
            assert await life.queued() == life.everyone - life.done
        assert {retry.subject_id for retry in here.given_up} == life.everyone - life.done


class Life:
    """One night's job: its run, taken up as often as it is cut off, and the tries after it."""

    def __init__(self, here: House, clock: TurnedClock, batch_size: int) -> None:
        self.here = here
        self.clock = clock
        self.crowd = Crowd(many(7))
        self.everyone = {subject.subject_id for subject in self.crowd.subjects}
        self.job = self.crowd.declared(batch_size=batch_size)
        self.done: set[str] = set()
        self.runs = 0

    def fail(self, numbers: set[int]) -> None:
        self.crowd.failing = {f"s{number:03}" for number in numbers}

    async def queued(self) -> set[str]:
        return {retry.subject_id for retry in await self.here.queue.all()}

    async def take_up(self, cut: int | None, *, only: list[Subject] | None) -> bool:
        """Run, cut off after some turns of the loop; return whether it came to its end."""
        self.runs += 1
        run_id = f"run{self.runs:02}"
        trigger = Trigger.RETRY if only is not None else Trigger.SCHEDULE
        context = self.here.context(run_id, trigger=trigger, occasion=NIGHT)
        await self.here.begin(run_id)
        before = frozenset(self.done if only is None else ())
        running = asyncio.create_task(self.here.work(self.job, context, only=only, done_before=before))
        await asyncio.wait([running], timeout=None if cut is None else cut / 2000)
        running.cancel()
        await asyncio.wait([running])
        await self.here.end(run_id)
        completed = await self.here.results.completed([run_id])
        assert not completed & self.done, "done twice"
        self.done |= completed
        return not running.cancelled()


@pytest.mark.timeout(300)
async def test_killed_in_the_middle_of_a_try_the_try_counts_and_what_was_written_stays(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, SystemClock()) as first:
        crowd = Crowd(people("ann", "bob"), "ann", "bob")
        await first.whole(crowd.declared(), first.context("run0"))
    for start in (1, 2, 3):
        process, stdout = await begun(tmp_path, "hang")
        assert await stdout.readline() == b"trying ann\n"
        process.kill()
        await process.communicate()
        async with house(tmp_path, SystemClock(), f"after{start}") as after:
            given_up = await after.queue.free_others()
            rows = {retry.subject_id: retry for retry in await after.queue.all()}
            # Those of a batch after it were not tried, and nothing is counted for them.
            assert (rows["ann"].retry_count, rows["bob"].retry_count) == (start, 0)
            assert rows["ann"].dead is (start == 3)
            assert [retry.subject_id for retry in given_up] == ["ann"] * (start == 3)


@pytest.mark.timeout(300)
async def test_killed_at_any_instant_each_subject_of_each_night_is_done_exactly_once(tmp_path: Path) -> None:
    chance = random.Random(11)  # noqa: S311 - when to kill
    for _ in range(10):
        process, stdout = await begun(tmp_path, "busy")
        assert (await stdout.readline()).startswith(b"night")
        await asyncio.sleep(chance.uniform(0, 0.15))
        process.kill()
        await process.communicate()
    async with house(tmp_path, SystemClock(), "last") as here:
        await here.queue.free_others()
        async with here.store.reading() as db:
            done = list(
                await db.execute_fetchall(
                    "SELECT (occasion - ?) / 86400000 AS night, subject_id, count(*) AS times "
                    "FROM job_subject JOIN job_run USING (run_id) "
                    "WHERE job_subject.status = 'successful' GROUP BY 1, 2",
                    (to_ms(NIGHT),),
                )
            )
            cut = list(await db.execute_fetchall("SELECT 1 FROM job_run WHERE status = 'interrupted'"))
        queued = await here.queue.all()
    assert cut
    assert {row["times"] for row in done} == {1}
    nights = Counter(int(row["night"]) for row in done)
    last = max(nights)
    assert [nights[night] for night in range(last)] == [SUBJECTS] * last
    assert last >= 10
    # Of the night that was cut off last, what failed waits in the queue.
    assert {retry.subject_id for retry in queued}.isdisjoint(
        row["subject_id"] for row in done if int(row["night"]) == last
    )


async def begun(folder: Path, how: str) -> tuple[Process, asyncio.StreamReader]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.jobs.cut_short", str(folder), how), stdout=PIPE
    )
    assert process.stdout is not None
    return process, process.stdout
