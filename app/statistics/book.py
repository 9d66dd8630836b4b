"""The statistics' tables: hours, the days made of them, the mark of what was counted, the figures of each
place.

What is counted and the mark of it are one transaction: after a crash nothing is counted twice and nothing is
left out. What is as it was is not written again.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import aiosqlite
from pydantic import ValidationError

from app.clock import from_ms, to_ms
from app.statistics import statements
from app.statistics.localdays import DAY, day_of, starts_at
from app.statistics.stats import PlaceStats, Stats
from app.statistics.tally import Tally
from app.store.database import Store


@dataclass(frozen=True, slots=True)
class Mark:
    """What of a home was counted, from and until (ms); until when its measured figures were fetched, and of
    what.
    """

    counted_from: int
    counted_until: int
    measured_until: int | None = None
    measured: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured in an hour of a place: kWh, degrees Celsius, per cent, ppm; None where it is not
    known.
    """

    energy: float | None = None
    temperature: float | None = None
    humidity: float | None = None
    co2: float | None = None

    def adds_nothing_to(self, known: "Measured") -> bool:
        """Whether all that this says is known."""
        pairs = zip(astuple(self), astuple(known), strict=True)
        return all(own is None or own == theirs for own, theirs in pairs)


@dataclass(frozen=True, slots=True)
class PlaceHour:
    """A local hour of a place, from `starts_at` (UTC)."""

    area_id: str
    starts_at: datetime
    events: int
    automations_fired: int
    energy: float | None
    temperature: float | None
    humidity: float | None
    co2: float | None


@dataclass(frozen=True, slots=True)
class PlaceDay:
    """A local day of a place; what it does not have is None.

    Energy is kWh over `energy_hours` hours; low, usual and high are what such a day (workday or weekend) used
    in the six weeks before. Temperature, humidity and CO2 are the mean of the hours; low and high the lowest
    and highest hour.
    """

    area_id: str
    day: date
    events: int = 0
    automations_fired: int = 0
    energy: float | None = None
    energy_hours: int = 0
    energy_low: float | None = None
    energy_usual: float | None = None
    energy_high: float | None = None
    temperature: float | None = None
    temperature_low: float | None = None
    temperature_high: float | None = None
    humidity: float | None = None
    co2: float | None = None
    co2_high: float | None = None


@dataclass(frozen=True, slots=True)
class Sums:
    """A place's counts and kWh of a stretch of days."""

    events: int = 0
    automations_fired: int = 0
    energy: float | None = None


class Book:
    """Reads and writes them. Areas that the home no longer has stay in its days: they are its past."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def mark(self, home_id: str) -> Mark | None:
        async with self._store.reading() as db:
            rows = list(await db.execute_fetchall(statements.MARK, {"home": home_id}))
        return Mark(*rows[0]) if rows else None

    async def keep_counts(self, home_id: str, tally: Tally, mark: Mark) -> None:
        """Add these counts and move the mark, both or neither."""
        rows = await asyncio.to_thread(_counts, home_id, tally)
        async with self._store.writing() as db:
            if rows:
                await db.executemany(statements.COUNT_ADDED, rows)
                await _make_days(db, home_id, {hour for _, hour, *_ in rows}, tally.places.zone)
            await db.execute(
                statements.COUNTED,
                {"home": home_id, "from": mark.counted_from, "until": mark.counted_until},
            )

    async def keep_measured(
        self,
        home_id: str,
        zone: ZoneInfo,
        hours: Mapping[tuple[int, str], Measured],
        *,
        until: int,
        measured: str,
        anew: bool,
    ) -> set[date]:
        """Keep what was measured and until when (ms); return the local days of which something changed.

        `anew`: it is measured with other things than before, whose energy is not to be added to theirs.
        """
        known = await self._measured(home_id, 0 if anew else min(hours)[0]) if anew or hours else {}
        rows, changed = await asyncio.to_thread(_new_in, home_id, hours, known, anew)
        async with self._store.writing() as db:
            if anew:
                await db.execute(statements.ENERGY_FORGOTTEN, {"home": home_id})
            await db.executemany(statements.MEASURED_KEPT, rows)
            await _make_days(db, home_id, changed, zone)
            await db.execute(
                statements.MEASURED_MARKED, {"home": home_id, "until": until, "measured": measured}
            )
        return await asyncio.to_thread(_days_of, changed, zone)

    async def keep_usual(self, home_id: str, usual: Mapping[date, tuple[float, float, float] | None]) -> None:
        """Keep the usual energy of these days: low, usual, high."""
        rows = [
            (*(band or (None, None, None)), home_id, day.isoformat()) for day, band in sorted(usual.items())
        ]
        if rows:
            async with self._store.writing() as db:
                await db.executemany(statements.USUAL_KEPT, rows)

    async def hours(self, home_id: str, since: datetime, until: datetime) -> list[PlaceHour]:
        """Return the hours that begin from `since` to before `until`, oldest first."""
        bounds = {"home": home_id, "from": to_ms(since), "to": to_ms(until)}
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(statements.HOURS, bounds)
        return await asyncio.to_thread(
            lambda: [PlaceHour(row[0], from_ms(row[1]), *tuple(row)[2:]) for row in rows]
        )

    async def days(self, home_id: str, first: date, last: date, area_id: str | None = None) -> list[PlaceDay]:
        """Return the days from `first` to `last`, both included, oldest first: of one place, or (None) of
        all.
        """
        bounds = {"home": home_id, "from": first.isoformat(), "to": last.isoformat(), "area": area_id}
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(statements.DAYS, bounds)
        return await asyncio.to_thread(
            lambda: [PlaceDay(row[0], date.fromisoformat(row[1]), *tuple(row)[2:]) for row in rows]
        )

    async def sums(self, home_id: str, firsts: Sequence[date], last: date) -> dict[str, list[Sums]]:
        """Return, of each place, the sums from each of `firsts` to `last`, both included."""
        found: dict[str, list[Sums]] = {}
        async with self._store.reading() as db:
            for number, first in enumerate(firsts):
                bounds = {"home": home_id, "from": first.isoformat(), "to": last.isoformat()}
                for row in await db.execute_fetchall(statements.SUMS, bounds):
                    found.setdefault(row["area_id"], [Sums()] * len(firsts))[number] = Sums(*tuple(row)[1:])
        return found

    async def latest(self, home_id: str) -> tuple[PlaceStats, ...]:
        """Return the figures of every place as last kept, the home itself first, then by name."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(statements.LATEST, {"home": home_id})
        return tuple(
            PlaceStats(
                home_id=home_id,
                area_id=row["area_id"],
                name=row["name"],
                computed_at=from_ms(row["computed_at"]),
                stats=_stats(row["stats"]),
            )
            for row in rows
        )

    async def keep_latest(
        self, home_id: str, changed: Iterable[PlaceStats], gone: Collection[str] = ()
    ) -> None:
        """Keep the figures of these places, and drop those of areas that are gone."""
        rows = [
            (home_id, one.area_id, one.name, to_ms(one.computed_at), one.stats.model_dump_json())
            for one in changed
        ]
        async with self._store.writing() as db:
            await db.executemany(statements.LATEST_KEPT, rows)
            await db.executemany(statements.LATEST_GONE, [(home_id, area) for area in gone])

    async def forget_hours(self, home_id: str, before: datetime) -> int:
        """Drop the hours before that instant; their days stay. Return how many rows went."""
        bounds = {"home": home_id, "from": to_ms(before)}
        async with self._store.reading() as db:
            if not list(await db.execute_fetchall(statements.ANY_HOUR_BEFORE, bounds)):
                return 0
        async with self._store.writing() as db:
            return (await db.execute(statements.HOURS_FORGOTTEN, bounds)).rowcount

    async def _measured(self, home_id: str, since: int) -> dict[tuple[int, str], Measured]:
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(statements.MEASURED, {"home": home_id, "from": since})
        return await asyncio.to_thread(lambda: {(row[0], row[1]): Measured(*tuple(row)[2:]) for row in rows})


async def _make_days(db: aiosqlite.Connection, home_id: str, hours: Iterable[int], zone: ZoneInfo) -> None:
    """Make the days of these hours anew out of all their hours."""
    for day in sorted(await asyncio.to_thread(_days_of, hours, zone)):
        bounds = {"home": home_id, "day": day.isoformat()}
        await db.execute(
            statements.DAY_MADE, bounds | {"from": starts_at(day, zone), "to": starts_at(day + DAY, zone)}
        )


def _counts(home_id: str, tally: Tally) -> list[tuple[str, int, str, int, int]]:
    """Return the rows that a tally adds."""
    return [
        (home_id, hour, area, tally.events[hour, area], tally.automations[hour, area])
        for hour, area in sorted({*tally.events, *tally.automations})
    ]


def _new_in(
    home_id: str,
    hours: Mapping[tuple[int, str], Measured],
    known: Mapping[tuple[int, str], Measured],
    anew: bool,  # noqa: FBT001 - handed on through a thread
) -> tuple[list[tuple[object, ...]], set[int]]:
    """Return the rows to write, and the hours whose days they change."""
    nothing = Measured()
    new = {key: one for key, one in hours.items() if anew or not one.adds_nothing_to(known.get(key, nothing))}
    changed = {hour for hour, _ in new}
    if anew:
        changed |= {hour for (hour, _), one in known.items() if one.energy is not None}
    rows: list[tuple[object, ...]] = [
        (home_id, hour, area, one.energy, one.temperature, one.humidity, one.co2)
        for (hour, area), one in sorted(new.items(), key=lambda item: item[0])
    ]
    return rows, changed


def _days_of(hours: Iterable[int], zone: ZoneInfo) -> set[date]:
    return {day_of(hour, zone) for hour in hours}


def _stats(text: str) -> Stats:
    try:
        return Stats.model_validate_json(text)
    except ValidationError:
        return Stats()  # of another version: the next pass writes it anew
