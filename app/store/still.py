"""Keeping the database file still while somebody copies it, and everybody else goes on writing.

Blocking: for commands, and for threads.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from app.errors import StoreError
from app.store.troubles import is_trouble, store_error

_BETWEEN_TRIES_SECONDS = 0.002
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


@contextmanager
def held_still(path: Path, wait_seconds: float = 30.0) -> Iterator[sqlite3.Connection]:
    """Move the log into the file at `path`, then let nothing be changed in it until the block ends.

    Whoever copies it meanwhile has one whole moment of the database, alone or together with the log: what
    others write meanwhile is only appended to that. Yields a connection that reads just that moment.

    A reader that begins while the log is empty reads the file itself, and as long as it does SQLite moves
    nothing from the log into the file (wal.c: WAL_READ_LOCK(0)), nor begins the log anew, whose frames would
    then be all that was written since. Nothing is copied for it, and nobody waits.

    Raises StoreError when there is no such database, it is damaged, or writers left no gap for
    `wait_seconds`.
    """
    if not path.exists():
        raise StoreError(f"{path}: there is no database yet")
    try:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
            _begin(connection, path, time.monotonic() + wait_seconds)
            yield connection
    except sqlite3.Error as error:
        if is_trouble(error):
            raise store_error(path, error) from error
        raise


def _begin(connection: sqlite3.Connection, path: Path, deadline: float) -> None:
    # SQLite's own waiting sleeps ever longer, and a busy writer is then never met between two transactions.
    while not _begun(connection, path):
        if time.monotonic() >= deadline:
            raise StoreError(f"{path}: is written to without a pause; try again when less is going on")
        time.sleep(_BETWEEN_TRIES_SECONDS)


def _begun(connection: sqlite3.Connection, path: Path) -> bool:
    try:
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            return False
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError as error:
        if (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF not in _BUSY:
            raise
        if connection.in_transaction:
            connection.rollback()
        return False
    # Somebody may have written between the two; then the log is part of what this reader sees.
    if _log_bytes(path) == 0:
        return True
    connection.rollback()
    return False


def _log_bytes(path: Path) -> int:
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size
    except FileNotFoundError:
        return 0
