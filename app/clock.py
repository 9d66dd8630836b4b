"""The one clock. Inside, time is an aware UTC instant; local time exists only at the edges, by zone name."""

import asyncio
import heapq
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What every room asks for the time."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go backwards, for durations."""

    async def sleep(self, seconds: float) -> None:
        """Come back after that many seconds of this clock."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class TurnedClock:
    """A clock that moves only when it is turned: public, so that tests anywhere can use it."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock starts at an aware instant")
        self._now = start.astimezone(UTC)
        self._elapsed = 0.0
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        self._count += 1
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + timedelta(seconds=seconds), self._count, future))
        await future

    async def turn(self, by: timedelta) -> None:
        """Move the clock forward, waking each sleeper at its own instant, in order."""
        target = self._now + by
        await _settle()
        while self._sleepers and self._sleepers[0][0] <= target:
            due, _, future = heapq.heappop(self._sleepers)
            self._move(max(due, self._now))
            if not future.done():
                future.set_result(None)
            await _settle()
        self._move(target)
        await _settle()

    def _move(self, to: datetime) -> None:
        self._elapsed += (to - self._now).total_seconds()
        self._now = to


async def _settle() -> None:
    """Let everything that can run now run."""
    for _ in range(20):
        await asyncio.sleep(0)


def to_ms(instant: datetime) -> int:
    """Return an aware instant as milliseconds since 1970 UTC, the unit of every stored time."""
    if instant.tzinfo is None:
        raise ValueError(f"a naive time: {instant!r}")
    return round(instant.timestamp() * 1000)


def from_ms(milliseconds: int) -> datetime:
    """Return milliseconds since 1970 as an aware UTC instant."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
