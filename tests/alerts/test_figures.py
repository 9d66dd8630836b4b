"""The alerts' own figures: right, and missing with a reason where they are not known."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.alerts.figures import AlertFigures
from app.figures import Figures
from tests.alerts.house import AlertHouse, alert_house, entity, hours, minutes

NIGHT = datetime(2026, 3, 10, 22, 30, tzinfo=UTC)


def figures_of(house: AlertHouse) -> AlertFigures:
    return AlertFigures(house.book, house.watch, home=lambda: house.home, clock=house.clock)


async def test_they_count_what_is_open_and_what_was(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        figures: Figures = figures_of(house)
        house.now.set("binary_sensor.sink", "on", device_class="moisture")
        for name in "ab":
            house.now.set(f"sensor.{name}", "9", device_class="battery", unit_of_measurement="%")
        house.know(entity("sensor.a", "battery", device_id="a"), entity("sensor.b", "battery", device_id="b"))
        await house.look()
        got = {name: (await figures.figure("home", name)).value for name in figures.about}
        assert got == {
            "alerts_open": 3.0,
            "alerts_open_critical": 1.0,
            "alerts_open_high": 0.0,
            "alerts_open_medium": 0.0,
            "alerts_last_7_days": 3.0,
            "alerts_critical_last_7_days": 1.0,
            "batteries_low": 2.0,
            "devices_unavailable_share": 0.0,
            "devices_silent": 0.0,
            "doors_open_last_night": 0.0,
        }
        house.now.set("sensor.a", "unavailable")
        await house.look(minutes(5))
        share = await figures.figure("home", "devices_unavailable_share")
        assert share.value == pytest.approx(33.3)
        assert share.unit == "%"


async def test_before_the_first_look_and_while_the_hub_is_away_they_say_so(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        figures = figures_of(house)
        one = await figures.figure("home", "alerts_open")
        assert one.value is None
        assert one.missing.endswith(".")
        house.now.since = None
        await house.look()
        assert (await figures.figure("home", "devices_unavailable_share")).value is None
        assert (await figures.figure("home", "alerts_last_7_days")).value == 0


async def test_a_door_that_was_open_last_night_counts_in_the_morning(tmp_path: Path) -> None:
    async with alert_house(tmp_path, at=NIGHT) as house:
        house.now.set("binary_sensor.front_door", "on", device_class="garage_door")
        await house.looks(minutes(30))
        house.now.set("binary_sensor.front_door", "off")
        await house.looks(hours(7))
        figures = figures_of(house)
        assert (await figures.figure("home", "doors_open_last_night")).value == 1.0
        await house.looks(hours(24))
        assert (await figures_of(house).figure("home", "doors_open_last_night")).value == 0.0


async def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        with pytest.raises(KeyError):
            await figures_of(house).figure("home", "alerts")
