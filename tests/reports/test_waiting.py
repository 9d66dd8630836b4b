"""The daily report comes after the insights of its morning, and without them rather than never."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from app.errors import NeighbourError
from app.jobs.context import RunContext
from app.jobs.run import RunStatus
from app.jobs.spec import Outcome
from app.reports.jobs import DAILY_REPORT
from tests.reports.office import MORNING, Office, insights_job, office

MINUTE = timedelta(minutes=1)


class Slow:
    """Insights that end when they are let."""

    def __init__(self) -> None:
        self.end = asyncio.Event()
        self.begun = asyncio.Event()
        self.error = ""

    async def __call__(self, _context: RunContext) -> Outcome:
        self.begun.set()
        await self.end.wait()
        if self.error:
            raise NeighbourError(self.error)
        return Outcome()


async def _six_o_clock(opened: Office) -> None:
    """Turn the clock to six and let what is due begin."""
    await opened.clock.turn(timedelta(minutes=10))
    for job in ("daily_insights", DAILY_REPORT):
        opened.jobs.look(job)
    await _until(lambda: opened.jobs.running(DAILY_REPORT) is not None)


async def _until(true: Any) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.005)


async def test_it_begins_when_the_insights_have_ended(tmp_path: Path) -> None:
    slow = Slow()
    before = MORNING - timedelta(minutes=9)
    async with office(tmp_path, insights_job(slow), start=before, scheduling=True) as opened:
        await _six_o_clock(opened)
        await slow.begun.wait()
        await opened.clock.turn(5 * MINUTE)
        assert not opened.ready
        assert opened.jobs.running(DAILY_REPORT) is not None
        slow.end.set()
        await _until(lambda: opened.ready)
        assert [one.report_id for one in opened.ready] == ["daily-2026-05-02"]


async def test_insights_that_a_person_asked_for_in_the_night_are_not_those_of_the_morning(
    tmp_path: Path,
) -> None:
    slow = Slow()
    before = MORNING - timedelta(minutes=9)
    async with office(tmp_path, insights_job(slow), start=before, scheduling=True) as opened:
        asked = await opened.jobs.trigger("daily_insights")
        slow.end.set()
        await opened.jobs.wait(asked.run_id)
        slow.end.clear()
        slow.begun.clear()
        await _six_o_clock(opened)
        await slow.begun.wait()
        await opened.clock.turn(MINUTE)
        assert not opened.ready
        slow.end.set()
        await _until(lambda: opened.ready)


async def test_insights_that_fail_and_are_tried_again_soon_are_waited_for_but_not_for_ever(
    tmp_path: Path,
) -> None:
    slow = Slow()
    before = MORNING - timedelta(minutes=9)
    async with office(tmp_path, insights_job(slow), start=before, scheduling=True) as opened:
        await _six_o_clock(opened)
        await slow.begun.wait()
        await opened.clock.turn(13 * MINUTE)
        await _until(lambda: opened.ready)
        run = await opened.jobs.ledger.last(DAILY_REPORT)
        assert run is not None
        await opened.jobs.wait(run.run_id)
        lines = await opened.jobs.ledger.get(run.run_id)
        assert lines is not None
        assert lines.status is RunStatus.COMPLETED
        slow.end.set()


async def test_without_insights_or_with_paused_ones_it_waits_for_nothing(tmp_path: Path) -> None:
    before = MORNING - timedelta(minutes=9)
    async with office(tmp_path / "none", start=before, scheduling=True) as opened:
        await opened.clock.turn(timedelta(minutes=10))
        opened.jobs.look(DAILY_REPORT)
        await _until(lambda: opened.ready)
    async with office(tmp_path / "paused", insights_job(), start=before, scheduling=True) as opened:
        await opened.jobs.pause("daily_insights")
        await opened.clock.turn(timedelta(minutes=10))
        opened.jobs.look(DAILY_REPORT)
        await _until(lambda: opened.ready)


async def test_insights_that_are_due_later_that_day_are_not_waited_for(tmp_path: Path) -> None:
    later = insights_job(schedule="0 9 * * *")
    before = MORNING - timedelta(minutes=9)
    async with office(tmp_path, later, start=before, scheduling=True) as opened:
        await opened.clock.turn(timedelta(minutes=10))
        opened.jobs.look(DAILY_REPORT)
        await _until(lambda: opened.ready)


async def test_days_that_were_missed_get_their_page_once_each(tmp_path: Path) -> None:
    async with office(tmp_path, insights_job(), start=MORNING + MINUTE, scheduling=True) as opened:
        opened.jobs.look(DAILY_REPORT)
        clock = opened.clock
    await clock.turn(timedelta(days=3, hours=5))
    short = replace(insights_job(), window=timedelta(hours=18))
    async with office(tmp_path, short, clock=clock, scheduling=True) as opened:
        await _until(lambda: len(opened.ready) >= 3)
        found = await opened.reports.recent("home")
        ids = [one.report_id for one in found]
        assert len(set(ids)) == len(ids)
        assert {"daily-2026-05-03", "daily-2026-05-04", "daily-2026-05-05"} <= set(ids)
