"""People notified of alerts, on phones and in the side bar: taken back when over, tried again on failure."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.alerts.alert import Level
from app.announce.alert_answers import AlertAnswers
from app.announce.alert_telling import AlertTelling
from app.announce.phones import Phones
from app.bus import Bus
from app.clock import TurnedClock
from app.errors import NeighbourError
from app.hub.errors import NoReplyError
from app.hub.now import HubNotification
from app.insights.announcements import CoachAlert
from app.neighbours import Neighbours, NeighbourState
from tests.announce.morning import GUEST, HOME, NOW, OWNER, MorningHouse, morning_house
from tests.announce.phones import Hub

PHONE, OTHER = "mobile_app_ana", "mobile_app_ben"
PAGE = "/app/nightshift"


@dataclass
class SideBar:
    """The hub's side bar, in memory. `fails` is raised by everything."""

    stands: dict[str, tuple[str, str]] = field(default_factory=dict)
    fails: NeighbourError | None = None

    async def create(self, notification_id: str, title: str, message: str) -> None:
        if self.fails:
            raise self.fails
        self.stands[notification_id] = (title, message)

    async def dismiss(self, notification_id: str) -> None:
        if self.fails:
            raise self.fails
        self.stands.pop(notification_id, None)

    async def standing(self) -> Sequence[HubNotification]:
        if self.fails:
            raise self.fails
        return [HubNotification(name, *said, NOW) for name, said in self.stands.items()]


@dataclass
class Told:
    """A morning whose alerts are told, with what tells them."""

    house: MorningHouse
    hub: Hub
    bar: SideBar
    telling: AlertTelling
    answers: AlertAnswers
    quiet: list[bool]

    async def until(self, true: Callable[[], Any]) -> None:
        async with asyncio.timeout(60):
            while not true():
                await asyncio.sleep(0.005)

    async def settled(self) -> None:
        """Come back when nothing is under way."""
        await self.until(lambda: not self.telling._tasks)

    @property
    def shown(self) -> list[tuple[str, str]]:
        """Title, or the message of one without, by phone."""
        return [(phone, data["title"] or data["message"]) for phone, data in self.hub.sent]

    async def tap(self, alert_id: str, user_id: str) -> None:
        assert self.hub.handler
        action = {"action": f"NIGHTSHIFT_ALERT_ACK_{alert_id}"}
        self.hub.handler({"data": action, "context": {"user_id": user_id}})


@pytest.fixture
async def told(tmp_path: Path, bus: Bus, clock: TurnedClock) -> AsyncIterator[Told]:
    hub, bar, quiet = Hub(PHONE, OTHER), SideBar(), [False]
    phones = Phones(hub, [f"notify.{PHONE}", f"notify.{OTHER}"])
    async with morning_house(tmp_path, bus, clock, alert_quiet_hours="off") as house:
        telling = AlertTelling(
            bus=bus,
            clock=clock,
            phones=phones,
            side_bar=bar,
            standing=bar.standing,
            lasting=lambda: house.book.open("home"),
            home=lambda: HOME,
            quiet=lambda: quiet[0],
            page=lambda: PAGE,
        )
        answers = AlertAnswers(
            hub, phones, house.book, home_id="home", home=lambda: house.home, page=lambda: PAGE
        )
        telling.start()
        answers.start()
        told = Told(house, hub, bar, telling, answers, quiet)
        await told.until(lambda: hub.handler)
        yield told
        await answers.stop()
        await telling.stop()
        assert not telling._cases


async def test_an_alert_stands_in_the_side_bar_and_on_the_phones_until_it_is_over(told: Told) -> None:
    alert = (await told.house.found()).alert
    await told.settled()
    name = f"nightshift_alert_{alert.alert_id}"
    assert told.bar.stands[name] == (
        "Water: Bathroom",
        "The sensor under the \\*sink\\* says that it is wet.\n\n[Open Nightshift](/app/nightshift/alerts)",
    )
    assert sorted(told.shown) == [(PHONE, "Water: Bathroom"), (OTHER, "Water: Bathroom")]
    more = told.hub.sent[0][1]["data"]
    assert (more["tag"], more["channel"], more["push"]["interruption-level"]) == (
        name,
        "alarm_stream",
        "critical",
    )
    assert [one["title"] for one in more["actions"]] == ["Acknowledge", "Details"]
    await told.house.over()
    await told.settled()
    assert told.bar.stands == {}
    assert sorted(told.shown[2:]) == [(PHONE, "clear_notification"), (OTHER, "clear_notification")]
    assert {data["data"]["tag"] for _, data in told.hub.sent} == {name}


async def test_what_people_are_not_to_be_told_of_is_not_told_nor_taken_back(told: Told) -> None:
    await told.house.found(level=Level.LOW)
    await told.house.over()
    await told.settled()
    assert (told.shown, told.bar.stands) == ([], {})


async def test_only_a_critical_one_is_heard_through_silence(told: Told) -> None:
    await told.house.found("door:1", level=Level.MEDIUM, title="Open: Door")
    await told.settled()
    assert "channel" not in told.hub.sent[0][1]["data"]
    assert "push" not in told.hub.sent[0][1]["data"]


async def test_new_words_are_shown_where_the_notification_still_stands(told: Told) -> None:
    alert = (await told.house.found("door:1", level=Level.MEDIUM)).alert
    await told.settled()
    await told.house.found("door:1", level=Level.MEDIUM, title="Water: Bathroom and hall")
    await told.settled()
    name = f"nightshift_alert_{alert.alert_id}"
    assert told.bar.stands[name][0] == "Water: Bathroom and hall"
    await told.bar.dismiss(name)  # somebody has seen it
    await told.house.found("door:1", level=Level.MEDIUM, title="Water: everywhere")
    await told.settled()
    assert told.bar.stands == {}
    assert len(told.shown) == 2, "the phones are told once"


async def test_what_got_worse_is_told_anew(told: Told) -> None:
    await told.house.found("door:1", level=Level.MEDIUM, title="Open: Door")
    await told.settled()
    await told.house.found("door:1", level=Level.HIGH, title="Open: Door, nobody is home")
    await told.settled()
    assert [title for phone, title in told.shown if phone == PHONE] == [
        "Open: Door",
        "Open: Door, nobody is home",
    ]


async def test_a_hub_that_is_away_is_asked_again_and_nobody_is_told_twice(told: Told) -> None:
    told.hub.failing = {OTHER: NeighbourError("hub: away")}
    told.bar.fails = NeighbourError("hub: away")
    await told.house.found()
    await told.until(lambda: told.shown)
    told.hub.failing, told.bar.fails = {}, None
    for _ in range(3):
        await told.house.clock.turn(timedelta(seconds=31))
    await told.settled()
    assert sorted(told.shown) == [(PHONE, "Water: Bathroom"), (OTHER, "Water: Bathroom")]
    assert len(told.bar.stands) == 1


async def test_where_no_answer_came_it_is_not_told_again(told: Told) -> None:
    told.hub.failing = {OTHER: NoReplyError("hub: no answer in time")}
    await told.house.found()
    await told.settled()
    assert told.shown == [(PHONE, "Water: Bathroom")]


async def test_what_is_over_before_it_could_be_told_is_not_told(told: Told) -> None:
    told.hub.fails = told.bar.fails = NeighbourError("hub: away")
    await told.house.found()
    await told.house.over()
    told.hub.fails = told.bar.fails = None
    for _ in range(3):
        await told.house.clock.turn(timedelta(seconds=31))
    await told.settled()
    assert told.bar.stands == {}
    assert not [title for _, title in told.shown if title == "Water: Bathroom"]


async def test_it_gives_up_after_a_quarter_of_an_hour(told: Told, caplog: pytest.LogCaptureFixture) -> None:
    told.hub.fails = told.bar.fails = NeighbourError("hub: away")
    await told.house.found()
    for _ in range(12):
        await told.house.clock.turn(timedelta(minutes=11))
        await asyncio.sleep(0.01)
    await told.settled()
    assert "did not go out: hub: away" in caplog.text


async def test_acknowledged_on_one_phone_it_goes_from_all(told: Told) -> None:
    alert = (await told.house.found()).alert
    await told.settled()
    await told.tap(alert.alert_id, OWNER)
    await told.until(lambda: len(told.shown) == 4)
    await told.settled()
    assert told.bar.stands == {}
    found = await told.house.book.get("home", alert.alert_id)
    assert found
    assert (found.acknowledged_by, found.is_read, found.open) == (OWNER, True, True)
    await told.house.over()
    await told.settled()


async def test_a_tap_by_somebody_else_or_on_something_else_does_nothing(
    told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    alert = (await told.house.found()).alert
    await told.settled()
    for user_id in (GUEST, "", "nobody"):
        await told.tap(alert.alert_id, user_id)
    await told.tap("unknown", OWNER)
    told.answers.taps.hear({"data": {"action": "NIGHTSHIFT_ALERT_ACK_../.."}, "context": {"user_id": OWNER}})
    told.answers.taps.hear({"data": {"action": 1}, "context": None})
    told.answers.taps.hear({})
    await told.until(lambda: caplog.text.count("no administrator") == 3 and not told.answers.taps.waiting)
    found = await told.house.book.get("home", alert.alert_id)
    assert found
    assert not found.acknowledged_by
    told.house.home = None
    await told.tap(alert.alert_id, OWNER)
    await told.until(lambda: "has not told yet" in caplog.text)
    assert len(told.shown) == 2


async def _told_before_a_restart(told: Told) -> None:
    """Let an alert stand in the side bar, and what tells of alerts begin a minute later."""
    await told.telling.stop()
    alert = (await told.house.found()).alert
    await told.bar.create(f"nightshift_alert_{alert.alert_id}", "Water: Bathroom", "")
    await told.house.clock.turn(timedelta(minutes=1))
    told.telling._began = told.house.clock.now()


async def test_after_a_restart_what_was_told_before_is_still_taken_back(told: Told) -> None:
    await _told_before_a_restart(told)
    told.telling.start()
    await told.house.over()
    await told.until(lambda: not told.bar.stands)
    await told.settled()


async def test_what_ends_while_it_is_looked_for_what_lasts_is_not_shown_again(told: Told) -> None:
    await _told_before_a_restart(told)
    asked, may_tell = asyncio.Event(), asyncio.Event()

    async def slowly() -> Sequence[HubNotification]:
        asked.set()
        await may_tell.wait()
        return await told.bar.standing()

    told.telling._standing = slowly
    told.telling.start()
    await asked.wait()
    await told.house.over()
    await told.until(lambda: not told.bar.stands)
    may_tell.set()
    await told.settled()
    assert not told.bar.stands


async def test_a_critical_one_that_was_not_told_when_the_process_died_is_told_at_the_start(
    told: Told,
) -> None:
    await told.telling.stop()
    await told.house.found()
    await told.house.found("door:1", level=Level.MEDIUM, title="Open: Door")
    told.telling.start()
    await told.settled()
    assert sorted(told.shown) == [(PHONE, "Water: Bathroom"), (OTHER, "Water: Bathroom")]
    assert len(told.bar.stands) == 1


async def test_after_the_hub_was_away_a_critical_one_stands_in_its_side_bar_again(told: Told) -> None:
    alert = (await told.house.found()).alert
    await told.settled()
    neighbours = Neighbours(told.house.bus, told.house.clock)
    for stands, changes in ((True, {}), (False, {}), (False, {"acknowledged": True})):
        if not stands:
            told.bar.stands.clear()  # the hub was started anew
        if changes:
            await told.house.book.acknowledge("home", alert.alert_id, OWNER)
            await told.settled()
        neighbours.set("hub", NeighbourState.FAILED, "gone")
        neighbours.set("hub", NeighbourState.OK)
        await told.settled()
        assert bool(told.bar.stands) is not bool(changes)
    assert [title for phone, title in told.shown if phone == PHONE] == [
        "Water: Bathroom",
        "clear_notification",
    ]


@pytest.mark.parametrize(
    ("priority", "quiet", "expected"),
    [("critical", True, "high"), ("high", False, None), ("high", True, "low")],
)
async def test_a_recommendation_is_silent_in_quiet_hours_unless_it_is_critical(
    told: Told, priority: str, *, quiet: bool, expected: str | None
) -> None:
    told.quiet[0] = quiet
    told.house.bus.announce(
        CoachAlert("home", priority, "Cash lasts 9 d", "Call in what is owed.", "r1", NOW)
    )
    await told.settled()
    assert len(told.shown) == 2
    more = told.hub.sent[0][1]["data"]
    assert more.get("priority", more.get("importance")) == expected
    assert (more["tag"], more["url"]) == ("nightshift_coach_r1", "/app/nightshift/home")


async def test_a_recommendation_that_reached_no_phone_is_tried_again(told: Told) -> None:
    told.hub.fails = NeighbourError("hub: away")
    told.house.bus.announce(CoachAlert("home", "critical", "Cash lasts 9 d", "Call.", "r1", NOW))
    await asyncio.sleep(0)
    told.hub.fails = None
    await told.house.clock.turn(timedelta(seconds=6))
    await told.until(lambda: len(told.shown) == 2)
    await told.settled()
