"""A home's local days and hours as instants (ms since 1970 UTC); where the clock changes, a day
has 23 or 25.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from app.clock import from_ms, to_ms
from app.events import Int64

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY: Final = timedelta(days=1)
DAY_MS: Final = 24 * HOUR_MS


def starts_at(day: date, zone: ZoneInfo) -> int:
    """Return when the local day begins; where the clock skips midnight, the instant it does."""
    return to_ms(datetime.combine(day, time.min, zone))


def day_of(at: int, zone: ZoneInfo) -> date:
    """Return the local day of an instant."""
    return from_ms(at).astimezone(zone).date()


def days_between(first: date, last: date) -> Iterator[date]:
    """Yield the days from `first` to `last`, both included."""
    for number in range((last - first).days + 1):
        yield first + number * DAY


def hour_of(at: int, zone: ZoneInfo) -> int:
    """Return when the local hour of an instant begins: where the offset is no whole hour, not with UTC's."""
    return at - (at + _offset(at, zone)) % HOUR_MS


def hours_of(at: Int64, zone: ZoneInfo) -> Int64:
    """Return when the local hour of each instant begins."""
    # The offset changes with UTC's quarters of an hour, so it is asked for once in each that there is.
    quarters, which = np.unique(at // (15 * MINUTE_MS), return_inverse=True)
    offsets = np.array([_offset(int(quarter) * 15 * MINUTE_MS, zone) for quarter in quarters], np.int64)
    hours: Int64 = at - (at + offsets[which]) % HOUR_MS if len(at) else at
    return hours


def minute_of(at: int) -> int:
    """Return when the minute of an instant begins."""
    return at - at % MINUTE_MS


def _offset(at: int, zone: ZoneInfo) -> int:
    offset = from_ms(at).astimezone(zone).utcoffset()
    return round(offset.total_seconds() * 1000) if offset is not None else 0
