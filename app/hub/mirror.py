"""What every entity of the hub is at this moment, kept true by what the hub tells (`subscribe_entities`).

Contract: Home Assistant's `websocket_api` sends every state once, then compressed differences: `a` (appeared,
or all at first), `c` (changed: `+` what is new, `-` attributes that went), `r` (went). `s` is the state, `a`
the attributes, `lc` last_changed and `lu` last_updated in seconds since 1970; without `lu` they are the same.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from app.clock import Clock
from app.hub.client import Hub
from app.hub.exchange import Subscription
from app.hub.now import LiveState
from app.hub.states import States

_LONGEST_STATE = 255
_LONGEST_TEXT = 500
_MOST_ATTRIBUTES = 100
_MOST_VALUES = 100
_DEEPEST = 3


class Mirror:
    """The states of one hub, from `start` on.

    Attributes are bounded: text of more than 500 characters, collections of more than 100 values and what is
    nested deeper than three levels are left out (pictures, forecasts), as is all beyond 100 attributes.
    """

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self._hub = hub
        self._clock = clock
        self.states: Final = States()
        self._since: datetime | None = None
        self._end: Callable[[], None] | None = None

    @property
    def since(self) -> datetime | None:
        """Since when the states are true without a gap (UTC); None while the hub is away."""
        return self._since

    def start(self) -> None:
        """Begin listening. Nothing happens if it already does."""
        if self._end is None:
            told = Subscription("subscribe_entities", {}, self.hear, begins=self._away, ends=self._away)
            self._end = self._hub.listen(told)

    def close(self) -> None:
        """Listen no more. Safe to call twice."""
        end, self._end = self._end, None
        if end:
            end()
        self._away()

    def _away(self) -> None:
        self._since = None

    def hear(self, event: dict[str, Any]) -> None:
        """Take in one event of the subscription; the first after the hub was asked tells all there is."""
        if self._since is not None:
            self.states.set(self._followed(event))
            return
        self._since = self._clock.now()
        self.states.set(self._replaced(_part(event, "a")))

    def _replaced(self, told: Mapping[str, Any]) -> Iterator[tuple[str, LiveState | None]]:
        for gone in self.states.all().keys() - told.keys():
            yield gone, None
        for entity_id, said in told.items():
            if after := _whole(entity_id, said):
                yield entity_id, after

    def _followed(self, event: Mapping[str, Any]) -> Iterator[tuple[str, LiveState | None]]:
        gone = event.get("r")
        for entity_id in gone if isinstance(gone, list) else ():
            if isinstance(entity_id, str):
                yield entity_id, None
        for entity_id, said in _part(event, "a").items():
            if after := _whole(entity_id, said):
                yield entity_id, after
        for entity_id, said in _part(event, "c").items():
            if before := self.states.get(entity_id):
                yield entity_id, _changed(before, said)


def _part(said: Any, key: str) -> Mapping[str, Any]:
    part = said.get(key) if isinstance(said, dict) else None
    return part if isinstance(part, dict) else {}


def _whole(entity_id: str, said: Any) -> LiveState | None:
    """Return the state that is told in full, or None where what is told is none."""
    if not isinstance(said, dict):
        return None
    state, changed = said.get("s"), _instant(said.get("lc"))
    if not isinstance(state, str) or changed is None:
        return None
    return LiveState(
        entity_id=entity_id,
        state=state[:_LONGEST_STATE],
        attributes=_bounded(_part(said, "a")),
        last_changed=changed,
        last_updated=_instant(said.get("lu")) or changed,
    )


def _changed(before: LiveState, said: Any) -> LiveState:
    """Return the state after what is told of its change."""
    new, gone = _part(said, "+"), _part(said, "-").get("a")
    state = new.get("s")
    changed = _instant(new.get("lc"))
    attributes = before.attributes
    added = _part(new, "a")
    if added or gone:
        left_out = set(gone) if isinstance(gone, list) else set()
        # A value that has grown too large must not leave the old one standing.
        kept = {name: value for name, value in attributes.items() if name not in left_out | added.keys()}
        attributes = _bounded({**kept, **added})
    return LiveState(
        entity_id=before.entity_id,
        state=state[:_LONGEST_STATE] if isinstance(state, str) else before.state,
        attributes=attributes,
        last_changed=changed or before.last_changed,
        last_updated=changed or _instant(new.get("lu")) or before.last_updated,
    )


def _instant(seconds: Any) -> datetime | None:
    if not isinstance(seconds, int | float) or not math.isfinite(seconds) or not 0 <= seconds < 1e11:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _bounded(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = {name: value for name, value in attributes.items() if _room(value) >= 0}
    return dict(islice(kept.items(), _MOST_ATTRIBUTES)) if len(kept) > _MOST_ATTRIBUTES else kept


def _room(value: Any, deeper: int = _DEEPEST, left: int = _MOST_VALUES) -> int:
    """Return how many values more there is room for after this one; less than 0: it is too large."""
    if isinstance(value, str):
        return left if len(value) <= _LONGEST_TEXT else -1
    if not isinstance(value, list | dict):
        return left
    left -= len(value)
    if left < 0 or (value and not deeper):
        return -1
    for inner in value.values() if isinstance(value, dict) else value:
        left = _room(inner, deeper - 1, left)
        if left < 0:
            return left
    return left
