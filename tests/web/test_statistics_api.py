"""The statistics over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from app.clock import TurnedClock
from app.web.failures import answer_errors
from app.web.statistics_api import STATISTICS, StatisticsParts, statistics
from tests.statistics.small_home import MONDAY, Figures
from tests.statistics.test_measured import measure

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def figures(tmp_path: Path) -> AsyncIterator[Figures]:
    made = Figures(tmp_path, TurnedClock(MONDAY))
    await made.store.open()
    yield made
    made.statistics.stop()
    await made.store.close()


@pytest.fixture
async def http(figures: Figures) -> AsyncIterator[Client]:
    app = web.Application(middlewares=[answer_errors])
    app[STATISTICS] = StatisticsParts("home", figures.statistics.queries)
    app.router.add_get("/api/statistics", statistics)
    async with TestClient(TestServer(app)) as client:
        yield client


async def _told(http: Client, **query: str) -> Any:
    async with http.get("/api/statistics", params=query) as answer:
        assert answer.status == 200
        return await answer.json()


async def test_before_the_first_pass_all_is_empty(http: Client) -> None:
    assert await _told(http) == {
        "places": [],
        "energy": [],
        "rooms": [],
        "events": [],
        "counted_until": None,
        "measured_until": None,
    }


async def test_every_place_is_told_with_how_it_went(http: Client, figures: Figures) -> None:
    measure(figures)
    figures.hub.set("light.kitchen", "off")
    figures.hub.set("light.kitchen", "on")
    await figures.turn(minutes=5)
    await figures.look()
    told = await _told(http, days="7", hours="24")
    assert [place["name"] for place in told["places"]] == ["Canal House", "Bedroom", "Garden", "Kitchen"]
    assert told["places"][0]["stats"]["energy_today"] == 3.5
    assert [day["day"] for day in told["energy"]][-2:] == ["2026-02-01", "2026-02-02"]
    assert told["energy"][-2] == {
        "day": "2026-02-01",
        "kwh": 24.0,
        "usual_low": 24.0,
        "usual": 24.0,
        "usual_high": 24.0,
        "whole": True,
    }
    assert [room["name"] for room in told["rooms"]] == ["Bedroom", "Garden", "Kitchen"]
    assert len(told["rooms"][0]["points"]) == 24
    assert told["rooms"][0]["points"][0]["co2"] == 900.0
    assert len(told["events"]) == 7
    assert told["measured_until"] == "2026-02-02T06:00:00+00:00"


async def test_rooms_are_told_by_the_day_if_no_hours_are_wanted(http: Client, figures: Figures) -> None:
    measure(figures)
    await figures.turn(minutes=5)
    await figures.look()
    told = await _told(http, days="7", hours="0")
    assert len(told["rooms"][0]["points"]) == 7


async def test_what_is_no_number_of_days_is_refused(http: Client) -> None:
    for wrong in ("0", "401", "many"):
        async with http.get("/api/statistics", params={"days": wrong}) as answer:
            assert answer.status in {400, 422}
            assert "days" in (await answer.json())["error"]
