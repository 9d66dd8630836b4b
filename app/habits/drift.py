"""Clock habits whose moment moves: the lamp that is turned on a little later every week.

A straight line through the days is tried, robustly (Theil 1950, Sen 1968). It is taken only if the moment
moved by twenty minutes or more and following it keeps clearly more days. On the days to be judged people are
followed, not the line: each day's moment comes from the last days before, as each night would find it.
"""

from dataclasses import dataclass

import numpy as np

from app.events import Int64
from app.habits.clock_habits import BIN, OWN_MINUTES, Found
from app.habits.days import Days
from app.habits.evidence import spread
from app.habits.localtime import MINUTE_MS, Float64
from app.habits.replay import Played, play_clock
from app.habits.targets import Target

_LEAST_MOVED = 20.0
_LEAST_DAYS = 12
_REACH = 75.0
_NEAR = 15.0
_KEEPS_MORE = 1.15
_LAST = 9
"""Days whose median is the moment of the next."""


@dataclass(frozen=True, slots=True, eq=False)
class Moving:
    """A moment that moved by `moved` minutes over the span. `due` (ms) is when it was due, each day as known
    before it from `cut` on; `minutes` is the moment now.
    """

    moved: float
    minutes: int
    spread: float
    due: Int64
    own: Int64

    def played(self, target: Target, days: Days, reach_ms: int) -> Played:
        due = self.due[days.watched(self.due)]
        return play_clock(due, target, target.acts[days.watched(target.acts)], reach_ms)


def moving(found: Found, acts: Int64, days: Days, cut: int) -> Moving | None:
    """Return how the moment of a clock habit moved, or None if it did not. It is learnt up to `cut` (ms)."""
    if found.when.anchor != "midnight":
        return None
    numbers = days.of_type(found.when.day_type)
    minutes = np.asarray(days.local.local(acts) / MINUTE_MS, np.float64)
    first, last = _ends(numbers, days, cut)
    early = numbers[(numbers >= first) & (numbers < last)]
    if len(early) < _LEAST_DAYS:
        return None
    still = np.full(len(early), found.center)
    day, at = _nearest(minutes, early, still, _REACH)
    if len(day) < _LEAST_DAYS:
        return None
    slope, base = _line(day, at)
    for _ in range(2):
        day, at = _nearest(minutes, early, base + slope * early.astype(np.float64), 2 * OWN_MINUTES)
        if len(day) < _LEAST_DAYS:
            return None
        slope, base = _line(day, at)
    line: Float64 = base + slope * early.astype(np.float64)
    span_moved = slope * float(numbers[-1] - numbers[0])
    follows = len(_nearest(minutes, early, line, _NEAR)[0])
    stays = len(_nearest(minutes, early, np.full(len(early), float(np.median(at))), _NEAR)[0])
    if abs(span_moved) < _LEAST_MOVED or follows < _KEEPS_MORE * stays:
        return None
    return _followed(minutes, acts, days, numbers, early, line)


def _ends(numbers: Int64, days: Days, cut: int) -> tuple[int, int]:
    first = int(numbers[0]) if len(numbers) else 0
    return first, int(days.local.days(np.array([cut], np.int64))[0])


def _line(day: Int64, at: Float64) -> tuple[float, float]:
    """Return slope (minutes a day) and base of the line with the median slope of all pairs of days."""
    left, right = np.triu_indices(len(day), 1)
    slope = float(np.median((at[right] - at[left]) / (day[right] - day[left])))
    return slope, float(np.median(at - slope * day))


def _nearest(minutes: Float64, numbers: Int64, centers: Float64, reach: float) -> tuple[Int64, Float64]:
    """Return on which days an act lies within `reach` of that day's moment, and the nearest one's minute."""
    wall = numbers * 1440.0 + centers
    ordered = np.sort(minutes)
    if not len(ordered):
        return np.empty(0, np.int64), np.empty(0)
    where = np.searchsorted(ordered, wall)
    before, after = ordered[np.maximum(where - 1, 0)], ordered[np.minimum(where, len(ordered) - 1)]
    nearest = np.where(np.abs(before - wall) <= np.abs(after - wall), before, after)
    near = np.abs(nearest - wall) <= reach
    return numbers[near], nearest[near] - numbers[near] * 1440.0


def _followed(
    minutes: Float64, acts: Int64, days: Days, numbers: Int64, early: Int64, line: Float64
) -> Moving:
    """Follow people day by day after the days that the line was learnt on."""
    track = dict(zip(early.tolist(), line.tolist(), strict=True))
    day, at = _nearest(minutes, early, line, float(OWN_MINUTES))
    recent = at[-_LAST:].tolist()
    slope = (line[-1] - line[0]) / max(float(early[-1] - early[0]), 1.0)
    for number in numbers[numbers > early[-1]].tolist():
        # The median of the last days is as old as their middle: it is carried on to today.
        center = float(np.median(recent)) + slope * (len(recent) + 1) / 2
        track[number] = center
        _, seen = _nearest(minutes, np.array([number], np.int64), np.array([center]), float(OWN_MINUTES))
        recent = [*recent, *seen.tolist()][-_LAST:]
    centers = np.array([track[number] for number in numbers.tolist()])
    day, at = _nearest(minutes, numbers, centers, float(OWN_MINUTES))
    away = at - centers[np.searchsorted(numbers, day)]
    due = days.local.instants(numbers, np.round(centers / BIN) * BIN)
    own = np.abs(acts[:, None] - due[None, :]).min(axis=1) <= OWN_MINUTES * MINUTE_MS
    return Moving(
        moved=float(centers[-1] - centers[0]),
        minutes=round(centers[-1] / BIN) * BIN % 1440,
        spread=spread(away),
        due=due[days.watched(due)],
        own=acts[own],
    )
