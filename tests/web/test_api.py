"""The REST API, asked over HTTP."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import ClientSession
from yarl import URL

from app.habits.suggestion import Suggestion
from tests.web.house import House, ingress_house, local_house, offer, suggestion, until


async def _json(http: ClientSession, path: str, status: int = 200) -> Any:
    async with http.get(path) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def _post(http: ClientSession, path: str, status: int) -> Any:
    async with http.post(path) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def _started(opened: House, http: ClientSession) -> str:
    run_id: str = (await _post(http, "/api/analyze/trigger", 202))["run_id"]
    await until(lambda: opened.analysis.context)
    return run_id


async def test_a_trigger_starts_a_run_and_says_which(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        run = await _post(http, "/api/analyze/trigger", 202)
        assert run["status"] == "running"
        assert run["trigger"] == "manual"
        assert (await opened.parts.ledger.get(run["run_id"])) is not None


async def test_a_second_trigger_is_refused_with_the_run_that_goes_on(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        run_id = await _started(opened, http)
        refused = await _post(http, "/api/analyze/trigger", 409)
        assert refused["run_id"] == run_id
        assert refused["error"] == "The analysis is running already."


async def test_the_status_tells_progress_then_the_last_run(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        before = await _json(http, "/api/analyze/status")
        assert before == {
            "is_running": False,
            "running": None,
            "progress": None,
            "last_run": None,
            "next_run": "2026-03-11T02:00:00+00:00",
            "paused": False,
        }
        run_id = await _started(opened, http)
        during = await _json(http, "/api/analyze/status")
        assert during["is_running"]
        assert during["progress"] == {"step": "Reading what happened", "done": 3, "total": 10}
        opened.analysis.open.set()
        await opened.parts.jobs.wait(run_id)
        after = await _json(http, "/api/analyze/status")
        assert not after["is_running"]
        assert after["last_run"]["status"] == "completed"
        assert after["last_run"]["counts"]["patterns_detected"] == 4


async def test_suggestions_come_as_analyze_prints_them(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await offer(opened, suggestion())
        (one,) = await _json(http, "/api/suggestions")
        assert one["status"] == "offered"
        kept = {key: one[key] for key in suggestion().model_dump()}
        assert Suggestion.model_validate(kept) == suggestion()


async def test_before_the_home_is_known_there_are_no_suggestions(tmp_path: Path) -> None:
    async with local_house(tmp_path, home=None) as (_, http):
        assert await _json(http, "/api/suggestions") == []


async def test_the_automation_comes_as_yaml_in_the_order_people_write_it(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await offer(opened, suggestion())
        async with http.get("/api/suggestions/clock-kitchen/automation.yaml") as answer:
            text = await answer.text()
            assert answer.content_type == "application/yaml"
        assert yaml.safe_load(text) == suggestion().automation
        assert [line.split(":")[0] for line in text.splitlines() if line[0].isalpha()] == [
            "alias",
            "triggers",
            "conditions",
            "actions",
            "mode",
        ]
        assert "error" in await _json(http, "/api/suggestions/none/automation.yaml", 404)


async def test_health_is_of_the_process_only(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, home=None) as (opened, http):
        await opened.store.close()
        assert (await _json(http, "/health"))["status"] == "ok"
        await opened.store.open()


async def test_every_failure_is_one_line_of_json_for_a_program(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (_, http):
        assert await _json(http, "/api/nothing", 404) == {"error": "There is nothing here."}
        async with http.get("/api/analyze/trigger") as answer:
            assert answer.status == 405
            assert answer.headers["Allow"] == "POST"
            assert "error" in await answer.json()
        async with http.post("/api/analyze/trigger", data=b"x" * 70_000) as answer:
            assert answer.status == 413
            assert await answer.json() == {"error": "The request is too large."}


async def test_a_body_that_hides_its_length_is_cut_off_too(tmp_path: Path) -> None:
    async def endless() -> Any:
        for _ in range(20):
            yield b"x" * 8192

    async with (
        local_house(tmp_path) as (_, http),
        http.post("/api/analyze/trigger", data=endless()) as answer,
    ):
        assert answer.status == 413


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [
        ("/login", {"Content-Type": "multipart/form-data"}, b"abc"),
        ("/login", {"Content-Type": "application/x-www-form-urlencoded; charset=nope"}, b"key=a"),
        ("/login", {"Content-Type": "application/x-www-form-urlencoded"}, b"key=\xff\xfe"),
        ("/api/jobs/analysis/resume", {"Content-Encoding": "gzip"}, b"no gzip"),
    ],
)
async def test_a_body_that_cannot_be_read_is_the_senders_fault(
    tmp_path: Path, path: str, headers: dict[str, str], body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        local_house(tmp_path) as (_, http),
        http.post(path, headers=headers, data=body) as answer,
    ):
        assert answer.status == 400
        assert await answer.json() == {"error": "The request cannot be read."}
    assert "Traceback" not in caplog.text


async def test_a_stranger_cannot_fill_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with local_house(tmp_path) as (opened, _):
        host = opened.server.host
        for raw in (
            b"\x16\x03\x01 no HTTP at all\r\n\r\n",
            b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
            b"POST /logout HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc",
        ):
            reader, writer = await asyncio.open_connection(host, opened.server.port)
            writer.write(raw)
            writer.write_eof()
            await reader.read()
            writer.close()
            await writer.wait_closed()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_headers_alone_may_be_asked_for_except_of_a_stream_without_end(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (_, http):
        for path in ("/", "/health", "/api/analyze/status", "/api/suggestions"):
            async with http.head(path) as answer:
                assert (answer.status, await answer.read()) == (200, b"")
        async with http.head("/api/events") as answer:
            assert answer.status == 405


async def test_a_person_gets_a_page_for_an_error_with_links_that_hold_at_any_depth(tmp_path: Path) -> None:
    async with (
        local_house(tmp_path) as (_, http),
        http.get("/some/where/deep", headers={"Accept": "text/html"}) as answer,
    ):
        assert answer.status == 404
        text = await answer.text()
    assert 'href="../../"' in text
    assert 'href="../../static/nightshift.css?v=' in text


async def test_an_encoded_slash_is_no_folder_to_climb_out_of(tmp_path: Path) -> None:
    async with (
        local_house(tmp_path) as (_, http),
        http.get(URL("/some%2Fwhere%2Fdeep", encoded=True), headers={"Accept": "text/html"}) as answer,
    ):
        assert answer.status == 404
        assert 'href="./static/nightshift.css?v=' in await answer.text()


async def test_a_database_that_fails_is_said_without_a_trace(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.store.close()
        async with http.get("/api/runs") as answer:
            assert answer.status in {500, 503}
            assert list(await answer.json()) == ["error"]
        await opened.store.open()
