"""Whether the database's pages hold together: all of it is read, so once a day and bounded."""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.errors import StoreError
from app.store.database import Store

EVERY = timedelta(hours=24)
_LONGEST_SECONDS = 30.0
_STEPS = 100_000
"""SQLite's own small steps between two looks at the time: some milliseconds."""


@dataclass(frozen=True, slots=True)
class Integrity:
    """What was last found, and when; `trouble` is empty when all is well."""

    looked_at: datetime
    trouble: str = ""
    whole: bool = True
    """False: the time did not suffice for all of it."""


async def look_over(store: Store, now: datetime) -> Integrity:
    """Read the whole database (SQLite's `quick_check`), in its own thread, for at most 30 s. Never raises."""
    try:
        async with store.reading() as db:
            await db.set_progress_handler(_until(time.monotonic() + _LONGEST_SECONDS), _STEPS)
            try:
                rows = await db.execute_fetchall("PRAGMA quick_check(1)")
            finally:
                await db.set_progress_handler(None, 0)  # type: ignore[arg-type] # how sqlite3 takes it off
    except StoreError as error:
        return Integrity(now, str(error))
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_INTERRUPT:
            raise
        return Integrity(now, whole=False)
    said = " ".join(str(next(iter(rows))[0]).split())
    return Integrity(now, "" if said == "ok" else said)


def _until(end: float) -> Callable[[], int]:
    return lambda: int(time.monotonic() > end)
