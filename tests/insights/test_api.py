"""The API of the health score, behind the web's own handling of errors."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from app.insights.lines import LONGEST
from app.model import Home
from app.web import insights_api
from app.web.failures import answer_errors
from app.web.insights_api import INSIGHTS, InsightParts
from app.web.security import VISITOR
from app.web.visitors import Visitor, Way
from tests.insights.house import House, house, with_business
from tests.insights.test_checking import GOOD

AMSTERDAM = Home(time_zone="Europe/Amsterdam")


@web.middleware
async def as_ana(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    request[VISITOR] = Visitor(Way.INGRESS, "ana")
    return await handler(request)


@asynccontextmanager
async def served(folder: Path, home: Home | None = AMSTERDAM) -> AsyncIterator[tuple[House, ClientSession]]:
    async with house(folder) as opened:
        app = web.Application(middlewares=[answer_errors, as_ana])
        app[INSIGHTS] = InsightParts(
            home_id="home",
            home=lambda: home,
            assessor=opened.assessor,
            scorecards=opened.scorecards,
            insights=opened.insights,
        )
        for endpoint in insights_api.insight_endpoints():
            app.router.add_route(endpoint.method, endpoint.path, endpoint.handler)
        async with TestServer(app) as server, ClientSession(server.make_url("/")) as http:
            yield opened, http


async def get(http: ClientSession, path: str) -> tuple[int, Any]:
    async with http.get(path) as answer:
        return answer.status, await answer.json()


async def post(http: ClientSession, path: str, given: Any = None) -> tuple[int, Any]:
    async with http.post(path, json=given) as answer:
        said = await answer.json()
        assert "\n" not in said.get("error", "")
        return answer.status, said


async def test_the_newest_insight_has_its_breakdown_its_snapshot_and_its_trend(tmp_path: Path) -> None:
    async with served(tmp_path) as (opened, http):
        status, said = await get(http, "/api/insights/latest")
        assert (status, said["error"][:26]) == (404, "There is no insight yet: t")
        await with_business(opened, days_of_runway=12)
        await opened.morning()
        status, said = await get(http, "/api/insights/latest")
        assert (status, said["scorecard"], said["health_score"]) == (200, "home", 100)
        assert said["trend"] == {
            "direction": "unknown",
            "days": 1,
            "average": 100.0,
            "first": 100,
            "last": 100,
            "change": None,
        }
        _, said = await get(http, "/api/insights/latest?scorecard=business")
        assert said["health_breakdown"][0]["metrics"][0]["band"] == "below 14 d"
        assert said["connector_data_snapshot"]["cash_flow.days_of_runway"]["value"] == 12
        assert said["recommendations"][0]["priority"] == "critical"


async def test_insights_are_listed_the_newest_first(tmp_path: Path) -> None:
    async with served(tmp_path) as (opened, http):
        await with_business(opened)
        await opened.morning()
        _, both = await get(http, "/api/insights")
        assert sorted(one["scorecard"] for one in both) == ["business", "home"]
        _, one = await get(http, "/api/insights?scorecard=home&limit=5")
        assert [each["day"] for each in one] == ["2026-03-10"]
        assert (await get(http, "/api/insights?limit=0"))[0] == 400


async def test_a_scorecard_is_written_shown_switched_and_removed(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, http):
        status, said = await post(http, "/api/scorecards", {"text": GOOD})
        assert (status, said["name"], said["active"], said["updated_by"]) == (200, "office", True, "ana")
        _, listed = await get(http, "/api/scorecards")
        assert [(one["name"], one["active"]) for one in listed] == [
            ("home", True),
            ("business", False),
            ("office", True),
        ]
        _, shown = await get(http, "/api/scorecards/office")
        assert (shown["text"], shown["faults"]) == (GOOD, [])
        _, switched = await post(http, "/api/scorecards/office/switch", {"active": False})
        assert switched["active"] is False
        assert await post(http, "/api/scorecards/office/remove") == (200, {"back": None})
        status, said = await get(http, "/api/scorecards/office")
        assert (status, said["error"]) == (404, "there is no scorecard 'office'")


async def test_a_wrong_one_is_refused_with_every_line_that_is_wrong(tmp_path: Path) -> None:
    wrong = GOOD.replace("weight: 60", "weight: x").replace("score: 60", "score: y")
    async with served(tmp_path) as (_, http):
        for path in ("/api/scorecards", "/api/scorecards/check"):
            status, said = await post(http, path, {"text": wrong})
            assert status == 422
            assert said["error"].startswith(
                'line 6: air, weight: "x" cannot be taken: write a number above 0'
            )
            assert [one["line"] for one in said["faults"]] == [6, 14]
        _, said = await post(
            http, "/api/scorecards", {"text": GOOD.replace("entity: sensor.co2", "figure: none_such")}
        )
        assert "there is no figure none_such: write one of alerts_open_critical, " in said["error"]
        assert len((await get(http, "/api/scorecards"))[1]) == 2


async def test_a_scorecard_is_tried_on_the_home_as_it_is_and_nothing_is_kept(tmp_path: Path) -> None:
    async with served(tmp_path) as (opened, http):
        opened.home.put("sensor.co2", 1200, unit_of_measurement="ppm")
        status, said = await post(http, "/api/scorecards/check", {"text": GOOD})
        assert (status, said["health_score"], said["confidence"]) == (200, 60, 0.6)
        assert [one["band"] for one in said["health_breakdown"][0]["metrics"]] == ["stale", ""]
        assert await get(http, "/api/insights") == (200, [])
        assert len((await get(http, "/api/scorecards"))[1]) == 2


async def test_before_the_hub_was_reached_nothing_can_be_tried(tmp_path: Path) -> None:
    async with served(tmp_path, home=None) as (_, http):
        status, said = await post(http, "/api/scorecards/check", {"text": GOOD})
        assert (status, said["error"][:36]) == (400, "Home Assistant was not reached yet: ")


async def test_what_cannot_be_is_answered_in_one_line(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, http):
        for given in ({}, {"text": 5}, {"text": " "}, {"text": "x" * (LONGEST + 1)}, {"other": 1}, [1]):
            assert (await post(http, "/api/scorecards", given))[0] == 400
        assert (await post(http, "/api/scorecards/home/switch", {"active": "no"}))[0] == 400
        assert (await post(http, "/api/scorecards/none/switch", {"active": True}))[0] == 404
        assert (await post(http, "/api/scorecards/none/remove"))[0] == 404
        status, said = await post(http, "/api/scorecards/home/remove")
        assert (status, said["error"]) == (
            400,
            "home came with Nightshift: it can be switched off, not removed",
        )


async def test_the_figures_are_listed_with_what_they_are(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, http):
        _, said = await get(http, "/api/figures")
    assert {
        "name": "energy_ratio",
        "title": "yesterday's energy",
        "unit": "times the usual",
        "what": "yesterday's energy over what such a day usually uses",
    } in said
