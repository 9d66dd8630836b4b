"""The reports, their mail and the weekly cleanup, built of the rooms of the morning."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Final

from app.announce.report_mail import ReportMail, forget_failed_mail
from app.bus import Bus
from app.composition.morning import Morning
from app.declared import HOME_ID
from app.habits.offers.answered import Answers
from app.habits.offers.watches import Watches
from app.habits.suggestions import Suggestions
from app.jobs.ledger import Ledger
from app.jobs.runner import Jobs
from app.jobs.spec import JobSpec
from app.mail.sender import Mailer
from app.options import Options
from app.reports.jobs import Reporting, daily_report_job, monthly_report_job
from app.reports.sources import Sources
from app.reports.waiting import InsightsFirst
from app.reports.writer import ReportWriter
from app.statistics.remaking import Remaking
from app.store.database import Store
from app.upkeep.cleanup import Chore, WeeklyCleanup, weekly_cleanup_job
from app.upkeep.cleanup_chores import empty_space, old_runs, orphans

_ALERTS_LISTED: Final = timedelta(days=90)
_KEPT: Final = timedelta(days=400)


def reporting_specs(
    morning: Morning,
    *,
    store: Store,
    bus: Bus,
    ledger: Ledger,
    suggestions: Suggestions,
    watches: Watches,
    jobs: Callable[[], Jobs],
) -> list[JobSpec]:
    """Return the jobs of the reports and of the cleanup."""
    sources = Sources(
        clock=store.clock,
        home=morning.home,
        stats=morning.stats,
        alerts=morning.alerts,
        insights=morning.insights,
        watches=watches,
        suggestions=suggestions,
        answers=Answers(store),
        ledger=ledger,
        job_title=lambda name: _title(jobs(), name),
    )
    reporting = Reporting(ReportWriter(sources), morning.reports, bus, InsightsFirst(bus, jobs))
    cleanup = WeeklyCleanup(_chores(morning, reporting, store, ledger, jobs))
    return [
        daily_report_job(reporting.daily),
        monthly_report_job(reporting.monthly),
        weekly_cleanup_job(cleanup.run),
    ]


def start_report_mail(
    mailer: Mailer | None,
    closing: AsyncExitStack,
    *,
    options: Options,
    store: Store,
    bus: Bus,
    morning: Morning,
) -> None:
    """Begin to mail reports, if mail is set up and they are wanted."""
    if mailer is None or not options.report_mail:
        return
    mail = ReportMail(mailer, bus, store.clock, store, morning.reports, HOME_ID, morning.zone)
    mail.start()
    closing.push_async_callback(mail.stop)


def _chores(
    morning: Morning, reporting: Reporting, store: Store, ledger: Ledger, jobs: Callable[[], Jobs]
) -> list[Chore]:
    async def archive_alerts(now: datetime) -> int:
        return await morning.alerts.archive(HOME_ID, now - _ALERTS_LISTED)

    async def forget_alerts(now: datetime) -> int:
        return await morning.alerts.forget(HOME_ID, now - _KEPT)

    async def forget_mail(now: datetime) -> int:
        return await forget_failed_mail(store, now)

    async def forget_insights(now: datetime) -> int:
        return await morning.insights.forget(HOME_ID, (now - _KEPT).date())

    return [
        Chore("alerts_archived", "Old alerts", "alerts archived", archive_alerts),
        Chore("alerts_removed", "Archived alerts", "archived alerts removed", forget_alerts),
        Chore("mails", "Old mail", "notes on old mail removed", forget_mail),
        Chore("reports", "Old reports", "daily reports removed", reporting.forget_old),
        Chore("insights", "Old insights", "insights removed", forget_insights),
        old_runs(ledger, lambda: jobs().specs),
        orphans(store),
        Chore(
            "days_remade",
            "Long-term figures",
            "days of the statistics put right",
            Remaking(store, morning.home).remake,
        ),
        # The last: it gives back what the others have emptied.
        empty_space(store, store.clock),
    ]


def _title(jobs: Jobs, name: str) -> str:
    """Return a job's title; one that is not there any more goes by its name."""
    spec = jobs.specs.get(name)
    return spec.title if spec is not None else name
