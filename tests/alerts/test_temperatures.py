"""Frost and heat in rooms, freezers and fridges; and what is none of them."""

from pathlib import Path
from typing import Any

import pytest

from app.alerts.alert import AlertKind, Level
from tests.alerts.house import AlertHouse, alert_house, entity, hours, kinds, minutes
from tests.alerts.past import Diary

CELSIUS = {"device_class": "temperature", "unit_of_measurement": "°C"}


def measured(house: AlertHouse, entity_id: str, name: str, **more: Any) -> None:
    house.know(entity(entity_id, "temperature", unit="°C", name=name, **{"area_id": "cellar", **more}))


async def past_of(house: AlertHouse, entity_id: str, value: float) -> None:
    diary = Diary(house)
    for day in diary.days(8):
        for hour in range(0, 24, 3):
            diary.write(entity_id, f"{value + hour % 2 * 0.2:.1f}", day, hour)
    await diary.learned()


@pytest.mark.parametrize(
    ("value", "kind", "level"),
    [
        ("5.0", AlertKind.FROST, Level.HIGH),
        ("1.5", AlertKind.FROST, Level.CRITICAL),
        ("35.0", AlertKind.HEAT, Level.MEDIUM),
        ("46", AlertKind.HEAT, Level.HIGH),
    ],
)
async def test_a_room_out_of_range_for_half_an_hour_is_an_alert(
    tmp_path: Path, value: str, kind: AlertKind, level: Level
) -> None:
    async with alert_house(tmp_path) as house:
        measured(house, "sensor.cellar", "Cellar")
        house.now.set("sensor.cellar", value, **CELSIUS)
        await house.looks(minutes(25))
        assert await house.alerts() == []
        await house.looks(minutes(10))
        alert = await house.alert()
        assert (alert.kind, alert.level, alert.place) == (kind, level, "Cellar")


async def test_one_wrong_reading_is_none(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        measured(house, "sensor.cellar", "Cellar")
        for _ in range(12):
            house.now.set("sensor.cellar", "-40", **CELSIUS)
            await house.looks(minutes(10))
            house.now.set("sensor.cellar", "19", **CELSIUS)
            await house.look(minutes(5))
        assert await house.alerts() == []


async def test_what_stands_ends_only_when_it_is_well_away_from_the_limit(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        measured(house, "sensor.cellar", "Cellar")
        house.now.set("sensor.cellar", "4.9", **CELSIUS)
        await house.looks(minutes(35))
        house.now.set("sensor.cellar", "5.6", **CELSIUS)
        await house.looks(hours(1))
        assert kinds(await house.alerts()) == ["frost"]
        house.now.set("sensor.cellar", "6.6", **CELSIUS)
        await house.look(minutes(5))
        assert await house.alerts() == []


async def test_fahrenheit_is_understood(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.know(entity("sensor.cellar", "temperature", area_id="cellar"))
        house.now.set("sensor.cellar", "40", device_class="temperature", unit_of_measurement="°F")
        await house.looks(minutes(35))
        assert (
            await house.alert()
        ).description == "It is 40 °F there; water in pipes freezes at 0 °C (32 °F)."


@pytest.mark.parametrize(
    ("entity_id", "name", "more"),
    [
        ("sensor.outdoor", "Outdoor", {}),
        ("sensor.x", "Gartenhaus außen", {}),
        ("sensor.cpu", "CPU temperature", {}),
        ("sensor.flow", "Boiler flow", {}),
        ("sensor.hall", "Hall", {"entity_category": "diagnostic"}),
        ("sensor.hall", "Hall", {"area_id": None}),
        ("sensor.hall", "Hall", {"hidden": True}),
        ("sensor.hall", "Hall", {"labels": ("nightshift_never",)}),
    ],
)
async def test_what_is_no_rooms_temperature_is_left_alone(
    tmp_path: Path, entity_id: str, name: str, more: dict[str, Any]
) -> None:
    async with alert_house(tmp_path) as house:
        measured(house, entity_id, name, **more)
        for value in ("-10", "70"):
            house.now.set(entity_id, value, **CELSIUS)
            await house.looks(hours(1))
        assert await house.alerts() == []


async def test_a_sensor_whose_own_past_is_no_rooms_is_left_alone(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        measured(house, "sensor.north_side", "North side")
        await past_of(house, "sensor.north_side", 3.0)
        house.now.set("sensor.north_side", "-8", **CELSIUS)
        await house.looks(hours(2))
        assert await house.alerts() == []


@pytest.mark.parametrize(
    ("name", "usual", "value", "level"),
    [
        ("Freezer", -18.5, "-8", Level.HIGH),
        ("Fridge", 4.0, "11", Level.MEDIUM),
        ("Fridge freezer", 4.0, "11", Level.MEDIUM),
        ("Gefriertruhe", -20.0, "-9", Level.HIGH),
    ],
)
async def test_a_freezer_or_a_fridge_that_gets_warm_is_an_alert_after_an_hour(
    tmp_path: Path, name: str, usual: float, value: str, level: Level
) -> None:
    async with alert_house(tmp_path) as house:
        measured(house, "sensor.box", name)
        await past_of(house, "sensor.box", usual)
        house.now.set("sensor.box", value, **CELSIUS)
        await house.looks(minutes(55))
        assert await house.alerts() == [], "defrosting takes half an hour"
        await house.looks(minutes(10))
        alert = await house.alert()
        assert (alert.kind, alert.level) == (AlertKind.FREEZER, level)


async def test_a_freezer_that_was_never_seen_cold_is_left_alone(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        measured(house, "sensor.box", "Freezer")
        house.now.set("sensor.box", "19", **CELSIUS)
        await house.looks(hours(3))
        assert await house.alerts() == []


async def test_a_storey_is_no_floor_heating(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        measured(house, "sensor.hall", "Ground floor hall")
        house.now.set("sensor.hall", "4", **CELSIUS)
        await house.looks(minutes(35))
        assert kinds(await house.alerts()) == ["frost"]


@pytest.mark.parametrize("state", ["unknown", "unavailable", "nan", "inf", "-999", "warm"])
async def test_what_is_no_temperature_is_none(tmp_path: Path, state: str) -> None:
    async with alert_house(tmp_path) as house:
        measured(house, "sensor.cellar", "Cellar")
        house.now.set("sensor.cellar", state, **CELSIUS)
        await house.looks(minutes(45))
        assert await house.alerts() == []
