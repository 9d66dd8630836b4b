"""What a job is handed: who it runs for, how to say where it is, and the engine for heavy work."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from app.clock import Clock
from app.jobs.announcements import Progress
from app.jobs.engine import Engine
from app.jobs.run import Trigger
from app.jobs.subject import Subject
from app.jobs.text import describe, one_line

FAILURES_KEPT = 100
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """One subject of a run that failed, and why, in one line."""

    subject: str
    error: str


@dataclass(slots=True)
class RunContext:
    """Given to a job's function. It says where it is and what failed without knowing who listens."""

    run_id: str
    job: str
    home: str
    trigger: Trigger
    scheduled_for: datetime | None
    """The instant the schedule asked for (UTC), however late the run is; None for manual ones and retries."""
    started_at: datetime
    clock: Clock
    engine: Engine
    on_progress: Callable[[Progress], None]
    zone: ZoneInfo
    """The home's; in which local days are meant."""
    occasion: datetime
    """The instant the work is about (UTC): when it was due, the day a person asked for, else now.

    A second try has that of the first: what a job writes is keyed on it, and is then written once.
    """
    attempt: int = 1
    person: str | None = None
    """The one subject that a person asked for."""
    people: tuple[Subject, ...] = ()
    """For whom this run is, of a job for people."""
    force: bool = False
    """Whether a person asked to do it even if it is done already."""
    log: logging.Logger = field(init=False)
    failures: list[Failure] = field(default_factory=list)
    """The first 100 of them."""
    failed: int = 0
    subjects_processed: int = 0
    subjects_successful: int = 0
    subjects_failed: int = 0

    def __post_init__(self) -> None:
        self.log = logging.getLogger(f"app.job.{self.job}")

    def progress(self, step: str, done: int = 0, total: int = 0) -> None:
        """Say how far the run is; cheap, may be called as often as one likes, from the event loop."""
        self.on_progress(Progress(one_line(step, 200), done, total))

    def fail(self, subject: str, error: BaseException | str) -> None:
        """Record that one subject failed and go on: the run is then partial at best."""
        self.failed += 1
        said = describe(error) if isinstance(error, BaseException) else one_line(error)
        if len(self.failures) < FAILURES_KEPT:
            self.failures.append(Failure(one_line(subject, 200), said))
        self.log.warning("%s: %s failed: %s", self.job, subject, said)
