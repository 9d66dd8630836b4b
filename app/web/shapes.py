"""How our things look as JSON, on the API and in live events. Times are ISO 8601 in UTC."""

from datetime import datetime
from typing import Any

from app.habits.suggestions import Offered
from app.jobs.announcements import Progress
from app.jobs.run import Run
from app.neighbours import Neighbour


def run_json(run: Run) -> dict[str, Any]:
    """Return a run of a job: who started it, when, how it ended, what it counted."""
    return {
        "run_id": run.run_id,
        "job": run.job,
        "home": run.home,
        "trigger": str(run.trigger),
        "status": str(run.status),
        "scheduled_for": _iso(run.scheduled_for),
        "started_at": _iso(run.started_at),
        "completed_at": _iso(run.completed_at),
        "duration_seconds": run.duration_seconds,
        "counts": dict(run.counts),
        "error_message": run.error_message,
        "attempt": run.attempt,
        "retry_of": run.retry_of,
    }


def progress_json(progress: Progress) -> dict[str, Any]:
    """Return how far a run is: `total` 0 means it is not known how much there is."""
    return {"step": progress.step, "done": progress.done, "total": progress.total}


def offered_json(offered: Offered) -> dict[str, Any]:
    """Return a suggestion as `analyze --format json` gives it, with when it was first and last seen."""
    return {
        **offered.suggestion.model_dump(mode="json"),
        "status": str(offered.status),
        "first_seen": _iso(offered.first_seen),
        "last_seen": _iso(offered.last_seen),
    }


def neighbour_json(neighbour: Neighbour) -> dict[str, Any]:
    return {
        "name": neighbour.name,
        "state": str(neighbour.state),
        "message": neighbour.message,
        "since": _iso(neighbour.since),
    }


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
