"""Are second tries worth making? A retry that does not help only comes late."""

from app.jobs.run import RunStatus, Trigger
from app.upkeep.check import Finding, HouseCheck
from app.upkeep.sight import LOOKED_BACK, Sight
from app.upkeep.wording import share

TARGET = 0.9
"""The seed's target: retry success rate above 90 %."""
FEWEST = 10
"""With fewer, a single one would decide."""


async def look(sight: Sight) -> Finding:
    """Judge the second tries of all jobs in the last 30 days."""
    tries = [
        one
        for job in sight.jobs.values()
        for one in job.tries
        if one.trigger is Trigger.RETRY and one.judged and sight.now - one.started_at <= LOOKED_BACK
    ]
    good = sum(one.status is RunStatus.COMPLETED for one in tries)
    message = f"{good} of {len(tries)} second tries in the last 30 days succeeded."
    if not tries:
        return Finding(None, "There was no second try in the last 30 days.")
    if len(tries) < FEWEST:
        return Finding(None, f"{message} Too few to judge.")
    rate = good / len(tries)
    if rate > TARGET:
        return Finding(True, message, value=round(rate, 4))
    return Finding(False, f"{message} It should be more than {share(TARGET)}.", _ADVICE, round(rate, 4))


_ADVICE = "What fails again and again is no passing trouble: open those runs on the page Jobs."

CHECK = HouseCheck("retry_success", "Retry success rate", "share", look)
