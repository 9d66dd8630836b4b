"""The lines of minutes that habits of the clock and the sun lie on, and when such a habit is due."""

from dataclasses import dataclass

import numpy as np

from app.events import Int64
from app.habits.days import Days
from app.habits.habit import When
from app.habits.localtime import DAY_MS, MINUTE_MS, Float64
from app.habits.sun import SunTimes

BIN = 5
OWN_MINUTES = 30
"""Acts this near the moment, on the habit's days, are accounted for by it."""
_LEAST_DAYS = 3
_LATELY = 14
"""Days kept whose median is the moment of the next, as each night knows it."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Acts on a line of minutes: local time, or local time shifted so that the sun's event is at noon."""

    anchor: str
    minutes: Float64


def clock_line(acts: Int64, days: Days) -> Line:
    local = days.local.local(acts)
    return Line("midnight", np.asarray(local / MINUTE_MS, np.float64))


def sun_line(acts: Int64, days: Days, sun: SunTimes, event: str) -> Line:
    """Shift each day so that the sun's event falls on noon: then noon is offset zero."""
    local = days.local.local(acts)
    day = local // DAY_MS
    shift = 720.0 - sun.minutes(event, day)
    return Line(event, np.asarray(local / MINUTE_MS + shift, np.float64))


def residuals_of(
    line: Line, numbers: Int64, center: float, reach: float, *, nearest: bool = True
) -> tuple[Float64, Int64]:
    """Return how far acts lie from the moment on the habit's days, and their rows; each day's nearest."""
    day = np.floor((line.minutes - center + 720.0) / 1440.0).astype(np.int64)
    away = line.minutes - center - day * 1440.0
    rows = np.flatnonzero((np.abs(away) <= reach) & np.isin(day, numbers))
    if nearest and len(rows):
        order = rows[np.lexsort((np.abs(away[rows]), day[rows]))]
        _, first = np.unique(day[order], return_index=True)
        rows = order[first]
    return away[rows], rows.astype(np.int64)


def due_instants(when: When, days: Days, sun: SunTimes | None) -> Int64:
    """Return when (ms) a habit is due on the observed days of its kind, where that moment was watched."""
    due = due_at(when, days, sun)
    return due[days.watched(due)]


def due_at(when: When, days: Days, sun: SunTimes | None) -> Int64:
    """Return when (ms) a habit is due on each observed day of its kind, watched at that moment or not."""
    numbers = days.of_type(when.day_type)
    return _due(when, np.full(len(numbers), float(when.minutes)), days, sun)


def due_as_known(when: When, center: float, acts: Int64, days: Days, sun: SunTimes | None, cut: int) -> Int64:
    """Return when (ms) a habit was due, each day from `cut` (ms) on by the moment as known the night before.

    `when` and `center` (minutes on its line) are the moment as found before the cut; `acts`, `days` are all.
    """
    numbers = days.of_type(when.day_type)
    if when.anchor != "midnight" and sun is None:
        return np.empty(0, np.int64)
    line = clock_line(acts, days) if sun is None or when.anchor == "midnight" else (
        sun_line(acts, days, sun, when.anchor)
    )  # fmt: skip
    away, rows = residuals_of(line, numbers, center, float(OWN_MINUTES))
    day = np.floor((line.minutes[rows] - center + 720.0) / 1440.0).astype(np.int64)
    minutes = np.full(len(numbers), float(when.minutes))
    first = int(np.searchsorted(numbers, days.local.days(np.array([cut], np.int64))[0]))
    before = np.searchsorted(day, numbers)
    for place in range(first, len(numbers)):
        seen = away[max(before[place] - _LATELY, 0) : before[place]]
        if len(seen) >= _LEAST_DAYS:
            known = center + float(np.median(seen))
            minutes[place] = rounded(known, when.anchor)
    due = _due(when, minutes, days, sun)
    return due[days.watched(due)]


def _due(when: When, minutes: Float64, days: Days, sun: SunTimes | None) -> Int64:
    numbers = days.of_type(when.day_type)
    if when.anchor != "midnight":
        if sun is None:
            return np.empty(0, np.int64)
        minutes = sun.minutes(when.anchor, numbers) + minutes
    return days.local.instants(numbers, minutes)


def rounded(center: float, anchor: str) -> int:
    """Return a place on a line of minutes as people say it: in steps of five, after the line's anchor."""
    whole = round(center / BIN) * BIN
    return whole - 720 if anchor != "midnight" else whole % 1440
