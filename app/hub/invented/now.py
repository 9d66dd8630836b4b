"""The invented home as it is now, behind the same door as a hub's."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from app.clock import Clock, from_ms, to_ms
from app.errors import NeighbourError
from app.events import Events, Int32, Int64
from app.hub.invented.fittings import GRID_ENERGY
from app.hub.invented.long_term import kinds_of, spans_of
from app.hub.invented.source import InventedSource
from app.hub.now import Change, HubNotification, LiveState, LogEntry, Period, Span, StatisticKind
from app.hub.states import States
from app.model import Entity

_LONGEST_PAUSE = 60.0
_SHORTEST_PAUSE = 1.0


class InventedNow:
    """A `HomeNow`: `InventedNow(clock, source)`, then `start()`; it lives on as its clock goes."""

    def __init__(self, clock: Clock, source: InventedSource) -> None:
        self._clock = clock
        self._source = source
        self._states = States()
        self._since: datetime | None = None
        self._until = 0
        self._began = clock.now()
        self._attributes: dict[str, dict[str, Any]] = {}
        self._living: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to live. Nothing happens if it already does."""
        if self._living is None:
            self._living = asyncio.create_task(self._live(), name="the invented home")

    @property
    def since(self) -> datetime | None:
        return self._since

    def states(self) -> Mapping[str, LiveState]:
        return self._states.all()

    def listen(self, hear: Callable[[Sequence[Change]], None]) -> Callable[[], None]:
        return self._states.listen(hear)

    async def statistics(self) -> Sequence[StatisticKind]:
        return kinds_of(await self._source.describe())

    async def spans(
        self, statistic_ids: Sequence[str], since: datetime, until: datetime, period: Period
    ) -> Mapping[str, Sequence[Span]]:
        # A hub writes its figures down when an hour, or five minutes, are over.
        now = self._clock.now()
        over = _floor(now, timedelta(minutes=5) if period == "5minute" else timedelta(hours=1))
        events = (await self._source.events(now)).between(0, to_ms(over))
        home = await self._source.describe()
        return await asyncio.to_thread(spans_of, home, events, statistic_ids, since, min(until, over), period)

    async def energy_ids(self) -> Sequence[str]:
        return (GRID_ENERGY,)

    async def render(self, template: str) -> str:
        raise NeighbourError(f"the demo has no hub that could render {template[:60]!r}")

    async def log(self) -> Sequence[LogEntry]:
        at = self._began - timedelta(hours=5)
        return (
            LogEntry(
                logger="demo.garden",
                level="WARNING",
                message="Garden soil moisture (demo): no report for two days",
                first_occurred=at,
                last_occurred=at,
                count=1,
            ),
        )

    async def notifications(self) -> Sequence[HubNotification]:
        return (
            HubNotification(
                notification_id="demo_firmware",
                title="Firmware (demo)",
                message="The washing machine's socket has an update.",
                created_at=self._began - timedelta(days=1),
            ),
        )

    async def close(self) -> None:
        living, self._living = self._living, None
        if living:
            living.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await living
        self._since = None

    async def _live(self) -> None:
        home = await self._source.describe()
        self._attributes = {entity.entity_id: _attributes(entity) for entity in home.entities}
        while True:
            now = self._clock.now()
            events = await self._source.events(now)
            self._go_on(events, to_ms(now))
            self._since = self._since or now
            ahead = int(np.searchsorted(events.at, self._until))
            pause = (int(events.at[ahead]) - self._until) / 1000 if ahead < len(events) else _LONGEST_PAUSE
            await self._clock.sleep(min(max(pause, _SHORTEST_PAUSE), _LONGEST_PAUSE))

    def _go_on(self, events: Events, now: int) -> None:
        """Let everything be so that happened until now."""
        low, high = (int(place) for place in np.searchsorted(events.at, [self._until, now]))
        if self._since is None:
            self._states.set(self._as_it_is(events.take(slice(0, high))))
        else:
            self._states.set(self._as_it_becomes(events.take(slice(low, high))))
        self._until = now

    def _as_it_is(self, past: Events) -> Iterator[tuple[str, LiveState | None]]:
        """Yield each entity as the past left it."""
        by_machine = past.take(past.actor >= 0)
        for row in by_machine.take(_last_of(by_machine.actor, len(past.actors))).rows():
            if row.actor.startswith("automation."):
                self._attributes.setdefault(row.actor, {})["last_triggered"] = _written(row.at)
        for row in past.take(_last_of(past.entity, len(past.entities))).rows():
            yield row.entity_id, self._state(row.entity_id, row.state, row.at)

    def _as_it_becomes(self, news: Events) -> Iterator[tuple[str, LiveState | None]]:
        for row in news.rows():
            yield row.entity_id, self._state(row.entity_id, row.state, row.at)
            yield from self._fired(row.actor, row.at)

    def _fired(self, actor: str, at: int) -> Iterator[tuple[str, LiveState | None]]:
        """An automation says when it last was triggered."""
        automation = self._states.get(actor)
        if automation is not None and actor.startswith("automation."):
            fired = {**automation.attributes, "last_triggered": _written(at)}
            yield actor, replace(automation, attributes=fired, last_updated=from_ms(at))

    def _state(self, entity_id: str, state: str, at: int) -> LiveState:
        before = self._states.get(entity_id)
        changed = from_ms(at)
        return LiveState(
            entity_id=entity_id,
            state=state,
            attributes=before.attributes if before else self._attributes.get(entity_id, {}),
            last_changed=before.last_changed if before and before.state == state else changed,
            last_updated=changed,
        )


def _last_of(codes: Int32, size: int) -> Int64:
    """Return the place of each code's last row, in the order of the rows."""
    last = np.full(size, -1, np.int64)
    last[codes] = np.arange(len(codes))
    return np.sort(last[last >= 0])


def _attributes(entity: Entity) -> dict[str, Any]:
    """Return what a hub would say of an entity beside its state."""
    told: dict[str, Any] = {"friendly_name": entity.name}
    if entity.device_class:
        told["device_class"] = entity.device_class
    if entity.unit:
        told["unit_of_measurement"] = entity.unit
        told["state_class"] = "total_increasing" if entity.device_class == "energy" else "measurement"
    if entity.members:
        told["entity_id"] = list(entity.members)
    return told


def _written(at: int) -> str:
    return from_ms(at).isoformat()


def _floor(instant: datetime, step: timedelta) -> datetime:
    length = round(step.total_seconds() * 1000)
    return from_ms(to_ms(instant) // length * length)
