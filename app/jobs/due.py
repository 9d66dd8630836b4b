"""When a job is due, and what it missed: pure functions of schedule, zone and instants.

Cron is evaluated by cronsim, in local time by zone name, as Debian's cron does it: a fixed hour that comes
twice in autumn counts once, one that does not exist in spring counts at the end of the gap.
"""

import heapq
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from app.clock import from_ms, to_ms
from app.jobs.policies import CatchUp

OFF = "off"
"""The schedule, in the options and on the page, of a job that never starts by itself."""
REMEMBERED = 31
"""How many missed instants of one job are written down; of more, only that there were more."""
CAUGHT_UP = 400
"""How many missed instants of one job are made up for, where each of them is: the newest."""
# Cronsim walks in naive local time: started inside the hour that comes twice it can be off by that hour.
_TWICE = timedelta(hours=3)
_MOMENT = timedelta(milliseconds=1)
_EVERY = re.compile(r"every (?:(\d{1,4}) )?(minute|hour|day)s?")
_PERIODS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


class _Instants(ABC):
    """What every kind of schedule can do once it can walk backwards. Instants are aware UTC."""

    __slots__ = ()

    @abstractmethod
    def backwards(self, until: datetime) -> Iterator[datetime]:
        """Yield the instants at or before `until`, newest first."""

    def between(self, since: datetime, until: datetime, limit: int = REMEMBERED) -> list[datetime]:
        """Return the instants with since < instant <= until, oldest first; only the newest `limit`."""
        found: list[datetime] = []
        for instant in self.backwards(until):
            if instant <= since or len(found) == limit:
                break
            found.append(instant)
        return found[::-1]


@dataclass(frozen=True, slots=True)
class Cron(_Instants):
    """Five cron fields in a zone."""

    expression: str
    zone: str

    def next(self, after: datetime) -> datetime | None:
        """Return the first instant after `after`; None when there is none in the next 50 years."""
        zone = ZoneInfo(self.zone)
        for local in CronSim(self.expression, after.astimezone(zone)):
            if (instant := local.astimezone(UTC)) <= after:
                continue
            if (after - _TWICE).astimezone(zone).utcoffset() == (instant + _TWICE).astimezone(
                zone
            ).utcoffset():
                return instant
            # Over a change of the clocks cronsim forwards can step over an instant (04:00 of `0 */4 * * *` on
            # Lord Howe, where they change by half an hour); backwards it does not.
            return next(iter(self.between(after, instant)), instant)
        return None

    def backwards(self, until: datetime) -> Iterator[datetime]:
        """Yield the instants at or before `until`, newest first."""
        start = (until + _TWICE).astimezone(ZoneInfo(self.zone))
        for local in CronSim(self.expression, start, reverse=True):
            if (instant := local.astimezone(UTC)) <= until:
                yield instant


@dataclass(frozen=True, slots=True)
class Every(_Instants):
    """Each multiple of `period` since 1970 UTC: the same instants whenever the process was started."""

    period: timedelta

    def next(self, after: datetime) -> datetime | None:
        """Return the first instant after `after`."""
        return from_ms((to_ms(after) // self._ms + 1) * self._ms)

    def backwards(self, until: datetime) -> Iterator[datetime]:
        """Yield the instants at or before `until`, newest first."""
        for number in range(to_ms(until) // self._ms, 0, -1):
            yield from_ms(number * self._ms)

    @property
    def _ms(self) -> int:
        return self.period // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Several(_Instants):
    """Whenever one of its parts comes round: a schedule for people in several zones."""

    parts: tuple[Cron, ...]

    def next(self, after: datetime) -> datetime | None:
        """Return the first instant after `after`."""
        return min((found for part in self.parts if (found := part.next(after)) is not None), default=None)

    def backwards(self, until: datetime) -> Iterator[datetime]:
        """Yield the instants at or before `until`, newest first."""
        instants = heapq.merge(*(part.backwards(until) for part in self.parts), reverse=True)
        for instant, _same in groupby(instants):
            yield instant


When = Cron | Every | Several
"""A schedule that comes round: `next(after)`, `backwards(until)`, `between(since, until, limit)`."""


def schedule_of(text: str, zone: str) -> When:
    """Return when `text` comes round: five cron fields in the zone, or `every 15 minutes`.

    Raises ValueError for anything else.
    """
    check_schedule(text)
    if (period := _period(text)) is not None:
        return Every(period)
    return Cron(text, zone)


def several(whens: Iterable[When]) -> When:
    """Return what comes round whenever one of these does; there is at least one."""
    different = list(dict.fromkeys(whens))
    crons = tuple(when for when in different if isinstance(when, Cron))
    return different[0] if len(different) == 1 else Several(crons)


def comes_round(when: When, instant: datetime) -> bool:
    """Whether it comes round at this very instant."""
    return when.next(instant - _MOMENT) == instant


def instant_on(when: When | None, day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of that local day, or its noon if none is on it (UTC)."""
    start = datetime.combine(day, time(), zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    first = when.next(start - _MOMENT) if when is not None else None
    if first is not None and first < end:
        return first
    return datetime.combine(day, time(12), zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about the instants that have come, each oldest first: run some, write others down."""

    runs: tuple[datetime, ...] = ()
    missed: tuple[datetime, ...] = ()


def plan(
    when: When,
    *,
    since: datetime,
    now: datetime,
    grace: timedelta,
    catch_up: CatchUp,
    window: timedelta = timedelta(days=31),
) -> Plan:
    """Decide on the instants in (since, now]: nothing before `since` is looked at again.

    The newest one runs if it is within `grace`, or caught up and within the `window`; of a schedule in
    several zones the newest of each, for they are for different people.
    """
    if catch_up is CatchUp.ALL:
        due = when.between(since, now, CAUGHT_UP)
        wanted = set(due)
    else:
        due = when.between(since, now)
        parts = when.parts if isinstance(when, Several) else (when,)
        wanted = {newest[0] for part in parts if (newest := part.between(since, now, 1))}
        # One zone's newest may lie further back than the others' newest 31.
        due = sorted({*due, *wanted})
    bound = grace if catch_up is CatchUp.SKIP else max(grace, window)
    runs = tuple(instant for instant in due if instant in wanted and now - instant <= bound)
    missed = [instant for instant in due if instant not in runs][-REMEMBERED:]
    return Plan(runs, tuple(missed))


def check_schedule(text: str) -> None:
    """Raise ValueError unless `text` is a schedule that comes round at all."""
    why = "five fields are needed"
    try:
        if _period(text) is not None:
            return
        if len(text.split()) == 5:
            next(CronSim(text, datetime(2024, 1, 1, tzinfo=UTC)))
            return
    except (CronSimError, StopIteration) as error:
        why = str(error) or "it never comes round"
    raise ValueError(
        f"{text!r} is no schedule ({why}): give five cron fields such as '0 3 * * *', "
        "or 'every 15 minutes' (hours, days)"
    )


def _period(text: str) -> timedelta | None:
    if (found := _EVERY.fullmatch(text)) is None or (found[1] is not None and int(found[1]) == 0):
        return None
    return int(found[1] or 1) * _PERIODS[found[2]]
