"""Changing an accepted automation on its page, in a real browser (Chromium)."""

from pathlib import Path
from typing import Any

import pytest

from app.habits.offers.decision import Mode, Via, Who
from app.neighbours import NeighbourState
from tests.habits.offers.hub import Editor
from tests.web.house import ADMIN, House, offer, until
from tests.web.test_page_in_a_browser import browsing
from tests.web.test_suggestion_page import HABIT, blind, kitchen
from tests.web.test_suggestion_page_in_a_browser import HEADERS, REFUSED, home_of, lived

pytestmark = pytest.mark.browser
UID = "nightshift_clock_kitchen"
ANA, BEN = Who("admin", Via.PAGE), Who("ben", Via.PHONE)
AT_SEVEN = [{"trigger": "time", "at": "07:00:00"}]
AT_TEN_PAST = [{"trigger": "time", "at": "07:10:00"}]
MOTION = {
    "alias": "Kitchen lamp on with motion",
    "triggers": [
        {
            "trigger": "state",
            "entity_id": "binary_sensor.hall",
            "from": "off",
            "to": "on",
            "for": "00:01:30",
        }
    ],
    "conditions": [{"condition": "numeric_state", "entity_id": "zone.home", "above": 0}],
    "actions": [{"action": "light.turn_on", "target": {"entity_id": ["light.kitchen"]}}],
    "mode": "single",
}


async def accepted(opened: House, page: Any, identity: str = "clock-kitchen") -> None:
    """Accept a suggestion, open its page, and there the form."""
    await opened.parts.offers.accept(identity, ANA, confirm=True)
    await page.goto(f"{opened.url}/suggestions/{identity}")
    await until(lambda: opened.feed.pages)
    await page.get_by_role("button", name="Change it").click()


def at(page: Any) -> Any:
    return page.get_by_label("At", exact=True)


def save(page: Any) -> Any:
    """Return the button, once there is a change that can be saved."""
    return page.locator("#save:enabled")


async def test_its_time_and_days_are_changed_tried_and_saved_and_taken_back(tmp_path: Path) -> None:
    editor = Editor()
    async with home_of(tmp_path, editor) as opened, browsing(**HEADERS) as page:
        await lived(opened)
        await accepted(opened, page)
        assert await page.locator("#save").is_disabled()
        await at(page).fill("07:10")
        await page.get_by_label("Fri", exact=True).uncheck()
        await save(page).wait_for()
        assert "as it is now" in await page.locator("[data-verdict]").inner_text()
        assert editor.configs[UID]["triggers"] == AT_SEVEN
        await save(page).click()
        await page.locator("#said").get_by_text("Saved.").wait_for()
        await page.get_by_text("Before its last change: at 07:00, from Monday to Friday.").wait_for()
        assert await page.evaluate("document.activeElement.id") == "decide"
        assert not await at(page).is_visible()
        made = editor.configs[UID]
        assert made["triggers"] == AT_TEN_PAST
        assert made["conditions"] == [{"condition": "time", "weekday": ["mon", "tue", "wed", "thu"]}]
        assert made["alias"] == "Kitchen lamp on at 7:10"
        await page.locator("#what").get_by_text("Called “Kitchen lamp on at 7:10”").wait_for()
        await page.locator("#decide").get_by_text("You changed this").wait_for()
        await page.locator("#past").get_by_text("You changed this: at 07:10, on Monday, Tuesday").wait_for()
        await page.get_by_role("button", name="Take the change back").click()
        await page.get_by_text("Before its last change: at 07:10").wait_for()
        assert editor.configs[UID]["triggers"] == AT_SEVEN
        assert editor.configs[UID]["alias"] == "Kitchen lamp on at 7:00"
        await page.get_by_role("button", name="Change it").click()
        assert await at(page).input_value() == "07:00"
        await page.get_by_role("button", name="Remove it").click()
        await page.locator("#accept").wait_for()
        assert editor.configs == {}
        await page.get_by_role("heading", name="Change it first").wait_for()


async def test_an_edit_made_in_home_assistant_is_replaced_only_when_they_say_so(tmp_path: Path) -> None:
    editor = Editor()
    async with home_of(tmp_path, editor) as opened, browsing(REFUSED, **HEADERS) as page:
        await lived(opened)
        await accepted(opened, page)
        editor.configs[UID]["alias"] = "Mine"
        await at(page).fill("07:10")
        await save(page).click()
        await page.get_by_role("heading", name="Someone changed it in Home Assistant").wait_for()
        await page.get_by_role("button", name="Leave it as it is").click()
        await page.locator("#said").get_by_text("It is left as it is").wait_for()
        await page.locator(".stands.edited").get_by_text("Changed in Home Assistant").wait_for()
        assert (editor.configs[UID]["alias"], editor.puts) == ("Mine", 1)
        # What was typed is still there.
        assert await at(page).input_value() == "07:10"
        await save(page).click()
        await page.get_by_role("button", name="Go on, lose their changes").click()
        await page.locator(".stands.on").get_by_text("Runs by itself").wait_for()
        assert editor.configs[UID]["triggers"] == AT_TEN_PAST
        assert editor.configs[UID]["alias"] == "Kitchen lamp on at 7:10"


async def test_a_change_is_not_taken_back_over_an_edit_unasked(tmp_path: Path) -> None:
    editor = Editor()
    async with home_of(tmp_path, editor) as opened, browsing(REFUSED, **HEADERS) as page:
        await accepted(opened, page)
        later = {**kitchen().automation, "triggers": AT_TEN_PAST}
        await opened.parts.offers.change("clock-kitchen", ANA, automation=later)
        editor.configs[UID]["alias"] = "Mine"
        back = page.get_by_role("button", name="Take the change back")
        await back.click()
        await page.get_by_role("button", name="Leave it as it is").click()
        await page.locator(".stands.edited").wait_for()
        assert editor.configs[UID]["alias"] == "Mine"
        await back.click()
        await page.get_by_role("button", name="Go on, lose their changes").click()
        await page.locator(".stands.on").wait_for()
        assert editor.configs[UID]["triggers"] == AT_SEVEN


async def test_who_is_no_administrator_sees_no_button(tmp_path: Path) -> None:
    guest: dict[str, Any] = {"extra_http_headers": {**ADMIN, "X-Remote-User-Id": "guest"}}
    async with home_of(tmp_path) as opened, browsing(**guest) as page:
        await opened.parts.offers.accept("clock-kitchen", ANA)
        later = {**kitchen().automation, "triggers": AT_TEN_PAST}
        await opened.parts.offers.change("clock-kitchen", ANA, automation=later)
        await page.goto(f"{opened.url}/suggestions/clock-kitchen")
        await page.get_by_text("Ana changed this").first.wait_for()
        assert await page.get_by_role("button", name="Change it").count() == 0
        assert await page.get_by_role("button", name="Take the change back").count() == 0
        assert not await page.locator("#editing").is_visible()


@pytest.mark.parametrize(
    ("label", "given", "said"),
    [
        ("At", "", "At: give a time, such as 07:10."),
        ("Name", "", "Name: give one."),
        ("Days", "", "Days: tick at least one."),
    ],
)
async def test_what_makes_no_sense_is_said_in_a_line_and_cannot_be_saved(
    tmp_path: Path, label: str, given: str, said: str
) -> None:
    async with home_of(tmp_path) as opened, browsing(**HEADERS) as page:
        await lived(opened)
        await accepted(opened, page)
        if label == "Days":
            for day in ("Mon", "Tue", "Wed", "Thu", "Fri"):
                await page.get_by_label(day, exact=True).uncheck()
        else:
            await page.get_by_label(label, exact=True).fill(given)
        await page.locator("#adjust-problem").get_by_text(said).wait_for()
        assert await page.locator("#save").is_disabled()
        await page.get_by_role("button", name="Back to how it is now").click()
        await page.locator("#compared").wait_for(state="hidden")
        assert await at(page).input_value() == "07:00"


async def test_numbers_out_of_bounds_and_hours_that_are_none_are_said(tmp_path: Path) -> None:
    editor = Editor()
    async with home_of(tmp_path, editor) as opened, browsing(**HEADERS) as page:
        await offer(opened, kitchen(kind="trigger", automation=MOTION))
        await accepted(opened, page)
        problem = page.locator("#adjust-problem")
        await page.get_by_label("Wait, in minutes").fill("900")
        await problem.get_by_text("Wait: give a whole number of minutes from 0 to 720.").wait_for()
        await page.get_by_role("button", name="Back to how it is now").click()
        await page.get_by_label("At any hour").uncheck()
        await page.get_by_label("To", exact=True).fill("07:00")
        await problem.get_by_text("Hours: give two different times.").wait_for()
        assert await page.locator("#save").is_disabled()


async def test_what_is_not_touched_stays_to_the_second(tmp_path: Path) -> None:
    editor = Editor()
    async with home_of(tmp_path, editor) as opened, browsing(**HEADERS) as page:
        await offer(opened, kitchen(kind="trigger", automation=MOTION))
        await accepted(opened, page)
        await page.get_by_label("somebody is home").uncheck()
        await save(page).click()
        await page.locator("#past").get_by_text("You changed this: without “somebody is home”.").wait_for()
        assert editor.configs[UID]["triggers"] == MOTION["triggers"]
        assert editor.configs[UID]["conditions"] == []


async def test_where_the_past_is_gone_it_is_saved_untried_and_says_so(tmp_path: Path) -> None:
    editor = Editor()
    async with home_of(tmp_path, editor) as opened, browsing(**HEADERS) as page:
        await accepted(opened, page)
        await at(page).fill("07:10")
        untried = page.locator("[data-verdict]")
        await untried.get_by_text("What happened then is no longer kept, so this cannot be tried.").wait_for()
        assert "It can be saved all the same" in await untried.inner_text()
        await save(page).click()
        await page.get_by_text("Before its last change: at 07:00.").wait_for()
        assert editor.configs[UID]["triggers"] == AT_TEN_PAST


async def test_what_home_assistant_does_not_take_is_said_and_nothing_is_changed(tmp_path: Path) -> None:
    editor = Editor()
    async with home_of(tmp_path, editor) as opened, browsing(REFUSED, **HEADERS) as page:
        await accepted(opened, page)
        editor.unwanted = "07:10"
        await at(page).fill("07:10")
        await save(page).click()
        await page.locator("#said").get_by_text("does not take its triggers").wait_for()
        assert editor.configs[UID]["triggers"] == AT_SEVEN
        assert await at(page).input_value() == "07:10"
        assert len(await opened.parts.offers.decisions.history("home", "clock-kitchen")) == 1


async def test_while_home_assistant_is_away_the_change_waits_and_can_be_taken_back(tmp_path: Path) -> None:
    editor = Editor()
    async with home_of(tmp_path, editor) as opened, browsing(**HEADERS) as page:
        await accepted(opened, page)
        opened.parts.neighbours.set("hub", NeighbourState.FAILED, "away")
        await at(page).fill("07:10")
        await save(page).click()
        waits = page.locator(".stands.waiting").get_by_text("Change not made yet")
        await waits.wait_for()
        await page.get_by_text("Home Assistant still has it as it was before.").wait_for()
        await page.get_by_role("button", name="Take the change back").click()
        await page.get_by_text("Take the change back").wait_for(state="hidden")
        opened.parts.neighbours.set("hub", NeighbourState.OK)
        await page.locator(".stands.on").get_by_text("Runs by itself").wait_for()
        assert editor.configs[UID]["triggers"] == AT_SEVEN


async def test_what_can_do_harm_is_changed_only_with_the_tick(tmp_path: Path) -> None:
    editor = Editor()
    async with home_of(tmp_path, editor) as opened, browsing(**HEADERS) as page:
        await accepted(opened, page, "sun-blind")
        await page.get_by_label("Minutes", exact=True).fill("20")
        await save(page).click()
        assert editor.puts == 1
        await page.locator("#confirm-save").check()
        await save(page).click()
        await page.get_by_text("Before its last change: at sunset.").wait_for()
        made = editor.configs["nightshift_sun_blind"]
        assert made["triggers"] == [{"trigger": "sun", "event": "sunset", "offset": "00:20:00"}]
        await page.get_by_role("button", name="Take the change back").click()
        await page.get_by_text("Before its last change: 20 min after sunset.").wait_for()
        assert editor.configs["nightshift_sun_blind"]["triggers"] == blind().automation["triggers"]


async def test_what_is_typed_stays_unless_somebody_else_changed_the_same(tmp_path: Path) -> None:
    async with home_of(tmp_path) as opened, browsing(**HEADERS) as page:
        await accepted(opened, page)
        await at(page).fill("07:10")
        await opened.parts.offers.change("clock-kitchen", BEN, mode=Mode.DISABLED)
        await page.locator(".stands.off").wait_for()
        assert await at(page).input_value() == "07:10"
        theirs = {**kitchen().automation, "triggers": [{"trigger": "time", "at": "08:00:00"}]}
        await opened.parts.offers.change("clock-kitchen", BEN, automation=theirs)
        await page.locator("#said").get_by_text("It was changed meanwhile.").wait_for()
        assert await at(page).input_value() == "08:00"
        assert await page.locator("#save").is_disabled()


async def test_accepted_on_the_page_it_can_be_changed_there_at_once(tmp_path: Path) -> None:
    editor = Editor()
    async with home_of(tmp_path, editor) as opened, browsing(**HEADERS) as page:
        await lived(opened)
        await page.goto(f"{opened.url}/suggestions/clock-kitchen")
        await page.get_by_text("Time, days, conditions").click()
        await at(page).fill("07:10")
        await page.get_by_text("It is made as you changed it below.").wait_for()
        await page.locator("#accept").click()
        await page.get_by_role("button", name="Change it").click()
        assert await at(page).input_value() == "07:10"
        await at(page).fill("07:05")
        await save(page).click()
        await page.get_by_text("Before its last change: at 07:10.").wait_for()
        assert editor.configs[UID]["triggers"] == [{"trigger": "time", "at": "07:05:00"}]


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_is_wider_than_the_screen_nor_too_small_to_press(
    tmp_path: Path, width: int, scheme: str
) -> None:
    wide = {**kitchen().automation, "alias": "A" * 200}
    view: dict[str, Any] = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    async with home_of(tmp_path) as opened, browsing(**view, **HEADERS) as page:
        await offer(opened, kitchen(automation=wide, habit=HABIT))
        await accepted(opened, page)
        await opened.parts.offers.change("clock-kitchen", ANA, automation={**wide, "alias": "B" * 200})
        await page.get_by_text("Before its last change").wait_for()
        await at(page).fill("")
        await page.locator("#adjust-problem").get_by_text("At: give").wait_for()
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        for name in ("#change", "#take-back", "#save", "#as-suggested"):
            box = await page.locator(name).bounding_box()
            assert box is not None
            assert box["height"] >= 44
