"""A morning's rooms on a real store, filled by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from app.alerts.alert import AlertKind, Level
from app.alerts.announcements import AlertChanged
from app.alerts.book import AlertBook, Settled
from app.alerts.finding import Finding
from app.alerts.telling import TellingRules
from app.announce.morning import MorningSources
from app.bus import Bus
from app.clock import TurnedClock
from app.insights.insight import CategoryScore, Insight, Priority, Recommendation
from app.insights.insights import Insights
from app.insights.scorecards import Scorecards
from app.model import Area, Entity, Home, User
from app.options import Options
from app.reports.report import Report, ReportKind
from app.reports.reports import Reports
from app.statistics.announcements import StatsChanged
from app.statistics.book import Book
from app.statistics.queries import StatsQueries
from app.statistics.stats import PlaceStats, Stats
from app.store.database import Store

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
OWNER, GUEST = "u-owner", "u-guest"
ZONE = ZoneInfo("Europe/Amsterdam")


def sensor(entity_id: str, device_class: str, area_id: str) -> Entity:
    return Entity(entity_id=entity_id, device_class=device_class, area_id=area_id)


HOME = Home(
    time_zone="Europe/Amsterdam",
    areas=(Area(area_id="kitchen", name="Kitchen"), Area(area_id="Höhle!", name="Höhle {{ 1 }}")),
    entities=(
        sensor("sensor.kitchen_temperature", "temperature", "kitchen"),
        sensor("sensor.kitchen_co2", "carbon_dioxide", "kitchen"),
        sensor("sensor.hall_humidity", "humidity", "nowhere"),
    ),
    users=(User(id=OWNER, name="Ana", is_owner=True, is_admin=True), User(id=GUEST, name="Ben")),
)


@dataclass
class MorningHouse:
    """The rooms whose news are told, and a way to make news."""

    store: Store
    bus: Bus
    clock: TurnedClock
    book: AlertBook
    insights: Insights
    reports: Reports
    home: Home | None = HOME

    @property
    def sources(self) -> MorningSources:
        return MorningSources(
            home_id="home",
            home=lambda: self.home,
            insights=self.insights,
            scorecards=Scorecards(self.store, self.clock),
            alerts=self.book,
            reports=self.reports,
            stats=StatsQueries(Book(self.store), self.clock, lambda: self.home),
        )

    async def found(self, cause: str = "water:1", **changes: Any) -> AlertChanged:
        """Have something be wrong; return what was announced of it."""
        given: dict[str, Any] = {
            "cause": cause,
            "kind": AlertKind.WATER,
            "level": Level.CRITICAL,
            "title": "Water: Bathroom",
            "description": "The sensor under the *sink* says that it is wet.",
            "entity_id": "binary_sensor.leak",
            "area_id": "bath",
            "place": "Bathroom",
            **changes,
        }
        (changed,) = await self.book.settle("home", Settled((Finding(**given),)))
        return changed

    async def over(self, cause: str = "water:1") -> None:
        await self.book.settle("home", Settled((), frozenset({cause})))

    def counted(self, *places: PlaceStats) -> None:
        self.bus.announce(StatsChanged("home", places))


@asynccontextmanager
async def morning_house(
    folder: Path, bus: Bus, clock: TurnedClock, **options: Any
) -> AsyncIterator[MorningHouse]:
    store = Store(folder / "nightshift.db", clock)
    await store.open()
    rules = TellingRules.of(Options(**options))
    book = AlertBook(store, bus, clock, rules, lambda: ZONE)
    yield MorningHouse(store, bus, clock, book, Insights(store, clock), Reports(store, clock))
    await store.close()


def place(area_id: str, **figures: Any) -> PlaceStats:
    return PlaceStats(
        home_id="home", area_id=area_id, name=area_id or "Home", computed_at=NOW, stats=Stats(**figures)
    )


def insight(score: int | None = 82, day: date = TODAY, **changes: Any) -> Insight:
    given: dict[str, Any] = {
        "insight_id": f"i-{changes.get('scorecard', 'home')}-{day}",
        "home_id": "home",
        "scorecard": "home",
        "title": "Home",
        "day": day,
        "health_score": score,
        "health_breakdown": (
            CategoryScore(key="safety", title="Safety and security", weight=0.35, score=100),
            CategoryScore(key="comfort", title="Comfort", weight=0.25, score=None),
        ),
        "recommendations": (
            Recommendation(
                recommendation_id="r1",
                priority=Priority.HIGH,
                title="Change two batteries",
                message="They are low.",
                rests_on="Batteries: 2",
                would_change="Devices: 60 to 100",
            ),
        ),
        "confidence": 0.917,
        "generated_at": NOW,
        **changes,
    }
    return Insight(**given)


def report(day: date = YESTERDAY) -> Report:
    return Report(
        report_id=f"daily-{day}",
        home_id="home",
        kind=ReportKind.DAILY,
        title="Saturday 21 November",
        summary="A quiet day.",
        first_day=day,
        last_day=day,
        generated_at=NOW,
        sections=(),
    )
