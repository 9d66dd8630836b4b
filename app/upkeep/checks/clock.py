"""Does the scheduler tick? Without its tick no job is started any more."""

from app.upkeep.check import Finding, HouseCheck
from app.upkeep.sight import Sight
from app.upkeep.wording import span

LONGEST_SECONDS = 180.0
"""It looks at least once a minute; three minutes allow for a machine that is busy with something else."""


async def look(sight: Sight) -> Finding:
    """Judge how long ago it last ticked."""
    since = sight.parts.since_tick()
    if since is None:
        return Finding(None, "Nothing is scheduled in this process.")
    if since > LONGEST_SECONDS:
        return Finding(False, f"The scheduler last ticked {span(since)} ago.", _ADVICE, round(since, 1))
    return Finding(True, f"The scheduler ticked {span(since)} ago.", value=round(since, 1))


_ADVICE = "Restart Nightshift; what was missed is made up for at the start. The log says what stopped it."

CHECK = HouseCheck("clock", "Clock", "seconds", look)
