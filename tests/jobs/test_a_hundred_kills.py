"""A week of jobs, killed at a hundred random instants: none is lost, none is done twice."""

import os
import random
import select
import signal
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.clock import TurnedClock, from_ms, to_ms
from tests.jobs.crew import Quick, at, crew, job, turn_to, until
from tests.jobs.week import BEGINS, ENDS, LAST
from tests.jobs.week_judged import Account

KILLS = 100
SEED = int(os.environ.get("WEEK_SEED", "1"))
"""Which week: the same seed is the same work, and kills as long after each start by the machine's clock."""


@dataclass
class Forks:
    """What forks the processes that are killed."""

    process: subprocess.Popen[bytes]

    def lived(self, folder: Path, seed: int, seconds: float | None) -> int:
        """Let a process go on with the week, killed after so long; return how it ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{folder} {seed}\n".encode())
        child = self._told()
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            os.kill(child, signal.SIGKILL)
        return self._told()

    def _told(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())


@contextmanager
def forks() -> Iterator[Forks]:
    command = (sys.executable, "-m", "tests.jobs.week")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        yield Forks(process)


@dataclass
class Week:
    """A week that lies in a folder."""

    folder: Path
    seed: int
    starts: list[datetime] = field(default_factory=list)
    """When each process started, by the week's clock."""
    kills: int = 0

    @property
    def now(self) -> datetime:
        return from_ms(struct.unpack("<q", (self.folder / "now").read_bytes())[0])

    @now.setter
    def now(self, now: datetime) -> None:
        (self.folder / "now").write_bytes(struct.pack("<q", to_ms(now)))

    def off(self, account: Account | None, chance: random.Random) -> None:
        """Let time pass while nothing runs: mostly none, sometimes so much that runs are missed."""
        if account is None or account.seen is None:
            return  # before the first start was through nothing is owed
        if chance.random() < 0.2 and self.now < ENDS:
            minutes = chance.choice((2, 30, 50, 200, 700, 1600))
            self.now += timedelta(minutes=chance.uniform(0, minutes))

    def judge(self, wrong: Iterator[str]) -> None:
        if found := list(wrong):
            said = "\n  ".join(found[:40])
            pytest.fail(
                f"seed {self.seed}, {self.kills} kills, {len(found)} wrong, {self.folder}:\n  {said}", False
            )


@pytest.mark.timeout(300)
def test_killed_at_a_hundred_instants_of_a_week_each_run_is_done_and_none_twice(tmp_path: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311 - when to kill
    kills, seed = 0, SEED
    with forks() as process:
        while kills < KILLS:
            week = Week(tmp_path / f"week {seed}", seed)
            week.folder.mkdir()
            week.now = BEGINS
            go_through(process, week, chance, KILLS - kills)
            kills += week.kills
            seed += 1
    assert kills == KILLS


def go_through(process: Forks, week: Week, chance: random.Random, kills: int) -> None:
    """Let a week go by and judge it, killed as often as that unless it is over before."""
    while True:
        week.starts.append(week.now)
        # Every third one does not even come through its start, or not far beyond.
        seconds = chance.uniform(0, 0.06 if chance.random() < 0.33 else 0.4)
        status = process.lived(week.folder, week.seed, seconds if week.kills < kills else None)
        account = Account.read(week.folder, week.seed)
        if status == 0:
            break
        assert status == -signal.SIGKILL, f"seed {week.seed}: it ended with {status} by itself"
        week.kills += 1
        if account is not None:
            week.judge(account.now_wrong())
        week.off(account, chance)
    assert week.now >= LAST
    assert account is not None
    week.judge(account.in_the_end_wrong(week.starts))


async def test_killed_while_the_clocks_file_is_filled_a_job_left_out_of_it_still_has_its_missed_run(
    tmp_path: Path,
) -> None:
    clock, work = TurnedClock(at("2026-03-09 12:00")), Quick()
    declared = [job(work, name=name) for name in ("first", "second")]
    async with crew(tmp_path, clock, *declared):
        pass
    with closing(sqlite3.connect(tmp_path / "clock.db", isolation_level=None)) as db:
        db.execute("DELETE FROM apscheduler_jobs WHERE id LIKE 'second%'")
        db.execute("PRAGMA user_version = 0")
    await turn_to(clock, at("2026-03-10 12:00"))
    async with crew(tmp_path, clock, *declared) as made:
        await until(lambda: made.at_rest)
    assert sorted(context.job for context in work.runs) == ["first", "second"]
