"""The reports and the cleanup on their schedules, of a real home's past, over the API and by mail."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from app.hub.invented import invent
from tests.mail.peer import Inbox, mail_server
from tests.process import PROOF, Process, serving
from tests.real_hub.past import SEED, furnish
from tests.real_hub.peer import RealHub

pytestmark = [pytest.mark.hub, pytest.mark.timeout(300)]
EACH_MINUTE = ("daily_insights", "daily_report", "monthly_report", "weekly_cleanup")


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    async with mail_server() as opened:
        yield opened


async def _run(app: Process, job: str) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession(app.url) as http,
        http.post(f"/api/jobs/{job}/run", headers=PROOF) as said,
    ):
        started = await said.json()
        assert said.status < 300, started
    return await app.ended(started["run_id"])


async def _scheduled(app: Process, job: str) -> dict[str, Any]:
    """Wait for the first run that the schedule started, and its end."""
    async with asyncio.timeout(150):
        while True:
            for run in reversed(await app.get(f"/api/jobs/{job}/runs")):
                if run["trigger"] == "schedule" and run["completed_at"]:
                    return dict(run)
            await asyncio.sleep(0.2)


def _subjects(inbox: Inbox) -> list[str]:
    return [str(message["Subject"]) for message in inbox.messages]


async def test_each_comes_on_its_schedule_the_report_after_the_insights_and_once_by_mail(
    real_hub: RealHub, variables: dict[str, str], inbox: Inbox, tmp_path: Path
) -> None:
    await furnish(real_hub, await asyncio.to_thread(invent, SEED))
    async with serving(tmp_path / "data", variables) as app, asyncio.timeout(120):
        while (await _run(app, "stats_aggregator")).get("details", {}).get("behind"):
            await asyncio.sleep(0.1)
    often = {
        **variables,
        "NIGHTSHIFT_SCHEDULES": json.dumps([{"job": job, "schedule": "* * * * *"} for job in EACH_MINUTE]),
        "NIGHTSHIFT_MAIL_HOST": "127.0.0.1",
        "NIGHTSHIFT_MAIL_PORT": str(inbox.port),
        "NIGHTSHIFT_MAIL_SECURITY": "none",
        "NIGHTSHIFT_MAIL_FROM": "nightshift@example.org",
        "NIGHTSHIFT_MAIL_TO": "ana@example.org",
    }
    async with serving(tmp_path / "data", often) as app:
        runs = {job: await _scheduled(app, job) for job in EACH_MINUTE}
        assert {job: run["status"] for job, run in runs.items()} == dict.fromkeys(EACH_MINUTE, "completed")
        assert runs["daily_report"]["completed_at"] >= runs["daily_insights"]["completed_at"]
        assert set(runs["weekly_cleanup"]["counts"]) >= {"alerts_archived", "runs", "orphans", "mails"}

        report = await app.get("/api/reports/latest?kind=daily")
        sections = {section["key"]: section for section in report["sections"]}
        # Whether this hub's few sensors are enough for a score is not what is asked here.
        said = sections["score"]["items"][0]["value"]
        assert "of 100" in said or said == "not known yet"
        happened = {item["title"]: item["value"] for item in sections["happened"]["items"]}
        assert int(happened["State changes"].replace(",", "")) > 100, sections["happened"]
        assert all(section["items"] or section["empty"] for section in report["sections"])
        assert "could not be read" not in json.dumps(report)

        async with asyncio.timeout(60):
            while report["title"] not in _subjects(inbox):
                await asyncio.sleep(0.1)
    async with serving(tmp_path / "data", often):
        await asyncio.sleep(1)
    assert _subjects(inbox).count(report["title"]) == 1, "once, over a restart too"
    assert "ERROR" not in app.log()
