"""People's own scorecards over the shipped ones, in a real database."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.clock import TurnedClock
from app.errors import InputError
from app.insights.lines import FaultsError
from app.insights.scorecards import MOST, NoScorecardError, Scorecards, parsed
from app.insights.shipped import shipped_texts
from app.store.database import Store
from tests.insights.small import MORNING
from tests.insights.test_checking import GOOD


@pytest.fixture
async def cards(tmp_path: Path) -> AsyncIterator[Scorecards]:
    clock = TurnedClock(MORNING)
    store = Store(tmp_path / "nightshift.db", clock)
    await store.open()
    yield Scorecards(store, clock)
    await store.close()


async def names(cards: Scorecards, home_id: str = "home") -> list[str]:
    return [one.name for one in await cards.active(home_id)]


async def test_two_come_with_nightshift_and_home_is_on(cards: Scorecards) -> None:
    assert [(one.name, one.shipped, one.own, one.active) for one in await cards.all("home")] == [
        ("home", True, False, True),
        ("business", True, False, False),
    ]
    assert (await parsed(await cards.get("home", "business"))).title == "Business health"


async def test_they_are_switched_on_and_off_and_each_home_has_its_own(cards: Scorecards) -> None:
    kept = await cards.switch("home", "business", "ana", active=True)
    assert (kept.active, kept.own, kept.updated_by, kept.updated_at) == (True, False, "ana", MORNING)
    await cards.switch("home", "home", "ana", active=False)
    assert await names(cards) == ["business"]
    assert await names(cards, "cabin") == ["home"]
    with pytest.raises(NoScorecardError, match="there is no scorecard 'office'"):
        await cards.switch("home", "office", "ana", active=True)


async def test_ones_own_is_kept_put_in_place_and_removed(cards: Scorecards) -> None:
    kept = await cards.put("home", GOOD, "ben")
    assert (kept.name, kept.own, kept.shipped, kept.active, kept.text) == ("office", True, False, True, GOOD)
    again = await cards.put("home", GOOD.replace("The office", "Our office"), "ana")
    assert ("Our office" in again.text, again.updated_by) == (True, "ana")
    assert await names(cards) == ["home", "office"]
    assert await cards.remove("home", "office") is None
    assert await names(cards) == ["home"]
    with pytest.raises(NoScorecardError):
        await cards.get("home", "office")


async def test_the_entities_of_the_business_card_are_renamed_by_writing_it_anew(cards: Scorecards) -> None:
    renamed = shipped_texts()["business"].replace("sensor.days_of_runway", "sensor.bank_days_left")
    kept = await cards.put("home", renamed, "ana")
    assert (kept.name, kept.shipped, kept.own, kept.active) == ("business", True, True, True)
    back = await cards.remove("home", "business")
    assert back is not None
    assert (back.own, back.active, "sensor.days_of_runway" in back.text) == (False, False, True)
    with pytest.raises(InputError, match="came with Nightshift: it can be switched off, not removed"):
        await cards.remove("home", "business")


async def test_a_wrong_one_is_not_kept(cards: Scorecards) -> None:
    with pytest.raises(FaultsError, match="line 14: air, co2, bands, 2, score"):
        await cards.put("home", GOOD.replace("score: 60", "score: 600"), "ana")
    with pytest.raises(FaultsError, match="there is no figure nothing"):
        await cards.put(
            "home", GOOD.replace("entity: sensor.co2", "figure: nothing"), "ana", {"energy_ratio": ""}
        )
    assert await names(cards) == ["home"]


async def test_there_are_only_so_many(cards: Scorecards) -> None:
    for number in range(MOST):
        await cards.put("home", GOOD.replace("name: office", f"name: office_{number}"), "ana")
    with pytest.raises(InputError, match="there are 20 scorecards already: remove one first"):
        await cards.put("home", GOOD, "ana")
    await cards.put("home", GOOD.replace("name: office", "name: office_3"), "ana")
    await cards.put("cabin", GOOD, "ana")


async def test_ones_own_business_card_stays_on_as_it_was_last_left(cards: Scorecards) -> None:
    await cards.put("home", GOOD, "ana")
    await cards.switch("home", "office", "ana", active=False)
    assert "office" not in await names(cards)
    await cards.put("home", GOOD, "ana")
    assert "office" in await names(cards)
    assert (await cards.get("home", "office")).updated_at == MORNING + timedelta()
