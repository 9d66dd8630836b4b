"""An automation as people read it: when, if, then. A pure reading of Home Assistant's plural keys.

What it does not know it names plainly rather than hiding it; the YAML beside it is the whole truth.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import yaml

from app.model import Entity, Home
from app.web.happenings import comes_to, is_in
from app.web.wording import duration, listed

_WEEKDAYS: Final = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
_SETS: Final = {
    frozenset({"mon", "tue", "wed", "thu", "fri"}): "from Monday to Friday",
    frozenset({"sat", "sun"}): "at the weekend",
    frozenset(_WEEKDAYS): "every day",
}
_SUN: Final = {"below_horizon": "the sun is down", "above_horizon": "the sun is up"}
_QUIET: Final = re.compile(r"trigger\.from_state\.last_changed\)\.total_seconds\(\) >= (\d{1,7})")
_AWAY: Final = re.compile(
    r"not is_state\('([a-z0-9_.]+)', '([^']*)'\).*last_changed\)\.total_seconds\(\) >= (\d{1,7})"
)
_VERBS: Final = {
    "turn_on": "turn on",
    "turn_off": "turn off",
    "toggle": "toggle",
    "open_cover": "open",
    "close_cover": "close",
    "set_cover_position": "set",
    "set_temperature": "set",
    "set_hvac_mode": "set",
    "start": "start",
    "media_play": "start playing on",
    "media_pause": "pause",
    "media_stop": "stop playing on",
    "lock": "lock",
    "select_option": "set",
    "set_value": "set",
    "press": "press",
    "activate": "activate",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """The lines of an automation; `conditions` may be empty."""

    triggers: tuple[str, ...]
    conditions: tuple[str, ...]
    actions: tuple[str, ...]


def read_automation(automation: dict[str, Any], home: Home | None) -> Reading:
    """Return an automation in words, with the home's own names for its entities."""
    reader = _Reader({entity.entity_id: entity for entity in home.entities} if home else {})
    return Reading(
        tuple(reader.trigger(one) for one in _dicts(automation.get("triggers"))),
        tuple(reader.condition(one) for one in _dicts(automation.get("conditions"))),
        tuple(reader.action(one) for one in _dicts(automation.get("actions"))),
    )


def as_yaml(automation: dict[str, Any]) -> str:
    """Return an automation as YAML, keys in the order people write them."""
    return yaml.safe_dump(automation, sort_keys=False, allow_unicode=True, width=88)


class _Reader:
    def __init__(self, entities: dict[str, Entity]) -> None:
        self._entities = entities

    def trigger(self, one: dict[str, Any]) -> str:
        kind = str(one.get("trigger") or one.get("platform") or "")
        known: dict[str, Callable[[dict[str, Any]], str]] = {
            "time": lambda t: f"at {listed(_clocks(t.get('at')), 'or')}",
            "sun": _sun,
            "state": self._state_trigger,
            "numeric_state": lambda t: f"{self._who(t)} {_bounds(t, 'rises above', 'falls below')}",
        }
        return known[kind](one) if kind in known else f"the trigger “{kind}” fires"

    def condition(self, one: dict[str, Any]) -> str:
        kind = str(one.get("condition") or "")
        known: dict[str, Callable[[dict[str, Any]], str]] = {
            "time": _time_condition,
            "state": self._state_condition,
            "numeric_state": self._number_condition,
            "sun": _sun_condition,
            "template": self._template,
            "and": lambda c: self._several(c, "and"),
            "or": lambda c: self._several(c, "or"),
            "not": lambda c: f"not: {self._several(c, 'or')}",
        }
        return known[kind](one) if kind in known else f"the condition “{kind}” holds"

    def action(self, one: dict[str, Any]) -> str:
        if "delay" in one:
            return f"wait {_span(one['delay'])}"
        called = str(one.get("action") or one.get("service") or "")
        target = one.get("target") if isinstance(one.get("target"), dict) else {}
        who = self._who({**one, **(target or {})})
        domain, _, service = called.partition(".")
        if domain == "scene" and service == "turn_on":
            return f"activate {who}"
        verb = _VERBS.get(service, f"run “{called}” on" if called else "do")
        return f"{verb} {who}{_values(one.get('data'))}"

    def _state_trigger(self, one: dict[str, Any]) -> str:
        since = one.get("for")
        lasting = f" and stays so for {_span(since)}" if since else ""
        # Any one of them is enough for a trigger; a condition asks for all.
        return f"{self._who(one, 'or')} {comes_to(self._kind(one), one.get('to'))}{lasting}"

    def _state_condition(self, one: dict[str, Any]) -> str:
        state = one.get("state")
        if one.get("entity_id") == "sun.sun" and state in _SUN:
            return _SUN[str(state)]
        several = len(_ids(one)) > 1
        said = is_in(self._kind(one), state)
        if since := one.get("for"):
            return f"{self._who(one)} {'have' if several else 'has'} been {said} for {_span(since)}"
        return f"{self._who(one)} {'are' if several else 'is'} {said}"

    def _number_condition(self, one: dict[str, Any]) -> str:
        if one.get("entity_id") == "zone.home" and one.get("above") == 0:
            return "somebody is home"
        return f"{self._who(one)} {_bounds(one, 'is above', 'is below')}"

    def _several(self, one: dict[str, Any], joint: str) -> str:
        return listed([self.condition(inner) for inner in _dicts(one.get("conditions"))], joint)

    def _template(self, one: dict[str, Any]) -> str:
        """Read the two templates that our own habits write; any other is named as what it is."""
        text = str(one.get("value_template") or "")
        if found := _QUIET.search(text):
            return f"it had not changed for {duration(float(found[1]))} before"
        if found := _AWAY.search(text):
            said = is_in(self._kind({"entity_id": found[1]}), found[2])
            return f"{self._who({'entity_id': found[1]})} has not been {said} for {duration(float(found[3]))}"
        return "a template holds (see the YAML)"

    def _who(self, one: dict[str, Any], joint: str = "and") -> str:
        return listed([self._name(entity_id) for entity_id in _ids(one)], joint) or "it"

    def _name(self, entity_id: str) -> str:
        known = self._entities.get(entity_id)
        return (known.name if known else "") or _from_id(entity_id)

    def _kind(self, one: dict[str, Any]) -> str:
        """Return what kind of thing they all are, "" when they differ: then a state has no common meaning."""
        kinds = {self._kind_of(entity_id) for entity_id in _ids(one)}
        return kinds.pop() if len(kinds) == 1 else ""

    def _kind_of(self, entity_id: str) -> str:
        domain = entity_id.partition(".")[0]
        known = self._entities.get(entity_id)
        if domain == "binary_sensor" and known is not None:
            return f"{domain}.{known.device_class}"
        return domain


def _dicts(value: Any) -> list[dict[str, Any]]:
    ones = value if isinstance(value, list) else [value]
    return [one for one in ones if isinstance(one, dict)]


def _ids(one: dict[str, Any]) -> list[str]:
    ids = one.get("entity_id")
    if isinstance(ids, str):
        return [ids]
    return [str(one) for one in ids] if isinstance(ids, list) else []


def _from_id(entity_id: str) -> str:
    return entity_id.partition(".")[2].replace("_", " ") or entity_id


def _clocks(at: Any) -> list[str]:
    ones = at if isinstance(at, list) else [at]
    return [str(one).removesuffix(":00") if str(one).count(":") == 2 else str(one) for one in ones]


def _sun(one: dict[str, Any]) -> str:
    return _shifted(str(one.get("event", "sunset")), one.get("offset"))


def _sun_condition(one: dict[str, Any]) -> str:
    said = [f"{side} {_sun_moment(one, side)}" for side in ("after", "before") if one.get(side)]
    return listed(said).replace("after at ", "after ").replace("before at ", "before ")


def _sun_moment(one: dict[str, Any], side: str) -> str:
    return _shifted(str(one[side]), one.get(f"{side}_offset"))


def _shifted(event: str, offset: Any) -> str:
    text = str(offset or "")
    if not text.strip("+-0:"):
        return f"at {event}" if event in {"sunrise", "sunset"} else event
    side = "before" if text.startswith("-") else "after"
    return f"{_span(text.lstrip('+-'))} {side} {event}"


def _span(value: Any) -> str:
    """Return `hh:mm:ss`, seconds or Home Assistant's parts as a length of time."""
    try:
        if isinstance(value, dict):
            return duration(timedelta(**{str(k): float(v) for k, v in value.items()}).total_seconds())
        if isinstance(value, int | float):
            return duration(float(value))
        hours, minutes, seconds = ([float(part) for part in str(value).split(":")] + [0.0, 0.0])[:3]
    except (TypeError, ValueError):
        return str(value)
    return duration(hours * 3600 + minutes * 60 + seconds).replace(".0 s", " s")


def _bounds(one: dict[str, Any], above: str, below: str) -> str:
    said = [
        f"{word} {one[key]}" for key, word in (("above", above), ("below", below)) if one.get(key) is not None
    ]
    return listed(said)


def _time_condition(one: dict[str, Any]) -> str:
    said = []
    days = one.get("weekday")
    if days:
        chosen = [days] if isinstance(days, str) else [str(day) for day in days]
        named = listed([_WEEKDAYS.get(day, day) for day in chosen], "or")
        said.append(_SETS.get(frozenset(chosen), f"on {named}"))
    after, before = one.get("after"), one.get("before")
    if after and before:
        said.append(f"between {_clocks(after)[0]} and {_clocks(before)[0]}")
    elif after:
        said.append(f"after {_clocks(after)[0]}")
    elif before:
        said.append(f"before {_clocks(before)[0]}")
    return ", ".join(said)


def _values(data: Any) -> str:
    if not isinstance(data, dict) or not data:
        return ""
    said = [f"{str(key).replace('_', ' ')} {value}" for key, value in sorted(data.items())]
    return f" ({', '.join(said)})"
