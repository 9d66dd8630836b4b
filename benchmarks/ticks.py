"""What the clock costs with many jobs: a start, a tick, an instant at which all are due.

    python -m benchmarks.ticks [--jobs 1000]

A pause is how long the event loop kept a heartbeat of 1 ms waiting; of a pause on a busy machine only what
this process computed in it is its own. Prints a table in Markdown.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from app.clock import SystemClock, TurnedClock
from app.jobs.context import RunContext
from app.jobs.policies import CatchUp
from app.jobs.spec import JobSpec, Outcome
from app.system import settle_memory
from benchmarks.measuring import Watch, watched
from tests.jobs.crew import Crew, at, crew, job, turn_to

_BEGINS = at("2026-03-10 12:00")
_TICKS = 50


async def nothing(_context: RunContext) -> Outcome:
    return Outcome()


def specs(count: int) -> list[JobSpec]:
    """Return nightly jobs, one each minute from 02:00 on, many at the same."""
    return [
        job(nothing, name=f"job_{n}", schedule=f"{n % 60} {2 + n // 60 % 3} * * *", catch_up=CatchUp.ONCE)
        for n in range(count)
    ]


async def at_rest(made: Crew) -> None:
    while not made.at_rest:  # noqa: ASYNC110 - looks and runs have no one event
        await asyncio.sleep(0.001)


async def start(what: str, folder: Path, clock: TurnedClock, declared: Sequence[JobSpec]) -> None:
    """Start once, wait for what it makes up for, and stop."""
    async with crew(folder, clock, *declared, start=False) as made:
        settle_memory()
        async with watched() as watch:
            await made.jobs.start()
        said(what, watch, f"{len(made.ended())} runs ended")
        await at_rest(made)


async def ticks(folder: Path, clock: TurnedClock, declared: Sequence[JobSpec]) -> None:
    """Measure the clock's own look in its thread, and the runner's at each job."""
    async with crew(folder, clock, *declared) as made:
        settle_memory()
        scheduler = made.jobs._dispatch.schedule._scheduler  # noqa: SLF001 - its look has no other name
        assert scheduler is not None
        times = []
        async with watched() as watch:
            for _ in range(_TICKS):
                before = time.perf_counter()
                await asyncio.to_thread(scheduler._process_jobs)  # noqa: SLF001 - the same
                times.append(time.perf_counter() - before)
        middle, worst = statistics.median(times) * 1000, max(times) * 1000
        said("a tick, none due", watch, f"median {middle:.2f} ms, worst {worst:.2f} ms, of {_TICKS}")
        async with watched() as watch:
            for name in made.jobs.specs:
                made.jobs.look(name)
                await asyncio.sleep(0)  # the clock's thread hands them over one by one
            await at_rest(made)
        said("a look at each job, none due", watch, f"{watch.cpu / len(declared) * 1e6:.0f} µs CPU a job")


async def all_due(folder: Path, declared: Sequence[JobSpec]) -> None:
    """Let all come due at the same minute of the machine's clock, as the scheduler's own tick finds them."""
    clock = SystemClock()
    due = (clock.now() + timedelta(seconds=75)).replace(second=0, microsecond=0)
    same = [job(nothing, name=spec.name, schedule=f"{due:%M %H} * * *") for spec in declared]
    async with crew(folder, clock, *same, zone=ZoneInfo("UTC")) as made:
        settle_memory()
        await asyncio.sleep((due - clock.now()).total_seconds() - 1)
        async with watched() as watch:
            while len(made.ended()) < len(same):  # noqa: ASYNC110 - the bus tells of one at a time
                await asyncio.sleep(0.1)
            await at_rest(made)
        begun = [event.run.started_at - due for event in made.ended()]
        said(
            "all due in the same minute",
            watch,
            f"{len(begun)} runs, the last begun after {max(begun).total_seconds():.1f} s, "
            f"{watch.cpu / len(begun) * 1000:.1f} ms CPU a run",
        )


def said(what: str, watch: Watch, more: str) -> None:
    pauses = f"{watch.longest * 1000:.1f} | {watch.own * 1000:.1f}"
    print(f"| {what} | {watch.seconds:.2f} | {pauses} | {more} |", flush=True)


async def main(count: int) -> None:
    declared = specs(count)
    print(f"{count} scheduled jobs\n")
    print("| what | s | longest pause, ms | own CPU in a pause, ms | |\n|---|---|---|---|---|")
    async with watched() as watch:
        await asyncio.sleep(5)
    said("nothing at all: the machine's own share", watch, "")
    with tempfile.TemporaryDirectory() as name:
        folder, clock = Path(name), TurnedClock(_BEGINS)
        await start("the first start (writes the clock's file)", folder, clock, declared)
        await start("a start, nothing due or changed", folder, clock, declared)
        moved = [job(nothing, name=spec.name, schedule="0 5 * * *") for spec in declared]
        await start("a start, each schedule changed", folder, clock, moved)
        await start("and changed back", folder, clock, declared)
        await ticks(folder, clock, declared)
        await turn_to(clock, _BEGINS + timedelta(hours=22))
        await start("a start, one run of each missed", folder, clock, declared)
    with tempfile.TemporaryDirectory() as name:
        await all_due(Path(name), declared)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=1000)
    asyncio.run(main(parser.parse_args().jobs))
