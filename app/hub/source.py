"""Where a home and its past are read from: a hub, a recorder file, a download, or an invented home."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.events import Events
from app.model import Home


@dataclass(frozen=True, slots=True)
class Slice:
    """A stretch of the past: everything that changed since the slice before, up to `until` (UTC, exclusive).

    A reader that has kept the events may move its watermark to `until`, also when there were none.
    """

    events: Events
    until: datetime


class HomeSource(Protocol):
    """What every reader of homes offers."""

    async def describe(self) -> Home:
        """Return the home as it is now.

        Raises NeighbourError when it cannot be reached, InputError when what it is read from is unusable.
        """

    def history(self, home: Home, since: datetime, until: datetime) -> AsyncIterator[Slice]:
        """Yield what changed from `since` (inclusive) to `until` (exclusive), oldest first, in small slices.

        Raises as `describe` does; what was yielded before stays good.
        """

    async def close(self) -> None:
        """Let go of connections and files. Safe to call twice."""
