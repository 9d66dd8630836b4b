"""The button Acknowledge of an alert's notification: who tapped it takes care of it."""

import logging
from collections.abc import Callable

from app.alerts.book import AlertBook
from app.announce.alert_notice import acknowledged_id
from app.announce.notification import Notification
from app.announce.phones import Line, Phones, is_admin, tell
from app.announce.taps import Taps
from app.errors import NeighbourError, StoreError
from app.model import Home

_log = logging.getLogger(__name__)


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
        self._phones = phones
        self._book = book
        self._home_id = home_id
        self._home = home
        self._page = page
        self.taps = Taps(line, _read, self._acknowledge)

    def start(self) -> None:
        """Begin to listen; returns at once, whether there is a connection or not."""
        self.taps.start()

    async def stop(self) -> None:
        await self.taps.stop()

    async def _acknowledge(self, tap: tuple[str, str]) -> None:
        alert_id, user_id = tap
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


def _read(action: object, user_id: str) -> tuple[str, str] | None:
    """Return the alert and who tapped; None for what is no such button."""
    alert_id = acknowledged_id(action)
    return None if alert_id is None else (alert_id, user_id)
