"""Which local days were observed at all: silence counts against a habit only on those.

A day without a living source (downtime), and a run of days on which next to nothing moved (a vacation), say
nothing about a habit.
"""

from dataclasses import dataclass, replace

import numpy as np

from app.events import Events, Int64
from app.habits.localtime import DAY_MS, HOUR_MS, Bool, LocalTime, weekdays
from app.habits.timeline import Timeline

DAY_TYPES: dict[str, tuple[int, ...]] = {
    "daily": (0, 1, 2, 3, 4, 5, 6),
    "workdays": (0, 1, 2, 3, 4),
    "weekends": (5, 6),
    "mondays": (0,),
    "tuesdays": (1,),
    "wednesdays": (2,),
    "thursdays": (3,),
    "fridays": (4,),
    "saturdays": (5,),
    "sundays": (6,),
}
WEEKLY = tuple(name for name, days in DAY_TYPES.items() if len(days) == 1)
_QUIET_SHARE = 0.15
_SHORTEST_VACATION = 2
_OBSERVED_SHARE = 0.75
_AT_ONCE = 100_000
"""Instants turned into days in one go: that takes several times their memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """The span's local days: `numbers` (since 1970, no gaps) and whether each was `observed`.

    `gaps` are spans (ms) without any event that are too long to be a quiet house.
    """

    local: LocalTime
    first: int
    last: int
    numbers: Int64
    observed: Bool
    gaps: tuple[tuple[int, int], ...]

    def of_type(self, day_type: str) -> Int64:
        """Return the observed days of that type."""
        return self.numbers[self.are(day_type)]

    def are(self, day_type: str) -> Bool:
        """Return which days are observed ones of that type."""
        return self.observed & is_type(weekdays(self.numbers), day_type)

    def watched(self, at: Int64) -> Bool:
        """Return which instants fall on observed days, inside the span and outside gaps."""
        index = self.local.days(at) - self.numbers[0] if len(self.numbers) else at
        inside = (at >= self.first) & (at <= self.last) & (index >= 0) & (index < len(self.numbers))
        inside[inside] = self.observed[index[inside]]
        for start, end in self.gaps:
            inside &= ~((at > start) & (at < end))
        return inside

    def part(self, start: int, end: int) -> "Days":
        """Return the same days with only those from `start` to before `end` (ms, midnights) observed."""
        midnights = self.local.instants(self.numbers, 0.0)
        inside = (midnights >= start) & (midnights < end)
        return replace(
            self,
            first=max(self.first, start),
            last=min(self.last, end),
            observed=self.observed & inside,
        )

    @property
    def count(self) -> int:
        return int(self.observed.sum())

    def split(self, share: float) -> int:
        """Return the instant (ms) before which that share of the observed days lies."""
        seen = self.numbers[self.observed]
        if not len(seen):
            return self.last
        day = seen[min(len(seen) - 1, int(np.ceil(share * len(seen))))]
        return int(self.local.instants(np.array([day], np.int64), 0.0)[0])


def is_type(weekday: Int64, day_type: str) -> Bool:
    """Return which weekdays (0 is Monday) are of that type."""
    kinds = np.zeros(7, np.bool_)
    kinds[list(DAY_TYPES[day_type])] = True
    return kinds[weekday]


def observe(events: Events, timeline: Timeline, local: LocalTime, until: int) -> Days:
    """Find the observed days between the first event and the last (or `until`, if earlier)."""
    if not len(events):
        return Days(local, 0, 0, np.empty(0, np.int64), np.empty(0, np.bool_), ())
    first, last = int(events.at[0]), min(int(events.at[-1]), until)
    begin, end = local.days(np.array([first, last], np.int64)).tolist()
    numbers = np.arange(begin, end + 1, dtype=np.int64)
    gaps = _gaps(events.at, local, numbers)
    observed = _covered_share(numbers, local, first, last, gaps) >= _OBSERVED_SHARE
    observed &= ~_vacation(timeline, local, numbers, observed)
    return Days(local, first, last, numbers, observed, gaps)


def _gaps(at: Int64, local: LocalTime, numbers: Int64) -> tuple[tuple[int, int], ...]:
    """Return silences far longer than this source's usual longest of a day: a sleeping flat is silent too."""
    between = np.diff(at)
    if not len(between):
        return ()
    longest = np.zeros(len(numbers), np.int64)
    for start in range(0, len(between), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        day = local.days(at[1:][part]) - numbers[0]
        inside = (day >= 0) & (day < len(numbers))
        np.maximum.at(longest, day[inside], between[part][inside])
    usual = float(np.median(longest[longest > 0])) if (longest > 0).any() else 0.0
    limit = max(2.0 * HOUR_MS, 3.0 * usual)
    rows = np.flatnonzero(between > limit)
    return tuple((int(at[row]), int(at[row + 1])) for row in rows)


def _covered_share(
    numbers: Int64, local: LocalTime, first: int, last: int, gaps: tuple[tuple[int, int], ...]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    starts = local.instants(numbers, 0.0)
    ends = local.instants(numbers + 1, 0.0)
    covered = np.clip(np.minimum(ends, last) - np.maximum(starts, first), 0, None).astype(np.float64)
    for begin, end in gaps:
        covered -= np.clip(np.minimum(ends, end) - np.maximum(starts, begin), 0, None)
    return np.asarray(covered / np.maximum(ends - starts, 1), np.float64)


def _vacation(timeline: Timeline, local: LocalTime, numbers: Int64, observed: Bool) -> Bool:
    """Return the days in runs of two or more on which far less moved than usual on that kind of day.

    Compared with the same kind of day, so that an office's weekend isn't taken for a vacation.
    """
    day = local.days(timeline.at[timeline.real]) - numbers[0]
    inside = (day >= 0) & (day < len(numbers))
    moved = np.bincount(day[inside], minlength=len(numbers))[: len(numbers)]
    quiet = np.zeros(len(numbers), np.bool_)
    weekend = weekdays(numbers) >= 5
    for kind in (weekend, ~weekend):
        seen = moved[kind & observed]
        usual = float(np.median(seen)) if len(seen) else 0.0
        if usual >= 10:
            quiet |= kind & (moved < _QUIET_SHARE * usual)
    away = np.zeros(len(numbers), np.bool_)
    run = 0
    for i, still in enumerate([*quiet.tolist(), False]):
        if still:
            run += 1
            continue
        if run >= _SHORTEST_VACATION:
            away[i - run : i] = True
        run = 0
    return away


def span_days(first: int, last: int) -> float:
    """Return the length of a span in days."""
    return (last - first) / DAY_MS
