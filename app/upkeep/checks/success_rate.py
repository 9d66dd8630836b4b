"""What share of the work succeeded in the end, second tries included."""

from collections.abc import Iterator
from datetime import datetime

from app.jobs.run import RunStatus
from app.jobs.tally import Try, Worked
from app.upkeep.check import Finding, JobCheck
from app.upkeep.sight import LOOKED_BACK, JobSight
from app.upkeep.wording import share

TARGET = 0.95
"""The seed's target: success rate above 95 %."""
NEWEST = 30
"""Occasions: of a nightly job a month, so that one bad night in it is borne and a second one is not."""


def look(job: JobSight) -> Finding:
    """Judge the last occasions; each counts the same, and is what its tries together came to."""
    shares: list[float] = []
    last: Worked | None = None
    why = ""
    for newest, worked in _occasions(job):
        shares.append(worked.successful / worked.subjects)
        last = last or worked
        why = why or (newest.error_message if worked.successful < worked.subjects else "")
        if len(shares) == NEWEST:
            break
    if last is None:
        return Finding(None, "It has not run in the last 30 days.")
    rate = round(sum(shares) / len(shares), 4)
    message = f"{share(rate)} succeeded over the last {len(shares)} runs"
    if len(shares) == 1:
        message = f"{share(rate)} succeeded in the one run there was"
    if last.subjects > 1:
        message = f"{message}, in the newest {last.successful} of {last.subjects}"
    if rate > TARGET:
        return Finding(True, f"{message}.", value=rate)
    said = f" What went wrong last: {why}" if why else ""
    return Finding(False, f"{message}. It should be more than {share(TARGET)}.{said}", _ADVICE, rate)


def _occasions(job: JobSight) -> Iterator[tuple[Try, Worked]]:
    """Yield the newest try of each occasion with what came of all of them, the newest first."""
    subjects = {duty.home: duty.subjects for duty in job.duties}
    seen: set[tuple[str, datetime]] = set()
    for one in job.tries:
        if one.status is RunStatus.SKIPPED or job.now - one.started_at > LOOKED_BACK:
            continue
        if (occasion := (one.home, one.occasion)) in seen:
            continue
        seen.add(occasion)
        # Not decided yet, or ended on purpose: neither way.
        if one.judged and one.status is not RunStatus.RETRYING:
            whole = Worked(1, int(one.status is RunStatus.COMPLETED))
            yield one, subjects[one.home].get(one.occasion, whole)


_ADVICE = "Open its last failed run on the page Jobs: it says what went wrong, and has the log."

CHECK = JobCheck("success_rate", "Success rate", "share", look)
