"""The score before a score, and whether the two can be compared: pure."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from app.insights.enough import percent
from app.insights.insight import Insight

PREVIOUS_WITHIN: Final = timedelta(days=7)
"""A score that is older than this is not called the one before."""
_AS_MUCH_READ: Final = 0.1
_ROUNDING: Final = 1e-9
"""Shares are sums of fractions kept as floats: a tenth is a tenth."""


@dataclass(frozen=True, slots=True)
class Previous:
    """The newest score of an earlier day, of a day that was read enough and afresh.

    `why_not` is "" where the two can be compared, else why they cannot, in words within a sentence.
    """

    score: int
    confidence: float
    day: date
    why_not: str = ""

    @property
    def comparable(self) -> bool:
        return not self.why_not


def as_much_read(one: float, other: float) -> bool:
    """Whether two confidences are about the same: a score that fell because more was read did not fall."""
    return abs(one - other) <= _AS_MUCH_READ + _ROUNDING


def previous_of(insight: Insight, earlier: Insight, *, same_rules: bool) -> Previous | None:
    """Hold an insight against one of an earlier day; None where that had no score to hold it against.

    `same_rules`: the scorecard was not changed between them.
    """
    if earlier.known_score is None or earlier.stale_since is not None:
        return None
    return Previous(
        earlier.known_score,
        earlier.confidence,
        earlier.day,
        _why_not(insight, earlier, same_rules=same_rules),
    )


def _why_not(insight: Insight, earlier: Insight, *, same_rules: bool) -> str:
    if not insight.sufficient:
        return "too little is known of this one"
    if insight.stale_since is not None:
        return "this one rests on earlier readings"
    if not same_rules:
        return "the scorecard was changed since"
    if not as_much_read(insight.confidence, earlier.confidence):
        return f"that one rests on {percent(earlier.confidence)}, this one on {percent(insight.confidence)}"
    return ""
