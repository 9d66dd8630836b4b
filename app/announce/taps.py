"""Taps on the buttons of our notifications, heard from the hub and dealt with one after another."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, TypeVar

from app.announce.phones import Line
from app.errors import NeighbourError

_log = logging.getLogger(__name__)
ANSWERED: Final = "mobile_app_notification_action"
_WAITING: Final = 16
T = TypeVar("T")


class Taps(Generic[T]):
    """`read` makes of a button's action and of who tapped (a user id, or empty) what `deal` is given.

    It returns None for what is not its button. A double tap meets what the first one did; what `deal` raises
    is logged, and the next tap is dealt with all the same.
    """

    def __init__(
        self, line: Line, read: Callable[[object, str], T | None], deal: Callable[[T], Awaitable[None]]
    ) -> None:
        self._line = line
        self._read = read
        self._deal = deal
        self._waiting: asyncio.Queue[T] = asyncio.Queue(_WAITING)
        self._tasks: list[asyncio.Task[None]] = []
        self._unsubscribe: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to listen; returns at once, whether there is a connection or not."""
        self._tasks = [asyncio.create_task(work, name="phone") for work in (self._listen(), self._obey())]

    async def stop(self) -> None:
        if self._unsubscribe:
            self._unsubscribe()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def put(self, item: T) -> None:
        """Let it be dealt with after what waits; too many at once are ignored."""
        try:
            self._waiting.put_nowait(item)
        except asyncio.QueueFull:
            _log.warning("Too many taps at once; ignored one")

    def hear(self, event: dict[str, Any]) -> None:
        """Take an event of the hub."""
        data, context = event.get("data"), event.get("context")
        action = data.get("action") if isinstance(data, dict) else None
        user_id = context.get("user_id") if isinstance(context, dict) else None
        item = self._read(action, user_id if isinstance(user_id, str) else "")
        if item is not None:
            self.put(item)

    @property
    def waiting(self) -> int:
        """How many are not begun with."""
        return self._waiting.qsize()

    async def _listen(self) -> None:
        try:
            self._unsubscribe = await self._line.subscribe(ANSWERED, self.hear)
        except NeighbourError as error:
            # It is subscribed all the same, with the next connection.
            _log.info("Not listening to phones yet: %s", error)

    async def _obey(self) -> None:
        while True:
            item = await self._waiting.get()
            try:
                await self._deal(item)
            except Exception:  # noqa: BLE001 - a task's edge: one tap must not be the last that is heard
                _log.exception("A tap on the phone could not be dealt with")
