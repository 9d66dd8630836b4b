"""Light reads of the ledger, on what a real one wrote."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from app.clock import TurnedClock
from app.jobs.context import RunContext
from app.jobs.run import RunStatus, SkippedBecause, Trigger
from app.jobs.spec import JobSpec, Subjects
from app.jobs.subject import Subject
from app.jobs.tally import NEWEST, Worked
from tests.upkeep.house import house
from tests.upkeep.sights import DAY, DUE, NOW


class Outlook:
    """A job for three people; it fails for those that `failing` names."""

    def __init__(self) -> None:
        self.failing: set[str] = set()

    async def people(self, _context: RunContext) -> list[Subject]:
        await asyncio.sleep(0)
        return [Subject("ann"), Subject("bob"), Subject("cho")]

    async def work(self, _context: RunContext, subject: Subject) -> None:
        await asyncio.sleep(0)
        if subject.subject_id in self.failing:
            raise ValueError("no calendar")

    @property
    def spec(self) -> JobSpec:
        return JobSpec(
            name="outlook",
            title="Outlook",
            description="Tells what the day brings.",
            schedule="0 6 * * *",
            subjects=Subjects(of=self.people, work=self.work),
        )


async def test_tries_come_newest_first_and_in_short(tmp_path: Path) -> None:
    clock = TurnedClock(NOW)
    async with house(tmp_path, clock) as opened:
        await opened.run()
        await clock.turn(timedelta(minutes=1))
        opened.nightly.error = "hub: no answer"
        await opened.run()
        failed, completed = await opened.parts.tally.tries("analysis", "home")
        assert failed.status is RunStatus.FAILED
        assert failed.error_message == "hub: no answer"
        assert failed.went_wrong
        assert completed.status is RunStatus.COMPLETED
        assert completed.trigger is Trigger.MANUAL
        assert completed.counts == {"words_needed": 10, "words_kept": 9}
        assert completed.occasion == completed.started_at == NOW
        assert await opened.parts.tally.tries("analysis", "cabin") == []


async def test_a_skipped_run_says_why_and_a_cancelled_one_was_meant(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        ledger = opened.parts.ledger
        await ledger.skip("analysis", "home", DUE, because=SkippedBecause.MISSED, why="Missed.")
        run = await ledger.claim("analysis", "home", Trigger.MANUAL)
        assert run is not None
        await ledger.finish(run.run_id, RunStatus.INTERRUPTED, seconds=1, details={"cancelled": True})
        found = {one.status: one for one in await opened.parts.tally.tries("analysis", "home")}
        assert found[RunStatus.SKIPPED].because is SkippedBecause.MISSED
        assert not found[RunStatus.SKIPPED].judged
        assert found[RunStatus.INTERRUPTED].on_purpose
        assert not found[RunStatus.INTERRUPTED].judged


async def test_no_more_than_the_newest_are_read(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        for age in range(NEWEST + 5):
            await opened.parts.ledger.skip(
                "analysis", "home", DUE - DAY * age, because=SkippedBecause.MISSED, why="Missed."
            )
        assert len(await opened.parts.tally.tries("analysis", "home")) == NEWEST


async def test_a_subject_that_a_second_try_helped_succeeded(tmp_path: Path) -> None:
    outlook, clock = Outlook(), TurnedClock(NOW)
    async with house(tmp_path, clock, outlook.spec) as opened:
        outlook.failing = {"ann", "bob"}
        first = await opened.run("outlook")
        since = NOW - DAY
        assert await opened.parts.tally.subjects("outlook", "home", since) == {NOW: Worked(3, 1)}
        outlook.failing = {"bob"}
        for retry in await opened.parts.queue.all():
            again = await opened.jobs.retry_subject(retry.retry_id)
            await opened.jobs.wait(again.run_id)
        assert first.status is RunStatus.PARTIAL
        assert await opened.parts.tally.subjects("outlook", "home", since) == {NOW: Worked(3, 2)}
        found = (await opened.monitor.look()).checks["outlook.success_rate"]
        assert found.healthy is False
        assert found.value == pytest.approx(2 / 3, abs=1e-4)
        assert await opened.parts.tally.subjects("outlook", "home", NOW + DAY) == {}


async def test_what_the_ledger_keeps_is_counted_by_job_and_status(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await opened.run()
        await opened.run("health_check")
        await opened.parts.ledger.skip("analysis", "home", DUE, because=SkippedBecause.MISSED, why="Missed.")
        kept = {(row.job, row.status): row for row in await opened.parts.tally.kept()}
        assert {key: row.runs for key, row in kept.items()} == {
            ("analysis", RunStatus.COMPLETED): 1,
            ("analysis", RunStatus.SKIPPED): 1,
            ("health_check", RunStatus.COMPLETED): 1,
        }
        assert kept["analysis", RunStatus.COMPLETED].completed_at == NOW
