"""What is to be looked at again at an instant that no schedule knows: second tries, rate limits."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from app.clock import Clock

_LOOK_AT_LEAST_EVERY = 60.0


class Alarms:
    """One instant for each name; `ring(name)` is called in the event loop when it has come.

    Nothing is kept: what they ring for is in the database, and is read from there at the next start. The
    machine's clock may be set, or the machine sleep: an instant is looked for at least once a minute.
    """

    def __init__(self, clock: Clock, ring: Callable[[str], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._set: dict[str, tuple[datetime, asyncio.Task[None]]] = {}

    def set(self, name: str, at: datetime) -> None:
        """Ring then, at once if it has passed; not at an instant that was set before."""
        if self.at(name) == at:
            return
        self.drop(name)
        self._set[name] = (at, asyncio.create_task(self._wait(name, at), name=f"alarm for {name}"))

    def at(self, name: str) -> datetime | None:
        alarm = self._set.get(name)
        return alarm[0] if alarm is not None else None

    def drop(self, name: str) -> None:
        if (alarm := self._set.pop(name, None)) is not None:
            alarm[1].cancel()

    def drop_all(self) -> None:
        for name in tuple(self._set):
            self.drop(name)

    async def _wait(self, name: str, at: datetime) -> None:
        while (wait := (at - self._clock.now()).total_seconds()) > 0:
            await self._clock.sleep(min(wait, _LOOK_AT_LEAST_EVERY))
        # It has rung: what it starts is not dropped with it.
        self._set.pop(name, None)
        self._ring(name)
