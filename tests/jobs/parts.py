"""What the tests of the working part share: a database, runs in it, the context that a run is given."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from sqlite3 import Connection, connect
from typing import Any
from zoneinfo import ZoneInfo

from app.bus import Bus
from app.clock import Clock, to_ms
from app.jobs.announcements import Progress, SubjectGivenUp
from app.jobs.context import RunContext
from app.jobs.engine import EmbeddedEngine
from app.jobs.policies import Backoff
from app.jobs.results import SubjectResults
from app.jobs.retry_queue import RetryQueue
from app.jobs.run import Run, RunStatus, Trigger
from app.jobs.spec import JobSpec, Outcome, Subjects
from app.jobs.subject import Retry, Subject
from app.jobs.working import work_through
from app.store.database import Store

NIGHT = datetime(2026, 3, 10, 2, tzinfo=UTC)
JOB, HOME = "outlook", "home"
FIVE_MINUTES = timedelta(minutes=5)


def people(*names: str) -> list[Subject]:
    return [Subject(name, name.title()) for name in names]


def many(count: int) -> list[Subject]:
    return [Subject(f"s{number:03}") for number in range(count)]


def spec(how: Subjects, **changes: Any) -> JobSpec:
    """Declare a job for subjects; its pauses are exact: 5, 10, 20 minutes, at most 2 hours."""
    given: Mapping[str, Any] = {
        "name": JOB,
        "title": "Daily outlook",
        "description": "Tells what the day brings.",
        "schedule": "0 3 * * *",
        "subjects": how,
        "backoff": Backoff(base=FIVE_MINUTES, cap=timedelta(hours=2), jitter=False),
    }
    return JobSpec(**{**given, **changes})


def run_of(run_id: str) -> Run:
    return Run(run_id, JOB, HOME, Trigger.SCHEDULE, RunStatus.RUNNING, NIGHT, NIGHT)


@dataclass
class House:
    """One start of the process on a database."""

    store: Store
    clock: Clock
    queue: RetryQueue
    results: SubjectResults
    given_up: list[Retry] = field(default_factory=list)
    said: list[Progress] = field(default_factory=list)

    async def begin(self, run_id: str, occasion: datetime | None = None) -> None:
        now = self.clock.now()
        async with self.store.writing() as db:
            await db.execute(
                "INSERT INTO job_run (run_id, job, home, trigger, status, started_at, occasion, generation) "
                "VALUES (?, ?, ?, 'manual', 'running', ?, ?, 'g')",
                (run_id, JOB, HOME, to_ms(now), to_ms(occasion or now)),
            )

    async def end(self, run_id: str, status: str = "completed") -> None:
        async with self.store.writing() as db:
            await db.execute("UPDATE job_run SET status = ? WHERE run_id = ?", (status, run_id))

    def context(
        self, run_id: str, *, trigger: Trigger = Trigger.SCHEDULE, occasion: datetime | None = None
    ) -> RunContext:
        return RunContext(
            run_id=run_id,
            job=JOB,
            home=HOME,
            trigger=trigger,
            scheduled_for=None,
            started_at=self.clock.now(),
            clock=self.clock,
            engine=EmbeddedEngine(self.clock, under="tests"),
            on_progress=self.said.append,
            zone=ZoneInfo("Europe/Amsterdam"),
            occasion=occasion or self.clock.now(),
        )

    async def work(
        self,
        declared: JobSpec,
        context: RunContext,
        *,
        only: list[Subject] | None = None,
        done_before: frozenset[str] = frozenset(),
    ) -> Outcome:
        """Work through a run that has begun, and leave its row running."""
        return await work_through(
            declared,
            context,
            results=self.results,
            queue=self.queue,
            only=only,
            done_before=done_before,
            chance=Random(1),  # noqa: S311 - pauses
        )

    async def whole(self, declared: JobSpec, context: RunContext, **given: Any) -> Outcome:
        """Begin, work through and end a run."""
        await self.begin(context.run_id, context.occasion)
        outcome = await self.work(declared, context, **given)
        await self.end(context.run_id)
        return outcome

    async def try_again(self, declared: JobSpec, run_id: str) -> RunContext | None:
        """Run what is due in the queue, as the runner does; None when nothing is."""
        due = await self.queue.due(JOB, HOME, self.clock.now())
        if not due:
            return None
        context = self.context(run_id, trigger=Trigger.RETRY, occasion=due[0].occasion)
        await self.whole(declared, context, only=[Subject(retry.subject_id, retry.name) for retry in due])
        return context


@asynccontextmanager
async def house(
    folder: Path, clock: Clock, generation: str = "one", busy: float = 5.0
) -> AsyncIterator[House]:
    store = Store(folder / "nightshift.db", clock, busy)
    await store.open()
    bus = Bus()
    made = House(store, clock, RetryQueue(store, clock, generation, bus), SubjectResults(store))
    bus.subscribe(SubjectGivenUp, lambda event: made.given_up.append(event.retry))
    try:
        yield made
    finally:
        await store.close()


def looked_up(folder: Path, look: Callable[[Connection], Any]) -> Any:
    """Return what `look` finds in the database file, read from outside."""
    with closing(connect(folder / "nightshift.db")) as db:
        return look(db)
