"""The model that words suggestions, where one is set up; without it templates do."""

from app.upkeep.check import Finding, HouseCheck
from app.upkeep.checks.neighbour import judged
from app.upkeep.sight import Sight

_ADVICE = "Check the model_... options; until it answers, suggestions keep their plain words."


async def look(sight: Sight) -> Finding:
    """Judge by what its adapter last reported."""
    return judged(sight, "model", _ADVICE)


CHECK = HouseCheck("model", "Model", "", look)
