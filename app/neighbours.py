"""How our neighbours are (hub, broker, model, mail): kept in one place, shown on the page.

A failing neighbour never takes the rest down; a change of state is logged once, not every try.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.bus import Bus
from app.clock import Clock

_log = logging.getLogger(__name__)


class NeighbourState(StrEnum):
    """What is known of a neighbour."""

    OFF = "off"
    """Not set up: nothing is tried."""
    TRYING = "trying"
    """Being reached for the first time, or again after a loss."""
    OK = "ok"
    FAILED = "failed"
    """The last try failed; the message says why, and it is tried again."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One neighbour as of now. `name` is `hub`, `broker`, `model` or `mail`; `since` is UTC."""

    name: str
    state: NeighbourState
    message: str
    since: datetime


@dataclass(frozen=True, slots=True)
class NeighbourChanged:
    """Announced when a neighbour's state or message changes."""

    neighbour: Neighbour


class Neighbours:
    """The board of neighbours."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._board: dict[str, Neighbour] = {}

    def set(self, name: str, state: NeighbourState, message: str = "") -> None:
        """Record how a neighbour is; the same again changes nothing."""
        known = self._board.get(name)
        if known and known.state == state and known.message == message:
            return
        same = known is not None and known.state == state
        since = known.since if same and known is not None else self._clock.now()
        neighbour = Neighbour(name, state, message, since)
        self._board[name] = neighbour
        if not same:
            level = logging.WARNING if state is NeighbourState.FAILED else logging.INFO
            _log.log(level, "%s: %s%s", name, state, f" ({message})" if message else "")
        self._bus.announce(NeighbourChanged(neighbour))

    def get(self, name: str) -> Neighbour:
        return self._board.get(name) or Neighbour(name, NeighbourState.OFF, "", self._clock.now())

    def all(self) -> list[Neighbour]:
        return [self._board[name] for name in sorted(self._board)]
