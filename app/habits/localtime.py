"""Local days and minutes of the day for whole columns of instants, right across clock changes."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from app.events import Int64

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MINUTE_MS = 60_000
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class LocalTime:
    """A zone's offsets over a span: `starts` (UTC ms) and the `offsets` (ms) that hold from there on."""

    zone: ZoneInfo
    starts: Int64
    offsets: Int64

    @classmethod
    def over(cls, zone: ZoneInfo, first: int, last: int) -> Self:
        """Prepare for instants from `first` to `last` (UTC ms); a week is added on either side."""
        begin = first // HOUR_MS * HOUR_MS - 7 * DAY_MS
        hours = np.arange(begin, last + 7 * DAY_MS, 6 * HOUR_MS, dtype=np.int64)
        coarse = [_offset(zone, int(hour)) for hour in hours]
        starts, offsets = [begin], [coarse[0]]
        for i in range(1, len(hours)):
            if coarse[i] == coarse[i - 1]:
                continue
            low, high = int(hours[i - 1]), int(hours[i])
            while high - low > MINUTE_MS:
                middle = (low + high) // 2 // MINUTE_MS * MINUTE_MS
                low, high = (middle, high) if _offset(zone, middle) == coarse[i - 1] else (low, middle)
            starts.append(high)
            offsets.append(coarse[i])
        return cls(zone, np.array(starts, np.int64), np.array(offsets, np.int64))

    def local(self, at: Int64) -> Int64:
        """Return wall-clock milliseconds: days since 1970 are `// DAY_MS`, time of day is `% DAY_MS`."""
        return np.asarray(at + self._offset_at(at), np.int64)

    def days(self, at: Int64) -> Int64:
        """Return local days since 1970-01-01."""
        return self.local(at) // DAY_MS

    def minutes(self, at: Int64) -> Float64:
        """Return local minutes since midnight, with fractions."""
        return self.days_and_minutes(at)[1]

    def days_and_minutes(self, at: Int64) -> tuple[Int64, Float64]:
        """Return local days since 1970-01-01, and local minutes since midnight with fractions."""
        days, rest = np.divmod(self.local(at), DAY_MS)
        return days, np.asarray(rest / MINUTE_MS, np.float64)

    def instants(self, days: Int64, minutes: Float64 | float) -> Int64:
        """Return when (UTC ms) the wall clock shows those minutes on those days.

        A time that the clock skips in spring is what the clock shows an hour later; one that it shows twice
        in autumn is the first of the two, as Home Assistant's time trigger has it.
        """
        wall = np.asarray(days * DAY_MS + np.round(np.asarray(minutes) * MINUTE_MS), np.int64)
        before = self.offsets[np.maximum(self.starts.searchsorted(wall - 14 * HOUR_MS, "right") - 1, 0)]
        guess = wall - before
        return np.asarray(np.where(self.local(guess) == wall, guess, wall - self._offset_at(guess)), np.int64)

    def _offset_at(self, at: Int64) -> Int64:
        if len(self.starts) == 1:
            # Most spans see no change of the clock, and all is asked here ten thousand times.
            return self.offsets
        where = np.maximum(self.starts.searchsorted(at, "right") - 1, 0)
        return np.asarray(self.offsets[where], np.int64)

    def text(self, at: int) -> str:
        """Return an instant as local ISO time with its offset, to the second."""
        return datetime.fromtimestamp(at / 1000, UTC).astimezone(self.zone).isoformat(timespec="seconds")


def day_of(number: int) -> date:
    """Return the date of a count of days since 1970."""
    return _EPOCH + timedelta(days=number)


def weekdays(days: Int64) -> Int64:
    """Return 0 (Monday) to 6 (Sunday) of counts of days since 1970, a Thursday."""
    return (days + 3) % 7


def _offset(zone: ZoneInfo, at: int) -> int:
    offset = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).utcoffset() or timedelta()
    return round(offset.total_seconds() * 1000)
