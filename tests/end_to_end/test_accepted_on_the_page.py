"""The whole way, in a real browser beside a real Home Assistant: from a past in the hub to its automation,
what people make of it, and its end.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from app.habits.timeline import FLAP_MS
from app.hub.invented import invent
from tests.end_to_end.test_accepting import Desk, Hand, Things, desk, hand, restarted, things
from tests.process import Process
from tests.real_hub.past import SEED, furnish
from tests.real_hub.peer import RealHub
from tests.web.test_page_in_a_browser import browsing
from tests.web.test_suggestion_page_in_a_browser import REFUSED

__all__ = ["desk", "hand", "things"]

pytestmark = [pytest.mark.hub, pytest.mark.browser, pytest.mark.timeout(300)]

LAMP, TV = "light.dim_lamp", "media_player.tv"
"""In the past that the hub is given, people turn the lamp on when the TV comes on."""
_A_LAMP = f"""
template:
  - light:
      - name: Dim lamp
        default_entity_id: {LAMP}
        unique_id: dim_lamp_of_the_tests
        turn_on: []
        turn_off: []
"""


@dataclass
class Room:
    """A lamp of the invented home that the hub really has, in an area, and a TV that may be put on."""

    hand: Hand
    area_id: str

    async def tv(self, state: str) -> None:
        body = {"state": state, "attributes": {"friendly_name": "TV"}}
        async with self.hand.http.post(f"/api/states/{TV}", json=body) as reply:
            reply.raise_for_status()


@pytest.fixture
async def room(real_hub: RealHub, hand: Hand) -> AsyncIterator[Room]:
    path = real_hub.config / "configuration.yaml"
    before = path.read_text("utf-8")
    await restarted(real_hub, path, before + _A_LAMP)
    area = await hand.say("config/area_registry/create", name=f"Den {secrets.token_hex(3)}")
    try:
        await hand.say("config/entity_registry/update", entity_id=LAMP, area_id=area["area_id"])
        await furnish(real_hub, await asyncio.to_thread(invent, SEED), real={LAMP})
        here = Room(hand, area["area_id"])
        await here.tv("off")
        await hand.turn(LAMP, "turn_off")
        yield here
    finally:
        await hand.say("config/area_registry/delete", area_id=area["area_id"])
        await hand.say("config/entity_registry/remove", entity_id=LAMP)
        await restarted(real_hub, path, before)


async def test_a_habit_of_the_past_is_found_accepted_fires_is_undone_changed_and_removed(
    nightshift: Process, hand: Hand, room: Room
) -> None:
    await _night(nightshift)
    (found,) = [one for one in await nightshift.get("/api/suggestions") if _acts_on(one, LAMP)]
    desk = Desk(nightshift, found["id"])
    unique_id = f"nightshift_{found['id']}"
    async with browsing(REFUSED) as page:
        await page.goto(f"{nightshift.url}/suggestions/{found['id']}")
        await page.get_by_role("button", name="Accept", exact=True).click()
        await page.get_by_text("Runs by itself").wait_for()
        assert await page.get_by_text("Since you have it").count() == 0
        try:
            entity_id = (await desk.decision())["automation"]["entity_id"]
            entry = await hand.say("config/entity_registry/get", entity_id=entity_id)
            assert (await hand.state(entity_id), entry["labels"]) == ("on", ["nightshift"])
            assert entry["area_id"] == room.area_id

            await room.tv("on")
            await hand.becomes(LAMP, "on")
            await hand.recorded(LAMP, "on")
            # What is taken back at once is a flap of a contact, and no person's.
            await asyncio.sleep(FLAP_MS / 1000 + 1)
            await hand.turn(LAMP, "turn_off")
            await hand.recorded(LAMP, "off")
            await _night(nightshift)
            watched = (await nightshift.get(f"/api/suggestions/{found['id']}"))["watched"]
            assert (watched["fired"], watched["undone"], len(watched["undone_at"])) == (1, 1, 1)
            await page.reload()
            assert await _figures(page) >= {("Ran", "1 time"), ("Taken back by someone", "1 time")}

            await _changed_and_back(page, hand, unique_id)
            assert await hand.state(entity_id) == "on"
        finally:
            await page.get_by_role("button", name="Remove it").click()
            await page.get_by_role("button", name="Accept", exact=True).wait_for()
        assert await hand.automation(unique_id) is None
        assert await hand.state(entity_id) == ""


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


async def _changed_and_back(page: Any, hand: Hand, unique_id: str) -> None:
    """Change it, not over a person's edit unasked, and take the change back."""
    await _waiting(page, 5)
    await page.locator("#what").get_by_text("wait 5 min").wait_for()
    config = await hand.automation(unique_id)
    assert config
    assert config["actions"][0] == {"delay": "00:05:00"}

    await hand.edit(unique_id, description="Mine")
    await _waiting(page, 7)
    await page.get_by_role("button", name="Leave it as it is").click()
    await page.locator(".stands.edited").get_by_text("Changed in Home Assistant").wait_for()
    config = await hand.automation(unique_id)
    assert config
    assert (config["description"], config["actions"][0]) == ("Mine", {"delay": "00:05:00"})
    await page.get_by_role("button", name="Take the change back").click()
    await page.get_by_role("button", name="Go on, lose their changes").click()
    await page.get_by_text("Before its last change: wait 5 min.").wait_for()
    config = await hand.automation(unique_id)
    assert config
    assert (config["description"] != "Mine", len(config["actions"])) == (True, 1)


async def _waiting(page: Any, minutes: int) -> None:
    """Change how long it waits, in the page's form, and save it."""
    await page.get_by_role("button", name="Change it").click()
    await page.get_by_label("Wait, in minutes").fill(str(minutes))
    await page.locator("#save:enabled").click()


async def _night(nightshift: Process) -> None:
    _, started = await nightshift.post("/api/analyze/trigger")
    assert (await nightshift.ended(started["run_id"]))["status"] == "completed"


def _acts_on(suggestion: dict[str, Any], entity_id: str) -> bool:
    return any(entity_id in action["target"]["entity_id"] for action in suggestion["automation"]["actions"])


async def _figures(page: Any) -> set[tuple[str, str]]:
    """Return what the page says became of the automation."""
    rows = await page.locator("#since .facts > div").all()
    return {
        (await row.locator("dt").inner_text(), (await row.locator("dd").inner_text()).strip()) for row in rows
    }
