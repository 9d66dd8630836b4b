"""What benchmarks of a running process measure it with."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

_BEAT_SECONDS = 0.001


@dataclass
class Watch:
    """How long a stretch took, and how long the event loop kept its heartbeat waiting in it, at most."""

    seconds: float = 0.0
    cpu: float = 0.0
    longest: float = 0.0
    """By the clock on the wall; on a busy machine that is also the time in which others had the processor."""
    own: float = 0.0
    """The most that this process itself, with all its threads, computed in one such pause."""


@asynccontextmanager
async def watched() -> AsyncIterator[Watch]:
    """Measure the block; a pause is what a sleep of 1 ms took beyond its time."""
    watch = Watch()

    async def beat() -> None:
        while True:
            before, computed = time.perf_counter(), time.process_time()
            await asyncio.sleep(_BEAT_SECONDS)
            pause = time.perf_counter() - before - _BEAT_SECONDS
            watch.longest = max(watch.longest, pause)
            watch.own = max(watch.own, min(pause, time.process_time() - computed))

    heart = asyncio.create_task(beat())
    await asyncio.sleep(0.01)
    start, cpu = time.perf_counter(), time.process_time()
    try:
        yield watch
    finally:
        watch.seconds, watch.cpu = time.perf_counter() - start, time.process_time() - cpu
        heart.cancel()


@dataclass(frozen=True)
class Footprint:
    """What this process holds."""

    resident_mib: float
    files: int
    threads: int

    @classmethod
    def now(cls) -> "Footprint":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        files = len(list(Path("/proc/self/fd").iterdir()))
        threads = len(list(Path("/proc/self/task").iterdir()))
        return cls(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, files, threads)


@contextmanager
def written(folder: Path) -> Iterator[dict[str, int]]:
    """Tell, when the block is over, the bytes this process wrote in it and the files it touched."""
    told: dict[str, int] = {}
    before, bytes_before = _files(folder), _bytes_written()
    yield told
    after = _files(folder)
    touched = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    told |= {"bytes": _bytes_written() - bytes_before, "files": len(touched)}


def _bytes_written() -> int:
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


def _files(folder: Path) -> dict[Path, tuple[int, int]]:
    return {
        path: (path.stat().st_size, path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()
    }
