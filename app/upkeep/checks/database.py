"""Can the database be read, does it hold together, and is its write-ahead log being moved into it?"""

import asyncio
from pathlib import Path

from app.upkeep.check import Finding, HouseCheck
from app.upkeep.sight import Sight
from app.upkeep.wording import size, span

LARGEST_LOG = 64_000_000
"""Bytes. The log is cut to 8 MiB whenever it was moved; eight times that means that it is not."""


async def look(sight: Sight) -> Finding:
    """Judge what was last found of its pages, and the size of its log; tell how large it is."""
    path = sight.parts.store.path
    async with sight.parts.store.reading() as db:
        pages, free, each = [
            int(next(iter(await db.execute_fetchall(f"PRAGMA {name}")))[0])
            for name in ("page_count", "freelist_count", "page_size")
        ]
    log = await asyncio.to_thread(_size, path.with_name(path.name + "-wal"))
    total = pages * each
    said = f"It has {size(total)}, of which {size(free * each)} are free, and a log of {size(log)}."
    found = sight.integrity
    if found.trouble:
        return Finding(False, f"{said} It is damaged: {found.trouble}", _DAMAGED, total)
    if log > LARGEST_LOG:
        return Finding(False, f"{said} The log is not moved into it.", _LOG, total)
    since = span(max((sight.now - found.looked_at).total_seconds(), 0))
    checked = f"Found whole {since} ago." if found.whole else f"Too large to be read whole {since} ago."
    return Finding(True, f"{said} {checked}", value=total)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


_DAMAGED = "Stop Nightshift and restore a backup of its data folder; check the disk."
_LOG = "End other programs that have nightshift.db open, then restart Nightshift."

CHECK = HouseCheck("database", "Database", "bytes", look)
