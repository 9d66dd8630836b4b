"""The retry queue on a real database: nothing in it is lost, doubled, or tried for ever."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.bus import Bus
from app.clock import TurnedClock
from app.jobs.retry_queue import ENDED, LEFT_BEHIND, Origin, RetryQueue
from app.jobs.subject import Retry, Subject
from tests.jobs.parts import HOME, JOB, NIGHT, House, house

HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock(NIGHT)


@pytest.fixture
async def here(tmp_path: Path, clock: TurnedClock) -> AsyncIterator[House]:
    async with house(tmp_path, clock) as made:
        yield made


async def put(here: House, subject: str, run_id: str = "run1", **changes: timedelta) -> bool:
    origin = Origin(JOB, HOME, run_id, NIGHT + changes.get("occasion", timedelta()))
    async with here.store.writing() as db:
        return await here.queue.put(
            db,
            origin,
            Subject(subject, subject.title()),
            "the hub said no",
            max_retries=3,
            next_retry_at=NIGHT + changes.get("due_after", timedelta()),
        )


async def claim(here: House, run_id: str, *subjects: str) -> list[Retry]:
    return await here.queue.claim(JOB, HOME, run_id, subjects, here.clock.now() + 24 * HOUR)


async def failed(here: House, retry: Retry, run_id: str, after: timedelta | None) -> Retry | None:
    following = None if after is None else here.clock.now() + after
    async with here.store.writing() as db:
        return await here.queue.failed(db, retry.retry_id, run_id, "again no", following)


async def done(here: House, retry: Retry, run_id: str) -> bool:
    async with here.store.writing() as db:
        return await here.queue.done(db, retry.retry_id, run_id)


async def test_what_failed_is_due_at_its_time_and_not_before(here: House, clock: TurnedClock) -> None:
    await put(here, "ann", due_after=HOUR)
    assert await here.queue.due(JOB, HOME, clock.now()) == []
    assert await here.queue.next_at(JOB, HOME) == NIGHT + HOUR
    assert await here.queue.next_at(JOB, "other") is None
    assert await here.queue.next_at(JOB, HOME, before=NIGHT + HOUR) == NIGHT + HOUR
    assert await here.queue.next_at(JOB, HOME, before=NIGHT) is None
    await clock.turn(HOUR)
    due = await here.queue.due(JOB, HOME, clock.now())
    assert [(retry.subject_id, retry.name, retry.last_error) for retry in due] == [
        ("ann", "Ann", "the hub said no")
    ]
    assert (due[0].occasion, due[0].retry_count, due[0].run_id, due[0].dead) == (NIGHT, 0, "run1", False)


async def test_a_try_is_counted_when_it_begins_and_nobody_else_gets_it_meanwhile(
    here: House, clock: TurnedClock
) -> None:
    await put(here, "ann")
    held = await claim(here, "run2", "ann", "nobody")
    assert [(retry.subject_id, retry.retry_count) for retry in held] == [("ann", 1)]
    assert await claim(here, "run3", "ann") == []
    assert await here.queue.due(JOB, HOME, clock.now()) == []
    assert await here.queue.next_at(JOB, HOME) is None
    assert await done(here, held[0], "run2")
    assert await here.queue.all() == []


async def test_two_claims_at_once_share_nothing(here: House) -> None:
    for subject in ("ann", "bob", "cleo"):
        await put(here, subject)
    claims = await asyncio.gather(*(claim(here, f"run{n}", "ann", "bob", "cleo") for n in range(5)))
    assert sorted(retry.subject_id for held in claims for retry in held) == ["ann", "bob", "cleo"]


async def test_a_stale_lease_changes_nothing(here: House) -> None:
    await put(here, "ann")
    (stale,) = await claim(here, "run2", "ann")
    assert await here.queue.free("run2") == []
    (fresh,) = await claim(here, "run3", "ann")
    assert (fresh.retry_count, fresh.last_error) == (2, LEFT_BEHIND)
    assert not await done(here, stale, "run2")
    assert await failed(here, stale, "run2", None) is None
    assert await here.queue.all() == [fresh]
    assert await failed(here, fresh, "run3", HOUR) is not None


async def test_a_try_that_kills_the_process_counts_so_that_it_dies_in_the_end(
    tmp_path: Path, clock: TurnedClock
) -> None:
    async with house(tmp_path, clock, "start0") as first:
        await put(first, "ann")
    for start in range(3):
        async with house(tmp_path, clock, f"start{start}") as killed:
            assert await killed.queue.free_others() == []
            (held,) = await claim(killed, f"run{start}", "ann")
            assert held.retry_count == start + 1
            assert await killed.queue.free_others() == []
    async with house(tmp_path, clock, "last") as after:
        given_up = await after.queue.free_others()
        assert [(retry.subject_id, retry.dead, retry.last_error) for retry in given_up] == [
            ("ann", True, ENDED)
        ]
        assert after.given_up == given_up
        assert await after.queue.next_at(JOB, HOME) is None
        assert await after.queue.free_others() == []
        assert after.given_up == given_up


async def test_what_is_given_up_stays_until_a_person_tries_it_again_or_dismisses_it(
    here: House, clock: TurnedClock
) -> None:
    await put(here, "ann")
    (held,) = await claim(here, "run2", "ann")
    assert await here.queue.again(held.retry_id) is None
    dead = await failed(here, held, "run2", None)
    assert dead is not None
    assert dead.dead
    await clock.turn(365 * 24 * HOUR)
    assert await here.queue.due(JOB, HOME, clock.now()) == []
    assert await here.queue.all(JOB) == [dead]
    again = await here.queue.again(dead.retry_id)
    assert again is not None
    assert again.next_retry_at == clock.now()
    assert await here.queue.due(JOB, HOME, clock.now()) == [again]
    assert await here.queue.get(again.retry_id) == again
    assert await here.queue.dismiss(again.retry_id)
    assert not await here.queue.dismiss(again.retry_id)
    assert await here.queue.again(again.retry_id) is None
    assert await here.queue.all() == []


async def test_what_was_given_up_before_is_not_announced_again_when_its_run_is_cut_off(here: House) -> None:
    await put(here, "ann")
    for run_id in ("run1", "run2", "run3"):
        (held,) = await claim(here, run_id, "ann")
        await failed(here, held, run_id, None if run_id == "run3" else HOUR)
    (held,) = await claim(here, "run5", "ann")
    assert held.dead
    assert await here.queue.free("run5", "cut off", here.clock.now() + HOUR) == []
    (left,) = await here.queue.all()
    assert (left.dead, left.retry_count, here.given_up) == (True, 4, [])


async def test_what_is_dismissed_while_it_is_tried_does_not_come_back(here: House) -> None:
    await put(here, "ann")
    (held,) = await claim(here, "run2", "ann")
    assert await here.queue.dismiss(held.retry_id)
    assert await failed(here, held, "run2", HOUR) is None
    assert await here.queue.all() == []


async def test_a_newer_occasion_takes_the_place_of_an_older_one_and_never_the_reverse(here: House) -> None:
    assert await put(here, "ann", "run1")
    (held,) = await claim(here, "run2", "ann")
    assert await put(here, "ann", "run3", occasion=24 * HOUR)
    assert not await put(here, "ann", "run4")
    assert not await put(here, "ann", "run5", occasion=24 * HOUR)
    (left,) = await here.queue.all()
    assert (left.run_id, left.occasion, left.retry_count) == ("run3", NIGHT + 24 * HOUR, 0)
    assert not await done(here, held, "run2")


async def test_a_run_about_an_older_occasion_leaves_a_newer_ones_failure_alone(here: House) -> None:
    await put(here, "ann", occasion=24 * HOUR)
    assert await here.queue.claim(JOB, HOME, "run2", ["ann"], NIGHT) == []


async def test_what_failed_on_two_days_is_due_one_day_at_a_time(here: House, clock: TurnedClock) -> None:
    await put(here, "bob", occasion=24 * HOUR)
    await put(here, "ann")
    await put(here, "cleo")
    due = await here.queue.due(JOB, HOME, clock.now())
    assert [retry.subject_id for retry in due] == ["ann", "cleo"]
    for occasion, subjects in {NIGHT + 24 * HOUR: ["bob"], NIGHT + HOUR: []}.items():
        due = await here.queue.due(JOB, HOME, clock.now(), occasion=occasion)
        assert [retry.subject_id for retry in due] == subjects


async def test_hurrying_makes_first_failures_of_that_run_due_at_once(here: House, clock: TurnedClock) -> None:
    await put(here, "ann", due_after=HOUR)
    await put(here, "bob", "other", due_after=HOUR)
    assert await here.queue.hurry("run1") == 1
    assert [retry.subject_id for retry in await here.queue.due(JOB, HOME, clock.now())] == ["ann"]


async def test_taking_back_waits_where_it_is_told_to_and_writes_nothing_when_nothing_is_held(
    here: House, clock: TurnedClock
) -> None:
    await put(here, "ann")
    await claim(here, "run2", "ann")
    assert await here.queue.free("run2", "cut off", clock.now() + HOUR) == []
    (left,) = await here.queue.all()
    assert (left.next_retry_at, left.last_error, left.retry_count) == (NIGHT + HOUR, "cut off", 1)
    before = await version(here)
    await here.queue.free("run2")
    await here.queue.free_others()
    await claim(here, "run3", "nobody")
    assert await version(here) == before
    await put(here, "bob")
    assert await version(here) != before


async def version(here: House) -> int:
    """Return a number that changes with every write."""
    async with here.store.reading() as db:
        return int(next(iter(await db.execute_fetchall("PRAGMA data_version")))[0])


@dataclass
class Entry:
    """What must be known of one subject in the queue."""

    tries: int = 0
    dead: bool = False
    held: tuple[str, Retry] | None = None

    def let_go(self) -> None:
        self.held = None
        self.dead = self.dead or self.tries >= 3


class Life:
    """A queue and what must be in it."""

    def __init__(self, here: House) -> None:
        self.here = here
        self.expected: dict[str, Entry] = {}
        self.starts = 0

    async def fails(self, subject: str, run_id: str) -> None:
        async with self.here.store.writing() as db:
            now = self.here.clock.now()
            origin = Origin(JOB, HOME, run_id, now)
            await self.here.queue.put(db, origin, Subject(subject), "no", max_retries=3, next_retry_at=now)
        self.expected[subject] = Entry()

    async def is_claimed(self, subject: str, run_id: str) -> None:
        held = await claim(self.here, run_id, subject)
        entry = self.expected.get(subject)
        assert len(held) == (entry is not None and entry.held is None)
        for retry in held:
            assert entry is not None
            entry.tries += 1
            entry.held = (run_id, retry)

    async def works(self, subject: str, _run_id: str) -> None:
        entry = self.expected.get(subject)
        if entry is not None and entry.held is not None:
            run_id, retry = entry.held
            assert await done(self.here, retry, run_id)
            assert not await done(self.here, retry, run_id)
            del self.expected[subject]

    async def fails_again(self, subject: str, _run_id: str) -> None:
        entry = self.expected.get(subject)
        if entry is not None and entry.held is not None:
            run_id, retry = entry.held
            entry.held, entry.dead = None, entry.tries >= 3
            assert await failed(self.here, retry, run_id, None if entry.dead else timedelta()) is not None
            assert await failed(self.here, retry, run_id, None) is None

    async def is_cut_off(self, subject: str, _run_id: str) -> None:
        entry = self.expected.get(subject)
        if entry is not None and entry.held is not None:
            run_id, _ = entry.held
            given_up = await self.here.queue.free(run_id)
            assert len(given_up) == (not entry.dead and entry.tries >= 3)
            entry.let_go()

    async def kills_the_process(self, _subject: str, _run_id: str) -> None:
        self.starts += 1
        here = self.here
        here.queue = RetryQueue(here.store, here.clock, f"start{self.starts}", Bus())
        await here.queue.free_others()
        for entry in self.expected.values():
            if entry.held is not None:
                entry.let_go()

    async def is_asked_for_again(self, subject: str, _run_id: str) -> None:
        for row in await self.here.queue.all():
            if row.subject_id == subject:
                entry = self.expected[subject]
                assert (await self.here.queue.again(row.retry_id) is None) == (entry.held is not None)
                entry.dead = entry.dead and entry.held is not None

    async def is_dismissed(self, subject: str, _run_id: str) -> None:
        for row in await self.here.queue.all():
            if row.subject_id == subject:
                assert await self.here.queue.dismiss(row.retry_id)
                del self.expected[subject]

    async def check(self) -> None:
        rows = await self.here.queue.all()
        assert len(rows) == len(self.expected)
        assert {row.subject_id: (row.retry_count, row.dead) for row in rows} == {
            subject: (entry.tries, entry.dead) for subject, entry in self.expected.items()
        }
        due = await self.here.queue.due(JOB, HOME, self.here.clock.now())
        free = {subject for subject, entry in self.expected.items() if entry.held is None and not entry.dead}
        assert {retry.subject_id for retry in due} <= free
        assert bool(due) == bool(free)


EVENTS = (
    Life.fails,
    Life.is_claimed,
    Life.works,
    Life.fails_again,
    Life.is_cut_off,
    Life.kills_the_process,
    Life.is_asked_for_again,
    Life.is_dismissed,
)
WHAT_HAPPENS = st.lists(st.tuples(st.sampled_from(EVENTS), st.sampled_from(["ann", "bob"])), max_size=40)


@settings(max_examples=60)
@given(events=WHAT_HAPPENS)
def test_whatever_happens_nothing_in_the_queue_is_lost_or_doubled_or_tried_too_often(
    events: list[tuple[Callable[[Life, str, str], Awaitable[None]], str]],
) -> None:
    async def live_through() -> None:
        clock = TurnedClock(NIGHT)
        with tempfile.TemporaryDirectory() as folder:
            async with house(Path(folder), clock) as here:
                life = Life(here)
                for number, (event, subject) in enumerate(events):
                    await clock.turn(timedelta(minutes=1))
                    await event(life, subject, f"run{number}")
                    await life.check()

    asyncio.run(live_through())
