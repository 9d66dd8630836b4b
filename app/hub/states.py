"""The states of a home as last heard, and whoever is told of every change."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from app.hub.now import Change, LiveState

_log = logging.getLogger(__name__)

Hear = Callable[[Sequence[Change]], None]
_MOST_ENTITIES = 20_000


class States:
    """Every entity's state by its id; at most 20,000 of them."""

    def __init__(self) -> None:
        self._states: dict[str, LiveState] = {}
        self._seen: Mapping[str, LiveState] | None = None
        self._listeners: dict[object, Hear] = {}

    def all(self) -> Mapping[str, LiveState]:
        """Return every state by entity id; what is returned does not change afterwards."""
        if self._seen is None:
            self._seen = MappingProxyType(dict(self._states))
        return self._seen

    def get(self, entity_id: str) -> LiveState | None:
        return self._states.get(entity_id)

    def listen(self, hear: Hear) -> Callable[[], None]:
        """Call `hear` with every batch of changes; return what ends it."""
        key = object()
        self._listeners[key] = hear

        def end() -> None:
            self._listeners.pop(key, None)

        return end

    def set(self, news: Iterable[tuple[str, LiveState | None]]) -> None:
        """Take over what entities are now, None for one that went, and tell all that differs in one batch."""
        changes = [change for entity_id, after in news if (change := self._set(entity_id, after)) is not None]
        if not changes:
            return
        self._seen = None
        for hear in tuple(self._listeners.values()):
            try:
                hear(changes)
            except Exception:  # noqa: BLE001 - one listener's fault must not keep the change from the others
                _log.exception("A listener to the home's states failed")

    def _set(self, entity_id: str, after: LiveState | None) -> Change | None:
        before = self._states.get(entity_id)
        if after == before:
            return None
        if after is None:
            del self._states[entity_id]
        elif before is None and len(self._states) >= _MOST_ENTITIES:
            return None
        else:
            self._states[entity_id] = after
        return Change(entity_id, before, after)
