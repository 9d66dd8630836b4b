"""What was heard since this process started: since when things are as they are, and how often used."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from app.hub.now import Change, LiveState

USED: Final = frozenset({"on", "open", "unlocked", "playing"})
"""The states whose beginning is a use."""
_UNUSABLE: Final = frozenset({"unavailable", "unknown"})
_HOUR: Final = timedelta(hours=1)
_MOST: Final = 20_000


class Recent:
    """Fed by every change (`hear`); cheap, never blocks, bounded by the number of entities."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[str, datetime]] = {}
        self._uses: dict[str, list[datetime]] = {}

    def hear(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.after is None:
                self._since.pop(change.entity_id, None)
                self._uses.pop(change.entity_id, None)
            elif change.before is not None:
                self._changed(change.before, change.after)

    def _changed(self, before: LiveState, after: LiveState) -> None:
        if after.state in _UNUSABLE:
            # What it was is kept: it comes back as the same open door, not as one that was just opened.
            if before.state not in _UNUSABLE:
                self._keep(before)
        elif before.state == after.state:
            # It changed to and fro while the hub was away, or the hub began anew: the later time is safe.
            if after.last_changed > before.last_changed:
                self._since[after.entity_id] = (after.state, after.last_changed)
        elif before.state not in _UNUSABLE:
            self._keep(after)
            if after.state in USED:
                self._use(after)
        elif (known := self._since.get(after.entity_id)) and known[0] != after.state:
            self._keep(after)

    def since(self, live: LiveState) -> datetime:
        """Return since when an entity is in its state, never later than the hub says."""
        known = self._since.get(live.entity_id)
        if known is not None and known[0] == live.state:
            return min(known[1], live.last_changed)
        return live.last_changed

    def uses(self, entity_id: str, now: datetime) -> int:
        """Return how often it was used in the last hour: at least so often, as far as it was heard."""
        first = now - _HOUR
        return sum(1 for at in self._uses.get(entity_id, ()) if at > first)

    def used(self) -> list[str]:
        return list(self._uses)

    def _keep(self, live: LiveState) -> None:
        known = self._since.get(live.entity_id)
        if (known is None or known[0] != live.state) and len(self._since) < _MOST:
            self._since[live.entity_id] = (live.state, live.last_changed)
        elif known is not None and known[0] == live.state:
            self._since[live.entity_id] = (live.state, min(known[1], live.last_changed))

    def _use(self, live: LiveState) -> None:
        uses = self._uses.setdefault(live.entity_id, [])
        uses.append(live.last_changed)
        first = live.last_changed - _HOUR
        if uses[0] <= first or len(uses) > 2000:
            self._uses[live.entity_id] = [at for at in uses if at > first][-2000:]
