"""A declined habit comes back only when its evidence changed, and says so."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.habits.offers.decision import Body, Decision, Verdict, Via
from app.habits.offers.returning import hidden, returned, same_habit
from app.habits.suggestion import Evidence, Replay, Suggestion
from tests.habits.offers.conftest import ANA, BEN, NOW, Desk, found, habit

LATER = NOW + timedelta(days=40)
ZONE = ZoneInfo("Europe/Amsterdam")


def evidence(confidence: float, right: int = 0, wrong: int = 0) -> Evidence:
    """Return evidence with that many right and wrong fires after LATER minus ten days."""
    start = LATER - timedelta(days=10)
    days = [(start + timedelta(hours=3 * n)).isoformat() for n in range(right + wrong)]
    replay = Replay(
        days=20, fires=20, wanted=16, unwanted=4, missed=2, precision=0.8, coverage=0.9,
        wanted_at=days[:right], unwanted_at=days[right:],
    )  # fmt: skip
    return Evidence(
        days_observed=40, days_kept=30, confidence=confidence, replay=replay, examples=[], misses=[]
    )


def declined(confidence: float = 0.6, verdict: Verdict = Verdict.DECLINED, **more: Any) -> Decision:
    body = Body(suggestion=found(evidence=evidence(confidence)), **more)
    return Decision("1", "home", "lamp", verdict, None, None, "", NOW, "ana", Via.PAGE, body)


def offered(confidence: float, right: int = 12, wrong: int = 1) -> Suggestion:
    return found(evidence=evidence(confidence, right, wrong))


def test_a_habit_that_merely_goes_on_stays_declined() -> None:
    assert hidden(declined(0.6), offered(0.7, 30, 5), LATER)
    assert hidden(declined(0.6), offered(0.6, 100), NOW + timedelta(days=400))


def test_when_the_doubt_has_halved_it_comes_back_and_says_so() -> None:
    why = returned(declined(0.6), offered(0.8), LATER)
    assert why is not None
    assert not hidden(declined(0.6), offered(0.8), LATER)
    assert why.said(ZONE) == (
        "You declined this on 3 May; since then it would have been right 12 of 13 times (16 of 20 then)."
    )
    assert why.said(ZONE, "Ana").startswith("Ana declined this on 3 May")


def test_within_a_month_nothing_comes_back() -> None:
    assert hidden(declined(0.3), offered(0.95), NOW + timedelta(days=29))


def test_what_was_nearly_certain_when_declined_never_comes_back() -> None:
    assert hidden(declined(0.96), offered(0.999), LATER)


def test_what_was_not_right_since_is_no_reason_to_come_back() -> None:
    assert hidden(declined(0.6), offered(0.9, right=0, wrong=0), LATER)


def test_a_never_is_its_exclusions_work_and_an_undone_one_says_nothing() -> None:
    assert not hidden(declined(never=(("entity", "light.kitchen"),)), offered(0.6), LATER)
    assert not hidden(declined(verdict=Verdict.UNDONE), offered(0.6), LATER)
    assert hidden(declined(verdict=Verdict.ACCEPTED), offered(0.99), LATER)
    assert returned(declined(verdict=Verdict.ACCEPTED), offered(0.99), LATER) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({}, {"at": "08:20:00"}, True),
        ({}, {"at": "09:00:00"}, False),
        ({"at": "23:50:00"}, {"at": "00:20:00"}, True),
        ({}, {"day_type": "daily"}, True),
        ({}, {"day_type": "weekends"}, False),
        ({}, {"entities": ["light.hall"]}, False),
        ({}, {"state": "off"}, False),
        ({}, {"at": None}, False),
        ({"at": None, "sun": {"event": "sunset"}}, {"at": None, "sun": {"event": "sunset"}}, True),
        ({"at": None, "sun": {"event": "sunset"}}, {"at": None, "sun": {"event": "sunrise"}}, False),
        ({"trigger": {"entity_id": "a.b", "to": "on"}}, {"trigger": {"entity_id": "a.b", "to": "on"}}, True),
        ({"trigger": {"entity_id": "a.b", "to": "on"}}, {"trigger": {"entity_id": "a.c", "to": "on"}}, False),
    ],
)
def test_a_habit_is_the_same_to_those_who_have_it(
    one: dict[str, Any],
    other: dict[str, Any],
    same: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    first, second = found("one", habit=habit(**one)), found("two", habit=habit(**other))
    assert same_habit(first, second) is same
    assert not same_habit(first, found("three", habit=habit(**one), kind="sun"))


async def test_declined_it_stays_declined_when_its_id_drifts(desk: Desk) -> None:
    await desk.offer(found())
    await desk.offers.decline("lamp", ANA)
    await desk.offer(found("drifted", habit=habit(at="07:40:00")))
    assert await desk.on_offer() == []


async def test_two_habits_that_are_both_there_are_two(desk: Desk) -> None:
    near = found("near", habit=habit(at="07:40:00"))
    await desk.offer(found(), near)
    await desk.offers.decline("lamp", ANA)
    assert await desk.on_offer() == ["near"]


async def test_offered_again_it_carries_its_reason_and_is_decided_anew_by_anyone(desk: Desk) -> None:
    await desk.offer(found(evidence=evidence(0.6)))
    first = await desk.offers.decline("lamp", ANA)
    await desk.clock.turn(timedelta(days=40))
    await desk.offer(offered(0.9))
    (one,) = await desk.suggestions.offered("home")
    assert one.returned is not None
    assert one.returned.declined_at == first.decided_at == datetime(2026, 5, 3, 8, tzinfo=NOW.tzinfo)
    again = await desk.offers.decline("lamp", BEN)
    assert again.decision_id != first.decision_id
    await desk.clock.turn(timedelta(days=40))
    assert await desk.on_offer() == []
