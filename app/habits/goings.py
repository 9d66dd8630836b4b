"""The clock and what people pass, in each other's disguise: the light that goes off as the last one leaves,
at nine; the sensor on the way to what is done at ten to seven.

Who keeps office hours does the same thing at the same time because they leave then. On other days they leave
at another time, and do it then.
"""

import numpy as np

from app.events import Int64
from app.habits.evidence import median_slope, spread
from app.habits.habit import PRESENCE, TRIGGER, Habit
from app.habits.localtime import LocalTime
from app.habits.replay import AFTER_MS
from app.habits.timeline import Timeline

_SHARE = 0.6
_STEADIER = 0.33
"""Of the clock's spread. Two independent times are 1.41 times as far apart as each is spread, and 0.7 times
where only a quarter of an hour is looked at: half of that is no accident."""
_LEAST = 5
_SAME_HOUR = 20.0
"""Minutes: acts this close to each other by the clock (the middle half of them) keep the hour."""
_DAYS_OF_A_LINE = 12


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


def keeps_the_hour(habit: Habit, local: LocalTime) -> bool:
    """Return whether a reaction that is asked for at certain hours is one of the clock in disguise.

    People walk past a sensor on their way to what they do at ten to seven every day: when the acts are that
    close to each other by the clock, or to an hour that moves, it is the
    hour that they keep. Coming and going isn't passed by.
    """
    if habit.trigger is None or habit.conditions.hours is None or not len(habit.whole.met):
        return False
    if habit.trigger.entity_id.startswith(PRESENCE):
        return False
    minutes = local.minutes(habit.whole.met)
    middle = float(np.median((minutes - habit.conditions.hours[0]) % 1440))
    away = np.asarray((minutes - habit.conditions.hours[0] - middle + 720) % 1440 - 720, np.float64)
    if spread(away) <= _SAME_HOUR:
        return True
    day = local.days(habit.whole.met)
    if len(np.unique(day)) < _DAYS_OF_A_LINE:
        return False
    slope = median_slope(day, away)
    return spread(away - slope * (day - day[0])) <= _SAME_HOUR
