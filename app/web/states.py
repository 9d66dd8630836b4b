"""How every job stands, asked of the ledger, the runner and the queue once for each request."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from app.jobs.agenda import ScheduleSetting
from app.jobs.announcements import Progress
from app.jobs.places import EVERYWHERE
from app.jobs.policies import Scope
from app.jobs.run import Run, RunStatus
from app.jobs.spec import JobSpec
from app.jobs.subject import Retry
from app.web.history import Kind, kind_of
from app.web.overview import Standing
from app.web.parts import WebParts

_MOST_TRIES: Final = 20
_SEARCHED: Final = 90
_LOOKS: Final = (10, 200)
UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Going:
    """A run that goes on, and how far it is (None: it has not said)."""

    run: Run
    progress: Progress | None
    home: str


@dataclass(frozen=True, slots=True)
class JobState:
    """One job with all its homes. `runs` are the newest of all of them, newest first."""

    spec: JobSpec
    setting: ScheduleSetting
    paused: bool
    following: datetime | None
    runs: tuple[Run, ...]
    standings: tuple[Standing, ...]
    going: tuple[Going, ...]
    retries: tuple[Retry, ...]
    looked_at: datetime | None = None
    """When a job that looks last did, with a row of its own or without."""

    @property
    def last(self) -> Run | None:
        """The newest run that is over or was missed."""
        return newest_told(self.runs)


def zone_of_page(parts: WebParts) -> ZoneInfo:
    """Return the zone that times are shown in: the home's, UTC before it is known."""
    home = parts.home()
    return home.zone if home else UTC


def homes_of(parts: WebParts, spec: JobSpec) -> tuple[str, ...]:
    """Return for which homes a job runs; the one that is everywhere for a job that runs once for all."""
    return (EVERYWHERE,) if spec.scope is Scope.ONCE else parts.jobs.homes


def newest_told(runs: Iterable[Run]) -> Run | None:
    """Return the newest (first) run that says how a job does: one that is over, or that was missed.

    What was passed over because of a pause or of a run that still went on is no news.
    """
    for run in runs:
        if run.status is RunStatus.SKIPPED:
            if kind_of(run) is Kind.MISSED:
                return run
        elif run.status.ended:
            return run
    return None


async def newest_where(parts: WebParts, job: str, wanted: Callable[[Run], bool]) -> Run | None:
    """Return a job's newest run that is `wanted`, of the last 200.

    The last few are asked first: what a run leaves in its details can be tens of kilobytes.
    """
    for limit in _LOOKS:
        runs = await parts.ledger.recent(job, limit)
        found = next((run for run in runs if wanted(run)), None)
        if found is not None or len(runs) < limit:
            return found
    return None


async def all_states(parts: WebParts) -> list[JobState]:
    """Return how each job stands, in the order of their declaration."""
    return [await state_of(parts, spec) for spec in parts.jobs.specs.values()]


async def state_of(parts: WebParts, spec: JobSpec, limit: int = 30) -> JobState:
    """Return how one job stands, with its newest `limit` runs."""
    homes = homes_of(parts, spec)
    retries = tuple(await parts.queue.all(spec.name))
    runs = await parts.ledger.recent(spec.name, limit)
    standings = []
    going = []
    for home in homes:
        name = _home_name(parts, home) if len(homes) > 1 else ""
        its = runs if len(homes) == 1 else await parts.ledger.recent(spec.name, limit, home)
        running = parts.jobs.running(spec.name, home)
        if running:
            going.append(Going(running, parts.jobs.progress(spec.name, home), name))
        standings.append(
            Standing(
                job=spec.name,
                title=spec.title,
                home_id=home,
                home=name,
                newest=newest_told(its),
                running=running,
                following=parts.jobs.next_run(spec.name, home),
                paused=parts.jobs.is_paused(spec.name),
                failures=await parts.ledger.failures_in_a_row(spec.name, home),
                alert_after=spec.alert_after,
                retries=tuple(retry for retry in retries if retry.home == home),
            )
        )
    return JobState(
        spec=spec,
        setting=parts.jobs.schedule(spec.name),
        paused=parts.jobs.is_paused(spec.name),
        following=min((one.following for one in standings if one.following), default=None),
        runs=tuple(runs),
        standings=tuple(standings),
        going=tuple(going),
        retries=retries,
        looked_at=parts.jobs.looked_at(spec.name),
    )


async def tries_of(parts: WebParts, run: Run) -> list[Run]:
    """Return the tries that a run is one of, the first one first: those it took up, those that took it up."""
    chain = [run]
    while (earlier := chain[0].retry_of) is not None and len(chain) < _MOST_TRIES:
        before = await parts.ledger.get(earlier)
        if before is None or any(before.run_id == one.run_id for one in chain):
            break
        chain.insert(0, before)
    recent = await parts.ledger.recent(run.job, _SEARCHED, run.home)
    for later in reversed(recent):
        known = {one.run_id for one in chain}
        if later.retry_of in known and later.run_id not in known and len(chain) < _MOST_TRIES:
            chain.append(later)
    return chain


def _home_name(parts: WebParts, home_id: str) -> str:
    home = parts.home()
    return home.name if home and home.home_id == home_id and home.name else home_id
