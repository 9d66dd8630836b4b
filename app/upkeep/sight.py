"""What a look sees: the parts that are asked, and each job with the tries that the ledger knows of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.archive.archive import Archive
from app.clock import Clock
from app.jobs.ledger import Ledger
from app.jobs.places import EVERYWHERE
from app.jobs.policies import Scope
from app.jobs.retry_queue import RetryQueue
from app.jobs.runner import Jobs
from app.jobs.spec import JobSpec
from app.jobs.tally import Tally, Try, Worked
from app.neighbours import Neighbours
from app.store.database import Store
from app.upkeep.integrity import Integrity

LOOKED_BACK = timedelta(days=30)
"""Rates are of the last 30 days: what was mended is forgotten after that."""


@dataclass(frozen=True, kw_only=True)
class UpkeepParts:
    """Everything a look asks. None of it is ever changed by one."""

    clock: Clock
    store: Store
    jobs: Callable[[], Jobs]
    """Asked for when it is needed: the job that looks is itself one of them."""
    ledger: Ledger
    tally: Tally
    queue: RetryQueue
    archive: Archive
    neighbours: Neighbours
    since_tick: Callable[[], float | None] = lambda: None
    """How many seconds ago the scheduler last ticked; None while nothing is scheduled."""
    fed_by: str = ""
    """The job that brings the archive up to date."""


@dataclass(frozen=True, slots=True)
class HomeSight:
    """A job for one home, as it stands now; `home` is empty for a job that runs once for all."""

    home: str
    tries: tuple[Try, ...] = ()
    """The newest 200, newest first."""
    due: datetime | None = None
    """When it last came due, its grace taken off: something has to have run since."""
    before: datetime | None = None
    """When it came due before that."""
    failures: int = 0
    """How often it failed in a row."""
    looked_at: datetime | None = None
    """When a job that looks last did, with or without a row."""
    subjects: Mapping[datetime, Worked] = field(default_factory=dict)
    """By occasion of the last 30 days, where the job has subjects."""


@dataclass(frozen=True, slots=True)
class JobSight:
    """One job. `rests` says why it does not run by itself (paused, switched off), "" when it does."""

    spec: JobSpec
    now: datetime
    rests: str
    known_since: datetime
    """Since when its schedule is what it is, as far as this process saw."""
    duties: tuple[HomeSight, ...]
    tries: tuple[Try, ...] = field(init=False)
    """Those for all homes, newest first."""

    def __post_init__(self) -> None:
        every = [one for duty in self.duties for one in duty.tries]
        if len(self.duties) > 1:
            every.sort(key=lambda one: one.started_at, reverse=True)
        object.__setattr__(self, "tries", tuple(every))


@dataclass(frozen=True, slots=True)
class Sight:
    """What is there to be looked at, at one moment."""

    parts: UpkeepParts
    now: datetime
    integrity: Integrity
    jobs: Mapping[str, JobSight] = field(default_factory=dict)


async def sight_of(spec: JobSpec, parts: UpkeepParts, known_since: datetime) -> JobSight:
    """Return one job as it stands. Raises StoreError."""
    jobs, now = parts.jobs(), parts.clock.now()
    homes = (EVERYWHERE,) if spec.scope is Scope.ONCE else tuple(jobs.homes)
    duties = [await _for_home(spec, parts, home, now) for home in homes]
    rests = ""
    if jobs.is_paused(spec.name):
        rests = "It is paused: the schedule does not start it."
    elif homes and all(jobs.when(spec.name, home) is None for home in homes):
        rests = "Its schedule is switched off."
    return JobSight(spec=spec, now=now, rests=rests, known_since=known_since, duties=tuple(duties))


async def _for_home(spec: JobSpec, parts: UpkeepParts, home: str, now: datetime) -> HomeSight:
    when = parts.jobs().when(spec.name, home)
    instants = iter(()) if when is None else iter(when.backwards(now - spec.grace))
    subjects: Mapping[datetime, Worked] = {}
    if spec.subjects is not None:
        subjects = await parts.tally.subjects(spec.name, home, now - LOOKED_BACK)
    return HomeSight(
        home=home,
        subjects=subjects,
        tries=tuple(await parts.tally.tries(spec.name, home)),
        due=next(instants, None),
        before=next(instants, None),
        failures=await parts.ledger.failures_in_a_row(spec.name, home),
        looked_at=parts.jobs().looked_at(spec.name, home),
    )
