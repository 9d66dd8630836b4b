"""Home Assistant: reached, and answering."""

from app.upkeep.check import Finding, HouseCheck
from app.upkeep.checks.neighbour import judged
from app.upkeep.sight import Sight

_ADVICE = "Check that Home Assistant runs; `./run.sh check` says what is wrong with the way to it."


async def look(sight: Sight) -> Finding:
    """Judge by what its adapter last reported."""
    return judged(sight, "hub", _ADVICE)


CHECK = HouseCheck("hub", "Home Assistant", "", look)
