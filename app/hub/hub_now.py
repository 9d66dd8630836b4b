"""A real hub's home as it is now."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from app.clock import Clock
from app.hub.client import Hub
from app.hub.hub_log import read_log, read_notifications
from app.hub.long_term import read_energy_ids, read_kinds, read_spans
from app.hub.mirror import Mirror
from app.hub.names import plain_name, readable_name
from app.hub.now import Change, HubNotification, LiveState, LogEntry, Period, Span, StatisticKind
from app.hub.templates import render


class HubNow:
    """A `HomeNow`: `HubNow(hub, clock)`, then `start()`; `close()` before the hub is closed."""

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self._hub = hub
        self._mirror = Mirror(hub, clock)

    def start(self) -> None:
        """Begin listening, from the next connection on if there is none just now. It does not wait."""
        self._mirror.start()

    @property
    def since(self) -> datetime | None:
        return self._mirror.since

    def states(self) -> Mapping[str, LiveState]:
        return self._mirror.states.all()

    def listen(self, hear: Callable[[Sequence[Change]], None]) -> Callable[[], None]:
        return self._mirror.states.listen(hear)

    async def statistics(self) -> Sequence[StatisticKind]:
        return [self._named(kind) for kind in await read_kinds(self._hub)]

    async def spans(
        self, statistic_ids: Sequence[str], since: datetime, until: datetime, period: Period
    ) -> Mapping[str, Sequence[Span]]:
        return await read_spans(self._hub, statistic_ids, since, until, period)

    async def energy_ids(self) -> Sequence[str]:
        return await read_energy_ids(self._hub)

    async def render(self, template: str) -> str:
        return await render(self._hub, template)

    async def log(self) -> Sequence[LogEntry]:
        return await read_log(self._hub)

    async def notifications(self) -> Sequence[HubNotification]:
        return await read_notifications(self._hub)

    def _named(self, kind: StatisticKind) -> StatisticKind:
        """The hub names no statistic that is an entity's: the entity has a name."""
        if kind.name:
            return kind
        state = self._mirror.states.get(kind.statistic_id)
        name = plain_name(state.attributes.get("friendly_name")) if state else ""
        return replace(kind, name=name or readable_name(kind.statistic_id))

    async def close(self) -> None:
        self._mirror.close()
