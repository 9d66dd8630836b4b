"""The API of the reports, behind the web's own handling of errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from app.web.failures import answer_errors
from app.web.reports_api import REPORTS, ReportParts, report_endpoints
from tests.reports.office import YESTERDAY, ZONE, Office, local, office, water

EVIL = "</td><script>alert(1)</script>"


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[Office, ClientSession]]:
    async with office(folder) as opened:
        app = web.Application(middlewares=[answer_errors])
        app[REPORTS] = ReportParts("home", opened.reports, lambda: ZONE)
        for endpoint in report_endpoints():
            app.router.add_route(endpoint.method, endpoint.path, endpoint.handler)
        async with TestServer(app) as server, ClientSession(server.make_url("/")) as http:
            yield opened, http


async def get(http: ClientSession, path: str) -> tuple[int, Any]:
    async with http.get(path) as answer:
        return answer.status, await answer.json()


async def test_reports_are_listed_newest_first_and_one_by_one_with_their_neighbours(tmp_path: Path) -> None:
    async with served(tmp_path) as (opened, http):
        assert await get(http, "/api/reports") == (200, [])
        status, said = await get(http, "/api/reports/latest")
        assert status == 404
        assert "\n" not in said["error"]
        for day in (1, 2, 3):
            await opened.runs(day=date(2026, 5, day))
        await opened.runs("monthly_report")
        _, listed = await get(http, "/api/reports?kind=daily")
        assert [one["report_id"] for one in listed] == [
            "daily-2026-05-02", "daily-2026-05-01", "daily-2026-04-30",
        ]  # fmt: skip
        assert "sections" not in listed[0]
        _, older = await get(http, "/api/reports?before=2026-05-01&limit=1")
        assert [one["report_id"] for one in older] == ["monthly-2026-04"]
        _, whole = await get(http, "/api/reports/daily-2026-05-01")
        assert (whole["before"], whole["after"]) == ("daily-2026-04-30", "daily-2026-05-02")
        assert [section["key"] for section in whole["sections"]][:2] == ["issues", "score"]
        _, newest = await get(http, "/api/reports/latest?kind=monthly")
        assert (newest["report_id"], newest["before"], newest["after"]) == ("monthly-2026-04", None, None)


async def test_a_report_is_given_as_text_and_as_it_is_mailed(tmp_path: Path) -> None:
    async with served(tmp_path) as (opened, http):
        await opened.alerts_at(local(14), water(title=f"Water {EVIL}"))
        await opened.runs()
        path = f"/api/reports/daily-{YESTERDAY}"
        async with http.get(f"{path}/text") as answer:
            assert answer.content_type == "text/plain"
            assert f"Water {EVIL}" in await answer.text()
        status, letter = await get(http, f"{path}/letter")
        assert status == 200
        assert letter["subject"] == "Canal house: Saturday 2 May 2026"
        assert "<script>" not in letter["html"]
        assert "&lt;script&gt;" in letter["html"]


@pytest.mark.parametrize("path", ["", "/text", "/letter"])
async def test_a_report_that_is_not_there_is_404(tmp_path: Path, path: str) -> None:
    async with served(tmp_path) as (_, http):
        assert (await get(http, f"/api/reports/daily-2026-05-02{path}"))[0] == 404


@pytest.mark.parametrize("query", ["kind=weekly", "limit=0", "limit=x", "before=yesterday"])
async def test_a_wrong_question_is_answered_with_what_to_ask(tmp_path: Path, query: str) -> None:
    async with served(tmp_path) as (_, http):
        status, said = await get(http, f"/api/reports?{query}")
        assert status == 400
        assert said["error"].startswith(query.partition("=")[0])
