"""The morning's rooms in the web's tests: real ones over the house's store, and a past to show in them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.alerts.alert import Alert, AlertKind, Level
from app.alerts.announcements import AlertChanged
from app.alerts.book import AlertBook, Settled
from app.alerts.finding import Finding
from app.alerts.keywords import Keywords
from app.alerts.telling import TellingRules
from app.bus import Bus
from app.clock import Clock, TurnedClock, to_ms
from app.insights.assessing import Assessor
from app.insights.insight import CategoryScore, Insight, MetricScore, Priority, Recommendation
from app.insights.insights import Insights
from app.insights.readings import Readings
from app.insights.scorecards import Scorecards
from app.model import Home
from app.options import Options
from app.reports.report import Item, Report, ReportKind, Section
from app.reports.reports import Reports
from app.statistics.book import Book
from app.statistics.queries import StatsQueries
from app.statistics.stats import Stats
from app.store.database import Store
from app.web.alerts_api import AlertParts
from app.web.insights_api import InsightParts
from app.web.reports_api import ReportParts
from app.web.rooms import RoomParts
from app.web.statistics_api import StatisticsParts
from tests.insights.small import ALL_WELL, AMSTERDAM, SmallFigures, SmallHome


@dataclass
class Morning:
    """The rooms, and what fills them as their jobs do."""

    parts: RoomParts
    store: Store
    bus: Bus
    clock: Clock
    figures: SmallFigures

    @property
    def book(self) -> AlertBook:
        return self.parts.alerts.book

    @property
    def insights(self) -> Insights:
        return self.parts.insights.insights

    async def found(self, *findings: Finding, over: tuple[str, ...] = ()) -> list[AlertChanged]:
        """Let a pass of the alerts find this now."""
        return await self.book.settle("home", Settled(due=findings, over=frozenset(over)))

    async def found_at(self, at: datetime, *findings: Finding, over: tuple[str, ...] = ()) -> None:
        """Let a pass of the past have found it."""
        book = AlertBook(
            self.store, Bus(), TurnedClock(at), TellingRules.of(Options()), zone=lambda: AMSTERDAM
        )
        await book.settle("home", Settled(due=findings, over=frozenset(over)))

    async def scored(self, one: Insight) -> None:
        await self.insights.keep(one, "same", ())

    async def wrote(self, one: Report) -> None:
        await self.parts.reports.reports.keep(one)

    async def computed(self, **stats: Any) -> None:
        """Let the statistics have the home's figures, and the kitchen's."""
        async with self.store.writing() as db:
            for area, name in (("", "Canal House"), ("kitchen", "Kitchen <b>")):
                await db.execute(
                    "INSERT INTO computed_stats (home_id, area_id, name, computed_at, stats)"
                    " VALUES ('home', ?, ?, ?, ?)",
                    (area, name, to_ms(self.clock.now()), Stats(**stats).model_dump_json()),
                )

    async def measured(self, day: date, kwh: float, usual: tuple[float, float] | None) -> None:
        """Let the statistics have a whole day's energy."""
        low, high = usual or (None, None)
        async with self.store.writing() as db:
            await db.execute(
                "INSERT INTO stat_day (home_id, area_id, day, energy, energy_hours, energy_low,"
                " energy_usual, energy_high) VALUES ('home', '', ?, ?, 24, ?, ?, ?)",
                (day.isoformat(), kwh, low, low, high),
            )


def morning(store: Store, bus: Bus, clock: Clock, home: Callable[[], Home | None]) -> Morning:
    """Return the rooms over a store that is open."""
    figures = SmallFigures(dict(ALL_WELL))
    parts = RoomParts(
        statistics=StatisticsParts("home", StatsQueries(Book(store), clock, home)),
        alerts=AlertParts(
            "home",
            home,
            AlertBook(store, bus, clock, TellingRules.of(Options()), zone=lambda: AMSTERDAM),
            Keywords(store, clock),
        ),
        insights=InsightParts(
            home_id="home",
            home=home,
            assessor=Assessor(Readings(SmallHome(since=clock.now()), [figures], clock), clock),
            scorecards=Scorecards(store, clock),
            insights=Insights(store, clock),
        ),
        reports=ReportParts("home", Reports(store, clock), lambda: AMSTERDAM),
    )
    return Morning(parts, store, bus, clock, figures)


def finding(cause: str = "water:sink", level: Level = Level.CRITICAL, **more: Any) -> Finding:
    given: dict[str, Any] = {
        "kind": AlertKind.WATER,
        "title": "Water under the sink",
        "description": "The sensor says wet.",
        "place": "Kitchen",
    }
    return Finding(cause=cause, level=level, **{**given, **more})


def insight(day: date, score: int | None = 82, **more: Any) -> Insight:
    """Return a day's insight of two parts, one of which lacks a reading."""
    read = MetricScore(
        key="low", title="Batteries low", weight=0.6, value=1, score=85, band="one", read_from="a figure"
    )
    lacking = MetricScore(
        key="away",
        title="Devices <i>away</i>",
        weight=0.4,
        missing="No pass has looked yet.",
        to_do="Have Home Assistant there.",
    )
    warm = MetricScore(
        key="warm", title="Hours of comfort", weight=1, value=79.2, unit="%", score=70, band="70 to 85 %"
    )
    advice = Recommendation(
        recommendation_id=f"rec_1_{day:%Y%m%d}",
        priority=Priority.HIGH,
        title="Change <b>batteries</b>",
        message="Batteries low: 1.",
        rests_on="Batteries low: 1 (one: 85 of 100).",
        would_change="At 0, the whole score would go from 82 to 88.",
    )
    given: dict[str, Any] = {
        "insight_id": f"insight_home_home_{day:%Y%m%d}",
        "home_id": "home",
        "scorecard": "home",
        "title": "Home health",
        "day": day,
        "health_score": score,
        "health_breakdown": (
            CategoryScore(key="devices", title="Devices", weight=0.6, score=85, metrics=(read, lacking)),
            CategoryScore(key="comfort", title="Comfort", weight=0.4, score=70, metrics=(warm,)),
        ),
        "recommendations": (advice,),
        "confidence": 0.76,
        "generated_at": datetime(day.year, day.month, day.day, 6, tzinfo=AMSTERDAM),
    }
    return Insight(**{**given, **more})


def report(day: date, kind: ReportKind = ReportKind.DAILY, **more: Any) -> Report:
    given: dict[str, Any] = {
        "report_id": f"{kind}-{day.isoformat()}",
        "home_id": "home",
        "kind": kind,
        "title": f"Canal House: {day:%A}",
        "summary": "Home health 82. 1 alert.",
        "first_day": day,
        "last_day": day,
        "generated_at": datetime(day.year, day.month, day.day, 5, tzinfo=AMSTERDAM) + timedelta(days=1),
        "sections": (
            Section(
                key="alerts",
                title="Alerts",
                items=(Item(title="Water <script>", value="critical", level="critical", remark="12 min"),),
            ),
            Section(key="energy", title="Energy", empty="Nothing was measured."),
        ),
    }
    return Report(**{**given, **more})


def alerts_of(changes: list[AlertChanged]) -> list[Alert]:
    return [change.alert for change in changes]
