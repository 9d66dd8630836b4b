"""Reads a home's past straight from a Home Assistant recorder database.

Read are changes of state, not of attributes; streams of numbers are left to `recorder_readings`, which hears
those that matter while the pages go by. Everything is read in short queries, because a long one would hold up
a running hub.
"""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.events import NUMERIC, Events, Float32, Int32, Int64, number_of
from app.hub.config_folder import merged, read_folder
from app.hub.recorder_causes import NO_USER, Rows, attribute_rows, context_numbers, read_ledger, user_id
from app.hub.recorder_facts import Known, home_of, known_entities
from app.hub.recorder_file import BUSY_SECONDS, RecorderFile
from app.hub.recorder_readings import Readings
from app.model import Home

_PAGE = 100_000
"""Rows looked at in one query: about 30 ms, so that a running hub is never held up."""
_LONGEST_STATE = 255
_LARGEST_KEY = 1_000_000
_CHANGED = (
    "(s.last_changed_ts IS NULL OR s.last_changed_ts = s.last_updated_ts) AND s.state <> ''"
    " AND s.last_updated_ts >= :since AND s.last_updated_ts < :until"
)
_WORD, _HEARD = 1, 2
"""What a row is wanted for: as a change of state, or as a reading that is heard and not returned."""

Progress = Callable[[int, int], None]


def read_recorder(
    path: Path,
    since: datetime | None = None,
    until: datetime | None = None,
    progress: Progress | None = None,
    *,
    busy_seconds: float = BUSY_SECONDS,
) -> tuple[Home, Events]:
    """Return the home and what happened from `since` (inclusive) to `until` (exclusive).

    The home's zone, place, areas and accounts come from the configuration folder, if the database lies in
    (a copy of) one; else the zone is UTC and the place unknown. `progress` hears rows looked at, of rows.

    Raises InputError when the file is missing, locked, damaged or no recorder database.
    """
    start = since.timestamp() if since else 0.0
    end = until.timestamp() if until else math.inf
    with RecorderFile(path, busy_seconds) as file:
        entities = known_entities(file)
        home = merged(home_of(entities), read_folder(path.parent))
        changes = _Changes([known.entity_id for known in entities])
        readings = Readings(file, [known for known in entities if known.is_numeric], start, end)
        for done, total in _scan(file, entities, changes, readings, start, end):
            if progress is not None:
                progress(done, total)
        numbers = readings.events()
        ledger = read_ledger(file, start, end)
    columns, values = changes.columns()
    who = attribute_rows(columns, ledger, home)
    acts = Events(
        columns.entities, columns.states, who.actors, columns.entity, columns.state, values,
        columns.at, who.cause, who.context, who.actor,
    )  # fmt: skip
    return home, Events.join([_without_repeats(acts), numbers])


@dataclass(slots=True)
class _Changes:
    """Columns that grow page by page; words become codes as they come."""

    names: list[str]
    words: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)
    entity: list[Int32] = field(default_factory=list)
    state: list[Int32] = field(default_factory=list)
    value: list[Float32] = field(default_factory=list)
    at: list[Int64] = field(default_factory=list)
    context: list[Int64] = field(default_factory=list)
    parent: list[Int64] = field(default_factory=list)
    user: list[Int32] = field(default_factory=list)
    first: list[npt.NDArray[np.bool_]] = field(default_factory=list)

    def add(self, rows: list[tuple[Any, ...]], codes: dict[object, int]) -> None:
        """Take one page: key, time, state, whether it has none before, context, user, parent."""
        if not rows:
            return
        keys, times, states, firsts, contexts, users, parents = zip(*rows, strict=True)
        self.entity.append(np.fromiter(map(codes.__getitem__, keys), np.int32, len(rows)))
        self.at.append(np.rint(np.array(times, np.float64) * 1000).astype(np.int64))
        for word in dict.fromkeys(states):
            self.words.setdefault(word, len(self.words))
        self.state.append(np.fromiter(map(self.words.__getitem__, states), np.int32, len(rows)))
        self.first.append(np.array(firsts, bool))
        self.context.append(context_numbers(contexts))
        self.parent.append(context_numbers(parents))
        self.user.append(self._user_codes(users))

    def _user_codes(self, users: tuple[bytes | str | None, ...]) -> Int32:
        if not any(users):  # most pages: nobody used the app
            return np.full(len(users), NO_USER, np.int32)
        known = self.users
        return np.array(
            [NO_USER if not raw else known.setdefault(user_id(raw), len(known)) for raw in users], np.int32
        )

    def columns(self) -> tuple[Rows, Float32]:
        """Return all of it sorted by time, and the numbers of the states that are numbers (else NaN)."""
        empty = np.empty(0, np.int64)
        at = np.concatenate([empty, *self.at])
        order = np.argsort(at, kind="stable")
        code = np.concatenate([empty, *self.state])[order]
        found = (number_of(word) for word in self.words)
        numbers = np.array([math.nan if number is None else number for number in found], np.float32)
        value = numbers[code]
        first = np.concatenate([np.empty(0, bool), *self.first])
        rows = Rows(
            tuple(self.names), tuple(word[:_LONGEST_STATE] for word in self.words), tuple(self.users),
            np.concatenate([empty, *self.entity])[order].astype(np.int32),
            np.where(np.isnan(value), code, NUMERIC).astype(np.int32),
            at[order],
            np.concatenate([empty, *self.context])[order],
            np.concatenate([empty, *self.parent])[order],
            np.concatenate([empty, *self.user])[order].astype(np.int32),
            # Where most rows point to none before, another program wrote them, and that says nothing.
            first[order] if 2 * np.count_nonzero(first) <= len(first) else np.zeros(len(at), bool),
        )  # fmt: skip
        return rows, value


def _scan(
    file: RecorderFile,
    entities: list[Known],
    changes: _Changes,
    readings: Readings,
    since: float,
    until: float,
) -> Iterator[tuple[int, int]]:
    """Go through all rows, page by page, in the order they were written; take what is no stream of numbers.

    The streams read in full are heard on the way: that spares going through the pages for them again.
    """
    low, high = file.ends("state_id")
    if low is None:
        return
    codes = {name: code for code, name in enumerate(changes.names)}
    by_key: dict[object, int] = {known.key: codes[known.entity_id] for known in entities}
    by_name: dict[object, int] = {known.entity_id: codes[known.entity_id] for known in entities}
    words, heard = [known for known in entities if not known.is_numeric], readings.in_full
    passes = []
    if file.layout.by_id:
        keys, close = [known.key for known in words], [known.key for known in heard]
        passes.append((by_key, *_query(file, "metadata_id", keys, close)))
    if file.layout.by_name:
        keys, close = [known.entity_id for known in words], [known.entity_id for known in heard]
        passes.append((by_name, *_query(file, "entity_id", keys, close)))
    file.calls("hear", 3, readings.hear)
    for start in range(low, high + 1, _PAGE):
        page = {"from": start, "to": start + _PAGE - 1, "since": since, "until": until}
        for key_codes, query, wanted in passes:
            changes.add(file.rows(query, page | wanted), key_codes)
        readings.end_page()
        yield min(start + _PAGE, high + 1) - low, high + 1 - low


def _query(
    file: RecorderFile, column: str, words: list[int | str], heard: list[int | str]
) -> tuple[str, dict[str, object]]:
    """Return the query for a page, with the values it needs beside the page's own."""
    kind, values = _kind(f"s.{column}", words, heard)
    only = " AND s.metadata_id IS NULL" if column == "entity_id" and file.layout.by_id else ""
    query = (
        f"SELECT s.{column}, s.last_updated_ts, s.state, s.old_state_id IS NULL,"  # noqa: S608 - our own names
        f" {file.layout.contexts('s')} FROM states s NOT INDEXED"
        # The kind first: it spares all else for most of a recorder's rows, which are numbers nobody wants.
        f" WHERE s.state_id BETWEEN :from AND :to AND {kind} > x'00'{only} AND {_CHANGED}"
        # Last, because it hears what all else lets through.
        f" AND CASE {kind} WHEN x'{_HEARD:02}' THEN hear(s.{column}, s.last_updated_ts, s.state) ELSE 1 END"
    )
    return query, values


def _kind(column: str, words: list[int | str], heard: list[int | str]) -> tuple[str, dict[str, object]]:
    """Return the SQL for what a row is wanted for, a byte of `_WORD` or `_HEARD`, with the values for it.

    Looking into a table of bytes takes SQLite half the time of looking into a list. (A key of no entity is
    beyond its end, which is no byte: less than any.)
    """
    keys = [*words, *heard]
    numbers = [key for key in keys if isinstance(key, int) and 0 <= key <= _LARGEST_KEY]
    if not keys or len(numbers) < len(keys):
        lists: dict[str, object] = {"words": json.dumps(words), "heard": json.dumps(heard)}
        among = column + " IN (SELECT value FROM json_each(:{}))"  # noqa: S608 - our own names
        kind = f"CASE WHEN {among.format('words')} THEN x'{_WORD:02}'"
        return f"{kind} WHEN {among.format('heard')} THEN x'{_HEARD:02}' END", lists
    table = np.zeros(max(numbers) + 1, np.uint8)
    table[numbers[: len(words)]] = _WORD
    table[numbers[len(words) :]] = _HEARD
    return f"substr(:wanted, {column} + 1, 1)", {"wanted": table.tobytes()}


def _without_repeats(events: Events) -> Events:
    """Drop rows that say again what the entity's row before said: a hub writes such ones when it starts."""
    if not len(events):
        return events
    order = np.lexsort((np.arange(len(events)), events.entity))
    entity, state, value = events.entity[order], events.state[order], events.value[order]
    same = (entity[1:] == entity[:-1]) & (state[1:] == state[:-1])
    same &= (state[1:] != NUMERIC) | (value[1:] == value[:-1])
    keep = np.ones(len(events), bool)
    keep[order[1:][same]] = False
    return events.take(keep)
