"""A hub as phones need it: actions that notify, people with trackers, events. In memory."""

from collections.abc import Callable
from typing import Any

from app.errors import NeighbourError
from app.hub.errors import CommandError, ReplyError


class Hub:
    """A `phones.Line`. `fails` is raised by every command; a phone in `failing` cannot be notified."""

    def __init__(self, *phones: str, owners: dict[str, list[str]] | None = None) -> None:
        self.phones = list(phones)
        self.owners = owners or {}
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.fails: NeighbourError | None = None
        self.failing: dict[str, NeighbourError] = {}
        self.handler: Callable[[dict[str, Any]], None] | None = None

    async def command(self, kind: str, /, *, timeout_seconds: float | None = None, **fields: Any) -> Any:  # noqa: ARG002 - Line
        if self.fails:
            raise self.fails
        if kind == "get_services":
            return {"notify": {name: {} for name in ["persistent_notification", "notify", *self.phones]}}
        service = fields["service"]
        if service in self.failing:
            raise self.failing[service]
        if service not in self.phones:
            raise CommandError(kind, "not_found", "Service not found.")
        self.sent.append((service, fields["service_data"]))
        return {"context": {}}

    async def get(self, path: str) -> Any:
        person = path.removeprefix("states/")
        if person not in self.owners:
            raise ReplyError("hub: no such state", 404)
        return {"attributes": {"device_trackers": self.owners[person]}}

    async def subscribe(
        self, event_type: str, handler: Callable[[dict[str, Any]], None]
    ) -> Callable[[], None]:
        assert event_type == "mobile_app_notification_action"
        self.handler = handler

        def unsubscribe() -> None:
            self.handler = None

        return unsubscribe

    @property
    def titles(self) -> list[str]:
        return [data["title"] for _, data in self.sent]
