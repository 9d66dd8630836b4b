"""The whole way, in a real browser beside a real Home Assistant: accepted, fired, switched off, removed."""

import pytest

from tests.end_to_end.test_accepting import Desk, Hand, Things, desk, hand, things
from tests.web.test_page_in_a_browser import browsing

__all__ = ["desk", "hand", "things"]

pytestmark = [pytest.mark.hub, pytest.mark.browser, pytest.mark.timeout(240)]


async def test_accepted_on_the_page_it_fires_and_is_switched_off_and_removed(
    desk: Desk, hand: Hand, things: Things
) -> None:
    async with browsing() as page:
        await page.goto(f"{desk.process.url}/suggestions/{things.suggestion_id}")
        await page.get_by_label("Yes, it may do so by itself").first.check()
        await page.get_by_role("button", name="Accept", exact=True).click()
        await page.get_by_text("Runs by itself").wait_for()
        entity_id = (await desk.decision())["automation"]["entity_id"]
        entry = await hand.say("config/entity_registry/get", entity_id=entity_id)
        assert (await hand.state(entity_id), entry["labels"]) == ("on", ["nightshift"])
        assert entry["area_id"] == things.area_id
        await hand.turn(things.button)
        await hand.becomes(things.lamp, "on")

        await page.get_by_text("Change how it works").click()
        await page.get_by_role("button", name="Switch it off").click()
        await hand.becomes(entity_id, "off")
        await page.get_by_role("button", name="Remove it").click()
        await page.get_by_role("button", name="Accept", exact=True).wait_for()
        assert await hand.automation(things.unique_id) is None
