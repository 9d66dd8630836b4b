"""Opening a Home Assistant recorder database (SQLite) for reading, and saying plainly what is wrong with one.

Nothing is written, and nothing is left beside the file. Each query is a transaction of its own: a long one
would keep a running hub from checkpointing its log.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from app.errors import InputError

BUSY_SECONDS = 5.0
"""How long a file that another program has locked is waited for."""
_WAL_VERSION = 2
_WAL_VERSION_AT = 18

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_UNREADABLE = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_AUTH}


@dataclass(frozen=True, slots=True)
class Layout:
    """How the file names things. Home Assistant 2023.4 (schema 38) moved entity ids to a table of their own.

    `by_id`: rows point to `states_meta`. `by_name`: rows carry the entity id as text (2023.2 and 2023.3, or
    a file whose migration is not finished; both can be true). `blobs`: contexts are 16 bytes (schema 36).
    """

    schema: int
    by_id: bool
    by_name: bool
    blobs: bool
    texts: bool
    event_types: bool
    indexed: bool

    def contexts(self, alias: str) -> str:
        """Return the SQL for a row's context, user and parent: 16 bytes each, or text in older files."""
        names = ("context_id", "context_user_id", "context_parent_id")
        if self.blobs and (not self.by_name or not self.texts):
            return ", ".join(f"{alias}.{name}_bin" for name in names)
        if self.blobs:
            return ", ".join(f"COALESCE({alias}.{name}_bin, {alias}.{name})" for name in names)
        return ", ".join(f"{alias}.{name}" for name in names)


class RecorderFile:
    """One database, open for reading. Every failure of SQLite leaves as an InputError of one line."""

    def __init__(self, path: Path, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._immutable = False

    def __enter__(self) -> Self:
        _check_is_file(self.path)
        self._immutable = _nobody_writes(self.path)
        mode = "immutable=1" if self._immutable else "mode=ro"
        try:
            self._db = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?{mode}", uri=True, timeout=self._busy_seconds
            )
        except sqlite3.Error as error:
            raise self._told(error) from error
        try:
            self.layout = self._layout()
        except BaseException:
            self._db.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()
        if self._immutable and kind is None and _log_of(self.path).exists():
            raise InputError(f"{self.path.name}: a hub started to write to it while it was read: try again")

    def rows(self, sql: str, values: Mapping[str, object] | Sequence[object] = ()) -> list[Any]:
        """Return all rows; the read transaction is over when this returns."""
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._told(error) from error

    def calls(self, name: str, arguments: int, function: Callable[..., None]) -> None:
        """Let queries call a function by that name, which takes what it is given and returns nothing."""
        self._db.create_function(name, arguments, function)

    def ends(self, column: str) -> tuple[Any, Any]:
        """Return the least and the greatest value of a column of `states`; None where there are no rows.

        Asked for one by one, each is a look at an end of the index; together they make SQLite read all rows.
        """
        ((low, high),) = self.rows(
            f"SELECT (SELECT MIN({column}) FROM states), (SELECT MAX({column}) FROM states)"  # noqa: S608 - our own names
        )
        return low, high

    def _layout(self) -> Layout:
        tables = {name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "states" not in tables:
            raise InputError(
                f"{self.path.name} is no Home Assistant recorder database: it has no table `states`"
            )
        schema = 0
        if "schema_changes" in tables:
            ((found,),) = self.rows("SELECT MAX(schema_version) FROM schema_changes")
            schema = int(found or 0)
        states = {row[1] for row in self.rows("PRAGMA table_info(states)")}
        by_id = "metadata_id" in states and "states_meta" in tables
        by_name = "entity_id" in states and (not by_id or self._has_unmigrated())
        if "last_updated_ts" not in states or not (by_id or "entity_id" in states):
            raise InputError(
                f"{self.path.name} was written by a Home Assistant older than 2023.2 (schema {schema}): "
                "let a current one start on a copy of it once, which brings it up to date"
            )
        led = {columns[0][2] for columns in self._indexes() if columns}
        return Layout(
            schema=schema,
            by_id=by_id,
            by_name=by_name,
            blobs="context_id_bin" in states,
            texts="context_id" in states,
            event_types="event_types" in tables,
            indexed=bool(led & {"metadata_id"} if by_id else led & {"entity_id"}),
        )

    def _has_unmigrated(self) -> bool:
        """A hub moves old rows to `states_meta` in the background after an update: some may be left."""
        return bool(
            self.rows("SELECT 1 FROM states WHERE metadata_id IS NULL AND entity_id IS NOT NULL LIMIT 1")
        )

    def _indexes(self) -> list[list[Any]]:
        names = [row[1] for row in self.rows("PRAGMA index_list(states)")]
        return [self.rows("SELECT * FROM pragma_index_info(?)", [name]) for name in names]

    def _told(self, error: sqlite3.Error) -> InputError:
        name, code = self.path.name, getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in _BUSY:
            return InputError(
                f"{name} is locked by another program: try again in a minute, or give a copy of the file"
            )
        if code == sqlite3.SQLITE_NOTADB:
            return InputError(f"{name} is no SQLite database")
        if code in _UNREADABLE:
            return InputError(f"{name} cannot be read ({error}): check its permissions and its folder's")
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_IOERR} or isinstance(
            error, sqlite3.OperationalError
        ):
            return InputError(
                f"{name} is damaged or cut short ({error}): copy it again with its -wal file while the hub "
                "is stopped, or take it from a backup"
            )
        return InputError(f"{name} cannot be read ({error})")


def _check_is_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise InputError(f"{path.name} is a folder: give the recorder database, home-assistant_v2.db")
        with path.open("rb") as file:
            start = file.read(16)
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path.name}") from error
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror})") from error
    if not start:
        raise InputError(f"{path.name} is empty")
    if start != b"SQLite format 3\x00":
        raise InputError(f"{path.name} is no SQLite database")


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _nobody_writes(path: Path) -> bool:
    """Tell whether this is a database in WAL mode without its log: a copy, or a hub that is stopped.

    Only then `immutable` is right: it also works in a folder that cannot be written to, and leaves no
    -wal and -shm files behind as an ordinary read-only open does. A running hub always has both.
    """
    with suppress(OSError), path.open("rb") as file:
        file.seek(_WAL_VERSION_AT)
        if file.read(1) == bytes([_WAL_VERSION]):
            return not _log_of(path).exists() and not path.with_name(path.name + "-shm").exists()
    return False
