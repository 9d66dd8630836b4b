"""Taking up what is still wanted of the hub: at the start, whenever it is back, and every five minutes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from app.bus import Bus
from app.clock import Clock
from app.neighbours import NeighbourChanged, NeighbourState

_log = logging.getLogger(__name__)
_AGAIN_SECONDS: Final = 300.0


class Keeper:
    """Calls `take_up` (which returns how much is left) while the hub is `reachable`."""

    def __init__(
        self, take_up: Callable[[], Awaitable[int]], reachable: Callable[[], bool], bus: Bus, clock: Clock
    ) -> None:
        self._take_up = take_up
        self._reachable = reachable
        self._bus = bus
        self._clock = clock
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._deaf: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin; harmless when it began already."""
        if self._task is not None:
            return
        self._deaf = self._bus.subscribe(NeighbourChanged, self._on_neighbour)
        self._wake.set()
        self._task = asyncio.create_task(self._keep(), name="carrying out decisions")

    async def stop(self) -> None:
        """End; what was cut off is taken up at the next start."""
        if self._deaf:
            self._deaf()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._task = self._deaf = None

    def wake(self) -> None:
        """Look soon whether something is left to do."""
        self._wake.set()

    def _on_neighbour(self, changed: NeighbourChanged) -> None:
        if changed.neighbour.name == "hub" and changed.neighbour.state is NeighbourState.OK:
            self._wake.set()

    async def _keep(self) -> None:
        left = 0
        while True:
            await self._woken(left)
            self._wake.clear()
            if not self._reachable():
                continue
            try:
                left = await self._take_up()
            except Exception:  # noqa: BLE001 - a task's edge: it would end unheard, and nothing be taken up again
                _log.exception("Decisions could not be carried out; again in five minutes")
                left = 1

    async def _woken(self, left: int) -> None:
        """Come back when there may be something to do; while something is left to do, after a while too."""
        waiting: list[asyncio.Task[Any]] = [asyncio.create_task(self._wake.wait())]
        if left:
            waiting.append(asyncio.create_task(self._clock.sleep(_AGAIN_SECONDS)))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
