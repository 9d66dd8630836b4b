"""Reads a Home Assistant automation as a person would: when, what, after how long, on which days."""

from dataclasses import dataclass
from typing import Any

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_BECOMES = {
    "turn_on": "on", "turn_off": "off", "open_cover": "open", "close_cover": "closed", "lock": "locked",
    "unlock": "unlocked", "media_play": "playing", "play_media": "playing", "start": "cleaning",
    "media_stop": "off", "media_pause": "off", "alarm_disarm": "disarmed", "alarm_arm_away": "armed_away",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Read:
    """`steps` are (entity, state); times in local minutes; `delay` in seconds between trigger and first step.

    `suns` are (event, minutes after it); `changes` (entity, state); `numbers` (entity, `above` or `below`,
    figure). `conditions` is the conditions' text, for a search in it.
    """

    steps: tuple[tuple[str, str], ...]
    times: tuple[int, ...]
    suns: tuple[tuple[str, int], ...]
    changes: tuple[tuple[str, str], ...]
    numbers: tuple[tuple[str, str, float], ...]
    delay: float
    weekdays: tuple[int, ...]
    conditions: str


class _Occasions:
    """What the triggers say, one after the other; `lasting` is the longest `for`."""

    def __init__(self) -> None:
        self.times: list[int] = []
        self.suns: list[tuple[str, int]] = []
        self.changes: list[tuple[str, str]] = []
        self.numbers: list[tuple[str, str, float]] = []
        self.lasting = 0.0

    def add(self, trigger: dict[str, Any]) -> None:
        kind, entities = trigger.get("trigger"), _texts(trigger.get("entity_id"))
        if kind == "time":
            self.times += [int(text[:2]) * 60 + int(text[3:5]) for text in _texts(trigger.get("at"))]
        elif kind == "sun":
            self.suns.append((trigger["event"], round(seconds(trigger.get("offset", 0)) / 60)))
        elif kind == "state":
            self.changes += [(e, state) for e in entities for state in _texts(trigger.get("to")) or [""]]
        elif kind == "numeric_state":
            sides = [side for side in ("above", "below") if side in trigger]
            self.numbers += [(e, side, float(trigger[side])) for e in entities for side in sides]
        elif kind == "zone":
            moved = "home" if trigger.get("event", "enter") == "enter" else "not_home"
            self.changes += [(e, moved) for e in entities]
        elif kind == "template":
            self.changes.append((str(trigger.get("value_template")), ""))
        self.lasting = max(self.lasting, seconds(trigger.get("for", 0)))


def read(automation: dict[str, Any]) -> Read:
    """Read one automation in the plural form."""
    occasions = _Occasions()
    for trigger in _listed(automation.get("triggers")):
        occasions.add(trigger)
    steps, waited = _steps(automation.get("actions"), automation)
    conditions = _listed(automation.get("conditions"))
    return Read(
        tuple(steps), tuple(occasions.times), tuple(occasions.suns), tuple(occasions.changes),
        tuple(occasions.numbers), occasions.lasting + waited,
        _weekdays(conditions, _listed(automation.get("triggers"))), repr(conditions),
    )  # fmt: skip


def seconds(value: Any) -> float:
    """Return a duration in any of Home Assistant's forms in seconds."""
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, dict):
        hours, minutes, rest = (float(value.get(key, 0)) for key in ("hours", "minutes", "seconds"))
        return hours * 3600 + minutes * 60 + rest
    text = str(value)
    sign = -1 if text.startswith("-") else 1
    parts = [float(part) for part in text.lstrip("+-").split(":")]
    total = 0.0
    for part in parts:
        total = total * 60 + part
    return sign * total


def _steps(actions: Any, whole: Any) -> tuple[list[tuple[str, str]], float]:
    steps: list[tuple[str, str]] = []
    waited = 0.0
    for action in _listed(actions):
        if "delay" in action and not steps:
            waited += seconds(action["delay"])
        name = action.get("action", "")
        data = action.get("data") or {}
        if name == "scene.apply":
            steps += [
                (entity_id, state if isinstance(state, str) else str(state.get("state")))
                for entity_id, state in data.get("entities", {}).items()
            ]
        elif name:
            verb = name.partition(".")[2]
            state = str(data.get("hvac_mode")) if verb == "set_hvac_mode" else _BECOMES.get(verb, verb)
            steps += [
                (entity_id, state) for entity_id in _texts((action.get("target") or {}).get("entity_id"))
            ]
        for key in ("sequence", "then", "else", "parallel", "default"):
            inner, _ = _steps(action.get(key), whole)
            steps += inner
        for option in _listed(action.get("choose")):
            inner, _ = _steps(option.get("sequence"), whole)
            steps += inner
    return steps, waited


def _weekdays(*places: list[dict[str, Any]]) -> tuple[int, ...]:
    for place in places:
        for part in place:
            if part.get("weekday"):
                return tuple(sorted(_WEEKDAYS.index(day) for day in _texts(part["weekday"])))
    return (0, 1, 2, 3, 4, 5, 6)


def _listed(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value]
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [part for part in value if isinstance(part, str)] if isinstance(value, list) else []
