"""What the morning's pages and API are given, each a room of its own."""

from dataclasses import dataclass

from aiohttp import web

from app.web.alerts_api import ALERTS, AlertParts
from app.web.insights_api import INSIGHTS, InsightParts
from app.web.reports_api import REPORTS, ReportParts
from app.web.statistics_api import STATISTICS, StatisticsParts


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomParts:
    """The rooms beside the suggestions and the jobs."""

    statistics: StatisticsParts
    alerts: AlertParts
    insights: InsightParts
    reports: ReportParts

    def put_in(self, app: web.Application) -> None:
        """Let the handlers find them."""
        app[STATISTICS] = self.statistics
        app[ALERTS] = self.alerts
        app[INSIGHTS] = self.insights
        app[REPORTS] = self.reports
