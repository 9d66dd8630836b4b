"""What an automation of the home does already: it is not offered again."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.events import Int64
from app.habits.habit import TRIGGER, Habit
from app.habits.localtime import MINUTE_MS, Float64
from app.habits.scripts import with_scripts
from app.model import Automation, Home

_CLOCK_APART = 120
"""A clock automation this many minutes away from a habit is another one."""
_REACTION_APART = 15
"""A reaction whose acts mostly lie this many minutes from a clock automation's is its work seen anew."""
_REACTION_SHARE = 0.5
_MACHINE_NEAR_MS = 30 * MINUTE_MS
_MACHINE_SHARE = 0.2
_MACHINE_LEAST = 3

_STATES: dict[str, str] = {
    "turn_on": "on",
    "turn_off": "off",
    "open_cover": "open",
    "close_cover": "closed",
    "lock": "locked",
    "unlock": "unlocked",
    "media_play": "playing",
    "play_media": "playing",
    "start": "cleaning",
}
_MANY_FIRES = 20
_NEVER_FAILS = 0.97
_AT_ONCE = 3.0
_LIKE_A_CLOCK = 0.6
"""Nobody's hand is that steady: the middle half of the lags within six tenths of a second."""


@dataclass(frozen=True, slots=True)
class Known:
    """One thing that an enabled automation brings about; an empty set of entities stands for any."""

    alias: str
    entities: frozenset[str]
    state: str | None
    clock_only: tuple[int, ...] | None
    """Its moments in local minutes if the clock alone triggers it, else None."""


def known_effects(home: Home) -> list[Known]:
    """Read what the home's enabled automations do, themselves and by scripts, as far as that is known."""
    members = members_of(home)
    return [
        effect
        for automation in with_scripts(home)
        if automation.enabled
        for effect in effects_of(automation, members)
    ]


def effects_of(automation: Automation, members: dict[str, tuple[str, ...]]) -> list[Known]:
    """Read what one automation does, enabled or not; `members` are `members_of` the home."""
    found: list[Known] = []
    if not automation.config:
        return found
    alias = automation.alias or automation.entity_id
    moments = _clock_moments(automation)
    for action, entities in _actions(automation.config.get("actions", automation.config.get("action"))):
        domain, _, verb = action.partition(".")
        state = None if verb == "toggle" or domain == "climate" else _STATES.get(verb)
        if state is None and verb != "toggle" and domain != "climate":
            continue
        covered = frozenset(e for entity in entities for e in members.get(entity, (entity,)))
        if covered:
            found.append(Known(alias, covered, state, moments))
    return found


def done_already(habit: Habit, effects: list[Known], minutes: Float64) -> str | None:
    """Return the automation that does it already, or None. `minutes`: the habit's acts' local times."""
    for effect in effects:
        if effect.state is not None and effect.state != habit.target.state:
            continue
        shared = sum(entity in effect.entities for entity in habit.target.entities)
        if shared * 2 < len(habit.target.entities):
            continue
        if effect.clock_only is None or _keeps_its_hours(habit, minutes, effect.clock_only):
            return effect.alias
    return None


def _keeps_its_hours(habit: Habit, minutes: Float64, clock: tuple[int, ...]) -> bool:
    """Return whether the habit's acts are at a clock automation's moments."""
    if not len(minutes):
        return False
    if habit.kind != TRIGGER:
        usual = float(np.median(minutes))
        return any(_apart(usual, at) <= _CLOCK_APART for at in clock)
    near = sum(any(_apart(float(one), at) <= _REACTION_APART for at in clock) for one in minutes)
    return near >= _REACTION_SHARE * len(minutes)


def machine_does(machine: Int64, moments: Int64) -> bool:
    """Return whether a machine brings the target to its state around those instants (ms) often enough.

    This sees automations whose configuration the hub keeps to itself, and other apps.
    """
    if not len(machine) or not len(moments):
        return False
    after = np.searchsorted(machine, moments)
    left = np.abs(moments - machine[np.maximum(after - 1, 0)])
    right = np.abs(machine[np.minimum(after, len(machine) - 1)] - moments)
    near = int((np.minimum(left, right) <= _MACHINE_NEAR_MS).sum())
    return near >= max(_MACHINE_LEAST, _MACHINE_SHARE * len(moments))


def _apart(first: float, second: float) -> float:
    return abs((first - second + 720) % 1440 - 720)


def members_of(home: Home) -> dict[str, tuple[str, ...]]:
    """Map areas, devices and groups to the entities that acting on them moves."""
    found: dict[str, list[str]] = {}
    for entity in home.entities:
        if entity.members:
            found.setdefault(entity.entity_id, [entity.entity_id]).extend(entity.members)
        for key in (entity.area_id, entity.device_id):
            if key:
                found.setdefault(key, []).append(entity.entity_id)
    return {key: tuple(entities) for key, entities in found.items()}


def _actions(node: Any) -> Iterator[tuple[str, list[str]]]:
    """Yield every action call in a sequence, inside choose, if, repeat and parallel too, with its targets."""
    if isinstance(node, list):
        for part in node:
            yield from _actions(part)
    if not isinstance(node, dict):
        return
    yield from _call(node)
    for key in ("sequence", "choose", "default", "then", "else", "parallel", "repeat"):
        yield from _actions(node.get(key))


def _call(node: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    action = node.get("action", node.get("service"))
    if isinstance(action, str):
        entities: list[str] = []
        for place in (node.get("target"), node.get("data"), node):
            if isinstance(place, dict):
                for key in ("entity_id", "area_id", "device_id"):
                    entities += _texts(place.get(key))
        yield action, entities
    elif {"type", "device_id", "entity_id"} <= node.keys() and node["type"] in _STATES:
        yield f"{node.get('domain', 'device')}.{node['type']}", _texts(node["entity_id"])


def _clock_moments(automation: Automation) -> tuple[int, ...] | None:
    triggers = automation.config.get("triggers", automation.config.get("trigger"))
    listed = triggers if isinstance(triggers, list) else [triggers]
    moments: list[int] = []
    for trigger in listed:
        if not isinstance(trigger, dict) or trigger.get("trigger", trigger.get("platform")) != "time":
            return None
        for at in _texts(trigger.get("at")):
            parts = at.split(":")
            if len(parts) < 2 or not all(part.isdigit() for part in parts):
                return None
            moments.append(int(parts[0]) * 60 + int(parts[1]))
    return tuple(moments) or None


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list):
        return [part for part in value if isinstance(part, str)]
    return []


def never_fails(habit: Habit) -> bool:
    """Return whether it came after its trigger every time, to the second: people forget, and are slower."""
    whole = habit.whole
    if whole.fires >= _MANY_FIRES // 2 and habit.spread <= _LIKE_A_CLOCK:
        return True
    return whole.fires >= _MANY_FIRES and whole.precision >= _NEVER_FAILS and habit.spread <= _AT_ONCE


def mostly_of(habit: Habit, other: Habit) -> bool:
    """Return whether most of a habit's acts are the other's."""
    shared = len(np.intersect1d(habit.explained, other.explained))
    return habit.target is other.target and 2 * shared > len(habit.explained)
