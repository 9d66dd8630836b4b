"""The demo's weeks before: always the same, over by today, and scored as any morning is."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.alerts.alert import Alert
from app.alerts.book import AlertBook
from app.alerts.telling import TellingRules
from app.bus import Bus
from app.clock import TurnedClock
from app.commands.demo_past import DemoPast
from app.hub.invented import InventedSource
from app.hub.invented.now import InventedNow
from app.insights.insight import Insight
from app.insights.insights import Insights
from app.insights.scorecards import Scorecards
from app.model import Home
from app.options import Options
from app.store.database import Store

NOON = datetime(2026, 3, 30, 10, 0, tzinfo=UTC)
"""The day after the clocks went forward in Amsterdam."""


@pytest.fixture
async def home() -> AsyncIterator[Home]:
    source = InventedSource(TurnedClock(NOON), 7, 14)
    yield await source.describe()
    await source.close()


async def invented(folder: Path, home: Home) -> tuple[list[Insight], list[Alert]]:
    """Invent the weeks before in a new store; return the scores and the alerts, the newest first."""
    clock = TurnedClock(NOON)
    store = Store(folder / "nightshift.db", clock)
    await store.open()
    now = InventedNow(clock, InventedSource(clock, 7, 14))
    insights = Insights(store, clock)
    past = DemoPast(
        store=store, clock=clock, home=lambda: home, now=now, scorecards=Scorecards(store, clock),
        insights=insights,
    )  # fmt: skip
    await past.invent("home")
    book = AlertBook(store, Bus(), clock, TellingRules.of(Options()), zone=lambda: home.zone)
    told = await insights.recent("home", limit=50), await book.listed("home", limit=100)
    await now.close()
    await store.close()
    return told


async def test_a_month_of_mornings_is_scored_from_what_was_open_then(tmp_path: Path, home: Home) -> None:
    insights, _ = await invented(tmp_path, home)
    assert len(insights) == 29
    assert insights[0].day == NOON.date() - timedelta(days=1)
    assert all(one.health_score is not None for one in insights)
    assert len({one.health_score for one in insights}) > 1
    # Nothing was measured in this store: that is missing, not made up.
    comfort = next(part for part in insights[0].health_breakdown if part.key == "comfort")
    assert comfort.score is None


async def test_every_alert_of_the_weeks_before_is_over(tmp_path: Path, home: Home) -> None:
    _, alerts = await invented(tmp_path, home)
    assert len(alerts) > 12
    assert not [one for one in alerts if one.open]
    assert all(one.closed_at and one.closed_at < NOON for one in alerts)
    assert all(one.detected_at > NOON - timedelta(weeks=12) for one in alerts)


async def test_it_is_the_same_each_time(tmp_path: Path, home: Home) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = await invented(tmp_path / "a", home), await invented(tmp_path / "b", home)
    assert [insight.health_score for insight in one[0]] == [insight.health_score for insight in other[0]]
    assert [(each.cause, each.detected_at) for each in one[1]] == [
        (each.cause, each.detected_at) for each in other[1]
    ]
