"""The worker: `python -m app.jobs.worker module:function CHANNEL PARENT` makes one call and ends.

Standard input is the payload, standard output the answer, standard error the log; the file descriptor CHANNEL
takes JSON lines: progress, then the error or the peak of memory. PARENT is the process it must not outlive.
"""

import ctypes
import importlib
import json
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from app.errors import NightshiftError
from app.jobs.text import describe, one_line

_PR_SET_PDEATHSIG = 1
_SAY_EVERY_SECONDS = 0.1
Function = Callable[[BinaryIO, Callable[[str, int, int], None]], bytes]


def main(function: str, channel: int, parent: int) -> int:
    """Make the call; return the exit code."""
    _die_with(parent)
    _step_back()
    # What the function prints goes to the log: the answer keeps standard output for itself.
    output = os.dup(1)
    os.dup2(2, 1)
    say = _Channel(channel)
    try:
        answer = _named(function)(sys.stdin.buffer, say.progress)
        with os.fdopen(output, "wb") as out:
            out.write(answer)
    except NightshiftError as error:
        families = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "app.errors"]
        say.line({"error": {"families": families, "message": one_line(str(error))}})
        return 1
    except MemoryError:
        say.line({"error": {"message": f"{function} ran out of memory; take fewer days at a time"}})
        return 1
    except BaseException as error:  # noqa: BLE001 - the process's edge: it ends here, and says why
        traceback.print_exc()
        say.line({"error": {"message": describe(error)}})
        return 1
    say.line({"peak_mib": round(_peak_mib(), 1)})
    return 0


class _Channel:
    """Says JSON lines to the parent, progress a few times a second at most."""

    def __init__(self, file: int) -> None:
        self._file = os.fdopen(file, "w", buffering=1, encoding="utf-8")
        self._step = ""
        self._said_at = 0.0

    def progress(self, step: str, done: int, total: int) -> None:
        now = time.monotonic()
        if step != self._step or done >= total > 0 or now - self._said_at >= _SAY_EVERY_SECONDS:
            self._step, self._said_at = step, now
            self.line({"progress": [one_line(step, 200), int(done), int(total)]})

    def line(self, message: dict[str, Any]) -> None:
        self._file.write(json.dumps(message) + "\n")


def _named(function: str) -> Function:
    module, _, name = function.partition(":")
    found: Function = getattr(importlib.import_module(module), name)
    return found


def _die_with(parent: int) -> None:
    """End when the parent does, even if it was killed: nobody would take the answer."""
    try:
        asked = ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) == 0
    except (OSError, AttributeError):
        asked = False  # not Linux
    if not asked:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _step_back() -> None:
    """Yield to all else, in time and when memory runs out; Linux takes the disk's priority from nice."""
    with suppress(OSError):
        os.nice(19)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("800", encoding="ascii")


def _peak_mib() -> float:
    """Return the largest resident memory of this program; ru_maxrss would count the parent's, too."""
    with suppress(OSError, ValueError, IndexError):
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
