"""One file that moves everything to another machine: the database in a zip, with a manifest that proves it.

Blocking: for commands.
"""

import hashlib
import os
import shutil
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, BinaryIO, Final

from pydantic import Field, ValidationError

from app.errors import InputError, StoreError
from app.model import Frozen
from app.store.still import held_still
from app.store.troubles import store_error

FORMAT: Final = 1
_KIND: Final = "nightshift-export"
_MANIFEST: Final = "manifest.json"
_DATABASE: Final = "nightshift.db"
_CHUNK: Final = 1024 * 1024
_LONGEST_MANIFEST: Final = 64 * 1024
_SPARE_BYTES: Final = 64 * 1024 * 1024
_OWNER_ONLY: Final = 0o600

Progress = Callable[[int, int], None]
"""Told how many bytes are done, and of how many."""


class Manifest(Frozen):
    """What an export says of itself. `database_bytes` and `database_sha256` are of the database unpacked."""

    kind: str
    format: int
    version: str = Field(max_length=40)
    created_at: datetime
    database_bytes: int = Field(gt=0)
    database_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


def pack(database: Path, target: Path, version: str, now: datetime, progress: Progress) -> Manifest:
    """Write all that is in `database` to `target`, which appears whole or not at all; others may go on.

    Raises StoreError when there is no database or it is damaged, InputError when `target` cannot be written.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        with held_still(database) as connection:
            _check(database, connection)
            total = database.stat().st_size
            with database.open("rb") as source, _made(part) as file, _zip(file) as parcel:
                digest = hashlib.sha256()
                with parcel.open(_DATABASE, "w", force_zip64=True) as into:
                    for chunk in _chunks(source, total, progress):
                        digest.update(chunk)
                        into.write(chunk)
                manifest = Manifest(
                    kind=_KIND,
                    format=FORMAT,
                    version=version,
                    created_at=now,
                    database_bytes=total,
                    database_sha256=digest.hexdigest(),
                )
                parcel.writestr(_MANIFEST, manifest.model_dump_json(indent=2))
        part.replace(target)
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror or error})") from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


def look_into(source: Path) -> Manifest:
    """Return what an export says of itself.

    Raises InputError, one line, for what is none, is cut off, or is of a newer format.
    """
    with _opened(source) as parcel:
        return _manifest(parcel, source)


def unpack(source: Path, target: Path, progress: Progress) -> Manifest:
    """Write the database of an export to `target`, and make sure that it is the one that was packed.

    Raises InputError for an export that is not whole, StoreError when `target` cannot be written.
    """
    with _opened(source) as parcel:
        manifest = _manifest(parcel, source)
        if shutil.disk_usage(target.parent).free < manifest.database_bytes + _SPARE_BYTES:
            needed = (manifest.database_bytes + _SPARE_BYTES) / 2**20
            raise StoreError(f"{target.parent}: needs {needed:.0f} MiB of free space for this import")
        digest = hashlib.sha256()
        size = 0
        try:
            with parcel.open(_DATABASE) as database, _made(target) as into:
                for chunk in _chunks(database, manifest.database_bytes, progress):
                    size += len(chunk)
                    if size > manifest.database_bytes:
                        raise InputError(f"{source}: is damaged (more in it than it says)")
                    digest.update(chunk)
                    into.write(chunk)
        except OSError as error:
            raise StoreError(f"{target}: cannot be written ({error.strerror or error})") from error
    if digest.hexdigest() != manifest.database_sha256:
        raise InputError(f"{source}: is damaged (its database is not the one that was packed)")
    return manifest


def _check(database: Path, connection: sqlite3.Connection) -> None:
    found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if found != "ok":
        raise store_error(database, sqlite3.DatabaseError(" ".join(found.split())))


@contextmanager
def _made(path: Path) -> Iterator[BinaryIO]:
    """Make a file for this user only, on the disk when the block has ended."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWNER_ONLY)
    with closing(os.fdopen(handle, "wb")) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _zip(file: BinaryIO) -> zipfile.ZipFile:
    return zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6)


@contextmanager
def _opened(source: Path) -> Iterator[zipfile.ZipFile]:
    # NotImplementedError and RuntimeError: a zip of another make, compressed or encrypted as ours never is.
    try:
        with zipfile.ZipFile(source) as parcel:
            yield parcel
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise InputError(f"{source}: is no export of Nightshift, or was cut off on its way") from error
    except (KeyError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{source}: is no export of Nightshift") from error
    except OSError as error:
        raise InputError(f"{source}: cannot be read ({error.strerror or error})") from error


def _manifest(parcel: zipfile.ZipFile, source: Path) -> Manifest:
    if parcel.getinfo(_MANIFEST).file_size > _LONGEST_MANIFEST:
        raise InputError(f"{source}: is no export of Nightshift")
    try:
        manifest = Manifest.model_validate_json(parcel.read(_MANIFEST))
    except ValidationError as error:
        raise InputError(f"{source}: is no export of Nightshift") from error
    if manifest.kind != _KIND:
        raise InputError(f"{source}: is no export of Nightshift")
    if manifest.format > FORMAT:
        raise InputError(
            f"{source}: was written by a newer Nightshift ({manifest.version}); update this one first"
        )
    parcel.getinfo(_DATABASE)
    return manifest


def _chunks(file: IO[bytes], total: int, progress: Progress) -> Iterator[bytes]:
    done = 0
    while chunk := file.read(_CHUNK):
        yield chunk
        done += len(chunk)
        progress(min(done, total), total)
