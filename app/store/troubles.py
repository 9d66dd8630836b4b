"""What SQLite's errors mean to the people who have to do something about them."""

import sqlite3
from pathlib import Path

from app.errors import StoreError

_DO = {
    sqlite3.SQLITE_BUSY: "is locked by another program; stop that one, or try again later",
    sqlite3.SQLITE_LOCKED: "is locked by another program; stop that one, or try again later",
    sqlite3.SQLITE_FULL: "cannot grow: the disk is full; free some space, nothing was written",
    sqlite3.SQLITE_IOERR: "cannot be read or written; check the disk",
    sqlite3.SQLITE_READONLY: "cannot be written to; check the rights of the file and its folder",
    sqlite3.SQLITE_PERM: "may not be used; check the rights of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check the path, the rights of the folder, and the disk",
    sqlite3.SQLITE_NOMEM: "needs more memory than there is; give the machine more, or stop other programs",
}


def is_trouble(error: sqlite3.Error) -> bool:
    """Whether the database itself cannot be used; else the statement was wrong or broke a constraint."""
    return _code(error) in _DO or _is_damage(error)


def store_error(path: Path, error: sqlite3.Error) -> StoreError:
    """Return what to tell: what happened, to which file, and what to do next, in one line."""
    said = " ".join(str(error).split())
    if (known := _DO.get(_code(error))) is not None:
        return StoreError(f"{path}: the database {known} ({said})")
    if _is_damage(error):
        return StoreError(
            f"{path}: the database is damaged ({said}) and was left as it is; restore a backup, "
            f"or move it and {path.name}-wal aside to start with an empty one"
        )
    return StoreError(f"{path}: the database cannot be used ({said})")


def _code(error: sqlite3.Error) -> int:
    # The low byte is the family; errors that Python itself raises have no code.
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def _is_damage(error: sqlite3.Error) -> bool:
    if _code(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return True
    return type(error) is sqlite3.DatabaseError and not _code(error)
