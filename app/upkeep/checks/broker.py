"""The MQTT broker, where one is set up."""

from app.upkeep.check import Finding, HouseCheck
from app.upkeep.checks.neighbour import judged
from app.upkeep.sight import Sight

_ADVICE = "Check that the broker runs, and mqtt_host, mqtt_username and mqtt_password."


async def look(sight: Sight) -> Finding:
    """Judge by what its adapter last reported."""
    return judged(sight, "broker", _ADVICE)


CHECK = HouseCheck("broker", "MQTT broker", "", look)
