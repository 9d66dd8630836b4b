"""Live events over a real connection."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession, web

from app.clock import TurnedClock
from app.habits.announcements import AutomationVerdict
from app.insights.announcements import CoachAlert, InsightReady
from app.jobs.announcements import JobFailing, JobRecovered, LogLine, RunLogged
from app.neighbours import NeighbourState
from app.reports.announcements import ReportReady
from app.statistics.announcements import StatsChanged
from app.web.app import build_web
from app.web.live import BEAT_SECONDS, LARGEST_MAILBOX, MOST_PAGES, Mailbox
from tests.web.house import NOON, House, give_up_on_ben, local_house, offer, suggestion, until
from tests.web.morning import finding, insight, report


class Stream:
    """Reads server-sent events."""

    def __init__(self, answer: ClientResponse) -> None:
        self._answer = answer

    async def next(self) -> tuple[str, Any]:
        """Return the next event's name and data; a comment's name is "" and its data the comment."""
        block: list[str] = []
        while not block or block[0].startswith("retry"):
            block = []
            while line := (await self._answer.content.readline()).decode().rstrip("\n"):
                block.append(line)
            if self._answer.content.at_eof() and not block:
                return "end", None
        if block[0].startswith(":"):
            return "", block[0]
        name, data = block
        return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


@asynccontextmanager
async def listening(opened: House, http: ClientSession) -> AsyncIterator[Stream]:
    """Open a stream and read its greeting."""
    async with http.get("/api/events") as answer:
        assert answer.content_type == "text/event-stream"
        stream = Stream(answer)
        name, data = await stream.next()
        assert name == "hello"
        assert data["version"]
        assert opened.feed.pages > 0
        yield stream


async def test_a_run_is_told_from_its_start_to_its_end(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http), listening(opened, http) as stream:
        run = await opened.parts.jobs.trigger("analysis")
        name, data = await stream.next()
        assert (name, data["run_id"], data["status"]) == ("run_started", run.run_id, "running")
        name, data = await stream.next()
        assert name == "progress"
        assert data == {
            "run_id": run.run_id,
            "job": "analysis",
            "step": "Reading what happened",
            "done": 3,
            "total": 10,
        }
        opened.analysis.open.set()
        while name in {"progress", "run_logged"}:
            name, data = await stream.next()
        assert (name, data["status"]) == ("run_ended", "completed")


async def test_what_a_run_logs_is_told_line_by_line(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http), listening(opened, http) as stream:
        run = await opened.parts.jobs.trigger("analysis")
        name, data = await stream.next()
        while name != "run_logged":
            name, data = await stream.next()
        assert (data["run_id"], data["job"]) == (run.run_id, "analysis")
        (line,) = data["lines"]
        assert (line["number"], line["level"], line["text"]) == (0, "info", "Reading from Canal House")


async def test_what_is_given_up_and_what_fails_in_a_row_is_told(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http), listening(opened, http) as stream:
        bus = opened.parts.bus
        bus.announce(JobFailing("analysis", "home", 3, "Home Assistant was away"))
        assert await stream.next() == (
            "job_failing",
            {"job": "analysis", "home": "home", "failures": 3, "error_message": "Home Assistant was away"},
        )
        bus.announce(JobRecovered("analysis", "home"))
        assert await stream.next() == ("job_recovered", {"job": "analysis", "home": "home"})
        await give_up_on_ben(opened)
        name, data = await stream.next()
        while name != "subject_given_up":
            name, data = await stream.next()
        assert (data["subject_id"], data["given_up"]) == ("ben", True)


async def test_of_many_lines_at_once_the_last_ones_are_sent(tmp_path: Path) -> None:
    lines = tuple(LogLine(number, NOON, "INFO", "x" * 500) for number in range(500))
    async with local_house(tmp_path) as (opened, http), listening(opened, http) as stream:
        opened.parts.bus.announce(RunLogged("r", "analysis", lines))
        _, data = await stream.next()
        assert [line["number"] for line in data["lines"]] == list(range(450, 500))


async def test_neighbours_suggestions_and_pauses_are_told(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http), listening(opened, http) as stream:
        opened.parts.neighbours.set("hub", NeighbourState.FAILED, "gone\r\nevent: forged\r\n\r\n")
        name, data = await stream.next()
        assert (name, data["state"]) == ("neighbour", "failed")
        assert data["message"] == "gone\r\nevent: forged\r\n\r\n"
        await offer(opened, suggestion())
        assert await stream.next() == ("suggestions", {"offered": 1})
        await opened.parts.jobs.pause("analysis")
        assert await stream.next() == ("job", {"job": "analysis"})


async def test_a_heartbeat_comes_while_nothing_happens(tmp_path: Path) -> None:
    clock = TurnedClock(NOON)
    async with local_house(tmp_path, clock=clock) as (opened, http), listening(opened, http) as stream:
        await clock.turn(timedelta(seconds=BEAT_SECONDS))
        assert await stream.next() == ("", ": still here")


async def test_a_page_that_goes_away_is_forgotten(tmp_path: Path) -> None:
    clock = TurnedClock(NOON)
    async with local_house(tmp_path, clock=clock) as (opened, http):
        async with listening(opened, http):
            pass
        await until(lambda: opened.feed.pages == 0)
        async with listening(opened, http) as stream:
            await clock.turn(timedelta(seconds=BEAT_SECONDS))
            assert await stream.next() == ("", ": still here")


async def test_the_server_stops_at_once_with_pages_open(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http), listening(opened, http) as stream:
        async with asyncio.timeout(60):
            await opened.server.close()
        assert await stream.next() == ("end", None)


async def test_only_so_many_pages_may_listen(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (_, http), AsyncExitStack() as pages:
        for _ in range(MOST_PAGES):
            await pages.enter_async_context(http.get("/api/events"))
        async with http.get("/api/events") as answer:
            assert answer.status == 503


async def test_pages_that_went_away_free_their_places_before_the_next_heartbeat(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, _):
        # As `serve` runs it; the test server, unlike that, ends the handlers of lost connections itself.
        runner = web.AppRunner(build_web(opened.parts, opened.morning.parts))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        async with ClientSession(f"http://{host}:{port}") as http:
            async with AsyncExitStack() as pages:
                for _ in range(MOST_PAGES):
                    await pages.enter_async_context(http.get("/api/events"))
                async with http.get("/api/events") as answer:
                    assert answer.status == 503
            statuses = {503}
            while 200 not in statuses:
                async with http.get("/api/events") as answer:
                    statuses.add(answer.status)
        await runner.cleanup()


async def test_a_page_that_cannot_keep_up_is_told_to_read_everything_anew() -> None:
    mailbox = Mailbox()
    for number in range(500):
        mailbox.put(b"progress %d" % number, replaces="progress")
    mailbox.put(b"ended")
    assert await mailbox.take() == [b"progress 499", b"ended"]
    for number in range(LARGEST_MAILBOX + 1):
        mailbox.put(b"event %d" % number)
    assert await mailbox.take() == [b"event: refresh\ndata: {}\n\n"]
    mailbox.close()
    assert await mailbox.take() == []


async def test_what_is_proposed_for_an_automation_is_told(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http), listening(opened, http) as stream:
        opened.parts.bus.announce(
            AutomationVerdict("home", "clock-kitchen", "Kitchen", "shift", "Shift it: …")
        )
        assert await stream.next() == (
            "automation_verdict",
            {"suggestion_id": "clock-kitchen", "proposal": "shift"},
        )


async def test_an_alert_is_told_from_its_rise_to_its_end(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http), listening(opened, http) as stream:
        await opened.morning.found(finding())
        name, data = await stream.next()
        assert (name, data["change"], data["level"], data["open"]) == ("alert", "raised", "critical", True)
        assert data["label"] == "Critical alert, Kitchen"
        await opened.morning.book.acknowledge("home", data["alert_id"], "admin")
        assert (await stream.next())[1]["change"] == "acknowledged"
        await opened.morning.found(over=("water:sink",))
        name, data = await stream.next()
        assert (data["change"], data["open"], data["label"]) == ("closed", False, "")


async def test_scores_figures_reports_and_urgent_advice_are_told(tmp_path: Path) -> None:
    day = NOON.date()
    async with local_house(tmp_path) as (opened, http), listening(opened, http) as stream:
        announce = opened.parts.bus.announce
        announce(InsightReady(insight(day), 78))
        assert (await stream.next())[1]["health_score"] == 82
        announce(CoachAlert("home", "critical", "Cash flow alert", "In 12 days.", "rec_1", NOON))
        name, data = await stream.next()
        assert (name, data["type"], data["recommendation_id"]) == ("coach_alert", "coach_alert", "rec_1")
        announce(StatsChanged("home", ()))
        assert await stream.next() == ("statistics", {"places": 0})
        announce(ReportReady(report(day)))
        assert (await stream.next())[1]["report_id"] == "daily-2026-03-10"
