"""What the tests of the jobs share: a small crew on a real database, and functions for the worker."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from app.bus import Bus
from app.clock import Clock, TurnedClock
from app.errors import InputError
from app.jobs.announcements import (
    JobChanged,
    JobFailing,
    JobRecovered,
    RunEnded,
    RunProgressed,
    RunSkipped,
    RunStarted,
    SubjectGivenUp,
)
from app.jobs.context import RunContext
from app.jobs.engine import EmbeddedEngine
from app.jobs.ledger import Ledger
from app.jobs.places import Place
from app.jobs.policies import Backoff
from app.jobs.retry_queue import RetryQueue
from app.jobs.run_log import RunLog
from app.jobs.runner import Jobs
from app.jobs.spec import JobSpec, Outcome
from app.store.database import Store

PARIS = ZoneInfo("Europe/Paris")
HALF_AN_HOUR = Backoff(timedelta(minutes=30), timedelta(minutes=30), jitter=False)
SOON = Backoff(timedelta(seconds=2), timedelta(seconds=2), jitter=False)
Work = Callable[[RunContext], Any]


def at(text: str) -> datetime:
    """Return a UTC instant: `2026-03-10 02:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def job(run: Work | None, /, **changes: Any) -> JobSpec:
    """Declare the nightly job; at 03:00 in Paris, which is 02:00 UTC in winter."""
    given = {
        "name": "analysis",
        "title": "Nightly analysis",
        "description": "Looks for habits.",
        "schedule": "0 3 * * *",
        "run": run,
        "backoff": HALF_AN_HOUR,
    }
    return JobSpec(**{**given, **changes})


@dataclass
class Crew:
    """A start of the process on `folder`."""

    jobs: Jobs
    ledger: Ledger
    store: Store
    queue: RetryQueue
    log: RunLog
    heard: list[Any] = field(default_factory=list)

    @property
    def alarms(self) -> dict[str, datetime]:
        """When what waits is looked at again, by the duty's key."""
        return {key: alarm[0] for key, alarm in self.jobs._dispatch.alarms._set.items()}

    @property
    def looks(self) -> set[asyncio.Task[None]]:
        return self.jobs._dispatch.looks

    @property
    def at_rest(self) -> bool:
        """Whether nothing runs, and nothing is looked at or tidied up any more."""
        return not self.looks and not self.jobs._crew._tasks

    def ended(self) -> list[RunEnded]:
        return [event for event in self.heard if isinstance(event, RunEnded)]


@asynccontextmanager
async def crew(
    folder: Path,
    clock: Clock,
    *specs: JobSpec,
    zone: ZoneInfo = PARIS,
    start: bool = True,
    places: Sequence[Place] = (),
    schedules: Mapping[str, str] | None = None,
    busy_seconds: float = 5.0,
) -> AsyncIterator[Crew]:
    """Start a crew as the real one is started; stop it at the end."""
    store = Store(folder / "nightshift.db", clock, busy_seconds)
    await store.open()
    try:
        made = _crew(folder, clock, store, specs, places or [Place("home", zone)], schedules or {})
        if start:
            await made.jobs.start()
        yield made
        await made.jobs.stop(0)
    finally:
        await store.close()


def _crew(
    folder: Path,
    clock: Clock,
    store: Store,
    specs: Sequence[JobSpec],
    places: Sequence[Place],
    schedules: Mapping[str, str],
) -> Crew:
    bus, ledger = Bus(), Ledger(store, clock)
    queue, log = RetryQueue(store, clock, ledger.generation, bus), RunLog(store, bus, clock)
    jobs = Jobs(
        specs,
        ledger=ledger,
        bus=bus,
        clock=clock,
        engine=EmbeddedEngine(clock, under="tests"),
        places=places,
        schedule_path=folder / "clock.db",
        queue=queue,
        log=log,
        schedules=schedules,
        chance=Random(7),  # noqa: S311 - how long a second try waits
    )
    made = Crew(jobs, ledger, store, queue, log)
    for kind in (
        *(RunStarted, RunProgressed, RunEnded, RunSkipped),
        *(JobChanged, JobFailing, JobRecovered, SubjectGivenUp),
    ):
        bus.subscribe(kind, made.heard.append)
    return made


async def until(condition: Callable[[], Any]) -> None:
    """Come back when the condition holds; the test's time limit is the bound."""
    while not condition():
        await asyncio.sleep(0.005)


async def turn_to(clock: TurnedClock, instant: datetime) -> None:
    """Turn the clock to that instant."""
    await clock.turn(instant - clock.now())


class Gate:
    """A job that runs until it is let go, and counts its runs."""

    def __init__(self) -> None:
        self.runs: list[RunContext] = []
        self.open = asyncio.Event()

    async def __call__(self, context: RunContext) -> Outcome:
        self.runs.append(context)
        await self.open.wait()
        return Outcome(counts={"patterns": 3})


class Quick:
    """A job that fails as often as it is told to, then succeeds."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.runs: list[RunContext] = []

    async def __call__(self, context: RunContext) -> Outcome:
        self.runs.append(context)
        if len(self.runs) <= self.failures:
            raise InputError("the hub said no")
        return Outcome(counts={"patterns": 3})


# Functions for the worker process.


def reverse(payload: BinaryIO, progress: Callable[[str, int, int], None]) -> bytes:
    progress("reversing", 0, 1)
    given = payload.read()
    progress("reversing", 1, 1)
    print("printed by the function")  # noqa: T201 - it must not end up in the answer
    return given[::-1]


def told(payload: BinaryIO, progress: Callable[[str, int, int], None]) -> bytes:
    """Tell how it runs: priority, threads, secrets in its environment."""
    nice = os.nice(0)
    return f"{nice} {os.environ.get('OMP_NUM_THREADS')} {'SUPERVISOR_TOKEN' in os.environ}".encode()


def refuse(payload: BinaryIO, progress: Callable[[str, int, int], None]) -> bytes:
    raise InputError("line 7: no time in it")


def stumble(payload: BinaryIO, progress: Callable[[str, int, int], None]) -> bytes:
    raise KeyError("light.kitchen")


def leave(payload: BinaryIO, progress: Callable[[str, int, int], None]) -> bytes:
    os._exit(0)


def kill_itself(payload: BinaryIO, progress: Callable[[str, int, int], None]) -> bytes:
    os.kill(os.getpid(), 9)
    return b""


def hang(payload: BinaryIO, progress: Callable[[str, int, int], None]) -> bytes:
    progress(f"pid {os.getpid()}", 0, 0)
    while True:
        time.sleep(60)


def flood(payload: BinaryIO, progress: Callable[[str, int, int], None]) -> bytes:
    for number in range(10_000):
        progress("counting", number, 10_000)
    return bytes(65 * 1024 * 1024)
