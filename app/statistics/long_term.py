"""What the hub measured: energy and how it was in the rooms, by the hour, out of its long-term statistics.

Asked when an hour has ended, not at every pass. Only the energy since the last full hour is asked each time.
"""

import asyncio
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from app.clock import Clock, from_ms, to_ms
from app.errors import NeighbourError
from app.hub.now import HomeNow, Period, Span
from app.model import Home
from app.statistics.book import Book, Mark, Measured, PlaceDay
from app.statistics.counting import KEPT_DAYS
from app.statistics.localdays import DAY, hour_of, starts_at
from app.statistics.measures import (
    Meter,
    Quantity,
    RoomSensor,
    area_meters,
    grid_meters,
    lived_in,
    means,
    of_the_home,
    read,
    room_sensors,
)
from app.statistics.tally import HOME_ITSELF
from app.statistics.usual import WEEKS, usual_band

_ROOM_DAYS: Final = 31
_LATE: Final = timedelta(days=3)
"""So far back the grid's meters are asked again: a utility tells what was used a day or two later."""
_AGAIN: Final = timedelta(hours=2)
_HOUR: Final = timedelta(hours=1)
_PATIENCE: Final = timedelta(minutes=15)
"""An hour that the hub still says nothing of by then is one in which nothing was measured."""
_IDS_A_REQUEST: Final = 50
_DAYS_A_REQUEST: Final = timedelta(days=7)
_WHOLE: Final = 0.9
"""A day of which fewer hours are known is not compared with others."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a pass has of it: kWh since the last full hour by place (the home's is ""), and what
    went wrong.
    """

    energy: dict[str, float]
    new: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Measuring:
    """What the home is measured with now."""

    meters: tuple[Meter, ...]
    sensors: tuple[RoomSensor, ...]
    units: dict[str, str]

    @property
    def key(self) -> str:
        """Changes when something else measures: what was fetched before is then fetched anew."""
        said = json.dumps([[m.statistic_id, m.area_id] for m in self.meters])
        return hashlib.sha256(said.encode()).hexdigest()[:16]


class LongTerm:
    """Fetches it for one home. One pass at a time."""

    def __init__(self, now: HomeNow, book: Book, clock: Clock) -> None:
        self._now = now
        self._book = book
        self._clock = clock
        self._measuring: _Measuring | None = None
        self._looked_at: datetime | None = None

    async def fetch(self, home: Home, mark: Mark) -> Fetched:
        """Fetch the hours that ended since the last time. Raises StoreError; a hub that is away is a note."""
        if self._now.since is None:
            return Fetched({}, note="The hub is away: nothing was measured with it.")
        try:
            return await self._fetched(home, mark)
        except NeighbourError as error:
            return Fetched({}, note=f"The hub's long-term statistics could not be read: {error}")

    async def _fetched(self, home: Home, mark: Mark) -> Fetched:
        now = self._clock.now()
        hour = now.replace(minute=0, second=0, microsecond=0)
        measuring, until = self._measuring, mark.measured_until
        new = 0
        if measuring is None or self._looked_at != hour or until is None or from_ms(until) < hour:
            measuring = self._measuring = await self._measured_with(home)
            self._looked_at = hour
            until, new = await self._hours(home, mark, measuring, hour)
        partial = await self._partial(measuring, from_ms(until), now)
        return Fetched(partial, new)

    async def _measured_with(self, home: Home) -> _Measuring:
        kinds = await self._now.statistics()
        grid = await self._now.energy_ids()
        units = {kind.statistic_id: kind.unit for kind in kinds if kind.has_mean}
        return _Measuring(
            (*grid_meters(kinds, grid), *area_meters(home, kinds, grid)),
            tuple(sensor for sensor in room_sensors(home) if sensor.entity_id in units),
            units,
        )

    async def _hours(self, home: Home, mark: Mark, measuring: _Measuring, hour: datetime) -> tuple[int, int]:
        """Fetch up to the full hour; return until when it is known now (ms), and how many hours are new."""
        anew = mark.measured_until is None or mark.measured != measuring.key
        if not anew and not (measuring.meters or measuring.sensors):
            return to_ms(hour), 0
        until = hour if anew or mark.measured_until is None else from_ms(mark.measured_until)
        today = hour.astimezone(home.zone).date()
        weeks = _day(today - KEPT_DAYS * DAY, home) if anew else None
        month = _day(today - _ROOM_DAYS * DAY, home) if anew else None
        spans: dict[str, list[Span]] = {}
        for ids, since in (
            ([m.statistic_id for m in measuring.meters if m.area_id == HOME_ITSELF], weeks or until - _LATE),
            ([m.statistic_id for m in measuring.meters if m.area_id], weeks or until - _AGAIN),
            ([s.entity_id for s in measuring.sensors], month or until - _AGAIN),
        ):
            spans |= await self._spans(ids, since, hour, "hour")
        hours = await asyncio.to_thread(_by_hour, home, measuring, spans)
        newest = max((found[-1].end for found in spans.values() if found), default=None)
        told = newest is not None and newest >= hour
        reached = hour if told or self._clock.now() - hour >= _PATIENCE else hour - _HOUR
        if not anew and mark.measured_until is not None:
            reached = max(reached, from_ms(mark.measured_until))
        if not anew and to_ms(reached) == mark.measured_until:
            return mark.measured_until, 0
        days = await self._book.keep_measured(
            home.home_id, home.zone, hours, until=to_ms(reached), measured=measuring.key, anew=anew
        )
        await self._keep_usual(home, days, today)
        return to_ms(reached), len(hours)

    async def _partial(self, measuring: _Measuring, since: datetime, now: datetime) -> dict[str, float]:
        """Return the kWh since the last full hour that is kept."""
        meters = {meter.statistic_id: meter for meter in measuring.meters}
        found: dict[str, float] = {}
        if not meters or now - since < timedelta(minutes=5):
            return found
        for statistic, spans in (await self._spans(list(meters), since, now, "5minute")).items():
            meter = meters[statistic]
            used = [span.change for span in spans if span.change is not None]
            if used:
                found[meter.area_id] = found.get(meter.area_id, 0.0) + sum(used) * meter.factor
        return found

    async def _spans(
        self, ids: Sequence[str], since: datetime, until: datetime, period: Period
    ) -> dict[str, list[Span]]:
        """Ask in pieces: weeks of many sensors in one answer would hold up a small machine."""
        found: dict[str, list[Span]] = {}
        for first in range(0, len(ids), _IDS_A_REQUEST):
            batch, start = ids[first : first + _IDS_A_REQUEST], since
            while start < until:
                end = min(start + _DAYS_A_REQUEST, until)
                for statistic, spans in (await self._now.spans(batch, start, end, period)).items():
                    if statistic in batch:
                        found.setdefault(statistic, []).extend(s for s in spans if start <= s.start < end)
                start = end
        return found

    async def _keep_usual(self, home: Home, changed: Iterable[date], today: date) -> None:
        """Say what was usual for the days that are over and changed."""
        over = [day for day in changed if day < today]
        if not over:
            return
        first = min(over) - 7 * WEEKS * DAY
        kept = await self._book.days(home.home_id, first, today, HOME_ITSELF)
        await self._book.keep_usual(home.home_id, await asyncio.to_thread(_new_bands, kept, over, home))


def _new_bands(
    kept: Sequence[PlaceDay], over: Iterable[date], home: Home
) -> dict[date, tuple[float, float, float] | None]:
    """Return what is usual for those days, where it is otherwise than before."""
    known = {
        day.day: day.energy
        for day in kept
        if day.energy is not None and day.energy_hours >= _WHOLE * _hours_in(day.day, home)
    }
    before = {day.day: (day.energy_low, day.energy_usual, day.energy_high) for day in kept}
    bands = {day: usual_band(day, known) for day in over if day in known}
    return {day: band for day, band in bands.items() if before[day] != (band or (None, None, None))}


def _by_hour(
    home: Home, measuring: _Measuring, spans: dict[str, list[Span]]
) -> dict[tuple[int, str], Measured]:
    """Put the hub's hours into the home's: kWh are added up, rooms are the mean of their sensors."""
    used: dict[tuple[int, str], float] = {}
    for meter in measuring.meters:
        for span in spans.get(meter.statistic_id, ()):
            if span.change is not None:
                key = hour_of(to_ms(span.start), home.zone), meter.area_id
                used[key] = used.get(key, 0.0) + span.change * meter.factor
    inside = lived_in(home.areas)
    fields: dict[tuple[int, str], dict[str, float]] = {}
    for (hour, quantity), values in _felt(home, measuring, spans).items():
        by_place = means(values)
        own = of_the_home(by_place, inside)
        by_place.pop(HOME_ITSELF, None)
        for place, value in (by_place | ({} if own is None else {HOME_ITSELF: own})).items():
            fields.setdefault((hour, place), {})[quantity.value] = value
    return {key: Measured(energy=used.get(key), **fields.get(key, {})) for key in used.keys() | fields.keys()}


def _felt(
    home: Home, measuring: _Measuring, spans: dict[str, list[Span]]
) -> dict[tuple[int, Quantity], list[tuple[str, float]]]:
    """Return, of each hour and quantity, what each sensor said: (area_id, value)."""
    felt: dict[tuple[int, Quantity], list[tuple[str, float]]] = {}
    for sensor in measuring.sensors:
        for span in spans.get(sensor.entity_id, ()):
            value = read(sensor.quantity, span.mean, measuring.units[sensor.entity_id])
            if value is not None:
                key = hour_of(to_ms(span.start), home.zone), sensor.quantity
                felt.setdefault(key, []).append((sensor.area_id, value))
    return felt


def _day(day: date, home: Home) -> datetime:
    """Return the beginning of a local day, at a full hour of the hub's (UTC)."""
    return from_ms(starts_at(day, home.zone)).astimezone(UTC).replace(minute=0)


def _hours_in(day: date, home: Home) -> float:
    return (starts_at(day + DAY, home.zone) - starts_at(day, home.zone)) / 3_600_000
