"""Whom to tell and when: quiet hours, the rate limit, who has seen it."""

from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from app.alerts.alert import Level
from app.alerts.telling import Telling, TellingRules, worse
from app.options import Options
from tests.alerts.house import AlertHouse, alert_house, hours, minutes

NIGHT = datetime(2026, 3, 10, 22, 0, tzinfo=UTC)
"""23:00 in Amsterdam."""


def low(house: AlertHouse, *names: str, value: str = "3") -> None:
    """Give so many devices a battery that is worth telling of."""
    for name in names:
        house.now.set(
            f"sensor.{name}", value, device_class="battery", unit_of_measurement="%", friendly_name=name
        )


@pytest.mark.parametrize(
    ("quiet", "at", "expected"),
    [
        ("22:00-07:00", time(22), True),
        ("22:00-07:00", time(3), True),
        ("22:00-07:00", time(7), False),
        ("22:00-07:00", time(21, 59), False),
        ("13:00-15:00", time(14), True),
        ("13:00-15:00", time(15), False),
        ("08:00-08:00", time(8), False),
        ("off", time(3), False),
    ],
)
def test_quiet_hours_have_a_beginning_and_an_end(quiet: str, at: time, *, expected: bool) -> None:
    rules = TellingRules.of(Options(alert_quiet_hours=quiet))
    local = datetime(2026, 3, 10, at.hour, at.minute, tzinfo=UTC)
    assert rules.is_quiet(local) is expected
    assert rules.may(Level.HIGH, local, 0) is (Telling.LATER if expected else Telling.NOW)
    assert rules.may(Level.CRITICAL, local, 99) is Telling.NOW
    assert rules.may(Level.LOW, local, 0) is Telling.NOT


def test_levels_are_ordered_the_worst_first() -> None:
    assert worse(Level.CRITICAL, Level.HIGH)
    assert not worse(Level.INFO, Level.LOW)
    assert not worse(Level.LOW, Level.LOW)


async def test_in_quiet_hours_only_what_is_critical_is_told_and_the_rest_when_they_are_over(
    tmp_path: Path,
) -> None:
    async with alert_house(tmp_path, at=NIGHT) as house:
        low(house, "a", "b")
        house.now.set("binary_sensor.sink", "on", device_class="moisture", friendly_name="Sink")
        await house.look()
        assert house.told() == ["Water: Sink"]
        low(house, "b", value="100")
        await house.looks(hours(8))
        assert house.told() == ["Water: Sink", "Low battery: a"], "what is over by then is not told"


async def test_who_has_seen_it_needs_no_telling_when_the_quiet_hours_are_over(tmp_path: Path) -> None:
    async with alert_house(tmp_path, at=NIGHT) as house:
        low(house, "a", "b")
        await house.look()
        first, second = await house.alerts()
        await house.book.read("home", first.alert_id, "ana")
        await house.book.acknowledge("home", second.alert_id, "ana")
        await house.looks(hours(9))
        assert house.told() == []


async def test_no_more_than_so_many_an_hour_are_told_and_the_rest_later(tmp_path: Path) -> None:
    async with alert_house(tmp_path, options={"alerts_an_hour": 2}) as house:
        low(house, "a", "b", "c", "d")
        house.now.set("binary_sensor.sink", "on", device_class="moisture", friendly_name="Sink")
        await house.look()
        assert len(house.told()) == 3, "two, and the critical one beside them"
        assert house.told()[0] == "Water: Sink"
        await house.looks(minutes(55))
        assert len(house.told()) == 3
        await house.looks(minutes(10))
        assert sorted(house.told()[1:]) == [f"Low battery: {name}" for name in "abcd"]


async def test_the_limit_holds_over_a_start_anew(tmp_path: Path) -> None:
    async with alert_house(tmp_path, options={"alerts_an_hour": 1}) as house:
        low(house, "a")
        await house.look()
        await house.anew()
        low(house, "b")
        await house.look(minutes(5))
        assert house.told() == ["Low battery: a"]
        await house.looks(hours(1))
        assert house.told() == ["Low battery: a", "Low battery: b"]


async def test_what_comes_back_soon_is_reopened_and_not_told_again(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        for _ in range(3):
            low(house, "a")
            await house.look(minutes(5))
            low(house, "a", value="100")
            await house.look(minutes(5))
        assert house.changes() == ["raised", "closed", "reopened", "closed", "reopened", "closed"]
        assert len(house.told()) == 1
        low(house, "a")
        await house.look(hours(6))
        assert len(house.told()) == 2, "after hours it is news"
        assert (await house.alert()).times == 4


async def test_what_comes_back_after_half_a_day_is_another_alert(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        low(house, "a")
        await house.look()
        low(house, "a", value="100")
        await house.look(minutes(5))
        low(house, "a")
        await house.look(hours(13))
        assert house.changes() == ["raised", "closed", "raised"]
        assert len(await house.book.listed("home")) == 2
