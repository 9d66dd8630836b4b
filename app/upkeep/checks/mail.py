"""The mail server, where one is set up."""

from app.upkeep.check import Finding, HouseCheck
from app.upkeep.checks.neighbour import judged
from app.upkeep.sight import Sight

_ADVICE = "Check the mail_... options and that the server takes letters from this machine."


async def look(sight: Sight) -> Finding:
    """Judge by what its adapter last reported."""
    return judged(sight, "mail", _ADVICE)


CHECK = HouseCheck("mail", "Mail server", "", look)
