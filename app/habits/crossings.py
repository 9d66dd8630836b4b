"""Numbers as triggers: where a measurement crosses the limit at which people act.

The limit is laid where most acts lie on its far side, as people would round it, on the days to learn from.
Home Assistant's own trigger fires at each crossing, and so does the replay; what wavers around it finds
things done already. The way back has its own limit, if people act on it: that is the hysteresis.
"""

import numpy as np

from app.events import Int64
from app.habits.evidence import spread
from app.habits.habit import Trigger
from app.habits.localtime import DAY_MS, MINUTE_MS, Float64
from app.habits.numbers import Series
from app.habits.replay import AFTER_MS
from app.habits.triggers import NEVER_OVER, Kind

_QUANTILES = (5, 10, 20, 30, 40, 50, 60, 70, 80, 90)
_BEFORE_MS = 2 * MINUTE_MS
LIMITS_TRIED = 2 * len(_QUANTILES)
_LEAST_ACTS = 6
_LEAST_KNOWN = 0.8
_FEWEST = 4
_MOST_A_DAY = 40.0
_STANDS_OUT = 0.5
_ABOUT_AS_GOOD = 0.9


def crossings(numbers: dict[str, Series], acts: Int64, until: int) -> list[Kind]:
    """Return for each sensor and direction the crossing that comes before most acts for its number.

    `acts` (ms) are the intents of the days to learn from, which end at `until`.
    """
    if len(acts) < _LEAST_ACTS:
        return []
    kinds: list[Kind] = []
    for entity_id, series in numbers.items():
        # People act a while after the limit is passed, and it moves on meanwhile.
        values = series.value_at(np.concatenate([acts, acts - _BEFORE_MS]))
        known = values[~np.isnan(values)]
        if len(known) < _LEAST_KNOWN * len(values):
            continue
        usual = _by_time(series, until)
        both = [_best(entity_id, series, known, usual, acts, until, rising=up) for up in (True, False)]
        kinds += [kind for kind in both if kind is not None]
    return kinds


def _by_time(series: Series, until: int) -> Float64:
    """Return the values at each quarter of an hour: rows alone count moving more than staying."""
    first, last = int(series.at[0]), min(int(series.at[-1]), until)
    grid = np.arange(first, max(last, first + 1), 900_000, dtype=np.int64)
    values = series.value_at(grid)
    return np.asarray(values[~np.isnan(values)], np.float64)


def _best(
    entity_id: str,
    series: Series,
    known: Float64,
    usual: Float64,
    acts: Int64,
    until: int,
    *,
    rising: bool,
) -> Kind | None:
    found: list[tuple[float, float, Kind]] = []
    shares = _QUANTILES if rising else tuple(100 - share for share in _QUANTILES)
    # All at once: one by one these made up a quarter of all mining.
    for limit in dict.fromkeys(series.rounded(value) for value in np.percentile(known, shares).tolist()):
        # Where the number mostly is anyway tells no limit.
        if ((usual > limit) if rising else (usual < limit)).mean() > _STANDS_OUT:
            continue
        kind = crossing(entity_id, series, limit, rising=rising)
        early = kind.at[kind.at < until]
        span_days = max((until - int(series.at[0])) / DAY_MS, 1.0)
        if len(early) < _FEWEST or len(early) / span_days > _MOST_A_DAY:
            continue
        last = np.searchsorted(early, acts, "right") - 1
        lags = acts - early[np.maximum(last, 0)]
        met = (last >= 0) & (lags <= AFTER_MS)
        answered = np.unique(last[met])
        found.append((float(met.mean()) * len(answered) / len(early), spread(lags[met] / 1000.0), kind))
    if not found:
        return None
    enough = _ABOUT_AS_GOOD * max(score for score, _, _ in found)
    # Of those about as good, the limit that people are closest to in time.
    return min((one for one in found if one[0] >= enough), key=lambda one: one[1])[2]


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
