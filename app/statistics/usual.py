"""What a day usually uses: the band that most days of its kind lay in. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import numpy as np

from app.statistics.localdays import DAY

WEEKS: Final = 6
LEAST_DAYS: Final = 6
"""Of fewer days of a kind nothing is called usual: three weekends, or a week and a day."""
_LOW, _USUAL, _HIGH = 0.1, 0.5, 0.9


def usual_band(day: date, known: Mapping[date, float]) -> tuple[float, float, float] | None:
    """Return low, usual and high of such days (Monday to Friday, or the weekend) in the six weeks before.

    Low and high leave out a tenth of the days on either side, usual is the median (quantiles, linear between
    two days); None when fewer than six such days are known.
    """
    same = [
        known[before]
        for before in (day - number * DAY for number in range(1, 7 * WEEKS + 1))
        if before in known and is_weekend(before) == is_weekend(day)
    ]
    if len(same) < LEAST_DAYS:
        return None
    low, usual, high = np.quantile(same, [_LOW, _USUAL, _HIGH])
    return float(low), float(usual), float(high)


def is_weekend(day: date) -> bool:
    return day.weekday() >= 5
