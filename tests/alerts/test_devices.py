"""Devices that are unavailable or silent: one cause is one alert, and a restart is none."""

from datetime import timedelta
from pathlib import Path

from app.alerts.alert import AlertKind, Level
from app.model import Entity
from tests.alerts.house import AlertHouse, alert_house, entity, hours, kinds, minutes
from tests.alerts.past import Diary


def many(count: int, platform: str = "zha", prefix: str = "plug") -> list[Entity]:
    """Return two entities of each of so many devices."""
    found = []
    for number in range(count):
        device = f"{prefix}_{number}"
        found += [
            entity(f"sensor.{device}", device_id=device, platform=platform, area_id="hall"),
            entity(
                f"sensor.{device}_link", device_id=device, platform=platform, entity_category="diagnostic"
            ),
        ]
    return found


async def seen_well(house: AlertHouse, *entities: Entity) -> None:
    house.know(*entities)
    for one in entities:
        house.now.set(one.entity_id, "20")
    await house.look()


def lose(house: AlertHouse, device: str) -> None:
    for entity_id in list(house.now.states()):
        if entity_id.startswith((f"sensor.{device}_link", f"sensor.{device}")):
            house.now.set(entity_id, "unavailable")


async def test_a_device_that_is_gone_for_hours_is_one_alert_that_ends_when_it_is_back(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await seen_well(house, *many(4))
        lose(house, "plug_0")
        await house.looks(hours(5.5))
        assert await house.alerts() == []
        await house.looks(hours(1))
        alert = await house.alert()
        assert (alert.kind, alert.level, alert.title) == (
            AlertKind.UNAVAILABLE,
            Level.LOW,
            "Unavailable: Plug 0",
        )
        assert (alert.entity_id, alert.place) == ("sensor.plug_0", "Hall")
        house.now.set("sensor.plug_0", "21")
        await house.looks(minutes(15))
        assert await house.alerts() == []


async def test_one_entity_of_a_device_that_is_unavailable_is_no_lost_device(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await seen_well(house, *many(4))
        house.now.set("sensor.plug_0_link", "unavailable")
        await house.looks(hours(12))
        assert await house.alerts() == []


async def test_an_integration_that_fails_is_one_alert_and_not_one_for_each_device(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await seen_well(house, *many(12), *many(12, "hue", "lamp"))
        for number in range(12):
            lose(house, f"plug_{number}")
        await house.looks(hours(10))
        alert = await house.alert()
        assert alert.title == "Most devices of the integration zha are unavailable"
        assert alert.level is Level.HIGH
        for number in range(11):
            house.now.set(f"sensor.plug_{number}", "20")
        await house.looks(hours(7))
        assert await house.titles() == ["Unavailable: Plug 11"]


async def test_a_restart_of_the_hub_in_which_all_is_gone_for_minutes_is_nothing(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.watch.start()
        await seen_well(house, *many(40), *many(40, "hue", "lamp"))
        house.now.everything("unavailable")
        house.now.since = house.clock.now()
        await house.looks(minutes(10))
        house.now.everything("20")
        await house.looks(hours(2))
        assert house.heard == []


async def test_everything_gone_for_long_is_one_alert_about_the_hub(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await seen_well(house, *many(40), *many(40, "hue", "lamp"))
        house.now.everything("unavailable")
        await house.looks(hours(8))
        alert = await house.alert()
        assert alert.title == "Most devices are unavailable in Home Assistant"
        assert len(house.heard) == 1


async def test_while_the_hub_is_away_nothing_is_judged(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("sensor.probe", "3", device_class="battery", unit_of_measurement="%")
        await house.look()
        house.now.since = None
        looked = await house.look(hours(3))
        assert (looked.away, looked.open) == (True, 1)
        assert len(await house.alerts()) == 1


async def test_what_was_never_seen_well_has_not_failed(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.know(*many(3))
        for number in range(3):
            house.now.set(f"sensor.plug_{number}", "unavailable", hours(300), restored=True)
        await house.looks(hours(12))
        assert await house.alerts() == []


async def test_what_was_seen_well_is_known_after_a_start_anew(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await seen_well(house, *many(4))
        await house.anew()
        lose(house, "plug_2")
        await house.looks(hours(7))
        assert kinds(await house.alerts()) == ["unavailable"]


async def test_phones_televisions_and_vacuums_come_and_go(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        found = [
            entity("media_player.tv", device_id="tv", platform="webostv"),
            entity("sensor.tv", device_id="tv", platform="webostv"),
            entity("vacuum.robo", device_id="robo", platform="roborock"),
            entity("sensor.phone_steps", device_id="phone", platform="mobile_app"),
        ]
        await seen_well(house, *found)
        house.now.everything("unavailable")
        await house.looks(hours(20))
        assert await house.alerts() == []


async def test_a_device_that_is_often_gone_is_told_of_only_when_it_is_gone_for_longer_than_ever(
    tmp_path: Path,
) -> None:
    async with alert_house(tmp_path) as house:
        await seen_well(house, *many(4))
        diary = Diary(house)
        for day in diary.days(20):
            diary.spell("sensor.plug_0", day, 1.0, hours(7), on="unavailable", off="20")
        await diary.learned()
        for device in ("plug_0", "plug_1"):
            lose(house, device)
        house.know(*many(8))
        await house.looks(hours(9))
        assert await house.titles() == ["Unavailable: Plug 1"]
        await house.looks(hours(2))
        assert await house.titles() == ["Unavailable: Plug 0", "Unavailable: Plug 1"]


async def test_a_smoke_detector_without_a_device_that_is_gone_matters_more(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("binary_sensor.hall_smoke", "off", device_class="smoke")
        await house.look()
        house.now.set("binary_sensor.hall_smoke", "unavailable")
        await house.looks(minutes(65))
        alert = await house.alert()
        assert (alert.kind, alert.level) == (AlertKind.UNAVAILABLE, Level.MEDIUM)


async def test_a_device_that_says_nothing_any_more_though_it_always_did_is_silent(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await seen_well(house, *many(2))
        diary = Diary(house)
        for day in diary.days(20):
            for hour in range(0, 24, 2):
                diary.write("sensor.plug_0", f"{20 + hour / 10}", day, hour)
            diary.write("sensor.plug_1", "20", day, 8)
        await diary.learned()
        await house.looks(hours(11.5))
        assert await house.alerts() == []
        await house.looks(hours(1))
        assert await house.titles() == ["Silent: Plug 0"], "the other one seldom spoke"
        house.now.set("sensor.plug_0_link", "21")
        await house.look(timedelta(minutes=5))
        assert await house.alerts() == []


async def test_an_integration_of_which_most_went_silent_is_one_alert(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await seen_well(house, *many(6))
        diary = Diary(house)
        for day in diary.days(20):
            for hour in range(0, 24, 2):
                for number in range(6):
                    diary.write(f"sensor.plug_{number}", f"{20 + hour / 10}", day, hour)
        await diary.learned()
        for hour in range(14):
            house.now.set("sensor.plug_5", f"2{hour % 7}")
            await house.look(hours(1))
        assert await house.titles() == ["Most devices of the integration zha went silent"]


async def test_an_entity_that_was_removed_closes_its_alert_after_a_while(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("sensor.probe", "3", device_class="battery", unit_of_measurement="%")
        await house.look()
        house.now.remove("sensor.probe")
        await house.look(minutes(5))
        assert len(await house.alerts()) == 1
        await house.looks(minutes(35))
        assert await house.alerts() == []
