"""Does what happens at home still reach the archive?"""

from datetime import datetime, timedelta

from app.upkeep.check import Finding, HouseCheck, worst
from app.upkeep.sight import JobSight, Sight
from app.upkeep.wording import span

_DAY = timedelta(days=1)
PERIODS = 2
"""One night may fail and is made up for by the next; after two, something is wrong."""
SLACK = timedelta(hours=1)


async def look(sight: Sight) -> Finding:
    """Judge the age of the newest event of each home against the schedule of the job that reads them."""
    feeding = sight.jobs.get(sight.parts.fed_by)
    if feeding is None or feeding.rests:
        return Finding(None, "The job that feeds it does not run by itself.")
    limit = max(PERIODS * _period(feeding), _DAY) + SLACK
    return worst([_judged(feeding, await _newest(sight, duty.home), limit) for duty in feeding.duties])


async def _newest(sight: Sight, home: str) -> datetime | None:
    return (await sight.parts.archive.size(home)).last


def _judged(feeding: JobSight, newest: datetime | None, limit: timedelta) -> Finding:
    if newest is None:
        if not any(one.judged for one in feeding.tries):
            return Finding(None, "It is empty: no night has been looked at yet.")
        return Finding(False, "It is empty, although nights were looked at.", _EMPTY)
    age = feeding.now - newest
    hours = round(age.total_seconds() / 3600, 4)
    said = f"The newest event is {span(max(age.total_seconds(), 0))} old."
    if age > limit:
        most = f"It should be less than {span(limit.total_seconds())}."
        return Finding(False, f"{said} {most}", _OLD, hours)
    return Finding(True, said, value=hours)


def _period(job: JobSight) -> timedelta:
    """Return the longest time between the last two times it came due; a day where that is not known."""
    between = [duty.due - duty.before for duty in job.duties if duty.due and duty.before]
    return max(between, default=_DAY)


_OLD = "Look at the last runs of the job that feeds it, and at Home Assistant's own history."
_EMPTY = "Check that Home Assistant records history, and that Nightshift's user may read it."

CHECK = HouseCheck("archive", "Archive", "hours", look)
