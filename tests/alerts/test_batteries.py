"""Low batteries: with the next pass, one alert a device, and none for what people charge."""

from pathlib import Path
from typing import Any

import pytest

from app.alerts.alert import AlertKind, Level
from tests.alerts.house import alert_house, entity, hours, minutes

PERCENT = {"device_class": "battery", "unit_of_measurement": "%"}


async def test_a_low_battery_is_an_alert_with_the_next_pass(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.know(
            entity("sensor.remote_battery", "battery", device_id="hall_button", entity_category="diagnostic")
        )
        house.now.set("sensor.remote_battery", "14", **PERCENT)
        await house.look(minutes(5))
        alert = await house.alert()
        assert (alert.kind, alert.level) == (AlertKind.LOW_BATTERY, Level.LOW)
        assert alert.title == "Low battery: Hall button"
        assert alert.description == "15 % or less is left."
        assert house.told() == [], "a low battery rings no phone"


async def test_one_written_through_the_api_and_known_by_its_state_alone_counts(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("sensor.probe_battery", "4", **PERCENT, friendly_name="Probe")
        await house.look(minutes(5))
        assert (await house.alert()).level is Level.MEDIUM


async def test_it_ends_when_the_battery_was_changed_and_not_at_one_per_cent_more(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("sensor.probe", "15", **PERCENT)
        await house.look()
        for state in ("16", "19.9", "unavailable", "unknown"):
            house.now.set("sensor.probe", state)
            await house.look(minutes(5))
            assert len(await house.alerts()) == 1, state
        house.now.set("sensor.probe", "100")
        await house.look(minutes(5))
        assert await house.alerts() == []


async def test_a_device_with_two_batteries_told_in_two_ways_is_one_alert(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.know(
            entity("sensor.lock_battery", "battery", device_id="lock"),
            entity("binary_sensor.lock_battery_low", "battery", device_id="lock"),
            entity("lock.front", device_id="lock"),
        )
        house.now.set("lock.front", "locked")
        house.now.set("sensor.lock_battery", "12", **PERCENT)
        house.now.set("binary_sensor.lock_battery_low", "on", device_class="battery")
        await house.look()
        alert = await house.alert()
        assert alert.level is Level.MEDIUM, "it guards the home"
        house.now.set("sensor.lock_battery", "5")
        await house.look(minutes(5))
        assert (await house.alert()).level is Level.HIGH
        assert house.changes() == ["raised", "updated"]
        assert house.told() == ["Low battery: Lock", "Low battery: Lock"], "told again: it got worse"


async def test_a_sensor_that_only_says_low_counts(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("binary_sensor.window_battery", "on", device_class="battery")
        await house.look()
        assert (await house.alert()).description == "It says that it is low."


@pytest.mark.parametrize(
    ("entity_id", "name", "more", "beside"),
    [
        ("sensor.a", "Pixel 9 battery", {}, None),
        ("sensor.a", "Ana battery", {"platform": "mobile_app"}, None),
        ("sensor.a", "Rover", {}, "vacuum.rover"),
        ("sensor.a", "Model", {}, "device_tracker.model"),
        ("sensor.a", "Wall", {}, "sensor.charged_energy"),
    ],
)
async def test_what_people_charge_is_no_alert(
    tmp_path: Path, entity_id: str, name: str, more: dict[str, Any], beside: str | None
) -> None:
    async with alert_house(tmp_path) as house:
        others = [entity(beside, device_id="one")] if beside else []
        house.know(entity(entity_id, "battery", name=name, device_id="one", **more), *others)
        if beside:
            house.now.set(beside, "1", device_class="energy")
        house.now.set(entity_id, "3", **PERCENT)
        await house.looks(hours(1))
        assert await house.alerts() == []


@pytest.mark.parametrize("state", ["unknown", "unavailable", "-1", "255", "3.1 V", "full"])
async def test_what_is_no_percentage_is_none(tmp_path: Path, state: str) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("sensor.probe", state, **PERCENT)
        await house.look()
        assert await house.alerts() == []
