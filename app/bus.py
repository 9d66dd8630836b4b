"""The in-process bus: capabilities announce plain events upward, faces subscribe."""

import logging
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

_log = logging.getLogger(__name__)
E = TypeVar("E")


class Bus:
    """Hands an announced event to whoever subscribed to its class, at once, in order of subscription.

    Handlers must not block and must not raise; one that raises is logged and the others still hear it.
    Call from the event loop only.
    """

    def __init__(self) -> None:
        self._handlers: defaultdict[type, list[Callable[[Any], None]]] = defaultdict(list)

    def subscribe(self, kind: type[E], handler: Callable[[E], None]) -> Callable[[], None]:
        """Call `handler` with every announced `kind`; return the function that ends it."""
        self._handlers[kind].append(handler)

        def unsubscribe() -> None:
            if handler in self._handlers[kind]:
                self._handlers[kind].remove(handler)

        return unsubscribe

    def announce(self, event: object) -> None:
        for handler in tuple(self._handlers[type(event)]):
            try:
                handler(event)
            except Exception:  # noqa: BLE001 - the edge: one listener's fault is not the announcer's
                _log.exception("A listener failed on %s", type(event).__name__)
