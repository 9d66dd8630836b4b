"""What a habit has to show before it is offered. Each gate has a reason; none is tuned to a home.

See docs/mining.md for why each figure is what it is.
"""

from app.habits.days import WEEKLY
from app.habits.habit import TRIGGER, Habit
from app.habits.learning import confidence

LEAST_RIGHT = 0.5
"""On the held-out days: right at least as often as wrong; they are too few to ask more of them alone."""
LEAST_RIGHT_OVERALL = 0.6
"""Over all days: an automation that is wrong in more than two of five fires is a nuisance."""
LEAST_CONFIDENCE = 0.4
"""As a lower bound: a few lucky days (two of two) can't carry it."""
_LEAST_FIRES = 3
_LEAST_FIRES_CLOCK = 2
_LEAST_FIRES_WEEKLY = 1
_LEAST_COVERAGE = 0.2
_LEAST_COVERAGE_CLOCK = 0.4


def failed(habit: Habit) -> str | None:
    """Return in plain words why a habit isn't offered, or None if it may be."""
    held = habit.held_out
    weekly = habit.when is not None and habit.when.day_type in WEEKLY
    least = _LEAST_FIRES if habit.kind == TRIGGER else _LEAST_FIRES_CLOCK
    if held.fires < (_LEAST_FIRES_WEEKLY if weekly else least):
        return f"came up only {_times(held.fires)} on the held-out days"
    if held.precision < LEAST_RIGHT:
        return f"right only {len(held.wanted)} of {_times(held.fires)} on the held-out days"
    if habit.whole.precision < LEAST_RIGHT_OVERALL:
        return f"only {len(habit.whole.wanted)} of {_times(habit.whole.fires)}"
    if confidence(habit) < LEAST_CONFIDENCE:
        return f"{len(habit.whole.wanted)} of {_times(habit.whole.fires)}: too few to be sure"
    floor = _LEAST_COVERAGE if habit.kind == TRIGGER else _LEAST_COVERAGE_CLOCK
    if held.coverage < floor:
        acts = len(held.met) + len(held.missed)
        return f"accounts for only {len(held.met)} of {acts} of what people did on the held-out days"
    return None


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
