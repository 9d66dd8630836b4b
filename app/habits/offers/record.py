"""An automation's weeks, as verdicts judge them. Pure."""

from calendar import month_name
from dataclasses import dataclass, field

import numpy as np

from app.clock import to_ms
from app.events import Int64
from app.habits.localtime import DAY_MS, MINUTE_MS, Bool, day_of
from app.habits.offers.watched import Accepted
from app.habits.surroundings import Surroundings
from app.model import Home

LATE_MS = 10 * MINUTE_MS
EARLY_MS = MINUTE_MS
"""A fire this much after its moment, or before it, belongs to it."""


def _none() -> Int64:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """An automation's weeks, from `since` to `until` (ms): `at` is when it changed something, `undone` which
    of these a person took back, and when. `presses` are people's own acts to the same states, `by_hand`
    those around its moments. `due` is when its moment came, `missed` when nothing came of it; None: it cannot
    be told. `entities` are what it acts on.
    """

    at: Int64 = field(default_factory=_none)
    undone: Bool = field(default_factory=lambda: np.empty(0, np.bool_))
    undone_at: Int64 = field(default_factory=_none)
    entities: frozenset[str] = frozenset()
    since: int = 0
    until: int = 0
    enabled: bool = True
    presses: Int64 = field(default_factory=_none)
    by_hand: Int64 = field(default_factory=_none)
    due: Int64 | None = None
    missed: Int64 | None = None


def nearest_to(values: Int64, moments: Int64) -> Int64:
    """Return the value (of ascending ones) nearest to each moment; far away where there is none."""
    if not len(values):
        return np.full(len(moments), np.int64(1) << 61, np.int64)
    right = values[np.minimum(values.searchsorted(moments), len(values) - 1)]
    left = values[np.maximum(values.searchsorted(moments) - 1, 0)]
    return np.where(np.abs(left - moments) <= np.abs(right - moments), left, right)


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """What a verdict is made of."""

    record: Record
    own: Accepted
    around: Surroundings
    home: Home
    seen: Int64
    """The observed days."""

    @property
    def since(self) -> str:
        """The first day watched, as people say it."""
        day = day_of(int(self.around.days.local.days(np.array([self.record.since], np.int64))[0]))
        return f"{day.day} {month_name[day.month]}"

    @property
    def age(self) -> float:
        return (self.record.until - to_ms(self.own.since)) / DAY_MS

    @property
    def observed(self) -> int:
        return len(self.seen)

    def figures(self, **more: float) -> dict[str, int | float]:
        record = self.record
        known: dict[str, int | float] = {
            "days": self.observed,
            "fired": len(record.at),
            "undone": int(record.undone.sum()),
        }
        known["by_hand"] = len(record.by_hand)
        if record.missed is not None:
            known["missed"] = len(record.missed)
        return {**known, **more}


def times(count: int) -> str:
    """Return how often, as people say it."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
