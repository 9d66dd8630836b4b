"""The home's morning: statistics, alerts and insights, built and wired to one another."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.alerts.book import AlertBook
from app.alerts.figures import AlertFigures
from app.alerts.job import AlertDetection, alert_detector_job
from app.alerts.keywords import Keywords
from app.alerts.past import Past
from app.alerts.telling import TellingRules
from app.alerts.watch import AlertWatch
from app.archive.archive import Archive
from app.bus import Bus
from app.composition.outside import Outside
from app.declared import HOME_ID, machine_zone
from app.insights.assessing import Assessor
from app.insights.daily import DailyInsights, daily_insights_job
from app.insights.insights import Insights
from app.insights.readings import Readings
from app.insights.scorecards import Scorecards
from app.jobs.spec import JobSpec
from app.model import Home
from app.options import Options
from app.reports.reports import Reports
from app.statistics.queries import StatsQueries
from app.statistics.statistics import Statistics
from app.store.database import Store
from app.web.alerts_api import AlertParts
from app.web.insights_api import InsightParts
from app.web.reports_api import ReportParts
from app.web.rooms import RoomParts
from app.web.statistics_api import StatisticsParts


@dataclass(frozen=True, slots=True, kw_only=True)
class Morning:
    """The rooms, as the faces ask them."""

    statistics: Statistics
    alerts: AlertBook
    watch: AlertWatch
    keywords: Keywords
    insights: Insights
    scorecards: Scorecards
    assessor: Assessor
    daily: DailyInsights
    reports: Reports
    home: Callable[[], Home | None]
    zone: Callable[[], ZoneInfo]

    @property
    def parts(self) -> RoomParts:
        """Return what their pages and their API ask."""
        return RoomParts(
            statistics=StatisticsParts(HOME_ID, self.statistics.queries),
            alerts=AlertParts(HOME_ID, self.home, self.alerts, self.keywords),
            insights=InsightParts(
                home_id=HOME_ID,
                home=self.home,
                assessor=self.assessor,
                scorecards=self.scorecards,
                insights=self.insights,
            ),
            reports=ReportParts(HOME_ID, self.reports, self.zone),
        )

    @property
    def stats(self) -> StatsQueries:
        return self.statistics.queries

    @property
    def specs(self) -> list[JobSpec]:
        """Return their jobs."""
        return [
            self.statistics.job,
            alert_detector_job(AlertDetection(self.watch).run),
            daily_insights_job(self.daily.scorecards),
        ]

    def start(self, closing: AsyncExitStack) -> None:
        """Begin to hear what happens at home."""
        closing.callback(self.statistics.stop)
        self.statistics.start()
        closing.push_async_callback(self.watch.stop)
        self.watch.start()


def build_morning(
    outside: Outside,
    *,
    options: Options,
    store: Store,
    archive: Archive,
    bus: Bus,
    home: Callable[[], Home | None],
    pending: Callable[[str], Awaitable[int | None]],
) -> Morning:
    """Build the rooms; nothing starts. `pending` gives how many suggestions of a home wait for an answer."""
    clock = store.clock

    def zone() -> ZoneInfo:
        known = home()
        return known.zone if known else machine_zone()

    statistics = Statistics(
        home=home,
        now=outside.now,
        source=outside.source,
        archive=archive,
        store=store,
        bus=bus,
        pending=pending,
    )
    book = AlertBook(store, bus, clock, TellingRules.of(options), zone)
    keywords = Keywords(store, clock)
    watch = AlertWatch(
        home_id=HOME_ID,
        home=home,
        now=outside.now,
        book=book,
        keywords=keywords,
        past=Past(store, archive, clock, HOME_ID),
        clock=clock,
    )
    figures = (statistics.figures, AlertFigures(book, watch, home, clock))
    assessor = Assessor(Readings(outside.now, figures, clock), clock)
    scorecards, insights = Scorecards(store, clock), Insights(store, clock)
    return Morning(
        home=home,
        zone=zone,
        reports=Reports(store, clock),
        statistics=statistics,
        alerts=book,
        watch=watch,
        keywords=keywords,
        insights=insights,
        scorecards=scorecards,
        assessor=assessor,
        daily=DailyInsights(
            assessor,
            scorecards,
            insights,
            bus,
            send_alerts=options.send_alerts,
            critical_only=options.critical_only,
        ),
    )
