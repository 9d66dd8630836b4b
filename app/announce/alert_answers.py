"""The button Acknowledge of an alert's notification: who tapped it takes care of it."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from app.alerts.book import AlertBook
from app.announce.alert_notice import acknowledged_id
from app.announce.notification import Notification
from app.announce.phone import ANSWERED
from app.announce.phones import Line, Phones, is_admin, tell
from app.errors import NeighbourError, StoreError
from app.model import Home

_log = logging.getLogger(__name__)
_WAITING: Final = 16


class AlertAnswers:
    """Hears the button; only an administrator is obeyed, as on the page. What follows tells itself."""

    def __init__(
        self,
        line: Line,
        phones: Phones,
        book: AlertBook,
        *,
        home_id: str,
        home: Callable[[], Home | None],
        page: Callable[[], str],
    ) -> None:
        self._line = line
        self._phones = phones
        self._book = book
        self._home_id = home_id
        self._home = home
        self._page = page
        self._taps: asyncio.Queue[tuple[str, str]] = asyncio.Queue(_WAITING)
        self._tasks: list[asyncio.Task[None]] = []
        self._unsubscribe: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to listen; returns at once, whether there is a connection or not."""
        works = (self._listen(), self._obey())
        self._tasks = [asyncio.create_task(work, name="alerts: the phone") for work in works]

    async def stop(self) -> None:
        if self._unsubscribe:
            self._unsubscribe()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def hear(self, event: dict[str, Any]) -> None:
        """Take an event of the hub; what is no such button is left alone."""
        data, context = event.get("data"), event.get("context")
        alert_id = acknowledged_id(data.get("action") if isinstance(data, dict) else None)
        user_id = context.get("user_id") if isinstance(context, dict) else None
        if alert_id is None:
            return
        try:
            self._taps.put_nowait((alert_id, user_id if isinstance(user_id, str) else ""))
        except asyncio.QueueFull:
            _log.warning("Too many taps at once; ignored one")

    async def _listen(self) -> None:
        try:
            self._unsubscribe = await self._line.subscribe(ANSWERED, self.hear)
        except NeighbourError as error:
            # It is subscribed all the same, with the next connection.
            _log.info("Not listening to phones yet: %s", error)

    async def _obey(self) -> None:
        while True:
            alert_id, user_id = await self._taps.get()
            try:
                await self._acknowledge(alert_id, user_id)
            except Exception:  # noqa: BLE001 - a task's edge: one tap must not be the last that is heard
                _log.exception("A tap on the phone could not be dealt with")

    async def _acknowledge(self, alert_id: str, user_id: str) -> None:
        home = self._home()
        if home is None:
            _log.warning("Ignored a tap: Home Assistant has not told yet who is an administrator")
            return
        if not is_admin(home, user_id):
            _log.warning("Ignored a tap by somebody who is no administrator")
            await self._say(home, user_id, "Only an administrator of Home Assistant can do this.")
            return
        try:
            if await self._book.acknowledge(self._home_id, alert_id, user_id) is None:
                await self._say(home, user_id, "There is no such alert any more.")
        except StoreError as error:
            await self._say(home, user_id, f"{error}")

    async def _say(self, home: Home, user_id: str, why: str) -> None:
        """Say it to whoever tapped; where that is not known, to nobody."""
        try:
            own = await self._phones.of_user(home, user_id)
        except NeighbourError as error:
            _log.warning("The answer to a tap reached no phone: %s", error)
            return
        page = f"{self._page()}/alerts" if self._page() else ""
        await tell(self._phones, own, Notification("Not acknowledged", why, page, tag="nightshift_alert"))
