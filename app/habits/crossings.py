"""Numbers as triggers: where a measurement crosses the limit at which people act.

The limit is laid where most acts lie on its far side, as people would round it, on the days to learn from.
Home Assistant's own trigger fires at each crossing, and so does the replay; what wavers around it finds
things done already. The way back has its own limit, if people act on it: that is the hysteresis.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from app.events import Int64
from app.habits.evidence import percentiles, spread
from app.habits.habit import Trigger
from app.habits.localtime import DAY_MS, MINUTE_MS
from app.habits.numbers import Series
from app.habits.replay import AFTER_MS
from app.habits.triggers import NEVER_OVER, Kind

_STEPS = (5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95)
"""Percent of people's acts that lie below a limit: to rise above it all are tried but the last, to fall below
it all but the first."""
_PARTS = (0.1, 0.5)
"""And two on the way it has just come: near its lower end, and halfway."""
_BEFORE_MS = 2 * MINUTE_MS
_LEAST_ACTS = 6
_LEAST_KNOWN = 0.8
_FEWEST = 4
_MOST_A_DAY = 40.0
_ABOUT_AS_GOOD = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Crossings:
    """The home's `numbers` as triggers, on the days to learn from, which end at `until` (ms)."""

    numbers: dict[str, Series]
    until: int

    @property
    def tried(self) -> int:
        """How many limits are tried for each target."""
        return 2 * (len(_STEPS) - 1 + len(_PARTS)) * len(self.numbers)

    def before(self, acts: Int64, reach: int, least: float) -> list[Kind]:
        """Return for each sensor and direction the crossing that comes before most acts for its number.

        `acts` (ms, ascending) are the intents of the days to learn from. Where acts follow within
        `reach` (ms) fewer times than `least`, there is none.
        """
        if len(acts) < _LEAST_ACTS:
            return []
        kinds: list[Kind] = []
        # People act a while after the limit is passed, and it moves on meanwhile.
        asked = np.concatenate([acts, acts - _BEFORE_MS])
        for entity_id, series in self.numbers.items():
            values = series.value_at(asked)
            known = values[~np.isnan(values)]
            if len(known) < _LEAST_KNOWN * len(values):
                continue
            steps = [series.rounded(value) for value in percentiles(known, _STEPS)]
            risen, fallen = _between(series, acts)
            for rising, limits in ((True, steps[:-1] + risen), (False, steps[:0:-1] + fallen)):
                best = self._best(entity_id, limits, acts, rising=rising)
                if best is not None and self._followed(best[1], acts, reach) >= least:
                    kinds.append(crossing(entity_id, series, best[0], rising=rising))
        return kinds

    def _followed(self, crossed: Int64, acts: Int64, reach: int) -> int:
        """Return how often an act follows within that time, or may follow once these days are over."""
        ends = np.append(acts, np.int64(self.until))
        where = ends.searchsorted(crossed)
        return int(np.count_nonzero(ends[where] - crossed <= reach))

    def _best(
        self, entity_id: str, limits: list[float], acts: Int64, *, rising: bool
    ) -> tuple[float, Int64] | None:
        """Return which of the limits tells most, and when (ms) it was crossed."""
        series = self.numbers[entity_id]
        span_days = max((self.until - int(series.at[0])) / DAY_MS, 1.0)
        found: list[tuple[float, float, Int64, Int64]] = []
        own = list(dict.fromkeys(limits))
        for limit, early in zip(own, _crossed(series, own, self.until, rising=rising), strict=True):
            if len(early) < _FEWEST or len(early) / span_days > _MOST_A_DAY:
                continue
            last = early.searchsorted(acts, "right") - 1
            lags = acts - early[np.maximum(last, 0)]
            met = (last >= 0) & (lags <= AFTER_MS)
            answered = last[met]
            different = min(len(answered), 1) + np.count_nonzero(answered[1:] != answered[:-1])
            found.append((len(answered) / len(acts) * different / len(early), limit, early, lags[met]))
        if not found:
            return None
        enough = _ABOUT_AS_GOOD * max(one[0] for one in found)
        good = [one for one in found if one[0] >= enough]
        # Of those about as good, the limit that people are closest to in time.
        _, limit, crossed, _ = min(good, key=lambda one: spread(one[3] / 1000.0))
        return limit, crossed


def crossing(entity_id: str, series: Series, limit: float, *, rising: bool) -> Kind:
    """Return when the number crossed the limit that way."""
    beyond = series.value > limit if rising else series.value < limit
    turned = np.flatnonzero(beyond[1:] != beyond[:-1]) + 1
    there = turned[beyond[turned]]
    at = series.at[turned]
    rows = np.flatnonzero(beyond[turned])
    until = np.append(at[1:], np.int64(NEVER_OVER))[rows]
    quiet = np.diff(at, prepend=series.at[:1])[rows]
    trigger = Trigger(entity_id, "above", above=limit) if rising else Trigger(entity_id, "below", below=limit)
    return Kind(trigger, series.at[there], quiet, until)


def _between(series: Series, acts: Int64) -> tuple[list[float], list[float]]:
    """Return limits between what it had just come from and what it is at people's acts: risen, and fallen.

    A machine that is done uses 2 W, and 200 a minute before: no value at an act lies between the two.
    """
    low = np.maximum(series.at.searchsorted(acts - AFTER_MS, "right") - 1, 0)
    high = np.maximum(series.at.searchsorted(acts, "right") - 1, 0)
    # Pairs of where a stretch begins and where it ends: only every other piece is asked for.
    ends = np.ravel(np.column_stack([low, high + 1]))
    values = np.append(series.value, series.value[-1:]).astype(np.float64)
    (now,) = percentiles(values[high], (50,))
    found: list[list[float]] = []
    for extreme in (np.minimum, np.maximum):
        (came_from,) = percentiles(extreme.reduceat(values, ends)[::2], (50,))
        lower, upper = min(now, came_from), max(now, came_from)
        found.append([series.rounded(lower + part * (upper - lower)) for part in _PARTS])
    return found[0], found[1]


def _crossed(series: Series, limits: list[float], until: int, *, rising: bool) -> list[Int64]:
    """Return for each limit when the number came to lie beyond it, up to `until` (ms)."""
    end = int(series.at.searchsorted(until))
    value, limit = series.value[:end], np.array(limits, np.float32)[:, None]
    beyond = value > limit if rising else value < limit
    which, row = np.nonzero(beyond[:, 1:] & ~beyond[:, :-1])
    at = series.at[row + 1]
    starts = which.searchsorted(np.arange(len(limits) + 1)).tolist()
    return [at[start:stop] for start, stop in pairwise(starts)]
