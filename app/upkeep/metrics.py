"""Figures for Prometheus: what is counted since the start, and what the ledger says when it is asked.

Labels are names of ours alone (a job, a status, a check, a neighbour): never more than there are of those.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app import __version__
from app.bus import Bus
from app.jobs.places import EVERYWHERE
from app.jobs.policies import Scope
from app.jobs.run import RunStatus
from app.jobs.spec import JobSpec
from app.jobs.subject import Retry
from app.jobs.tally import Kept
from app.neighbours import Neighbour, NeighbourState
from app.upkeep.counted import Counted
from app.upkeep.health import Health
from app.upkeep.monitor import Monitor
from app.upkeep.sight import UpkeepParts

HEALTH_SECONDS: Final = 30.0
"""How old the look may be that a scrape tells: one look serves two scrapes at Prometheus's usual minute."""
_FRESH_SECONDS: Final = 1.0
_NOT_BEGUN: Final = frozenset({RunStatus.SKIPPED, RunStatus.PENDING})


class Metrics:
    """Renders all figures as Prometheus's text. Call from the event loop only."""

    def __init__(self, parts: UpkeepParts, monitor: Monitor, bus: Bus) -> None:
        self._parts = parts
        self._monitor = monitor
        self._counted = Counted(bus)
        self._page = _Page()
        self._registry = CollectorRegistry()
        self._registry.register(self._page)
        ProcessCollector(registry=self._registry)
        self._rendering = asyncio.Lock()
        self._last: tuple[float, bytes] | None = None

    def close(self) -> None:
        """Count no more."""
        self._counted.close()

    async def render(self) -> bytes:
        """Return the text exposition (format 0.0.4), at most a second old. Raises StoreError."""
        async with self._rendering:
            now = self._parts.clock.monotonic()
            if self._last is None or now - self._last[0] > _FRESH_SECONDS:
                self._last = (now, await asyncio.to_thread(self._write, await self._seen()))
            return self._last[1]

    async def _seen(self) -> "_Seen":
        """Ask for everything that is asked for in the event loop."""
        health = await self._monitor.glance(HEALTH_SECONDS)
        jobs = {name: await self._job(spec) for name, spec in sorted(self._parts.jobs().specs.items())}
        return _Seen(
            health=health,
            jobs=jobs,
            kept=await self._parts.tally.kept(),
            retries=await self._parts.queue.all(),
            neighbours=self._parts.neighbours.all(),
        )

    async def _job(self, spec: JobSpec) -> "_Job":
        """Return how a job stands: of several homes' next runs the first, of failures in a row the most."""
        jobs = self._parts.jobs()
        homes = (EVERYWHERE,) if spec.scope is Scope.ONCE else jobs.homes
        failures = [await self._parts.ledger.failures_in_a_row(spec.name, home) for home in homes]
        return _Job(jobs.is_paused(spec.name), jobs.next_run(spec.name), max(failures, default=0))

    def _write(self, seen: "_Seen") -> bytes:
        """Render it, in a thread: there is much to write, and the process's own figures are files."""
        self._page.families = [
            _info(),
            *self._counted.families(seen.jobs),
            *_of_jobs(seen.jobs),
            *_of_ledger(seen),
            *_of_health(seen.health),
            _of_neighbours(seen.neighbours),
        ]
        return generate_latest(self._registry)


@dataclass(frozen=True, slots=True)
class _Job:
    paused: bool
    next_run: datetime | None
    failures: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a scrape is written from."""

    health: Health
    jobs: Mapping[str, _Job]
    kept: list[Kept]
    retries: list[Retry]
    neighbours: list[Neighbour]


class _Page(Collector):
    """What a scrape renders: families that were made beforehand."""

    def __init__(self) -> None:
        self.families: list[Metric] = []

    def collect(self) -> Iterable[Metric]:
        return self.families


def _info() -> Metric:
    info = _gauge("nightshift_build_info", "Always 1; the label says which version runs.", "version")
    info.add_metric((__version__,), 1)
    return info


def _of_jobs(jobs: Mapping[str, _Job]) -> Iterable[Metric]:
    paused = _gauge("nightshift_job_paused", "1 while the job is paused.", "job")
    following = _gauge("nightshift_job_next_run_timestamp_seconds", "When it runs next by itself.", "job")
    failures = _gauge("nightshift_job_failures_in_a_row", "How often it failed in a row.", "job")
    for name, job in jobs.items():
        paused.add_metric((name,), float(job.paused))
        failures.add_metric((name,), job.failures)
        if job.next_run is not None:
            following.add_metric((name,), job.next_run.timestamp())
    return paused, following, failures


def _of_ledger(seen: _Seen) -> Iterable[Metric]:
    held = _gauge("nightshift_ledger_runs", "Runs that the ledger keeps, by status.", "job", "status")
    last = _gauge("nightshift_job_last_run_timestamp_seconds", "When the last run began.", "job")
    good = _gauge("nightshift_job_last_completed_timestamp_seconds", "When a run last completed.", "job")
    running = _gauge("nightshift_job_running", "Runs that are going on.", "job")
    queue = _gauge(
        "nightshift_runs_waiting", "Runs that wait: for their turn, or to be tried again.", "job", "status"
    )
    again = _gauge(
        "nightshift_retries", "Subjects in the retry queue: waiting, or given up (dead).", "job", "state"
    )
    rows = {(row.job, row.status): row for row in seen.kept}
    subjects = Counter((one.job, one.dead) for one in seen.retries)
    for job in seen.jobs:
        of = {status: row for status in RunStatus if (row := rows.get((job, status))) is not None}
        for status, row in of.items():
            held.add_metric((job, status), row.runs)
        if began := [row.started_at for status, row in of.items() if status not in _NOT_BEGUN]:
            last.add_metric((job,), max(began).timestamp())
        completed = of.get(RunStatus.COMPLETED)
        if completed is not None and completed.completed_at is not None:
            good.add_metric((job,), completed.completed_at.timestamp())
        counts = {status: row.runs for status, row in of.items()}
        running.add_metric((job,), counts.get(RunStatus.RUNNING, 0))
        for status in (RunStatus.PENDING, RunStatus.RETRYING):
            queue.add_metric((job, status), counts.get(status, 0))
        again.add_metric((job, "waiting"), subjects[job, False])
        again.add_metric((job, "dead"), subjects[job, True])
    return held, last, good, running, queue, again


def _of_neighbours(neighbours: list[Neighbour]) -> Metric:
    up = _gauge("nightshift_neighbour_up", "1 when a neighbour answers; absent where it is off.", "neighbour")
    for neighbour in neighbours:
        if neighbour.state is not NeighbourState.OFF:
            up.add_metric((neighbour.name,), float(neighbour.state is NeighbourState.OK))
    return up


def _of_health(health: Health) -> Iterable[Metric]:
    healthy = _gauge("nightshift_healthy", "1 when more than 80 % of the checks are healthy.")
    healthy.add_metric((), float(health.healthy))
    score = _gauge("nightshift_health_score", "Healthy checks by checks, 0 to 1.")
    score.add_metric((), health.score)
    each = _gauge(
        "nightshift_check_healthy",
        "1 healthy, 0 sick; absent where nothing can be judged. `job` is empty for what all jobs stand on.",
        "check",
        "job",
    )
    for check in health.checks.values():
        if check.healthy is not None:
            kind = check.name.removeprefix(f"{check.job}.")
            each.add_metric((kind, check.job or ""), float(check.healthy))
    families = [healthy, score, each]
    for check_name, (name, said, factor) in _FIGURES.items():
        gauge = _gauge(name, said)
        if (value := health.checks[check_name].value) is not None:
            gauge.add_metric((), value * factor)
        families.append(gauge)
    return families


_FIGURES: Final = {
    "database": ("nightshift_database_bytes", "Size of the database, its log not counted.", 1),
    "disk": ("nightshift_disk_free_bytes", "Free bytes of the disk that the data folder is on.", 1),
    "archive": ("nightshift_archive_age_seconds", "How old the newest event in the archive is.", 3600),
    "clock": ("nightshift_scheduler_tick_age_seconds", "How long ago the scheduler ticked.", 1),
}
"""By the check whose figure it is: metric, help, and what turns that figure into the metric's unit."""


def _gauge(name: str, said: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, said, labels=labels)
