"""What the archive costs: time, the longest pause of the event loop, bytes an event. Prints a table.

Run: python -m benchmarks.archive [EVENTS]
"""

import asyncio
import lzma
import sys
import tempfile
import time
import zlib
from collections.abc import Awaitable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np

from app.archive.archive import Archive
from app.clock import SystemClock, to_ms
from app.events import NO_ACTOR, NUMERIC, Events
from app.model import Cause
from app.store.database import Store
from app.system import settle_memory

DAYS = 30
START = datetime(2026, 3, 1, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Amsterdam")
T = TypeVar("T")


def invented(count: int, seed: int = 5) -> Events:
    """Return a home's mix: 70 % numeric sensors, 25 % switches, lights and motion, 5 % of them by people."""
    chance = np.random.default_rng(seed)
    entities = tuple(f"sensor.room_{n}_temperature" for n in range(120)) + tuple(
        f"{domain}.room_{n}_main" for domain in ("light", "switch", "binary_sensor") for n in range(30)
    )
    numeric = chance.random(count) < 0.7
    entity = np.where(numeric, chance.integers(0, 120, count), chance.integers(120, len(entities), count))
    person = ~numeric & (chance.random(count) < 0.2)
    return Events(
        entities=entities,
        states=("off", "on"),
        actors=("5f1f7c3e8d4b4f0f9f8b6f6f1a2b3c4d", "9a1f7c3e8d4b4f0f9f8b6f6f1a2b3c4e"),
        entity=entity.astype(np.int32),
        state=np.where(numeric, NUMERIC, chance.integers(0, 2, count)).astype(np.int32),
        value=np.where(numeric, chance.normal(21, 3, count).round(1), np.nan).astype(np.float32),
        at=np.sort(to_ms(START) + chance.integers(0, DAYS * 86_400_000, count)).astype(np.int64),
        cause=np.where(person, Cause.PERSON, Cause.UNKNOWN).astype(np.uint8),
        context=np.where(~numeric, chance.integers(1, 2**62, count), 0).astype(np.int64),
        actor=np.where(person, chance.integers(0, 2, count), NO_ACTOR).astype(np.int32),
    )


async def measured(what: str, work: Awaitable[T], unit: str = "") -> T:
    """Run it beside a heartbeat and print how long it took and the loop's longest pause."""
    longest = 0.0

    async def beat() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - before - 0.001)

    heart = asyncio.create_task(beat())
    await asyncio.sleep(0.01)
    start = time.perf_counter()
    result = await work
    seconds = time.perf_counter() - start
    heart.cancel()
    print(f"{what:<44}{seconds:>9.3f} s{longest * 1000:>9.1f} ms   {unit.format(result)}")
    return result


async def main(count: int) -> None:
    events = invented(count)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nightshift.db"
        store = Store(path, SystemClock())
        await store.open()
        archive = Archive(store, store.clock)
        settle_memory()  # as the product does when it has started
        print(f"{count} events, {DAYS} days, {len(events.entities)} entities")
        print(f"{'':<44}{'time':>11}{'longest pause':>15}")
        await measured("append", archive.append("home", events), "{} new")
        await measured("append again", archive.append("home", events), "{} new")
        rows = await measured("size (rows)", archive.size("home"))
        wal = path.with_name(path.name + "-wal").stat().st_size
        file = path.stat().st_size + wal
        print(f"    rows: {file / count:.1f} bytes an event on disk")
        await measured("seal", archive.seal("home", ZONE, date(2026, 3, 30)), "{} days")
        await measured("append again, sealed", archive.append("home", events), "{} new")
        late = events.take(slice(100, 200))
        await measured("append a late hour, sealed", archive.append("home", late), "{} new")

        async def stream() -> tuple[int, int]:
            sizes = [len(block) async for block in archive.blocks("home")]
            return len(sizes), max(sizes)

        await measured("blocks", stream(), "{0[0]} blocks, largest {0[1]} bytes")
        size = await measured("size (blocks)", archive.size("home"))
        print(f"    sealed: {size.bytes / size.events:.2f} bytes an event (rows: {rows.bytes / count:.1f})")
        async with store.reading() as db:
            rows_left = await db.execute_fetchall(
                "SELECT (SELECT sum(events) FROM archive_day), (SELECT sum(length(block)) FROM archive_day)"
            )
        sealed, size_of_blocks = next(iter(rows_left))
        print(f"    blocks alone: {size_of_blocks / sealed:.2f} bytes an event")
        await store.close()
        print(f"    file after closing: {path.stat().st_size / 1e6:.1f} MB, with its free pages")
        await measured("open (quick_check)", store.open())
        await store.close()
    compare(events)


def compare(events: Events) -> None:
    """Compare what one day's columns take with the standard library's compressors."""
    low = to_ms(START)
    day = events.between(low, low + 86_400_000)
    plain = zlib.decompress(day.encode()[20:])
    print(f"one day's columns: {len(day)} events, {len(plain) / len(day):.1f} bytes an event plain")
    for name, pack, unpack in (
        ("zlib 6", lambda raw: zlib.compress(raw, 6), zlib.decompress),
        ("zlib 9", lambda raw: zlib.compress(raw, 9), zlib.decompress),
        ("lzma", lzma.compress, lzma.decompress),
    ):
        start = time.perf_counter()
        packed = pack(plain)
        middle = time.perf_counter()
        unpack(packed)
        end = time.perf_counter()
        print(
            f"    {name:<8}{len(packed) / len(day):>7.2f} bytes an event"
            f"{(middle - start) * 1000:>9.1f} ms in{(end - middle) * 1000:>8.1f} ms out"
        )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 150_000))
