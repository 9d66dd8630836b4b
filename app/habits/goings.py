"""Clock habits that are coming or going in disguise: the light that goes off as the last one leaves at nine.

Who keeps office hours does the same thing at the same time because they leave then. On other days they leave
at another time, and do it then.
"""

import numpy as np

from app.events import Int64
from app.habits.evidence import spread
from app.habits.habit import TRIGGER, Habit
from app.habits.replay import AFTER_MS
from app.habits.timeline import Timeline

_SHARE = 0.6
_STEADIER = 0.33
"""Of the clock's spread. Two independent times are 1.41 times as far apart as each is spread, and 0.7 times
where only a quarter of an hour is looked at: half of that is no accident."""
_LEAST = 5


def goings(
    timeline: Timeline, presence: tuple[Int64, np.ndarray[tuple[int], np.dtype[np.bool_]]] | None
) -> list[Int64]:
    """Return when (ms) each person came and when they went, and when the home became occupied or empty."""
    found: list[Int64] = []
    home = timeline.code("home")
    for index, entity_id in enumerate(timeline.entities):
        if entity_id.startswith("person."):
            rows = timeline.rows(index)
            at, inside = timeline.at[rows], timeline.state[rows] == home
            found += [at[inside], at[~inside]]
    if presence is not None:
        at, occupied = presence
        turned = np.flatnonzero(np.diff(occupied.astype(np.int8))) + 1
        found += [at[turned][occupied[turned]], at[turned][~occupied[turned]]]
    return [at for at in found if len(at) >= _LEAST]


def as_people_move(habit: Habit, moves: list[Int64]) -> str | None:
    """Return why what seems to keep the clock comes after one of people's comings or goings instead, or None.

    That is so if three in five acts are within a quarter of an hour after it, at a three times steadier
    distance from it than all are from the clock's moment.
    """
    acts = habit.explained
    if habit.kind == TRIGGER or len(acts) < _LEAST:
        return None
    for at in moves:
        where = np.searchsorted(at, acts, "right") - 1
        lag = np.where(where >= 0, acts - at[np.maximum(where, 0)], AFTER_MS + 1)
        after = lag[lag <= AFTER_MS]
        if len(after) >= _SHARE * len(acts) and spread(after / 1000.0) <= _STEADIER * habit.spread:
            return "people do it as they come or go, not by the clock"
    return None
