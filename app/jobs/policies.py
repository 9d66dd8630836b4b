"""How a job behaves when things do not go as planned. Each value's docstring is its manual."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from random import Random

_NOTHING = timedelta()
_RATE = re.compile(r"(\d{1,4})/(second|minute|hour|day)")
_PER = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}


class Scope(StrEnum):
    """For whom a job runs."""

    ONCE = "once"
    """Once for all homes, in the first home's zone."""
    HOME = "home"
    """Once for each home, in that home's zone; one home's run knows nothing of another's."""
    PERSON = "person"
    """Once for each home and instant, for the people whose own zone the schedule comes round in."""


class Overlap(StrEnum):
    """What happens when the schedule comes round while the job still runs for the same home."""

    SKIP = "skip"
    """It is recorded as skipped, with the run that was in its way."""
    QUEUE = "queue"
    """It waits, `pending`, and starts when the run before it ends. One waits at most; others are skipped."""
    REPLACE = "replace"
    """The run that still goes on is cut off, and the new one starts."""


class CatchUp(StrEnum):
    """What happens to runs that were due while nothing ran here, later than their grace."""

    SKIP = "skip"
    """They are recorded as skipped: the work is only worth doing at its hour."""
    ONCE = "once"
    """The newest of them is run once, the others are recorded as skipped."""
    ALL = "all"
    """Each of them is run, the oldest first, one after another; those beyond the window are skipped.

    What failed in one, a single subject too, is tried again before the next, until it works or is given up.
    """


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before the next try: exponential, with full jitter unless told otherwise.

    The wait before try number n + 1 is drawn from 0 to min(cap, base * 2 ** (n - 1)); without jitter it is
    that upper end (Brooker, "Exponential Backoff And Jitter", 2015).
    """

    base: timedelta = timedelta(minutes=5)
    cap: timedelta = timedelta(hours=2)
    jitter: bool = True

    def __post_init__(self) -> None:
        if not _NOTHING < self.base <= self.cap:
            raise ValueError("a backoff's base is more than nothing and at most its cap")

    def wait(self, failures: int, chance: Random) -> timedelta:
        """Return how long to wait after the `failures`-th failure in a row (1 and up)."""
        longest = min(self.cap, self.base * (1 << min(max(failures - 1, 0), 20)))
        return longest * chance.random() if self.jitter else longest


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `runs` starts in any stretch of `per`, whoever starts them; second tries count too."""

    runs: int
    per: timedelta

    def __post_init__(self) -> None:
        if self.runs < 1 or self.per <= _NOTHING:
            raise ValueError("a rate limit is at least one run in more than no time")

    @classmethod
    def of(cls, text: str) -> "RateLimit":
        """Return the limit that `10/hour` names; the periods are second, minute, hour, day."""
        if (found := _RATE.fullmatch(text)) is None:
            raise ValueError(f"{text!r} is no rate limit: give one such as 10/minute")
        return cls(int(found[1]), _PER[found[2]])
