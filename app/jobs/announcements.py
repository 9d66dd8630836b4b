"""What the jobs announce on the bus."""

from dataclasses import dataclass
from datetime import datetime

from app.jobs.run import Run


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: `done` of `total` of `step`; a `total` of 0 means that it is not known."""

    step: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class RunStarted:
    run: Run


@dataclass(frozen=True, slots=True)
class RunProgressed:
    """Announced a few times a second at most."""

    run_id: str
    job: str
    progress: Progress


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run came to its end, in whatever status; `again_at` says when it is tried again, if it is."""

    run: Run
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RunSkipped:
    """A due run did not start; `run.error_message` says why."""

    run: Run


@dataclass(frozen=True, slots=True)
class JobChanged:
    """A job was paused or resumed, or when it runs next has changed."""

    job: str
