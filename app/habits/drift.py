"""Clock habits whose moment moves: the lamp that is turned on a little later every week.

A straight line through the days is tried, robustly (Theil 1950, Sen 1968). It is taken only if the moment
moved by twenty minutes or more and the line says clearly better than any fixed moment (or than the sun) when
people did it. On the days to be judged people are followed, not the line: each day's moment comes from the
days before, as each night would find it.
"""

from dataclasses import dataclass
from math import log

import numpy as np

from app.events import Int64
from app.habits.clock_habits import Found
from app.habits.days import Days
from app.habits.evidence import binomial_tail, median_slope, spread
from app.habits.lines import BIN, OWN_MINUTES
from app.habits.localtime import MINUTE_MS, Float64
from app.habits.replay import Played, play_clock
from app.habits.sun import SunTimes
from app.habits.surroundings import Surroundings
from app.habits.targets import Target

_LEAST_MOVED = 20.0
_LEAST_DAYS = 12
_LEAST_FIRST = 5
_REACH = 75.0
_NEAR = 15.0
_CLEARLY = 3.0
"""Natural logarithm of how much likelier the line has to make what people did: twenty times."""
_LEAST_OFF = 1.0
_LAST = 9
"""Days whose median is the level of the next."""
_SLOPE_DAYS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Moving:
    """A moment that moved by `moved` minutes over the span. `due` (ms) is when it was due, each day as known
    before it from the cut on; `minutes` is the moment now. `p_first`: how likely chance alone keeps as many
    of the days before the cut.
    """

    day_type: str
    moved: float
    minutes: int
    spread: float
    due: Int64
    own: Int64
    p_first: float

    def played(self, target: Target, days: Days, reach_ms: int) -> Played:
        due = self.due[days.watched(self.due)]
        return play_clock(due, target, target.acts[days.watched(target.acts)], reach_ms)


def moving(found: Found, acts: Int64, days: Days, cut: int, around: Surroundings) -> Moving | None:
    """Return how the moment of a clock habit moved, or None if it did not, or the sun says it as well.

    That it moves at all is asked of all days; when it is due from `cut` (ms) on, of the days before each.
    """
    minutes = np.sort(np.asarray(days.local.local(acts) / MINUTE_MS, np.float64))
    numbers = days.of_type(found.when.day_type)
    centers = _centers(found, numbers, around.sun)
    if found.peopled and (home := around.someone_home(days.local.instants(numbers, centers))) is not None:
        numbers, centers = numbers[home], centers[home]
    fitted = _fitted(minutes, numbers, centers)
    if fitted is None:
        return None
    slope, base = fitted
    line: Float64 = base + slope * numbers.astype(np.float64)
    if abs(float(line[-1] - line[0])) < _LEAST_MOVED:
        return None
    _, at = _nearest(minutes, numbers, line, 2.0 * OWN_MINUTES)
    off = _off(minutes, numbers, line)
    rivals = [np.full(len(numbers), float(np.median(at))), centers]
    if not all(_clearer(off, _off(minutes, numbers, rival)) for rival in rivals):
        return None
    return _followed(minutes, acts, days, found, numbers, centers, cut)


def _centers(found: Found, numbers: Int64, sun: SunTimes | None) -> Float64:
    """Return the local minutes at which the habit, as found, is due on each day."""
    if sun is None or found.when.anchor == "midnight":
        return np.full(len(numbers), found.center)
    return sun.minutes(found.when.anchor, numbers) + found.center - 720.0


def _fitted(minutes: Float64, numbers: Int64, centers: Float64) -> tuple[float, float] | None:
    """Return slope and base of the line through each day's act, from the moments as found inwards."""
    reach = _REACH
    fitted: tuple[float, float] | None = None
    for _ in range(3):
        day, at = _nearest(minutes, numbers, centers, reach)
        if len(day) < _LEAST_DAYS:
            return None
        fitted = slope, base = _line(day, at)
        centers, reach = base + slope * numbers.astype(np.float64), 2.0 * OWN_MINUTES
    return fitted


def _off(minutes: Float64, numbers: Int64, centers: Float64) -> Float64:
    """Return how far (minutes) each day's nearest act was from its moment; at most half an hour."""
    off = np.full(len(numbers), float(OWN_MINUTES))
    day, at = _nearest(minutes, numbers, centers, float(OWN_MINUTES))
    where = np.searchsorted(numbers, day)
    off[where] = np.abs(at - centers[where])
    return off


def _clearer(line: Float64, other: Float64) -> bool:
    """Return whether a line, which has one number more, makes the acts clearly likelier (Laplace errors).

    The number costs half the logarithm of the days (Schwarz 1978).
    """
    kept = np.minimum(line, other) < OWN_MINUTES
    count = int(kept.sum())
    if count < _LEAST_DAYS:
        return False
    ratio = max(float(other[kept].mean()), _LEAST_OFF) / max(float(line[kept].mean()), _LEAST_OFF)
    return count * log(ratio) >= _CLEARLY + 0.5 * log(count)


def _line(day: Int64, at: Float64) -> tuple[float, float]:
    """Return slope (minutes a day) and base of the line with the median slope of all pairs of days."""
    slope = median_slope(day, at)
    return slope, float(np.median(at - slope * day))


def _nearest(ordered: Float64, numbers: Int64, centers: Float64, reach: float) -> tuple[Int64, Float64]:
    """Return on which days an act lies within `reach` of that day's moment, and the nearest one's minute."""
    wall = numbers * 1440.0 + centers
    if not len(ordered):
        return np.empty(0, np.int64), np.empty(0)
    where = np.searchsorted(ordered, wall)
    before, after = ordered[np.maximum(where - 1, 0)], ordered[np.minimum(where, len(ordered) - 1)]
    nearest = np.where(np.abs(before - wall) <= np.abs(after - wall), before, after)
    near = np.abs(nearest - wall) <= reach
    return numbers[near], nearest[near] - numbers[near] * 1440.0


def _followed(
    minutes: Float64, acts: Int64, days: Days, found: Found, numbers: Int64, centers: Float64, cut: int
) -> Moving | None:
    """Follow people day by day after the days before the cut."""
    early = numbers[numbers < int(days.local.days(np.array([cut], np.int64))[0])]
    day, at = _nearest(minutes, early, centers[: len(early)], _REACH)
    if len(day) < _LEAST_FIRST:
        return None
    slope, base = _line(day, at)
    day, at = _nearest(minutes, early, base + slope * early.astype(np.float64), 2.0 * OWN_MINUTES)
    if len(day) < _LEAST_FIRST:
        return None
    slope, base = _line(day, at)
    known = list(zip(day.tolist(), at.tolist(), strict=True))
    track = (base + slope * early.astype(np.float64)).tolist()
    for number in numbers[len(early) :].tolist():
        center = _expected(known, number)
        track.append(center)
        here, seen = _nearest(minutes, np.array([number], np.int64), np.array([center]), 2.0 * OWN_MINUTES)
        known += zip(here.tolist(), seen.tolist(), strict=True)
    centers = np.array(track, np.float64)
    day, at = _nearest(minutes, numbers, centers, float(OWN_MINUTES))
    due = days.local.instants(numbers, np.round(centers / BIN) * BIN)
    own = np.abs(acts[:, None] - due[None, :]).min(axis=1) <= OWN_MINUTES * MINUTE_MS
    now = _expected(known, int(numbers[-1]))
    near = int((_off(minutes, early, centers[: len(early)]) <= _NEAR).sum())
    chance = 1.0 - (1.0 - found.expected) ** (2.0 * _NEAR / found.width)
    return Moving(
        day_type=found.when.day_type,
        moved=now - float(centers[0]),
        minutes=round(now / BIN) * BIN % 1440,
        spread=spread(at - centers[np.searchsorted(numbers, day)]),
        due=due[days.watched(due)],
        own=acts[own],
        p_first=binomial_tail(near, len(early), chance),
    )


def _expected(known: list[tuple[int, float]], number: int) -> float:
    """Return the moment to expect on a day: the level of the last days, carried on to it."""
    day = np.array([one for one, _ in known[-_SLOPE_DAYS:]], np.int64)
    at = np.array([one for _, one in known[-_SLOPE_DAYS:]])
    slope, _ = _line(day, at)
    return float(np.median(at[-_LAST:] + slope * (number - day[-_LAST:])))
