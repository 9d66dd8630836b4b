"""Explaining away: one habit for one thing that people do, told by what explains it best.

Where several explain the same acts, the surer one stays; where they are about as sure, the one closest in
time: of a door, a vibration and a motion that all come before the lamp, two only stand for the third.
"""

from dataclasses import dataclass

import numpy as np

from app.habits.evidence import median_slope, spread
from app.habits.habit import TRIGGER, Habit, Trigger
from app.habits.learning import confidence
from app.habits.localtime import LocalTime
from app.habits.triggers import PRESENCE, is_actuator

_OVERLAP = 0.5
_ABOUT_AS_SURE = 0.1
_HARDLY_WIDER = 1.25
_SAME_HOUR = 20.0
"""Minutes: acts this close to each other by the clock (the middle half of them) keep the hour."""
_DAYS_OF_A_LINE = 12
_SHARED_WIDER = 1.6
_SHARED_SECONDS = 10.0
_TIMED_BY_ITSELF = 1.2
"""Two independent times are 1.41 times as far apart as each is spread; one timed by the other, once at most.
This is the middle."""


@dataclass(frozen=True, slots=True, eq=False)
class Dropped:
    """A habit that another one explains, or (None) the target's own working."""

    habit: Habit
    by: Habit | None
    minutes: int = 0


def explain_away(habits: list[Habit]) -> tuple[list[Habit], list[Dropped]]:
    """Return what stays, and what was dropped with what explains it."""
    dropped: list[Dropped] = []
    left: list[Habit] = []
    for habit in habits:
        minutes = _own_working(habit)
        if minutes is None:
            left.append(habit)
        else:
            dropped.append(Dropped(habit, None, minutes))
    left.sort(key=confidence, reverse=True)
    stay: list[Habit] = []
    known = list(left)
    while left:
        best = _closest(left, known)
        left.remove(best)
        stay.append(best)
        for other in list(left):
            if _explains(best, other):
                left.remove(other)
                dropped.append(Dropped(other, best))
    return stay, dropped


def _closest(habits: list[Habit], known: list[Habit]) -> Habit:
    """Of the surest and those about as sure about the same acts, return the one closest to people in time."""
    surest = habits[0]
    rivals = [
        habit
        for habit in habits
        if confidence(habit) >= confidence(surest) - _ABOUT_AS_SURE
        and (habit is surest or (_same_acts(habit, surest) and _covers_alike(habit, surest)))
    ]
    closest = min(rivals, key=lambda habit: habit.spread)
    if (cause := _common_cause(closest, rivals, known)) is not None:
        return cause
    # A sensor's going off follows its going on: people react to that, unless the end is clearly closer.
    for habit in rivals:
        if _begins(habit, closest) and habit.spread <= _HARDLY_WIDER * closest.spread + 1.0:
            return habit
    return closest


def _common_cause(habit: Habit, rivals: list[Habit], known: list[Habit]) -> Habit | None:
    """Return the rival whose trigger also brings about what this habit follows: one arrival, five things.

    If people did one thing because of the other, its lag would be clearly steadier than from the arrival.
    """
    first = habit.trigger
    if first is None or not is_actuator(first.entity_id):
        return None
    causes = {
        _of(one.trigger)
        for one in known
        if one.trigger is not None
        and first.entity_id in one.target.entities
        and first.to_state == one.target.state
    }
    shared = [rival for rival in rivals if rival.trigger is not None and _of(rival.trigger) in causes]
    near = [rival for rival in shared if rival.spread <= _SHARED_WIDER * habit.spread + _SHARED_SECONDS]
    return min(near, key=lambda rival: rival.spread, default=None)


def _of(trigger: Trigger) -> tuple[str, str]:
    return trigger.entity_id, trigger.to_state


def _begins(habit: Habit, other: Habit) -> bool:
    first, second = habit.trigger, other.trigger
    return (
        first is not None
        and second is not None
        and first.entity_id == second.entity_id
        and (first.to_state, second.to_state) == ("on", "off")
    )


def _covers_alike(habit: Habit, other: Habit) -> bool:
    return len(habit.explained) >= (1 - 2 * _ABOUT_AS_SURE) * len(other.explained)


def _explains(best: Habit, other: Habit) -> bool:
    return _same_acts(best, other) or _other_way_round(best, other)


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


def _same_acts(first: Habit, second: Habit) -> bool:
    if first.target is not second.target:
        return False
    shared = len(np.intersect1d(first.explained, second.explained))
    return shared >= _OVERLAP * min(len(first.explained), len(second.explained))


def _other_way_round(first: Habit, second: Habit) -> bool:
    """Return whether each is the other's trigger: then only the surer one is a habit."""
    return _triggers(first, second) and _triggers(second, first)


def _triggers(first: Habit, second: Habit) -> bool:
    trigger = first.trigger
    return (
        trigger is not None
        and trigger.entity_id in second.target.entities
        and trigger.to_state == second.target.state
    )


def _own_working(habit: Habit) -> int | None:
    """Return the minutes after which the target does it by itself, if that fits closer than the clock.

    A washing machine started at nine is off at eleven: that's no habit of eleven o'clock.
    """
    if habit.kind == TRIGGER or len(habit.explained) < 3:
        return None
    away = habit.target.away_since(habit.explained) / 1000.0
    away = away[away < 6 * 3600]
    if len(away) < 0.8 * len(habit.explained):
        return None
    if spread(away) > _TIMED_BY_ITSELF * habit.spread:
        return None
    return max(1, round(float(np.median(away)) / 60))
