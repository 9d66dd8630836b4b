"""Adding a suggestion to people's own automation in a real browser (Chromium)."""

from pathlib import Path

import pytest

from app.habits.offers.watched import Conflict
from tests.web.house import offer
from tests.web.test_extending import OWN, UID, editor_with, home_with, step
from tests.web.test_page_in_a_browser import browsing
from tests.web.test_suggestion_page import blind, kitchen
from tests.web.test_suggestion_page_in_a_browser import HEADERS, REFUSED, home_of

pytestmark = pytest.mark.browser
PLAIN = {**OWN, "alias": "Good morning"}
CONFLICT = Conflict(
    entity_id="automation.off", name="All off", target="light.kitchen", state="off", met=18, fires=21,
    says="“All off” turns off Kitchen lamp within half an hour of it: 18 of the last 21 times.",
)  # fmt: skip


async def test_it_is_added_shown_and_taken_out_again(tmp_path: Path) -> None:
    editor = editor_with(PLAIN)
    async with home_of(tmp_path, editor, home=home_with(PLAIN)) as opened, browsing(**HEADERS) as page:
        await offer(opened, step(kitchen(), own=PLAIN))
        await page.goto(f"{opened.url}/suggestions/clock-kitchen")
        added = page.locator(".difference .added")
        assert "light.turn_on" in await added.first.inner_text()
        await page.get_by_role("button", name="Add it to “Good morning”").click()
        await page.get_by_text("Part of your automation").wait_for()
        assert len(editor.configs[UID]["actions"]) == 2
        assert await page.locator("#extending").get_by_text("What it added").is_visible()
        await page.get_by_role("button", name="Take it out again").click()
        await page.get_by_role("button", name="Add it to “Good morning”").wait_for()
        assert editor.configs == {UID: PLAIN}


async def test_changed_meanwhile_it_is_shown_anew_and_nothing_is_done(tmp_path: Path) -> None:
    editor = editor_with(PLAIN)
    async with (
        home_of(tmp_path, editor, home=home_with(PLAIN)) as opened,
        browsing(REFUSED, **HEADERS) as page,
    ):
        await offer(opened, step(kitchen(), own=PLAIN))
        await page.goto(f"{opened.url}/suggestions/clock-kitchen")
        editor.configs[UID] = {**PLAIN, "alias": "Early morning"}
        await page.locator("#extend").click()
        await page.locator("#said").get_by_text("Nothing was done").wait_for()
        assert editor.puts == 0
        await page.get_by_role("button", name="Add it to “Early morning”").click()
        await page.get_by_text("Part of your automation").wait_for()
        assert editor.configs[UID]["alias"] == "Early morning"


async def test_what_can_do_harm_is_added_only_with_the_tick(tmp_path: Path) -> None:
    editor = editor_with(PLAIN)
    async with home_of(tmp_path, editor, home=home_with(PLAIN)) as opened, browsing(**HEADERS) as page:
        await offer(opened, step(blind(), own=PLAIN))
        await page.goto(f"{opened.url}/suggestions/sun-blind")
        await page.locator("#extend").click()
        assert editor.puts == 0
        await page.locator("#confirm-extend").check()
        await page.locator("#extend").click()
        await page.get_by_text("Part of your automation").wait_for()


async def test_a_suggestion_that_nothing_is_added_to_has_no_empty_part(tmp_path: Path) -> None:
    async with home_of(tmp_path) as opened, browsing(**HEADERS) as page:
        await page.goto(f"{opened.url}/suggestions/clock-kitchen")
        assert not await page.locator("#extending").is_visible()


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_with_long_lines_nothing_is_wider_than_the_screen(
    tmp_path: Path, width: int, scheme: str
) -> None:
    wide = {**PLAIN, "alias": "A" * 200, "description": "word " * 60}
    async with home_of(tmp_path, editor_with(wide), home=home_with(wide)) as opened:
        one = step(kitchen(), own=wide)
        await offer(opened, one.model_copy(update={"conflicts": [CONFLICT]}))
        view = {"width": width, "height": 800}
        async with browsing(viewport=view, color_scheme=scheme, **HEADERS) as page:
            await page.goto(f"{opened.url}/suggestions/clock-kitchen")
            await page.locator("#extended summary").click()
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            button = await page.locator("#extend").bounding_box()
            assert button is not None
            assert button["height"] >= 44
