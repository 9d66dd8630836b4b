"""A job is one declaration; a wrong one fails when it is made, not at three in the morning."""

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from app.jobs.context import RunContext
from app.jobs.due import check_schedule
from app.jobs.policies import Backoff, CatchUp, Overlap, RateLimit, Scope
from app.jobs.run import RunStatus
from app.jobs.subject import Subject

__all__ = ["Backoff", "CatchUp", "JobSpec", "Outcome", "Overlap", "RateLimit", "Scope", "registry"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_DURATIONS = ("grace", "window", "time_limit", "hard_limit", "keep")
_LEAST = {"attempts": 1, "restarts": 0, "batch_size": 1, "alert_after": 1, "subject_attempts": 1}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run that came to its end has to say: completed or partial, what it counted, and more."""

    status: RunStatus = RunStatus.COMPLETED
    counts: Mapping[str, int] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    quiet: bool = False
    """Of a job that looks (`JobSpec.look`): it found nothing that anybody would look for in the ledger."""

    def __post_init__(self) -> None:
        if self.status not in {RunStatus.COMPLETED, RunStatus.PARTIAL}:
            raise ValueError(f"an outcome is completed or partial, not {self.status}: a failure is raised")
        # It is written down as JSON when the run is over; what cannot be has to fail here, in the job.
        object.__setattr__(self, "counts", {str(name): int(count) for name, count in self.counts.items()})
        json.dumps(dict(self.details))


@dataclass(frozen=True, slots=True)
class Subjects:
    """How a job works through many: who they are, what is done for each, and whether it held.

    `of` names them when a run begins. `work` is called once for each, ten or so at a time; what it raises is
    that subject's failure alone, what it returns is counted. `verify` looks at the result afterwards: each
    check by name, and one that does not hold is a failure.
    """

    of: Callable[[RunContext], Awaitable[Sequence[Subject]]]
    work: Callable[[RunContext, Subject], Awaitable[Mapping[str, int] | None]]
    verify: Callable[[RunContext, Subject], Awaitable[Mapping[str, bool]]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSpec:
    """One job: what it is, when it runs, for whom, and what happens when things go wrong."""

    name: str
    """Unique; lower case letters, digits and `_`. It is the key in the ledger: never renamed."""
    title: str
    description: str
    """One sentence for the page."""
    schedule: str
    """Five cron fields in the home's (or the person's) zone, or `every 15 minutes`."""
    run: Callable[[RunContext], Awaitable[Outcome]] | None = None
    """The work of a job that is one piece; else `subjects`."""
    subjects: Subjects | None = None
    scope: Scope = Scope.HOME
    look: bool = False
    """Whether it looks, every few minutes, at how things are: the next look sees what this one did not.

    So one that was missed or cut off is not made up for, and of those that end quietly (`Outcome.quiet`) one
    an hour is written, with how many it stands for (`looks`): a machine whose home sleeps leaves its disk
    alone. All others have their row.
    """
    grace: timedelta = timedelta(hours=1)
    """A run that is late by no more than this is simply started; a later one is missed."""
    catch_up: CatchUp = CatchUp.ONCE
    window: timedelta = timedelta(days=31)
    """Runs missed longer ago than this are not caught up, however long nothing ran here."""
    overlap: Overlap = Overlap.SKIP
    attempts: int = 2
    """How often a scheduled run is tried in all, if it fails, before the next one is due."""
    backoff: Backoff = field(default_factory=Backoff)
    """How long a failed run, or a failed subject, waits before it is tried again."""
    restarts: int = 2
    """How often a run that was cut off is taken up again; 0 for work that must not be done twice."""
    time_limit: timedelta = timedelta(minutes=15)
    """The soft limit: a run that takes longer is told to end, and has failed."""
    hard_limit: timedelta | None = None
    """A run that has not ended by then is left behind and counts as failed; None: a minute after the soft."""
    rate_limit: RateLimit | None = None
    batch_size: int = 10
    """How many subjects are worked on at a time."""
    subject_attempts: int = 3
    """How often a failed subject is tried again, alone, before it is given up."""
    alert_after: int = 3
    """After so many failures in a row people are told; and once more when it works again."""
    keep: timedelta = timedelta(days=400)
    """How long its runs stay in the ledger."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a job's name is lower case letters, digits and _, not {self.name!r}")
        if not self.title.strip() or not self.description.strip():
            raise ValueError(f"job {self.name}: a title and a description are needed")
        self._check_work()
        for what in _DURATIONS:
            given = getattr(self, what)
            if given is not None and given <= timedelta():
                raise ValueError(f"job {self.name}: {what} must be more than nothing")
        for what, least in _LEAST.items():
            if getattr(self, what) < least:
                raise ValueError(f"job {self.name}: {what} is at least {least}")
        if self.hard_limit is not None and self.hard_limit <= self.time_limit:
            raise ValueError(f"job {self.name}: the hard limit comes after the soft one")

    def _check_work(self) -> None:
        if (self.run is None) == (self.subjects is None):
            raise ValueError(f"job {self.name}: it has either a run or subjects")
        if self.look and (self.run is None or self.attempts > 1 or self.catch_up is not CatchUp.SKIP):
            raise ValueError(f"job {self.name}: a look is one piece, tried once, and never caught up")
        if self.scope is Scope.PERSON and self.subjects is None:
            raise ValueError(f"job {self.name}: a job for people works through subjects")
        try:
            check_schedule(self.schedule)
        except ValueError as error:
            raise ValueError(f"job {self.name}: {error}") from error

    @property
    def ends_by(self) -> timedelta:
        """The hard limit."""
        return self.hard_limit or self.time_limit + timedelta(minutes=1)


def registry(specs: Iterable[JobSpec]) -> dict[str, JobSpec]:
    """Return the jobs by name; ValueError when two have the same one."""
    jobs: dict[str, JobSpec] = {}
    for spec in specs:
        if spec.name in jobs:
            raise ValueError(f"two jobs are called {spec.name}")
        jobs[spec.name] = spec
    return jobs
