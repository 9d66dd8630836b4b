"""The door of the worker process: framed bytes in, an analysis as JSON out."""

from typing import BinaryIO

from app.habits.analysis import analyse_home
from app.habits.snapshot import Progress, read_snapshot


def analyse(payload: BinaryIO, progress: Progress) -> bytes:
    """Read a framed snapshot (see `snapshot`), analyse it, and return the Analysis as JSON.

    Raises InputError when the stream is damaged.
    """
    return analyse_home(read_snapshot(payload), progress).model_dump_json().encode()
