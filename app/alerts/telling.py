"""When people may be notified of an alert: quiet hours, a rate limit, and what is worth it. Pure."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final, Self

from app.alerts.alert import Level
from app.options import Options

WORTH_TELLING: Final = frozenset({Level.CRITICAL, Level.HIGH, Level.MEDIUM})
"""The others are on the page and over MQTT only."""
AGAIN_AFTER: Final = timedelta(hours=6)
"""A cause that comes back is told again only after so long; a critical one always."""
ORDER: Final = tuple(Level)


class Telling(StrEnum):
    NOW = "now"
    LATER = "later"
    """Quiet hours or the rate limit hold it back."""
    NOT = "not"


@dataclass(frozen=True, slots=True)
class TellingRules:
    """`quiet` is from when to when, in the home's time; the same twice is never."""

    quiet: tuple[time, time] | None
    an_hour: int

    @classmethod
    def of(cls, options: Options) -> Self:
        given = options.alert_quiet_hours
        if given == "off":
            return cls(None, options.alerts_an_hour)
        start, _, end = given.partition("-")
        return cls((_time(start), _time(end)), options.alerts_an_hour)

    def is_quiet(self, local: datetime) -> bool:
        if self.quiet is None:
            return False
        start, end = self.quiet
        now = local.time().replace(tzinfo=None)
        return start <= now < end if start <= end else now >= start or now < end

    def may(self, level: Level, local: datetime, told: int) -> Telling:
        """Say whether to notify of an alert of that level; `told` is how many were told of within the hour.

        Critical ones are told at any hour and are not counted.
        """
        if level is Level.CRITICAL:
            return Telling.NOW
        if level not in WORTH_TELLING:
            return Telling.NOT
        return Telling.LATER if self.is_quiet(local) or told >= self.an_hour else Telling.NOW


def worse(one: Level, other: Level) -> bool:
    """Whether one level is worse than another."""
    return ORDER.index(one) < ORDER.index(other)


def _time(text: str) -> time:
    hour, _, minute = text.partition(":")
    return time(int(hour), int(minute))
