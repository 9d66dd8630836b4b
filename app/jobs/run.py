"""One run of one job, as the ledger knows it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from app.errors import NightshiftError


class RunStatus(StrEnum):
    """How a run stands."""

    PENDING = "pending"
    """It is due and waits for the run before it to end."""
    RUNNING = "running"
    RETRYING = "retrying"
    """It failed and is tried again at `next_retry_at`; `error_message` says what went wrong."""
    COMPLETED = "completed"
    PARTIAL = "partial"
    """It came to its end, but some of its subjects failed; `error_message` and `details` say which."""
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """It was cut off: the process died or was stopped, or a person cancelled it."""
    SKIPPED = "skipped"
    """It was due and did not run; `error_message` says why. Never counted as a run."""

    @property
    def ended(self) -> bool:
        """Whether the work of this run is over; a second try is a run of its own."""
        return self not in {RunStatus.PENDING, RunStatus.RUNNING}


class Trigger(StrEnum):
    """Why a run was started."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    CATCH_UP = "catch-up"
    """It was missed while nothing ran here, or cut off."""
    RETRY = "retry"
    """The run before it failed."""


class SkippedBecause(StrEnum):
    """Why a due run did not start; `because` in its details."""

    OVERLAP = "overlap"
    """The run before it was still going."""
    MISSED = "missed"
    """Nothing ran here at that time."""
    PAUSED = "paused"
    RATE_LIMIT = "rate_limit"
    """It ran as often as it may just before."""
    NOBODY = "nobody"
    """There was nobody to do it for."""
    CANCELLED = "cancelled"
    """A person called it off while it waited."""


@dataclass(frozen=True, slots=True)
class Run:
    """A row of `job_run`. Times are aware UTC; `scheduled_for` is None unless the schedule asked for it.

    `started_at` of a run that waits (`pending`) is when it began to wait.
    """

    run_id: str
    job: str
    home: str
    trigger: Trigger
    status: RunStatus
    scheduled_for: datetime | None
    started_at: datetime
    completed_at: datetime | None = None
    duration_seconds: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    error_message: str | None = None
    attempt: int = 1
    """1, and one more for each time it was taken up again, after a failure or an interruption."""
    retry_of: str | None = None
    generation: str = ""
    """Which start of the process made it."""
    details: Mapping[str, Any] = field(default_factory=dict)
    occasion: datetime | None = None
    """The instant this run's work is about: when it was due, or the day a person asked for."""
    created_at: datetime | None = None
    next_retry_at: datetime | None = None
    subjects_processed: int = 0
    subjects_successful: int = 0
    subjects_failed: int = 0

    @property
    def success_rate(self) -> float | None:
        """The share of its subjects that succeeded, 0 to 1; None when it had none."""
        return self.subjects_successful / self.subjects_processed if self.subjects_processed else None

    @property
    def cancelled(self) -> bool:
        """Whether a person ended it: it is then not taken up again."""
        return bool(self.details.get("cancelled"))

    @property
    def cut_off(self) -> bool:
        """Whether it ended before its work was done, and nobody wanted that: it is to be taken up again."""
        wanted = self.cancelled or self.details.get("replaced") or self.details.get("retries")
        return self.status is RunStatus.INTERRUPTED and not wanted


@dataclass(frozen=True, slots=True)
class Start:
    """A run to start."""

    trigger: Trigger
    scheduled_for: datetime | None = None
    occasion: datetime | None = None
    """None: when it is due, else now."""
    attempt: int = 1
    retry_of: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    """What the row says from its start: `person`, `force`; `retries` when it is for single subjects."""
    waiting: Run | None = None
    """The row that waited, if it did."""
    free: bool = False
    """Whether the rate limit does not hold it up."""


@dataclass(frozen=True, slots=True)
class Subjected:
    """How many subjects a run worked on, and how it went for them."""

    processed: int = 0
    successful: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class JobStats:
    """How a job did lately. Skipped runs and those that go on or wait are not among `runs`."""

    runs: int
    completed: int
    partial: int
    failed: int
    skipped: int
    interrupted: int
    seconds: list[float]
    """How long the completed and partial ones took, newest first."""


class RateLimitedError(NightshiftError):
    """The job ran as often as it may just now; it may again after `retry_after` seconds."""

    def __init__(self, job: str, retry_after: float) -> None:
        self.retry_after = max(1, math.ceil(retry_after))
        self.wait = timedelta(seconds=self.retry_after)
        super().__init__(f"{job} ran as often as it may; try again in {self.retry_after} s")


class AlreadyRunningError(NightshiftError):
    """The job runs already; `run` is that run."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"{run.job} is already running (run {run.run_id}); wait for it or cancel it")
        self.run = run
