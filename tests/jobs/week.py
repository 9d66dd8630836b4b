"""Weeks of jobs in processes of their own, to be killed: `python -m tests.jobs.week`.

For each line `FOLDER SEED` that it reads it forks a process, tells its id, and how it ended once it has. What
all of them need is imported before, so that a start costs what the start itself costs. A process turns its
clock from one instant at which something is due to the next, and lets all that can happen come to rest in
between. Where the clock stands is kept outside the database, and kept before it is turned: whoever comes next
goes on from there.
"""

import asyncio
import json
import os
import signal
import struct
import sys
import traceback
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.clock import TurnedClock, from_ms, to_ms
from app.errors import InputError
from app.jobs.context import RunContext
from app.jobs.places import Duty, Place, duties_of
from app.jobs.policies import Backoff, CatchUp, Overlap, Scope
from app.jobs.spec import JobSpec, Outcome, Subjects
from app.jobs.subject import Subject
from tests.jobs.crew import Crew, at, crew

BEGINS: Final = at("2026-03-25 13:50")
"""A Wednesday; on Sunday the clocks change in Amsterdam, a week later on Lord Howe."""
ENDS: Final = BEGINS + timedelta(days=7)
LAST: Final = ENDS + timedelta(days=2)
"""After the week all that is still owed has this long to come to its end."""
PLACES: Final = (
    Place(
        "canal",
        ZoneInfo("Europe/Amsterdam"),
        (Subject("ada"), Subject("bo"), Subject("cy", zone="America/New_York")),
    ),
    Place("island", ZoneInfo("Australia/Lord_Howe"), (Subject("dee"), Subject("eve", zone="Asia/Kolkata"))),
)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ALWAYS = 1000
_AT_MOST_SECONDS = 250
_ROOMS = tuple(Subject(name) for name in ("attic", "bath", "cellar", "den", "hall", "kitchen", "loft"))


def luck(seed: int, *of: object) -> float:
    """Return the same number from 0 to 1 for the same things, in whichever process."""
    return zlib.crc32(" ".join(map(str, (seed, *of))).encode()) / 2**32


def cursed(seed: int, job: str, occasion: datetime, subject: str) -> bool:
    """Whether every try for that subject fails."""
    return luck(seed, "cursed", job, to_ms(occasion), subject) < 0.04


@dataclass
class Week:
    """The work of all jobs: a journal outside the database tells what was really done."""

    folder: Path
    seed: int
    silent: bool = False
    """Whether it is only asked for its declarations."""
    entered: Counter[str] = field(default_factory=Counter)
    """By run: how many pieces of work go on."""
    asleep: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        if self.silent:
            return
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._journal = os.open(self.folder / "journal", flags)
        self._now = os.open(self.folder / "now", os.O_RDWR)

    def close(self) -> None:
        os.close(self._journal)
        os.close(self._now)

    def where_it_stood(self) -> datetime:
        return from_ms(struct.unpack("<q", os.pread(self._now, 8, 0))[0])

    def keep(self, now: datetime) -> None:
        os.pwrite(self._now, struct.pack("<q", to_ms(now)), 0)

    def journal(self, what: str, context: RunContext, subject: str = "") -> None:
        line = [what, context.run_id, context.job, context.home, to_ms(context.occasion), subject]
        os.write(self._journal, f"{json.dumps(line)}\n".encode())
        os.fsync(self._journal)

    @contextmanager
    def at_work(self, run_id: str) -> Iterator[None]:
        self.entered[run_id] += 1
        try:
            yield
        finally:
            self.entered[run_id] -= 1

    async def sleep(self, context: RunContext, how_long: timedelta) -> None:
        self.asleep[context.run_id] += 1
        try:
            await context.clock.sleep(how_long.total_seconds())
        finally:
            self.asleep[context.run_id] -= 1

    def done(self, *minutes: int, failing: float = 0.0) -> Any:
        """Return work that takes one of these times, and fails at the first try of some occasions."""

        async def work(context: RunContext) -> Outcome:
            with self.at_work(context.run_id):
                self.journal("begun", context)
                chance = luck(self.seed, context.job, context.home, to_ms(context.occasion))
                await self.sleep(context, minutes[int(chance * 997) % len(minutes)] * MINUTE)
                if chance < failing and context.attempt == 1:
                    raise InputError("the hub said no")
                self.journal("done", context)
                return Outcome()

        return work

    def each(self, of: Sequence[Subject] | None, takes: timedelta) -> Subjects:
        """Return work on subjects; a quarter of them fail at first, and a few always."""

        async def named(context: RunContext) -> Sequence[Subject]:
            return context.people if of is None else of

        async def work(context: RunContext, subject: Subject) -> Mapping[str, int]:
            with self.at_work(context.run_id):
                who = (context.job, context.occasion, subject.subject_id)
                await self.sleep(context, takes * luck(self.seed, "takes", *who))
                first = (
                    context.attempt == 1
                    and context.trigger != "retry"
                    and luck(self.seed, "first", *who) < 0.25
                )
                if first or cursed(self.seed, *who):
                    raise InputError("not at home")
                self.journal("done", context, subject.subject_id)
                return {"done": 1}

        return Subjects(named, work)

    def specs(self) -> list[JobSpec]:
        """Return the jobs; between them they have every policy."""
        soon = Backoff(2 * MINUTE, 20 * MINUTE)
        return [
            _job("nightly", "30 2 * * *", run=self.done(40), restarts=ALWAYS),
            _job(
                "digest",
                "0 */4 * * *",
                run=self.done(10, failing=0.3),
                catch_up=CatchUp.ALL,
                attempts=3,
                restarts=ALWAYS,
                backoff=soon,
            ),
            _job("sermon", "0 4 * * SUN", run=self.done(30), scope=Scope.ONCE, restarts=0),
            _job("letter", "15 */6 * * *", run=self.done(5), restarts=0, attempts=1),
            _job("weather", "every 6 hours", run=self.done(0), catch_up=CatchUp.SKIP, restarts=ALWAYS),
            _job(
                "backup",
                "5 */4 * * *",
                run=self.done(60, 90, 300),
                scope=Scope.ONCE,
                overlap=Overlap.QUEUE,
                restarts=ALWAYS,
            ),
            _job(
                "freshest",
                "35 */6 * * *",
                run=self.done(30, 420),
                scope=Scope.ONCE,
                overlap=Overlap.REPLACE,
                restarts=ALWAYS,
                attempts=2,
                backoff=soon,
            ),
            _job(
                "rooms",
                "0 5 * * *",
                subjects=self.each(_ROOMS, 20 * MINUTE),
                catch_up=CatchUp.ALL,
                batch_size=3,
                restarts=ALWAYS,
                backoff=soon,
            ),
            _job(
                "outlook",
                "0 7 * * *",
                subjects=self.each(None, 10 * MINUTE),
                scope=Scope.PERSON,
                restarts=ALWAYS,
                backoff=soon,
            ),
        ]


def _job(name: str, schedule: str, **given: Any) -> JobSpec:
    return JobSpec(
        name=name,
        title=name.title(),
        description="One of the week's.",
        schedule=schedule,
        **{"time_limit": 12 * HOUR, **given},
    )


def duties(specs: Sequence[JobSpec]) -> list[Duty]:
    return [duty for spec in specs for duty in duties_of(spec, PLACES)]


async def live(folder: Path, seed: int) -> None:
    """Go on with the week from where it stood, to its end."""
    week = Week(folder, seed)
    clock = TurnedClock(week.where_it_stood())
    specs = week.specs()
    async with crew(folder, clock, *specs, places=PLACES) as made:
        await nothing_of_others_runs(made)
        await go_on(week, made, clock, LAST)


async def go_on(week: Week, made: Crew, clock: TurnedClock, until: datetime) -> None:
    """Turn the clock until then, from one instant at which something happens to the next."""
    await rest(week, made)
    while (now := clock.now()) < until:
        following = {name: made.jobs.next_run(name) or until for name in made.jobs.specs}
        target = min(until, *following.values())
        if (wakes := next_sleeper(clock)) is not None:
            target = max(now, min(target, wakes))
        week.keep(target)
        await clock.turn(target - now)
        for job, instant in following.items():
            if instant <= target:
                made.jobs.look(job)
        await rest(week, made)


async def nothing_of_others_runs(made: Crew) -> None:
    others = [
        run.run_id
        for spec in made.jobs.specs
        if (run := await made.ledger.running(spec)) is not None and run.generation != made.ledger.generation
    ]
    if others:
        raise AssertionError(f"these still run, of a process that is gone: {others}")


async def rest(week: Week, made: Crew) -> None:
    """Come back when nothing can go on but by the clock."""
    while True:
        running = made.jobs._crew._tasks
        busy = [run_id for run_id in running if not week.entered[run_id] == week.asleep[run_id] > 0]
        if not busy and not made.looks and not made.jobs._crew._starts:
            return
        await asyncio.sleep(0.0002)


def next_sleeper(clock: TurnedClock) -> datetime | None:
    """Return when the clock next wakes somebody."""
    return min((due for due, _number, future in clock._sleepers if not future.done()), default=None)


def main() -> None:
    for line in sys.stdin:
        folder, seed = line.rsplit(maxsplit=1)
        if (child := os.fork()) == 0:
            _be(Path(folder), int(seed))
        say(f"{child}")
        _, status = os.waitpid(child, 0)
        say(f"{os.waitstatus_to_exitcode(status)}")


def _be(folder: Path, seed: int) -> None:
    signal.alarm(_AT_MOST_SECONDS)
    status = 1
    try:
        asyncio.run(live(folder, seed))
        status = 0
    except BaseException:  # noqa: BLE001 - whatever it was, this process has to end, and the test to hear of it
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(status)


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the test listens


if __name__ == "__main__":
    main()
