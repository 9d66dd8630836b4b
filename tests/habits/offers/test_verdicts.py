"""What is proposed after two weeks: kept, moved, given a condition, or retired; told once, and never done."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from app.habits.announcements import AutomationVerdict
from app.habits.offers.checking import checked
from app.habits.offers.decision import Mode
from app.habits.offers.offers import Offers
from app.habits.offers.watched import Proposal, Watched, WatchedDay
from app.habits.offers.watches import Watches
from app.model import Cause, Person
from tests.habits.offers.conftest import ANA, NOW, Desk, found
from tests.habits.offers.diary import AT, LAMP, Diary, wiring

UNIQUE = "nightshift_lamp"


def test_one_that_works_is_kept_with_its_figures() -> None:
    diary = Diary(20)
    lamp = diary.made(ours=0)
    for day in range(20):
        diary.evening(lamp, day, undone=2.0 if day == 4 else None)
    diary.runs(lamp, diary.at(20, 60))  # the day on which the night comes has hardly begun
    said = diary.verdict()
    assert said.proposal == "keep"
    assert said.why == (
        "Keep it: since 5 January it acted 21 times, on 20 of 20 days, and people undid it once."
    )
    assert (said.figures["fired"], said.figures["undone"], said.automation) == (21, 1, None)


def test_before_two_weeks_nothing_is_proposed() -> None:
    diary = Diary(30)
    lamp = diary.made(ours=17)
    for day in range(17, 30):
        diary.evening(lamp, day, undone=1.0)
    assert diary.watched().proposal is None
    later = Diary(31)
    lamp = later.made(ours=16)
    for day in range(16, 31):
        later.evening(lamp, day, undone=1.0)
    assert later.verdict().proposal == "retire"


def test_undone_more_often_than_kept_is_retired() -> None:
    diary = Diary(20)
    lamp = diary.made(ours=0)
    for day in range(20):
        diary.evening(lamp, day, undone=3.0 if day % 3 else None)
    said = diary.verdict()
    assert said.proposal == "retire"
    assert said.why == (
        "Retire it: since 5 January it acted 20 times, and people undid it 13 times, within ten minutes."
    )


@pytest.mark.parametrize(("minutes", "expected", "side"), [(38, "19:40", "later"), (-43, "18:15", "earlier")])
def test_done_by_hand_at_another_time_moves_it_there(minutes: int, expected: str, side: str) -> None:
    diary = Diary(20)
    lamp = diary.made(wiring() | {"alias": "Lamp at 19:00"}, ours=0)
    for day in range(20):
        if minutes > 0:
            diary.evening(lamp, day, undone=2.0)
        diary.set(LAMP, "on", diary.at(day, AT + minutes + day % 5 - 2))
        diary.set(LAMP, "off", diary.at(day, 23 * 60))
    said = diary.verdict()
    assert said.proposal == "shift"
    assert f"Shift it to {expected}: on 20 of 20 days since 5 January" in said.why
    assert f"{abs(minutes)} minutes {side}" in said.why
    assert said.automation is not None
    assert checked(said.automation)["triggers"] == [{"trigger": "time", "at": f"{expected}:00"}]
    assert said.automation["alias"] == f"Lamp at {expected}"


def test_one_by_the_sun_is_moved_by_the_sun_and_its_name_tells_it() -> None:
    diary = Diary(20)
    config = wiring() | {"alias": "Lamp 15 minutes before sunset every day"}
    config["triggers"] = [{"trigger": "sun", "event": "sunset", "offset": "-00:15:00"}]
    diary.made(config, ours=0)
    for day in range(20):
        diary.set(LAMP, "on", diary.at(day, diary.sunset(day) + 30 + day % 3))
        diary.set(LAMP, "off", diary.at(day, 23 * 60))
    said = diary.verdict()
    assert said.proposal == "shift"
    assert said.why.startswith("Shift it to 30 minutes after sunset: on 20 of 20 days")
    assert said.automation is not None
    assert checked(said.automation)["triggers"] == [
        {"trigger": "sun", "event": "sunset", "offset": "00:30:00"}
    ]
    assert said.automation["alias"] == "Lamp 30 minutes after sunset every day"


def test_done_again_later_in_the_evening_does_not_move_what_was_let_stand() -> None:
    diary = Diary(20)
    lamp = diary.made(ours=0)
    for day in range(20):
        diary.evening(lamp, day, off=AT + 40)
        diary.set(LAMP, "on", diary.at(day, AT + 70))
        diary.set(LAMP, "off", diary.at(day, 23 * 60))
    assert diary.verdict().proposal == "keep"


def test_what_a_person_edited_in_home_assistant_is_judged_but_not_rewritten() -> None:
    diary = Diary(28)
    lamp = diary.made(ours=0)
    diary.accepted[0] = diary.accepted[0].model_copy(update={"edited": True})
    for day in range(28):
        diary.evening(lamp, day, undone=4.0 if diary.date(day).weekday() >= 5 else None)
    assert (diary.verdict().proposal, diary.verdict().automation) == ("keep", None)


def test_one_that_asks_first_and_is_never_answered_is_retired_with_nothing_missed() -> None:
    diary = Diary(20)
    diary.made(ours=0)
    diary.accepted[0] = diary.accepted[0].model_copy(update={"mode": "notify"})
    said = diary.verdict()
    assert said.why == "Retire it: its moment came 20 times since 5 January, and nobody ever said yes."
    assert {day.missed for day in diary.watched().days} == {None}


def test_a_few_minutes_are_no_reason_to_move_it() -> None:
    diary = Diary(20)
    diary.made(ours=0)
    for day in range(20):
        diary.set(LAMP, "on", diary.at(day, AT - 9))
        diary.set(LAMP, "off", diary.at(day, 23 * 60))
    said = diary.verdict()
    assert said.proposal == "keep"
    assert "people did it themselves within a quarter of an hour 20 times" in said.why


def test_a_condition_that_would_have_spared_the_undos_is_found() -> None:
    diary = Diary(28)
    diary.entity("media_player.tv", name="TV")
    diary.set("media_player.tv", "off", diary.at(0, 1), Cause.UNKNOWN)
    lamp = diary.made(ours=0)
    for day in range(28):
        film = day % 4 == 1
        if film:
            diary.set("media_player.tv", "playing", diary.at(day, AT - 40))
            diary.set("media_player.tv", "off", diary.at(day, AT + 100))
        diary.evening(lamp, day, undone=1.5 if film else None)
    said = diary.verdict()
    assert said.proposal == "condition"
    assert said.why == (
        "Add a condition, only while TV is off: since 5 January it acted 28 times, and people undid it"
        " 7 times. This would have spared 7 of those, and kept 21 of the 21 that they let stand."
    )
    assert said.automation is not None
    assert checked(said.automation)["conditions"] == [
        {"condition": "state", "entity_id": "media_player.tv", "state": "off"}
    ]


def test_undone_at_weekends_it_is_kept_to_workdays() -> None:
    diary = Diary(28)
    lamp = diary.made(ours=0)
    for day in range(28):
        diary.evening(lamp, day, undone=4.0 if diary.date(day).weekday() >= 5 else None)
    said = diary.verdict()
    assert said.proposal == "condition"
    assert "only on workdays" in said.why
    assert said.automation is not None
    assert said.automation["conditions"] == [
        {"condition": "time", "weekday": ["mon", "tue", "wed", "thu", "fri"]}
    ]


def test_undone_when_nobody_is_home_it_asks_for_somebody() -> None:
    diary = Diary(28)
    diary.persons.append(Person(entity_id="person.ana", name="Ana"))
    diary.set("person.ana", "home", diary.at(0, 1), Cause.UNKNOWN)
    lamp = diary.made(ours=0)
    for day in range(28):
        away = day % 5 == 2
        if away:
            diary.set("person.ana", "not_home", diary.at(day, AT - 90), Cause.UNKNOWN)
            diary.set("person.ana", "home", diary.at(day, AT + 200), Cause.UNKNOWN)
        diary.evening(lamp, day, undone=6.0 if away else None)
    said = diary.verdict()
    assert said.proposal == "condition"
    assert said.automation is not None
    assert said.automation["conditions"][0]["entity_id"] in {"zone.home", "person.ana"}


def test_undos_at_random_get_no_condition_that_chance_suggests() -> None:
    for seed in range(6):
        diary = Diary(28)
        lamp = diary.made(ours=0)
        dice = np.random.default_rng(seed)
        for i in range(6):
            diary.at_random(f"light.other_{i}", 3, lasts=90)
        for day in range(28):
            diary.evening(lamp, day, undone=3.0 if dice.random() < 0.25 else None)
        assert diary.verdict().proposal == "keep"


def test_its_moment_came_and_it_never_did_anything_is_retired_after_two_weeks() -> None:
    diary = Diary(20)
    diary.made(ours=0)
    said = diary.verdict()
    assert said.proposal == "retire"
    assert said.why == (
        "Retire it: its moment came 20 times since 5 January, and it never changed anything,"
        " though 20 times there was something to change."
    )


def waits_for_a_door(days: int) -> Diary:
    diary = Diary(days)
    diary.entity("binary_sensor.door", device_class="door")
    diary.set("binary_sensor.door", "off", diary.at(0, 1), Cause.UNKNOWN)
    config = wiring() | {"triggers": [{"trigger": "state", "entity_id": ["binary_sensor.door"], "to": "on"}]}
    diary.made(config, ours=0)
    return diary


def test_a_trigger_that_never_came_is_retired_after_four_weeks_and_not_before() -> None:
    assert waits_for_a_door(20).watched().proposal is None
    said = waits_for_a_door(29).verdict()
    assert said.proposal == "retire"
    assert said.why == ("Retire it: the habit faded. Its moment has not come once since 5 January.")


def test_switched_off_it_is_retired_only_if_people_gave_the_habit_up() -> None:
    faded = Diary(30)
    faded.made(ours=0, enabled=False)
    assert faded.verdict().why == (
        "Retire it: it is switched off, and since 5 January nobody did it by hand either."
    )
    kept = Diary(30)
    kept.made(ours=0, enabled=False)
    kept.habit(LAMP, AT)
    assert kept.watched().proposal is None


def seen(since: Any, proposal: Proposal | None = None, day: WatchedDay | None = None) -> Watched:
    return Watched(
        unique_id=UNIQUE, entity_id="automation.lamp_at_7_00", alias="Lamp", suggestion_id="lamp",
        since=since,
        days=[day or WatchedDay(day="2026-05-03", fired=1, undone=0, by_hand=0, missed=0)], proposal=proposal,
    )  # fmt: skip


RETIRE = Proposal(proposal="retire", why="Retire it: …", figures={"fired": 4})


@pytest.fixture
async def watches(desk: Desk) -> Watches:
    await desk.offer(found())
    await desk.offers.accept("lamp", ANA)
    watches = Watches(desk.store, desk.bus, desk.clock)
    desk.offers = Offers(
        home_id="home", home=lambda: desk.home, suggestions=desk.suggestions, decisions=desk.decisions,
        exclusions=desk.exclusions, deploying=desk.deploying, clock=desk.clock, watches=watches,
    )  # fmt: skip
    return watches


async def test_the_same_night_again_writes_the_same_rows(desk: Desk, watches: Watches) -> None:
    (own,) = await watches.accepted("home")
    assert (own.suggestion_id, own.unique_id, own.since) == ("lamp", UNIQUE, NOW)
    for fired in (1, 1, 2):
        day = WatchedDay(day="2026-05-03", fired=fired, undone=1, by_hand=0, missed=None)
        await watches.keep("home", [seen(own.since, day=day)])
    one = await desk.offers.verdict("lamp")
    assert one is not None
    assert one.days == [WatchedDay(day="2026-05-03", fired=2, undone=1, by_hand=0, missed=None)]
    assert [each.unique_id for each in await desk.offers.watched()] == [UNIQUE]


async def test_a_verdict_is_announced_once_and_another_one_again(desk: Desk, watches: Watches) -> None:
    told: list[AutomationVerdict] = []
    desk.bus.subscribe(AutomationVerdict, told.append)
    (own,) = await watches.accepted("home")
    keep = RETIRE.model_copy(update={"proposal": "keep"})
    for proposal in (None, RETIRE, RETIRE, keep):
        await watches.keep("home", [seen(own.since, proposal)])
    assert [(one.suggestion_id, one.proposal, one.why) for one in told] == [
        ("lamp", "retire", "Retire it: …"), ("lamp", "keep", "Retire it: …"),
    ]  # fmt: skip
    one = await desk.offers.verdict("lamp")
    assert one is not None
    assert one.proposal == keep


async def test_what_was_decided_since_the_night_began_voids_its_verdict(desk: Desk, watches: Watches) -> None:
    told: list[AutomationVerdict] = []
    desk.bus.subscribe(AutomationVerdict, told.append)
    (own,) = await watches.accepted("home")
    await watches.keep("home", [seen(own.since, RETIRE)])
    await desk.clock.turn(timedelta(hours=1))
    await desk.offers.change("lamp", ANA, mode=Mode.DISABLED)
    one = await desk.offers.verdict("lamp")
    assert one is not None
    assert one.proposal is None
    assert len(one.days) == 1
    await watches.keep("home", [seen(own.since, RETIRE)])  # the night that had begun before
    assert len(told) == 1
    await desk.offers.undo("lamp", ANA)
    assert await watches.accepted("home") == []


async def test_what_is_proposed_can_be_accepted_as_it_is(desk: Desk, watches: Watches) -> None:
    (own,) = await watches.accepted("home")
    changed = {**own.automation, "triggers": [{"trigger": "time", "at": "07:40:00"}]}
    await watches.keep("home", [seen(own.since, Proposal(proposal="shift", why="…", automation=changed))])
    one = await desk.offers.verdict("lamp")
    assert one is not None
    assert one.proposal is not None
    decision = await desk.offers.change("lamp", ANA, automation=one.proposal.automation)
    assert decision.verdict.value == "accepted"
    assert desk.editor.configs[UNIQUE]["triggers"] == [{"trigger": "time", "at": "07:40:00"}]


async def test_old_days_and_automations_long_gone_are_forgotten(desk: Desk, watches: Watches) -> None:
    people = Watched(
        unique_id="own", entity_id="automation.own", alias="Own",
        days=[WatchedDay(day="2026-05-03", fired=1, undone=0, by_hand=0)],
    )  # fmt: skip
    await watches.keep("home", [people])
    await desk.clock.turn(timedelta(days=61))
    await watches.keep("home", [])
    assert await watches.listed("home") == []
    async with desk.store.reading() as db:
        assert list(await db.execute_fetchall("SELECT * FROM watched")) == []
