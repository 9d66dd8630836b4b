"""Sunrise and sunset as local minutes of each day, and whether it is dark."""

from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from astral import LocationInfo
from astral.sun import sun

from app.events import Int64
from app.habits.localtime import Float64, day_of


@dataclass(frozen=True, slots=True, eq=False)
class SunTimes:
    """Local minutes since midnight of `sunrise` and `sunset` on `days` (since 1970, ascending, no gaps).

    NaN where the sun does not rise or set that day.
    """

    days: Int64
    sunrise: Float64
    sunset: Float64

    def minutes(self, event: str, days: Int64) -> Float64:
        """Return `sunrise` or `sunset` on those days; days outside the span take the nearest one's."""
        column = self.sunrise if event == "sunrise" else self.sunset
        return np.asarray(column[np.clip(days - self.days[0], 0, len(self.days) - 1)], np.float64)


def sun_times(place: tuple[float, float], zone: ZoneInfo, days: Int64) -> SunTimes:
    """Work out the sun for each day, by astral (the library behind Home Assistant's own `sun`)."""
    pairs = [_of_day(place, zone, int(day)) for day in days]
    rise, fall = np.array(pairs, np.float64).T if pairs else (np.empty(0), np.empty(0))
    return SunTimes(days, rise, fall)


@lru_cache(maxsize=2048)
def _of_day(place: tuple[float, float], zone: ZoneInfo, day: int) -> tuple[float, float]:
    where = LocationInfo(latitude=place[0], longitude=place[1])
    try:
        times = sun(where.observer, date=day_of(day), tzinfo=zone)
    except ValueError:
        return float("nan"), float("nan")
    first, second = (times[name] for name in ("sunrise", "sunset"))
    return (
        first.hour * 60 + first.minute + first.second / 60,
        second.hour * 60 + second.minute + second.second / 60,
    )
