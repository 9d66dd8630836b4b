"""What a habit has to show before it is offered. Each gate has a reason; none is tuned to a home.

See docs/mining.md for why each figure is what it is.
"""

import numpy as np

from app.habits.days import WEEKLY
from app.habits.evidence import binomial_tail, wilson_lower
from app.habits.habit import PRESENCE, TRIGGER, Habit
from app.habits.learning import confidence
from app.habits.localtime import DAY_MS

LEAST_RIGHT = 0.5
"""On the held-out days: right at least as often as wrong; they are too few to ask more of them alone."""
LEAST_RIGHT_OVERALL = 0.6
"""Over all days: an automation that is wrong in more than two of five fires is a nuisance."""
LEAST_CONFIDENCE = 0.4
"""As a lower bound: a few lucky days (two of two) can't carry it."""
_HELD_BY_CHANCE = 0.1
"""How likely so few held-out fires would be right, were it right as often as it has to be over all days."""
_TELLING_FIRES = 4
"""From this many fires on the held-out days a tie is no bad luck: it has to be right more often than not."""
_FIRST_BY_CHANCE = 0.01
"""That there is a habit is asked of all days; the first alone have to say so too, or the held-out ones would
judge what they helped to find."""
_LEAST_KEPT = 0.45
"""The scan's floor, nine days in twenty, but as a lower bound (one-sided, 90 %): where people do as much at
any time, the moments a scan finds are kept on about half of the days, and on five of eight by luck."""
_LATE_SHARE = 0.6
"""Of a clock habit's held-out fires, which are half of all: the last three tenths of the days."""
_LATE_BY_CHANCE = 0.1
"""How likely so few of those would be right if it still were right every second time."""
_SILENT_BY_CHANCE = 0.001
"""How likely people as steady as these leave it that many times running at the very end."""
_LEAST_FIRES = 3
_LEAST_FIRES_CLOCK = 2
_LEAST_FIRES_WEEKLY = 1
_LEAST_COVERAGE = 0.2
_LEAST_COVERAGE_CLOCK = 0.4
_LEAST_COVERAGE_OF_MANY = 0.08
"""Leaving is one of many occasions to turn something off, and nothing stands in for it. So is an open window,
or that nobody is in the room: a heater is turned off every night as well."""
_ENDED = frozenset({"off", "closed"})


def failed(habit: Habit) -> str | None:
    """Return in plain words why a habit isn't offered, or None if it may be."""
    return _seldom(habit) or _wrong(habit) or _over(habit) or _beside(habit)


def _seldom(habit: Habit) -> str | None:
    """Return whether it was put to the test too seldom, or is kept too seldom."""
    weekly = habit.when is not None and habit.when.day_type in WEEKLY
    least = _LEAST_FIRES if habit.kind == TRIGGER else _LEAST_FIRES_CLOCK
    if habit.held_out.fires < (_LEAST_FIRES_WEEKLY if weekly else least):
        return f"came up {_seldom_said(habit.held_out.fires)} on the held-out days"
    if habit.p_first > _FIRST_BY_CHANCE:
        return "the days learnt from don't show it by themselves"
    if habit.kind != TRIGGER and wilson_lower(habit.days_kept, habit.days_observed) < _LEAST_KEPT:
        return f"kept on only {habit.days_kept} of {habit.days_observed} days"
    return None


def _wrong(habit: Habit) -> str | None:
    """Return whether it would be wrong too often."""
    held = habit.held_out
    if _refuted(habit):
        return f"right only {len(held.wanted)} of {_times(held.fires)} on the held-out days"
    if habit.whole.precision < LEAST_RIGHT_OVERALL:
        return f"only {len(habit.whole.wanted)} of {_times(habit.whole.fires)}"
    if confidence(habit) < LEAST_CONFIDENCE:
        return f"{len(habit.whole.wanted)} of {_times(habit.whole.fires)}: too few to be sure"
    return None


def _refuted(habit: Habit) -> bool:
    """Return whether the held-out days speak against it.

    Where next to nothing was chosen on the days learnt from, those tell as much, and all of them together
    say how often it is right: the held-out ones have to fit that. Else they alone have to say it.
    """
    held = habit.held_out
    if habit.one_number:
        return binomial_tail(len(held.unwanted), held.fires, 1.0 - LEAST_RIGHT_OVERALL) <= _HELD_BY_CHANCE
    tie = held.precision == LEAST_RIGHT and held.fires >= _TELLING_FIRES
    return held.precision < LEAST_RIGHT or tie


def _over(habit: Habit) -> str | None:
    """Return whether a habit that held on most held-out days is coming to an end, or has ended."""
    held = habit.held_out
    right = np.r_[np.ones(len(held.wanted), np.bool_), np.zeros(len(held.unwanted), np.bool_)]
    right = right[np.argsort(np.concatenate([held.wanted, held.unwanted]), kind="stable")]
    late = right[len(right) - round(_LATE_SHARE * len(right)) :]
    few = binomial_tail(int((~late).sum()), len(late), 1.0 - LEAST_RIGHT) <= _LATE_BY_CHANCE
    if few and len(late) and late.mean() < LEAST_RIGHT:
        return f"right only {int(late.sum())} of {_times(len(late))} of late"
    due, last = habit.fires, int(habit.whole.wanted.max(initial=0)) + DAY_MS // 2
    if habit.kind == TRIGGER:
        # A reaction may be due twice an hour, and only where there is something to do.
        due, last = np.concatenate([habit.whole.wanted, habit.whole.unwanted]), last - DAY_MS // 2
    silent = int((due > last).sum())
    # Once more and once less than seen: nobody is that steady for sure (Laplace).
    left_out = 1.0 - (len(habit.whole.wanted) + 1) / (len(due) - silent + 2)
    if left_out**silent <= _SILENT_BY_CHANCE:
        return f"not once the last {_times(silent)} it was due"
    return None


def _beside(habit: Habit) -> str | None:
    """Return whether it accounts for too little of what people do to be the reason for it."""
    held = habit.held_out
    floor = _LEAST_COVERAGE_CLOCK
    if habit.kind == TRIGGER:
        comes_or_goes = habit.trigger is not None and habit.trigger.entity_id.startswith(PRESENCE)
        one_of_many = comes_or_goes or habit.target.state in _ENDED
        floor = _LEAST_COVERAGE_OF_MANY if one_of_many else _LEAST_COVERAGE
    if held.coverage < floor:
        acts = len(held.met) + len(held.missed)
        return f"accounts for only {len(held.met)} of {acts} of what people did on the held-out days"
    return None


def _seldom_said(count: int) -> str:
    return f"only {_times(count)}" if count else "not once"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
