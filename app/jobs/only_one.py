"""Exactly one clock: one Nightshift at a time works in a data folder."""

import fcntl
import logging
import os
from pathlib import Path

from app.errors import StoreError

_log = logging.getLogger(__name__)


class OnlyOne:
    """A lock on `path` that the kernel lets go when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> None:
        """Take it, making the folder when absent.

        Raises StoreError when another process has it (its running runs would be taken for interrupted), and
        when the folder cannot be written to.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"{self._path.parent}: the data folder cannot be written to ({error.strerror or error}); "
                "check the disk, and the folder's rights"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise StoreError(
                f"{self._path.parent}: another Nightshift works in this folder; use that one or stop it"
            ) from None
        except OSError as error:
            _log.warning(
                "%s: this file system has no locks (%s); start only one Nightshift on it", self._path, error
            )
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
