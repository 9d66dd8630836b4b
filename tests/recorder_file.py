"""Writes recorder databases as Home Assistant does, for tests and benchmarks.

Two layouts: schema 53 (2025 and later: entity ids in `states_meta`, contexts as 16 bytes) and schema 35
(early 2023: entity ids and contexts as text in every row).
Tables and indexes as in Home Assistant's recorder/db_schema.py.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from app.clock import from_ms
from app.events import Events
from app.model import Cause, Entity, Home

OLD_SCHEMA = 35
NEW_SCHEMA = 53
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

_SHARED = """
CREATE TABLE event_data (data_id INTEGER NOT NULL, hash BIGINT, shared_data TEXT, PRIMARY KEY (data_id));
CREATE INDEX ix_event_data_hash ON event_data (hash);
CREATE TABLE state_attributes (attributes_id INTEGER NOT NULL, hash BIGINT, shared_attrs TEXT,
  PRIMARY KEY (attributes_id));
CREATE INDEX ix_state_attributes_hash ON state_attributes (hash);
CREATE TABLE recorder_runs (run_id INTEGER NOT NULL, start DATETIME NOT NULL, "end" DATETIME,
  closed_incorrect BOOLEAN NOT NULL, created DATETIME NOT NULL, PRIMARY KEY (run_id));
CREATE INDEX ix_recorder_runs_start_end ON recorder_runs (start, "end");
CREATE TABLE schema_changes (change_id INTEGER NOT NULL, schema_version INTEGER, changed DATETIME NOT NULL,
  PRIMARY KEY (change_id));
CREATE TABLE statistics_runs (run_id INTEGER NOT NULL, start DATETIME NOT NULL, PRIMARY KEY (run_id));
CREATE INDEX ix_statistics_runs_start ON statistics_runs (start);
"""
_NEW = """
CREATE TABLE event_types (event_type_id INTEGER NOT NULL, event_type VARCHAR(64),
  PRIMARY KEY (event_type_id));
CREATE UNIQUE INDEX ix_event_types_event_type ON event_types (event_type);
CREATE TABLE states_meta (metadata_id INTEGER NOT NULL, entity_id VARCHAR(255), PRIMARY KEY (metadata_id));
CREATE UNIQUE INDEX ix_states_meta_entity_id ON states_meta (entity_id);
CREATE TABLE statistics_meta (id INTEGER NOT NULL, statistic_id VARCHAR(255), source VARCHAR(32),
  unit_of_measurement VARCHAR(255), unit_class VARCHAR(255), has_mean BOOLEAN, has_sum BOOLEAN,
  name VARCHAR(255), mean_type SMALLINT NOT NULL, PRIMARY KEY (id));
CREATE UNIQUE INDEX ix_statistics_meta_statistic_id ON statistics_meta (statistic_id);
CREATE TABLE migration_changes (migration_id VARCHAR(255) NOT NULL, version SMALLINT NOT NULL,
  PRIMARY KEY (migration_id));
CREATE TABLE events (event_id INTEGER NOT NULL, event_type CHAR(0), event_data CHAR(0), origin CHAR(0),
  origin_idx SMALLINT, time_fired CHAR(0), time_fired_ts FLOAT, context_id CHAR(0), context_user_id CHAR(0),
  context_parent_id CHAR(0), data_id INTEGER, context_id_bin BLOB, context_user_id_bin BLOB,
  context_parent_id_bin BLOB, event_type_id INTEGER, PRIMARY KEY (event_id),
  FOREIGN KEY(data_id) REFERENCES event_data (data_id),
  FOREIGN KEY(event_type_id) REFERENCES event_types (event_type_id));
CREATE TABLE states (state_id INTEGER NOT NULL, entity_id CHAR(0), state VARCHAR(255), attributes CHAR(0),
  event_id SMALLINT, last_changed CHAR(0), last_changed_ts FLOAT, last_reported_ts FLOAT,
  last_updated CHAR(0), last_updated_ts FLOAT, old_state_id INTEGER, attributes_id INTEGER,
  context_id CHAR(0), context_user_id CHAR(0), context_parent_id CHAR(0), origin_idx SMALLINT,
  context_id_bin BLOB, context_user_id_bin BLOB, context_parent_id_bin BLOB, metadata_id INTEGER,
  PRIMARY KEY (state_id), FOREIGN KEY(old_state_id) REFERENCES states (state_id),
  FOREIGN KEY(attributes_id) REFERENCES state_attributes (attributes_id),
  FOREIGN KEY(metadata_id) REFERENCES states_meta (metadata_id));
"""
_STATISTICS = """
CREATE TABLE {name} (id INTEGER NOT NULL, created CHAR(0), created_ts FLOAT, metadata_id INTEGER,
  start CHAR(0), start_ts FLOAT, mean FLOAT, mean_weight FLOAT, min FLOAT, max FLOAT, last_reset CHAR(0),
  last_reset_ts FLOAT, state FLOAT, sum FLOAT, PRIMARY KEY (id),
  FOREIGN KEY(metadata_id) REFERENCES statistics_meta (id) ON DELETE CASCADE);
CREATE UNIQUE INDEX ix_{name}_statistic_id_start_ts ON {name} (metadata_id, start_ts);
CREATE INDEX ix_{name}_start_ts ON {name} (start_ts);
"""
_NEW_INDEXES = """
CREATE INDEX ix_events_time_fired_ts ON events (time_fired_ts);
CREATE INDEX ix_events_event_type_id_time_fired_ts ON events (event_type_id, time_fired_ts);
CREATE INDEX ix_events_context_id_bin ON events (context_id_bin);
CREATE INDEX ix_events_data_id ON events (data_id);
CREATE INDEX ix_states_metadata_id_last_updated_ts ON states (metadata_id, last_updated_ts);
CREATE INDEX ix_states_old_state_id ON states (old_state_id);
CREATE INDEX ix_states_context_id_bin ON states (context_id_bin);
CREATE INDEX ix_states_last_updated_ts ON states (last_updated_ts);
CREATE INDEX ix_states_attributes_id ON states (attributes_id);
"""
_OLD = """
CREATE TABLE events (event_id INTEGER NOT NULL, event_type VARCHAR(64), event_data TEXT, origin VARCHAR(32),
  origin_idx SMALLINT, time_fired DATETIME, time_fired_ts FLOAT, context_id VARCHAR(36),
  context_user_id VARCHAR(36), context_parent_id VARCHAR(36), data_id INTEGER, PRIMARY KEY (event_id));
CREATE TABLE states (state_id INTEGER NOT NULL, entity_id VARCHAR(255), state VARCHAR(255), attributes TEXT,
  event_id INTEGER, last_changed DATETIME, last_changed_ts FLOAT, last_updated DATETIME,
  last_updated_ts FLOAT, old_state_id INTEGER, attributes_id INTEGER, context_id VARCHAR(36),
  context_user_id VARCHAR(36), context_parent_id VARCHAR(36), origin_idx SMALLINT, PRIMARY KEY (state_id));
"""
_OLD_INDEXES = """
CREATE INDEX ix_events_event_type_time_fired_ts ON events (event_type, time_fired_ts);
CREATE INDEX ix_states_entity_id_last_updated_ts ON states (entity_id, last_updated_ts);
CREATE INDEX ix_states_last_updated_ts ON states (last_updated_ts);
CREATE INDEX ix_states_context_id ON states (context_id);
"""


@dataclass(frozen=True, slots=True)
class Context:
    """Home Assistant's context: 16 bytes each (a ULID, a user's UUID, the parent's ULID)."""

    id: bytes
    user: bytes | None = None
    parent: bytes | None = None

    @classmethod
    def number(cls, number: int, user: str | None = None, parent: int | None = None) -> Self:
        """Return the context of that number; `user` is the user id's hex."""
        return cls(
            number.to_bytes(16, "big"),
            bytes.fromhex(user) if user else None,
            parent.to_bytes(16, "big") if parent is not None else None,
        )


StateRow = tuple[str, str | None, float, float | None, int | None, Context | None]
"""Entity id, state, updated (seconds since 1970), changed (None: then), attributes id, context."""


class RecorderFile:
    """One recorder database being written. Use it as a context; the indexes are made when it closes."""

    def __init__(self, path: Path, schema: int = NEW_SCHEMA, *, wal: bool = True) -> None:
        self._new = schema >= 38
        self.db = sqlite3.connect(path)
        self.db.execute(f"PRAGMA journal_mode={'WAL' if wal else 'DELETE'}")
        self.db.execute("PRAGMA synchronous=OFF")
        self.db.executescript(_SHARED + (_NEW if self._new else _OLD))
        if self._new:
            for name in ("statistics", "statistics_short_term"):
                self.db.executescript(_STATISTICS.format(name=name))
        self.db.execute("INSERT INTO schema_changes VALUES (1, ?, '2026-01-01 00:00:00.000000')", [schema])
        self._ids: dict[tuple[str, str], int] = {}
        self._counts: dict[str, int] = {}
        self._state_id = 0
        self._newest: dict[str, int] = {}
        self._event_id = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.db.executescript(_NEW_INDEXES if self._new else _OLD_INDEXES)
        self.db.commit()
        self.db.close()

    def state(
        self,
        entity_id: str,
        state: str | None,
        at: datetime,
        *,
        attributes: Mapping[str, Any] | None = None,
        context: Context | None = None,
        changed: datetime | None = None,
    ) -> None:
        """Add one row of `states`; `changed` earlier than `at` means that only attributes changed."""
        changed_ts = None if changed is None else changed.timestamp()
        attributes_id = self.attributes(attributes) if attributes is not None else None
        self.states([(entity_id, state, at.timestamp(), changed_ts, attributes_id, context)])

    def attributes(self, attributes: Mapping[str, Any]) -> int:
        text = json.dumps(attributes)
        return self._id("state_attributes", "attributes_id, shared_attrs", text)

    def states(self, rows: Iterable[StateRow]) -> None:
        """Add many rows fast."""
        if self._new:
            self.db.executemany(
                "INSERT INTO states (state_id, old_state_id, state, last_changed_ts, last_updated_ts,"
                " attributes_id, origin_idx, context_id_bin, context_user_id_bin, context_parent_id_bin,"
                " metadata_id) VALUES (?,?,?,?,?,?,0,?,?,?,?)",
                ((*self._next(entity_id), state, changed, at, shared, *_blobs(ctx), self.entity(entity_id))
                 for entity_id, state, at, changed, shared, ctx in rows),
            )  # fmt: skip
        else:
            self.db.executemany(
                "INSERT INTO states (state_id, old_state_id, entity_id, state, last_changed_ts,"
                " last_updated_ts, attributes_id, origin_idx, context_id, context_user_id, context_parent_id)"
                " VALUES (?,?,?,?,?,?,?,0,?,?,?)",
                ((*self._next(entity_id), entity_id, state, changed, at, shared, *_texts(ctx))
                 for entity_id, state, at, changed, shared, ctx in rows),
            )  # fmt: skip

    def event(self, kind: str, at: datetime, data: Mapping[str, Any], context: Context) -> None:
        """Add one row of `events`, such as `automation_triggered`."""
        self._event_id += 1
        data_id = self._id("event_data", "data_id, shared_data", json.dumps(data))
        if self._new:
            type_id = self._id("event_types", "event_type_id, event_type", kind)
            self.db.execute(
                "INSERT INTO events (event_id, origin_idx, time_fired_ts, data_id, context_id_bin,"
                " context_user_id_bin, context_parent_id_bin, event_type_id) VALUES (?,0,?,?,?,?,?,?)",
                [self._event_id, at.timestamp(), data_id, *_blobs(context), type_id],
            )
        else:
            self.db.execute(
                "INSERT INTO events (event_id, event_type, origin_idx, time_fired_ts, data_id, context_id,"
                " context_user_id, context_parent_id) VALUES (?,?,0,?,?,?,?,?)",
                [self._event_id, kind, at.timestamp(), data_id, *_texts(context)],
            )

    def entity(self, entity_id: str) -> int:
        return self._id("states_meta", "metadata_id, entity_id", entity_id)

    def restart(self) -> None:
        """The hub starts anew: it knows no state before."""
        self._newest.clear()

    def _next(self, entity_id: str) -> tuple[int, int | None]:
        self._state_id += 1
        before = self._newest.get(entity_id)
        self._newest[entity_id] = self._state_id
        return self._state_id, before

    def _id(self, table: str, columns: str, value: str) -> int:
        found = self._ids.get((table, value))
        if found is None:
            found = self._counts[table] = self._counts.get(table, 0) + 1
            self._ids[table, value] = found
            self.db.execute(f"INSERT INTO {table} ({columns}) VALUES (?,?)", [found, value])  # noqa: S608 - our names
        return found


def write_home(path: Path, home: Home, events: Events, schema: int = NEW_SCHEMA) -> None:
    """Write a whole home's past as its hub would have recorded it, contexts, users and runs included."""
    with RecorderFile(path, schema) as file:
        add_runs(file, events)
        file.states(rows_of(file, home, events))
        if len(events):
            start, end = (_text(from_ms(int(events.at[place]) + 1000 * place)) for place in (0, -1))
            file.db.execute("INSERT INTO recorder_runs VALUES (1, ?, ?, 0, ?)", [start, end, start])
            # Or a hub that takes the file over works out every five minutes of the days it is to keep (400 in
            # our tests: 115,000 of them), and for minutes writes down nothing else in time.
            period = int(events.at[-1]) // 300_000 * 300_000
            file.db.execute("INSERT INTO statistics_runs (start) VALUES (?)", [_text(from_ms(period))])


def add_runs(file: RecorderFile, events: Events) -> None:
    """Add one `automation_triggered` for each run that the events tell of."""
    told: set[int] = set()
    for row in events.take(events.cause == Cause.MACHINE).rows():
        if row.actor.startswith("automation.") and row.context not in told:
            told.add(row.context)
            data = {"name": row.actor.partition(".")[2], "entity_id": row.actor, "source": "time"}
            # A run begins before what it does: a hub that finds both at one instant may miss the link.
            file.event("automation_triggered", from_ms(row.at - 2), data, Context.number(row.context))


def rows_of(file: RecorderFile, home: Home, events: Events) -> Iterator[StateRow]:
    """Yield the events as rows of `states`."""
    shared = {entity.entity_id: file.attributes(attributes_of(home, entity)) for entity in home.entities}
    for place, row in enumerate(events.rows()):
        by_account = row.cause is Cause.PERSON or (row.cause is Cause.MACHINE and "." not in row.actor)
        # A hub gives every change a context; one that was not told is one that nothing else has.
        context = Context.number(row.context or place + 1, row.actor if by_account and row.actor else None)
        yield row.entity_id, row.state, row.at / 1000, None, shared.get(row.entity_id), context


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")


def attributes_of(home: Home, entity: Entity) -> dict[str, Any]:
    """Return the attributes that the hub would keep with that entity's states."""
    found: dict[str, Any] = {"friendly_name": entity.name}
    if entity.unit:
        found |= {"unit_of_measurement": entity.unit, "state_class": "measurement"}
    if entity.device_class:
        found["device_class"] = entity.device_class
    if entity.members:
        found["entity_id"] = list(entity.members)
    for automation in home.automations:
        if automation.entity_id == entity.entity_id:
            found |= {"id": automation.unique_id, "mode": "single", "current": 0}
    for person in home.persons:
        if person.entity_id == entity.entity_id:
            found |= {"id": hashlib.md5(person.name.encode()).hexdigest(), "user_id": person.user_id}  # noqa: S324 - a name
    return found


def _blobs(context: Context | None) -> tuple[bytes | None, bytes | None, bytes | None]:
    return (context.id, context.user, context.parent) if context else (None, None, None)


def _texts(context: Context | None) -> tuple[str | None, str | None, str | None]:
    if context is None:
        return (None, None, None)
    parent = ulid_text(context.parent) if context.parent else None
    return (ulid_text(context.id), context.user.hex() if context.user else None, parent)


def ulid_text(raw: bytes) -> str:
    """Return 16 bytes as a ULID's 26 letters (Crockford's base 32)."""
    number = int.from_bytes(raw, "big")
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -5, -5))
