"""On which days somebody was in to act, for each moment of the day.

Who is out can't keep a habit, and doesn't break one. So the days on which nobody was home at a moment tell
nothing of it, neither for nor against, and how often people act anyway is asked of the time they are in.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from app.events import Int64
from app.habits.days import Days
from app.habits.lines import BIN
from app.habits.localtime import Bool, Float64
from app.habits.sun import SunTimes

BINS = 1440 // BIN
RING = 4
"""The rate around a window is that of twice its width on either side."""
AWAKE_MINUTES = 960.0
_ASLEEP_MINUTES = 480.0
_LEAST_AWAKE = 0.25
_IN_PERSON = 0.95
"""Of a target's acts: if fewer were done with somebody home, it is also done from elsewhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """What was seen of each window of one width: arrays of (kinds of day, windows), or of (kinds of day, 1)
    where they are all alike. `inside` tells which days count for which window (None: all do), `of` is how
    many, `elsewhere` how many of the other days, `around` the minutes watched around the window and `awake`
    those of all waking hours.
    """

    inside: Bool | None
    of: Float64
    elsewhere: Float64
    around: Float64
    awake: Float64


def always_watched(chosen: Float64, width: int) -> Watched:
    """Return what is seen where it doesn't matter who is in. `chosen` is (kinds of day, days)."""
    of = chosen.sum(axis=1, keepdims=True)
    around = np.maximum(of, 1.0) * RING * width * BIN
    return Watched(
        None, of, (1.0 - chosen).sum(axis=1, keepdims=True), around, np.maximum(of, 1.0) * AWAKE_MINUTES
    )


@dataclass(frozen=True, slots=True, eq=False)
class Occupied:
    """When somebody was in. What follows from it for a line of minutes is worked out once for all targets."""

    days: Days
    sun: SunTimes | None
    someone_home: Callable[[Int64], Bool]
    _grids: dict[str, Bool] = field(default_factory=dict)
    _watched: dict[tuple[str, tuple[str, ...], int], Watched] = field(default_factory=dict)

    def in_person(self, acts: Int64) -> bool:
        """Return whether people are in when they do this, as good as always."""
        return bool(len(acts)) and float(self.someone_home(acts).mean()) >= _IN_PERSON

    def grid(self, anchor: str) -> Bool:
        """Return whether somebody was in, as (days, bins) of a line of minutes."""
        if anchor not in self._grids:
            minutes = np.arange(BINS, dtype=np.float64) * BIN
            shift = np.zeros(len(self.days.numbers))
            if anchor != "midnight" and self.sun is not None:
                shift = self.sun.minutes(anchor, self.days.numbers) - 720.0
            at = self.days.local.instants(self.days.numbers[:, None], minutes[None, :] + shift[:, None])
            self._grids[anchor] = self.someone_home(at.ravel()).reshape(at.shape)
        return self._grids[anchor]

    def watched(self, anchor: str, day_types: tuple[str, ...], width: int) -> Watched:
        """Return what was seen of each window of `width` bins with somebody in."""
        key = anchor, day_types, width
        if key not in self._watched:
            home = self.grid(anchor)
            chosen = np.array([self.days.are(name) for name in day_types], np.float64)
            inside = home.astype(np.float64)
            empty = np.zeros((1, BINS))
            total = np.concatenate([[0.0], np.cumsum(np.concatenate([empty, inside, empty]).ravel())])
            begin = BINS - width // 2
            ring = windows(total, begin - RING // 2 * width, (RING + 1) * width, len(home))
            ring -= windows(total, begin, width, len(home))
            days = np.maximum(chosen.sum(axis=1, keepdims=True), 1.0)
            awake = (chosen @ inside).sum(axis=1, keepdims=True) * BIN - _ASLEEP_MINUTES * days
            self._watched[key] = Watched(
                home,
                chosen @ inside,
                (1.0 - chosen) @ inside,
                np.maximum(chosen @ ring * BIN, RING * width * BIN),
                np.maximum(awake, _LEAST_AWAKE * AWAKE_MINUTES * days),
            )
        return self._watched[key]


def windows(total: Float64, begin: int, width: int, count: int) -> Float64:
    """Return how many marked bins each window of `width` bins holds, as (days, windows of the day).

    `total` are running sums of the bins, from a day before the first of `count` days to a day after the last.
    """
    size = count * BINS
    low, high = total[begin : begin + size], total[begin + width : begin + width + size]
    return (high - low).reshape(count, BINS)
