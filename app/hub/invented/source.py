"""The invented home behind the same door as a real one."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

from app.clock import Clock, from_ms, to_ms
from app.events import Events
from app.hub.invented.fitting_readings import fitting_events
from app.hub.invented.fittings import fitted
from app.hub.invented.house import home_of
from app.hub.invented.making import invent_as, plan_of
from app.hub.invented.plan import Plan
from app.hub.source import Slice
from app.model import Home

_AHEAD = timedelta(days=1)
"""So far beyond what is asked for: inventing takes a second, and a later end only adds to a past."""


class InventedSource:
    """A `HomeSource`: one invented home whose past ends now and grows as time goes by."""

    def __init__(self, clock: Clock, seed: int = 7, days: int = 30) -> None:
        self._clock = clock
        self._plan = plan_of(seed, days, clock.now())
        self._events = Events.empty()
        self._invented_until = self._plan.until - timedelta(days=10_000)
        self._busy = asyncio.Lock()

    async def describe(self) -> Home:
        return fitted(home_of(self._plan))

    async def history(self, home: Home, since: datetime, until: datetime) -> AsyncIterator[Slice]:
        """Yield one slice for each local day, never beyond the present."""
        now = self._clock.now()
        events = (await self.events(min(until, now))).between(0, to_ms(now))
        start = since
        while start < until:
            midnight = datetime.combine(
                start.astimezone(home.zone).date() + timedelta(days=1), datetime.min.time(), home.zone
            )
            end = min(from_ms(to_ms(midnight)), until)
            yield Slice(events.between(to_ms(start), to_ms(end)).compact(), end)
            start = end

    async def close(self) -> None:
        """Nothing is held open."""

    async def events(self, until: datetime) -> Events:
        """Return all that happens in this home until then, and somewhat beyond it."""
        async with self._busy:
            if until > self._invented_until:
                plan = replace(self._plan, until=until + _AHEAD)
                self._events = await asyncio.to_thread(_invent, plan, to_ms(self._plan.until))
                # What happens in the last minutes before an end is not yet as it will have been.
                self._invented_until = plan.until - timedelta(hours=1)
            return self._events


def _invent(plan: Plan, began: int) -> Events:
    events = invent_as(plan).events
    return Events.join([events, fitting_events(plan, events, began)]).compact()
