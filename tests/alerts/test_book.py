"""What is kept of alerts: one open row for a cause, who read it, what is archived, what a pass writes."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from app.alerts.alert import AlertKind, Level
from app.alerts.book import Settled
from app.alerts.detectors import DETECTORS
from app.alerts.finding import Finding
from app.alerts.sight import Sight
from tests.alerts.house import AlertHouse, alert_house, hours, kinds, minutes

DAY = timedelta(days=1)


def finding(cause: str = "door", level: Level = Level.MEDIUM, title: str = "A door is open") -> Finding:
    return Finding(
        cause=cause, kind=AlertKind.LEFT_OPEN, level=level, title=title, description="Since 12:00."
    )


async def raised(house: AlertHouse, *findings: Finding) -> None:
    await house.book.settle("home", Settled(findings or [finding()]))


async def test_who_read_and_who_acknowledged_first_is_kept_and_told_once(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await raised(house)
        key = (await house.alert()).alert_id
        await house.book.read("home", key, "ana")
        await house.clock.turn(minutes(1))
        await house.book.read("home", key, "ben")
        await house.book.acknowledge("home", key, "ben")
        await house.book.acknowledge("home", key, "ana")
        alert = await house.alert()
        assert (alert.is_read, alert.read_by, alert.acknowledged_by) == (True, "ana", "ben")
        assert alert.read_at == house.clock.now() - minutes(1)
        assert alert.acknowledged_at == house.clock.now()
        assert house.changes() == ["raised", "read", "acknowledged"]


async def test_to_acknowledge_is_to_have_read(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await raised(house)
        alert = await house.book.acknowledge("home", (await house.alert()).alert_id, "")
        assert alert is not None
        assert alert.is_read
        assert alert.acknowledged_at is not None


async def test_another_homes_alert_and_one_that_is_none_are_not_found(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await raised(house)
        key = (await house.alert()).alert_id
        assert await house.book.read("other", key, "ana") is None
        assert await house.book.acknowledge("home", "x" * 5000, "ana") is None


async def test_reopened_it_is_unread_again(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await raised(house)
        first = await house.alert()
        await house.book.acknowledge("home", first.alert_id, "ana")
        await house.book.settle("home", Settled(over=["door"]))
        await raised(house)
        again = await house.alert()
        assert (again.alert_id, again.times, again.is_read, again.acknowledged_at) == (
            first.alert_id,
            2,
            False,
            None,
        )
        assert again.detected_at == first.detected_at


async def test_it_is_noted_when_it_came_back_the_last_time_and_it_stays_noted(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await raised(house)
        assert (await house.alert()).reopened_at is None
        backs = []
        for _ in range(2):
            await house.book.settle("home", Settled(over=["door"]))
            await house.clock.turn(minutes(30))
            await raised(house)
            backs.append(house.clock.now())
            assert (await house.alert()).reopened_at == backs[-1]
        assert backs[0] < backs[1]
        await house.book.settle("home", Settled(over=["door"]))
        (over,) = await house.book.listed("home")
        assert (over.open, over.reopened_at, over.times) == (False, backs[1], 3)


async def test_two_passes_at_once_make_one_alert(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await asyncio.gather(*(raised(house) for _ in range(5)))
        assert len(await house.book.listed("home")) == 1
        assert house.changes() == ["raised"]


async def test_a_pass_that_finds_nothing_new_writes_nothing(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.set("sensor.a", "3", device_class="battery", unit_of_measurement="%")
        await house.look()
        await house.look(minutes(5))
        with closing(sqlite3.connect(house.store.path)) as beside:
            before = beside.execute("PRAGMA data_version").fetchone()
            for _ in range(12):
                await house.look(minutes(5))
            assert beside.execute("PRAGMA data_version").fetchone() == before
            await house.keywords.replace("home", [], "ana")
            assert beside.execute("PRAGMA data_version").fetchone() != before, "it would have shown"


async def test_figures_that_move_are_written_twice_an_hour_and_what_matters_at_once(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await raised(house, finding())
        moved = Finding(
            cause="door",
            kind=AlertKind.LEFT_OPEN,
            level=Level.MEDIUM,
            title="A door is open",
            description="5 °C",
        )
        await house.clock.turn(minutes(5))
        await raised(house, moved)
        assert house.changes() == ["raised"]
        await house.clock.turn(minutes(25))
        await raised(house, moved)
        assert house.changes() == ["raised", "updated"]
        await raised(house, finding(level=Level.HIGH))
        assert house.changes() == ["raised", "updated", "updated"]
        assert [one.tell for one in house.heard] == [True, False, True], "told again when it gets worse"


async def test_old_ones_are_archived_out_of_the_lists_and_at_last_forgotten(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await raised(house, finding("one"), finding("two"))
        await house.book.settle("home", Settled(over=["one"]))
        now = house.clock.now()
        assert await house.book.archive("home", now - 90 * DAY) == 0
        await house.clock.turn(91 * DAY)
        now = house.clock.now()
        assert await house.book.archive("home", now - 90 * DAY) == 1
        assert [one.cause for one in await house.book.listed("home")] == ["two"], (
            "what lasts is never archived"
        )
        assert len(await house.book.during("home", now - 100 * DAY, now)) == 2
        assert await house.book.forget("home", now - 400 * DAY) == 0
        assert await house.book.forget("home", now) == 1


async def test_the_list_is_by_level_and_by_time(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        await raised(house, finding("one", Level.LOW))
        await house.clock.turn(hours(1))
        await raised(house, finding("two", Level.HIGH), finding("three", Level.INFO))
        found = await house.book.listed("home", levels=[Level.HIGH, Level.LOW])
        assert [one.cause for one in found] == ["two", "one"]
        assert [one.cause for one in await house.book.listed("home", until=house.clock.now())] == ["one"]
        assert [one.cause for one in await house.book.listed("home", since=house.clock.now(), limit=1)] != [
            "one"
        ]


async def test_a_detector_that_breaks_keeps_its_alerts_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(sight: Sight) -> list[Finding]:
        raise RuntimeError(f"cannot look at {len(sight.things)} things")

    async with alert_house(tmp_path) as house:
        house.now.set("sensor.a", "3", device_class="battery", unit_of_measurement="%")
        await house.look()
        changed = tuple(
            (broken, said) if AlertKind.LOW_BATTERY in said else (detector, said)
            for detector, said in DETECTORS
        )
        monkeypatch.setattr("app.alerts.watch.DETECTORS", changed)
        house.now.set("binary_sensor.sink", "on", device_class="moisture")
        await house.look(minutes(5))
        assert kinds(await house.alerts()) == ["low_battery", "water"]
