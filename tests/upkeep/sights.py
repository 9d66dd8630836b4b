"""What the tests of single checks share: a job as the ledger tells of it, without a ledger."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.jobs.context import RunContext
from app.jobs.run import RunStatus, SkippedBecause, Trigger
from app.jobs.spec import JobSpec, Outcome
from app.jobs.tally import Try
from app.upkeep.sight import HomeSight, JobSight

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
DUE = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


async def _nothing(_context: RunContext) -> Outcome:
    return Outcome()


def spec(**changes: Any) -> JobSpec:
    given = {
        "name": "analysis",
        "title": "Nightly analysis",
        "description": "Looks for habits.",
        "schedule": "0 3 * * *",
        "run": _nothing,
    }
    return JobSpec(**{**given, **changes})


def tried(at: datetime = DUE, status: str = "completed", seconds: float = 60, **changes: Any) -> Try:
    """Return one row: a scheduled run that began at `at` and took a minute."""
    over = status not in {"running", "pending"}
    given: dict[str, Any] = {
        "run_id": f"run {at:%d %H:%M}",
        "home": "home",
        "trigger": Trigger.SCHEDULE,
        "status": RunStatus(status),
        "scheduled_for": at,
        "started_at": at,
        "completed_at": at + timedelta(seconds=seconds) if over else None,
        "duration_seconds": seconds if over else None,
        "occasion": at,
        "subjects_processed": 0,
        "subjects_successful": 0,
        "subjects_failed": 0,
        "counts": {},
        "error_message": "",
    }
    return Try(**{**given, **changes})


def skipped(at: datetime, because: SkippedBecause, why: str = "") -> Try:
    return tried(at, "skipped", 0, because=because, error_message=why)


def nights(*statuses: str, **changes: Any) -> tuple[Try, ...]:
    """Return one run a night with these ends, the newest first."""
    return tuple(tried(DUE - DAY * age, status, **changes) for age, status in enumerate(statuses))


def job(*tries: Try, **changes: Any) -> JobSight:
    """Return the nightly job with these tries, the newest first; it was last due at 02:00 UTC today."""
    duty: dict[str, Any] = {"home": "home", "tries": tries, "due": DUE, "before": DUE - DAY}
    duty |= {key: changes.pop(key) for key in ("due", "before", "failures", "subjects") if key in changes}
    given: dict[str, Any] = {
        "spec": changes.pop("spec", spec()),
        "now": NOW,
        "rests": "",
        "known_since": DUE - DAY * 30,
        "duties": (HomeSight(**duty),),
    }
    return JobSight(**{**given, **changes})
