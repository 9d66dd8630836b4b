"""What a run works through, one at a time, each isolated: a home, a person, a place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Subject:
    """One of them. `subject_id` is its key in the ledger and the retry queue; `name` is for people."""

    subject_id: str
    name: str = ""
    zone: str | None = None
    """The zone the schedule is read in for this one alone; None: its home's."""

    @property
    def label(self) -> str:
        return self.name or self.subject_id


class SubjectStatus(StrEnum):
    """How one subject of one run ended."""

    SUCCESSFUL = "successful"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SubjectResult:
    """A row of `job_subject`: one subject of one run. Times are aware UTC."""

    run_id: str
    subject_id: str
    name: str
    status: SubjectStatus
    duration_seconds: float
    completed_at: datetime
    error: str | None = None
    checks: Mapping[str, bool] = field(default_factory=dict)
    """What the verification looked at, and whether it held."""
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Retry:
    """A row of `job_retry`, one for each job, home and subject: what failed and is tried again alone."""

    retry_id: int
    job: str
    home: str
    subject_id: str
    name: str
    run_id: str
    """The run in which it first failed."""
    occasion: datetime
    """The instant that run was for."""
    retry_count: int
    """How often it was tried again; counted when a try begins, so that one that kills the process counts."""
    max_retries: int
    last_error: str
    next_retry_at: datetime | None
    """None when it is given up (`dead`)."""
    created_at: datetime
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def dead(self) -> bool:
        """Whether all its tries failed: it stays until a person tries it again or dismisses it."""
        return self.next_retry_at is None
