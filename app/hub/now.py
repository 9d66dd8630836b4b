"""A home as it is at this moment, and its long-term figures: what statistics, alerts and insights read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

Period = Literal["5minute", "hour", "day", "month"]


@dataclass(frozen=True, slots=True)
class LiveState:
    """What an entity is now. Times are UTC; `attributes` are as the hub sent them: validate what you use.

    `last_changed` is when `state` changed, `last_updated` when anything did.
    """

    entity_id: str
    state: str
    attributes: Mapping[str, Any]
    last_changed: datetime
    last_updated: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """An entity that changed, appeared (`before` None) or went (`after` None)."""

    entity_id: str
    before: LiveState | None
    after: LiveState | None


@dataclass(frozen=True, slots=True)
class StatisticKind:
    """One long-term statistic the hub keeps. The id is an entity's, or `source:name`."""

    statistic_id: str
    name: str
    unit: str
    has_mean: bool
    has_sum: bool


@dataclass(frozen=True, slots=True)
class Span:
    """One period of a statistic (UTC, `end` exclusive); what it does not have is None."""

    start: datetime
    end: datetime
    mean: float | None = None
    min: float | None = None
    max: float | None = None
    change: float | None = None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the hub's log of warnings and errors; `count` is how often it came."""

    logger: str
    level: str
    message: str
    first_occurred: datetime
    last_occurred: datetime
    count: int


@dataclass(frozen=True, slots=True)
class HubNotification:
    """One notification that stands in the hub's side bar."""

    notification_id: str
    title: str
    message: str
    created_at: datetime


class HomeNow(Protocol):
    """What every home offers besides its past (`source.HomeSource`); the hub's, or an invented one's."""

    def start(self) -> None:
        """Begin to listen; returns at once. Nothing happens if it already does."""

    @property
    def since(self) -> datetime | None:
        """Since when `states` is true without a gap (UTC); None while the hub is away."""

    def states(self) -> Mapping[str, LiveState]:
        """Return every entity's state as last heard, by entity id; empty before the hub was ever reached."""

    def listen(self, hear: Callable[[Sequence[Change]], None]) -> Callable[[], None]:
        """Call `hear` with every batch of changes, at once; it must not block. Return what ends it.

        The first batch after a reconnect tells all that differs from what was known.
        """

    async def statistics(self) -> Sequence[StatisticKind]:
        """Return what long-term statistics there are. Raises NeighbourError."""

    async def spans(
        self, statistic_ids: Sequence[str], since: datetime, until: datetime, period: Period
    ) -> Mapping[str, Sequence[Span]]:
        """Return each statistic's periods from `since` to before `until`. Raises NeighbourError."""

    async def energy_ids(self) -> Sequence[str]:
        """Return the statistics of what is drawn from the grid, as the Energy dashboard has it; else none.

        Raises NeighbourError.
        """

    async def render(self, template: str) -> str:
        """Return what the hub makes of a template, as text.

        Raises InputError, one line, when the template is wrong; NeighbourError when the hub cannot be asked.
        """

    async def log(self) -> Sequence[LogEntry]:
        """Return the hub's log of warnings and errors, the newest first. Raises NeighbourError."""

    async def notifications(self) -> Sequence[HubNotification]:
        """Return what stands in the hub's side bar. Raises NeighbourError."""

    async def close(self) -> None:
        """Stop listening. Safe to call twice."""
