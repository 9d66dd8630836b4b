"""What failed and is tried again alone: is anything given up, or waiting longer than it should?"""

from datetime import timedelta

from app.jobs.run import RunStatus
from app.jobs.subject import Retry
from app.upkeep.check import Finding, HouseCheck
from app.upkeep.sight import Sight
from app.upkeep.wording import counted

OVERDUE = timedelta(hours=1)
"""A try that is due starts within a minute; an hour later it is stuck behind something."""
NAMED = 3


async def look(sight: Sight) -> Finding:
    """Judge the retry queue. What was given up stays until a person tries it again or dismisses it."""
    queue = await sight.parts.queue.all()
    dead = [one for one in queue if one.dead]
    stuck = [one for one in queue if _is_stuck(sight, one)]
    said = f"{counted(len(queue) - len(dead), 'waits', 'wait')} to be tried again, {len(dead)} given up."
    if dead:
        names = ", ".join(one.name or one.subject_id for one in dead[:NAMED])
        more = f" and {len(dead) - NAMED} more" if len(dead) > NAMED else ""
        return Finding(False, f"{said} Given up: {names}{more}.", _DEAD, len(queue))
    if stuck:
        return Finding(False, f"{said} {len(stuck)} should have been tried long ago.", _STUCK, len(queue))
    return Finding(True, said if queue else "Nothing waits to be tried again.", value=len(queue))


def _is_stuck(sight: Sight, retry: Retry) -> bool:
    if retry.next_retry_at is None or sight.now - retry.next_retry_at <= OVERDUE:
        return False
    job = sight.jobs.get(retry.job)
    # What is paused waits on purpose, and a run that goes on may be trying it just now.
    return job is not None and not job.rests and all(one.status is not RunStatus.RUNNING for one in job.tries)


_DEAD = "See why on the page Jobs, then try it again there, or dismiss it."
_STUCK = "See on the page Jobs what is running; a job that hangs can be cancelled there."

CHECK = HouseCheck("retries", "Retry queue", "", look)
