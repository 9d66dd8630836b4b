"""Does it take as long as it usually does? A drop tells as much as a rise: undone work is quick."""

from app.jobs.run import RunStatus
from app.upkeep.check import Finding, JobCheck
from app.upkeep.sight import JobSight
from app.upkeep.usual import usual_range
from app.upkeep.wording import span

OF_LIMIT = 0.8
"""Beyond this share of its time limit the next, slightly longer run fails."""
LONGER = 2.0
SHORTER = 3.0
"""Twice above or three times below the usual range: a home that grows by a few devices stays inside."""
SLACK_SECONDS = 5.0
"""Below this nobody waits, and a second more or less says nothing."""


def look(job: JobSight) -> Finding:
    """Judge the last run that came to its end against its limit, and against those before it."""
    took = _durations(job)
    if not took:
        return Finding(None, "It has not completed yet.")
    last, usual = took[0], usual_range(took[1:])
    limit = job.spec.time_limit.total_seconds()
    said = f"It took {span(last)}"
    if last > OF_LIMIT * limit:
        return Finding(False, f"{said} of the {span(limit)} it may take.", _LONG, last)
    if usual is None:
        return Finding(True, f"{said}, of the {span(limit)} it may take.", value=last)
    said = f"{said}; usual is {span(usual.low)} to {span(usual.high)}"
    if last > LONGER * usual.high + SLACK_SECONDS:
        return Finding(False, f"{said}.", _LONG, last)
    if usual.low > SLACK_SECONDS and last < usual.low / SHORTER:
        return Finding(False, f"{said}: it may have done nothing.", _SHORT, last)
    return Finding(True, f"{said}.", value=last)


def _durations(job: JobSight) -> list[float]:
    """Return how long whole runs took, the newest first; one for single subjects says nothing of those."""
    ended = [
        one
        for one in job.tries
        if one.status in {RunStatus.COMPLETED, RunStatus.PARTIAL} and one.duration_seconds is not None
    ]
    most = max((one.subjects_processed for one in ended), default=0)
    return [one.duration_seconds or 0.0 for one in ended if one.subjects_processed * 2 >= most]


_LONG = "See on the page Jobs whether the last runs grew longer; look for what else keeps the machine busy."
_SHORT = "Compare what its last run counted with the runs before it, on the page Jobs."

CHECK = JobCheck("generation_time", "Generation time", "seconds", look)
