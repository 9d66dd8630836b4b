"""Several things that people do as one: one suggestion with several steps.

Coming home, five things are turned on; at bedtime four lights go off within three minutes. Steps share their
trigger, or their moment, or each follows the one before within moments. Each step is replayed with the
routine's own trigger and stays in it only if it passes there; fewer than three steps are no routine.
"""

from dataclasses import dataclass, replace

import numpy as np

from app.events import Int64
from app.habits.days import Days
from app.habits.gates import failed
from app.habits.habit import TRIGGER, Habit
from app.habits.learning import REACH_MS, Span
from app.habits.localtime import MINUTE_MS
from app.habits.replay import Played, play_clock, play_reactive

LEAST_STEPS = 3
TOGETHER_MS = 3 * MINUTE_MS
"""Steps follow one another within this, most times."""
_CLOCK_APART = 15
_SHARED_DAYS = 0.6


def routines(habits: list[Habit], span: Span) -> list[Habit]:
    """Return the habits with those that belong together put into one."""
    left = list(habits)
    made: list[Habit] = []
    for leader in sorted(habits, key=lambda habit: (habit.trigger is not None, _first(habit))):
        if leader not in left or _follows_any(leader, left):
            continue
        steps = _steps(leader, [habit for habit in left if habit is not leader], span)
        if len(steps) + 1 < LEAST_STEPS:
            continue
        whole = _together(leader, _joined(leader, leader, span), steps, span)
        if failed(whole) is not None:
            continue
        made.append(whole)
        taken = [leader, *(step.habit for step in steps)]
        left = [habit for habit in left if habit not in taken]
    return left + made


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """A habit that joins, as replayed with the leader's trigger."""

    habit: Habit
    joined: Habit
    after: float


def _first(habit: Habit) -> int:
    return int(habit.explained[0]) if len(habit.explained) else 0


def _follows_any(habit: Habit, others: list[Habit]) -> bool:
    return any(_follows(habit, other) for other in others if other is not habit)


def _follows(habit: Habit, other: Habit) -> bool:
    """Return whether a habit's trigger is that people do the other."""
    trigger = habit.trigger
    return (
        trigger is not None
        and trigger.entity_id in other.target.entities
        and trigger.to_state == other.target.state
        and (habit.lag + trigger.delay) * 1000 <= TOGETHER_MS
    )


def _steps(leader: Habit, others: list[Habit], span: Span) -> list[_Step]:
    steps: list[_Step] = []
    chain = [leader]
    grown = True
    while grown:
        grown = False
        for other in others:
            if other in chain or not any(_belongs(other, link) for link in chain):
                continue
            chain.append(other)
            joined = _joined(leader, other, span)
            if failed(joined) is None:
                steps.append(_Step(other, joined, _after(leader, other)))
                grown = True
    return sorted(steps, key=lambda step: (step.after, step.habit.target.anchor))


def _belongs(habit: Habit, link: Habit) -> bool:
    if habit.target.entities == link.target.entities:
        return False
    return _follows(habit, link) or _same_trigger(habit, link) or _same_moment(habit, link)


def _same_trigger(habit: Habit, link: Habit) -> bool:
    if habit.trigger is None or link.trigger is None:
        return False
    first, second = (
        (one.entity_id, one.to_state, one.above, one.below) for one in (habit.trigger, link.trigger)
    )
    return first == second and abs(habit.trigger.delay - link.trigger.delay) <= 60


def _same_moment(habit: Habit, link: Habit) -> bool:
    """Return whether two clock habits are done within moments of each other, on most days of either."""
    if habit.when is None or link.when is None:
        return False
    if (habit.when.anchor, habit.when.day_type) != (link.when.anchor, link.when.day_type):
        return False
    apart = abs((habit.when.minutes - link.when.minutes + 720) % 1440 - 720)
    if apart > _CLOCK_APART:
        return False
    near = _near(habit.whole.met, link.whole.met) <= TOGETHER_MS
    return float(near.mean()) >= _SHARED_DAYS if len(near) else False


def _near(first: Int64, second: Int64) -> Int64:
    """Return how far (ms) each instant is from the nearest of the others."""
    if not len(second):
        return np.full(len(first), np.int64(1) << 40, np.int64)
    ordered = np.sort(second)
    where = np.searchsorted(ordered, first)
    left = np.abs(first - ordered[np.maximum(where - 1, 0)])
    right = np.abs(ordered[np.minimum(where, len(ordered) - 1)] - first)
    return np.asarray(np.minimum(left, right), np.int64)


def _after(leader: Habit, other: Habit) -> float:
    """Return how long (ms) after the leader's act people usually do the other."""
    acts = np.sort(other.target.acts)
    where = np.searchsorted(acts, leader.explained - TOGETHER_MS)
    known = where < len(acts)
    gaps = acts[where[known]] - leader.explained[known]
    return float(np.median(gaps)) if len(gaps) else 0.0


def _joined(leader: Habit, other: Habit, span: Span) -> Habit:
    """Replay the other's act with the leader's trigger, conditions and moment."""

    def played(days: Days) -> Played:
        acts = other.target.acts[days.watched(other.target.acts)]
        fires = leader.fires[days.watched(leader.fires)]
        if leader.kind == TRIGGER:
            return play_reactive(fires, other.target, acts, days.count)
        return play_clock(fires, other.target, acts, REACH_MS)

    whole = played(span.whole)
    parts = span if leader.when is None else span.for_moments(leader.when.day_type)
    return replace(
        other, kind=leader.kind, when=leader.when, trigger=leader.trigger, conditions=leader.conditions,
        train=played(parts.learn), held_out=played(parts.rest), whole=whole, explained=whole.met,
    )  # fmt: skip


def _together(habit: Habit, leader: Habit, steps: list[_Step], span: Span) -> Habit:
    """Return the routine: a fire of it is wanted if people did at least half of what it then would do."""
    joined = tuple(step.joined for step in steps)
    whole = _majority(leader.whole, [one.whole for one in joined])
    kept = np.unique(span.whole.local.days(whole.wanted))
    came_up = np.union1d(kept, span.whole.local.days(whole.unwanted))
    return replace(
        habit,
        steps=joined,
        days_observed=len(came_up) if habit.kind == TRIGGER else max(habit.days_observed, len(kept)),
        days_kept=len(kept),
        train=_majority(leader.train, [one.train for one in joined]),
        held_out=_majority(leader.held_out, [one.held_out for one in joined]),
        whole=whole,
    )


def _majority(leader: Played, others: list[Played]) -> Played:
    wanted = np.concatenate([leader.wanted, *(one.wanted for one in others)])
    unwanted = np.concatenate([leader.unwanted, *(one.unwanted for one in others)])
    fires = np.unique(np.concatenate([wanted, unwanted]))
    wanted, unwanted = np.sort(wanted), np.sort(unwanted)
    good, bad = (
        np.searchsorted(ones, fires, "right") - np.searchsorted(ones, fires, "left")
        for ones in (wanted, unwanted)
    )
    right = good >= bad
    return replace(leader, wanted=fires[right], unwanted=fires[~right])
