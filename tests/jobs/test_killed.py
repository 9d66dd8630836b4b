"""Real processes, really killed."""

import asyncio
import random
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import closing
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.jobs.ledger import Run, RunStatus, Trigger
from tests.jobs.crew import SOON, Quick, crew, job, until

pytestmark = pytest.mark.timeout(300)


async def begun(folder: Path, how: str) -> Process:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.jobs.killed", str(folder), how), stdout=PIPE
    )
    assert await heard(process) == "started"
    return process


async def heard(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def killed(process: Process) -> None:
    process.kill()
    await process.communicate()


def gone(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def test_killed_in_the_middle_and_again_in_the_catch_up_the_run_is_made_up_for_once(
    tmp_path: Path,
) -> None:
    process = await begun(tmp_path, "hang")
    first, _, worker = (await heard(process)).split()
    await killed(process)
    await until(lambda: gone(worker))

    # The catch-up starts before the process says that it has started.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.jobs.killed", str(tmp_path), "hang"), stdout=PIPE
    )
    lines = [await heard(process), await heard(process)]
    second = next(line.split()[0] for line in lines if line != "started")
    await killed(process)

    work, runs = Quick(), list[Run]()
    for _ in range(3):
        async with crew(tmp_path, SystemClock(), job(work)) as made:
            await until(lambda: work.runs and made.jobs.running("analysis") is None)
            runs = await made.ledger.recent()
    assert [(run.status, run.trigger, run.retry_of, run.attempt) for run in runs] == [
        (RunStatus.COMPLETED, Trigger.CATCH_UP, second, 3),
        (RunStatus.INTERRUPTED, Trigger.CATCH_UP, first, 2),
        (RunStatus.INTERRUPTED, Trigger.SCHEDULE, None, 1),
    ]
    assert len(work.runs) == 1


async def test_killed_between_a_failure_and_its_second_try_the_second_try_is_not_lost(tmp_path: Path) -> None:
    process = await begun(tmp_path, "fail")
    assert await heard(process) == "failed"
    await killed(process)
    work, runs = Quick(), list[Run]()
    for _ in range(2):
        async with crew(tmp_path, SystemClock(), job(work, backoff=SOON)) as made:
            await until(lambda: work.runs and made.jobs.running("analysis") is None)
            runs = await made.ledger.recent()
    retried, failed = runs
    assert (failed.status, retried.status) == (RunStatus.FAILED, RunStatus.COMPLETED)
    assert (retried.trigger, retried.retry_of, retried.attempt) == (Trigger.RETRY, failed.run_id, 2)


async def test_killed_at_any_instant_no_row_runs_for_ever_and_the_database_is_whole(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - when to kill
    for _ in range(6):
        process = await begun(tmp_path, "busy")
        await asyncio.sleep(chance.uniform(0, 0.3))
        await killed(process)
    async with crew(tmp_path, SystemClock(), job(Quick())) as made:
        await until(lambda: made.jobs.running("analysis") is None)
        runs = await made.ledger.recent(limit=100_000)
    assert len(runs) > 6
    assert {run.status for run in runs} <= {RunStatus.COMPLETED, RunStatus.INTERRUPTED}
    taken_up = [run.retry_of for run in runs if run.retry_of is not None]
    interrupted = {run.run_id for run in runs if run.status is RunStatus.INTERRUPTED}
    assert sorted(taken_up) == sorted(interrupted)
    with closing(sqlite3.connect(tmp_path / "nightshift.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
