"""What was known at each moment: the clock, the sun, who was home, and the state of everything else."""

from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np

from app.events import Int32, Int64
from app.habits.days import Days, is_type
from app.habits.habit import Bound, Conditions
from app.habits.localtime import MINUTE_MS, Bool, Float64, weekdays
from app.habits.numbers import Series
from app.habits.occupied import Occupied
from app.habits.sun import SunTimes
from app.habits.targets import Target
from app.habits.timeline import Timeline
from app.habits.triggers import Kind


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What the conditions ask, beside the trigger and the target. `numbers` are the home's measurements."""

    timeline: Timeline
    days: Days
    sun: SunTimes | None
    presence: tuple[Int64, Bool] | None
    numbers: dict[str, Series] = field(default_factory=dict)

    def known(self, kind: Kind, target: Target) -> "Known":
        at = kind.at
        day, minute = self.days.local.days_and_minutes(at)
        return Known(
            at, kind.quiet, kind.until, target.away_since(at), minute, weekdays(day), self._dark(day, minute),
            self.someone_home(at), self,
        )  # fmt: skip

    def dark(self, at: Int64) -> Bool | None:
        """Return whether the sun is below the horizon at those instants."""
        return self._dark(*self.days.local.days_and_minutes(at))

    def _dark(self, day: Int64, minute: Float64) -> Bool | None:
        if self.sun is None:
            return None
        up = (minute >= self.sun.minutes("sunrise", day)) & (minute < self.sun.minutes("sunset", day))
        return np.asarray(~up, np.bool_)

    def someone_home(self, at: Int64) -> Bool | None:
        return None if self.presence is None else _inside(self.presence, at)

    @cached_property
    def occupied(self) -> Occupied | None:
        """When somebody was in, for the whole span; None where the home knows no persons."""
        if self.presence is None:
            return None
        return Occupied(self.days, self.sun, partial(_inside, self.presence))

    def states_at(self, index: int, at: Int64) -> Int32:
        """Return an entity's state codes at those instants; -1 before the first known one."""
        rows = self.timeline.rows(index)
        times, states = self.timeline.at[rows], self.timeline.state[rows]
        if not len(times):
            return np.full(len(at), -1, np.int32)
        where = times.searchsorted(at, "right") - 1
        found: Int32 = states[np.maximum(where, 0)]
        found[where < 0] = -1
        return found

    def is_state(self, entity_id: str, state: str, at: Int64) -> Bool:
        if entity_id not in self.timeline.entities:
            return np.zeros(len(at), np.bool_)
        codes = self.states_at(self.timeline.entities.index(entity_id), at)
        return np.asarray(codes == self.timeline.code(state), np.bool_)

    def within(self, bound: Bound, at: Int64) -> Bool:
        """Return where a number is within its limit; not where it isn't known."""
        values = self.numbers[bound.entity_id].value_at(at)
        low = -np.inf if bound.above is None else bound.above
        high = np.inf if bound.below is None else bound.below
        return np.asarray((values > low) & (values < high), np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What was known at each instant `at` (ms, ascending) at which a kind of trigger came, for one target.

    `quiet` is how long (ms) the trigger's entity had been in the state before, `until` when it left the new
    state, `away` how long (ms) the target had not been as wanted; `minute` local minutes of the day;
    `weekday` 0 is Monday; `dark` and `home` are None where nothing is known of the sun or of persons.
    """

    at: Int64
    quiet: Int64
    until: Int64
    away: Int64
    minute: Float64
    weekday: Int64
    dark: Bool | None
    home: Bool | None
    around: Surroundings

    def hold(self, conditions: Conditions) -> Bool:
        """Return at which of the instants all of the conditions hold."""
        good = np.ones(len(self.at), np.bool_)
        if conditions.quiet is not None:
            good &= self.quiet >= conditions.quiet * MINUTE_MS
        if conditions.away is not None:
            good &= self.away >= conditions.away * MINUTE_MS
        if conditions.hours is not None:
            low, high = conditions.hours
            after, before = self.minute >= low, self.minute < high
            good &= (after & before) if low < high else (after | before)
        if conditions.day_type != "daily":
            good &= is_type(self.weekday, conditions.day_type)
        if conditions.dark is not None and self.dark is not None:
            good &= self.dark == conditions.dark
        if conditions.someone_home is not None and self.home is not None:
            good &= self.home == conditions.someone_home
        if conditions.state is not None:
            good &= self.around.is_state(*conditions.state, self.at)
        if conditions.number is not None:
            good &= self.around.within(conditions.number, self.at)
        return good


def _inside(presence: tuple[Int64, Bool], at: Int64) -> Bool:
    times, home = presence
    where = times.searchsorted(at, "right") - 1
    return np.where(where >= 0, home[np.maximum(where, 0)], True)
