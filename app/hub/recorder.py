"""Reads a home's past straight from a Home Assistant recorder database.

Read are changes of state, not of attributes. Streams of numbers, most of a recorder's rows, are thinned to
one reading per entity and stretch of time, and are found through an index so that the others are never
looked at. Everything is read in short queries, because a long one would hold up a running hub.
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

from app.events import NUMERIC, Event, Events, Float32, Int32, Int64, number_of
from app.hub.config_folder import merged, read_folder
from app.hub.recorder_causes import NO_USER, Rows, attribute_rows, context_numbers, read_ledger, user_id
from app.hub.recorder_facts import Known, home_of, known_entities
from app.hub.recorder_file import BUSY_SECONDS, RecorderFile
from app.model import Home

_PAGE = 100_000
"""Rows looked at in one query: about 30 ms, so that a running hub is never held up."""
_READINGS = 30_000
_THINNED_TO_MINUTES = (5, 15, 30, 60, 120, 240, 480, 1440)
_LONGEST_STATE = 255
_CHANGED = (
    "(s.last_changed_ts IS NULL OR s.last_changed_ts = s.last_updated_ts) AND s.state <> ''"
    " AND s.last_updated_ts >= :since AND s.last_updated_ts < :until"
)

_BY_SEEK = """
WITH RECURSIVE found(at) AS (
  SELECT MIN(last_updated_ts) FROM states
   WHERE {key} = :of AND last_updated_ts >= :since AND last_updated_ts < :until
  UNION ALL
  SELECT (SELECT MIN(last_updated_ts) FROM states WHERE {key} = :of AND last_updated_ts < :until
            AND last_updated_ts >= (CAST(found.at / :step AS INTEGER) + 1) * :step)
    FROM found WHERE found.at IS NOT NULL)
SELECT found.at, s.state FROM found JOIN states s ON s.{key} = :of AND s.last_updated_ts = found.at
"""
"""One seek in Home Assistant's own index for each reading, however many lie between two."""
_BY_SCAN = """
SELECT MIN(last_updated_ts), state FROM states
 WHERE {key} = :of AND last_updated_ts >= :since AND last_updated_ts < :until
 GROUP BY CAST(last_updated_ts / :step AS INTEGER)
"""

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
        for done, total in _scan(file, entities, changes, start, end):
            if progress is not None:
                progress(done, total)
        readings = _readings(file, [known for known in entities if known.is_numeric], start, end)
        ledger = read_ledger(file, start, end)
    columns, values = changes.columns()
    who = attribute_rows(columns, ledger, home)
    acts = Events(
        columns.entities, columns.states, who.actors, columns.entity, columns.state, values,
        columns.at, who.cause, who.context, who.actor,
    )  # fmt: skip
    return home, Events.join([_without_repeats(acts), readings])


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
        words = self.words
        code = np.fromiter((words.setdefault(word, len(words)) for word in states), np.int32, len(rows))
        self.state.append(code)
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
    file: RecorderFile, entities: list[Known], changes: _Changes, since: float, until: float
) -> Iterator[tuple[int, int]]:
    """Go through all rows of what is no stream of numbers, page by page, in the order they were written."""
    ((low, high),) = file.rows("SELECT MIN(state_id), MAX(state_id) FROM states")
    if low is None:
        return
    codes = {name: code for code, name in enumerate(changes.names)}
    by_key: dict[object, int] = {known.key: codes[known.entity_id] for known in entities}
    by_name: dict[object, int] = {known.entity_id: codes[known.entity_id] for known in entities}
    numbers = [known for known in entities if known.is_numeric]
    passes = []
    if file.layout.by_id:
        passes.append(("metadata_id", by_key, [known.key for known in numbers]))
    if file.layout.by_name:
        passes.append(("entity_id", by_name, [known.entity_id for known in numbers]))
    values = {"since": since, "until": until}
    for start in range(low, high + 1, _PAGE):
        page = {"from": start, "to": start + _PAGE - 1}
        for column, key_codes, left_out in passes:
            only = " AND s.metadata_id IS NULL" if column == "entity_id" and file.layout.by_id else ""
            query = (
                f"SELECT s.{column}, s.last_updated_ts, s.state, s.old_state_id IS NULL,"  # noqa: S608 - our own names
                f" {file.layout.contexts('s')} FROM states s NOT INDEXED"
                f" WHERE s.state_id BETWEEN :from AND :to"
                # First, because it spares all else for the streams of numbers, most of a recorder's rows.
                f" AND s.{column} NOT IN (SELECT value FROM json_each(:left_out)) AND {_CHANGED}{only}"
            )
            rows = file.rows(query, values | page | {"left_out": json.dumps(left_out)})
            changes.add([row for row in rows if row[0] in key_codes], key_codes)
        yield min(start + _PAGE, high + 1) - low, high + 1 - low


def _readings(file: RecorderFile, streams: list[Known], since: float, until: float) -> Events:
    """Return the first reading of each stretch of time of each stream of numbers.

    The stretch is as short as leaves about `_READINGS` of them: five minutes to a day.
    """
    ((first, last),) = file.rows("SELECT MIN(last_updated_ts), MAX(last_updated_ts) FROM states")
    if first is None or not streams:
        return Events.empty()
    start, end = max(since, first), min(until, last + 1)
    seconds = 60.0 * _THINNED_TO_MINUTES[-1]
    for minutes in _THINNED_TO_MINUTES:
        if len(streams) * (end - start) / (60 * minutes) <= _READINGS:
            seconds = 60.0 * minutes
            break
    found: list[Event] = []
    values = {"since": start, "until": end, "step": seconds}
    for known in streams:
        column = "entity_id" if isinstance(known.key, str) else "metadata_id"
        query = (_BY_SEEK if file.layout.indexed else _BY_SCAN).format(key=column)
        found.extend(
            Event(known.entity_id, state, round(at * 1000))
            for at, state in file.rows(query, values | {"of": known.key})
            if state is not None and number_of(state) is not None
        )
    return Events.of(found)


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
