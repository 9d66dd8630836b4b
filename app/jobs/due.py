"""When a job is due, and what it missed: pure functions of schedule, zone and instants.

Cron is evaluated by cronsim, in local time by zone name, as Debian's cron does it: a fixed hour that comes
twice in autumn counts once, one that does not exist in spring counts at the end of the gap.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

REMEMBERED = 31
"""How many missed instants of one job are written down; of more, only that there were more."""
# Cronsim walks in naive local time: started inside the hour that comes twice it can be off by that hour.
_TWICE = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Cron:
    """Five cron fields in a zone. Instants are aware UTC."""

    expression: str
    zone: str

    def next(self, after: datetime) -> datetime | None:
        """Return the first instant after `after`; None when there is none in the next 50 years."""
        for local in CronSim(self.expression, after.astimezone(ZoneInfo(self.zone))):
            if (instant := local.astimezone(UTC)) > after:
                return instant
        return None

    def backwards(self, until: datetime) -> Iterator[datetime]:
        """Yield the instants at or before `until`, newest first."""
        start = (until + _TWICE).astimezone(ZoneInfo(self.zone))
        for local in CronSim(self.expression, start, reverse=True):
            if (instant := local.astimezone(UTC)) <= until:
                yield instant

    def between(self, since: datetime, until: datetime, limit: int = REMEMBERED) -> list[datetime]:
        """Return the instants with since < instant <= until, oldest first; only the newest `limit`."""
        found: list[datetime] = []
        for instant in self.backwards(until):
            if instant <= since or len(found) == limit:
                break
            found.append(instant)
        return found[::-1]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about the instants that have come: run one or none, write the others down as missed."""

    run: datetime | None = None
    late: bool = False
    """Whether `run` is beyond its grace: it is then a catch-up."""
    missed: tuple[datetime, ...] = ()


def plan(cron: Cron, *, since: datetime, now: datetime, grace: timedelta, once: bool) -> Plan:
    """Decide on the instants in (since, now]: nothing before `since` is looked at again.

    The newest one runs if it is within `grace`, or if what was missed is caught up `once`.
    """
    due = cron.between(since, now)
    if not due:
        return Plan()
    newest = due[-1]
    late = now - newest > grace
    if late and not once:
        return Plan(missed=tuple(due))
    return Plan(newest, late, tuple(due[:-1]))


def check_schedule(expression: str) -> None:
    """Raise ValueError unless `expression` is five cron fields that come round at all."""
    why = "five fields are needed"
    try:
        if len(expression.split()) == 5:
            next(CronSim(expression, datetime(2024, 1, 1, tzinfo=UTC)))
            return
    except (CronSimError, StopIteration) as error:
        why = str(error) or "it never comes round"
    raise ValueError(f"{expression!r} is no schedule ({why}): give five cron fields such as '0 3 * * *'")
