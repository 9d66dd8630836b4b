"""Do runs that are due get their turn?"""

from datetime import timedelta

from app.jobs.run import RunStatus
from app.upkeep.check import Finding, HouseCheck
from app.upkeep.sight import Sight
from app.upkeep.wording import counted, span

PATIENCE = timedelta(minutes=5)
"""Beyond the hard limit of the run in its way: then a place must have come free."""


async def look(sight: Sight) -> Finding:
    """Judge the runs that wait for the one before them, each against its job's hard limit."""
    waiting = [
        (job, one) for job in sight.jobs.values() for one in job.tries if one.status is RunStatus.PENDING
    ]
    if not waiting:
        return Finding(True, "No run waits for its turn.", value=0)
    stuck = [
        f"{job.spec.title} for {span((sight.now - one.started_at).total_seconds())}"
        for job, one in waiting
        if sight.now - one.started_at > job.spec.ends_by + PATIENCE
    ]
    said = f"{counted(len(waiting), 'run waits', 'runs wait')} for its turn."
    if stuck:
        return Finding(False, f"{said} Too long: {', '.join(stuck[:3])}.", _ADVICE, len(waiting))
    return Finding(True, said, value=len(waiting))


_ADVICE = "Cancel the run in its way on the page Jobs; if it does not end, restart Nightshift."

CHECK = HouseCheck("waiting_runs", "Waiting runs", "", look)
