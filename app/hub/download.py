"""Reads a history download: the CSV file that Home Assistant's History page gives.

Its columns are `entity_id,state,last_changed`; times are ISO 8601 with `Z` or an offset. It tells neither who
acted nor anything about the home, so causes are unknown and names are made from entity ids.
"""

import csv
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import numpy as np

from app.errors import InputError
from app.events import NO_ACTOR, NUMERIC, Events, number_of
from app.hub.names import readable_name
from app.model import Cause, Entity, Home, Person

_COLUMNS = ("entity_id", "state", "last_changed")
_LONGEST_LINE = 100_000
_LONGEST_STATE = 255
_MOST_LINES = 50_000_000
_GZIP = b"\x1f\x8b"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_download(path: Path, since: datetime | None = None, until: datetime | None = None) -> Events:
    """Return what happened from `since` (inclusive) to `until` (exclusive).

    Raises InputError, naming the line, when something in it cannot be read: nothing is left out silently.
    """
    start = since.timestamp() if since else -math.inf
    end = until.timestamp() if until else math.inf
    columns = _Columns()
    with _opened(path) as file:
        try:
            for line, entity_id, state, text in _lines(file, path.name):
                try:
                    at = columns.time(text)
                except ValueError as error:
                    raise InputError(f"{path.name}, line {line}: {error}") from error
                if start <= at < end:
                    columns.add(entity_id, state, at)
        except UnicodeDecodeError as error:
            raise InputError(f"{path.name} is no text file in UTF-8") from error
        except OSError as error:
            raise InputError(f"{path.name} cannot be read ({error.strerror})") from error
    return columns.events()


def home_from_events(events: Events) -> Home:
    """Return a home of the entities that occur, named after their ids; zone and place stay unknown."""
    ids = sorted(events.entities)
    return Home(
        entities=tuple(Entity(entity_id=found, name=readable_name(found)) for found in ids),
        persons=tuple(
            Person(entity_id=found, name=readable_name(found)) for found in ids if found.startswith("person.")
        ),
    )


def _opened(path: Path) -> TextIO:
    try:
        if path.is_dir():
            raise InputError(f"{path.name} is a folder: give the downloaded CSV file")
        with path.open("rb") as file:
            start = file.read(4096)
        if not start.strip():
            raise InputError(f"{path.name} is empty")
        if start.startswith(_GZIP):
            raise InputError(f"{path.name} is compressed: unpack it first")
        if b"\0" in start:
            raise InputError(f"{path.name} is no text file; a recorder database is read with --recorder")
        return path.open(encoding="utf-8-sig", newline="")
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path.name}") from error
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror})") from error


def _lines(file: TextIO, name: str) -> Iterator[tuple[int, str, str, str]]:
    """Yield line number, entity id, state and time of each record."""
    reader = csv.reader(_bounded(file, name), strict=True)
    try:
        header = [word.strip().lower() for word in next(reader)]
        missing = [column for column in _COLUMNS if column not in header]
        if missing:
            raise InputError(
                f"{name}, line 1: no column {' and no column '.join(missing)}; "
                f"a history download begins with {','.join(_COLUMNS)}"
            )
        entity, state, changed = (header.index(column) for column in _COLUMNS)
        width = len(header)
        for record in reader:
            if not record:
                continue
            if len(record) != width:
                raise InputError(
                    f"{name}, line {reader.line_num}: {len(record)} fields where the header has {width}"
                )
            entity_id = record[entity].strip()
            if "." not in entity_id:
                raise InputError(f"{name}, line {reader.line_num}: {entity_id[:80]!r} is no entity id")
            yield reader.line_num, entity_id, record[state], record[changed]
    except csv.Error as error:
        raise InputError(f"{name}, line {reader.line_num}: {error}") from error


def _bounded(file: TextIO, name: str) -> Iterator[str]:
    """Yield lines, none of which can fill the memory."""
    number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        if len(line) >= _LONGEST_LINE:
            raise InputError(f"{name}, line {number}: longer than {_LONGEST_LINE} characters")
        if number > _MOST_LINES:
            raise InputError(f"{name}: more than {_MOST_LINES} lines; give less of it at a time")
        yield line


class _Columns:
    """Columns that grow line by line."""

    def __init__(self) -> None:
        self._entities: dict[str, int] = {}
        self._states: dict[str, tuple[int, float]] = {}
        self._words: list[str] = []
        self._entity: list[int] = []
        self._state: list[int] = []
        self._value: list[float] = []
        self._at: list[float] = []

    def time(self, text: str) -> float:
        """Return seconds since 1970. Raises ValueError with what is wrong."""
        try:
            found = datetime.fromisoformat(text.strip())
        except ValueError:
            raise ValueError(f"{text[:80]!r} is no time such as 2026-05-01T06:45:00.000Z") from None
        if found.tzinfo is None:
            raise ValueError(f"the time {text[:80]!r} has no zone: it should end in Z or +02:00")
        return (found - _EPOCH).total_seconds()

    def add(self, entity_id: str, state: str, at: float) -> None:
        if not state:
            return  # the hub's way to say that the entity was removed
        self._entity.append(self._entities.setdefault(entity_id, len(self._entities)))
        known = self._states.get(state)
        if known is None:
            known = self._states[state] = self._code(state)
        self._state.append(known[0])
        self._value.append(known[1])
        self._at.append(at)

    def _code(self, state: str) -> tuple[int, float]:
        number = number_of(state)
        if number is not None:
            return NUMERIC, number
        self._words.append(state[:_LONGEST_STATE])
        return len(self._words) - 1, math.nan

    def events(self) -> Events:
        size = len(self._at)
        return Events(
            entities=tuple(self._entities),
            states=tuple(self._words),
            actors=(),
            entity=np.array(self._entity, np.int32),
            state=np.array(self._state, np.int32),
            value=np.array(self._value, np.float32),
            at=np.rint(np.array(self._at, np.float64) * 1000).astype(np.int64),
            cause=np.full(size, Cause.UNKNOWN, np.uint8),
            context=np.zeros(size, np.int64),
            actor=np.full(size, NO_ACTOR, np.int32),
        ).sorted()
