"""What the jobs announce on the bus."""

from dataclasses import dataclass
from datetime import datetime

from app.jobs.run import Run
from app.jobs.subject import Retry


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


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that was logged during a run; `number` counts from 0."""

    number: int
    at: datetime
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class RunLogged:
    """Lines were logged during a run; announced a few times a second at most."""

    run_id: str
    job: str
    lines: tuple[LogLine, ...]


@dataclass(frozen=True, slots=True)
class SubjectGivenUp:
    """All tries for one subject failed: it is tried no more until a person asks for it."""

    retry: Retry


@dataclass(frozen=True, slots=True)
class JobFailing:
    """A job failed `failures` times in a row, as often as its declaration bears."""

    job: str
    home: str
    failures: int
    error_message: str


@dataclass(frozen=True, slots=True)
class JobRecovered:
    """A job that was announced as failing works again."""

    job: str
    home: str
