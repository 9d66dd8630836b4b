"""Making a database file fit to use, before anything else opens it: looked over, then brought up to date.

Blocking: `Store.open` runs it in a thread.
"""

import contextlib
import errno
import sqlite3
import time
from pathlib import Path

from sqlite_utils import Database, Migrations

from app.errors import StoreError
from app.store.troubles import store_error

_BETWEEN_TRIES_SECONDS = 0.02
_CONVERTED_BYTES = 64 * 1024 * 1024


def prepare(path: Path, migrations: Migrations, busy_seconds: float) -> None:
    """Check the file at `path` (made, with its folder, when absent) and apply the pending migrations.

    Raises StoreError with one line; a database that is damaged or from a newer version stays as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        if _holds_something(path):
            _look_over_whole(path, migrations, busy_seconds)
        _bring_up_to_date(path, migrations, busy_seconds)
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be used ({error.strerror or error}); check the folder and its rights"
        ) from error
    except sqlite3.Error as error:
        raise store_error(path, error) from error


def _holds_something(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _look_over_whole(path: Path, migrations: Migrations, busy_seconds: float) -> None:
    try:
        _look_over(path, migrations, busy_seconds)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
            raise
        _undo_half_a_write(path, busy_seconds)
        if _holds_something(path):
            _look_over(path, migrations, busy_seconds)


def _undo_half_a_write(path: Path, busy_seconds: float) -> None:
    # A process that was killed while it made the file, before that kept a log, leaves a journal to undo it
    # with. Who only reads cannot; there is no log yet that closing could move into the file.
    connection = sqlite3.connect(path, timeout=busy_seconds)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    finally:
        connection.close()


def _look_over(path: Path, migrations: Migrations, busy_seconds: float) -> None:
    # Read-only, because closing a writing connection moves the log into the file: not into a damaged one.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=busy_seconds)
    try:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(" ".join(str(found).split()))
        newer = _names_applied(connection, migrations) - _names_known(migrations)
    finally:
        connection.close()
    if newer:
        raise StoreError(
            f"{path}: was written by a newer Nightshift (it has {', '.join(sorted(newer))}); "
            "update the app, or restore a backup made with this version"
        )


def _bring_up_to_date(path: Path, migrations: Migrations, busy_seconds: float) -> None:
    connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None)
    try:
        if connection.execute("PRAGMA page_count").fetchone()[0] == 0:
            # It can be said of an empty file only: later pages that hold nothing are given back bit by bit.
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        _keep_a_log(connection, busy_seconds)
        connection.execute("PRAGMA synchronous=NORMAL")
        _make_compactable(connection, path)
        if _names_known(migrations) <= _names_applied(connection, migrations):
            return
        # Taken before the pending ones are read, so that two processes that start together do not both apply
        # them; sqlite-utils nests its own transactions (migration + record) in it as savepoints.
        connection.execute("BEGIN IMMEDIATE")
        try:
            migrations.apply(Database(connection, execute_plugins=False))
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise
    finally:
        connection.close()


def _make_compactable(connection: sqlite3.Connection, path: Path) -> None:
    """Let a file of an earlier version give empty pages back bit by bit: once, while it is small."""
    if connection.execute("PRAGMA auto_vacuum").fetchone()[0] or path.stat().st_size > _CONVERTED_BYTES:
        return
    # Where it cannot be done now (no room, or another program is at it) the next start tries again.
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("VACUUM")


def _keep_a_log(connection: sqlite3.Connection, busy_seconds: float) -> None:
    # Of several connections that switch a file at once SQLite refuses all but one without waiting, whatever
    # their time-out: the busy handler is not asked where two could wait for each other.
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
            time.sleep(_BETWEEN_TRIES_SECONDS)
        else:
            return


def _names_known(migrations: Migrations) -> set[str]:
    empty = sqlite3.connect(":memory:")
    try:
        return {migration.name for migration in migrations.pending(Database(empty, execute_plugins=False))}
    finally:
        empty.close()


def _names_applied(connection: sqlite3.Connection, migrations: Migrations) -> set[str]:
    database = Database(connection, execute_plugins=False)
    return {migration.name for migration in migrations.applied(database)}
