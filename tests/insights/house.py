"""A house in which the daily insights run: real jobs on a real database, a small home beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from app.bus import Bus
from app.clock import TurnedClock
from app.hub.now import HomeNow
from app.insights.announcements import CoachAlert, InsightReady
from app.insights.assessing import Assessor
from app.insights.daily import DAILY_INSIGHTS, DailyInsights, daily_insights_job
from app.insights.insights import Insights
from app.insights.readings import Readings
from app.insights.scorecards import Scorecards
from app.jobs.engine import EmbeddedEngine
from app.jobs.ledger import Ledger
from app.jobs.places import Place
from app.jobs.results import SubjectResults
from app.jobs.retry_queue import RetryQueue
from app.jobs.run import Run
from app.jobs.run_log import RunLog
from app.jobs.runner import Jobs
from app.store.database import Store
from tests.insights.small import ALL_WELL, AMSTERDAM, MORNING, SmallFigures, SmallHome


@dataclass
class House:
    home: SmallHome
    figures: SmallFigures
    clock: TurnedClock
    store: Store
    jobs: Jobs
    ledger: Ledger
    results: SubjectResults
    assessor: Assessor
    scorecards: Scorecards
    insights: Insights
    heard: list[Any] = field(default_factory=list)

    async def morning(self, day: date | None = None) -> Run:
        """Let one whole run of the job happen now."""
        started = await self.jobs.trigger(DAILY_INSIGHTS, day=day)
        return await self.jobs.wait(started.run_id)

    @property
    def ready(self) -> list[InsightReady]:
        return [one for one in self.heard if isinstance(one, InsightReady)]

    @property
    def told(self) -> list[CoachAlert]:
        return [one for one in self.heard if isinstance(one, CoachAlert)]


@asynccontextmanager
async def house(
    folder: Path,
    *,
    at: datetime = MORNING,
    zone: ZoneInfo = AMSTERDAM,
    home: SmallHome | None = None,
    now: HomeNow | None = None,
    send_alerts: bool = True,
    critical_only: bool = True,
    scheduling: bool = False,
) -> AsyncIterator[House]:
    """Open a house in which all is well; without `scheduling` nothing starts by itself.

    `now` is read instead of the small home.
    """
    clock, bus = TurnedClock(at), Bus()
    home, figures = home or SmallHome(since=at), SmallFigures(dict(ALL_WELL))
    store = Store(folder / "nightshift.db", clock)
    await store.open()
    ledger = Ledger(store, clock)
    assessor = Assessor(Readings(now or home, [figures], clock), clock)
    scorecards, insights = Scorecards(store, clock), Insights(store, clock)
    daily = DailyInsights(
        assessor, scorecards, insights, bus, send_alerts=send_alerts, critical_only=critical_only
    )
    jobs = Jobs(
        [daily_insights_job(daily.scorecards)],
        ledger=ledger,
        bus=bus,
        clock=clock,
        engine=EmbeddedEngine(clock, under="tests"),
        places=[Place("home", zone)],
        schedule_path=folder / "clock.db",
        queue=RetryQueue(store, clock, ledger.generation, bus),
        log=RunLog(store, bus, clock),
    )
    opened = House(
        home, figures, clock, store, jobs, ledger, SubjectResults(store), assessor, scorecards, insights
    )
    bus.subscribe(InsightReady, opened.heard.append)
    bus.subscribe(CoachAlert, opened.heard.append)
    try:
        await jobs.start(scheduling=scheduling)
        yield opened
        await jobs.stop(0)
    finally:
        await store.close()


BUSINESS = {
    "sensor.days_of_runway": 100,
    "sensor.burn_rate": 4000,
    "sensor.days_sales_outstanding": 20,
    "sensor.process_efficiency": 0.9,
    "sensor.revenue_growth": 20,
    "sensor.revenue_year_over_year": 11,
    "sensor.net_margin": 25,
    "sensor.gross_margin": 60,
}
"""The business card's entities, all at their best."""


async def with_business(opened: House, **values: object) -> None:
    """Switch the business card on, its entities in the hub; `values` replaces some (`net_margin=3`)."""
    await opened.scorecards.switch("home", "business", "", active=True)
    for entity_id, value in BUSINESS.items():
        opened.home.put(entity_id, values.get(entity_id.removeprefix("sensor."), value))
