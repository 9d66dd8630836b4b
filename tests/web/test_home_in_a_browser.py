"""The pages of the morning in a real browser (Chromium): live, on a phone, by keyboard, on paper."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.alerts.alert import Level
from app.insights.announcements import CoachAlert, InsightReady
from app.statistics.announcements import StatsChanged
from tests.web.house import House, until
from tests.web.morning import alerts_of, finding, insight, report
from tests.web.test_jobs_page_in_a_browser import show
from tests.web.test_page_in_a_browser import behind_a_prefix, browsing
from tests.web.test_scorecards_page import MINE

pytestmark = pytest.mark.browser

PAGES = ("home", "alerts", "reports", "reports/{report}", "scorecards", "scorecards/home", "new-scorecard")
WIDE = "a_very_long_name_without_any_place_to_break_it_" * 4


async def lived_in(opened: House) -> str:
    """Give the house a month of scores, some energy, alerts and reports; return a report's id."""
    now = datetime.now(UTC)
    today = now.date()
    for ago in range(29, -1, -1):
        await opened.morning.scored(insight(today - timedelta(days=ago), 60 + ago))
        await opened.morning.measured(today - timedelta(days=ago), 7.0 + ago % 9, (8.0, 12.0))
    for number, level in enumerate(Level):
        named = finding(f"x:{number}", level, title=f"{level} {WIDE}", description=WIDE)
        await opened.morning.found_at(now - timedelta(days=7 * number, hours=1), named)
    await opened.morning.found_at(now - timedelta(days=3), finding("over"))
    await opened.morning.found_at(now - timedelta(days=2), over=("over",))
    await opened.morning.computed(events_today=3, temperature=20.0, humidity=51.0, co2=640.0)
    written = report(today - timedelta(days=1), summary=WIDE)
    await opened.morning.wrote(written)
    return written.report_id


async def test_an_alert_is_news_on_every_page_and_on_its_own_at_once(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        await show(page, opened, f"{address}jobs")
        await opened.morning.found(finding())
        toast = page.get_by_role("alert").filter(has_text="Critical alert, Kitchen")
        await toast.get_by_text("Water under the sink").wait_for()
        await page.locator("nav .count", has_text="1").wait_for()
        await toast.get_by_role("link", name="Show").click()
        await page.get_by_role("heading", name="1 critical alert is open").wait_for()
        assert page.url.endswith("#alert-" + (await opened.morning.book.open("home"))[0].alert_id)
        await until(lambda: opened.feed.pages)
        await opened.morning.found(over=("water:sink",))
        await page.locator("#open .empty").wait_for()
        await page.locator("#over").get_by_text("Water under the sink").wait_for()


async def test_what_is_over_takes_its_news_along(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        await show(page, opened, f"{address}alerts")
        await opened.morning.found(finding())
        await page.locator(".toast").wait_for()
        await opened.morning.found(over=("water:sink",))
        await page.locator(".toast").wait_for(state="detached")


async def test_news_is_put_away_by_button_and_by_key_and_what_is_critical_stays(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        await show(page, opened, f"{address}home")
        for number in range(5):
            await opened.morning.found(finding(f"x:{number}", Level.HIGH, title=f"Number {number}"))
        await opened.morning.found(finding("y"))
        await page.get_by_role("alert").wait_for()
        assert await page.locator(".toast").count() == 3
        await page.get_by_role("alert").get_by_role("button", name="Dismiss").click()
        await page.get_by_role("alert").wait_for(state="detached")
        await page.locator(".toast").first.get_by_role("button").focus()
        await page.keyboard.press("Escape")
        await until(lambda: True)
        assert await page.locator(".toast").count() == 1
        assert await page.evaluate("document.activeElement.tagName") == "BUTTON"


async def test_an_urgent_recommendation_leads_to_its_place_on_the_page(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        one = insight(datetime.now(UTC).date())
        await opened.morning.scored(one)
        await show(page, opened, f"{address}jobs")
        advice = one.recommendations[0]
        opened.parts.bus.announce(
            CoachAlert(
                "home", "critical", advice.title, advice.message, advice.recommendation_id, one.generated_at
            )
        )
        toast = page.get_by_role("alert").filter(has_text="Recommendation of critical priority")
        await toast.get_by_text("Change <b>batteries</b>").wait_for()
        await toast.get_by_role("link").click()
        await page.locator(f"#advice-{advice.recommendation_id}:target").wait_for()


async def test_the_page_home_is_drawn_anew_on_scores_and_figures(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        await show(page, opened, f"{address}home")
        await page.get_by_role("heading", name="How is the home?").wait_for()
        one = insight(datetime.now(UTC).date())
        await opened.morning.scored(one)
        opened.parts.bus.announce(InsightReady(one, None))
        await page.get_by_role("heading", name="Good").wait_for()
        await opened.morning.computed(events_today=4321)
        opened.parts.bus.announce(StatsChanged("home", ()))
        await page.get_by_role("cell", name="4,321").first.wait_for()


async def test_figures_redraw_no_page_that_shows_none(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        await show(page, opened, f"{address}reports")
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url) if one.url.endswith("/reports") else None)
        opened.parts.bus.announce(StatsChanged("home", ()))
        opened.parts.bus.announce(InsightReady(insight(datetime.now(UTC).date()), None))
        await until(lambda: asked)
        await asyncio.sleep(0.1)
        assert len(asked) == 1


async def test_who_takes_care_of_an_alert_says_so_with_one_press(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        (alert,) = alerts_of(await opened.morning.found(finding()))
        await show(page, opened, f"{address}alerts")
        await page.get_by_role("button", name="Read Water under the sink").click()
        await page.get_by_text("read it today").wait_for()
        await page.get_by_role("button", name="I take care of it").click()
        await page.get_by_text("takes care of it, since today").wait_for()
        kept = await opened.morning.book.get("home", alert.alert_id)
        assert kept
        assert kept.acknowledged_by == "admin"


async def test_the_keyboard_stays_where_a_button_was_pressed_though_it_is_gone(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        (alert,) = alerts_of(await opened.morning.found(finding()))
        await show(page, opened, f"{address}alerts")
        await page.get_by_role("button", name="I take care of it").focus()
        await page.keyboard.press("Enter")
        await page.get_by_text("takes care of it, since today").wait_for()
        await page.locator(f"#alert-{alert.alert_id}:focus").wait_for()


async def test_the_words_are_edited_and_a_wrong_one_is_refused_in_a_line(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing("400") as page:
        await page.goto(f"{address}alerts")
        await page.locator("#words-open summary").click()
        await page.get_by_role("button", name="Remove no space left on device").click()
        await page.get_by_role("button", name="Add a word").click()
        new = page.locator("#keywords li").last
        await new.get_by_role("textbox").fill("???")
        await page.get_by_role("button", name="Save").click()
        await page.get_by_text("keyword 11: word: a keyword has letters or digits").wait_for()
        await new.get_by_role("textbox").fill("boiler fault")
        await new.get_by_role("combobox").select_option("critical")
        await page.get_by_role("button", name="Save").click()
        await page.get_by_text("Saved. They count from the next look on.").wait_for()
        words = await opened.morning.parts.alerts.keywords.of("home")
        assert (words[-1].word, words[-1].level) == ("boiler fault", Level.CRITICAL)
        assert len(words) == 11
        await page.reload()
        await page.locator("#words-open summary").click()
        await page.get_by_role("button", name="Back to what Nightshift came with").click()
        await page.get_by_text("11 words, as Nightshift came").wait_for()


async def test_a_scorecard_is_tried_refused_by_its_line_saved_and_removed(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing("422") as page:
        await page.goto(f"{address}new-scorecard")
        text = page.get_by_role("textbox", name="The scorecard, as YAML")
        await text.fill(MINE.replace("weight: 100", "weight: 90"))
        await page.get_by_role("button", name="Try it").click()
        await page.get_by_role("button", name="Line 3").wait_for()
        await page.get_by_text("the weights of the categories add up to 90").wait_for()
        assert await page.locator(".gutter mark").inner_text() == "3\n"
        chosen = "(text) => text.value.slice(0, text.selectionStart).split(/\\n/).length"
        assert await text.evaluate(chosen) == 3
        await text.fill(MINE)
        await page.get_by_role("button", name="Try it").click()
        await page.get_by_role("heading", name="It would score 100 of 100 now").wait_for()
        await page.locator("#tried").get_by_text("Batteries").wait_for()
        assert len(await opened.morning.parts.insights.scorecards.all("home")) == 2
        await page.get_by_role("button", name="Save").click()
        await page.wait_for_url("**/scorecards/mine")
        await page.get_by_role("button", name="Remove it").first.click()
        await page.get_by_role("button", name="Leave it").click()
        await page.locator("#remove").click()
        await page.locator("#certain").get_by_role("button", name="Remove it").click()
        await page.wait_for_url("**/scorecards")
        assert len(await opened.morning.parts.insights.scorecards.all("home")) == 2


async def test_a_scorecard_is_switched_on_and_off(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        await page.goto(f"{address}scorecards")
        await page.get_by_role("switch", name="Off Business health").check()
        await page.get_by_role("switch", name="On Business health").wait_for()
        names = [one.name for one in await opened.morning.parts.insights.scorecards.active("home")]
        assert names == ["home", "business"]


async def test_a_report_on_paper_is_the_report_alone_dark_on_white(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing(color_scheme="dark") as page:
        name = await lived_in(opened)
        await page.goto(f"{address}reports/{name}")
        await page.get_by_role("button", name="Print").wait_for()
        await page.emulate_media(media="print")
        assert not await page.locator("header nav").is_visible()
        assert not await page.locator("#print").is_visible()
        assert await page.locator("#report-title").is_visible()
        colours = "(one) => [getComputedStyle(one).color, getComputedStyle(document.body).backgroundColor]"
        assert await page.locator("#report-title").evaluate(colours) == [
            "rgb(0, 0, 0)", "rgb(255, 255, 255)",
        ]  # fmt: skip


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
async def test_every_page_fits_the_screen_with_all_opened(tmp_path: Path, width: int) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address):
        name = await lived_in(opened)
        async with browsing(viewport={"width": width, "height": 800}) as page:
            for path in PAGES:
                await page.goto(address + path.format(report=name))
                for summary in await page.locator("summary").all():
                    await summary.click()
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, path


async def test_what_is_pressed_is_large_enough_and_reached_with_the_keyboard(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address):
        name = await lived_in(opened)
        async with browsing(viewport={"width": 390, "height": 844}) as page:
            for path in PAGES:
                await page.goto(address + path.format(report=name))
                for summary in await page.locator("summary").all():
                    await summary.click()
                pressed = "button, select, input:not([type=checkbox]), nav a, .controls a, summary, .switch"
                small: Any = await page.evaluate(
                    """(pressed) => [...document.querySelectorAll(pressed)]
                        .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 43.5)
                        .map((one) => one.outerHTML.slice(0, 80))""",
                    pressed,
                )
                assert small == [], path
            await page.goto(f"{address}alerts")
            reached = set()
            for _ in range(30):
                await page.keyboard.press("Tab")
                reached.add(await page.evaluate("document.activeElement.id"))
            assert any(one.startswith("take-") for one in reached)
            assert any(one.startswith("read-") for one in reached)


async def test_who_never_saw_the_page_sees_the_score_without_scrolling(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address):
        await lived_in(opened)
        for width, height in ((390, 844), (1280, 800)):
            async with browsing(viewport={"width": width, "height": height}) as page:
                await page.goto(f"{address}home")
                for part in (".ring-chart", "#score-title", ".going"):
                    box = await page.locator(part).first.bounding_box()
                    assert box["y"] + box["height"] < height / 1.5, part
