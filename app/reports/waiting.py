"""The daily report waits for the insights of its morning: both are due at six."""

import asyncio
from collections.abc import Callable
from datetime import datetime, time, timedelta

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
        """Return whether the insights of the morning are still under way or about to begin."""
        jobs = self._jobs()
        today, now = (at.astimezone(context.zone).date() for at in (context.occasion, context.clock.now()))
        # Of a morning that was missed the readings are gone.
        if DAILY_INSIGHTS not in jobs.specs or today != now:
            return False
        if jobs.running(DAILY_INSIGHTS, context.home) is not None:
            return True
        midnight = datetime.combine(today, time.min, context.zone)
        due = self._due(context, midnight)
        runs = await jobs.ledger.recent(DAILY_INSIGHTS, 10, context.home)
        newest = next((run for run in runs if (run.occasion or run.started_at) >= (due or midnight)), None)
        if newest is None:
            return due is not None
        if newest.status is RunStatus.RETRYING:
            soon = context.clock.now() + _AT_MOST
            return newest.next_retry_at is not None and newest.next_retry_at <= soon
        return newest.status not in _OVER

    def _due(self, context: RunContext, midnight: datetime) -> datetime | None:
        """Return when the schedule asks for them that day, if that is no later than for the report."""
        jobs = self._jobs()
        if context.scheduled_for is None or jobs.is_paused(DAILY_INSIGHTS):
            return None
        when = jobs.when(DAILY_INSIGHTS, context.home)
        instant = when.next(midnight - _MOMENT) if when is not None else None
        return instant if instant is not None and instant <= context.scheduled_for else None


async def _ring(context: RunContext, moved: asyncio.Event) -> None:
    await context.clock.sleep(_AT_MOST.total_seconds())
    moved.set()
