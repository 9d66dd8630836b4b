"""Opportunities: a trigger's instants that find the target not as wanted, the first of each cycle only.

Which instants those are depends on the conditions, everything else only on the trigger and the target: it is
worked out once for all the conditions with which a search may begin.
"""

from dataclasses import dataclass

import numpy as np

from app.events import Int32, Int64
from app.habits.days import Days
from app.habits.localtime import DAY_MS, Bool
from app.habits.targets import Target

_SHIFTS = (-14, -7, -4, -3, -2, -1, 1, 2, 3, 4, 7, 14)
_LONGEST_LAG = np.iinfo(np.int32).max
_AT_ONCE = 200_000
"""Instants worked on in one go: a year of a busy sensor on twelve other days must not fill the memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Opportunities:
    """Instants at which the target was not as wanted: `rows` of the trigger's, the `cycle` each lies in, and
    the `lag` (ms) until a person did it, 24 days at most: later is never.
    """

    rows: Int32
    cycle: Int32
    lag: Int32

    @classmethod
    def of(cls, at: Int64, inside: Bool, target: Target) -> "Opportunities":
        """Find them among instants (ms, ascending), of those that are `inside`."""
        rows = np.flatnonzero(inside)
        rows = rows[~target.was_in(at[rows])]
        return cls(rows.astype(np.int32), *_asked(at[rows], target))

    @classmethod
    def on_other_days(
        cls, at: Int64, inside: Bool, target: Target, days: Days, until: int
    ) -> "Opportunities":
        """Find them among the same instants on other days, at the same time of day, up to `until` (ms)."""
        own = np.flatnonzero(inside)
        at = at[own]
        cycles = len(target.leaves) + 1
        found: list[Opportunities] = []
        together = max(1, _AT_ONCE // max(len(at), 1))
        for start in range(0, len(_SHIFTS), together):
            shifts = np.array(_SHIFTS[start : start + together], np.int64)
            moved = (at + shifts[:, None] * DAY_MS).ravel()
            rows = np.flatnonzero((moved >= days.first) & (moved < until))
            rows = rows[days.watched(moved[rows])]
            rows = rows[~target.was_in(moved[rows])]
            cycle, lag = _asked(moved[rows], target)
            shift, row = np.divmod(rows, max(len(at), 1))
            # Each day's cycles are its own.
            cycle = (cycle + (start + shift) * cycles).astype(np.int32)
            found.append(cls(own[row].astype(np.int32), cycle, lag))
        return cls(
            np.concatenate([one.rows for one in found]),
            np.concatenate([one.cycle for one in found]),
            np.concatenate([one.lag for one in found]),
        )

    def followed(self, reach: int) -> "Opportunities":
        """Return those that people followed within `reach` (ms)."""
        near = self.lag <= reach
        return Opportunities(self.rows[near], self.cycle[near], self.lag[near])

    def cycles(self, chosen: Bool) -> int:
        """Return in how many cycles there is one among the trigger's instants chosen."""
        cycle = self.cycle[chosen[self.rows]]
        return min(len(cycle), 1) + int(np.count_nonzero(cycle[1:] != cycle[:-1]))

    def lags(self, chosen: Bool) -> Int32:
        """Return the lags (ms, ascending) of the opportunities among the trigger's instants chosen."""
        own = chosen[self.rows]
        cycle, lag = self.cycle[own], self.lag[own]
        first = np.ones(len(cycle), np.bool_)
        np.not_equal(cycle[1:], cycle[:-1], out=first[1:])
        return np.sort(lag[first])


def _asked(at: Int64, target: Target) -> tuple[Int32, Int32]:
    """Return the cycle that each instant lies in, and how long (ms) until a person did it."""
    cycle = target.leaves.searchsorted(at)
    where = target.acts.searchsorted(at)
    lags = np.full(len(at), _LONGEST_LAG, np.int64)
    known = where < len(target.acts)
    lags[known] = target.acts[where[known]] - at[known]
    return cycle.astype(np.int32), np.minimum(lags, _LONGEST_LAG).astype(np.int32)
