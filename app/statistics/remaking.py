"""The long-term figures put together anew, once a week: days from their hours, and what was usual."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime
from typing import Final

from app.model import Home
from app.statistics import statements
from app.statistics.book import Book, PlaceDay
from app.statistics.counting import KEPT_DAYS
from app.statistics.localdays import DAY, days_between, starts_at
from app.statistics.queries import hours_in
from app.statistics.tally import HOME_ITSELF
from app.statistics.usual import WEEKS, usual_band
from app.store.database import Store

_WHOLE: Final = 0.9
"""The share of its hours that a day needs to tell what is usual."""


class Remaking:
    """Made with `Remaking(store, home)`, where `home` gives the home as last known."""

    def __init__(self, store: Store, home: Callable[[], Home | None]) -> None:
        self._store = store
        self._book = Book(store)
        self._home = home

    async def remake(self, now: datetime) -> int:
        """Make the days whose hours are all kept anew, and what was usual on them; return how many differed.

        They are kept as they come, so that none should; a home whose zone was changed has other days.
        """
        if (home := self._home()) is None:
            return 0
        today = now.astimezone(home.zone).date()
        first = today - (KEPT_DAYS - 1) * DAY
        before = await self._book.days(home.home_id, first, today)
        for day in days_between(first, today):
            bounds = {"home": home.home_id, "day": day.isoformat()}
            async with self._store.writing() as db:
                await db.execute(
                    statements.DAY_MADE,
                    bounds | {"from": starts_at(day, home.zone), "to": starts_at(day + DAY, home.zone)},
                )
        await self._remake_usual(home, first, today)
        after = await self._book.days(home.home_id, first, today)
        known = {(day.area_id, day.day): day for day in before}
        return len({day.day for day in after if known.get((day.area_id, day.day)) != day})

    async def _remake_usual(self, home: Home, first: date, today: date) -> None:
        kept = await self._book.days(home.home_id, first - 7 * WEEKS * DAY, today, HOME_ITSELF)
        bands = await asyncio.to_thread(_bands, home, kept, first, today)
        before = {day.day: (day.energy_low, day.energy_usual, day.energy_high) for day in kept}
        changed = {day: band for day, band in bands.items() if before[day] != (band or (None, None, None))}
        await self._book.keep_usual(home.home_id, changed)


def _bands(
    home: Home, kept: list[PlaceDay], first: date, today: date
) -> dict[date, tuple[float, float, float] | None]:
    known = {
        day.day: day.energy
        for day in kept
        if day.energy is not None and day.energy_hours >= _WHOLE * hours_in(day.day, home)
    }
    return {day: usual_band(day, known) for day in known if first <= day < today}
