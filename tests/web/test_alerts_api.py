"""The alerts over the API: who may do what, and that every answer is one clear line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from app.alerts.alert import AlertKind, Level
from app.alerts.book import Settled
from app.alerts.finding import Finding
from app.model import User
from app.web.alerts_api import ALERTS, AlertParts, alert_endpoints
from app.web.failures import answer_errors
from app.web.security import VISITOR
from app.web.visitors import Visitor, Way
from tests.alerts.house import AlertHouse, alert_house


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[AlertHouse, ClientSession]]:
    """Serve the handlers behind a visitor called Ana."""
    async with alert_house(folder) as house:
        house.home = house.home.model_copy(update={"users": (User(id="ana", name="Ana", is_admin=True),)})

        @web.middleware
        async def as_ana(request: web.Request, handler: Any) -> web.StreamResponse:
            request[VISITOR] = Visitor(Way.INGRESS, "ana")
            response: web.StreamResponse = await handler(request)
            return response

        app = web.Application(middlewares=[answer_errors, as_ana])
        app[ALERTS] = AlertParts("home", lambda: house.home, house.book, house.keywords)
        for endpoint in alert_endpoints():
            app.router.add_route(endpoint.method, endpoint.path, endpoint.handler)
        async with TestServer(app) as server, ClientSession(str(server.make_url(""))) as http:
            yield house, http


async def get(http: ClientSession, path: str) -> tuple[int, Any]:
    async with http.get(path) as answer:
        return answer.status, await answer.json()


async def post(http: ClientSession, path: str, given: Any = None) -> tuple[int, Any]:
    async with http.post(path, json=given) as answer:
        return answer.status, await answer.json()


def finding(cause: str, level: Level) -> Finding:
    return Finding(
        cause=cause,
        kind=AlertKind.WATER,
        level=level,
        title="Water: <b>Sink</b>",
        description="Since 12:00.",
        entity_id="binary_sensor.sink",
        area_id="kitchen",
        place="Kitchen",
    )


async def test_an_alert_is_listed_read_and_acknowledged_by_name(tmp_path: Path) -> None:
    async with served(tmp_path) as (house, http):
        assert await get(http, "/api/alerts") == (200, [])
        await house.book.settle("home", Settled([finding("sink", Level.CRITICAL)]))
        _, (one,) = await get(http, "/api/alerts")
        assert (one["level"], one["kind"], one["place"], one["open"]) == (
            "critical",
            "water",
            "Kitchen",
            True,
        )
        assert (one["is_read"], one["read_by"], one["acknowledged_at"]) == (False, None, None)
        path = f"/api/alerts/{one['alert_id']}"
        status, said = await post(http, f"{path}/read")
        assert (status, said["is_read"], said["read_by"]) == (200, True, {"id": "ana", "name": "Ana"})
        status, said = await post(http, f"{path}/acknowledge")
        assert (said["is_acknowledged"], said["acknowledged_by"]["name"]) == (True, "Ana")
        assert await get(http, path) == (200, said)


async def test_over_ones_are_in_the_list_of_all(tmp_path: Path) -> None:
    async with served(tmp_path) as (house, http):
        await house.book.settle("home", Settled([finding("a", Level.HIGH), finding("b", Level.LOW)]))
        await house.book.settle("home", Settled(over=["a"]))
        assert [one["cause"] for one in (await get(http, "/api/alerts"))[1]] == ["b"]
        _, found = await get(http, "/api/alerts?which=all&level=high&level=info")
        assert [(one["cause"], one["open"]) for one in found] == [("a", False)]
        _, found = await get(http, "/api/alerts?which=all&before=2020-01-01T00:00:00%2B00:00")
        assert found == []


@pytest.mark.parametrize(
    "query", ["which=some", "level=bad", "limit=0", "limit=501", "before=today", "before=2026-01-01T00:00:00"]
)
async def test_what_is_asked_for_wrongly_is_said_in_a_line(tmp_path: Path, query: str) -> None:
    async with served(tmp_path) as (_, http):
        status, said = await get(http, f"/api/alerts?{query}")
        assert status == 400
        assert "\n" not in said["error"]


async def test_there_is_no_such_alert(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, http):
        for how in ("", "/read", "/acknowledge"):
            ask = post if how else get
            assert (await ask(http, f"/api/alerts/none{how}"))[0] == 404


async def test_the_keywords_are_changed_checked_and_brought_back(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, http):
        _, shipped = await get(http, "/api/alerts/keywords")
        assert {"word": "disk is full", "level": "high"} in shipped
        status, now = await post(http, "/api/alerts/keywords", {"keywords": [{"word": "solar  roof"}]})
        assert (status, now) == (200, [{"word": "solar roof", "level": "medium"}])
        wrong: dict[str, Any]
        for wrong in ({}, {"keywords": "x"}, {"keywords": [{"word": "a"}]}, {"words": []}):
            status, said = await post(http, "/api/alerts/keywords", wrong)
            assert status == 400, wrong
            assert "keyword" in said["error"]
        assert (await get(http, "/api/alerts/keywords"))[1] == now
        assert await post(http, "/api/alerts/keywords", {"keywords": None}) == (200, shipped)
