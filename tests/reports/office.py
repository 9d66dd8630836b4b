"""What the tests of reports share: a home with a past in a real database, and the jobs that tell it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from app.alerts.alert import AlertKind, Level
from app.alerts.book import AlertBook, Settled
from app.alerts.finding import Finding
from app.alerts.telling import TellingRules
from app.bus import Bus
from app.clock import TurnedClock, to_ms
from app.habits.offers.answered import Answers
from app.habits.offers.watched import Watched, WatchedDay
from app.habits.offers.watches import Watches
from app.habits.suggestions import Suggestions
from app.insights.insight import CategoryScore, Insight, Priority, Recommendation
from app.insights.insights import Insights
from app.jobs.context import RunContext
from app.jobs.engine import EmbeddedEngine
from app.jobs.ledger import Ledger
from app.jobs.places import Place
from app.jobs.retry_queue import RetryQueue
from app.jobs.run import Run
from app.jobs.run_log import RunLog
from app.jobs.runner import Jobs
from app.jobs.spec import JobSpec, Outcome
from app.model import Area, Home
from app.options import Options
from app.reports.announcements import ReportReady
from app.reports.jobs import (
    DAILY_REPORT,
    Reporting,
    daily_report_job,
    monthly_report_job,
)
from app.reports.report import Report, Section
from app.reports.reports import Reports
from app.reports.sources import Sources
from app.reports.waiting import InsightsFirst
from app.reports.writer import ReportWriter
from app.statistics.book import Book
from app.statistics.queries import StatsQueries
from app.store.database import Store

ZONE = ZoneInfo("Europe/Amsterdam")
DAY = timedelta(days=1)
YESTERDAY = date(2026, 5, 2)
MORNING = datetime(2026, 5, 3, 6, 0, tzinfo=ZONE)
HOME = Home(
    name="Canal house",
    time_zone=ZONE.key,
    areas=(Area(area_id="kitchen", name="Kitchen"), Area(area_id="attic", name="Attic <script>")),
)


def local(hour: int, minute: int = 0, day: date = YESTERDAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def water(cause: str = "water-cellar", level: Level = Level.CRITICAL, **more: Any) -> Finding:
    given = {"kind": AlertKind.WATER, "title": "Water in the cellar", "description": "It is wet."}
    return Finding(cause=cause, level=level, **{**given, **more})


@dataclass
class Office:
    """A home's rooms with their real tables, and the two jobs."""

    store: Store
    clock: TurnedClock
    bus: Bus
    jobs: Jobs
    sources: Sources
    reports: Reports
    reporting: Reporting
    home: Home | None = HOME
    ready: list[Report] = field(default_factory=list)

    async def runs(self, job: str = DAILY_REPORT, **how: Any) -> Run:
        started = await self.jobs.trigger(job, **how)
        return await self.jobs.wait(started.run_id)

    async def report(self, job: str = DAILY_REPORT, **how: Any) -> Report:
        run = await self.runs(job, **how)
        found = await self.reports.get("home", str(run.details["report_id"]))
        assert found is not None
        return found

    async def lived(self, day: date, **figures: Any) -> None:
        """Let the statistics have a day of the home, and of the kitchen (a tenth of it)."""
        given = {"events": 1000, "automations_fired": 40, **figures}
        kitchen = {"events": given["events"] // 10, "automations_fired": 4}
        async with self.store.writing() as db:
            for area, values in (("", given), ("kitchen", kitchen)):
                names = ", ".join(values)
                await db.execute(
                    f"INSERT INTO stat_day (home_id, day, area_id, {names})"  # noqa: S608 - ours
                    f" VALUES ('home', ?, ?, {', '.join('?' * len(values))})",
                    (day.isoformat(), area, *values.values()),
                )
            await db.execute(
                "INSERT INTO stat_mark (home_id, counted_from, counted_until) VALUES ('home', ?, ?)"
                " ON CONFLICT (home_id) DO UPDATE SET"
                " counted_from = min(counted_from, excluded.counted_from),"
                " counted_until = max(counted_until, excluded.counted_until)",
                (to_ms(local(0, day=day)), to_ms(local(0, day=day) + DAY)),
            )

    async def alerts_at(self, when: datetime, *found: Finding, over: tuple[str, ...] = ()) -> None:
        """Let a pass of the alerts find this at a moment of the past."""
        book = AlertBook(
            self.store, self.bus, TurnedClock(when), TellingRules.of(Options()), zone=lambda: ZONE
        )
        await book.settle("home", Settled(due=found, over=frozenset(over)))

    async def scored(self, day: date, score: int | None = 82, **more: Any) -> None:
        given: Mapping[str, Any] = {
            "insight_id": f"i-{day}",
            "home_id": "home",
            "scorecard": "home",
            "title": "Home",
            "day": day,
            "health_score": score,
            "health_breakdown": (CategoryScore(key="safety", title="Safety", weight=0.35, score=score),),
            "recommendations": (),
            "generated_at": local(6, day=day),
        }
        await self.sources.insights.keep(Insight(**{**given, **more}), "fingerprint", ())

    async def night(self, at: datetime) -> None:
        """Let a night have ended well that began then."""
        async with self.store.writing() as db:
            await db.execute(
                "INSERT INTO job_run (run_id, job, home, trigger, status, started_at, completed_at,"
                " generation) VALUES (?, 'analysis', 'home', 'schedule', 'completed', ?, ?, 'g')",
                (f"night-{at}", to_ms(at), to_ms(at)),
            )

    async def watched(self, **more: Any) -> None:
        day = WatchedDay(day=YESTERDAY.isoformat(), fired=3, undone=2, by_hand=1)
        given: Mapping[str, Any] = {
            "unique_id": "u1", "entity_id": "automation.lamp", "alias": "Lamp at dusk", "days": [day],
        }  # fmt: skip
        await self.sources.watches.keep("home", [Watched(**{**given, **more})])


def advice(priority: Priority = Priority.CRITICAL) -> Recommendation:
    return Recommendation(
        recommendation_id="rec-1",
        priority=priority,
        title="Look at the cellar",
        message="There was water.",
        rests_on="1 open critical alert",
        would_change="Safety to 100",
        category="safety",
    )


def section(report: Report, key: str) -> Section:
    return next(one for one in report.sections if one.key == key)


def told(found: Section) -> list[str]:
    """Return its lines as title, value and remark."""
    return [" | ".join(filter(None, (item.title, item.value, item.remark))) for item in found.items]


async def _no_insights(_context: RunContext) -> Outcome:
    return Outcome()


def insights_job(run: Any = _no_insights, schedule: str = "0 6 * * *") -> JobSpec:
    """Declare a stand-in for the insights, which takes as long as a test wants."""
    return JobSpec(
        name="daily_insights", title="Daily insights", description="Scores.", schedule=schedule, run=run
    )


@asynccontextmanager
async def office(
    folder: Path,
    *more: JobSpec,
    start: datetime = MORNING + timedelta(minutes=5),
    scheduling: bool = False,
    clock: TurnedClock | None = None,
) -> AsyncIterator[Office]:
    clock, bus = clock or TurnedClock(start), Bus()
    store = Store(folder / "nightshift.db", clock)
    await store.open()
    ledger = Ledger(store, clock)
    opened: Office
    reports = Reports(store, clock)
    suggestions = Suggestions(store, bus, clock, lambda: opened.home)
    sources = Sources(
        clock=clock,
        home=lambda: opened.home,
        stats=StatsQueries(Book(store), clock, lambda: opened.home),
        alerts=AlertBook(store, bus, clock, TellingRules.of(Options()), zone=lambda: ZONE),
        insights=Insights(store, clock),
        watches=Watches(store, bus, clock),
        suggestions=suggestions,
        answers=Answers(store),
        ledger=ledger,
        job_title=lambda name: opened.jobs.specs[name].title if name in opened.jobs.specs else name,
    )
    reporting = Reporting(ReportWriter(sources), reports, bus, InsightsFirst(bus, lambda: opened.jobs))
    jobs = Jobs(
        [*more, daily_report_job(reporting.daily), monthly_report_job(reporting.monthly)],
        ledger=ledger,
        bus=bus,
        clock=clock,
        engine=EmbeddedEngine(clock),
        places=(Place("home", ZONE),),
        schedule_path=folder / "clock.db",
        queue=RetryQueue(store, clock, ledger.generation, bus),
        log=RunLog(store, bus, clock),
    )
    opened = Office(store, clock, bus, jobs, sources, reports, reporting)
    bus.subscribe(ReportReady, lambda said: opened.ready.append(said.report))
    await jobs.start(scheduling=scheduling)
    try:
        yield opened
    finally:
        await jobs.stop(1)
        await store.close()
