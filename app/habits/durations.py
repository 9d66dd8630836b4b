"""Habits of duration: what people turn off after about the same time, however it was turned on.

The trigger is the thing's own change, lasting (`for:`). What is over to the second is a timer of its own, and
when an appliance is done is its own working.
"""

import re
from dataclasses import replace

import numpy as np

from app.events import Int64
from app.habits.groups import ECHO_MS
from app.habits.habit import Conditions, Trigger
from app.habits.lengths import CHANCE, usual_length
from app.habits.localtime import MINUTE_MS
from app.habits.replay import AFTER_MS, Played, play_reactive
from app.habits.rule import Rule
from app.habits.surroundings import Surroundings
from app.habits.targets import Target
from app.habits.triggers import NEVER_OVER, Kind
from app.model import Entity

_ENDS: dict[str, str] = {
    "light": "off",
    "fan": "off",
    "humidifier": "off",
    "switch": "off",
    "cover": "closed",
    "media_player": "off",
}
_BEGINS = {"cover": "open", "media_player": "playing"}
_STRAIGHT = 0.9
_WORKS_BY_ITSELF = re.compile(
    r"wash|dish|dryer|laundry|microwave|oven|toaster|cook|vacuum|mower",
    re.IGNORECASE,
)
_BOILS = re.compile(r"kettle|boil", re.IGNORECASE)
_BOILED_MINUTES = 8
"""A full kettle on a weak circuit boils within seven: what is over later was ended by somebody."""
_LEAST_DAYS = 4
_TIMER_MS = 5_000


def duration_rule(
    target: Target, around: Surroundings, entities: dict[str, Entity], until: int
) -> Rule | None:
    """Return the time after which people end it again on the days to learn from (up to `until`, ms)."""
    domain = target.anchor.partition(".")[0]
    if _ENDS.get(domain) != target.state or _named(target, entities, _WORKS_BY_ITSELF):
        return None
    kind = _begun(target)
    inside = (kind.at < until) & around.days.watched(kind.at)
    counted = inside & ~np.isin(kind.until, target.machine) & (kind.until < NEVER_OVER)
    usual = usual_length((kind.until - kind.at)[counted] / MINUTE_MS)
    if usual is None or usual.spread * MINUTE_MS < _TIMER_MS:
        return None
    if usual.minutes <= _BOILED_MINUTES and _named(target, entities, _BOILS):
        return None
    if around.is_state(target.anchor, kind.trigger.to_state, kind.at + ECHO_MS)[counted].mean() < _STRAIGHT:
        return None
    if len(np.unique(around.days.local.days(kind.at[counted]))) < _LEAST_DAYS:
        return None
    trigger = replace(kind.trigger, delay=usual.minutes * 60, held=True)
    reach = int(min(AFTER_MS, max(MINUTE_MS, 0.5 * usual.minutes * MINUTE_MS)))
    rule = Rule(
        kind, trigger, Conditions(), around.known(kind, target), Played(), usual.p_value, CHANCE,
        usual.middle * 60.0, usual.spread * 60.0, reach,
    )  # fmt: skip
    acts = target.acts[target.acts < until]
    return replace(rule, played=play_reactive(rule.fires(inside), target, acts, after_ms=reach))


def _begun(target: Target) -> Kind:
    """Return when it was begun: when the group ceased to be as wanted, until it was so again."""
    rows = np.flatnonzero(~target.is_in)
    at = target.flips[rows]
    last = rows + 1 >= len(target.flips)
    until = np.where(last, np.int64(NEVER_OVER), target.flips[np.minimum(rows + 1, len(target.flips) - 1)])
    before: Int64 = np.where(rows > 0, at - target.flips[np.maximum(rows - 1, 0)], np.int64(1) << 40)
    return Kind(
        Trigger(target.anchor, _BEGINS.get(target.anchor.partition(".")[0], "on"), target.state),
        at,
        before,
        until,
    )


def _named(target: Target, entities: dict[str, Entity], works: re.Pattern[str]) -> bool:
    """Return whether it is a plug of an appliance of that kind, by its id or name."""
    names = {
        entity_id: entities[entity_id].name if entity_id in entities else "" for entity_id in target.entities
    }
    return any(
        entity_id.startswith("switch.") and works.search(f"{entity_id} {name}") is not None
        for entity_id, name in names.items()
    )
