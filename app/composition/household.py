"""The home as last known: kept, met again now and then, and what changes when it is another one."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

from app.clock import Clock
from app.declared import HOME_ID, strangers
from app.errors import NightshiftError
from app.hub.client import Hub
from app.hub.exchange import Subscription
from app.hub.homes import Homes
from app.hub.source import HomeSource
from app.model import Home
from app.options import Options

_log = logging.getLogger(__name__)
_LOOK_AGAIN = timedelta(hours=1)
_AFTER_A_FAILURE = timedelta(minutes=1)
_SETTLED = timedelta(seconds=20)
"""So long after a registry changed it is read: a device that is added changes it many times over."""
REGISTRIES = (
    "entity_registry_updated",
    "device_registry_updated",
    "area_registry_updated",
    "label_registry_updated",
)


class Household:
    """Holds the home; `home()` is what other rooms are given to ask.

    `moved` is told of a home that is another one than was known, before the others see it.
    """

    def __init__(self, homes: Homes, options: Options, clock: Clock) -> None:
        self._homes = homes
        self._options = options
        self._clock = clock
        self._home: Home | None = None
        self._moved: Callable[[Home], Awaitable[None]] = _nobody
        self._learning: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    def home(self) -> Home | None:
        """Return the home; None before the hub was ever reached."""
        return self._home

    async def load(self) -> None:
        """Read what was known when Nightshift last ran. Raises StoreError."""
        self._home = await self._homes.load(HOME_ID)

    def when_moved(self, moved: Callable[[Home], Awaitable[None]]) -> None:
        self._moved = moved

    async def meet(self, home: Home) -> None:
        """Take note of the home as it is now: its zone moves the clock, its users open the page's buttons."""
        if home == self._home:
            return
        await self._homes.save(home)
        await self._moved(home)
        if unknown := strangers(home, self._options):
            _log.warning(
                "options: people: the home knows no %s; Settings, People names those it knows",
                ", ".join(unknown),
            )
        self._home = home  # last: what could not be noted is noted the next time

    def start(self, source: HomeSource, met: Callable[[Home], Awaitable[None]]) -> None:
        """Ask for the home from now on; `met` is called each time it was."""
        self._learning = asyncio.create_task(self._keep_learning(source, met), name="learning the home")

    def follow(self, hub: Hub, closing: AsyncExitStack) -> None:
        """Meet the home again soon after a device, an area or a label of it changed.

        A hub that goes away meanwhile is heard once it is back: it must not end the start.
        """
        for event in REGISTRIES:
            told = Subscription("subscribe_events", {"event_type": event}, lambda _event: self._changed.set())
            closing.callback(hub.listen(told))

    async def stop(self) -> None:
        learning, self._learning = self._learning, None
        if learning is not None:
            learning.cancel()
            await asyncio.gather(learning, return_exceptions=True)

    async def _keep_learning(self, source: HomeSource, met: Callable[[Home], Awaitable[None]]) -> None:
        """Ask for the home soon after the start, and again now and then: an administrator may be new."""
        while True:
            self._changed.clear()
            try:
                home = await source.describe()
                await self.meet(home)
                await met(home)
            except NightshiftError as error:
                _log.info("The home could not be read yet: %s", error)
                await self._clock.sleep(_AFTER_A_FAILURE.total_seconds())
            except Exception:  # noqa: BLE001 - a task's edge: it would end unheard, and a new administrator never be met
                _log.exception("The home could not be read; again in an hour")
                await self._clock.sleep(_LOOK_AGAIN.total_seconds())
            else:
                await self._until_changed()

    async def _until_changed(self) -> None:
        """Come back soon after something changed, else in an hour."""
        hour = asyncio.create_task(self._clock.sleep(_LOOK_AGAIN.total_seconds()))
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait({hour, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hour.cancel()
            changed.cancel()
        if self._changed.is_set():
            await self._clock.sleep(_SETTLED.total_seconds())


async def _nobody(_home: Home) -> None:
    """Be told before the jobs are there."""
