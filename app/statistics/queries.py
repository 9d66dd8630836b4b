"""What pages, reports and scorecards ask the statistics: read from what is kept, nothing is computed for a
page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.clock import Clock, from_ms, to_ms
from app.model import Home
from app.statistics.book import Book, Mark, PlaceDay, PlaceHour
from app.statistics.localdays import DAY, days_between, hour_of, starts_at
from app.statistics.stats import PlaceStats
from app.statistics.tally import HOME_ITSELF

_MOST_DAYS = 400
_MOST_HOURS = 62 * 24


@dataclass(frozen=True, slots=True)
class EnergyDay:
    """What the home drew from the grid on a local day, and what such days usually draw; None: not known.

    The usual band holds eight in ten of the days of its kind (workday, weekend) in the six weeks before.
    `whole` is False of today, and of a day of which hours are missing.
    """

    day: date
    kwh: float | None
    usual_low: float | None
    usual: float | None
    usual_high: float | None
    whole: bool


@dataclass(frozen=True, slots=True)
class RoomPoint:
    """How it was in a room from `at` on (UTC; an hour, or a local day): the means, None where not
    measured.
    """

    at: datetime
    temperature: float | None
    humidity: float | None
    co2: float | None


@dataclass(frozen=True, slots=True)
class RoomSeries:
    """A room and how it was there, oldest first; hours or days without any value are left out."""

    area_id: str
    name: str
    points: tuple[RoomPoint, ...]


@dataclass(frozen=True, slots=True)
class DayCount:
    """What happened on a local day; None for a day that was not counted.

    `whole` is False of today, and of a day that was not counted from its beginning to its end.
    """

    day: date
    events: int | None
    automations_fired: int | None
    whole: bool


class StatsQueries:
    """Reads what the job keeps. `home` gives the home as last known; before that there is nothing to tell.

    `looked_at` gives when the last pass was: figures that did not change are not written anew.
    """

    def __init__(
        self,
        book: Book,
        clock: Clock,
        home: Callable[[], Home | None],
        looked_at: Callable[[], datetime | None] = lambda: None,
    ) -> None:
        self._book = book
        self._clock = clock
        self._home = home
        self._looked_at = looked_at

    async def latest(self, home_id: str) -> tuple[PlaceStats, ...]:
        """Return the figures of the home (first, `area_id` empty) and its areas by name; none before the
        first pass.

        `computed_at` is when they were last found to be so.
        """
        seen = self._looked_at()
        return tuple(
            place if seen is None else place.model_copy(update={"computed_at": max(seen, place.computed_at)})
            for place in await self._book.latest(home_id)
        )

    async def energy_days(self, home_id: str, days: int = 30) -> tuple[EnergyDay, ...]:
        """Return the last `days` local days (1 to 400), today last; empty when nothing was ever measured."""
        home = self._home()
        if home is None:
            return ()
        first, today = self._span(home, days)
        known = {day.day: day for day in await self._book.days(home_id, first, today, HOME_ITSELF)}
        if all(day.energy is None for day in known.values()):
            return ()
        return tuple(
            _energy(known.get(day, PlaceDay(HOME_ITSELF, day)), home, over=day < today)
            for day in days_between(first, today)
        )

    async def room_temperatures(
        self, home_id: str, *, hours: int | None = None, days: int | None = None
    ) -> tuple[RoomSeries, ...]:
        """Return how it was in each room of the last `hours` (1 to 1488) by the hour, else `days` (1 to 400)
        by the day.

        Rooms by name; those where nothing was measured are left out.
        """
        home = self._home()
        if home is None:
            return ()
        now = self._clock.now()
        points: dict[str, list[RoomPoint]] = {}
        if hours is not None:
            first = to_ms(now - timedelta(hours=min(max(hours, 1), _MOST_HOURS)))
            since = from_ms(hour_of(first, home.zone))
            for hour in await self._book.hours(home_id, since, now):
                _add(points, hour.area_id, hour.starts_at, hour)
        else:
            begin, today = self._span(home, 30 if days is None else days)
            for day in await self._book.days(home_id, begin, today):
                _add(points, day.area_id, from_ms(starts_at(day.day, home.zone)), day)
        return tuple(
            RoomSeries(area.area_id, area.name, tuple(points[area.area_id]))
            for area in sorted(home.areas, key=lambda area: (area.name.casefold(), area.area_id))
            if area.area_id in points
        )

    async def events_by_day(
        self, home_id: str, days: int = 30, area_id: str = HOME_ITSELF
    ) -> tuple[DayCount, ...]:
        """Return the counts of the last `days` local days (1 to 400), today last; of the home, or of one
        area.
        """
        home, mark = self._home(), await self._book.mark(home_id)
        if home is None or mark is None:
            return ()
        first, today = self._span(home, days)
        known = {day.day: day for day in await self._book.days(home_id, first, today, area_id)}
        return tuple(
            _count(day, known.get(day, PlaceDay(area_id, day)), mark, home)
            for day in days_between(first, today)
        )

    async def days(self, home_id: str, first: date, last: date) -> tuple[PlaceDay, ...]:
        """Return all that is kept of the local days from `first` to `last`, both included: the home and every
        area.
        """
        return tuple(await self._book.days(home_id, first, last))

    async def hours(self, home_id: str, since: datetime, until: datetime) -> tuple[PlaceHour, ...]:
        """Return all that is kept of the local hours from `since` to before `until`; two months are kept."""
        return tuple(await self._book.hours(home_id, since, until))

    async def counted(self, home_id: str) -> tuple[datetime, datetime] | None:
        """Return from and until when everything that happened is in the days and hours; None before the first
        pass.
        """
        mark = await self._book.mark(home_id)
        return None if mark is None else (from_ms(mark.counted_from), from_ms(mark.counted_until))

    async def measured_until(self, home_id: str) -> datetime | None:
        """Return until when the hub's long-term statistics are in them; None before they were ever read."""
        mark = await self._book.mark(home_id)
        return None if mark is None or mark.measured_until is None else from_ms(mark.measured_until)

    def _span(self, home: Home, days: int) -> tuple[date, date]:
        today = self._clock.now().astimezone(home.zone).date()
        return today - (min(max(days, 1), _MOST_DAYS) - 1) * DAY, today


def hours_in(day: date, home: Home) -> float:
    """Return how many hours the local day has."""
    return (starts_at(day + DAY, home.zone) - starts_at(day, home.zone)) / 3_600_000


def _energy(day: PlaceDay, home: Home, *, over: bool) -> EnergyDay:
    whole = over and day.energy is not None and day.energy_hours >= hours_in(day.day, home)
    return EnergyDay(day.day, day.energy, day.energy_low, day.energy_usual, day.energy_high, whole)


def _add(points: dict[str, list[RoomPoint]], area: str, at: datetime, said: PlaceDay | PlaceHour) -> None:
    if area and not (said.temperature is None and said.humidity is None and said.co2 is None):
        points.setdefault(area, []).append(RoomPoint(at, said.temperature, said.humidity, said.co2))


def _count(day: date, kept: PlaceDay, mark: Mark, home: Home) -> DayCount:
    begins, ends = starts_at(day, home.zone), starts_at(day + DAY, home.zone)
    if ends <= mark.counted_from or begins > mark.counted_until:
        return DayCount(day, None, None, whole=False)
    whole = mark.counted_from <= begins and ends <= mark.counted_until
    return DayCount(day, kept.events, kept.automations_fired, whole)
