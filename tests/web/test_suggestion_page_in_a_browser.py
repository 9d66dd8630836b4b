"""Deciding in a real browser (Chromium): one press, taken back, changed first, nothing lost by a press."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.archive.archive import Archive
from app.clock import SystemClock
from app.events import Events
from app.habits.offers.decision import Via, Who
from app.neighbours import NeighbourState
from tests.habits.kinds import KINDS
from tests.habits.offers.hub import Editor
from tests.habits.stories import Story
from tests.web.house import ADMIN, House, house, offer, until
from tests.web.test_page_in_a_browser import browsing
from tests.web.test_suggestion_page import HOME, blind, kitchen

pytestmark = pytest.mark.browser
REFUSED = "the server responded with a status of 4"
HEADERS: dict[str, Any] = {"extra_http_headers": ADMIN}


@asynccontextmanager
async def home_of(folder: Path, editor: Editor | None = None, **more: Any) -> AsyncIterator[House]:
    """Open a house at the hub, with a lamp and a blind on offer; an administrator comes through ingress."""
    peers = frozenset({"127.0.0.1"})
    given = {"home": HOME, "ingress": True, "ingress_peers": peers, "clock": SystemClock(), **more}
    async with house(folder, editor=editor or Editor(), **given) as opened:
        opened.parts.neighbours.set("hub", NeighbourState.OK)
        await offer(opened, kitchen(), blind())
        yield opened
        await opened.feed.stop()


async def test_accepted_from_its_card_and_taken_back_again(tmp_path: Path) -> None:
    editor = Editor()
    async with home_of(tmp_path, editor) as opened, browsing(**HEADERS) as page:
        await page.goto(opened.url)
        await page.get_by_role("button", name="Accept Kitchen lamp").click()
        accepted = page.locator("#accepted")
        await accepted.get_by_text("Runs by itself").wait_for()
        assert await page.locator("#offers").get_by_text("Kitchen lamp on at 7:00").count() == 0
        assert list(editor.configs) == ["nightshift_clock_kitchen"]
        await accepted.get_by_role("button", name="Remove it").click()
        await page.get_by_role("button", name="Accept Kitchen lamp").wait_for()
        assert editor.configs == {}


async def test_a_double_tap_is_one_decision_and_the_button_is_dead_meanwhile(tmp_path: Path) -> None:
    editor = Editor()
    editor.open.clear()
    async with home_of(tmp_path, editor) as opened, browsing(**HEADERS) as page:
        await page.goto(f"{opened.url}/suggestions/clock-kitchen")
        taps = "(one) => { one.click(); const dead = one.disabled; one.click(); return dead; }"
        assert await page.locator("#accept").evaluate(taps)
        editor.open.set()
        await page.get_by_text("Runs by itself").wait_for()
        assert editor.puts == 1
        history = await opened.parts.offers.decisions.history("home", "clock-kitchen")
        assert len(history) == 1


async def test_what_can_do_harm_is_made_only_with_the_tick(tmp_path: Path) -> None:
    editor = Editor()
    async with home_of(tmp_path, editor) as opened, browsing(**HEADERS) as page:
        await page.goto(opened.url)
        await page.get_by_role("link", name="Look, then accept").click()
        await page.locator("#accept").click()
        assert editor.puts == 0
        await page.get_by_label("Yes, it may do so by itself").check()
        await page.locator("#accept").click()
        await page.get_by_text("Runs by itself").wait_for()
        assert list(editor.configs) == ["nightshift_sun_blind"]


async def test_it_can_ask_first_be_switched_off_and_go_back(tmp_path: Path) -> None:
    editor = Editor()
    async with home_of(tmp_path, editor) as opened, browsing(**HEADERS) as page:
        await page.goto(f"{opened.url}/suggestions/clock-kitchen")
        await page.get_by_text("Other ways to accept").click()
        await page.get_by_role("button", name="Accept, ask first").click()
        await page.locator(".stands.on").get_by_text("Asks first").wait_for()
        assert "notify.mobile_app_ana" in str(editor.configs)
        await page.get_by_text("Change how it works").click()
        await page.get_by_role("button", name="Switch it off").click()
        await page.get_by_text("It was made that way.").wait_for()
        assert editor.on == {"nightshift_clock_kitchen": False}
        await page.get_by_role("button", name="Let it run by itself").click()
        await page.locator(".stands.on").get_by_text("Runs by itself").wait_for()
        assert editor.on == {"nightshift_clock_kitchen": True}


async def test_put_off_declined_and_never_are_each_taken_back(tmp_path: Path) -> None:
    async with home_of(tmp_path) as opened, browsing(**HEADERS) as page:
        await page.goto(f"{opened.url}/suggestions/clock-kitchen")
        await page.get_by_role("button", name="In a week").click()
        await page.get_by_text("It is offered again on").wait_for()
        await page.get_by_role("button", name="Offer it again").click()
        await page.locator("#no summary").click()
        await page.get_by_label("Why?").fill("I like to press it")
        await page.get_by_role("button", name="Decline").click()
        await page.locator("#decide").get_by_text("I like to press it").wait_for()
        await page.get_by_role("button", name="Offer it again").click()
        await page.locator("#never summary").click()
        await page.get_by_role("button", name="For Kitchen lamp").click()
        await page.get_by_text("Never: Kitchen lamp.").wait_for()
        await page.goto(f"{opened.url}/decided")
        await page.get_by_role("button", name="Allow again").click()
        await page.get_by_text("Nothing is excluded on this page.").wait_for()


async def test_a_persons_own_changes_are_lost_only_when_they_say_so(tmp_path: Path) -> None:
    editor = Editor()
    async with home_of(tmp_path, editor) as opened, browsing(REFUSED, **HEADERS) as page:
        await page.goto(f"{opened.url}/suggestions/clock-kitchen")
        await page.locator("#accept").click()
        await page.get_by_text("Runs by itself").wait_for()
        editor.configs["nightshift_clock_kitchen"]["alias"] = "Mine"
        remove = page.get_by_role("button", name="Remove it")
        await remove.click()
        await page.get_by_role("button", name="Leave it as it is").click()
        assert editor.configs["nightshift_clock_kitchen"]["alias"] == "Mine"
        await remove.click()
        await page.get_by_role("button", name="Go on, lose their changes").click()
        await page.locator("#accept").wait_for()
        assert editor.configs == {}


async def test_what_others_decide_shows_at_once(tmp_path: Path) -> None:
    async with home_of(tmp_path) as opened, browsing(**HEADERS) as page:
        await page.goto(f"{opened.url}/suggestions/clock-kitchen")
        await until(lambda: opened.feed.pages)
        await opened.parts.offers.decline("clock-kitchen", Who("ben", Via.PHONE), "Not mine")
        await page.locator("#decide").get_by_text("Ben declined this on the phone").wait_for()


async def test_it_is_changed_first_tried_again_and_made_as_changed(tmp_path: Path) -> None:
    editor = Editor()
    async with home_of(tmp_path, editor) as opened, browsing(**HEADERS) as page:
        await lived(opened)
        await page.goto(f"{opened.url}/suggestions/clock-kitchen")
        await page.get_by_text("Time, days, conditions").click()
        await page.get_by_label("At", exact=True).fill("15:00")
        verdict = page.locator("[data-verdict]")
        await verdict.get_by_text("Right 0 of").wait_for()
        await page.get_by_label("At", exact=True).fill("07:10")
        await page.get_by_label("Fri").uncheck()
        await page.get_by_text("It is made as you changed it below.").wait_for()
        assert "as suggested" in await verdict.inner_text()
        missed = page.locator("[data-before='missed'], [data-after='missed']")
        before, after = [int(one) for one in await missed.all_inner_texts()]
        assert after > before
        await page.locator("#accept").click()
        await page.get_by_text("Runs by itself").wait_for()
        made = editor.configs["nightshift_clock_kitchen"]
        assert made["triggers"] == [{"trigger": "time", "at": "07:10:00"}]
        assert made["conditions"] == [{"condition": "time", "weekday": ["mon", "tue", "wed", "thu"]}]
        assert made["alias"] == "Kitchen lamp on at 7:10"


async def test_a_limit_is_moved_and_tried_anew(tmp_path: Path) -> None:
    editor, story = Editor(), KINDS["humidity rises"]()
    snapshot = story.snapshot()
    (rises,) = [
        one
        for one in story.mined().suggestions
        if "above" in one.automation["triggers"][0] and one.kind == "trigger"
    ]
    home = snapshot.home.model_copy(update={"home_id": "home", "users": HOME.users})
    async with home_of(tmp_path, editor, home=home) as opened, browsing(**HEADERS) as page:
        await Archive(opened.store, opened.parts.clock).append("home", snapshot.events)
        await offer(opened, rises)
        await page.goto(f"{opened.url}/suggestions/{rises.id}")
        await page.get_by_text("Limits, days, conditions").click()
        limit = page.get_by_label("bath humidity rises above (%)")
        assert float(await limit.input_value()) == rises.automation["triggers"][0]["above"]
        await limit.fill("80.5")
        await page.get_by_text("It is made as you changed it below.").wait_for()
        await page.locator("#accept").click()
        await page.get_by_text("Runs by itself").wait_for()
        (made,) = editor.configs.values()
        assert made["triggers"][0]["above"] == 80.5
        assert "80.5" in made["alias"]


async def test_a_change_taken_back_is_none(tmp_path: Path) -> None:
    async with home_of(tmp_path) as opened, browsing(REFUSED, **HEADERS) as page:
        await page.goto(f"{opened.url}/suggestions/clock-kitchen")
        await page.get_by_text("Time, days, conditions").click()
        await page.get_by_label("At", exact=True).fill("07:10")
        await page.get_by_text("What happened then is no longer kept").wait_for()
        await page.locator("#accept").click()
        await page.locator("#said").get_by_text("What happened then is no longer kept").wait_for()
        assert await opened.parts.offers.decisions.standing("home") == {}
        await page.get_by_role("button", name="Back to what was suggested").click()
        await page.locator("#compared").wait_for(state="hidden")
        assert await page.get_by_label("At", exact=True).input_value() == "07:00"


@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_nothing_is_wider_than_the_screen(tmp_path: Path, width: int) -> None:
    wide = "x" * 120
    async with home_of(tmp_path) as opened:
        await offer(opened, kitchen(title=wide, description=wide), blind())
        async with browsing(viewport={"width": width, "height": 800}, **HEADERS) as page:
            for path in ("suggestions/clock-kitchen", "suggestions/sun-blind", "decided"):
                await page.goto(f"{opened.url}/{path}")
                for summary in await page.locator("summary").all():
                    await summary.click()
                assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_what_is_pressed_is_large_enough_and_reached_with_the_keyboard(tmp_path: Path) -> None:
    async with home_of(tmp_path) as opened, browsing(**HEADERS) as page:
        await page.goto(f"{opened.url}/suggestions/clock-kitchen")
        for summary in await page.locator("summary").all():
            await summary.click()
        for control in await page.locator(
            "main button, main summary, .ticks label, .tick, #adjust input"
        ).all():
            if not await control.is_visible():
                continue
            box = await control.bounding_box()
            kind = await control.get_attribute("type")
            assert kind == "checkbox" or (box and box["height"] >= 44), await control.inner_text()
        await page.reload()
        reached = []
        for _ in range(9):
            await page.keyboard.press("Tab")
            reached.append(await page.evaluate("document.activeElement.id"))
        assert "accept" in reached


async def lived(opened: House) -> None:
    """Let the kitchen lamp be switched on at about seven for forty days before today."""
    now = opened.parts.clock.now()
    story = Story(40, start=now.astimezone(HOME.zone).date() - timedelta(days=40))
    story.habit("light.kitchen", 424, spread=3, adherence=1)
    story.motion("binary_sensor.hall")
    events = sorted(story.events, key=lambda one: one.at)
    await Archive(opened.store, opened.parts.clock).append("home", Events.of(events))
