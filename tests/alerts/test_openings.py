"""Doors, garages, windows: left open, open at night, open with nobody home; and when to say nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.alerts.alert import AlertKind, Level
from tests.alerts.house import AlertHouse, alert_house, entity, hours, kinds, minutes, people
from tests.alerts.past import Diary

NIGHT = datetime(2026, 3, 10, 22, 30, tzinfo=UTC)
"""23:30 in Amsterdam."""


def door(house: AlertHouse, name: str = "Front door", device_class: str = "door", **more: Any) -> str:
    entity_id = f"binary_sensor.{name.casefold().replace(' ', '_')}"
    house.know(entity(entity_id, device_class, name=name, **more))
    house.now.set(entity_id, "off", hours(5), device_class=device_class)
    return entity_id


async def test_a_front_door_left_open_for_an_hour_is_an_alert_that_ends_when_it_is_shut(
    tmp_path: Path,
) -> None:
    async with alert_house(tmp_path) as house:
        front = door(house)
        house.now.set(front, "on")
        await house.looks(minutes(55))
        assert await house.alerts() == []
        await house.looks(minutes(10))
        alert = await house.alert()
        assert (alert.kind, alert.level) == (AlertKind.LEFT_OPEN, Level.MEDIUM)
        assert alert.title == "Front door was left open"
        assert alert.description == "Open since 12:00."
        await house.looks(hours(1))
        assert house.changes() == ["raised"], "while it lasts nothing is written or told"
        house.now.set(front, "off")
        await house.look(minutes(5))
        assert await house.alerts() == []
        assert house.changes() == ["raised", "closed"]


async def test_a_door_inside_or_a_window_says_nothing_while_its_past_is_not_known(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.know(
            entity("binary_sensor.bedroom_door", "door", name="Main bedroom door"),
            entity("binary_sensor.window", "window", name="Kitchen window"),
            entity("cover.blind", "blind"),
        )
        house.now.set("binary_sensor.bedroom_door", "on", device_class="door")
        house.now.set("binary_sensor.window", "on", device_class="window")
        house.now.set("cover.blind", "open", device_class="blind")
        await house.looks(hours(30))
        assert await house.alerts() == []


@pytest.mark.parametrize(
    ("usual", "limit"),
    [(minutes(2), minutes(10)), (minutes(40), minutes(60))],
)
async def test_what_is_too_long_is_learned_from_that_doors_own_past(
    tmp_path: Path, usual: timedelta, limit: timedelta
) -> None:
    async with alert_house(tmp_path) as house:
        front = door(house)
        diary = Diary(house)
        for day in diary.days(20):
            diary.spell(front, day, 8.0, usual)
            diary.spell(front, day, 18.0, usual)
        await diary.learned()
        house.now.set(front, "on")
        await house.looks(limit - minutes(5))
        assert await house.alerts() == []
        await house.looks(minutes(5))
        alert = await house.alert()
        assert alert.kind is AlertKind.LEFT_OPEN
        assert "days it was open" in alert.description


async def test_a_door_that_stands_open_all_day_is_never_left_open(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        entity_id = door(house, "Bedroom door")
        diary = Diary(house)
        for day in diary.days(25):
            diary.spell(entity_id, day, 7.0, hours(15))
            diary.spell(entity_id, day, 23.0, minutes(5))
        await diary.learned()
        house.now.set(entity_id, "on")
        await house.looks(hours(20))
        assert await house.alerts() == []


async def test_one_evening_with_guests_in_the_garden_does_not_make_every_other_one_an_alert(
    tmp_path: Path,
) -> None:
    async with alert_house(tmp_path) as house:
        entity_id = door(house, "Terrace door")
        diary = Diary(house)
        for number, day in enumerate(diary.days(60)):
            for hour in (8.0, 12.0, 18.0):
                diary.spell(entity_id, day, hour, minutes(3))
            if number % 6 == 0:
                diary.spell(entity_id, day, 19.0, hours(3))
        await diary.learned()
        house.now.set(entity_id, "on")
        await house.looks(hours(4))
        assert await house.alerts() == []


@pytest.mark.parametrize(
    ("name", "device_class", "level"),
    [("Front door", "door", Level.HIGH), ("Big one", "garage_door", Level.HIGH)],
)
async def test_an_outer_door_open_at_night_is_an_alert_after_a_quarter_of_an_hour(
    tmp_path: Path, name: str, device_class: str, level: Level
) -> None:
    async with alert_house(tmp_path, at=NIGHT) as house:
        entity_id = door(house, name, device_class)
        house.now.set(entity_id, "on")
        await house.looks(minutes(10))
        assert await house.alerts() == []
        await house.looks(minutes(5))
        alert = await house.alert()
        assert (alert.kind, alert.level) == (AlertKind.OPEN_AT_NIGHT, level)
        assert house.told() == [], "quiet hours hold back what is not critical"
        await house.looks(hours(8))
        assert house.told() == [f"{name} was left open"], "told when the quiet hours are over"
        assert house.changes()[-1] == "released"


async def test_night_is_the_homes_own_and_not_that_of_the_machine(tmp_path: Path) -> None:
    async with alert_house(tmp_path, at=datetime(2026, 3, 10, 23, 30, tzinfo=UTC)) as house:
        house.know(entity("binary_sensor.front_door", "door"), time_zone="America/New_York")
        house.now.set("binary_sensor.front_door", "on", device_class="door")
        await house.looks(minutes(40))
        assert await house.alerts() == [], "it is half past seven in the evening there"


async def test_a_door_that_is_usually_open_at_night_is_not_told_of(tmp_path: Path) -> None:
    async with alert_house(tmp_path, at=NIGHT) as house:
        back = door(house, "Back door")
        diary = Diary(house)
        for day in diary.days(20):
            diary.spell(back, day, 22.0, hours(9))
        await diary.learned()
        house.now.set(back, "on")
        await house.looks(hours(5))
        assert await house.alerts() == []


async def test_an_open_door_with_nobody_home_is_told_at_once_by_day(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        front = door(house)
        house.now.set(front, "on")
        people(house.now, "not_home")
        await house.looks(minutes(10))
        alert = await house.alert()
        assert (alert.kind, alert.level) == (AlertKind.OPEN_NOBODY_HOME, Level.HIGH)
        assert house.told() == ["Front door is open and nobody is home"]
        people(house.now, "home")
        await house.looks(minutes(10))
        assert kinds(await house.alerts()) == ["open_nobody_home"], "it is still open"
        house.now.set(front, "off")
        await house.look(minutes(5))
        assert await house.alerts() == []


@pytest.mark.parametrize("ben", ["home", "unavailable", "unknown"])
async def test_somebody_who_may_be_home_is_somebody_home(tmp_path: Path, ben: str) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set(door(house), "on")
        people(house.now, "not_home")
        house.now.set("person.ben", ben)
        await house.looks(minutes(40))
        assert await house.alerts() == []


async def test_a_person_without_a_tracker_is_not_waited_for_and_motion_is_somebody(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set(door(house), "on")
        people(house.now, "Office")
        house.now.set("person.child", "unknown", device_trackers=[])
        house.now.set("binary_sensor.hall_motion", "on", device_class="motion")
        await house.looks(minutes(30))
        assert await house.alerts() == []
        house.now.set("binary_sensor.hall_motion", "off")
        await house.looks(minutes(20))
        assert kinds(await house.alerts()) == ["open_nobody_home"]


async def test_a_home_without_persons_never_has_nobody_home(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        front = door(house)
        for name in ("ana", "ben"):
            house.now.remove(f"person.{name}")
        house.now.set("zone.home", "0")
        house.now.set(front, "on")
        await house.looks(minutes(30))
        assert await house.alerts() == []


async def test_windows_in_summer_may_be_open_day_and_night(tmp_path: Path) -> None:
    async with alert_house(tmp_path, at=NIGHT) as house:
        window = door(house, "Kitchen window", "window")
        diary = Diary(house)
        for day in diary.days(30):
            diary.spell(window, day, 8.0, minutes(20))
        await diary.learned()
        house.now.set(window, "on")
        house.now.set("weather.home", "clear-night", temperature=19.5, temperature_unit="°C")
        await house.looks(hours(24))
        assert await house.alerts() == []
        house.now.set("weather.home", "snowy", temperature=1.0, temperature_unit="°C")
        await house.looks(hours(9))
        assert kinds(await house.alerts()) == ["left_open"]


async def test_windows_that_are_seldom_open_with_nobody_home_are_one_alert(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        names = [f"binary_sensor.window_{number}" for number in range(3)]
        house.know(*(entity(name, "window", name=name.partition(".")[2]) for name in names))
        diary = Diary(house)
        for day in diary.days(20):
            for name in names:
                diary.spell(name, day, 8.0, minutes(20))
        for name in names:
            house.now.set(name, "off", device_class="window")
        await diary.learned()
        for name in names:
            house.now.set(name, "on")
        people(house.now, "not_home")
        await house.looks(minutes(15))
        alert = await house.alert()
        assert alert.title == "3 windows are open and nobody is home"
        assert alert.description == "Open: window_0, window_1, window_2."


async def test_a_restart_of_the_hub_neither_ends_nor_makes_an_open_door(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        front = door(house)
        house.now.set(front, "on")
        house.watch.start()
        await house.looks(hours(2))
        assert len(await house.alerts()) == 1
        house.now.restart()
        await house.looks(minutes(30))
        assert len(await house.alerts()) == 1
        assert house.changes() == ["raised"]


async def test_a_door_that_was_lost_and_found_has_been_open_all_the_while(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        front = door(house)
        house.watch.start()
        house.now.set(front, "on")
        await house.looks(minutes(50))
        house.now.set(front, "unavailable")
        await house.looks(minutes(5))
        house.now.set(front, "on")
        await house.looks(minutes(5))
        alert = await house.alert()
        assert alert.description == "Open since 12:00."


async def test_a_fridge_door_has_a_shorter_limit_and_a_label_makes_a_door_an_outer_one(
    tmp_path: Path,
) -> None:
    async with alert_house(tmp_path, at=NIGHT) as house:
        house.know(
            entity("binary_sensor.fridge_door", "door", name="Fridge door"),
            entity("binary_sensor.x", "door", name="Utility", labels=("nightshift_outer_door",)),
        )
        for name in ("fridge_door", "x"):
            house.now.set(f"binary_sensor.{name}", "on", device_class="door")
        await house.looks(minutes(10))
        assert await house.titles() == ["Fridge door was left open"]
        await house.looks(minutes(5))
        assert await house.titles() == ["Fridge door was left open", "Utility is open at night"]


async def test_the_doors_of_a_car_are_no_doors_of_the_home(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.know(
            entity("binary_sensor.car_front_door", "door", name="Front door", device_id="model"),
            entity("device_tracker.model", device_id="model"),
        )
        house.now.set("device_tracker.model", "not_home")
        house.now.set("binary_sensor.car_front_door", "on", device_class="door")
        people(house.now, "not_home")
        await house.looks(hours(2))
        assert await house.alerts() == []
