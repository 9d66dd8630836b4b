"""A tap on the phone: who may, what is done, what is said, and that nothing is done twice."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from app.announce.notification import mark_of
from app.announce.phone import PhoneAnswers
from app.announce.phones import Phones
from app.habits.offers.decision import Via, Who
from app.model import Person, User
from tests.announce.phones import Hub
from tests.habits.offers.conftest import ANA, HOME, Desk, desk, found
from tests.habits.offers.hub import LOST

__all__ = ["desk"]
_HOME = HOME.model_copy(
    update={
        "users": (*HOME.users, User(id="kid", name="Kid")),
        "persons": (
            Person(entity_id="person.ana", user_id="ana"),
            Person(entity_id="person.kid", user_id="kid"),
        ),
    }
)
_OWNERS = {"person.ana": ["device_tracker.ana"], "person.kid": ["device_tracker.kid"]}


@dataclass
class Hall:
    """A desk, and phones that decide at it."""

    desk: Desk
    hub: Hub
    answers: PhoneAnswers

    async def tap(self, action: Any, user_id: object = "ana") -> None:
        assert self.hub.handler
        self.hub.handler({"data": {"action": action}, "context": {"user_id": user_id}})

    async def says(self, count: int = 1) -> tuple[str, str]:
        """Wait for the n-th notification; return its title and message."""
        async with asyncio.timeout(60):
            while len(self.hub.sent) < count:
                await asyncio.sleep(0.001)
        data = self.hub.sent[count - 1][1]
        return data["title"], data["message"]

    async def verdicts(self, identity: str = "lamp") -> list[str]:
        return [one.verdict.value for one in await self.desk.decisions.history("home", identity)]


@pytest.fixture
async def hall(desk: Desk) -> AsyncIterator[Hall]:
    desk.home = _HOME
    hub = Hub("mobile_app_ana", "mobile_app_kid", owners=_OWNERS)
    answers = PhoneAnswers(
        hub, Phones(hub), desk.offers, bus=desk.bus, home=lambda: desk.home, page=lambda: "/app/n"
    )
    answers.start()
    await desk.until(lambda: hub.handler is not None)
    yield Hall(desk, hub, answers)
    await answers.stop()
    assert hub.handler is None


async def test_create_makes_it_and_says_so_with_the_way_to_its_editor(hall: Hall) -> None:
    await hall.desk.offer(found())
    await hall.tap("NIGHTSHIFT_CREATE_lamp.0")
    assert await hall.says() == ("Created", "lamp at 7:00.")
    ((service, data),) = hall.hub.sent
    assert (service, data["data"]["url"]) == (
        "mobile_app_ana",
        "/config/automation/edit/nightshift_lamp",
    )
    (decision,) = await hall.desk.decisions.history("home", "lamp")
    assert (decision.via, decision.decided_by) == (Via.PHONE, "ana")


async def test_a_double_tap_makes_one(hall: Hall) -> None:
    await hall.desk.offer(found())
    for _ in range(2):
        await hall.tap("NIGHTSHIFT_CREATE_lamp.0")
    assert [(await hall.says(n))[0] for n in (1, 2)] == ["Created", "Created"]
    assert (await hall.verdicts(), hall.desk.editor.puts) == (["accepted"], 1)


async def test_what_is_risky_is_asked_again_and_cancelled_stays_on_offer(hall: Hall) -> None:
    await hall.desk.offer(found("blind", "cover.blind", "closed", risk="confirm"))
    await hall.tap("NIGHTSHIFT_CREATE_blind.0")
    assert await hall.says() == ("Really?", "blind at 7:00. This moves a cover, with nobody looking.")
    await hall.tap("NIGHTSHIFT_CANCEL_blind.0")
    assert (await hall.says(2))[0] == "Nothing was created"
    assert await hall.desk.on_offer() == ["blind"]
    await hall.tap("NIGHTSHIFT_CONFIRM_blind.0")
    assert (await hall.says(3))[0] == "Created"


async def test_not_now_puts_it_off_for_a_week(hall: Hall) -> None:
    await hall.desk.offer(found())
    await hall.tap("NIGHTSHIFT_LATER_lamp.0")
    assert await hall.says() == ("Not now", "lamp at 7:00. It is put off until 10 May.")
    assert await hall.verdicts() == ["snoozed"]


@pytest.mark.parametrize("user_id", ["kid", "stranger", "", None, 7])
async def test_who_is_no_administrator_decides_nothing(hall: Hall, user_id: object) -> None:
    await hall.desk.offer(found())
    await hall.tap("NIGHTSHIFT_CONFIRM_lamp.0", user_id)
    assert (await hall.says())[0] == "Not done"
    assert hall.hub.sent[0][0] == ("mobile_app_kid" if user_id == "kid" else "mobile_app_ana")
    assert await hall.verdicts() == []


async def test_a_button_from_before_something_else_was_decided_changes_nothing(hall: Hall) -> None:
    await hall.desk.offer(found())
    await hall.desk.offers.accept("lamp", Who("ben", Via.PAGE))
    await hall.tap("NIGHTSHIFT_LATER_lamp.0")
    assert (await hall.says())[0] == "Created"
    await hall.desk.offers.undo("lamp", Who("ben", Via.PAGE))
    await hall.tap("NIGHTSHIFT_CREATE_lamp.0")
    assert await hall.says(2) == ("Nothing was done", "lamp at 7:00. It was taken back meanwhile by Ben.")
    assert await hall.desk.on_offer() == ["lamp"]
    fresh = mark_of(await hall.desk.decisions.of("home", "lamp"))
    await hall.tap(f"NIGHTSHIFT_CREATE_lamp.{fresh}")
    assert (await hall.says(3))[0] == "Created"


async def test_who_comes_second_is_told_who_was_first(hall: Hall) -> None:
    await hall.desk.offer(found())
    await hall.desk.offers.decline("lamp", Who("ben", Via.PAGE))
    await hall.tap("NIGHTSHIFT_CREATE_lamp")
    assert await hall.says() == ("Nothing was done", "lamp at 7:00. It was declined meanwhile by Ben.")


async def test_a_hub_that_cannot_make_it_yet_is_told_and_it_is_kept(hall: Hall) -> None:
    await hall.desk.offer(found())
    hall.desk.editor.fails = LOST
    await hall.tap("NIGHTSHIFT_CREATE_lamp.0")
    title, said = await hall.says()
    assert (title, "as soon as" in said) == ("Accepted, not made yet", True)
    hall.desk.editor.fails = None
    await hall.desk.deploying.take_up()
    assert await hall.says(2) == ("Created", "lamp at 7:00.")
    await hall.desk.deploying.take_up()
    await hall.tap("NIGHTSHIFT_CREATE_nobody")
    assert (await hall.says(3))[0] == "Not done"  # nothing was said in between


async def test_what_was_kept_and_cannot_be_done_in_the_end_is_told(hall: Hall) -> None:
    await hall.desk.offer(found())
    hall.desk.editor.fails = LOST
    await hall.tap("NIGHTSHIFT_CREATE_lamp.0")
    await hall.says()
    hall.desk.editor.fails = None
    hall.desk.editor.configs["nightshift_lamp"] = {"alias": "Mine"}
    hall.desk.editor.on["nightshift_lamp"] = True
    await hall.desk.deploying.take_up()
    title, said = await hall.says(2)
    assert (title, said.startswith("lamp at 7:00. ")) == ("Not done", True)
    assert hall.hub.sent[1][1]["data"]["url"] == "/app/n/suggestions/lamp"


async def test_what_was_kept_on_the_page_is_told_to_whoever_decided_it(hall: Hall) -> None:
    await hall.desk.offer(found())
    await hall.desk.offers.accept("lamp", ANA)
    hall.desk.editor.fails = LOST
    await hall.desk.offers.undo("lamp", ANA)
    hall.desk.editor.fails = None
    await hall.desk.deploying.take_up()
    assert await hall.says() == ("Removed", "lamp at 7:00.")
    assert [phone for phone, _ in hall.hub.sent] == ["mobile_app_ana"]


async def test_what_is_done_at_once_is_told_once(hall: Hall) -> None:
    await hall.desk.offer(found(), found("hall", "light.hall"))
    await hall.desk.offers.accept("lamp", ANA)
    await hall.tap("NIGHTSHIFT_CREATE_hall.0")
    assert await hall.says() == ("Created", "hall at 7:00.")


async def test_one_that_no_night_found_is_told_and_nonsense_is_one_line_in_the_log(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for nonsense in ("NIGHTSHIFT_DROP_x", "URI", None, {"a": 1}, "NIGHTSHIFT_CREATE_" + "x" * 5000):
        await hall.tap(nonsense)
    hall.answers.taps.hear({"data": None, "context": "x"})
    hall.answers.taps.hear({})
    await hall.tap("NIGHTSHIFT_CREATE_nobody")
    assert await hall.says() == ("Not done", "No such suggestion is on offer.")
    ignored = [line for line in caplog.messages if line.startswith("Ignored")]
    assert len(ignored) == 2
    assert max(map(len, ignored)) < 200


async def test_a_phone_that_cannot_be_told_changes_nothing_of_the_decision(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    await hall.desk.offer(found(), found("hall", "light.hall"))
    hall.hub.failing["mobile_app_ana"] = LOST
    await hall.tap("NIGHTSHIFT_CREATE_lamp")
    await hall.desk.until(lambda: "was not notified" in caplog.text)
    assert await hall.verdicts() == ["accepted"]
    hall.hub.failing.clear()
    hall.hub.fails = LOST
    await hall.tap("NIGHTSHIFT_LATER_hall")
    await hall.desk.until(lambda: "reached no phone" in caplog.text)
    assert await hall.verdicts("hall") == ["snoozed"]


async def test_before_the_home_is_known_nobody_is_obeyed(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    await hall.desk.offer(found())
    hall.desk.home = None
    await hall.tap("NIGHTSHIFT_CREATE_lamp", ANA.user_id)
    await hall.desk.until(lambda: "who is an administrator" in caplog.text)
    assert await hall.verdicts() == []
