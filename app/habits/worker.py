"""The door of the worker process: framed bytes in, an analysis or two replays as JSON out."""

from typing import BinaryIO

from app.habits.analysis import analyse_home
from app.habits.offers.trying import try_both
from app.habits.snapshot import Progress, read_snapshot


def analyse(payload: BinaryIO, progress: Progress) -> bytes:
    """Read a framed snapshot (see `snapshot`), analyse it, and return the Analysis as JSON.

    Raises InputError when the stream is damaged.
    """
    return analyse_home(read_snapshot(payload), progress).model_dump_json().encode()


def replay_adjusted(payload: BinaryIO, progress: Progress) -> bytes:
    """Read what is asked (`{habit, before, after}`, one frame) and a framed snapshot; return both replays.

    Raises InputError for what cannot be tried, and when the stream is damaged.
    """
    return try_both(payload, progress)
