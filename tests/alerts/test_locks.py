"""Locks: at night, with nobody home, jammed; and those that are no door's."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.alerts.alert import AlertKind, Level
from tests.alerts.house import alert_house, entity, hours, kinds, minutes, people
from tests.alerts.past import Diary

NIGHT = datetime(2026, 3, 10, 22, 30, tzinfo=UTC)


async def test_a_lock_that_was_locked_once_and_is_not_at_night_is_an_alert(tmp_path: Path) -> None:
    async with alert_house(tmp_path, at=NIGHT) as house:
        house.know(entity("lock.front", name="Front door lock", area_id="hall"))
        house.now.set("lock.front", "locked")
        await house.look()
        house.now.set("lock.front", "unlocked")
        await house.looks(minutes(10))
        assert await house.alerts() == []
        await house.looks(minutes(5))
        alert = await house.alert()
        assert (alert.kind, alert.level) == (AlertKind.UNLOCKED_AT_NIGHT, Level.HIGH)
        house.now.set("lock.front", "locking")
        await house.look(minutes(5))
        assert len(await house.alerts()) == 1
        house.now.set("lock.front", "locked")
        await house.look(minutes(5))
        assert await house.alerts() == []


async def test_a_lock_that_nobody_ever_locks_is_no_alert(tmp_path: Path) -> None:
    async with alert_house(tmp_path, at=NIGHT) as house:
        house.now.set("lock.shed", "unlocked")
        people(house.now, "not_home")
        await house.looks(hours(6))
        assert await house.alerts() == []


async def test_a_lock_that_is_usually_open_at_night_is_no_alert(tmp_path: Path) -> None:
    async with alert_house(tmp_path, at=NIGHT) as house:
        house.know(entity("lock.front"))
        diary = Diary(house)
        for day in diary.days(20):
            diary.spell("lock.front", day, 20.0, hours(11), on="unlocked", off="locked")
        await diary.learned()
        house.now.set("lock.front", "unlocked")
        await house.looks(hours(6))
        assert await house.alerts() == []


async def test_unlocked_with_nobody_home_is_told_by_day(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("lock.front", "locked", friendly_name="Front door lock")
        await house.look()
        house.now.set("lock.front", "unlocked")
        people(house.now, "Work")
        await house.looks(minutes(15))
        assert house.told() == ["Front door lock is unlocked and nobody is home"]


async def test_a_jammed_lock_is_an_alert_at_any_hour(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("lock.front", "jammed", friendly_name="Front door lock")
        await house.looks(minutes(5))
        assert kinds(await house.alerts()) == ["lock_jammed"]
        assert await house.titles() == ["Front door lock is jammed"]


@pytest.mark.parametrize(
    ("entity_id", "beside"),
    [
        ("lock.radiator_child_lock", "sensor.radiator"),
        ("lock.kindersicherung", "sensor.x"),
        ("lock.washer", "fan.washer"),
        ("lock.valve", "climate.bedroom"),
        ("lock.my_car", "device_tracker.my_car"),
    ],
)
async def test_the_lock_of_an_appliance_or_a_car_is_no_doors(
    tmp_path: Path, entity_id: str, beside: str
) -> None:
    async with alert_house(tmp_path, at=NIGHT) as house:
        house.know(entity(entity_id, device_id="thing"), entity(beside, device_id="thing"))
        house.now.set(beside, "on")
        house.now.set(entity_id, "locked")
        await house.look()
        house.now.set(entity_id, "unlocked")
        people(house.now, "not_home")
        await house.looks(hours(2))
        assert await house.alerts() == []
