"""The invented home behind the same door as a real one."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

from app.clock import Clock, from_ms, to_ms
from app.events import Events
from app.hub.invented.house import home_of
from app.hub.invented.making import invent_as, plan_of
from app.hub.source import Slice
from app.model import Home


class InventedSource:
    """A `HomeSource`: one invented home whose past ends now and grows as time goes by."""

    def __init__(self, clock: Clock, seed: int = 7, days: int = 30) -> None:
        self._clock = clock
        self._plan = plan_of(seed, days, clock.now())
        self._events = Events.empty()
        self._invented_until = self._plan.until - timedelta(days=10_000)
        self._busy = asyncio.Lock()

    async def describe(self) -> Home:
        return home_of(self._plan)

    async def history(self, home: Home, since: datetime, until: datetime) -> AsyncIterator[Slice]:
        """Yield one slice for each local day, never beyond the present."""
        events = await self._past(min(until, self._clock.now()))
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

    async def _past(self, until: datetime) -> Events:
        async with self._busy:
            if until > self._invented_until:
                plan = replace(self._plan, until=until)
                self._events = (await asyncio.to_thread(invent_as, plan)).events
                self._invented_until = until
            return self._events
