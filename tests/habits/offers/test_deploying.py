"""Carrying out: crash-safe, idempotent, and never over what a person edited."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app.errors import InputError, NeighbourError, RefusedError
from app.habits.offers.decision import Decision, Mode, Verdict
from app.habits.offers.troubles import (
    DecidedAlreadyError,
    EditedError,
    NeedsConfirmationError,
    NoHubError,
    NoPhoneError,
    NothingDecidedError,
)
from app.hub.editor import NotLoadedError, NotWantedError
from app.neighbours import NeighbourState
from tests.habits.offers.conftest import ANA, BEN, Desk, found
from tests.habits.offers.hub import LOST

UID = "nightshift_lamp"


def edited(**changes: Any) -> dict[str, Any]:
    return {**found().automation, **changes}


async def standing(desk: Desk) -> Decision:
    now = await desk.decisions.of("home", "lamp")
    assert now is not None
    return now


async def test_accepted_it_stands_in_its_area_and_says_where_it_comes_from(desk: Desk) -> None:
    await desk.offer(found())
    decision = await desk.offers.accept("lamp", ANA)
    assert (decision.verdict, decision.body.enabled, decision.body.trouble) == (Verdict.ACCEPTED, True, "")
    config = desk.editor.configs[UID]
    assert config["alias"] == "lamp at 7:00"
    assert config["description"].endswith(
        "Made by Nightshift on 3 May 2026 from a habit of this home, kept on 19 of 21 days."
    )
    assert desk.editor.areas[UID] == "kitchen"
    assert desk.told == [("accepting", "ana"), ("accepted", "ana")]
    assert await desk.on_offer() == []


async def test_things_in_two_areas_leave_it_in_none(desk: Desk) -> None:
    await desk.offer(found())
    action = {"action": "light.turn_on", "target": {"entity_id": ["light.kitchen", "light.hall"]}}
    await desk.offers.accept("lamp", ANA, automation=edited(actions=[action]))
    assert desk.editor.areas[UID] is None


async def test_taken_back_it_is_removed_and_on_offer_again(desk: Desk) -> None:
    await desk.offer(found())
    await desk.offers.accept("lamp", ANA)
    assert (await desk.offers.undo("lamp", BEN)).verdict is Verdict.UNDONE
    assert desk.editor.configs == {}
    assert await desk.on_offer() == ["lamp"]
    assert (await desk.offers.accept("lamp", BEN)).verdict is Verdict.ACCEPTED


async def test_a_mistake_that_costs_takes_an_explicit_yes(desk: Desk) -> None:
    await desk.offer(found("blind", "cover.blind", "closed", risk="confirm"))
    with pytest.raises(NeedsConfirmationError, match="moves a cover"):
        await desk.offers.accept("blind", ANA)
    assert (await desk.offers.accept("blind", ANA, confirm=True)).verdict is Verdict.ACCEPTED


async def test_what_is_never_automated_is_not_made_however_it_was_edited(desk: Desk) -> None:
    await desk.offer(found())
    oven = {"action": "switch.turn_on", "target": {"entity_id": "switch.oven"}}
    lamp = found().automation["actions"][0]
    for actions in ([oven], [lamp, {"choose": [{"conditions": [], "sequence": [oven]}]}]):
        with pytest.raises(InputError, match="heats unattended"):
            await desk.offers.accept("lamp", ANA, automation=edited(actions=actions), confirm=True)
    await desk.offers.accept("lamp", ANA)
    with pytest.raises(InputError, match="heats unattended"):
        await desk.offers.change("lamp", ANA, automation=edited(actions=[oven]), confirm=True)
    assert desk.editor.puts == 1


async def test_before_the_home_is_known_nothing_is_judged_and_nothing_made(desk: Desk) -> None:
    await desk.offer(found())
    desk.home = None
    with pytest.raises(NeighbourError, match="has not told yet"):
        await desk.offers.accept("lamp", ANA)


async def test_accepted_while_the_hub_is_away_it_is_kept_and_made_when_it_is_back(desk: Desk) -> None:
    desk.again(hub=False)
    desk.deploying.start()
    await desk.offer(found())
    kept = await desk.offers.accept("lamp", ANA)
    assert (kept.verdict, "as soon as it is back" in kept.body.trouble) == (Verdict.ACCEPTING, True)
    assert await desk.on_offer() == []
    assert (await desk.offers.accept("lamp", ANA)).decision_id == kept.decision_id
    desk.neighbours.set("hub", NeighbourState.OK)
    await desk.until(lambda: desk.told[-1] == ("accepted", "ana"))
    made = await standing(desk)
    assert (made.decision_id, made.body.trouble, desk.editor.puts) == (kept.decision_id, "", 1)


async def test_lost_in_the_middle_it_is_tried_again_until_it_stands_once(desk: Desk) -> None:
    desk.deploying.start()
    await desk.offer(found())
    desk.editor.after_put = LOST
    kept = await desk.offers.accept("lamp", ANA)
    assert (kept.verdict, kept.body.trouble) == (Verdict.ACCEPTING, "hub: the connection was lost")
    assert UID in desk.editor.configs
    desk.editor.after_put = None
    await asyncio.sleep(0.05)
    await desk.clock.turn(timedelta(minutes=6))
    await desk.until(lambda: desk.told[-1] == ("accepted", "ana"))
    assert len(desk.editor.configs) == 1


async def test_killed_in_the_middle_it_is_taken_up_at_the_next_start(desk: Desk) -> None:
    await desk.offer(found())
    desk.editor.open.clear()
    accepting = asyncio.create_task(desk.offers.accept("lamp", ANA))
    await desk.until(lambda: desk.told == [("accepting", "ana")])
    await asyncio.sleep(0.05)
    await desk.kill()
    with pytest.raises(asyncio.CancelledError):
        await accepting
    desk.editor.open.set()
    desk.again()
    desk.deploying.start()
    await desk.until(lambda: desk.told[-1] == ("accepted", "ana"))
    assert (len(desk.editor.configs), desk.editor.puts) == (1, 1)


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (NotLoadedError(), "automation: !include automations.yaml"),
        (RefusedError("hub: POST refused (HTTP 401): the token is not valid"), "token is not valid"),
    ],
)
async def test_what_only_a_person_can_mend_is_said_and_kept(
    desk: Desk, trouble: NeighbourError, said: str
) -> None:
    await desk.offer(found())
    desk.editor.after_put = trouble
    kept = await desk.offers.accept("lamp", ANA)
    assert kept.verdict is Verdict.ACCEPTING
    assert said in kept.body.trouble
    desk.editor.after_put = None
    assert await desk.deploying.take_up() == 0
    assert (await standing(desk)).verdict is Verdict.ACCEPTED


async def test_what_the_hub_does_not_take_stays_on_offer(desk: Desk) -> None:
    await desk.offer(found())
    desk.editor.unwanted = "07:00"
    with pytest.raises(NotWantedError):
        await desk.offers.accept("lamp", ANA)
    assert await desk.on_offer() == ["lamp"]
    assert desk.told == []


async def test_what_the_hub_refuses_only_later_is_on_offer_again_and_says_why(desk: Desk) -> None:
    desk.again(hub=False)
    await desk.offer(found())
    await desk.offers.accept("lamp", ANA)
    desk.neighbours.set("hub", NeighbourState.OK)
    desk.editor.unwanted = "07:00"
    assert await desk.deploying.take_up() == 0
    now = await standing(desk)
    assert (now.verdict, "no such time" in now.body.trouble) == (Verdict.UNDONE, True)
    assert await desk.on_offer() == ["lamp"]


async def test_an_edited_automation_is_neither_overwritten_nor_removed_without_asking(desk: Desk) -> None:
    await desk.offer(found())
    await desk.offers.accept("lamp", ANA)
    desk.editor.configs[UID]["alias"] = "Mine"
    with pytest.raises(EditedError):
        await desk.offers.undo("lamp", ANA)
    with pytest.raises(EditedError):
        await desk.offers.change("lamp", ANA, automation=edited(alias="Later"))
    assert desk.editor.configs[UID]["alias"] == "Mine"
    assert (await standing(desk)).body.edited
    forced = await desk.offers.change("lamp", ANA, automation=edited(alias="Later"), force=True)
    assert (forced.verdict, forced.body.edited) == (Verdict.ACCEPTED, False)
    assert desk.editor.configs[UID]["alias"] == "Later"
    desk.editor.configs[UID]["alias"] = "Mine"
    assert (await desk.offers.undo("lamp", ANA, force=True)).verdict is Verdict.UNDONE
    assert desk.editor.configs == {}


async def test_an_automation_of_that_id_that_is_not_ours_is_not_overwritten(desk: Desk) -> None:
    await desk.offer(found())
    desk.editor.configs[UID], desk.editor.on[UID] = {"alias": "From before"}, True
    with pytest.raises(EditedError):
        await desk.offers.accept("lamp", ANA)
    assert await desk.on_offer() == ["lamp"]
    assert (await desk.offers.accept("lamp", ANA, force=True)).verdict is Verdict.ACCEPTED


async def test_taken_back_while_the_hub_is_away_it_is_removed_later_unless_edited_meanwhile(
    desk: Desk,
) -> None:
    await desk.offer(found())
    await desk.offers.accept("lamp", ANA)
    desk.neighbours.set("hub", NeighbourState.FAILED, "away")
    assert (await desk.offers.undo("lamp", BEN)).verdict is Verdict.UNDOING
    desk.editor.configs[UID]["alias"] = "Mine"
    desk.neighbours.set("hub", NeighbourState.OK)
    assert await desk.deploying.take_up() == 0
    now = await standing(desk)
    assert (now.verdict, now.body.edited) == (Verdict.ACCEPTED, True)
    assert "changed this automation" in now.body.trouble
    desk.editor.configs[UID]["alias"] = "lamp at 7:00"
    desk.neighbours.set("hub", NeighbourState.FAILED, "away")
    await desk.offers.undo("lamp", BEN)
    assert await desk.on_offer() == []
    desk.neighbours.set("hub", NeighbourState.OK)
    await desk.deploying.take_up()
    assert (desk.editor.configs, await desk.on_offer()) == ({}, ["lamp"])


async def test_taken_back_before_anything_was_put_there_is_nothing_to_remove(desk: Desk) -> None:
    desk.again(hub=False)
    await desk.offer(found())
    await desk.offers.accept("lamp", ANA)
    assert (await desk.offers.undo("lamp", ANA)).verdict is Verdict.UNDONE
    desk.neighbours.set("hub", NeighbourState.OK)
    assert await desk.deploying.take_up() == 0
    assert desk.editor.puts == 0


async def test_taken_back_while_it_is_being_made_it_is_gone_in_the_end(desk: Desk) -> None:
    await desk.offer(found())
    desk.editor.open.clear()
    accepting = asyncio.create_task(desk.offers.accept("lamp", ANA))
    await desk.until(lambda: desk.told == [("accepting", "ana")])
    await asyncio.sleep(0.05)
    undoing = asyncio.create_task(desk.offers.undo("lamp", ANA))
    await desk.until(lambda: ("undoing", "ana") in desk.told)
    desk.editor.open.set()
    await accepting
    assert (await undoing).verdict is Verdict.UNDONE
    assert desk.editor.configs == {}


async def test_deleted_by_hand_is_noticed_and_can_be_accepted_again_or_taken_back(desk: Desk) -> None:
    await desk.offer(found())
    await desk.offers.accept("lamp", ANA)
    await desk.deploying.look(desk.described())
    assert not (await standing(desk)).gone
    desk.editor.configs.clear()
    await desk.deploying.look(desk.described())
    assert (await standing(desk)).gone
    assert await desk.on_offer() == []
    again = await desk.offers.accept("lamp", BEN)
    assert (again.verdict, again.gone, again.decided_by) == (Verdict.ACCEPTED, False, "ben")
    desk.editor.configs.clear()
    await desk.deploying.look(desk.described())
    with pytest.raises(NothingDecidedError):
        await desk.offers.change("lamp", BEN)
    assert (await desk.offers.undo("lamp", BEN)).verdict is Verdict.UNDONE


async def test_an_old_description_does_not_make_a_new_automation_look_gone(desk: Desk) -> None:
    await desk.offer(found())
    before = desk.described()
    await desk.offers.accept("lamp", ANA)
    await desk.deploying.look(before)
    assert not (await standing(desk)).gone
    desk.editor.fails = LOST
    await desk.deploying.look(before)
    assert not (await standing(desk)).gone


async def test_edited_and_switched_off_by_hand_is_noticed(desk: Desk) -> None:
    await desk.offer(found())
    await desk.offers.accept("lamp", ANA)
    desk.editor.on[UID] = False
    await desk.deploying.look(desk.described())
    assert ((await standing(desk)).body.enabled, (await standing(desk)).body.edited) == (False, False)
    desk.editor.configs[UID]["alias"] = "Mine"
    await desk.deploying.look(desk.described())
    assert (await standing(desk)).body.edited


async def test_a_change_leaves_it_off_when_people_switched_it_off(desk: Desk) -> None:
    await desk.offer(found())
    await desk.offers.accept("lamp", ANA)
    desk.editor.on[UID] = False
    changed = await desk.offers.change("lamp", BEN, automation=edited(alias="At eight"))
    assert (changed.body.enabled, desk.editor.configs[UID]["alias"]) == (False, "At eight")
    assert desk.editor.configs[UID]["description"].count("Made by Nightshift") == 1
    assert (await desk.offers.change("lamp", BEN, mode=Mode.DISABLED)).body.enabled is False
    assert (await desk.offers.change("lamp", BEN, mode=Mode.ENABLED)).body.enabled is True


async def test_a_change_the_hub_refuses_only_later_leaves_what_stood(desk: Desk) -> None:
    await desk.offer(found())
    await desk.offers.accept("lamp", ANA)
    desk.neighbours.set("hub", NeighbourState.FAILED, "away")
    desk.editor.unwanted = "99:00"
    wrong = edited(triggers=[{"trigger": "time", "at": "99:00"}])
    assert (await desk.offers.change("lamp", BEN, automation=wrong)).verdict is Verdict.ACCEPTING
    desk.neighbours.set("hub", NeighbourState.OK)
    assert await desk.deploying.take_up() == 0
    now = await standing(desk)
    assert (now.verdict, "no such time" in now.body.trouble) == (Verdict.ACCEPTED, True)
    assert desk.editor.configs[UID]["triggers"][0]["at"] == "07:00:00"
    assert (await desk.offers.undo("lamp", BEN)).verdict is Verdict.UNDONE


async def test_changed_twice_while_the_hub_is_away_it_becomes_what_was_wanted_last(desk: Desk) -> None:
    await desk.offer(found())
    await desk.offers.accept("lamp", ANA)
    desk.neighbours.set("hub", NeighbourState.FAILED, "away")
    await desk.offers.change("lamp", BEN, mode=Mode.DISABLED)
    waiting = await desk.offers.change("lamp", ANA, automation=edited(alias="Later"))
    assert waiting.change_waits
    desk.neighbours.set("hub", NeighbourState.OK)
    assert await desk.deploying.take_up() == 0
    now = await standing(desk)
    assert (now.verdict, now.mode, now.body.edited) == (Verdict.ACCEPTED, Mode.DISABLED, False)
    assert (desk.editor.configs[UID]["alias"], desk.editor.on[UID]) == ("Later", False)


async def test_of_two_changes_the_hub_refuses_only_later_what_stood_is_left(desk: Desk) -> None:
    await desk.offer(found())
    await desk.offers.accept("lamp", ANA)
    desk.neighbours.set("hub", NeighbourState.FAILED, "away")
    desk.editor.unwanted = "99:00"
    wrong = edited(triggers=[{"trigger": "time", "at": "99:00"}])
    await desk.offers.change("lamp", BEN, automation=wrong)
    await desk.offers.change("lamp", BEN, automation={**wrong, "alias": "Later"})
    desk.neighbours.set("hub", NeighbourState.OK)
    assert await desk.deploying.take_up() == 0
    now = await standing(desk)
    assert (now.verdict, "no such time" in now.body.trouble) == (Verdict.ACCEPTED, True)
    assert now.own == desk.editor.configs[UID]


async def test_switched_off_it_never_stands_switched_on(desk: Desk) -> None:
    await desk.offer(found())
    decision = await desk.offers.accept("lamp", ANA, mode=Mode.DISABLED)
    assert (decision.body.enabled, desk.editor.on[UID]) == (False, False)
    assert "initial_state" not in desk.editor.configs[UID]


async def test_asking_first_takes_a_phone(desk: Desk) -> None:
    await desk.offer(found())
    desk.editor.listed = ()
    with pytest.raises(NoPhoneError):
        await desk.offers.accept("lamp", ANA, mode=Mode.NOTIFY)
    desk.editor.listed = ("notify.mobile_app_ana",)
    await desk.offers.accept("lamp", ANA, mode=Mode.NOTIFY)
    assert "notify.mobile_app_ana" in str(desk.editor.configs[UID]["actions"])
    assert (await desk.offers.change("lamp", ANA, mode=Mode.ENABLED)).mode is Mode.ENABLED
    assert "notify" not in str(desk.editor.configs[UID])


async def test_the_phones_asked_are_those_there_are(desk: Desk) -> None:
    await desk.offer(found())
    await desk.offers.accept("lamp", ANA, mode=Mode.NOTIFY)
    desk.editor.listed = ("notify.mobile_app_ben",)
    await desk.deploying.look(desk.described())
    said = str(desk.editor.configs[UID]["actions"])
    assert ("mobile_app_ben" in said, "mobile_app_ana" in said) == (True, False)
    desk.editor.listed = ()
    await desk.deploying.look(desk.described())
    puts = desk.editor.puts
    await desk.deploying.look(desk.described())
    assert (desk.editor.puts, (await standing(desk)).body.edited) == (puts, False)
    assert (await desk.offers.undo("lamp", ANA)).verdict is Verdict.UNDONE


async def test_the_same_tap_with_another_edit_is_another_wish(desk: Desk) -> None:
    await desk.offer(found())
    first = await desk.offers.accept("lamp", ANA)
    assert (await desk.offers.accept("lamp", ANA)).decision_id == first.decision_id
    with pytest.raises(DecidedAlreadyError):
        await desk.offers.accept("lamp", ANA, automation=edited(alias="Else"))


async def test_where_there_is_no_hub_people_are_told_what_to_do_instead(desk: Desk) -> None:
    await desk.offer(found())
    desk.deploying._editor = None
    with pytest.raises(NoHubError, match="Copy the YAML"):
        await desk.offers.accept("lamp", ANA)
    await desk.deploying.look(desk.described())
    assert await desk.on_offer() == ["lamp"]
