"""A reaction found, before it is a habit: its trigger and conditions, its replay and its evidence."""

from dataclasses import dataclass

from app.events import Int64
from app.habits.evidence import binomial_tail
from app.habits.habit import PRESENCE, Conditions, Trigger, people_alone
from app.habits.localtime import Bool
from app.habits.replay import AFTER_MS, Played
from app.habits.surroundings import Known
from app.habits.triggers import Kind

PEOPLE, LIMITS, THINGS = "people", "limits", "things"


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A reaction found: its replay on the days to learn from, and its evidence.

    `lag` and `lag_spread` in seconds, from the trigger to people's act. A fire is wanted if people act up to
    `reach` (ms) later. `window` are the lags (ms) of which chance alone would keep the share `expected`.
    """

    kind: Kind
    trigger: Trigger
    conditions: Conditions
    known: Known
    played: Played
    p_value: float
    expected: float
    lag: float
    lag_spread: float
    reach: int = AFTER_MS
    window: tuple[int, int] = (0, AFTER_MS)

    @property
    def family(self) -> str:
        """The family of tests that it belongs to."""
        return family(self.trigger)

    @property
    def one_number(self) -> bool:
        """Return whether next to nothing was chosen on the days learnt from, as `Habit.one_number` says.

        Like a moment of the clock it is then judged on half of the days: people come and go too seldom for
        less.
        """
        return people_alone(self.trigger, self.conditions)

    def by_itself(self, played: Played) -> float:
        """Return the p-value of some days' replay alone, trigger and window given."""
        lags = played.met - played.wanted + (self.trigger.delay - self.kind.waited) * 1000
        low, high = self.window
        return binomial_tail(int(((lags >= low) & (lags <= high)).sum()), played.fires, self.expected)

    def fires(self, inside: Bool | None = None) -> Int64:
        """Return when (ms) it would fire, the target's own state aside."""
        hold = self.known.hold(self.conditions)
        if inside is not None:
            hold = hold & inside
        wait = (self.trigger.delay - self.kind.waited) * 1000
        if wait and self.trigger.held:
            hold = hold & (self.known.until - self.known.at >= wait)
        return self.known.at[hold] + wait


def family(trigger: Trigger) -> str:
    """Return the family of tests that a trigger belongs to: people come and go by few, things by hundreds."""
    if trigger.entity_id.startswith(PRESENCE):
        return PEOPLE
    return THINGS if trigger.above is None and trigger.below is None else LIMITS
