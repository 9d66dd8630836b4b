"""A job is one declaration; a wrong one fails when it is made, not at three in the morning."""

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from app.jobs.context import RunContext
from app.jobs.due import check_schedule
from app.jobs.run import RunStatus

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class CatchUp(StrEnum):
    """What happens to runs that were due while nothing ran here, later than their grace."""

    SKIP = "skip"
    """They are recorded as skipped: the work is only worth doing at its hour."""
    ONCE = "once"
    """The newest of them is run once, the others are recorded as skipped."""


class Overlap(StrEnum):
    """What happens when the schedule comes round while the job still runs."""

    SKIP = "skip"
    """It is recorded as skipped, with the run that was in its way."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run that came to its end has to say: completed or partial, what it counted, and more."""

    status: RunStatus = RunStatus.COMPLETED
    counts: Mapping[str, int] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status not in {RunStatus.COMPLETED, RunStatus.PARTIAL}:
            raise ValueError(f"an outcome is completed or partial, not {self.status}: a failure is raised")
        # It is written down as JSON when the run is over; what cannot be has to fail here, in the job.
        object.__setattr__(self, "counts", {str(name): int(count) for name, count in self.counts.items()})
        json.dumps(dict(self.details))


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """One job: what it is, when it runs, and what happens when things go wrong."""

    name: str
    """Unique; lower case letters, digits and `_`. It is the key in the ledger: never renamed."""
    title: str
    description: str
    """One sentence for the page."""
    schedule: str
    """Five cron fields, in the home's zone."""
    run: Callable[[RunContext], Awaitable[Outcome]]
    grace: timedelta = timedelta(hours=1)
    """A run that is late by no more than this is simply started; a later one is missed."""
    catch_up: CatchUp = CatchUp.ONCE
    overlap: Overlap = Overlap.SKIP
    retries: int = 1
    """How often a scheduled run that failed is tried again before the next one is due."""
    retry_pause: timedelta = timedelta(minutes=30)
    restarts: int = 2
    """How often a run that was cut off is taken up again; 0 for work that must not be done twice."""
    time_limit: timedelta = timedelta(minutes=15)
    """A run that takes longer is ended and has failed."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a job's name is lower case letters, digits and _, not {self.name!r}")
        if not self.title.strip() or not self.description.strip():
            raise ValueError(f"job {self.name}: a title and a description are needed")
        try:
            check_schedule(self.schedule)
        except ValueError as error:
            raise ValueError(f"job {self.name}: {error}") from error
        for what in ("grace", "retry_pause", "time_limit"):
            if getattr(self, what) <= timedelta():
                raise ValueError(f"job {self.name}: {what} must be more than nothing")
        if self.retries < 0 or self.restarts < 0:
            raise ValueError(f"job {self.name}: retries and restarts cannot be negative")


def registry(specs: Iterable[JobSpec]) -> dict[str, JobSpec]:
    """Return the jobs by name; ValueError when two have the same one."""
    jobs: dict[str, JobSpec] = {}
    for spec in specs:
        if spec.name in jobs:
            raise ValueError(f"two jobs are called {spec.name}")
        jobs[spec.name] = spec
    return jobs
