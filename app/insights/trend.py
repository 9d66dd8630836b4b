"""Where a score is going: improving, declining or steady, and only where the days can be compared."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from app.insights.insight import Insight
from app.insights.previous import as_much_read

DAYS: Final = 30
_FEWEST: Final = 7
_LEAST_CHANGE: Final = 3.0
_CLEARLY: Final = 1.96


class Direction(StrEnum):
    """Where it is going; unknown until seven days can be compared."""

    IMPROVING = "improving"
    DECLINING = "declining"
    STEADY = "steady"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Trend:
    """Of the days that can be compared: how many, their mean, the newest less the oldest, and the line.

    `change` is what a straight line through them rises from the first of them to the last, in points.
    """

    direction: Direction
    days: int
    average: float | None = None
    first: int | None = None
    last: int | None = None
    change: float | None = None


def trend(insights: Sequence[Insight], today: date, days: int = DAYS) -> Trend:
    """Return the trend of the last `days` local days up to `today`; the insights are of one scorecard.

    A day is left out when too little of it is known for a score, when its readings were of an earlier day, or
    when it rests on clearly more or less of the weight (over 10 %) than the newest. Where too little is known
    of the newest day, nothing is said. It goes up or down where a Theil-Sen line changes by 3 points or
    more and the Mann-Kendall test (with ties) finds the order of the days too clear for chance, 1 in 20.
    """
    within = [one for one in insights if today - timedelta(days=days) < one.day <= today]
    if not within or not max(within, key=lambda one: one.day).sufficient:
        return Trend(Direction.UNKNOWN, 0)
    recent = sorted(
        (one.day, points, one.confidence)
        for one in within
        if (points := one.known_score) is not None and one.stale_since is None
    )
    alike = [(day, points) for day, points, read in recent if as_much_read(read, recent[-1][2])]
    if not alike:
        return Trend(Direction.UNKNOWN, 0)
    scores = [points for _, points in alike]
    average = statistics.fmean(scores)
    if len(alike) < _FEWEST:
        return Trend(Direction.UNKNOWN, len(alike), average, scores[0], scores[-1])
    change = _slope(alike) * (alike[-1][0] - alike[0][0]).days
    direction = Direction.STEADY
    if abs(change) >= _LEAST_CHANGE and abs(_mann_kendall(scores)) >= _CLEARLY:
        direction = Direction.IMPROVING if change > 0 else Direction.DECLINING
    return Trend(direction, len(alike), average, scores[0], scores[-1], change)


def _slope(points: Sequence[tuple[date, int]]) -> float:
    """Return the median of the slopes between all pairs of days, in points a day (Sen, 1968)."""
    return statistics.median(
        (later[1] - earlier[1]) / (later[0] - earlier[0]).days
        for number, earlier in enumerate(points)
        for later in points[number + 1 :]
    )


def _mann_kendall(scores: Sequence[int]) -> float:
    """Return the test's z, ties and continuity corrected (Kendall, 1975); 0 where all are equal."""
    count = len(scores)
    order = sum(
        (later > earlier) - (later < earlier)
        for number, earlier in enumerate(scores)
        for later in scores[number + 1 :]
    )
    ties = (scores.count(one) for one in set(scores))
    variance = (
        count * (count - 1) * (2 * count + 5) - sum(tie * (tie - 1) * (2 * tie + 5) for tie in ties)
    ) / 18
    if variance <= 0 or order == 0:
        return 0.0
    return (order - math.copysign(1, order)) / math.sqrt(variance)
