"""The API of the jobs, asked over HTTP."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from app.jobs.run import RunStatus
from tests.web.house import ADMIN, House, give_up_on_ben, ingress_house, local_house, until


async def get(http: ClientSession, path: str, status: int = 200) -> Any:
    async with http.get(path) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def post(http: ClientSession, path: str, status: int, body: object = None) -> Any:
    async with http.post(path, json=body) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def _started(opened: House, http: ClientSession) -> str:
    run_id: str = (await post(http, "/api/jobs/analysis/run", 202))["run_id"]
    await until(lambda: opened.analysis.context)
    return run_id


async def test_past_runs_are_listed_up_to_a_limit(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        for _ in range(3):
            await opened.run_once()
        await opened.write_once()
        assert len(await get(http, "/api/runs")) == 4
        assert len(await get(http, "/api/runs?limit=2")) == 2
        assert await get(http, "/api/runs?job=none") == []
        assert len(await get(http, "/api/jobs/analysis/runs")) == 3
        assert len(await get(http, "/api/jobs/analysis/runs?limit=1&home=home")) == 1
        assert await get(http, "/api/jobs/analysis/runs?home=elsewhere") == []
        await get(http, "/api/jobs/none/runs", 404)
        for wrong in ("0", "-1", "many", "201", "9" * 30, "٣"):
            assert "limit" in (await get(http, f"/api/runs?limit={wrong}", 400))["error"]


async def test_a_run_is_cancelled_once(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        run_id = await _started(opened, http)
        await post(http, f"/api/runs/{run_id}/cancel", 202)
        run = await opened.parts.jobs.wait(run_id)
        assert run.cancelled
        again = await post(http, f"/api/runs/{run_id}/cancel", 409)
        assert again["error"] == "That run is not going on: it is interrupted."
        await post(http, "/api/runs/none/cancel", 404)


async def test_pausing_a_job_takes_its_next_run_away_until_it_is_resumed(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        assert (await post(http, "/api/jobs/analysis/pause", 200))["next_run"] is None
        assert opened.parts.jobs.is_paused("analysis")
        assert [one["paused"] for one in await get(http, "/api/jobs")] == [True, False]
        resumed = await post(http, "/api/jobs/analysis/resume", 200)
        assert resumed["next_run"] == "2026-03-11T02:00:00+00:00"
        await post(http, "/api/jobs/none/pause", 404)


async def test_a_job_tells_how_it_stands_in_each_home(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        opened.analysis.error = "Home Assistant was away"
        await opened.run_once()
        job = await get(http, "/api/jobs/analysis")
        assert job["title"] == "Nightly analysis"
        assert job["schedule"] == "0 3 * * *"
        assert (job["schedule_source"], job["off"]) == ("declared", False)
        assert job["last_run"]["status"] == "failed"
        (home,) = job["homes"]
        assert (home["home"], home["failures_in_a_row"], home["running"]) == ("home", 1, None)
        await get(http, "/api/jobs/none", 404)


async def test_a_job_is_started_for_one_person_and_one_day(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        asked = {"home": "home", "person": "chen", "date": "2026-03-01", "force": True}
        run = await post(http, "/api/jobs/outlook/run", 202, asked)
        await opened.parts.jobs.wait(run["run_id"])
        assert opened.outlook.done == ["chen"]
        assert run["occasion"].startswith("2026-03-01T")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"date": "yesterday"}, "date: give a day"),
        ({"date": 20260301}, "date: give a day"),
        ({"force": "yes"}, "force: give true or false"),
        ({"person": ["anna"]}, "person: give a text"),
        ({"home": "x" * 300}, "home: give a text"),
        ({"when": "now"}, "'when' means nothing here"),
        ({"home": "elsewhere"}, "There is no home"),
        ([1], "JSON object"),
    ],
)
async def test_what_cannot_be_asked_for_is_refused_in_one_line(
    tmp_path: Path, body: object, said: str
) -> None:
    async with local_house(tmp_path) as (opened, http):
        answer = await post(http, "/api/jobs/outlook/run", 400, body)
        assert said.lower() in answer["error"].lower()
        assert await opened.parts.ledger.recent() == []


async def test_a_body_that_is_no_json_is_refused(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (_, http):
        for body in (b"{", b"[" * 10_000, b"\xff"):
            async with http.post("/api/jobs/analysis/run", data=body) as answer:
                assert answer.status == 400
                assert await answer.json() == {"error": "the body is no JSON"}


async def test_a_job_that_ran_as_often_as_it_may_has_to_wait(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        for _ in range(20):
            run = await post(http, "/api/jobs/outlook/run", 202)
            await opened.parts.jobs.wait(run["run_id"])
        async with http.post("/api/jobs/outlook/run") as answer:
            assert answer.status == 429
            assert answer.headers["Retry-After"] == "3600"
            assert "try again in 3600 s" in (await answer.json())["error"]
        await post(http, "/api/jobs/outlook/run", 202, {"force": True})


async def test_a_second_start_is_refused_with_the_run_that_goes_on(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        run_id = await _started(opened, http)
        refused = await post(http, "/api/jobs/analysis/run", 409)
        assert refused["run_id"] == run_id
        assert refused["error"] == "Nightly analysis is running already."


async def test_a_schedule_is_shown_before_it_is_set_and_taken_back(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        shown = await get(http, "/api/schedule?text=30%202%20*%20*%20*")
        assert shown["words"] == "every day at 02:30"
        assert shown["next"][0] == {"at": "2026-03-11T01:30:00+00:00", "text": "tomorrow at 02:30"}
        assert len(shown["next"]) == 5
        set_to = await post(http, "/api/jobs/analysis/schedule", 200, {"schedule": "30 2 * * *"})
        assert set_to["next_run"] == shown["next"][0]["at"]
        assert set_to["schedule_source"] == "page"
        off = await post(http, "/api/jobs/analysis/schedule", 200, {"schedule": "off"})
        assert (off["next_run"], off["off"]) == (None, True)
        back = await post(http, "/api/jobs/analysis/schedule", 200, {"schedule": None})
        assert (back["schedule"], back["schedule_source"]) == ("0 3 * * *", "declared")
        assert opened.parts.jobs.schedule("analysis").source == "declared"


@pytest.mark.parametrize(
    "body", [{}, {"schedule": "soon"}, {"schedule": 3}, {"schedule": ""}, {"text": "0 3 * * *"}, None]
)
async def test_what_is_no_schedule_is_not_set(tmp_path: Path, body: object) -> None:
    async with local_house(tmp_path) as (opened, http):
        assert "\n" not in (await post(http, "/api/jobs/analysis/schedule", 400, body))["error"]
        assert opened.parts.jobs.schedule("analysis").source == "declared"
        await get(http, "/api/schedule?text=soon", 400)
        await get(http, "/api/schedule", 400)


async def test_a_run_is_told_with_its_subjects_its_log_and_its_tries(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        opened.outlook.failing = {"ben": "no calendar of this name"}
        run = await opened.write_once()
        told = await get(http, f"/api/runs/{run.run_id}")
        assert told["status"] == "partial"
        assert (told["subjects_processed"], told["subjects_failed"]) == (3, 1)
        assert told["subjects"][0]["subject_id"] == "ben"
        assert told["subjects"][0]["error"] == "no calendar of this name"
        assert "There are 3 people" in [line["text"] for line in told["log"]]
        assert told["tries"][0]["run_id"] == run.run_id
        later = await get(http, f"/api/runs/{run.run_id}/log?after=0&limit=2")
        assert [line["number"] for line in later] == [1, 2]
        await get(http, f"/api/runs/{run.run_id}/log?after=x", 400)
        await get(http, "/api/runs/none", 404)
        await get(http, "/api/runs/none/log", 404)


async def test_what_was_given_up_is_listed_tried_again_and_dismissed(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        retry_id = await give_up_on_ben(opened)
        (retry,) = await get(http, "/api/retries?job=outlook")
        assert (retry["retry_id"], retry["given_up"], retry["next_retry_at"]) == (retry_id, True, None)
        assert retry["last_error"] == "no calendar of this name"
        assert await get(http, "/api/retries?job=analysis") == []
        run = await post(http, f"/api/retries/{retry_id}/again", 202)
        assert (await opened.parts.jobs.wait(run["run_id"])).status is not RunStatus.COMPLETED
        await post(http, f"/api/retries/{retry_id}/dismiss", 200)
        assert await get(http, "/api/retries") == []
        for gone in (str(retry_id), "x", "9" * 40):
            assert "error" in await post(http, f"/api/retries/{gone}/dismiss", 404)
            assert "error" in await post(http, f"/api/retries/{gone}/again", 404)


async def test_a_guest_reads_everything_and_changes_nothing(tmp_path: Path) -> None:
    async with ingress_house(tmp_path) as (opened, http):
        run = await opened.run_once()
        guest = {**ADMIN, "X-Remote-User-Id": "guest", "X-Nightshift": "1"}
        for path in ("/api/jobs", "/api/jobs/outlook", f"/api/runs/{run.run_id}", "/api/retries"):
            async with http.get(path, headers=guest) as answer:
                assert answer.status == 200
        for path in ("/api/jobs/outlook/run", "/api/jobs/outlook/schedule", "/api/retries/1/again"):
            async with http.post(path, headers=guest) as answer:
                assert answer.status == 403
            async with http.post(path, headers={**ADMIN, "X-Nightshift": ""}) as answer:
                assert answer.status == 403
