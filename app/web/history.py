"""A run as people read it: when, how it ended and why, what started it, what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from app.jobs.run import Run, RunStatus, SkippedBecause, Trigger
from app.jobs.spec import JobSpec
from app.web.wording import counted, duration, listed, sentence, when


class Kind(StrEnum):
    """How a run looks: each kind has its own shape, word and colour."""

    DONE = "done"
    PART = "part"
    FAILED = "failed"
    RETRYING = "retrying"
    CUT = "cut"
    MISSED = "missed"
    SKIPPED = "skipped"
    RUNNING = "running"
    WAITING = "waiting"


WORDS: Final = {
    Kind.DONE: "done",
    Kind.PART: "incomplete",
    Kind.FAILED: "failed",
    Kind.RETRYING: "failed, tried again",
    Kind.CUT: "cut short",
    Kind.MISSED: "missed",
    Kind.SKIPPED: "skipped",
    Kind.RUNNING: "running",
    Kind.WAITING: "waiting",
}
TROUBLE: Final = frozenset({Kind.PART, Kind.FAILED, Kind.RETRYING, Kind.CUT, Kind.MISSED})
"""The kinds that somebody may have to look at."""
_KINDS: Final = {
    RunStatus.PENDING: Kind.WAITING,
    RunStatus.RUNNING: Kind.RUNNING,
    RunStatus.RETRYING: Kind.RETRYING,
    RunStatus.COMPLETED: Kind.DONE,
    RunStatus.PARTIAL: Kind.PART,
    RunStatus.FAILED: Kind.FAILED,
    RunStatus.INTERRUPTED: Kind.CUT,
    RunStatus.SKIPPED: Kind.SKIPPED,
}
_TRIGGERS: Final = {
    Trigger.SCHEDULE: "schedule",
    Trigger.MANUAL: "Run now",
    Trigger.CATCH_UP: "caught up",
    Trigger.RETRY: "second try",
}
_BECAUSE: Final = {
    Trigger.SCHEDULE: "Its schedule came round.",
    Trigger.MANUAL: "Somebody pressed Run now, or a program asked for it.",
    Trigger.CATCH_UP: "It made up for a run that was missed or cut short.",
    Trigger.RETRY: "The try before it failed.",
}
_COUNTED: Final = {
    "events": ("change", "changes"),
    "patterns_detected": ("habit", "habits"),
    "suggestions_generated": ("suggestion", "suggestions"),
    "checks": ("check", "checks"),
    "sick": ("found wrong", "found wrong"),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant for `<time>`: `iso` in UTC, `text` in the home's zone."""

    iso: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A run, in words; `why` and `counts` may be empty, every text may be hostile."""

    run: Run
    kind: Kind
    title: str
    started: Moment
    trigger: str
    status: str
    took: str
    counts: str
    why: str


def kind_of(run: Run) -> Kind:
    """Return how a run looks; one that was missed is told from one that was passed over on purpose."""
    if run.details.get("because") == SkippedBecause.MISSED:
        return Kind.MISSED
    return _KINDS[run.status]


def moment(instant: datetime, now: datetime, zone: ZoneInfo) -> Moment:
    return Moment(instant.isoformat(), when(instant, now, zone))


def row_of(run: Run, specs: Mapping[str, JobSpec], now: datetime, zone: ZoneInfo) -> Row:
    """Put a run into words; a job that is declared no more is called by its name."""
    spec = specs.get(run.job)
    kind = kind_of(run)
    return Row(
        run=run,
        kind=kind,
        title=spec.title if spec else run.job,
        started=moment(run.started_at, now, zone),
        trigger=trigger_of(run),
        status="cancelled" if run.cancelled else WORDS[kind],
        took="—" if kind in {Kind.SKIPPED, Kind.MISSED} else duration(run.duration_seconds),
        counts=came_of(run),
        why=sentence(run.error_message),
    )


def trigger_of(run: Run) -> str:
    """Return in a word or two what started a run: `schedule`, `third try`."""
    if run.trigger is Trigger.RETRY and run.attempt > 2:
        return {3: "third try", 4: "fourth try"}.get(run.attempt, f"try {run.attempt}")
    return _TRIGGERS[run.trigger]


def because_of(run: Run) -> str:
    """Return in a sentence what started a run."""
    return _BECAUSE[run.trigger]


def came_of(run: Run) -> str:
    """Return what came of a run: its subjects, and what it counted that people know."""
    parts = []
    if run.subjects_processed:
        parts.append(f"{run.subjects_successful:,} of {run.subjects_processed:,} went well")
    parts += [counted(run.counts[key], *said) for key, said in _COUNTED.items() if key in run.counts]
    return ", ".join(parts)


def kinds_said(kinds: list[Kind]) -> str:
    """Return how many there are of each kind: `27 done, 2 failed and 1 missed`."""
    return listed([f"{kinds.count(kind)} {WORDS[kind]}" for kind in Kind if kind in kinds])
