"""The jobs' pages in a real browser (Chromium): live, on a phone, by keyboard, within their own policy."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.jobs.announcements import JobChanged
from app.jobs.run import RunStatus
from app.jobs.subject import Subject
from tests.web.house import House, give_up_on_ben, until
from tests.web.past import Told, good_nights, happened, was_missed
from tests.web.test_page_in_a_browser import behind_a_prefix, browsing

pytestmark = pytest.mark.browser


def last_night() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=5)


async def show(page: Any, opened: House, address: str) -> None:
    """Go to a page and wait until it listens; the stream of the page before may still be open."""
    before = set(opened.feed._pages)
    await page.goto(address)
    await until(lambda: set(opened.feed._pages) - before)


class HeldBack:
    """An answer that is drawn, but passed on only when it is told so."""

    def __init__(self) -> None:
        self.drawn, self.passed_on = asyncio.Event(), asyncio.Event()

    async def hold(self, route: Any) -> None:
        answer = await route.fetch()
        self.drawn.set()
        await self.passed_on.wait()
        await route.fulfill(response=answer)


async def test_from_home_to_a_run_and_back_and_everything_live(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        await page.goto(address)
        await page.get_by_role("link", name="Jobs").click()
        await page.get_by_role("heading", name="No job has run yet").wait_for()
        await page.get_by_role("button", name="Run now Nightly analysis").click()
        await page.get_by_role("heading", name="Nightly analysis is running").wait_for()
        await page.get_by_text("3 of 10").wait_for()
        assert opened.analysis.context
        opened.analysis.context.progress("Filing finished days", 37, 120)
        await page.get_by_text("37 of 120").wait_for()
        await page.locator("#jobs").get_by_role("link", name="Nightly analysis").click()
        await page.get_by_text("37 of 120").wait_for()
        opened.analysis.open.set()
        await page.get_by_text("4 habits").first.wait_for()
        await page.get_by_role("link", name="All jobs").click()
        await page.get_by_role("heading", name="All is well").wait_for()


async def test_a_log_is_followed_as_it_is_written(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        run = await opened.parts.jobs.trigger("analysis")
        await until(lambda: opened.analysis.context)
        await show(page, opened, f"{address}runs/{run.run_id}")
        await page.get_by_text("Reading from Canal House").wait_for()

        for number in range(60):
            opened.analysis.lines.put_nowait(f"Read day {number}: <b>{number}</b> changes")
        await page.get_by_text("Read day 59: <b>59</b> changes").wait_for()
        log = page.locator("#log")
        assert await log.evaluate("log => log.scrollHeight - log.scrollTop - log.clientHeight") < 2
        # Who reads further up is left there.
        await log.evaluate("log => { log.scrollTop = 0; }")
        opened.analysis.lines.put_nowait("Read the last day")
        await page.get_by_text("Read the last day").wait_for()
        assert await log.evaluate("log => log.scrollTop") == 0
        assert await log.locator("li").count() == 62
        assert re.fullmatch(r"\d\d:\d\d:\d\d", await log.locator("li time").last.text_content())
        opened.analysis.open.set()
        await page.get_by_role("button", name="Run the job again").wait_for()
        assert await log.locator("li").count() == 62


async def test_log_lines_that_were_missed_are_asked_for(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        run = await opened.parts.jobs.trigger("analysis")
        await until(lambda: opened.analysis.context)
        await show(page, opened, f"{address}runs/{run.run_id}")

        for mailbox in tuple(opened.feed._pages):
            mailbox.close()
        await page.get_by_text("The connection to Nightshift is lost.").wait_for()
        opened.analysis.lines.put_nowait("Written while nobody listened")
        await page.get_by_text("Written while nobody listened").wait_for()
        opened.analysis.open.set()


async def test_progress_that_overtakes_a_fresh_copy_of_a_jobs_page_is_kept(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        run = await opened.parts.jobs.trigger("analysis")
        await until(lambda: opened.analysis.context)
        for path in ("jobs", "jobs/analysis", f"runs/{run.run_id}"):
            await show(page, opened, address + path)

            copy = HeldBack()
            await page.route(address + path, copy.hold)
            opened.parts.bus.announce(JobChanged("outlook"))
            await copy.drawn.wait()
            assert opened.analysis.context
            opened.analysis.context.progress(f"Finding the words for {path}", 7, 8)
            await page.get_by_text(f"Finding the words for {path}").wait_for()
            async with page.expect_response(address + path):
                copy.passed_on.set()
            await page.wait_for_timeout(200)
            step = page.locator(f"[data-run='{run.run_id}'] [data-step]")
            assert await step.text_content() == f"Finding the words for {path}"
        opened.analysis.open.set()


async def test_another_jobs_progress_does_not_draw_a_page_anew(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        run = await opened.write_once()
        await opened.parts.jobs.trigger("analysis")
        await until(lambda: opened.analysis.context)
        asked: list[str] = []
        for path in ("jobs/outlook", f"runs/{run.run_id}"):
            await show(page, opened, address + path)

            await page.wait_for_timeout(200)
            asked.clear()
            page.on("request", lambda request: asked.append(request.url))
            for number in range(5):
                assert opened.analysis.context
                opened.analysis.context.progress(f"Step {number}", number, 5)
                await page.wait_for_timeout(50)
            assert asked == []
        opened.analysis.open.set()


async def test_a_schedule_is_shown_saved_and_taken_back(tmp_path: Path) -> None:
    # A browser notes each answer that refuses something: here a rule that is none.
    async with (
        behind_a_prefix(tmp_path) as (opened, address),
        browsing(expected="status of 400") as page,
    ):
        await page.goto(f"{address}jobs/analysis")
        await page.get_by_text("Change the schedule").click()
        await page.get_by_text("Every day at 03:00", exact=False).first.wait_for()
        assert not await page.get_by_label("Cron rule").is_visible()
        await page.get_by_label("How often").select_option("Once a week")
        await page.get_by_label("On", exact=True).select_option("Friday")
        await page.get_by_label("At", exact=True).fill("04:30")
        await page.locator("#preview").get_by_text("every Friday at 04:30").wait_for()
        assert await page.locator("#preview li").count() == 5
        assert opened.parts.jobs.schedule("analysis").source == "declared"
        await page.get_by_role("button", name="Save").click()
        await page.locator("#schedule-now").get_by_text("every Friday at 04:30").wait_for()
        assert opened.parts.jobs.schedule("analysis").text == "30 4 * * FRI"
        await page.get_by_label("How often").select_option("By a cron rule of your own")
        await page.get_by_label("Cron rule").fill("61 3 * * *")
        await page.locator("#preview").get_by_text("is no schedule").wait_for()
        await page.get_by_label("How often").select_option("Every so many minutes, hours or days")
        await page.get_by_label("Every", exact=True).fill("20")
        await page.locator("#preview").get_by_text("every 20 minutes").wait_for()
        await page.get_by_role("button", name="Back to every day at 03:00").click()
        await page.locator("#schedule-now").get_by_text("as Nightshift comes").wait_for()
        assert opened.parts.jobs.schedule("analysis").source == "declared"


async def test_a_form_that_is_being_filled_in_stays_as_it_is(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        await show(page, opened, f"{address}jobs/analysis")

        await page.get_by_text("Change the schedule").click()
        await page.get_by_label("At", exact=True).fill("05:15")
        await opened.run_once()
        await page.get_by_text("4 habits").first.wait_for()
        assert await page.get_by_label("At", exact=True).input_value() == "05:15"


async def test_what_was_given_up_is_tried_again_and_dismissed(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        await give_up_on_ben(opened)
        await show(page, opened, f"{address}jobs")
        await page.get_by_role("heading", name="Given up").wait_for()

        await page.get_by_role("button", name="Dismiss Ben").click()
        await page.get_by_role("heading", name="Given up").wait_for(state="hidden")
        assert await opened.parts.queue.all() == []
        await give_up_on_ben(opened)
        opened.outlook.failing = {}
        await page.reload()
        await page.get_by_role("button", name="Try again Ben").click()
        await page.get_by_role("heading", name="Given up").wait_for(state="hidden")
        assert "ben" in opened.outlook.done


async def test_a_run_is_started_again_from_an_old_one_and_shown(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        run = await opened.run_once()
        await page.goto(f"{address}runs/{run.run_id}")
        await page.get_by_role("button", name="Run the job again").click()
        await page.get_by_role("button", name="Cancel").click()
        await page.get_by_text("cancelled").first.wait_for()
        assert not page.url.endswith(run.run_id)


@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_no_page_is_wider_than_the_screen(tmp_path: Path, width: int) -> None:
    wide = "x" * 120
    async with behind_a_prefix(tmp_path) as (opened, address):
        await good_nights(opened, "analysis", last_night(), 60)
        await was_missed(opened, "analysis", last_night() + timedelta(hours=1))
        opened.outlook.people = [Subject(wide, wide), Subject("b", "b")]
        opened.outlook.failing = {wide: f"cannot read {wide}"}
        run = await opened.write_once()
        opened.analysis.error = f"cannot read {wide}"
        await opened.run_once()
        async with browsing(viewport={"width": width, "height": 800}) as page:
            for path in ("jobs", "jobs/analysis", "jobs/outlook", f"runs/{run.run_id}"):
                await page.goto(address + path)
                for summary in await page.locator("summary").all():
                    await summary.click()
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, path


async def test_what_is_pressed_is_large_enough_and_reached_with_the_keyboard(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address):
        await good_nights(opened, "analysis", last_night() - timedelta(days=1), 12)
        await happened(opened, "analysis", last_night(), Told(RunStatus.FAILED, error="away", counts={}))
        await give_up_on_ben(opened)
        async with browsing(viewport={"width": 390, "height": 844}) as page:
            for path in ("jobs", "jobs/outlook"):
                await page.goto(address + path)
                for summary in await page.locator("summary").all():
                    await summary.click()
                small = await page.evaluate(
                    """() => [...document.querySelectorAll("button, select, input, nav a, .controls a")]
                        .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 43.5)
                        .map((one) => one.outerHTML.slice(0, 80))"""
                )
                assert small == []
            await page.goto(f"{address}jobs")
            reached = set()
            for _ in range(30):
                await page.keyboard.press("Tab")
                reached.add(
                    await page.evaluate("document.activeElement.id || document.activeElement.tagName")
                )
            assert {"theme", "run-analysis", "pause-outlook", "A"} <= reached
            assert any(name.startswith("dismiss-") for name in reached)


async def test_who_never_saw_the_page_finds_the_three_answers_without_scrolling(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address):
        await good_nights(opened, "analysis", last_night() - timedelta(days=1), 12)
        await happened(opened, "analysis", last_night(), Told(RunStatus.FAILED, error="away", counts={}))
        for width, height in ((390, 844), (1280, 800)):
            async with browsing(viewport={"width": width, "height": height}) as page:
                await page.goto(f"{address}jobs")
                for name in ("Nightly analysis failed", "What ran", "What went wrong", "What to do"):
                    box = await page.get_by_role("heading", name=name).first.bounding_box()
                    assert box["y"] + box["height"] < height
