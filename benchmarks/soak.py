"""A compressed week of jobs in one process: what it holds day by day, and what an idle hour writes.

    python -m benchmarks.soak [--days 7] [--idle 120]

The jobs are those that tests/jobs/week.py has killed a hundred times, in two homes, and two more that use the
engine: a worker process each time. The idle hour is one of the turned clock; then the same jobs wait for as
many seconds of the machine's. Prints a table in Markdown.
"""

import argparse
import asyncio
import gc
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.clock import SystemClock, TurnedClock
from app.jobs.context import RunContext
from app.jobs.spec import JobSpec, Outcome
from app.system import settle_memory
from benchmarks.measuring import Footprint, written
from tests.jobs.crew import Crew, crew, job
from tests.jobs.week import BEGINS, PLACES, Week, go_on

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


async def mine(context: RunContext) -> Outcome:
    """Send half a megabyte through a worker process."""
    for step in range(200):
        context.log.info("day %d of 200", step)
    await context.engine.call("tests.jobs.crew:reverse", bytes(500_000), lambda *_said: None)
    return Outcome()


def specs(week: Week) -> list[JobSpec]:
    return [*week.specs(), job(mine, name="mine", schedule="50 */6 * * *"), job(mine, name="scan")]


async def days(folder: Path, count: int) -> None:
    week, clock = _week(folder), TurnedClock(BEGINS)
    async with crew(folder, clock, *specs(week), places=PLACES) as made:
        settle_memory()
        print("| day | runs | resident MiB | open files | threads |")
        print("|---|---|---|---|---|")
        await _told(0, made)
        for day in range(1, count + 1):
            await go_on(week, made, clock, BEGINS + day * _DAY)
            made.heard.clear()  # what this benchmark alone keeps
            await _told(day, made)
        for name in made.jobs.specs:
            await made.jobs.pause(name)
        await go_on(week, made, clock, clock.now() + _DAY)  # what still runs ends
        week.close()
        with written(folder) as told:
            await clock.turn(_HOUR)
            await asyncio.sleep(1)
        print(f"\nAn idle hour of the turned clock: {told['bytes']} bytes, {told['files']} files touched.")


async def idle(folder: Path, seconds: int) -> None:
    """Wait, with the jobs on the machine's clock, none of them due."""
    far = (datetime.now(UTC) + 12 * _HOUR).strftime("%M %H * * *")
    names = [spec.name for spec in specs(Week(folder, 1, silent=True))]
    jobs = [job(mine, name=name, schedule=far) for name in names]
    async with crew(folder, SystemClock(), *jobs) as made:
        await asyncio.sleep(2)
        with written(folder) as told:
            await asyncio.sleep(seconds)
        since = made.jobs.since_tick()
    assert since is not None
    print(
        f"{seconds} s of the machine's, the clock ticking (last {since:.0f} s ago): "
        f"{told['bytes']} bytes, {told['files']} files touched."
    )


def _week(folder: Path) -> Week:
    (folder / "now").touch()
    return Week(folder, 1)


async def _told(day: int, made: Crew) -> None:
    async with made.store.reading() as db:
        rows = await db.execute_fetchall("SELECT count(*) FROM job_run WHERE status <> 'skipped'")
    runs = next(iter(rows))[0]
    gc.collect()
    await asyncio.sleep(0.5)
    holds = Footprint.now()
    print(f"| {day} | {runs} | {holds.resident_mib:.1f} | {holds.files} | {holds.threads} |", flush=True)


async def main(count: int, seconds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        await days(Path(folder), count)
    with tempfile.TemporaryDirectory() as folder:
        await idle(Path(folder), seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--idle", type=int, default=120)
    given = parser.parse_args()
    asyncio.run(main(given.days, given.idle))
