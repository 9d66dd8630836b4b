"""The daily report waits for the insights of its morning: both are due at six."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from app.bus import Bus
from app.insights.daily import DAILY_INSIGHTS
from app.jobs.announcements import RunEnded, RunSkipped
from app.jobs.context import RunContext
from app.jobs.run import RunStatus
from app.jobs.runner import Jobs

_AT_MOST = timedelta(minutes=12)
_OVER = frozenset({RunStatus.COMPLETED, RunStatus.PARTIAL, RunStatus.FAILED, RunStatus.SKIPPED})
_MOMENT = timedelta(seconds=1)


class InsightsFirst:
    """Made with `InsightsFirst(bus, lambda: runtime.jobs)`: the report's job is itself one of the jobs."""

    def __init__(self, bus: Bus, jobs: Callable[[], Jobs]) -> None:
        self._bus = bus
        self._jobs = jobs

    async def wait(self, context: RunContext) -> bool:
        """Come back when the home's insights of the day have ended; False when they were waited for in vain.

        Not waited for, which is no failure: insights that are paused, off, due later than the report, or
        will be tried again in more than twelve minutes.
        """
        moved = asyncio.Event()

        def look(event: RunEnded | RunSkipped) -> None:
            if event.run.job == DAILY_INSIGHTS and event.run.home == context.home:
                moved.set()

        unsubscribe = [self._bus.subscribe(RunEnded, look), self._bus.subscribe(RunSkipped, look)]
        bell = asyncio.create_task(_ring(context, moved))
        until = context.clock.now() + _AT_MOST
        try:
            while await self._comes(context):
                if context.clock.now() >= until:
                    return False
                context.progress("Waiting for the daily insights")
                await moved.wait()
                moved.clear()
            return True
        finally:
            bell.cancel()
            await asyncio.gather(bell, return_exceptions=True)
            for each in unsubscribe:
                each()

    async def _comes(self, context: RunContext) -> bool:
        """Return whether the insights of the day are still under way or about to begin."""
        jobs, home = self._jobs(), context.home
        if DAILY_INSIGHTS not in jobs.specs:
            return False
        if jobs.running(DAILY_INSIGHTS, home) is not None:
            return True
        today = context.occasion.astimezone(context.zone).date()
        for run in await jobs.ledger.recent(DAILY_INSIGHTS, 10, home):
            about = run.occasion or run.started_at
            if about.astimezone(context.zone).date() != today:
                continue
            if run.status is RunStatus.RETRYING:
                soon = context.clock.now() + _AT_MOST
                return run.next_retry_at is not None and run.next_retry_at <= soon
            if run.status in _OVER:
                return False
            if run.status in {RunStatus.PENDING, RunStatus.RUNNING}:
                return True
        return self._is_due(context, today)

    def _is_due(self, context: RunContext, today: date) -> bool:
        """Return whether the schedule asks for them at the report's moment or earlier that day."""
        jobs = self._jobs()
        if context.scheduled_for is None or jobs.is_paused(DAILY_INSIGHTS):
            return False
        when = jobs.when(DAILY_INSIGHTS, context.home)
        if when is None:
            return False
        midnight = datetime.combine(today, time.min, context.zone)
        instant = when.next(midnight - _MOMENT)
        return instant is not None and instant <= context.scheduled_for


async def _ring(context: RunContext, moved: asyncio.Event) -> None:
    await context.clock.sleep(_AT_MOST.total_seconds())
    moved.set()
