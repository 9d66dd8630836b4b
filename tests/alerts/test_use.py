"""Unusual use: only against this home's own past, and only when that is sure."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from app.alerts.alert import AlertKind, Level
from app.alerts.detectors.use import chance_of
from app.alerts.learned import UsualUse
from tests.alerts.house import AlertHouse, alert_house, entity, hours, minutes
from tests.alerts.past import Diary

PLUG = "switch.iron"


async def with_a_past(house: AlertHouse, days: int = 21, uses: int = 2) -> None:
    """Let the plug be on for half an hour, some times a day, at noon."""
    house.know(entity(PLUG, name="Iron"))
    house.now.set(PLUG, "off", hours(3))
    diary = Diary(house)
    for day in diary.days(days):
        for number in range(uses):
            diary.spell(PLUG, day, 12.1 + number * 0.6, minutes(30))
    await diary.learned()


async def test_on_for_far_longer_than_ever_is_an_alert_until_it_is_off(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await with_a_past(house)
        house.now.set(PLUG, "on")
        await house.looks(hours(3.5))
        assert await house.alerts() == []
        await house.looks(hours(1))
        alert = await house.alert()
        assert (alert.kind, alert.level) == (AlertKind.UNUSUAL_USE, Level.LOW)
        assert "never stayed on for more than 1 hour" in alert.description
        house.now.set(PLUG, "off")
        await house.look(minutes(5))
        assert await house.alerts() == []


async def test_without_two_weeks_of_past_nothing_is_unusual(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await with_a_past(house, days=12)
        house.watch.start()
        house.now.set(PLUG, "on")
        await house.looks(hours(30))
        for _ in range(60):
            house.now.set(PLUG, "off")
            house.now.set(PLUG, "on")
        await house.look()
        assert await house.alerts() == []


async def test_a_fridge_that_is_always_on_is_nothing(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.know(entity("switch.fridge"))
        diary = Diary(house)
        diary.write("switch.fridge", "off", diary.days(25)[0], 1)
        diary.write("switch.fridge", "on", diary.days(25)[0], 2)
        for day in diary.days(25):
            diary.write("sensor.other", "5", day, 3)
        await diary.learned()
        house.now.set("switch.fridge", "on", hours(600))
        await house.looks(hours(5))
        assert await house.alerts() == []


async def test_switched_far_more_often_than_ever_is_an_alert_that_ends_by_itself(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await with_a_past(house)
        house.watch.start()
        for _ in range(30):
            house.now.set(PLUG, "on")
            house.now.set(PLUG, "off")
        await house.look(minutes(5))
        alert = await house.alert()
        assert alert.title == "Used unusually often: Iron"
        assert alert.description == ("More than 4 times within an hour; in 20 days never more than 2 times.")
        await house.looks(minutes(70))
        assert await house.alerts() == []


async def test_a_little_more_than_ever_is_nothing(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await with_a_past(house)
        house.watch.start()
        for _ in range(8):
            house.now.set(PLUG, "on")
            house.now.set(PLUG, "off")
        await house.look(minutes(5))
        assert await house.alerts() == []


@given(st.integers(0, 40), st.floats(0, 10), st.floats(0, 60), st.integers(14, 90))
def test_the_chance_falls_with_the_count_and_is_a_chance(
    count: int, mean: float, variance: float, days: int
) -> None:
    usual = UsualUse(days, mean, variance, 5)
    assert 0 <= chance_of(count + 1, usual) <= chance_of(count, usual) + 1e-9 <= 1 + 2e-9


def test_the_chance_is_that_of_a_negative_binomial() -> None:
    mean, variance = 3.0 + 1 / 60, 9.0
    share, size = mean / variance, mean * mean / (variance - mean)
    expected = stats.nbinom.sf(19, size, share)
    assert chance_of(20, UsualUse(60, 3.0, variance, 9)) == pytest.approx(expected, rel=1e-6)
    assert chance_of(10, UsualUse(60, 4.0, 4.0, 9)) == pytest.approx(
        stats.poisson.sf(9, 4 + 1 / 60), rel=0.05
    )
