"""What may be automated at all: a reviewed table, not a guess.

`low` may be offered as it is; `confirm` is offered and marked, because a mistake costs more than a lamp left
on, and is accepted only with an explicit yes; `never` is neither offered nor made, whatever the evidence.
What the table doesn't name is never done. docs/safety.md shows the table to people; a test holds the two
together.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from app.model import Entity, Home

LOW = "low"
CONFIRM = "confirm"
NEVER = "never"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How risky it is to do this unattended, and why in a few words (empty for `low`)."""

    risk: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: things of that domain, brought to one of those states (none: to any)."""

    domain: str
    states: tuple[str, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Hint:
    """Words in a plain thing's name, the state they matter for (empty: any), and what follows."""

    state: str
    words: re.Pattern[str]
    verdict: Verdict


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_ALARM = Verdict(NEVER, "an alarm system is people's own to arm and disarm")
_COVER = Verdict(CONFIRM, "moves a cover")
_CLIMATE = Verdict(CONFIRM, "changes the heating or cooling")
_HELPER = Verdict(CONFIRM, "may switch other automations")
_OPENS = Verdict(NEVER, "opens a door, gate or garage")
_UNKNOWN = Verdict(NEVER, "not in the table of what may be automated")

TABLE: Final = (
    Row("light", ("on", "off"), Verdict(LOW)),
    Row("switch", ("on", "off"), Verdict(LOW)),
    Row("fan", ("on", "off"), Verdict(LOW)),
    Row("media_player", ("playing", "off"), Verdict(LOW)),
    Row("humidifier", ("off",), Verdict(LOW)),
    Row("humidifier", ("on",), Verdict(CONFIRM, "runs an appliance unattended")),
    Row("input_boolean", ("on", "off"), _HELPER),
    Row("cover", ("open", "closed"), _COVER),
    Row("climate", ("off", "heat", "cool", "heat_cool", "auto", "dry", "fan_only"), _CLIMATE),
    Row("vacuum", ("cleaning",), Verdict(CONFIRM, "sends off a machine that moves")),
    Row("lock", ("locked",), Verdict(CONFIRM, "locks a door")),
    Row("lock", ("unlocked", "open"), Verdict(NEVER, "locks open")),
    Row("alarm_control_panel", (), _ALARM),
    Row("valve", (), Verdict(NEVER, "valves let water or gas flow")),
    Row("siren", (), Verdict(NEVER, "sirens alarm people")),
    Row("water_heater", (), Verdict(NEVER, "heats unattended")),
    Row("lawn_mower", (), Verdict(NEVER, "blades move unattended")),
)
"""The table. Whatever is not in it is `never`."""

PLAIN: Final = ("switch", "input_boolean", "fan")
"""Things that say nothing of what hangs on them: their names are read for hints."""

HINTS: Final = (
    Hint(
        "",
        _words(r"\block\b|unlock|latch|strike|door_opener|opener|garage|gate\b|valve|alarm|siren|disarm"),
        Verdict(NEVER, "may open or disarm something"),
    ),
    Hint(
        "on",
        _words(
            r"oven|stove|hob\b|cooktop|burner|\biron\b|fryer|grill|heater|heating|radiator|fireplace|sauna"
            r"|toaster|soldering|kiln|blanket|straightener|curling|\bboiler|immersion|furnace|bbq|barbecue"
            r"|candle|microwave|dryer|tumble"
        ),
        Verdict(NEVER, "heats unattended"),
    ),
    Hint(
        "off",
        _words(
            r"freezer|fridge|refrigerator|router|modem|server|nas\b|medical|oxygen|cpap|aquarium|pump|hub\b"
        ),
        Verdict(NEVER, "something that has to stay on may hang on it"),
    ),
    Hint(
        "on",
        _words(r"kettle|coffee|espresso|\bboil(?!er)"),
        Verdict(CONFIRM, "boils water; it has to be filled first"),
    ),
    Hint(
        "",
        _words(r"washing|washer|dishwasher|laundry|vacuum|mower|pool"),
        Verdict(CONFIRM, "runs, or cuts short, an appliance unattended"),
    ),
)
NEVER_OPEN: Final = ("garage", "gate", "door")
"""Device classes of covers that are never opened; the words of the first hint in a cover's name, too."""


def judge(entity: Entity, state: str) -> Verdict:
    """Return how risky it is to bring that entity to that state with nobody looking.

    A plain switch says nothing of what hangs on it, so its name and device class are read for hints; when
    they hint at heat or at a latch, it is not offered.
    """
    rows = [row for row in TABLE if row.domain == entity.domain and (not row.states or state in row.states)]
    if not rows:
        return _UNKNOWN
    fixed = worst([row.verdict for row in rows])
    words = f"{entity.entity_id.partition('.')[2]} {entity.name}".replace("_", " ")
    if entity.domain == "cover" and state == "open":
        if entity.device_class in NEVER_OPEN or HINTS[0].words.search(words):
            return _OPENS
        return fixed
    if entity.domain not in PLAIN:
        return fixed
    hints = [hint.verdict for hint in HINTS if hint.state in {"", state} and hint.words.search(words)]
    return worst([fixed, *hints])


def judge_acts(acts: Iterable[tuple[str, str]], home: Home | None) -> Verdict:
    """Return the most cautious verdict on bringing each entity to its state, members of groups included."""
    entities = {entity.entity_id: entity for entity in home.entities} if home else {}
    verdicts: list[Verdict] = []
    left, seen = list(acts), set[tuple[str, str]]()
    while left:
        entity_id, state = act = left.pop()
        if act in seen:
            continue
        seen.add(act)
        entity = entities.get(entity_id) or Entity(entity_id=entity_id)
        verdicts.append(judge(entity, state))
        left += [(member, state) for member in entity.members]
    return worst(verdicts)


def worst(verdicts: list[Verdict]) -> Verdict:
    """Return the most cautious of them."""
    order = (LOW, CONFIRM, NEVER)
    return max(verdicts, key=lambda verdict: order.index(verdict.risk), default=Verdict(LOW))
