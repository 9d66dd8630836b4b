"""Deciding: of two people one wins, a double tap is one decision, and everything can be taken back."""

import asyncio
from datetime import timedelta

import pytest

from app.errors import InputError
from app.habits.offers.decision import Verdict, Via, Who
from app.habits.offers.excluded import Exclusion, ExclusionKind
from app.habits.offers.troubles import DecidedAlreadyError, NothingDecidedError, NotOnOfferError
from tests.habits.offers.conftest import ANA, BEN, Desk, found


async def test_declined_it_is_off_the_list_and_back_at_once_when_undone(desk: Desk) -> None:
    await desk.offer(found())
    decision = await desk.offers.decline("lamp", ANA, "  I like\n to do it ")
    assert (decision.verdict, decision.reason, decision.decided_by) == (
        Verdict.DECLINED,
        "I like to do it",
        "ana",
    )
    assert await desk.on_offer() == []
    assert (await desk.offers.undo("lamp", BEN)).verdict is Verdict.UNDONE
    assert await desk.on_offer() == ["lamp"]
    assert desk.told == [("declined", "ana"), ("undone", "ben")]


async def test_a_snooze_ends_by_itself(desk: Desk) -> None:
    await desk.offer(found())
    await desk.offers.snooze("lamp", ANA, 7)
    assert await desk.on_offer() == []
    await desk.clock.turn(timedelta(days=6, hours=23))
    assert await desk.on_offer() == []
    await desk.clock.turn(timedelta(hours=2))
    assert await desk.on_offer() == ["lamp"]
    assert (await desk.offers.decline("lamp", BEN)).verdict is Verdict.DECLINED


async def test_a_double_tap_is_one_decision(desk: Desk) -> None:
    await desk.offer(found())
    first, second = await asyncio.gather(
        desk.offers.snooze("lamp", ANA, 30), desk.offers.snooze("lamp", ANA, 30)
    )
    assert first.decision_id == second.decision_id
    assert len(await desk.decisions.history("home", "lamp")) == len(desk.told) == 1


async def test_of_two_people_at_once_one_wins_and_the_other_is_told(desk: Desk) -> None:
    await desk.offer(found())
    outcome = await asyncio.gather(
        desk.offers.decline("lamp", ANA), desk.offers.accept("lamp", BEN), return_exceptions=True
    )
    lost = [one for one in outcome if isinstance(one, DecidedAlreadyError)]
    assert len(lost) == 1
    standing = await desk.decisions.of("home", "lamp")
    assert standing is not None
    assert lost[0].decision.decided_by == standing.decided_by
    assert desk.editor.puts == (1 if standing.verdict is Verdict.ACCEPTED else 0)


async def test_two_people_who_accept_at_once_make_one_automation(desk: Desk) -> None:
    await desk.offer(found())
    outcome = await asyncio.gather(
        desk.offers.accept("lamp", ANA), desk.offers.accept("lamp", BEN), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in outcome) == ["DecidedAlreadyError", "Decision"]
    assert (desk.editor.puts, len(desk.editor.configs)) == (1, 1)


async def test_people_change_their_own_mind_and_nobody_elses(desk: Desk) -> None:
    await desk.offer(found())
    await desk.offers.snooze("lamp", BEN, 7)
    with pytest.raises(DecidedAlreadyError):
        await desk.offers.accept("lamp", ANA)
    assert (await desk.offers.accept("lamp", BEN)).verdict is Verdict.ACCEPTED
    with pytest.raises(DecidedAlreadyError):
        await desk.offers.decline("lamp", BEN)
    verdicts = [one.verdict for one in await desk.decisions.history("home", "lamp")]
    assert verdicts == [Verdict.ACCEPTED, Verdict.SNOOZED]


async def test_nobody_known_by_name_overrules_nobody(desk: Desk) -> None:
    await desk.offer(found())
    program = Who("", Via.API)
    await desk.offers.decline("lamp", program)
    with pytest.raises(DecidedAlreadyError):
        await desk.offers.snooze("lamp", program, 7)


async def test_never_for_an_entity_takes_all_that_acts_on_it_off_the_list(desk: Desk) -> None:
    await desk.offer(found(), found("again", state="off"), found("hall", "light.hall"))
    decision = await desk.offers.never("lamp", ANA, "entity")
    assert decision.body.never == (("entity", "light.kitchen"),)
    assert await desk.on_offer() == ["hall"]
    await desk.offers.undo("lamp", ANA)
    assert sorted(await desk.on_offer()) == ["again", "hall", "lamp"]
    assert await desk.offers.kept_exclusions() == []


async def test_never_for_a_kind_is_for_such_habits_on_such_things(desk: Desk) -> None:
    await desk.offer(
        found(), found("hall", "light.hall"), found("off", "light.hall", "off"), found("sun", kind="sun")
    )
    await desk.offers.never("lamp", ANA, "kind")
    assert sorted(await desk.on_offer()) == ["off", "sun"]


async def test_a_never_that_comes_too_late_excludes_nothing(desk: Desk) -> None:
    await desk.offer(found())
    await desk.offers.accept("lamp", ANA)
    with pytest.raises(DecidedAlreadyError):
        await desk.offers.never("lamp", BEN, "entity")
    assert await desk.offers.kept_exclusions() == []


async def test_a_never_whose_exclusion_was_removed_by_hand_is_decided_anew(desk: Desk) -> None:
    await desk.offer(found())
    await desk.offers.never("lamp", ANA, "entity")
    await desk.offers.allow("entity", "light.kitchen")
    assert await desk.on_offer() == ["lamp"]
    assert (await desk.offers.accept("lamp", BEN)).verdict is Verdict.ACCEPTED


async def test_a_never_that_the_night_has_heeded_comes_back_when_undone(desk: Desk) -> None:
    await desk.offer(found())
    await desk.offers.never("lamp", ANA, "entity")
    await desk.clock.turn(timedelta(days=1))
    await desk.offer()
    await desk.offers.undo("lamp", ANA)
    assert await desk.on_offer() == ["lamp"]


async def test_a_never_long_past_waits_for_the_night(desk: Desk) -> None:
    await desk.offer(found())
    await desk.offers.never("lamp", ANA, "entity")
    await desk.offer()
    await desk.clock.turn(timedelta(days=20))
    await desk.offers.undo("lamp", ANA)
    assert await desk.on_offer() == []


async def test_an_exclusion_made_by_hand_hides_until_it_is_removed(desk: Desk) -> None:
    await desk.offer(found(), found("hall", "light.hall"))
    assert await desk.offers.exclude("area", "kitchen", ANA) == Exclusion(ExclusionKind.AREA, "kitchen")
    await desk.offers.exclude("area", "kitchen", BEN)
    assert await desk.on_offer() == ["hall"]
    (kept,) = await desk.offers.kept_exclusions()
    assert (kept.created_by, kept.created_at) == ("ana", desk.clock.now())
    assert await desk.offers.allow("area", "kitchen")
    assert not await desk.offers.allow("area", "kitchen")
    assert sorted(await desk.on_offer()) == ["hall", "lamp"]


async def test_what_is_not_on_offer_is_not_decided(desk: Desk) -> None:
    for asking in (
        desk.offers.decline("lamp", ANA), desk.offers.accept("lamp", ANA), desk.offers.look("lamp"),
    ):  # fmt: skip
        with pytest.raises(NotOnOfferError):
            await asking
    with pytest.raises(NothingDecidedError):
        await desk.offers.undo("lamp", ANA)
    with pytest.raises(NothingDecidedError):
        await desk.offers.change("lamp", ANA)


async def test_wishes_that_make_no_sense_say_so(desk: Desk) -> None:
    await desk.offer(found())
    for asking, why in (
        (desk.offers.snooze("lamp", ANA, 8), "7 or 30"),
        (desk.offers.decline("lamp", ANA, "x" * 501), "500"),
        (desk.offers.never("lamp", ANA, "house"), "entity or kind"),
        (desk.offers.never("lamp", ANA, "entity", "light.hall"), "does not act on it"),
        (desk.offers.exclude("floor", "x", ANA), "entity, area"),
        (desk.offers.exclude("entity", "not one", ANA), "no entity"),
        (desk.offers.allow("kind", "Sun"), "no kind"),
    ):
        with pytest.raises(InputError, match=why):
            await asking
    assert await desk.on_offer() == ["lamp"]


async def test_all_that_is_known_of_a_suggestion_is_told(desk: Desk) -> None:
    await desk.offer(found())
    known = await desk.offers.look("lamp")
    assert (known.on_offer, known.decision) == (True, None)
    await desk.offers.decline("lamp", ANA)
    await desk.offers.undo("lamp", ANA)
    await desk.offers.undo("lamp", ANA)
    known = await desk.offers.look("lamp")
    assert known.on_offer
    assert [one.verdict for one in known.history] == [Verdict.UNDONE, Verdict.DECLINED]


async def test_a_night_counts_only_what_is_still_on_offer(desk: Desk) -> None:
    await desk.offer(found(), found("hall", "light.hall"))
    await desk.offers.decline("lamp", ANA)
    changed = await desk.suggestions.replace(
        "home", "next", [(found(), ""), (found("new", "light.hall", "off"), "")]
    )
    assert (changed.offered, changed.created, changed.faded) == (1, ("new at 7:00",), ("hall at 7:00",))
