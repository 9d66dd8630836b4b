"""When an automation's moment came: its triggers and conditions, read against what was. Pure.

Only what can be told for certain from the home's past is read; anything else makes the whole unknown.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.events import Int64
from app.habits.localtime import Bool, weekdays
from app.habits.surroundings import Surroundings
from app.hub.automations import plural

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SUN = ("sunrise", "sunset")
_LONGEST = 32 * 86_400
_MOST = 5_000
"""A trigger that comes more often than this in five weeks tells nothing."""


class _UnreadableError(Exception):
    """This cannot be told from the past."""


def occasions(config: Mapping[str, Any], around: Surroundings, since: int, until: int) -> Int64 | None:
    """Return when (ms, ascending) it should have acted, on observed days from `since` to `until`.

    None when a trigger or a condition cannot be told.
    """
    whole = plural(config)
    if not len(around.days.numbers):
        return None
    try:
        parts = [_trigger(one, around) for one in _listed(whole["triggers"])]
        found = np.unique(np.concatenate([np.empty(0, np.int64), *parts]))
        found = found[(found >= since) & (found <= until)]
        if len(found) > _MOST:
            return None
        for one in _listed(whole["conditions"]):
            found = found[_holds(one, found, around)]
        found = found + _delay(whole["actions"])
    except _UnreadableError:
        return None
    return found[around.days.watched(found)]


def _listed(parts: list[Any]) -> list[dict[str, Any]]:
    if not all(isinstance(part, dict) for part in parts):
        raise _UnreadableError
    return [part for part in parts if part.get("enabled", True) is not False]


def _trigger(trigger: dict[str, Any], around: Surroundings) -> Int64:
    kind = trigger.get("trigger")
    local, numbers = around.days.local, around.days.numbers
    if kind == "time":
        moments = [seconds(at) for at in _texts(trigger.get("at"))]
        found = np.concatenate([local.instants(numbers, at / 60) for at in moments])
        return found[_weekday(trigger["weekday"], found, around)] if trigger.get("weekday") else found
    if kind == "sun" and around.sun is not None and trigger.get("event") in _SUN:
        minutes = around.sun.minutes(trigger["event"], numbers) + seconds(trigger.get("offset", 0)) / 60
        return local.instants(numbers[~np.isnan(minutes)], minutes[~np.isnan(minutes)])
    if kind == "state" and "attribute" not in trigger:
        lasting = seconds(trigger.get("for", 0)) * 1000
        to, before = _texts(trigger.get("to")), trigger.get("from")
        came_from = None if before is None else _texts(before)
        names = _texts(trigger.get("entity_id"))
        return np.concatenate([_comings(name, to, came_from, lasting, around) for name in names])
    raise _UnreadableError


def _comings(
    entity_id: str, to: list[str], came_from: list[str] | None, lasting: int, around: Surroundings
) -> Int64:
    table = around.timeline
    if entity_id not in table.entities:
        return np.empty(0, np.int64)
    rows = table.rows(table.entities.index(entity_id))
    at, state = table.at[rows], table.state[rows]
    good = np.isin(state, [table.code(one) for one in to]) & table.real[rows]
    if came_from is not None:
        good[1:] &= np.isin(state[:-1], [table.code(one) for one in came_from])
    if lasting:
        good &= np.diff(at, append=np.int64(1) << 62) >= lasting
    return np.asarray(at[good] + lasting, np.int64)


def _holds(condition: dict[str, Any], at: Int64, around: Surroundings) -> Bool:
    kind, entity_id = condition.get("condition"), condition.get("entity_id")
    if kind == "time":
        good = np.ones(len(at), np.bool_)
        if condition.get("weekday"):
            good &= _weekday(condition["weekday"], at, around)
        minute = around.days.local.minutes(at)
        low = seconds(condition.get("after", 0)) / 60
        high = seconds(condition.get("before", 86_400)) / 60 or 1440.0
        after, before = minute >= low, minute < high
        return np.asarray(good & ((after & before) if low < high else (after | before)), np.bool_)
    if kind == "state" and entity_id == "sun.sun":
        dark = around.dark(at)
        if dark is None:
            raise _UnreadableError
        return dark if condition.get("state") == "below_horizon" else ~dark
    if kind == "numeric_state" and entity_id == "zone.home":
        home = around.someone_home(at)
        if home is None:
            raise _UnreadableError
        return home if "above" in condition else ~home
    if kind == "state" and not {"for", "attribute"} & condition.keys():
        good = np.ones(len(at), np.bool_)
        for one in _texts(entity_id):
            # A moment before: what changes with the trigger is its echo.
            states = [around.is_state(one, state, at - 500) for state in _texts(condition.get("state"))]
            good &= np.logical_or.reduce(states)
        return good
    raise _UnreadableError


def _weekday(given: Any, at: Int64, around: Surroundings) -> Bool:
    days = [_DAYS.index(one) for one in _texts(given) if one in _DAYS]
    return np.isin(weekdays(around.days.local.days(at)), days)


def _delay(actions: list[Any]) -> int:
    first = actions[0] if actions and isinstance(actions[0], dict) else {}
    return seconds(first["delay"]) * 1000 if "delay" in first else 0


def seconds(given: Any) -> int:
    """Return a duration or a time of day, as Home Assistant writes them, in seconds; may be negative."""
    found = _seconds(given)
    if not abs(found) <= _LONGEST:  # no number is not within either
        raise _UnreadableError
    return round(found)


def _seconds(given: Any) -> float:
    if isinstance(given, bool) or given is None:
        raise _UnreadableError
    if isinstance(given, int | float):
        return given
    if isinstance(given, dict):
        known = {"hours": 3600, "minutes": 60, "seconds": 1, "days": 86_400}
        if given.keys() - known.keys() or not all(isinstance(one, int | float) for one in given.values()):
            raise _UnreadableError
        return sum(known[key] * float(value) for key, value in given.items())
    parts = str(given).lstrip("+-").split(":")
    if len(parts) not in {2, 3} or not all(part.isdigit() and len(part) <= 3 for part in parts):
        raise _UnreadableError
    whole = sum(int(part) * size for part, size in zip(parts, (3600, 60, 1), strict=False))
    return -whole if str(given).startswith("-") else whole


def _texts(given: Any) -> list[str]:
    found = [given] if isinstance(given, str) else given
    if not isinstance(found, list) or not found or not all(isinstance(one, str) for one in found):
        raise _UnreadableError
    return found


def minutes_of(trigger: Mapping[str, Any]) -> int | None:
    """Return a time trigger's minute of the day, if it has just one."""
    if trigger.get("trigger") != "time":
        return None
    try:
        moments = [seconds(at) for at in _texts(trigger.get("at"))]
    except _UnreadableError:
        return None
    return moments[0] // 60 if len(moments) == 1 else None


def sun_offset(trigger: Mapping[str, Any]) -> int | None:
    """Return how many minutes after sunrise or sunset a sun trigger comes; None for another trigger."""
    if trigger.get("trigger") != "sun" or trigger.get("event") not in _SUN:
        return None
    try:
        return round(seconds(trigger.get("offset", 0)) / 60)
    except _UnreadableError:
        return None
