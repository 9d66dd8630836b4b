"""What the tests of whole looks share: a house of real parts, with jobs that run and a monitor that looks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from app.archive.archive import Archive
from app.bus import Bus
from app.clock import Clock, TurnedClock
from app.errors import NeighbourError
from app.jobs.announcements import RunEnded
from app.jobs.context import RunContext
from app.jobs.engine import EmbeddedEngine
from app.jobs.ledger import Ledger
from app.jobs.places import Place
from app.jobs.retry_queue import RetryQueue
from app.jobs.run import Run
from app.jobs.run_log import RunLog
from app.jobs.runner import Jobs
from app.jobs.spec import JobSpec, Outcome
from app.jobs.tally import Tally
from app.neighbours import Neighbours
from app.store.database import Store
from app.upkeep.announcements import HealthChanged
from app.upkeep.job import HealthCheck, health_check_job
from app.upkeep.metrics import Metrics
from app.upkeep.monitor import Monitor
from app.upkeep.sight import UpkeepParts
from tests.upkeep.sights import NOW

PARIS = ZoneInfo("Europe/Paris")


class Nightly:
    """The job's work: counts words as a night does, or fails as told."""

    def __init__(self) -> None:
        self.error = ""
        self.counts = {"words_needed": 10, "words_kept": 9}

    async def __call__(self, _context: RunContext) -> Outcome:
        if self.error:
            raise NeighbourError(self.error)
        return Outcome(counts=self.counts)


@dataclass
class House:
    """A house in which two jobs run: the nightly one and the health check."""

    parts: UpkeepParts
    bus: Bus
    jobs: Jobs
    monitor: Monitor
    metrics: Metrics
    nightly: Nightly
    heard: list[Any] = field(default_factory=list)

    async def run(self, job: str = "analysis") -> Run:
        """Let one whole run of a job happen."""
        started = await self.jobs.trigger(job, force=True)
        return await self.jobs.wait(started.run_id)


@asynccontextmanager
async def house(
    folder: Path, clock: Clock | None = None, *extra: JobSpec, scheduling: bool = False
) -> AsyncIterator[House]:
    """Open a house; without `scheduling` nothing starts by itself."""
    clock, bus = clock or TurnedClock(NOW), Bus()
    store = Store(folder / "nightshift.db", clock)
    await store.open()
    ledger = Ledger(store, clock)
    queue = RetryQueue(store, clock, ledger.generation, bus)
    nightly = Nightly()
    jobs: Jobs
    parts = UpkeepParts(
        clock=clock,
        store=store,
        jobs=lambda: jobs,
        ledger=ledger,
        tally=Tally(store),
        queue=queue,
        archive=Archive(store, clock),
        neighbours=Neighbours(bus, clock),
        since_tick=lambda: jobs.since_tick(),  # noqa: PLW0108 - the jobs are made later
        fed_by="analysis",
    )
    monitor = Monitor(parts, bus)
    analysis = JobSpec(
        name="analysis",
        title="Nightly analysis",
        description="Looks for habits.",
        schedule="0 3 * * *",
        run=nightly,
        attempts=1,
    )
    jobs = Jobs(
        [analysis, health_check_job(HealthCheck(monitor, ledger, bus).run), *extra],
        ledger=ledger,
        bus=bus,
        clock=clock,
        engine=EmbeddedEngine(clock, under="tests"),
        places=[Place("home", PARIS)],
        schedule_path=folder / "clock.db",
        queue=queue,
        log=RunLog(store, bus, clock),
    )
    opened = House(parts, bus, jobs, monitor, Metrics(parts, monitor, bus), nightly)
    bus.subscribe(RunEnded, opened.heard.append)
    bus.subscribe(HealthChanged, opened.heard.append)
    try:
        await jobs.start(scheduling=scheduling)
        yield opened
        await jobs.stop(0)
    finally:
        opened.metrics.close()
        monitor.close()
        await store.close()
