"""The checks of what all jobs stand on, each on the real thing."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.clock import to_ms
from app.events import Event, Events
from app.jobs.run import Trigger
from app.neighbours import NeighbourState
from app.upkeep.check import HouseCheck
from app.upkeep.checks import (
    archive,
    broker,
    clock,
    database,
    disk,
    hub,
    mail,
    model,
    retries,
    retry_success,
    waiting_runs,
)
from app.upkeep.integrity import Integrity, look_over
from tests.upkeep.rooms import Rooms, rooms
from tests.upkeep.sights import DAY, DUE, HOUR, NOW, job, nights, spec, tried

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Rooms]:
    async with rooms(tmp_path) as opened:
        yield opened


async def test_a_database_that_is_whole_tells_its_size(house: Rooms) -> None:
    found = await house.look(database.CHECK)
    assert found.healthy
    assert found.value is not None
    assert found.value >= 4096
    assert "and a log of" in found.message


async def test_what_was_found_damaged_stays_sick(house: Rooms) -> None:
    found = await house.look(database.CHECK, integrity=Integrity(NOW, "wrong # of entries in index"))
    assert found.healthy is False
    assert "wrong # of entries in index" in found.message
    assert "backup" in found.advice


async def test_a_log_that_is_not_moved_is_told(house: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LARGEST_LOG", 10_000)
    async with house.parts.store.writing() as db:
        await db.execute("INSERT INTO home VALUES ('home', ?, 0)", ("x" * 20_000,))
    found = await house.look(database.CHECK)
    assert found.healthy is False
    assert "The log is not moved into it." in found.message


async def test_the_pages_of_a_whole_database_are_read(house: Rooms) -> None:
    assert await look_over(house.parts.store, NOW) == Integrity(NOW)
    async with house.parts.store.reading() as db:
        assert next(iter(await db.execute_fetchall("SELECT count(*) FROM job_run")))[0] == 0


async def test_a_damaged_page_is_found(tmp_path: Path) -> None:
    async with rooms(tmp_path) as house, house.parts.store.writing() as db:
        for number in range(300):
            await db.execute("INSERT INTO home VALUES (?, ?, 0)", (f"home {number}", "x" * 900))
    path = tmp_path / "nightshift.db"
    content = bytearray(await asyncio.to_thread(path.read_bytes))
    async with rooms(tmp_path) as house:
        # While it is open: at the next start it would be refused as a whole.
        middle = len(content) // 2 // 4096 * 4096
        content[middle : middle + 4096] = b"\x7f" * 4096
        await asyncio.to_thread(path.write_bytes, bytes(content))
        found = await look_over(house.parts.store, NOW)
        assert found.trouble
        assert (await house.look(database.CHECK, integrity=found)).healthy is False


async def test_a_database_too_large_for_the_time_is_left_for_the_next_day(
    house: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house.parts.store.writing() as db:
        for number in range(500):
            await db.execute("INSERT INTO home VALUES (?, ?, 0)", (f"home {number}", "x" * 900))
    monkeypatch.setattr("app.upkeep.integrity._LONGEST_SECONDS", -1.0)
    monkeypatch.setattr("app.upkeep.integrity._STEPS", 1)
    found = await look_over(house.parts.store, NOW)
    assert not found.whole
    assert (await house.look(database.CHECK, integrity=found)).healthy
    async with house.parts.store.reading() as db:
        assert next(iter(await db.execute_fetchall("SELECT count(*) FROM home")))[0] == 500


async def test_a_disk_is_judged_by_its_free_bytes(
    house: Rooms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = (await asyncio.to_thread(shutil.disk_usage, tmp_path)).free
    monkeypatch.setattr(disk, "LEAST_FREE", 1)
    found = await house.look(disk.CHECK)
    assert found.healthy
    assert found.value == pytest.approx(free, rel=0.1)
    monkeypatch.setattr(disk, "LEAST_FREE", free * 2)
    found = await house.look(disk.CHECK)
    assert found.healthy is False
    assert "It should be at least" in found.message


async def test_a_data_folder_that_takes_nothing_is_told(
    house: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As root, who these tests may run as, only a read-only file system refuses.
    monkeypatch.setattr("os.access", lambda *_: False)
    found = await house.look(disk.CHECK)
    assert found.healthy is False
    assert "cannot be written to" in found.message


@pytest.mark.parametrize("check", [hub.CHECK, broker.CHECK, model.CHECK, mail.CHECK])
async def test_a_neighbour_is_judged_as_the_board_has_it(house: Rooms, check: HouseCheck) -> None:
    board = house.parts.neighbours
    assert (await house.look(check)).healthy is None
    board.set(check.name, NeighbourState.TRYING, "mqtt://core-mosquitto")
    assert (await house.look(check)).healthy is None
    await house.clock.turn(6 * MINUTE)
    found = await house.look(check)
    assert found.healthy is False
    assert found.message == "It could not be reached for 6 min. mqtt://core-mosquitto"
    assert found.advice
    board.set(check.name, NeighbourState.OK, "2026.11.1")
    assert (await house.look(check)).healthy
    board.set(check.name, NeighbourState.FAILED, "the token was revoked")
    found = await house.look(check)
    assert found.healthy is False
    assert found.message.endswith("the token was revoked")


async def test_an_empty_retry_queue_is_well(house: Rooms) -> None:
    found = await house.look(retries.CHECK)
    assert found.healthy
    assert found.value == 0


async def test_what_waits_for_its_next_try_is_well(house: Rooms) -> None:
    await house.put("ann", NOW + HOUR)
    found = await house.look(retries.CHECK, job(tried()))
    assert found.healthy
    assert found.message == "1 waits to be tried again, 0 given up."


async def test_what_should_have_been_tried_long_ago_is_told(house: Rooms) -> None:
    await house.put("ann", NOW - 2 * HOUR)
    assert (await house.look(retries.CHECK, job(tried()))).healthy is False
    assert (await house.look(retries.CHECK, job(tried(), rests="It is paused."))).healthy
    assert (await house.look(retries.CHECK, job(tried(status="running")))).healthy


async def test_what_was_given_up_is_named_until_somebody_sees_to_it(house: Rooms) -> None:
    await house.give_up("ann")
    found = await house.look(retries.CHECK)
    assert found.healthy is False
    assert found.message == "0 wait to be tried again, 1 given up. Given up: Ann."
    (dead,) = await house.parts.queue.all()
    await house.parts.queue.dismiss(dead.retry_id)
    assert (await house.look(retries.CHECK)).healthy


async def test_second_tries_are_judged_when_there_are_ten(house: Rooms) -> None:
    good = nights(*["completed"] * 9, trigger=Trigger.RETRY)
    assert (await house.look(retry_success.CHECK, job(*good))).healthy is None
    bad = tried(DUE + HOUR, "failed", trigger=Trigger.RETRY)
    found = await house.look(retry_success.CHECK, job(bad, *good))
    assert found.healthy is False
    assert found.value == 0.9
    better = nights(*["completed"] * 19, trigger=Trigger.RETRY)
    assert (await house.look(retry_success.CHECK, job(bad, *better))).healthy


async def test_a_run_that_waits_beyond_the_hard_limit_is_stuck(house: Rooms) -> None:
    limited = spec(time_limit=30 * MINUTE)
    assert (await house.look(waiting_runs.CHECK, job(tried(), spec=limited))).value == 0
    short = await house.look(waiting_runs.CHECK, job(tried(NOW - 10 * MINUTE, "pending"), spec=limited))
    assert short.healthy
    assert short.value == 1
    found = await house.look(waiting_runs.CHECK, job(tried(NOW - 40 * MINUTE, "pending"), spec=limited))
    assert found.healthy is False
    assert found.message == "1 run waits for its turn. Too long: Nightly analysis for 40 min."


async def test_a_scheduler_that_does_not_tick_is_sick(house: Rooms) -> None:
    assert (await house.look(clock.CHECK)).healthy is None
    assert (await house.look(clock.CHECK, since_tick=lambda: 59.0)).healthy
    found = await house.look(clock.CHECK, since_tick=lambda: 181.0)
    assert found.healthy is False
    assert found.message == "The scheduler last ticked 3 min 1 s ago."


async def test_an_archive_is_judged_by_its_newest_event(house: Rooms) -> None:
    fed = {"fed_by": "analysis"}
    assert (await house.look(archive.CHECK, job(), **fed)).healthy is None
    assert (await house.look(archive.CHECK, job(tried()), **fed)).healthy is False
    await house.parts.archive.append("home", Events.of([Event("light.hall", "on", to_ms(NOW - 2 * DAY))]))
    found = await house.look(archive.CHECK, job(tried()), **fed)
    assert found.healthy
    assert found.value == 48
    await house.clock.turn(2 * HOUR)
    found = await house.look(archive.CHECK, job(tried(), now=NOW + 2 * HOUR), **fed)
    assert found.healthy is False
    assert found.message == "The newest event is 50 h old. It should be less than 49 h."


async def test_the_archive_of_a_weekly_job_may_be_older(house: Rooms) -> None:
    await house.parts.archive.append("home", Events.of([Event("light.hall", "on", to_ms(NOW - 10 * DAY))]))
    weekly = job(tried(), before=DUE - 7 * DAY)
    assert (await house.look(archive.CHECK, weekly, fed_by="analysis")).healthy
    resting = job(tried(), rests="It is paused: the schedule does not start it.")
    assert (await house.look(archive.CHECK, resting, fed_by="analysis")).healthy is None
    assert (await house.look(archive.CHECK, weekly, fed_by="other")).healthy is None
