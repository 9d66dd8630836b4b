"""Between events as columns and rows of the `archive_event` table, and the union of two sets of events.

Blocking, but quick: the archive calls these in a thread, a batch or a day at a time.
"""

import sqlite3
from collections.abc import Iterable, Sequence

import numpy as np

from app.events import NUMERIC, Events
from app.model import Cause

Row = tuple[str, str, int, str, int, int, str]
"""home_id, entity_id, at, state, cause, context, actor."""


def to_rows(home_id: str, events: Events) -> list[Row]:
    """Return the rows to store. A number becomes the shortest text that reads back as the same float32."""
    states = np.array([*events.states, ""], object)[events.state]
    numeric = events.state == NUMERIC
    # Sensors repeat themselves: each distinct number is put into words once.
    numbers, which = np.unique(events.value[numeric], return_inverse=True)
    texts = [np.format_float_positional(number, unique=True, trim="-") for number in numbers]
    states[numeric] = np.array(texts, object)[which]
    return list(
        zip(
            [home_id] * len(events),
            np.array(events.entities, object)[events.entity].tolist(),
            events.at.tolist(),
            states.tolist(),
            events.cause.tolist(),
            events.context.tolist(),
            np.array([*events.actors, ""], object)[events.actor].tolist(),
            strict=True,
        )
    )


def from_rows(rows: Iterable[sqlite3.Row]) -> Events:
    """Read rows of entity_id, state, at, cause, context, actor, in any order."""
    return Events.of(rows)


def known(rows: Sequence[Row]) -> list[tuple[int, int, str, str, str, int, str]]:
    """Return, for the rows whose cause is known: cause, context, actor, and the row's key."""
    return [
        (cause, context, actor, home_id, entity_id, at, state)
        for home_id, entity_id, at, state, cause, context, actor in rows
        if cause != Cause.UNKNOWN
    ]


def union(kept: Events, late: Events) -> Events:
    """Return all rows of both once, by (entity, at, state).

    Of two that are the same, the one whose cause is known stays; if both or neither is, the one already kept.
    """
    both = Events.join([kept, late])
    numeric = both.state == NUMERIC
    # Adding zero makes one of the two zeros that a float has.
    bits = np.where(numeric, (both.value + np.float32(0)).view(np.int32), 0)
    order = np.lexsort((both.cause == Cause.UNKNOWN, bits, both.state, both.entity, both.at))
    new = np.ones(len(both), bool)
    keys = np.stack([both.at, both.entity, both.state, bits])[:, order]
    new[1:] = np.any(keys[:, 1:] != keys[:, :-1], axis=0)
    return both.take(np.sort(order[new]))


def same(one: Events, other: Events) -> bool:
    """Whether a union told nothing new over what it was made of: no row more, no cause learned."""
    return len(one) == len(other) and np.count_nonzero(one.cause) == np.count_nonzero(other.cause)
