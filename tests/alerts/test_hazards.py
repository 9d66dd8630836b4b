"""Smoke, gas, carbon monoxide and water: at once, and never for what is none."""

import asyncio
from pathlib import Path

import pytest

from app.alerts.alert import AlertKind, Level
from tests.alerts.house import AlertHouse, alert_house, entity, hours, kinds, minutes


async def settle() -> None:
    """Let what was started by a change come to its end."""
    for _ in range(400):
        await asyncio.sleep(0.001)


async def heeded(house: AlertHouse) -> None:
    """Wait until an alert was announced; the test's time limit is the bound."""
    while not house.heard:
        await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("device_class", "kind"),
    [
        ("smoke", AlertKind.SMOKE),
        ("gas", AlertKind.GAS),
        ("carbon_monoxide", AlertKind.CARBON_MONOXIDE),
        ("moisture", AlertKind.WATER),
    ],
)
async def test_a_danger_is_a_critical_alert_without_waiting_for_the_next_pass(
    tmp_path: Path, device_class: str, kind: AlertKind
) -> None:
    async with alert_house(tmp_path) as house:
        house.know(entity("binary_sensor.sink", device_class, name="Sink", area_id="kitchen"))
        house.now.set("binary_sensor.sink", "off", hours(1), device_class=device_class)
        house.watch.start()
        await settle()
        assert house.heard == []
        house.now.set("binary_sensor.sink", "on")
        await heeded(house)
        alert = await house.alert()
        assert (alert.kind, alert.level, alert.place) == (kind, Level.CRITICAL, "Kitchen")
        assert alert.entity_id == "binary_sensor.sink"
        assert alert.description.endswith("since 12:00.")
        assert house.heard[0].tell


async def test_a_sensor_written_through_the_api_that_the_home_does_not_know_yet_counts_too(
    tmp_path: Path,
) -> None:
    async with alert_house(tmp_path) as house:
        house.watch.start()
        house.now.set("binary_sensor.new", "off", device_class="moisture")
        house.now.set("binary_sensor.new", "on", device_class="moisture", friendly_name="Washing machine")
        await heeded(house)
        assert await house.titles() == ["Water: Washing machine"]


async def test_what_is_on_when_nightshift_starts_is_an_alert_at_once(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("binary_sensor.sink", "on", device_class="moisture")
        house.watch.start()
        await heeded(house)
        assert kinds_of(house) == [AlertKind.WATER]


def kinds_of(house: AlertHouse) -> list[AlertKind]:
    return [one.alert.kind for one in house.heard]


async def test_a_flickering_sensor_is_one_alert_that_is_told_once(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("binary_sensor.sink", "on", device_class="moisture")
        await house.look()
        for _ in range(6):
            house.now.set("binary_sensor.sink", "off")
            await house.look(minutes(5))
            house.now.set("binary_sensor.sink", "on")
            await house.watch.look_for_dangers()
            await house.look(minutes(1))
        assert len(await house.alerts()) == 1
        assert house.changes().count("raised") == 1
        assert "reopened" not in house.changes()
        assert len(house.told()) == 1


async def test_a_danger_is_over_ten_minutes_after_it_was_last_reported(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("binary_sensor.sink", "on", device_class="moisture")
        await house.look()
        house.now.set("binary_sensor.sink", "off")
        await house.look(minutes(5))
        assert len(await house.alerts()) == 1
        await house.looks(minutes(10))
        assert await house.alerts() == []
        house.now.set("binary_sensor.sink", "on")
        await house.look(minutes(5))
        alert = await house.alert()
        assert alert.times == 2
        assert house.changes() == ["raised", "closed", "reopened"]
        assert len(house.told()) == 2, "a danger that comes back is told again"


async def test_a_danger_that_cannot_be_heard_any_more_is_not_over(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("binary_sensor.sink", "on", device_class="moisture")
        await house.look()
        house.now.set("binary_sensor.sink", "unavailable")
        await house.looks(hours(2))
        assert kinds(await house.alerts()) == ["unavailable", "water"]


@pytest.mark.parametrize(
    "name", ["Rain", "Regensensor", "Soil of the fern", "Garden", "Bodenfeuchte", "Sensor de lluvia"]
)
async def test_what_is_wet_by_nature_is_no_leak(tmp_path: Path, name: str) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("binary_sensor.x1", "on", device_class="moisture", friendly_name=name)
        await house.look()
        assert await house.alerts() == []


@pytest.mark.parametrize("name", ["Garden shed leak", "Water tank", "Wassermelder Garten", "Boden Keller"])
async def test_a_leak_is_one_wherever_it_is(tmp_path: Path, name: str) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("binary_sensor.x1", "on", device_class="moisture", friendly_name=name)
        await house.look()
        assert len(await house.alerts()) == 1


@pytest.mark.parametrize(
    ("entity_id", "alarms"),
    [
        ("binary_sensor.cellar_water_leak", True),
        ("binary_sensor.hall_smoke", True),
        ("binary_sensor.rauchmelder", True),
        ("binary_sensor.hall_smoke_battery_low", False),
        ("binary_sensor.smoke_detector_update", False),
        ("binary_sensor.smoke_detector_online", False),
        ("binary_sensor.gas_meter", False),
        ("binary_sensor.leak_sensor_tamper", False),
        ("binary_sensor.door", False),
    ],
)
async def test_without_a_device_class_only_the_very_word_at_the_end_counts(
    tmp_path: Path, entity_id: str, *, alarms: bool
) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set(entity_id, "on")
        await house.look()
        assert bool(await house.alerts()) is alarms


async def test_a_detector_that_is_tested_is_told_as_a_test(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.know(
            entity("binary_sensor.hall_smoke", "smoke", device_id="detector", name="Hall smoke"),
            entity("binary_sensor.hall_smoke_test", device_id="detector"),
        )
        house.now.set("binary_sensor.hall_smoke_test", "on")
        house.now.set("binary_sensor.hall_smoke", "on", device_class="smoke")
        await house.look()
        alert = await house.alert()
        assert (alert.level, alert.title) == (Level.INFO, "Hall smoke is being tested")
        assert house.told() == []
        house.now.set("binary_sensor.hall_smoke_test", "off")
        await house.look(minutes(5))
        assert (await house.alert()).level is Level.CRITICAL, "the test is over and there still is smoke"
        assert len(house.told()) == 1


async def test_a_test_that_the_detector_says_itself_is_one_too(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("binary_sensor.attic_smoke", "on", device_class="smoke", test=True)
        await house.look()
        assert (await house.alert()).level is Level.INFO


@pytest.mark.parametrize(
    ("ppm", "after", "expected"),
    [
        ("300", 0, True),
        ("120", 5, False),
        ("120", 10, True),
        ("60", 55, False),
        ("60", 60, True),
        ("49", 120, False),
    ],
)
async def test_measured_carbon_monoxide_follows_the_times_of_en_50291(
    tmp_path: Path, ppm: str, after: int, *, expected: bool
) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("sensor.boiler_co", ppm, device_class="carbon_monoxide", unit_of_measurement="ppm")
        await house.look()
        await house.looks(minutes(after))
        assert bool(await house.alerts()) is expected


async def test_an_excluded_or_disabled_sensor_is_silent_and_a_hidden_one_is_not(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.know(
            entity("binary_sensor.a", "moisture", labels=("nightshift_never",)),
            entity("binary_sensor.b", "moisture", disabled=True),
            entity("binary_sensor.c", "moisture", entity_category="diagnostic"),
            entity("binary_sensor.d", "moisture", hidden=True, name="Dishwasher"),
        )
        for name in "abcd":
            house.now.set(f"binary_sensor.{name}", "on", device_class="moisture")
        await house.look()
        assert [one.entity_id for one in await house.alerts()] == ["binary_sensor.d"]


async def test_a_group_of_sensors_does_not_repeat_its_members(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("binary_sensor.one", "on", device_class="moisture")
        house.now.set("binary_sensor.all", "on", device_class="moisture", entity_id=["binary_sensor.one"])
        await house.look()
        assert [one.entity_id for one in await house.alerts()] == ["binary_sensor.one"]


async def test_nightshifts_own_entities_raise_nothing(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        for device_class in ("safety", "gas", "moisture"):
            house.now.set(f"binary_sensor.nightshift_{device_class}", "on", device_class=device_class)
        await house.looks(minutes(10))
        assert await house.alerts() == []
