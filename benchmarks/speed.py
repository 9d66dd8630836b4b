"""What a night costs with a long past: seconds, CPU and memory of mining 400 days, and of one day more.

    python -m benchmarks.speed [--days 400] [--rows-a-day 25000] [--rounds 3]

Files an invented busy home's days in an archive, 10 million state changes. Every measurement runs in a fresh
process, in turn in each round; told is the round that took least CPU. The plain scan beside them unpacks
every day's block and counts its rows by entity. Prints tables in Markdown.
"""

import argparse
import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from app.archive.archive import Archive
from app.archive.queries import DAY_KEPT
from app.clock import SystemClock, to_ms
from app.events import Events
from app.habits.snapshot import encode_snapshot, frame
from app.habits.suggestion import Analysis
from app.jobs.engine import EmbeddedEngine
from app.store.database import Store
from benchmarks.speed_home import ZONE, day_of, day_starts, speed_home

_HOME = "home"
Told = dict[str, Any]


async def file_days(path: Path, days: int, rows: int) -> None:
    """File the days as the archive would have sealed them one by one."""
    store = Store(path, SystemClock())
    await store.open()
    for number in range(days):
        events = day_of(number, rows)
        start, end = day_starts(number), day_starts(number + 1)
        kept = (
            _HOME, start.date().isoformat(), to_ms(start), to_ms(end),
            int(events.at[0]), int(events.at[-1]), len(events), events.encode(),
        )  # fmt: skip
        async with store.writing() as db:
            await db.execute(DAY_KEPT, kept)
    await store.close()


async def scan(archive: Archive, since_day: int) -> Told:
    """Unpack every block and count by entity: nobody who looks at all rows can be faster."""
    rows = 0
    async for block in archive.blocks(_HOME, day_starts(since_day)):
        events = Events.decode(block)
        rows += int(np.bincount(events.entity).sum())
    return {"events": rows}


async def mine(archive: Archive, days: int, since_day: int) -> Told:
    """Hand the blocks to the worker process, as the night does."""
    home, since = speed_home(), day_starts(since_day)

    async def payload() -> AsyncIterator[bytes]:
        yield encode_snapshot(home, day_starts(days), explain=True)
        async for block in archive.blocks(_HOME, since):
            yield frame(block)

    engine = EmbeddedEngine(SystemClock())
    result = await engine.call("app.habits.worker:analyse", payload(), lambda *_: None)
    found = Analysis.model_validate_json(result.output)
    worker = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "events": found.analysed.events,
        "suggestions": len(found.suggestions),
        "worker_mib": result.peak_mib,
        "worker_cpu": worker.ru_utime + worker.ru_stime,
    }


async def increment(archive: Archive, days: int, rows: int) -> Told:
    """Do one night: pull a day in pieces of an hour, file it, forget the oldest, mine what there is."""
    events = day_of(days, rows)
    marks: dict[str, float] = {}
    began = time.process_time()
    for hour in range(25):
        start = day_starts(days).timestamp() + hour * 3600
        piece = events.between(round(start * 1000), round((start + 3600) * 1000))
        await archive.append(_HOME, piece)
        await archive.mark(_HOME, day_starts(days) + timedelta(hours=hour + 1))
    marks["pull"] = time.process_time() - began
    began = time.process_time()
    await archive.seal(_HOME, ZONE, day_starts(days + 1).date())
    await archive.forget(_HOME, day_starts(1).date())
    marks["file"] = time.process_time() - began
    began = time.process_time()
    told = await mine(archive, days + 1, 0)
    marks["feed"] = time.process_time() - began
    return told | marks | {"without_mining": sum(marks.values())}


async def one(what: str, path: Path, days: int, since_day: int, rows: int) -> Told:
    store = Store(path, SystemClock())
    await store.open()
    archive = Archive(store, store.clock)
    began, cpu = time.perf_counter(), time.process_time()
    if what == "increment":
        told = await increment(archive, days, rows)
    else:
        told = await (scan(archive, since_day) if what == "scan" else mine(archive, days, since_day))
    told |= {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    await store.close()
    return told


def run(days: int, rows: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nightshift.db"
        began = time.perf_counter()
        asyncio.run(file_days(path, days, rows))
        size = path.stat().st_size / 2**20
        print(f"{days} days of {rows:,} state changes, {size:.0f} MiB of archive", end=" ")
        print(f"(made in {time.perf_counter() - began:.0f} s); {_load()}\n")
        kinds = [(what, days - part) for part in (days // 4, days // 2, days) for what in ("scan", "mine")]
        told: dict[tuple[str, int], list[Told]] = {kind: [] for kind in kinds}
        nights: list[Told] = []
        for _ in range(rounds):
            for what, since_day in kinds:
                told[what, since_day].append(_in_a_process(what, path, days, since_day, rows))
            copy = path.with_name("copy.db")
            shutil.copyfile(path, copy)
            nights.append(_in_a_process("increment", copy, days, 0, rows))
            copy.unlink()
        _print_growth(days, {kind: min(found, key=_mining) for kind, found in told.items()})
        _print_night(min(nights, key=lambda night: float(night["without_mining"])))
        print(f"\nafterwards: {_load()}")


def _print_growth(days: int, told: dict[tuple[str, int], Told]) -> None:
    print(
        "| days | state changes | plain scan, CPU s | mining, CPU s | wall s | x plain scan | per doubling |",
        end="",
    )
    print(" peak MiB | suggestions |\n|---|---|---|---|---|---|---|---|---|")
    before = 0.0
    for part in (days // 4, days // 2, days):
        plain, mined = told["scan", days - part], told["mine", days - part]
        cpu = _mining(mined)
        growth = f"x {cpu / before:.2f}" if before else ""
        print(
            f"| {part} | {mined['events']:,} | {plain['cpu']:.2f} | {cpu:.2f} | {mined['seconds']:.2f} |"
            f" {cpu / plain['cpu']:.1f} | {growth} | {mined['worker_mib']:.0f} | {mined['suggestions']} |"
        )
        before = cpu


def _print_night(night: Told) -> None:
    print("\n| one night more | CPU s |\n|---|---|")
    for name, key in (
        ("pull the day in hours, keep its rows", "pull"),
        ("seal it, forget the oldest", "file"),
        ("feed the worker", "feed"),
        ("**all of it without the mining**", "without_mining"),
        ("mining, in the worker", "worker_cpu"),
    ):
        print(f"| {name} | {night[key]:.2f} |")


def _mining(told: Told) -> float:
    """Return the CPU seconds of a measurement: the worker's, or of what has none its own."""
    return float(told["worker_cpu"] if "worker_cpu" in told else told["cpu"])


def _load() -> str:
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"


def _in_a_process(what: str, path: Path, days: int, since_day: int, rows: int) -> Told:
    values = [what, str(path), str(days), str(since_day), str(rows)]
    command = [sys.executable, "-m", "benchmarks.speed", "--one", *values]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: Told = json.loads(answer.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--rows-a-day", type=int, default=25_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        what, path, days, since_day, rows = given.one
        print(json.dumps(asyncio.run(one(what, Path(path), int(days), int(since_day), int(rows)))))
    else:
        run(given.days, given.rows_a_day, given.rounds)


if __name__ == "__main__":
    main()
