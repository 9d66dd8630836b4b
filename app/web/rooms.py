"""What the morning's pages and API are given, each a room of its own."""

from dataclasses import dataclass

from aiohttp import web

from app.web.insights_api import INSIGHTS, InsightParts


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomParts:
    """The rooms beside the suggestions and the jobs."""

    insights: InsightParts

    def put_in(self, app: web.Application) -> None:
        """Let the handlers find them."""
        app[INSIGHTS] = self.insights
