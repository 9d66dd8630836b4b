"""From habit to Home Assistant automation, in its present form (plural keys; 2025.10 and later).

Weekdays are a condition, not a key of the time trigger, which older hubs don't know.
"""

from typing import Any

from app.habits.days import DAY_TYPES
from app.habits.habit import Bound, Conditions, Habit, Trigger, When
from app.habits.targets import Target

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SERVICES: dict[tuple[str, str], str] = {
    ("cover", "open"): "cover.open_cover",
    ("cover", "closed"): "cover.close_cover",
    ("media_player", "playing"): "media_player.media_play",
    ("media_player", "off"): "media_player.turn_off",
    ("lock", "locked"): "lock.lock",
    ("vacuum", "cleaning"): "vacuum.start",
    ("climate", "off"): "climate.turn_off",
}
_DARK = {"condition": "state", "entity_id": "sun.sun", "state": "below_horizon"}
_LIGHT = {"condition": "state", "entity_id": "sun.sun", "state": "above_horizon"}
_SOMEONE_HOME = {"condition": "numeric_state", "entity_id": "zone.home", "above": 0}
_NOBODY_HOME = {"condition": "numeric_state", "entity_id": "zone.home", "below": 1}


def automation_of(habit: Habit, alias: str) -> dict[str, Any]:
    """Return the automation: alias, triggers, conditions, actions, mode."""
    triggers: list[dict[str, Any]] = []
    conditions: list[dict[str, Any]] = []
    actions = actions_of(*habit.targets)
    if habit.when is not None:
        triggers.append(_moment(habit.when))
        if habit.when.day_type != "daily":
            conditions.append(_weekdays(habit.when.day_type))
    if habit.trigger is not None:
        triggers.append(_state(habit.trigger))
        if habit.trigger.delay and not habit.trigger.held:
            actions.insert(0, {"delay": clock_text(habit.trigger.delay)})
    conditions += conditions_of(habit.conditions, habit.target)
    return {
        "alias": alias,
        "triggers": triggers,
        "conditions": conditions,
        "actions": actions,
        "mode": "single",
    }


def actions_of(*targets: Target) -> list[dict[str, Any]]:
    """Return one action for each kind of act, in the order of their first."""
    by_action: dict[tuple[str, str], list[str]] = {}
    for target in targets:
        for entity_id in target.entities:
            domain = entity_id.partition(".")[0]
            action = _SERVICES.get((domain, target.state))
            mode = target.state if action is None and domain == "climate" else ""
            if mode:
                action = "climate.set_hvac_mode"
            by_action.setdefault((action or f"{domain}.turn_{target.state}", mode), []).append(entity_id)
    return [
        {"action": name, "target": {"entity_id": ids}, **({"data": {"hvac_mode": mode}} if mode else {})}
        for (name, mode), ids in by_action.items()
    ]


def clock_text(seconds: int) -> str:
    """Return a duration as Home Assistant writes it: `HH:MM:SS`."""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _moment(when: When) -> dict[str, Any]:
    if when.anchor == "midnight":
        return {"trigger": "time", "at": clock_text(when.minutes * 60)}
    sun: dict[str, Any] = {"trigger": "sun", "event": when.anchor}
    if when.minutes:
        sign = "-" if when.minutes < 0 else ""
        sun["offset"] = sign + clock_text(abs(when.minutes) * 60)
    return sun


def _state(trigger: Trigger) -> dict[str, Any]:
    if trigger.above is not None or trigger.below is not None:
        crossing = {"trigger": "numeric_state", **_bound(trigger)}
        return crossing | ({"for": clock_text(trigger.delay)} if trigger.delay and trigger.held else {})
    written: dict[str, Any] = {"trigger": "state", "entity_id": [trigger.entity_id]}
    if trigger.from_state is not None:
        written["from"] = trigger.from_state
    written["to"] = trigger.to_state
    if trigger.delay and trigger.held:
        written["for"] = clock_text(trigger.delay)
    return written


def _bound(limit: Bound | Trigger) -> dict[str, Any]:
    """Write a limit; whole numbers as whole ones."""
    written: dict[str, Any] = {"entity_id": limit.entity_id}
    for key, value in (("above", limit.above), ("below", limit.below)):
        if value is not None:
            written[key] = int(value) if value == int(value) else value
    return written


def _weekdays(day_type: str) -> dict[str, Any]:
    return {"condition": "time", "weekday": [_WEEKDAYS[day] for day in DAY_TYPES[day_type]]}


def conditions_of(conditions: Conditions, target: Target | None = None) -> list[dict[str, Any]]:
    """Write conditions as Home Assistant takes them; `target` is asked for how long it had been otherwise."""
    written: list[dict[str, Any]] = []
    if conditions.hours is not None or conditions.day_type != "daily":
        when: dict[str, Any] = {"condition": "time"}
        if conditions.hours is not None:
            when["after"], when["before"] = (clock_text(minutes * 60) for minutes in conditions.hours)
        if conditions.day_type != "daily":
            when["weekday"] = [_WEEKDAYS[day] for day in DAY_TYPES[conditions.day_type]]
        written.append(when)
    if conditions.dark is not None:
        written.append(dict(_DARK if conditions.dark else _LIGHT))
    if conditions.someone_home is not None:
        written.append(dict(_SOMEONE_HOME if conditions.someone_home else _NOBODY_HOME))
    if conditions.state is not None:
        entity_id, state = conditions.state
        written.append({"condition": "state", "entity_id": entity_id, "state": state})
    if conditions.number is not None:
        written.append({"condition": "numeric_state", **_bound(conditions.number)})
    if conditions.quiet is not None:
        # A state condition sees the new state only; how long the old one had lasted, the trigger knows.
        written.append(
            {
                "condition": "template",
                "value_template": "{{ trigger.from_state is not none and (trigger.to_state.last_changed"
                f" - trigger.from_state.last_changed).total_seconds() >= {conditions.quiet * 60} }}}}",
            }
        )
    if conditions.away is not None and target is not None:
        written.append(_away(conditions.away, target))
    return written


def _away(minutes: int, target: Target) -> dict[str, Any]:
    """Say that the target had been otherwise that long; with `for` where there is just one other state."""
    other = {"on": "off", "off": "on", "open": "closed", "closed": "open"}.get(target.state)
    lasting = clock_text(minutes * 60)
    if other is not None:
        return {"condition": "state", "entity_id": target.anchor, "state": other, "for": lasting}
    test = (
        f"{{{{ not is_state('{target.anchor}', '{target.state}')"
        f" and (now() - states['{target.anchor}'].last_changed).total_seconds() >= {minutes * 60} }}}}"
    )
    return {"condition": "template", "value_template": test}
