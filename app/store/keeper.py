"""A process that keeps the database still between two commands: `backup begin` and `backup end`.

The Supervisor starts one program before it copies the data folder and one after it, and copies in between:
so something has to stay. Blocking: for commands.
"""

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from app.errors import NightshiftError, StoreError
from app.store.still import held_still

AT_MOST_SECONDS: Final = 3600.0
"""How long it keeps still if nobody ends it: far longer than any copy takes, and not for ever."""
_READY: Final = "still"
_START_SECONDS = 60.0
_END_SECONDS = 10.0
_STEP_SECONDS = 0.02


def begin(database: Path) -> bool:
    """Start the process and return once nothing is changed in `database` any more.

    False when there is no database yet. One that was left over is ended first. Raises StoreError, one line,
    when it cannot be kept still: a copy might then be torn.
    """
    mark = _mark(database)
    if (left := _keeper(mark)) is not None:
        _end(left, mark)
    if not database.exists():
        mark.unlink(missing_ok=True)
        return False
    keeper = subprocess.Popen(
        # This module alone: a small process, for it is there beside the app while the backup is made.
        [sys.executable, "-m", "app.store.keeper", str(database)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # It outlives this command, and whoever started that does not wait for it.
        start_new_session=True,
    )
    said = _first_words(keeper)
    if said != _READY:
        keeper.kill()
        keeper.wait()
        raise StoreError(said or f"{database}: could not be kept still within {_START_SECONDS:.0f} s")
    keeper.returncode = 0  # it goes on; Popen need not warn that nobody waited for it
    return True


def _first_words(keeper: subprocess.Popen[bytes]) -> str:
    """Return what it says before it lets go of its output; empty when it says nothing in time."""
    if keeper.stdout is None:
        return ""
    with keeper.stdout:
        ready, _, _ = select.select([keeper.stdout], [], [], _START_SECONDS)
        return keeper.stdout.read().decode("utf-8", "replace").strip() if ready else ""


def keep(database: Path, at_most_seconds: float = AT_MOST_SECONDS) -> None:
    """Be that process: keep still, say so on standard output, and wait for the signal to end.

    Raises StoreError.
    """
    # Before anybody can know of this process, so that no early signal kills it.
    asked = _asked_to_end()
    mark = _mark(database)
    file = os.open(mark, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with held_still(database):
            os.ftruncate(file, 0)
            os.write(file, str(os.getpid()).encode())
            sys.stdout.write(_READY)
            _let_go_of_output()
            if select.select([asked], [], [], at_most_seconds)[0]:
                mark.unlink(missing_ok=True)
    except BlockingIOError:
        raise StoreError(f"{database}: another backup is being made") from None
    finally:
        os.close(file)


def end(database: Path) -> bool:
    """End the process; False when there was none to end, because there was no database.

    Raises StoreError when it ended before: what was copied meanwhile may be torn.
    """
    mark = _mark(database)
    if not mark.exists():
        return False
    keeper = _keeper(mark)
    if keeper is None:
        mark.unlink(missing_ok=True)
        raise StoreError(f"{database}: was not kept still all the time; make this backup again")
    _end(keeper, mark)
    return True


def _asked_to_end() -> int:
    """Return a file that can be read from once a signal has asked this process to end."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return reading


def _mark(database: Path) -> Path:
    return database.with_name("backup.lock")


def _keeper(mark: Path) -> int | None:
    """Return the id of the living process that has the mark, None without one."""
    try:
        file = os.open(mark, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        # The kernel lets go of a lock when its process ends: so an id in the file is never another's.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.read(file, 20) or 0) or None
    finally:
        os.close(file)
    return None


def _end(keeper: int, mark: Path) -> None:
    deadline = time.monotonic() + _END_SECONDS
    with contextlib.suppress(ProcessLookupError):
        os.kill(keeper, signal.SIGTERM)
    while _keeper(mark) is not None:
        if time.monotonic() >= deadline:
            raise NightshiftError(f"process {keeper}, which keeps the database still, does not end")
        time.sleep(_STEP_SECONDS)


def _let_go_of_output() -> None:
    """Let the outputs lead nowhere: whoever waits for their end goes on."""
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


if __name__ == "__main__":
    try:
        keep(Path(sys.argv[1]))
    except NightshiftError as error:
        sys.exit(str(error))
