"""A habit's facts, names and identity: what the templates word, and what the page and the store keep."""

import hashlib
from typing import Any

from app.habits.automation import clock_text
from app.habits.habit import Habit
from app.model import Entity, Home
from app.words.templates import Cause, Facts, Moment

_PARTS = ((300, "night"), (600, "morning"), (840, "midday"), (1080, "afternoon"), (1320, "evening"))


def facts_of(habit: Habit, home: Home) -> Facts:
    """Return what a template may say of a habit."""
    entities = {entity.entity_id: entity for entity in home.entities}
    people = {person.entity_id: person.name for person in home.persons}
    areas = {area.area_id: area.name for area in home.areas}
    names = tuple(name_of(entity_id, entities) for entity_id in habit.target.entities)
    places = {entities[e].area_id if e in entities else None for e in habit.target.entities}
    place = areas.get(next(iter(places)) or "", "") if len(places) == 1 else ""
    held, conditions = habit.held_out, habit.conditions
    moment = cause = None
    if habit.when is not None:
        moment = Moment(habit.when.anchor, habit.when.minutes)
    if habit.trigger is not None:
        known = entities.get(habit.trigger.entity_id)
        kind = (known.device_class if known else None) or habit.trigger.entity_id.partition(".")[0]
        name = people.get(habit.trigger.entity_id) or name_of(habit.trigger.entity_id, entities)
        cause = Cause(name, kind, habit.trigger.to_state, habit.trigger.delay)
    return Facts(
        domain=habit.target.anchor.partition(".")[0], state=habit.target.state, names=names, place=place,
        moment=moment, cause=cause,
        day_type=habit.when.day_type if habit.when else conditions.day_type,
        quiet=conditions.quiet, away=conditions.away, hours=conditions.hours, dark=conditions.dark,
        someone_home=conditions.someone_home, days_observed=habit.days_observed, days_kept=habit.days_kept,
        replay_days=held.days, wanted=len(held.wanted), unwanted=len(held.unwanted), missed=len(held.missed),
    )  # fmt: skip


def name_of(entity_id: str, entities: dict[str, Entity]) -> str:
    """Return what people call an entity; its id in words if it has no name."""
    known = entities.get(entity_id)
    return known.name if known and known.name else entity_id.partition(".")[2].replace("_", " ")


def habit_json(habit: Habit) -> dict[str, Any]:
    """Return a habit's facts as plain JSON, for the page, the store and the model that words it."""
    said: dict[str, Any] = {
        "entities": list(habit.target.entities),
        "state": habit.target.state,
        "spread_seconds": round(habit.spread),
        "chance": round(habit.expected, 4),
        "p_value": float(f"{habit.p_value:.3g}"),
    }
    if habit.when is not None:
        said["day_type"] = habit.when.day_type
        if habit.when.anchor == "midnight":
            said["at"] = clock_text(habit.when.minutes * 60)
        else:
            said["sun"] = {"event": habit.when.anchor, "offset_minutes": habit.when.minutes}
    conditions = habit.conditions
    if habit.trigger is not None:
        said["day_type"] = conditions.day_type
        said["trigger"] = {
            "entity_id": habit.trigger.entity_id,
            "to": habit.trigger.to_state,
            "from": habit.trigger.from_state,
            "delay_seconds": habit.trigger.delay,
        }
        said["lag_seconds"] = round(habit.lag)
    limits: dict[str, Any] = {
        "quiet_minutes": conditions.quiet,
        "away_minutes": conditions.away,
        "hours": [clock_text(m * 60) for m in conditions.hours] if conditions.hours else None,
        "dark": conditions.dark,
        "someone_home": conditions.someone_home or None,
    }
    said["conditions"] = {name: value for name, value in limits.items() if value is not None}
    return said


def identities(habits: list[Habit]) -> list[str]:
    """Return an id for each: the same night after night, also when the minute shifts a little.

    It holds what is done, to what, and when in words (workdays, morning), never the minute. Two habits that
    would share it are numbered in the order of the day.
    """
    keys = [_key(habit) for habit in habits]
    order = sorted(range(len(habits)), key=lambda i: (keys[i], _minutes(habits[i])))
    ids = [""] * len(habits)
    seen: dict[str, int] = {}
    for i in order:
        seen[keys[i]] = count = seen.get(keys[i], 0) + 1
        text = keys[i] if count == 1 else f"{keys[i]}|{count}"
        ids[i] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return ids


def _key(habit: Habit) -> str:
    parts = [habit.kind, habit.target.anchor, habit.target.state]
    if habit.when is not None:
        parts += [habit.when.anchor, habit.when.day_type]
        if habit.when.anchor == "midnight":
            parts.append(_part_of_day(habit.when.minutes))
    if habit.trigger is not None:
        parts += [habit.trigger.entity_id, habit.trigger.to_state]
    return "|".join(parts)


def _minutes(habit: Habit) -> int:
    return habit.when.minutes if habit.when is not None else 0


def _part_of_day(minutes: int) -> str:
    return next((name for end, name in _PARTS if minutes < end), "night")
