"""Did it run when it was last due? The seed's "168 hours" of a weekly job, for any schedule."""

from datetime import datetime

from app.jobs.run import RunStatus, SkippedBecause, Trigger
from app.jobs.tally import Try
from app.upkeep.check import Finding, JobCheck, worst
from app.upkeep.sight import HomeSight, JobSight
from app.upkeep.wording import span

# A run that did not start because of these was not missing.
_AS_MEANT = frozenset(
    {SkippedBecause.NOBODY, SkippedBecause.RATE_LIMIT, SkippedBecause.PAUSED, SkippedBecause.CANCELLED}
)


def look(job: JobSight) -> Finding:
    """Judge each home's last run; the worst one is told."""
    return worst(_of(job, duty) for duty in job.duties)


def _of(job: JobSight, duty: HomeSight) -> Finding:
    if duty.looked_at is not None and duty.due is not None and duty.looked_at >= duty.due:
        # A look that found nothing new has no row of its own.
        seconds = max((job.now - duty.looked_at).total_seconds(), 0)
        return Finding(True, f"It last looked {span(seconds)} ago.", value=round(seconds / 3600, 2))
    return _by_its_rows(job, duty)


def _by_its_rows(job: JobSight, duty: HomeSight) -> Finding:
    begun = (one for one in duty.tries if one.status not in {RunStatus.SKIPPED, RunStatus.PENDING})
    last = next(begun, None)
    seconds = None if last is None else (job.now - last.started_at).total_seconds()
    hours = None if seconds is None else round(seconds / 3600, 2)
    ago = "It never ran" if seconds is None else f"It last ran {span(max(seconds, 0))} ago"
    if duty.due is None:
        return Finding(None, f"{ago}; it was not due yet.", value=hours)
    if last is not None and any(_is_for(one, duty.due) for one in duty.tries):
        return Finding(True, f"{ago}: {last.status}.", value=hours)
    waited = span((job.now - duty.due).total_seconds())
    if (row := _row_of(duty)) is not None:
        if row.status is RunStatus.SKIPPED and row.because in _AS_MEANT:
            return Finding(None, f"{ago}. {row.error_message}", value=hours)
        said = f" {row.error_message}" if row.error_message else ""
        return Finding(False, f"{ago}, but was due {waited} ago.{said}", _START_IT, hours)
    if duty.due <= job.known_since:
        # Every instant that comes round leaves a row: without one, its schedule was another one then.
        return Finding(None, f"{ago}; its schedule is new, and was not due yet.", value=hours)
    return Finding(False, f"{ago}, but was due {waited} ago and did not start.", _CLOCK, hours)


def _is_for(one: Try, due: datetime) -> bool:
    """Whether it went on when the job was due, or later; a second try of what was due before is none."""
    late = one.trigger is Trigger.RETRY and one.occasion < due
    return one.going_at_or_after(due) and not late


def _row_of(duty: HomeSight) -> Try | None:
    if (due := duty.due) is None:
        return None
    return next((one for one in duty.tries if one.scheduled_for and one.scheduled_for >= due), None)


_START_IT = "Start it now on the page Jobs; it runs by itself again when it is next due."
_CLOCK = "Look at the check of the clock and at the log, then restart Nightshift."

CHECK = JobCheck("last_run", "Last run", "hours", look)
