"""What may be automated at all: a reviewed table, not a guess.

`low` may be offered as it is; `confirm` is offered and marked, because a mistake costs more than a lamp left
on; `never` is not offered, whatever the evidence.
"""

import re
from dataclasses import dataclass

from app.model import Entity

LOW = "low"
CONFIRM = "confirm"
NEVER = "never"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How risky it is to do this unattended, and why in a few words (empty for `low`)."""

    risk: str
    why: str = ""


_NEVER_OPEN = frozenset({"garage", "gate", "door"})
_HEATS = re.compile(
    r"oven|stove|hob\b|cooktop|burner|\biron\b|fryer|grill|heater|heating|radiator|fireplace|sauna|toaster"
    r"|soldering|kiln|blanket|straightener|curling|\bboiler|immersion|furnace|bbq|barbecue|candle"
    r"|microwave|dryer|tumble",
    re.IGNORECASE,
)
_LATCHES = re.compile(
    r"\block\b|unlock|latch|strike|door_opener|opener|garage|gate\b|valve|alarm|siren|disarm", re.IGNORECASE
)
_STAYS_ON = re.compile(
    r"freezer|fridge|refrigerator|router|modem|server|nas\b|medical|oxygen|cpap|aquarium|pump|hub\b",
    re.IGNORECASE,
)

_RUNS = re.compile(r"washing|washer|dishwasher|laundry|vacuum|mower|pool", re.IGNORECASE)
_BOILS = re.compile(r"kettle|coffee|espresso|\bboil(?!er)", re.IGNORECASE)

_PLAIN = frozenset({"switch", "input_boolean", "fan"})
_HINTS: tuple[tuple[str, re.Pattern[str], Verdict], ...] = (
    ("", _LATCHES, Verdict(NEVER, "may open or disarm something")),
    ("on", _HEATS, Verdict(NEVER, "heats unattended")),
    ("off", _STAYS_ON, Verdict(NEVER, "something that has to stay on may hang on it")),
    ("on", _BOILS, Verdict(CONFIRM, "boils water; it has to be filled first")),
    ("", _RUNS, Verdict(CONFIRM, "runs, or cuts short, an appliance unattended")),
)
"""Words in a plain switch's name, the state they matter for (empty: any), and what follows."""

_FIXED: dict[tuple[str, str], Verdict] = {
    ("lock", "unlocked"): Verdict(NEVER, "locks open"),
    ("lock", "open"): Verdict(NEVER, "locks open"),
    ("lock", "locked"): Verdict(CONFIRM, "locks a door"),
    ("cover", "open"): Verdict(CONFIRM, "moves a cover"),
    ("cover", "closed"): Verdict(CONFIRM, "moves a cover"),
    ("climate", "off"): Verdict(CONFIRM, "changes the heating or cooling"),
    ("humidifier", "on"): Verdict(CONFIRM, "runs an appliance unattended"),
    ("vacuum", "cleaning"): Verdict(CONFIRM, "sends off a machine that moves"),
    ("input_boolean", "on"): Verdict(CONFIRM, "may switch other automations"),
    ("input_boolean", "off"): Verdict(CONFIRM, "may switch other automations"),
}
_WHOLE_DOMAINS: dict[str, Verdict] = {
    "alarm_control_panel": Verdict(NEVER, "an alarm system is people's own to arm and disarm"),
    "valve": Verdict(NEVER, "valves let water or gas flow"),
    "siren": Verdict(NEVER, "sirens alarm people"),
    "water_heater": Verdict(NEVER, "heats unattended"),
    "lawn_mower": Verdict(NEVER, "blades move unattended"),
    "climate": Verdict(CONFIRM, "changes the heating or cooling"),
}


def judge(entity: Entity, state: str) -> Verdict:
    """Return how risky it is to bring that entity to that state with nobody looking.

    A plain switch says nothing of what hangs on it, so its name and device class are read for hints; when
    they hint at heat or at a latch, it is not offered.
    """
    if whole := _WHOLE_DOMAINS.get(entity.domain):
        return whole
    words = f"{entity.entity_id.partition('.')[2]} {entity.name}".replace("_", " ")
    fixed = _FIXED.get((entity.domain, state), Verdict(LOW))
    if entity.domain == "cover" and state == "open":
        if entity.device_class in _NEVER_OPEN or _LATCHES.search(words):
            return Verdict(NEVER, "opens a door, gate or garage")
        return fixed
    if entity.domain not in _PLAIN:
        return fixed
    hints = [verdict for when, pattern, verdict in _HINTS if when in {"", state} and pattern.search(words)]
    return worst([fixed, *hints])


def worst(verdicts: list[Verdict]) -> Verdict:
    """Return the most cautious of them."""
    order = (LOW, CONFIRM, NEVER)
    return max(verdicts, key=lambda verdict: order.index(verdict.risk), default=Verdict(LOW))
