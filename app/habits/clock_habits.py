"""Habits of the clock and of the sun: the same thing at the same moment, on most days of a kind.

A scan statistic (Naus 1965; Kulldorff 1997) over windows of several widths, on *distinct days covered*: ten
presses in one morning are one. The null says that people act as often as they do around that hour anyway, so
a lamp that is used all evening is no habit of 20:15. What is found is refined by density, not by bucket, and
taken away before the next scan, so that several habits a day of one lamp come out one by one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import log

import numpy as np

from app.events import Int64
from app.habits.days import DAY_TYPES, WEEKLY, Days
from app.habits.evidence import binomial_tail, spread, tail_bound
from app.habits.habit import When
from app.habits.lines import BIN, OWN_MINUTES, Line, clock_line, due_at, residuals_of, rounded, sun_line
from app.habits.localtime import Bool, Float64
from app.habits.sun import SunTimes

_BINS = 1440 // BIN
_WIDTHS = (2, 4, 6, 9, 12)
"""Of the scanned windows, in bins: 10 to 60 minutes."""
_AWAKE_MINUTES = 960.0
_LEAST_KEPT = 0.45
_LEAST_DAYS = 3
_LEAST_RATIO = 3.0
"""Effect floor: people act at least three times as often inside the window as around it."""
_MOST_A_TARGET = 5
_SUN_REACH = 240
_SUN_CLEARLY = 0.8
_SUN_DRIFT = 20.0
_TRIALS_A_WINDOW = 6.0
"""Windows that overlap are nearly the same test: each stretch of the day as long as a window counts as about
three independent starts, and all widths together as two (a simulation in the tests holds this to account)."""
_PRIOR = {"daily": log(184 / 246), "workdays": log(45 / 246), "weekends": log(17 / 246)}
"""Natural logarithm of how usual each is: of 246 routines that 40 people wrote down (Helion)."""
_CLOSE = 20.0
"""Minutes from the moment within which a day's act is looked for at least, however narrow the window was."""


AtHome = Callable[[Int64], Bool | None]


def _unknown(_at: Int64) -> Bool | None:
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """One moment found: `center` is local minutes after its anchor, `residuals` how far (minutes) people's
    acts were from it, one for each day kept; `p_value` corrected for the windows scanned, which were `width`
    minutes wide.
    """

    when: When
    center: float
    kept: int
    of: int
    p_value: float
    expected: float
    residuals: Float64
    explained: Int64
    width: float

    @property
    def spread(self) -> float:
        return spread(self.residuals)

    @property
    def by_itself(self) -> float:
        """The p-value of these days alone, the moment given: a refit's own evidence."""
        inside = int((np.abs(self.residuals) <= self.width / 2).sum())
        return binomial_tail(inside, self.of, self.expected)


@dataclass(frozen=True, slots=True)
class _Peak:
    score: float
    day_type: str
    start: int
    width: float
    expected: float
    kept: int = 0


def find_clock_habits(
    acts: Int64, days: Days, sun: SunTimes | None, day_types: tuple[str, ...], at_home: AtHome = _unknown
) -> list[Found]:
    """Return the moments at which people do something, the most certain first.

    `acts` (ms) are all their acts of one kind on the observed `days`; `sun` None: nothing is known of it.
    `at_home` tells of instants whether somebody was home.
    """
    left = acts
    found: list[Found] = []
    while len(left) >= _LEAST_DAYS and len(found) < _MOST_A_TARGET:
        best = _best(left, days, sun, day_types, at_home)
        if best is None:
            break
        found.append(best)
        rest = left[~np.isin(left, best.explained)]
        if len(rest) == len(left):
            break
        left = rest
    return found


def tests_made(sun: SunTimes | None, day_types: tuple[str, ...]) -> int:
    """Return how many moments were tried for one target: what the false-discovery control has to count."""
    return len(day_types) * (1 if sun is None else 3)


def _best(
    acts: Int64, days: Days, sun: SunTimes | None, day_types: tuple[str, ...], at_home: AtHome
) -> Found | None:
    line = clock_line(acts, days)
    by_clock = _scan(line, days, day_types)
    clock = None if by_clock is None else _on_its_days(by_clock, line, acts, days, day_types, None, at_home)
    if sun is None:
        return clock
    best = clock
    for event in ("sunset", "sunrise"):
        drift = sun.minutes(event, days.numbers)
        if np.isnan(drift).any() or float(np.ptp(drift)) < _SUN_DRIFT:
            continue
        line = sun_line(acts, days, sun, event)
        peak = _scan(line, days, day_types)
        if peak is None:
            continue
        candidate = _on_its_days(peak, line, acts, days, day_types, sun, at_home)
        if candidate is not None and _clearly_better(candidate, best):
            best = candidate
    return best


def _clearly_better(sun: Found, other: Found | None) -> bool:
    """Return whether the sun says it better: as many days kept, closer together. In doubt it's the clock."""
    if other is None:
        return True
    return sun.p_value <= other.p_value * 0.1 or (
        sun.kept >= other.kept and sun.spread < _SUN_CLEARLY * other.spread
    )


def _scan(line: Line, days: Days, day_types: tuple[str, ...]) -> _Peak | None:
    """Return the window that chance explains least, over all widths and kinds of day."""
    first = float(days.numbers[0]) * 1440
    count = len(days.numbers)
    position = np.floor((line.minutes - first) / BIN).astype(np.int64) + _BINS
    held = np.zeros((count + 2) * _BINS, np.float64)
    inside = (position >= 0) & (position < len(held))
    held[position[inside]] = 1.0
    total = np.concatenate([[0.0], np.cumsum(held)])
    chosen = np.array([days.are(name) for name in day_types], np.float64)
    a_day = chosen @ held[_BINS:-_BINS].reshape(count, _BINS).sum(axis=1)
    best: _Peak | None = None
    for width in _WIDTHS:
        # A window belongs to the day on which its middle lies.
        begin = _BINS - width // 2
        counts = _windows(total, begin, width, count)
        ring = _windows(total, begin - 2 * width, 5 * width, count) - counts
        peak = _peak(line.anchor, (counts > 0).astype(np.float64), ring, chosen, a_day, day_types, width)
        if peak is not None and (best is None or peak.score > best.score):
            best = peak
    return best


def _windows(total: Float64, begin: int, width: int, count: int) -> Float64:
    """Return how many bins with an act each window of `width` bins holds, as (days, windows of the day)."""
    size = count * _BINS
    low, high = total[begin : begin + size], total[begin + width : begin + width + size]
    return (high - low).reshape(count, _BINS)


def _peak(
    anchor: str,
    covered: Float64,
    ring: Float64,
    chosen: Float64,
    a_day: Float64,
    names: tuple[str, ...],
    width: int,
) -> _Peak | None:
    """Return the best window of one width. `chosen` is (kinds of day, days), `a_day` acts for each kind."""
    of = chosen.sum(axis=1, keepdims=True)
    minutes = float(width * BIN)
    kept = chosen @ covered
    share = kept / np.maximum(of, 1.0)
    around = (chosen @ ring) / np.maximum(of, 1.0) / (4 * minutes)
    rate = np.maximum(around, (a_day[:, None] / np.maximum(of, 1.0)) / _AWAKE_MINUTES)
    chance = 1.0 - np.exp(-rate * minutes)
    weekly = np.array([name in WEEKLY for name in names])[:, None]
    # A Tuesday habit has to stand out from the other days, not only from the hour.
    elsewhere = ((1.0 - chosen) @ covered) / np.maximum((1.0 - chosen).sum(axis=1, keepdims=True), 1.0)
    chance = np.where(weekly, np.maximum(chance, elsewhere), chance)
    inside_rate = -np.log(np.clip(1.0 - share, 0.5 / np.maximum(of, 1.0), 1.0))
    good = (share >= _LEAST_KEPT) & (kept >= _LEAST_DAYS) & (of >= _LEAST_DAYS)
    good &= inside_rate >= _LEAST_RATIO * -np.log1p(-np.minimum(chance, 1 - 1e-9))
    if anchor != "midnight":
        good &= np.abs(np.arange(_BINS) * BIN - 720) <= _SUN_REACH
    if not good.any():
        return None
    score = np.where(good, tail_bound(kept, np.broadcast_to(of, kept.shape), chance), -np.inf)
    score -= weekly * np.log(len(DAY_TYPES))
    kind, start = divmod(int(np.argmax(score)), _BINS)
    return _Peak(
        float(score[kind, start]), names[kind], start * BIN, minutes, float(chance[kind, start]),
        int(kept[kind, start]),
    )  # fmt: skip


def _refine(peak: _Peak, line: Line, acts: Int64, days: Days) -> Found | None:
    """Find the moment itself: the median of the acts nearest it, one a day, from a first guess inwards."""
    numbers = days.of_type(peak.day_type)
    center = float(peak.start)
    reach = max(peak.width / 2.0, _CLOSE)
    residuals, rows = residuals_of(line, numbers, center, reach)
    for _ in range(3):
        if len(residuals) < _LEAST_DAYS:
            return None
        center = (center + float(np.median(residuals))) % 1440
        residuals, rows = residuals_of(line, numbers, center, reach)
    minutes = rounded(center, line.anchor)
    _, wide = residuals_of(line, numbers, center, float(OWN_MINUTES), nearest=False)
    kept = len(residuals)
    tail = binomial_tail(peak.kept, len(numbers), peak.expected)
    p_value = min(1.0, tail * _TRIALS_A_WINDOW * 1440.0 / peak.width)
    return Found(
        When(line.anchor, minutes, peak.day_type), center, kept, len(numbers), p_value, peak.expected,
        residuals, acts[np.union1d(rows, wide)], peak.width,
    )  # fmt: skip


def _on_its_days(
    peak: _Peak, line: Line, acts: Int64, days: Days, day_types: tuple[str, ...], sun: SunTimes | None,
    at_home: AtHome,
) -> Found | None:  # fmt: skip
    """Refine a peak, and say on which kind of day it is.

    The scan may prefer another window for each kind of day: one that fits the workdays' acts leaves out the
    weekend's by minutes. Once the moment is known, the kinds are compared at that moment: the one is taken
    that makes it likeliest where it is kept and where it isn't (the same bound as in the scan), what people
    say of their routines considered. Days on which nobody was home then tell nothing: who is out at work
    leaves undone on workdays what is done whenever somebody is in.
    """
    found = _refine(peak, line, acts, days)
    if found is None or peak.day_type in WEEKLY:
        return found
    reach = max(peak.width / 2.0, _CLOSE)
    chance = np.array([1.0 - (1.0 - peak.expected) ** (2.0 * reach / peak.width)])
    best, name = -np.inf, peak.day_type
    for other in day_types:
        numbers = days.of_type(other)
        home = at_home(due_at(replace(found.when, day_type=other), days, sun))
        numbers = numbers if home is None else numbers[home]
        kept = len(residuals_of(line, numbers, found.center, reach)[1])
        if len(numbers) < _LEAST_DAYS or kept < _LEAST_KEPT * len(numbers):
            continue
        score = float(tail_bound(np.array([float(kept)]), np.array([float(len(numbers))]), chance)[0])
        score += _PRIOR.get(other, 0.0)
        if score > best:
            best, name = score, other
    if name == peak.day_type:
        return found
    again = _refine(replace(peak, day_type=name, start=round(found.center)), line, acts, days)
    return found if again is None else replace(again, p_value=found.p_value)


def refit(found: Found, acts: Int64, days: Days, sun: SunTimes | None) -> Found:
    """Return the same habit with its moment and counts from other acts and days; if few, unchanged."""
    anchor = found.when.anchor
    if anchor == "midnight":
        line = clock_line(acts, days)
    elif sun is not None:
        line = sun_line(acts, days, sun, anchor)
    else:
        return found
    peak = _Peak(0.0, found.when.day_type, round(found.center), 2 * OWN_MINUTES, found.expected)
    again = _refine(peak, line, acts, days)
    return found if again is None else replace(again, p_value=found.p_value, width=found.width)
