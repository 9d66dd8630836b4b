"""Explaining away: one habit for one thing that people do, told by what explains it best.

Where several explain the same acts, the surer one stays; where they are about as sure, the one closest in
time: of a door, a vibration and a motion that all come before the lamp, two only stand for the third.
"""

from dataclasses import dataclass

import numpy as np

from app.habits.conditions import asked, beyond
from app.habits.evidence import spread
from app.habits.groups import ECHO_MS
from app.habits.habit import PRESENCE, TRIGGER, Habit, Trigger
from app.habits.learning import confidence
from app.habits.triggers import is_actuator

_OVERLAP = 0.5
_ABOUT_AS_SURE = 0.1
_HARDLY_WIDER = 1.25
_SHARED_WIDER = 1.6
_SHARED_SECONDS = 10.0
_FULLER = 1.1
_FAR_FULLER = 1.5
_NEARLY_ALL = 0.9
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
    closest = _coming_or_going(min(rivals, key=lambda habit: habit.spread), surest, habits)
    if (cause := _common_cause(closest, rivals, habits, known) or _sensor_of(closest, rivals)) is not None:
        return _as_it_begins(cause, rivals)
    if (whole := _explains_more(closest, rivals, habits) or _simpler(closest, habits)) is not None:
        return whole
    return _as_it_begins(closest, rivals)


def _as_it_begins(closest: Habit, rivals: list[Habit]) -> Habit:
    """A sensor's going off follows its going on: people react to that, unless the end is clearly closer."""
    for habit in rivals:
        if _begins(habit, closest) and habit.spread <= _HARDLY_WIDER * closest.spread + 1.0:
            return habit
    return closest


def _coming_or_going(closest: Habit, surest: Habit, habits: list[Habit]) -> Habit:
    """Return the coming or going that is the occasion though something else is closer to people in time.

    Who leaves is about as close as that the home is empty then; which of the two it is, is told by when it is
    left undone. And of leaving and what is done on leaving (the alarm is armed, the door is locked), it is
    leaving if it explains far more.
    """
    if _comes_or_goes(closest):
        as_full = len(surest.explained) >= len(closest.explained)
        alike = _about_as_steady(surest, closest) or _same_moments(closest, surest)
        return surest if as_full and _comes_or_goes(surest) and alike else closest
    far = [
        one
        for one in habits
        if _comes_or_goes(one) and _fuller(one, closest, _FAR_FULLER) and not _surer(closest, one)
    ]
    # The door is closer in time to who goes through it than their phone is, whatever the reason.
    far += [one for one in habits if _goes(one) and _as_full(one, closest) and not _surer(closest, one)]
    return max(far, key=confidence, default=closest)


def _common_cause(habit: Habit, rivals: list[Habit], habits: list[Habit], known: list[Habit]) -> Habit | None:
    """Return the habit whose trigger also brings about what this one follows: one arrival, five things.

    If people did one thing because of the other, its lag would be clearly steadier than from the arrival.
    That the one is right more often says little: it comes only when people keep the habit that both are part
    of. So a less sure one will do if it explains nearly all that the other does: without it, that isn't
    followed. Nor need coming and going be as steady if it also explains clearly more: then it is done without
    the lamp, too.
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
    fuller = [one for one in habits if _explains_all(one, habit)]
    near = [
        one
        for one in [*rivals, *fuller]
        if one.trigger is not None
        and _of(one.trigger) in causes
        and (_about_as_steady(one, habit) or (_comes_or_goes(one) and _fuller(one, habit, _FULLER)))
    ]
    return min(near, key=lambda one: one.spread, default=None)


def _sensor_of(habit: Habit, rivals: list[Habit]) -> Habit | None:
    """Return the sensor at whose moments the lamp that this one follows comes on: an automation's work."""
    if habit.trigger is None or not is_actuator(habit.trigger.entity_id):
        return None
    sensors = [
        one
        for one in rivals
        if one.trigger is not None
        and not is_actuator(one.trigger.entity_id)
        and _same_moments(habit, one)
        and _covers_alike(one, habit)
    ]
    return min(sensors, key=lambda one: one.spread, default=None)


def _explains_more(habit: Habit, rivals: list[Habit], habits: list[Habit]) -> Habit | None:
    """Return the habit that explains what this one does and clearly more, about as steadily.

    A lock that is turned before the door on most days stands for the door: people do it without the lock,
    too. Of one moment (the home is empty, and it isn't always the same person who leaves last) what explains
    far more will do though it is less sure, unless the other is right more often than its share would let it
    be.
    """
    more = [one for one in rivals if _wider(one, habit, _FULLER)]
    more += [
        one
        for one in habits
        if _same_moments(habit, one) and _wider(one, habit, _FAR_FULLER) and not _surer(habit, one)
    ]
    if _comes_or_goes(habit):
        # Of a door and who comes through it, it is they who count.
        more = [one for one in more if _comes_or_goes(one)]
    return min(more, key=lambda one: one.spread, default=None)


def _simpler(habit: Habit, habits: list[Habit]) -> Habit | None:
    """Return the habit that asks for less, explains as much about as steadily, and is hardly less right.

    With hours, workdays and idle times a door can be made to look like coming home.
    """
    if habit.kind != TRIGGER:
        return None
    plainer = [
        one
        for one in habits
        if one.kind == TRIGGER
        and asked(one.conditions) < asked(habit.conditions)
        and _same_acts(one, habit)
        and len(one.explained) >= len(habit.explained)
        and _about_as_steady(one, habit)
        and not _surer(habit, one)
        and not _comes_with(one, habit)
    ]
    return min(plainer, key=lambda one: (asked(one.conditions), one.spread), default=None)


def _comes_with(habit: Habit, other: Habit) -> bool:
    """Return whether a habit follows a lamp that comes on at the moments of the other's sensor.

    It asks for less only because what turns that lamp on has asked it already.
    """
    first, second = habit.trigger, other.trigger
    return (
        first is not None
        and second is not None
        and is_actuator(first.entity_id)
        and not is_actuator(second.entity_id)
        and _same_moments(habit, other)
    )


def _wider(habit: Habit, other: Habit, times: float) -> bool:
    return _about_as_steady(habit, other) and _fuller(habit, other, times)


def _fuller(habit: Habit, other: Habit, times: float) -> bool:
    """Return whether a habit explains nearly all that the other does, and so many times as much."""
    least = max(times * len(other.explained), len(other.explained) + 2)
    return len(habit.explained) >= least and _explains_all(habit, other)


def _explains_all(habit: Habit, other: Habit) -> bool:
    shared = len(np.intersect1d(habit.explained, other.explained))
    return habit.target is other.target and shared >= _NEARLY_ALL * len(other.explained)


def _surer(habit: Habit, other: Habit) -> bool:
    """Return whether chance hardly makes it so much more often right than the other."""
    return beyond(habit.whole, other.whole, 1)


def _comes_or_goes(habit: Habit) -> bool:
    return habit.trigger is not None and habit.trigger.entity_id.startswith(PRESENCE)


def _goes(habit: Habit) -> bool:
    return _comes_or_goes(habit) and habit.trigger is not None and habit.trigger.to_state == "not_home"


def _as_full(habit: Habit, other: Habit) -> bool:
    """Return whether a habit explains as much as the other of the same acts."""
    return _same_acts(habit, other) and len(habit.explained) >= len(other.explained)


def _same_moments(part: Habit, whole: Habit) -> bool:
    """Return whether nearly all that one does comes just when the other does it."""
    if part.target is not whole.target or not len(whole.fires):
        return False
    moments = part.whole.wanted
    after = np.minimum(np.searchsorted(whole.fires, moments - ECHO_MS), len(whole.fires) - 1)
    near = np.abs(whole.fires[after] - moments) <= ECHO_MS
    return bool(near.sum() >= _NEARLY_ALL * len(moments))


def _about_as_steady(habit: Habit, other: Habit) -> bool:
    return habit.spread <= _SHARED_WIDER * other.spread + _SHARED_SECONDS


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
