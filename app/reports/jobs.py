"""The jobs `daily_report` and `monthly_report`: written once for their days, kept, announced."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Final

from app.bus import Bus
from app.errors import InputError
from app.jobs.context import RunContext
from app.jobs.policies import Backoff, CatchUp
from app.jobs.run import RunStatus
from app.jobs.spec import JobSpec, Outcome
from app.reports.announcements import ReportReady
from app.reports.period import Period
from app.reports.report import Report, ReportKind
from app.reports.reports import Reports
from app.reports.waiting import InsightsFirst
from app.reports.writer import ReportWriter

DAILY_REPORT: Final = "daily_report"
MONTHLY_REPORT: Final = "monthly_report"
"""The jobs' names: the ledger's and the API's."""
DAILY_KEPT: Final = timedelta(days=400)
"""How long daily reports are kept; monthly ones for ever: twelve a year."""


class Reporting:
    """The work of both jobs: `Reporting(writer, reports, bus, insights_first)`."""

    def __init__(
        self, writer: ReportWriter, reports: Reports, bus: Bus, insights_first: InsightsFirst | None = None
    ) -> None:
        self._writer = writer
        self._reports = reports
        self._bus = bus
        self._insights_first = insights_first

    async def daily(self, context: RunContext) -> Outcome:
        """Write the report of the morning that the run is about: it tells of the day before."""
        morning = _morning(context)
        if self._insights_first is not None and not await self._insights_first.wait(context):
            context.log.warning("The daily insights are not there yet; the report goes without them")
        return await self._make(context, Period.day_before(morning, context.zone))

    async def monthly(self, context: RunContext) -> Outcome:
        """Write the report of the month before the one that the run is about."""
        return await self._make(context, Period.month_before(_morning(context), context.zone))

    async def forget_old(self, now: datetime) -> int:
        """Remove daily reports that are older than they are kept; return how many."""
        return await self._reports.forget(ReportKind.DAILY, (now - DAILY_KEPT).date())

    async def _make(self, context: RunContext, period: Period) -> Outcome:
        known = await self._reports.get(context.home, period.report_id)
        if known is not None and not context.force:
            waits = await self._reports.unannounced(context.home, period.report_id)
            if waits is not None:
                await self._announce(waits)
            context.log.info("The report of %s is there already", period.named)
            return Outcome(counts={"reports": 0}, details={"report_id": period.report_id})
        context.progress(f"Writing the report of {period.named}")
        report = await self._writer.write(context.home, period, context.fail)
        if await self._reports.keep(report):
            await self._announce(report)
        context.log.info("%s: %s", report.title, report.summary)
        return Outcome(
            status=RunStatus.PARTIAL if context.failed else RunStatus.COMPLETED,
            counts={"reports": 1, "sections": len(report.sections)},
            details={"report_id": report.report_id, "summary": report.summary},
        )

    async def _announce(self, report: Report) -> None:
        # Noted afterwards: of a crash in between comes a second telling, which its listeners know by its id.
        self._bus.announce(ReportReady(report))
        await self._reports.announced(report)


def daily_report_job(run: Callable[[RunContext], Awaitable[Outcome]]) -> JobSpec:
    """Declare the job: due with the insights, it waits until theirs of that morning have ended."""
    return JobSpec(
        name=DAILY_REPORT,
        title="Daily report",
        description="Tells yesterday on one page, once the daily insights are there.",
        schedule="0 6 * * *",
        run=run,
        grace=timedelta(hours=2),
        # Each day has its page; a week of them is made up for.
        catch_up=CatchUp.ALL,
        window=timedelta(days=7),
        attempts=3,
        backoff=Backoff(base=timedelta(minutes=10), cap=timedelta(hours=1)),
        time_limit=timedelta(minutes=16),
    )


def monthly_report_job(run: Callable[[RunContext], Awaitable[Outcome]]) -> JobSpec:
    """Declare the job."""
    return JobSpec(
        name=MONTHLY_REPORT,
        title="Monthly report",
        description="Tells the month that is over on one page.",
        schedule="30 6 1 * *",
        run=run,
        grace=timedelta(hours=2),
        catch_up=CatchUp.ONCE,
        attempts=3,
        backoff=Backoff(base=timedelta(minutes=10), cap=timedelta(hours=1)),
        time_limit=timedelta(minutes=5),
        keep=timedelta(days=5 * 366),
    )


def _morning(context: RunContext) -> date:
    """Return the local day the run is about. Raises InputError for one that has not begun."""
    morning, today = (at.astimezone(context.zone).date() for at in (context.occasion, context.clock.now()))
    if morning > today:
        raise InputError(f"the day before {morning} is not over yet")
    return morning
