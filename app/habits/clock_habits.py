"""Habits of the clock and of the sun: the same thing at the same moment, on most days of a kind.

A scan statistic (Naus 1965; Kulldorff 1997) over windows of several widths, on *distinct days covered*: ten
presses in one morning are one. The null says that people act as often as they do around that hour anyway, so
a lamp that is used all evening is no habit of 20:15. What is found is refined by density, not by bucket, and
taken away before the next scan, so that several habits a day of one lamp come out one by one.
"""

from dataclasses import dataclass, replace
from math import log

import numpy as np

from app.events import Int64
from app.habits.days import DAY_TYPES, WEEKLY, Days
from app.habits.evidence import binomial_tail, spread, tail_bound
from app.habits.habit import When
from app.habits.lines import BIN, OWN_MINUTES, Line, clock_line, due_at, residuals_of, rounded, sun_line
from app.habits.localtime import Float64
from app.habits.occupied import BINS, RING, Occupied, Watched, always_watched, windows
from app.habits.sun import SunTimes

_WIDTHS = (2, 4, 6, 9, 12)
"""Of the scanned windows, in bins: 10 to 60 minutes."""
LEAST_KEPT = 0.45
LEAST_DUE = 0.5
"""Of its kind of days it has to be due on half: what comes up more seldom is no habit of every weekend."""
_LEAST_DAYS = 3
_LEAST_RATIO = 3.0
"""Effect floor: people act at least three times as often inside the window as around it."""
_MOST_A_TARGET = 5
_SUN_REACH = 120
"""Minutes: what has to do with the light is done within two hours of it."""
_SUN_CLEARLY = 0.8
_SUN_DRIFT = 20.0
TRIALS_A_WINDOW = 6.0
"""Windows that overlap are nearly the same test: each stretch of the day as long as a window counts as about
three independent starts, and all widths together as two (a simulation in the tests holds this to account)."""
_PRIOR = {"daily": log(184 / 246), "workdays": log(45 / 246), "weekends": log(17 / 246)}
"""Natural logarithm of how usual each is: of 246 routines that 40 people wrote down (Helion)."""
_CLOSE = 20.0
"""Minutes from the moment within which a day's act is looked for at least, however narrow the window was."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """One moment found: `center` is local minutes after its anchor, `residuals` how far (minutes) people's
    acts were from it, one for each day kept; `p_value` corrected for the windows scanned, which were `width`
    minutes wide. `peopled`: of the days only those count on which somebody was home then.
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
    peopled: bool = False

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
    of: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Days:
    """The days looked at, by their kinds; `home` None: nothing is known of who is in; `peopled`: only days
    with somebody in count.
    """

    days: Days
    sun: SunTimes | None
    day_types: tuple[str, ...] = ()
    home: Occupied | None = None
    peopled: bool = False

    def due(self, when: When, *, peopled: bool) -> Int64:
        """Return the days on which it is due, all or those with somebody in then."""
        numbers = self.days.of_type(when.day_type)
        if self.home is None or not peopled:
            return numbers
        return numbers[self.home.someone_home(due_at(when, self.days, self.sun))]

    def watched(self, anchor: str, chosen: Float64, width: int) -> Watched:
        if self.home is None or not self.peopled:
            return always_watched(chosen, width)
        return self.home.watched(anchor, self.day_types, width)


def find_clock_habits(
    acts: Int64, days: Days, sun: SunTimes | None, day_types: tuple[str, ...], home: Occupied | None = None
) -> list[Found]:
    """Return the moments at which people do something, the most certain first.

    `acts` (ms) are all their acts of one kind on the observed `days`; `sun` None: nothing is known of it.
    `home` tells when somebody was in: of what is only done in person, the other days tell nothing.
    """
    looked = _Days(days, sun, day_types, home, peopled=home is not None and home.in_person(acts))
    left = acts
    if looked.peopled and home is not None:
        left = acts[home.someone_home(acts)]
    found: list[Found] = []
    while len(left) >= _LEAST_DAYS and len(found) < _MOST_A_TARGET:
        best = _best(left, looked)
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


def _best(acts: Int64, looked: _Days) -> Found | None:
    days, sun = looked.days, looked.sun
    line = clock_line(acts, days)
    by_clock = _scan(line, looked)
    clock = None if by_clock is None else _on_its_days(by_clock, line, acts, looked)
    if sun is None:
        return clock
    best = clock
    for event in ("sunset", "sunrise"):
        drift = sun.minutes(event, days.numbers)
        if np.isnan(drift).any() or float(np.ptp(drift)) < _SUN_DRIFT:
            continue
        line = sun_line(acts, days, sun, event)
        peak = _scan(line, looked)
        if peak is None:
            continue
        candidate = _on_its_days(peak, line, acts, looked)
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


def _scan(line: Line, looked: _Days) -> _Peak | None:
    """Return the window that chance explains least, over all widths and kinds of day."""
    days, day_types = looked.days, looked.day_types
    first = float(days.numbers[0]) * 1440
    count = len(days.numbers)
    position = np.floor((line.minutes - first) / BIN).astype(np.int64) + BINS
    held = np.zeros((count + 2) * BINS, np.float64)
    inside = (position >= 0) & (position < len(held))
    held[position[inside]] = 1.0
    total = np.concatenate([[0.0], np.cumsum(held)])
    chosen = np.array([days.are(name) for name in day_types], np.float64)
    a_day = chosen @ held[BINS:-BINS].reshape(count, BINS).sum(axis=1)
    best: _Peak | None = None
    for width in _WIDTHS:
        # A window belongs to the day on which its middle lies.
        begin = BINS - width // 2
        counts = windows(total, begin, width, count)
        ring = windows(total, begin - RING // 2 * width, (RING + 1) * width, count) - counts
        watched = looked.watched(line.anchor, chosen, width)
        seen = counts > 0 if watched.inside is None else (counts > 0) & watched.inside
        peak = _peak(line.anchor, seen.astype(np.float64), ring, chosen, a_day, day_types, width, watched)
        if peak is not None and (best is None or peak.score > best.score):
            best = peak
    return best


def _peak(
    anchor: str,
    covered: Float64,
    ring: Float64,
    chosen: Float64,
    a_day: Float64,
    names: tuple[str, ...],
    width: int,
    watched: Watched,
) -> _Peak | None:
    """Return the best window of one width. `chosen` is (kinds of day, days), `a_day` acts for each kind."""
    minutes = float(width * BIN)
    kept = chosen @ covered
    of = np.broadcast_to(watched.of, kept.shape)
    share = kept / np.maximum(of, 1.0)
    good = (share >= LEAST_KEPT) & (kept >= _LEAST_DAYS) & (of >= _LEAST_DAYS)
    good &= of >= LEAST_DUE * chosen.sum(axis=1, keepdims=True)
    if anchor != "midnight":
        good &= np.abs(np.arange(BINS) * BIN - 720) <= _SUN_REACH
    if not good.any():
        return None
    rate = np.maximum((chosen @ ring) / watched.around, a_day[:, None] / watched.awake)
    chance = 1.0 - np.exp(-rate * minutes)
    weekly = np.array([name in WEEKLY for name in names])[:, None]
    # A Tuesday habit has to stand out from the other days, not only from the hour.
    elsewhere = ((1.0 - chosen) @ covered) / np.maximum(watched.elsewhere, 1.0)
    chance = np.where(weekly, np.maximum(chance, elsewhere), chance)
    inside_rate = -np.log(np.clip(1.0 - share, 0.5 / np.maximum(of, 1.0), 1.0))
    good &= inside_rate >= _LEAST_RATIO * -np.log1p(-np.minimum(chance, 1 - 1e-9))
    if not good.any():
        return None
    score = np.where(good, tail_bound(kept, of, chance), -np.inf)
    score -= weekly * np.log(len(DAY_TYPES))
    kind, start = divmod(int(np.argmax(score)), BINS)
    return _Peak(
        float(score[kind, start]), names[kind], start * BIN, minutes, float(chance[kind, start]),
        int(kept[kind, start]), int(of[kind, start]),
    )  # fmt: skip


def _refine(peak: _Peak, line: Line, acts: Int64, looked: _Days) -> Found | None:
    """Find the moment itself: the median of the acts nearest it, one a day, from a first guess inwards."""
    center = float(peak.start)

    def due() -> Int64:
        when = When(line.anchor, rounded(center, line.anchor), peak.day_type)
        return looked.due(when, peopled=looked.peopled)

    reach = max(peak.width / 2.0, _CLOSE)
    residuals, rows = residuals_of(line, due(), center, reach)
    for _ in range(3):
        if len(residuals) < _LEAST_DAYS:
            return None
        center = (center + float(np.median(residuals))) % 1440
        residuals, rows = residuals_of(line, due(), center, reach)
    numbers = due()
    _, wide = residuals_of(line, numbers, center, float(OWN_MINUTES), nearest=False)
    tail = binomial_tail(peak.kept, peak.of, peak.expected)
    p_value = min(1.0, tail * TRIALS_A_WINDOW * 1440.0 / peak.width)
    return Found(
        When(line.anchor, rounded(center, line.anchor), peak.day_type), center, len(residuals), len(numbers),
        p_value, peak.expected, residuals, acts[np.union1d(rows, wide)], peak.width, looked.peopled,
    )  # fmt: skip


def _on_its_days(peak: _Peak, line: Line, acts: Int64, looked: _Days) -> Found | None:
    """Refine a peak, and say on which kind of day it is.

    The scan may prefer another window for each kind of day: one that fits the workdays' acts leaves out the
    weekend's by minutes. Once the moment is known, the kinds are compared at that moment: the one is taken
    that makes it likeliest where it is kept and where it isn't (the same bound as in the scan), what people
    say of their routines considered. Days on which nobody was home then tell nothing: who is out at work
    leaves undone on workdays what is done whenever somebody is in.
    """
    found = _refine(peak, line, acts, looked)
    if found is None or peak.day_type in WEEKLY:
        return found
    reach = max(peak.width / 2.0, _CLOSE)
    chance = np.array([1.0 - (1.0 - peak.expected) ** (2.0 * reach / peak.width)])
    best, name = -np.inf, peak.day_type
    for other in looked.day_types:
        numbers = looked.due(replace(found.when, day_type=other), peopled=True)
        kept = len(residuals_of(line, numbers, found.center, reach)[1])
        if len(numbers) < _LEAST_DAYS or kept < LEAST_KEPT * len(numbers):
            continue
        if other != peak.day_type and len(numbers) < LEAST_DUE * len(looked.days.of_type(other)):
            # Who is out on all workdays keeps it on weekends, not daily: that would be refused.
            continue
        score = float(tail_bound(np.array([float(kept)]), np.array([float(len(numbers))]), chance)[0])
        score += _PRIOR.get(other, 0.0)
        if score > best:
            best, name = score, other
    if name == peak.day_type:
        return found
    again = _refine(replace(peak, day_type=name, start=round(found.center)), line, acts, looked)
    return found if again is None else replace(again, p_value=found.p_value)


def refit(found: Found, acts: Int64, days: Days, sun: SunTimes | None, home: Occupied | None) -> Found:
    """Return the same habit with its moment and counts from other acts and days; if few, unchanged."""
    anchor = found.when.anchor
    if anchor == "midnight":
        line = clock_line(acts, days)
    elif sun is not None:
        line = sun_line(acts, days, sun, anchor)
    else:
        return found
    peak = _Peak(0.0, found.when.day_type, round(found.center), 2 * OWN_MINUTES, found.expected)
    again = _refine(peak, line, acts, _Days(days, sun, home=home, peopled=found.peopled))
    return found if again is None else replace(again, p_value=found.p_value, width=found.width)
