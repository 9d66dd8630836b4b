"""Is there room for the next night, and may the data folder be written to?"""

import asyncio
import os
import shutil
from pathlib import Path

from app.upkeep.check import Finding, HouseCheck
from app.upkeep.sight import Sight
from app.upkeep.wording import size

LEAST_FREE = 1_000_000_000
"""Bytes. Below 1 GB Home Assistant's Supervisor, too, says that space runs out (its `free_space` check)."""


async def look(sight: Sight) -> Finding:
    """Judge the free bytes of the disk that the data folder is on. Nothing is written to find out."""
    folder = sight.parts.store.path.parent
    free, total, writable = await asyncio.to_thread(_ask, folder)
    said = f"{size(free)} of {size(total)} are free."
    if not writable:
        return Finding(False, f"{said} The data folder cannot be written to.", _READ_ONLY, free)
    if free < LEAST_FREE:
        return Finding(False, f"{said} It should be at least {size(LEAST_FREE)}.", _FULL, free)
    return Finding(True, said, value=free)


def _ask(folder: Path) -> tuple[int, int, bool]:
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total, os.access(folder, os.W_OK)


_FULL = "Delete old backups or other large files, or lower keep_days."
_READ_ONLY = "Check the disk: a failing card is often mounted read-only. Then check the folder's rights."

CHECK = HouseCheck("disk", "Disk space", "bytes", look)
