"""The phones with Home Assistant's app: which there are, whose they are, and notifying them."""

import logging
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from app.announce.notification import Notification
from app.errors import NeighbourError
from app.hub.errors import ReplyError
from app.model import Home, Person

_log = logging.getLogger(__name__)
_SERVICE = "notify.mobile_app_"
_TRACKER = "device_tracker."


class Line(Protocol):
    """What is needed of the hub (`hub.client.Hub`)."""

    async def command(self, kind: str, /, *, timeout_seconds: float | None = None, **fields: Any) -> Any:
        """Send a command."""

    async def get(self, path: str) -> Any:
        """Read over REST."""

    async def subscribe(
        self, event_type: str, handler: Callable[[dict[str, Any]], None]
    ) -> Callable[[], None]:
        """Listen to events."""


class Phones:
    """Notifies phones through their `notify.mobile_app_…` actions.

    `wanted` are those of the options; none means the phones of administrators, or all where it
    is not known whose they are.
    """

    def __init__(self, line: Line, wanted: Iterable[str] = ()) -> None:
        self._line = line
        self._wanted = tuple(wanted)

    async def chosen(self, home: Home | None) -> tuple[str, ...]:
        """Return the phones that are told. Raises NeighbourError.

        Those of the options are returned even if the hub does not know them: notifying them says so.
        """
        found = await self._found()
        if self._wanted:
            return self._wanted
        admins = [person for person in home.persons if is_admin(home, person.user_id or "")] if home else []
        return await self._theirs(admins, found) or found

    async def of_user(self, home: Home, user_id: str) -> tuple[str, ...]:
        """Return a user's own phones; none where they are not known. Raises NeighbourError."""
        persons = [person for person in home.persons if user_id and person.user_id == user_id]
        return await self._theirs(persons, await self._found())

    async def send(self, phone: str, notification: Notification) -> None:
        """Notify one phone.

        Raises NoReplyError when it is not known whether it was, any other NeighbourError when it was not.
        """
        domain, _, service = phone.partition(".")
        await self._line.command(
            "call_service", domain=domain, service=service, service_data=notification.data()
        )

    async def _found(self) -> tuple[str, ...]:
        said = await self._line.command("get_services")
        notify = said.get("notify") if isinstance(said, dict) else None
        names = sorted(f"notify.{name}" for name in notify) if isinstance(notify, dict) else []
        return tuple(name for name in names if name.startswith(_SERVICE))

    async def _theirs(self, persons: Iterable[Person], found: tuple[str, ...]) -> tuple[str, ...]:
        """Return the phones that stand for these people: the app names tracker and action after the phone."""
        names = {name for person in persons for name in await self._trackers(person.entity_id)}
        return tuple(phone for phone in found if phone.removeprefix(_SERVICE) in names)

    async def _trackers(self, entity_id: str) -> list[str]:
        try:
            said = await self._line.get(f"states/{entity_id}")
        except ReplyError as error:
            if error.status == 404:
                return []
            raise
        attributes = said.get("attributes") if isinstance(said, dict) else None
        trackers = attributes.get("device_trackers") if isinstance(attributes, dict) else None
        known = [one for one in trackers if isinstance(one, str)] if isinstance(trackers, list) else []
        return [one.removeprefix(_TRACKER) for one in known]


async def tell(phones: Phones, all_of: Iterable[str], notification: Notification) -> None:
    """Notify several phones; one that cannot be is logged."""
    for phone in dict.fromkeys(all_of):
        try:
            await phones.send(phone, notification)
        except NeighbourError as error:
            _log.warning("%s was not notified: %s", phone, error)


def is_admin(home: Home, user_id: str) -> bool:
    """Return whether that user may decide in this home."""
    return bool(user_id) and any(
        user.id == user_id and user.is_active and (user.is_admin or user.is_owner) for user in home.users
    )
