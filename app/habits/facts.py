"""A habit's facts, names and identity: what the templates word, and what the page and the store keep."""

import hashlib
from typing import Any

from app.habits.automation import clock_text
from app.habits.habit import Bound, Conditions, Habit, Trigger
from app.habits.targets import Target
from app.habits.triggers import HOME
from app.model import Entity, Home
from app.words.templates import Also, Cause, Facts, Moment, Step

_PARTS = ((300, "night"), (600, "morning"), (840, "midday"), (1080, "afternoon"), (1320, "evening"))


def facts_of(habit: Habit, home: Home) -> Facts:
    """Return what a template may say of a habit."""
    entities = {entity.entity_id: entity for entity in home.entities}
    people = {person.entity_id: person.name for person in home.persons}
    areas = {area.area_id: area.name for area in home.areas}
    first, *more = [_step(target, entities, areas) for target in habit.targets]
    held, conditions = habit.held_out, habit.conditions
    moment = cause = None
    if habit.when is not None:
        moment = Moment(habit.when.anchor, habit.when.minutes)
    if habit.trigger is not None:
        limit = habit.trigger.above if habit.trigger.above is not None else habit.trigger.below
        cause = Cause(
            name_of(habit.trigger.entity_id, entities, people), _kind(habit.trigger.entity_id, entities),
            habit.trigger.to_state, habit.trigger.delay,
            None if habit.trigger.entity_id == HOME else limit, _unit(habit.trigger.entity_id, entities),
            habit.trigger.entity_id in habit.target.entities,
        )  # fmt: skip
    return Facts(
        domain=first.domain, state=first.state, names=first.names, place=first.place,
        steps=(first, *more) if more else (), moved=habit.moved,
        moment=moment, cause=cause,
        day_type=habit.when.day_type if habit.when else conditions.day_type,
        quiet=conditions.quiet, away=conditions.away, hours=conditions.hours, dark=conditions.dark,
        someone_home=conditions.someone_home, also=_also(conditions, entities, people),
        days_observed=habit.days_observed, days_kept=habit.days_kept,
        replay_days=held.days, wanted=len(held.wanted), unwanted=len(held.unwanted), missed=len(held.missed),
    )  # fmt: skip


def _step(target: Target, entities: dict[str, Entity], areas: dict[str, str]) -> Step:
    places = {entities[e].area_id if e in entities else None for e in target.entities}
    return Step(
        target.anchor.partition(".")[0],
        target.state,
        tuple(name_of(entity_id, entities) for entity_id in target.entities),
        areas.get(next(iter(places)) or "", "") if len(places) == 1 else "",
    )


def _also(conditions: Conditions, entities: dict[str, Entity], people: dict[str, str]) -> tuple[Also, ...]:
    said: list[Also] = []
    if conditions.state is not None:
        entity_id, state = conditions.state
        said.append(Also(name_of(entity_id, entities, people), _kind(entity_id, entities), state))
    if (bound := conditions.number) is not None:
        name, unit = name_of(bound.entity_id, entities), _unit(bound.entity_id, entities)
        side, limit = ("below", bound.below) if bound.above is None else ("above", bound.above)
        said.append(Also(name, _kind(bound.entity_id, entities), side, limit, unit))
    return tuple(said)


def _kind(entity_id: str, entities: dict[str, Entity]) -> str:
    known = entities.get(entity_id)
    return (known.device_class if known else None) or entity_id.partition(".")[0]


def _unit(entity_id: str, entities: dict[str, Entity]) -> str:
    known = entities.get(entity_id)
    return (known.unit if known else None) or ""


def name_of(entity_id: str, entities: dict[str, Entity], people: dict[str, str] | None = None) -> str:
    """Return what people call an entity; its id in words if it has no name."""
    if people and people.get(entity_id):
        return people[entity_id]
    known = entities.get(entity_id)
    return known.name if known and known.name else entity_id.partition(".")[2].replace("_", " ")


def habit_json(habit: Habit) -> dict[str, Any]:
    """Return a habit's facts as plain JSON, for the page, the store and the model that words it."""
    said: dict[str, Any] = {
        "entities": [entity_id for target in habit.targets for entity_id in target.entities],
        "state": habit.target.state,
        "spread_seconds": round(habit.spread),
        "chance": round(habit.expected, 4),
        "p_value": float(f"{habit.p_value:.3g}"),
    }
    if habit.steps:
        said["steps"] = [{"entities": list(one.entities), "state": one.state} for one in habit.targets]
    if habit.when is not None:
        said["day_type"] = habit.when.day_type
        if habit.moved:
            said["moved_minutes"] = habit.moved
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
        } | _limits(habit.trigger)
        said["lag_seconds"] = round(habit.lag)
    limits: dict[str, Any] = {
        "quiet_minutes": conditions.quiet,
        "away_minutes": conditions.away,
        "hours": [clock_text(m * 60) for m in conditions.hours] if conditions.hours else None,
        "dark": conditions.dark,
        "someone_home": conditions.someone_home,
        "state": conditions.state and {"entity_id": conditions.state[0], "state": conditions.state[1]},
        "number": conditions.number and _limits(conditions.number),
    }
    said["conditions"] = {name: value for name, value in limits.items() if value is not None}
    return said


def _limits(limit: Bound | Trigger) -> dict[str, Any]:
    return {
        "entity_id": limit.entity_id,
        **({"above": limit.above} if limit.above is not None else {}),
        **({"below": limit.below} if limit.below is not None else {}),
    }


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
    # A routine may gain or lose a step and is still the same.
    parts = ["routine"] if habit.steps else [habit.kind, habit.target.anchor, habit.target.state]
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
