"""A home's discrete past as one table sorted by entity and time, cleaned of what is no event.

Everything later asks this table; numbers are not in it, only their instants count (see `days`).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from app.events import NUMERIC, Events, Int32, Int64, UInt8
from app.habits.localtime import Bool
from app.model import Cause

_SAME = {
    "opening": "open",
    "closing": "closed",
    "locking": "locked",
    "unlocking": "unlocked",
    "standby": "off",
}
"""States that only lead to another: the act is where it begins."""
_SILENT = frozenset({"unavailable", "unknown", "", "None", "none"})
FLAP_MS = 3_000
"""A state held for less is a flap: contacts bounce, radios repeat."""
_BLACKOUT_ENTITIES = 3
_BLACKOUT_SHARE = 0.2
_BLACKOUT_WITHIN_MS = 60_000
_BLACKOUT_AFTER_MS = 300_000


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """Columns sorted by (entity, at). Rows `starts[i]:starts[i + 1]` are entity i's.

    Each row is a true change to `state`. `real` is False where it is not to be believed as an act or a
    trigger: the first known state, the return from being unavailable, and in the minutes after a restart all
    that no person's account is linked to.
    """

    entities: tuple[str, ...]
    states: tuple[str, ...]
    starts: Int64
    entity: Int32
    state: Int32
    at: Int64
    cause: UInt8
    real: Bool

    def rows(self, entity: int) -> slice:
        return slice(int(self.starts[entity]), int(self.starts[entity + 1]))

    def code(self, state: str) -> int:
        """Return a state's code, or -2 if it never occurs."""
        return self.states.index(state) if state in self.states else -2

    @classmethod
    def of(cls, events: Events) -> Self:
        """Clean and sort. Numeric rows are left out."""
        states, lookup = _canonical(events.states)
        order = np.flatnonzero(events.state != NUMERIC)
        # They come in the order of time: to keep that within each entity is all that is needed.
        order = order[np.argsort(_short(events.entity[order], events.entities), kind="stable")]
        entity = events.entity[order]
        at = events.at[order]
        state = lookup[events.state[order]] if len(lookup) else np.empty(0, np.int32)
        gone = state < 0
        after_gone, left = np.zeros((2, len(at)), np.bool_)
        same = entity[1:] == entity[:-1]
        after_gone[1:] = gone[:-1] & same
        # What begins as unknown (a device that is added, an app's own) was never there to go away.
        left[1:] = gone[1:] & ~gone[:-1] & same
        dark = _within(at, blackouts(entity, at, left, int((~same).sum()) + 1))
        cause = events.cause[order]
        real = ~after_gone & (~dark | (cause == Cause.PERSON))
        kept = np.flatnonzero(~gone)
        # A change that merely repeats the state before it is an attribute's.
        kept = kept[_changes(entity[kept], state[kept])]
        kept = kept[_steady(entity[kept], at[kept], state[kept])]
        entity, at, state, real = entity[kept], at[kept], state[kept], real[kept]
        cause = cause[kept]
        first = np.ones(len(at), np.bool_)
        first[1:] = entity[1:] != entity[:-1]
        starts = np.searchsorted(entity, np.arange(len(events.entities) + 1)).astype(np.int64)
        return cls(
            events.entities, states, starts, entity, state, at, cause, real & ~first,
        )  # fmt: skip


def _short(entity: Int32, entities: tuple[str, ...]) -> npt.NDArray[np.integer]:
    """Return codes in 16 bits, if they fit: NumPy sorts these far faster."""
    return entity.astype(np.int16) if len(entities) <= np.iinfo(np.int16).max else entity


def blackouts(entity: Int32, at: Int64, left: Bool, entities: int) -> list[tuple[int, int]]:
    """Return the spans (ms) around a restart or an outage: many entities gone at once, and the minutes after.

    `left` is where an entity of which something was known went away.

    One entity that drops out is its own trouble; a fifth of all of them (three at least) within a minute is
    the hub's.
    """
    needed = max(_BLACKOUT_ENTITIES, int(np.ceil(_BLACKOUT_SHARE * entities)))
    rows = np.flatnonzero(left)
    rows = rows[np.argsort(at[rows], kind="stable")]
    spans: list[tuple[int, int]] = []
    times = at[rows]
    ends = np.searchsorted(times, times + _BLACKOUT_WITHIN_MS, "right")
    crowded = np.flatnonzero(ends - np.arange(len(rows)) >= needed)
    for i in crowded.tolist():
        start = int(times[i])
        if spans and start <= spans[-1][1]:
            continue
        if len(np.unique(entity[rows[i : ends[i]]])) >= needed:
            spans.append((start - _BLACKOUT_WITHIN_MS, int(times[ends[i] - 1]) + _BLACKOUT_AFTER_MS))
    return spans


def _within(at: Int64, spans: list[tuple[int, int]]) -> Bool:
    inside = np.zeros(len(at), np.bool_)
    for start, end in spans:
        inside |= (at >= start) & (at <= end)
    return inside


def _canonical(words: tuple[str, ...]) -> tuple[tuple[str, ...], Int32]:
    merged: dict[str, int] = {}
    lookup = [
        -1 if word in _SILENT else merged.setdefault(_SAME.get(word, word), len(merged)) for word in words
    ]
    return tuple(merged), np.array(lookup, np.int32)


def _changes(entity: Int32, state: Int32) -> Bool:
    changed = np.ones(len(entity), np.bool_)
    changed[1:] = (entity[1:] != entity[:-1]) | (state[1:] != state[:-1])
    return changed


def _steady(entity: Int32, at: Int64, state: Int32) -> Bool:
    """Drop a state held under FLAP_MS together with the return to the state before it."""
    keep = np.ones(len(at), np.bool_)
    if len(at) < 3:
        return keep
    brief = (
        (entity[2:] == entity[:-2]) & (state[2:] == state[:-2]) & (at[2:] - at[1:-1] < FLAP_MS)
    )  # fmt: skip
    rows = np.flatnonzero(brief) + 1
    # In a burst the flaps overlap: each second one is the return of the one before.
    last = -2
    for row in rows.tolist():
        if row - last >= 2:
            keep[row] = keep[row + 1] = False
            last = row
    return keep
