"""Notifications in the hub's side bar (Home Assistant's actions of `persistent_notification`)."""

from typing import Final

from app.hub.client import Hub
from app.hub.names import plain_name

_LONGEST_TITLE: Final = 200
_LONGEST_MESSAGE: Final = 4000


class PersistentNotifications:
    """Raises, changes and takes away notifications: `PersistentNotifications(hub)`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def create(self, notification_id: str, title: str, message: str) -> None:
        """Let that notification stand; one of the same id is replaced. The message is Markdown.

        Raises NeighbourError.
        """
        await self._call(
            "create",
            notification_id=notification_id,
            title=plain_name(title)[:_LONGEST_TITLE],
            message=message[:_LONGEST_MESSAGE],
        )

    async def dismiss(self, notification_id: str) -> None:
        """Take that notification away; nothing happens if it does not stand. Raises NeighbourError."""
        await self._call("dismiss", notification_id=notification_id)

    async def _call(self, service: str, **data: str) -> None:
        await self._hub.command(
            "call_service", domain="persistent_notification", service=service, service_data=data
        )
