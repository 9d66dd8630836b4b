"""How often people want what automated, in their own words.

Counts of the 273 routines that 40 people wrote down for Helion (MIT licence): how many name which kind
of occasion, days, part of the day, device. Kinds that people do without thinking of them as a routine (the
sun, how long something is on, several things in a row) are rarely written down: their weights are estimates.
"""

import random
from typing import TypeVar

T = TypeVar("T")

KINDS: dict[str, float] = {
    "clock": 74,  # "scheduled"
    "presence": 48,  # location mode, presence, beacon
    "numeric": 37,  # temperature, humidity, air
    "trigger": 60,  # motion, contact, switch, button, voice
    "sun": 25,
    "duration": 22,
    "routine": 20,
}
DAY_TYPES: dict[str, float] = {"daily": 184, "workdays": 45, "weekends": 17, "single": 24}
"""Anytime, weekday, weekend; a single weekday is an estimate."""
PARTS: dict[tuple[float, float], float] = {
    (6, 11): 69,  # morning
    (11, 13): 25,  # around noon
    (13, 17): 33,  # afternoon
    (17, 20): 62,  # evening
    (20, 23.4): 65,  # night
}


DEVICES: dict[str, float] = {
    "light": 50, "climate": 57, "cover": 21, "media_player": 18, "switch": 24, "fan": 14,
}  # fmt: skip
"""Light bulb; air conditioner, thermostat; blinds; TV, audio; coffee maker, plugs; fan, air purifier."""


def weighted(dice: random.Random, weights: dict[T, float]) -> T:
    """Draw one by its weight."""
    return dice.choices(list(weights), list(weights.values()))[0]
