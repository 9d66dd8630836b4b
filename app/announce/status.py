"""What Nightshift says about itself: the state message, the end of an analysis, what is new on offer."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.jobs.run import Run, RunStatus

TITLES_SHOWN = 5
"""Home Assistant's recorder keeps every change of an attribute, so they stay few and short."""
_TITLE_LENGTH = 120
_MESSAGE_LENGTH = 255


class Status(StrEnum):
    """How the nightly analysis stands, as the Status sensor says it."""

    IDLE = "idle"
    """It has not run yet."""
    RUNNING = "running"
    OK = "ok"
    """The last one completed."""
    WARNING = "warning"
    """The last one completed in part, or was interrupted."""
    FAILED = "failed"


_AFTER = {
    RunStatus.COMPLETED: Status.OK,
    RunStatus.PARTIAL: Status.WARNING,
    RunStatus.INTERRUPTED: Status.WARNING,
    RunStatus.FAILED: Status.FAILED,
    RunStatus.RETRYING: Status.FAILED,
}
"""A skipped run did nothing, so it changes nothing."""


@dataclass(frozen=True, slots=True)
class Standing:
    """All that the state message is made of. `last` is the last run that ended, skipped ones left out."""

    running: bool
    last: Run | None
    next_run: datetime | None
    paused: bool
    titles: Sequence[str]


def counted(run: Run) -> bool:
    """Say whether a run ended by having done something, well or badly."""
    return run.status in _AFTER


def state_message(standing: Standing) -> str:
    """Return the state of all sensors as JSON; the same standing gives the same text."""
    last = standing.last
    after = _AFTER.get(last.status, Status.IDLE) if last else Status.IDLE
    problem = after in {Status.WARNING, Status.FAILED}
    return json_text(
        {
            "status": Status.RUNNING if standing.running else after,
            "running": standing.running,
            "last_run": _instant(last.completed_at) if last else None,
            "next_run": None if standing.paused else _instant(standing.next_run),
            "duration_seconds": _seconds(last.duration_seconds) if last else None,
            "pending": len(standing.titles),
            "titles": shown(standing.titles),
            "problem": problem,
            "message": _problem_text(last) if last and problem else "",
            "enabled": not standing.paused,
        }
    )


def completion_message(run: Run) -> str:
    """Return what is told of an analysis that ended, as JSON, whatever its end."""
    counts: Mapping[str, int] = run.counts
    return json_text(
        {
            "timestamp": _instant(run.completed_at),
            "patterns_detected": counts.get("patterns_detected", 0),
            "suggestions_generated": counts.get("suggestions_generated", 0),
            "duration_seconds": _seconds(run.duration_seconds) or 0.0,
            # That it is tried again is seen in the next run; what listens knows of four ends.
            "status": RunStatus.FAILED if run.status is RunStatus.RETRYING else run.status,
            "run_id": run.run_id,
        }
    )


def event_message(event_type: str, titles: Sequence[str], run_id: str, ids: Sequence[str] = ()) -> str:
    """Return one event about suggestions that came or went in one night, as JSON; `ids` go with `titles`."""
    told = {"event_type": event_type, "count": len(titles), "titles": shown(titles), "run_id": run_id}
    return json_text({**told, "ids": list(ids[:TITLES_SHOWN])} if ids else told)


def _problem_text(run: Run) -> str:
    text = run.error_message or {
        RunStatus.PARTIAL: "part of the last analysis did not work",
        RunStatus.INTERRUPTED: "the last analysis was interrupted",
    }.get(run.status, "the last analysis failed")
    return _cut(text, _MESSAGE_LENGTH)


def shown(titles: Sequence[str]) -> list[str]:
    """Return the first few titles, each cut to a bearable length."""
    return [_cut(title, _TITLE_LENGTH) for title in titles[:TITLES_SHOWN]]


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _instant(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _seconds(duration: float | None) -> float | None:
    return None if duration is None else round(duration, 1)


def json_text(fields: dict[str, Any]) -> str:
    """Return a message as it goes over the wire."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
