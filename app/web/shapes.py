"""How our things look as JSON, on the API and in live events. Times are ISO 8601 in UTC."""

from datetime import datetime
from typing import Any

from app.habits.suggestions import Offered
from app.jobs.agenda import ScheduleSetting
from app.jobs.announcements import LogLine, Progress
from app.jobs.due import OFF
from app.jobs.run import Run
from app.jobs.subject import Retry, SubjectResult
from app.neighbours import Neighbour
from app.web.states import JobState


def run_json(run: Run) -> dict[str, Any]:
    """Return a run of a job: who started it, when, how it ended, what it counted."""
    return {
        "run_id": run.run_id,
        "job": run.job,
        "home": run.home,
        "trigger": str(run.trigger),
        "status": str(run.status),
        "scheduled_for": _iso(run.scheduled_for),
        "occasion": _iso(run.occasion),
        "started_at": _iso(run.started_at),
        "completed_at": _iso(run.completed_at),
        "duration_seconds": run.duration_seconds,
        "counts": dict(run.counts),
        "error_message": run.error_message,
        "attempt": run.attempt,
        "retry_of": run.retry_of,
        "next_retry_at": _iso(run.next_retry_at),
        "because": run.details.get("because"),
        "subjects_processed": run.subjects_processed,
        "subjects_successful": run.subjects_successful,
        "subjects_failed": run.subjects_failed,
        "success_rate": run.success_rate,
    }


def job_json(state: JobState) -> dict[str, Any]:
    """Return how a job stands, with each home it runs for."""
    spec = state.spec
    return {
        "job": spec.name,
        "title": spec.title,
        "description": spec.description,
        "schedule": state.setting.text,
        "off": state.setting.text == OFF,
        "paused": state.paused,
        "next_run": _iso(state.following),
        "last_run": run_json(state.last) if state.last else None,
        "looked_at": _iso(state.looked_at),
        "homes": [
            {
                "home": one.home_id,
                "next_run": _iso(one.following),
                "running": run_json(one.running) if one.running else None,
                "last_run": run_json(one.newest) if one.newest else None,
                "failures_in_a_row": one.failures,
            }
            for one in state.standings
        ],
        "retries_waiting": sum(not retry.dead for retry in state.retries),
        "given_up": sum(retry.dead for retry in state.retries),
    }


def setting_json(setting: ScheduleSetting) -> dict[str, Any]:
    """Return where a job's schedule comes from: the page, the options, or its declaration."""
    return {
        "schedule_source": str(setting.source),
        "schedule_declared": setting.declared,
        "schedule_options": setting.options,
    }


def retry_json(retry: Retry) -> dict[str, Any]:
    """Return one subject of the retry queue; `next_retry_at` is null when it is given up."""
    return {
        "retry_id": retry.retry_id,
        "job": retry.job,
        "home": retry.home,
        "subject_id": retry.subject_id,
        "name": retry.name,
        "run_id": retry.run_id,
        "occasion": _iso(retry.occasion),
        "retry_count": retry.retry_count,
        "max_retries": retry.max_retries,
        "last_error": retry.last_error,
        "next_retry_at": _iso(retry.next_retry_at),
        "given_up": retry.dead,
        "created_at": _iso(retry.created_at),
    }


def subject_json(result: SubjectResult) -> dict[str, Any]:
    """Return how one subject of a run ended."""
    return {
        "subject_id": result.subject_id,
        "name": result.name,
        "status": str(result.status),
        "duration_seconds": result.duration_seconds,
        "completed_at": _iso(result.completed_at),
        "error": result.error,
        "checks": dict(result.checks),
        "counts": dict(result.counts),
    }


def progress_json(progress: Progress) -> dict[str, Any]:
    """Return how far a run is: `total` 0 means it is not known how much there is."""
    return {"step": progress.step, "done": progress.done, "total": progress.total}


def log_json(line: LogLine) -> dict[str, Any]:
    """Return a line of a run's log."""
    return {"number": line.number, "at": _iso(line.at), "level": line.level.lower(), "text": line.text}


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
