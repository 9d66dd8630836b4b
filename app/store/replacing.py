"""Putting another database in the place of the one there is, which is kept beside it.

Blocking: for commands, with nobody else at work in the folder.
"""

import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from app.errors import StoreError

_log = logging.getLogger(__name__)


def put_in_place(new: Path, live: Path, kept: Path) -> bool:
    """Let `new` become `live`; what was there becomes `kept`, if anything was: then return True.

    There is a whole database at `live` at every moment that there was one before, also if the machine stops.
    `new` has no log beside it. Raises StoreError.
    """
    try:
        there = live.exists()
        if there:
            _settle(live)
            _also_as(live, kept)
            if (log := _journal(live)).exists():
                # Only of a database too damaged to be settled: the two stay together.
                log.replace(_journal(kept))
        _shared_memory(live).unlink(missing_ok=True)
        new.replace(live)
        _to_disk(live.parent)
    except OSError as error:
        raise StoreError(
            f"{live}: could not be replaced ({error.strerror or error}); it is as it was"
        ) from error
    return there


def _settle(path: Path) -> None:
    """Move the log into the file, so that the file alone is the database; not into a damaged one."""
    try:
        # Read-only: closing a writing connection would move the log, too.
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                return
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.DatabaseError as error:
        _log.info("%s: is kept with its log beside it (%s)", path, error)


def _also_as(path: Path, name: Path) -> None:
    try:
        name.hardlink_to(path)
    except OSError:
        # A file system without links: then it is moved, and for a moment there is none.
        path.replace(name)


def _journal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _shared_memory(path: Path) -> Path:
    return path.with_name(path.name + "-shm")


def _to_disk(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
