"""One run of one job, as the ledger knows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.errors import NightshiftError


class RunStatus(StrEnum):
    """How a run stands."""

    RUNNING = "running"
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
        return self is not RunStatus.RUNNING


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


@dataclass(frozen=True, slots=True)
class Run:
    """A row of `job_run`. Times are aware UTC; `scheduled_for` is None unless the schedule asked for it."""

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

    @property
    def cancelled(self) -> bool:
        """Whether a person ended it: it is then not taken up again."""
        return bool(self.details.get("cancelled"))


class AlreadyRunningError(NightshiftError):
    """The job runs already; `run` is that run."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"{run.job} is already running (run {run.run_id}); wait for it or cancel it")
        self.run = run
