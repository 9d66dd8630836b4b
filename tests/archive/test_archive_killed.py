"""A process killed while it seals loses nothing and doubles nothing."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.archive.archive import Archive
from app.clock import SystemClock, to_ms
from app.events import Event, Events
from app.store.database import Store

START = datetime(2026, 3, 1, tzinfo=UTC)
SEALER = """
import asyncio, sys
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo
from app.archive.archive import Archive
from app.clock import SystemClock
from app.store.database import Store

async def main():
    store = Store(Path(sys.argv[1]), SystemClock())
    await store.open()
    archive = Archive(store, store.clock)
    for day in range(2, 32):
        print(day, flush=True)
        await archive.seal("home", ZoneInfo("UTC"), date(2026, 3, day))

asyncio.run(main())
"""


@pytest.mark.parametrize("days", [2, 9])
async def test_a_process_killed_while_it_seals_loses_nothing(tmp_path: Path, days: int) -> None:
    path = tmp_path / "nightshift.db"
    store = Store(path, SystemClock())
    await store.open()
    rows = [
        Event(f"light.{n % 7}", "on", to_ms(START + timedelta(minutes=n)), context=n) for n in range(20_000)
    ]
    await Archive(store, store.clock).append("home", Events.of(rows))
    await store.close()

    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SEALER, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    for _ in range(days):
        await child.stdout.readline()
    child.kill()
    await child.communicate()

    await store.open()
    archive = Archive(store, store.clock)
    size = await archive.size("home")
    back = [row async for block in archive.blocks("home") for row in Events.decode(block).rows()]
    await store.close()
    assert size.events == len(rows)
    assert back == rows
