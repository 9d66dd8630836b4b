import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from app.clock import TurnedClock, from_ms, to_ms
from app.errors import NeighbourError
from app.events import NUMERIC, Events
from app.hub.invented import InventedNow, InventedSource, invent
from app.hub.invented.fittings import BATTERIES, FREEZER, GRID_ENERGY, LEFT_OPEN, SILENT
from app.hub.now import Change, HomeNow
from app.hub.source import HomeSource
from app.model import Home

START = datetime(2026, 11, 20, 17, 30, tzinfo=UTC)
DAYS = 8


class Living:
    """A demo's home that has begun to live."""

    def __init__(self) -> None:
        self.clock = TurnedClock(START)
        self.source = InventedSource(self.clock, days=DAYS)
        self.now = InventedNow(self.clock, self.source)
        self.heard: list[Sequence[Change]] = []
        self.now.listen(self.heard.append)

    async def begin(self) -> None:
        self.now.start()
        self.now.start()
        while self.now.since is None:
            await asyncio.sleep(0.001)

    def state(self, entity_id: str) -> str:
        return self.now.states()[entity_id].state


@pytest.fixture
async def living() -> AsyncIterator[Living]:
    living = Living()
    await living.begin()
    yield living
    await living.now.close()


async def past(source: HomeSource, since: datetime, until: datetime) -> Events:
    home = await source.describe()
    return Events.join([found.events async for found in source.history(home, since, until)])


def readings(events: Events, entity_id: str) -> list[tuple[datetime, float]]:
    own = events.take(events.entity == events.entities.index(entity_id))
    return [
        (from_ms(int(at)), float(value))
        for at, value, state in zip(own.at, own.value, own.state, strict=True)
        if state == NUMERIC
    ]


async def test_every_entity_is_as_its_past_left_it(living: Living) -> None:
    now: HomeNow = living.now
    home = await living.source.describe()
    assert set(now.states()) == {entity.entity_id for entity in home.entities}
    assert now.since == START
    assert [len(batch) for batch in living.heard] == [len(home.entities)]
    last = {
        row.entity_id: row.state
        for row in (await past(living.source, START - timedelta(days=DAYS + 1), START)).rows()
    }
    assert {name: state.state for name, state in now.states().items()} == last
    for state in now.states().values():
        assert state.last_changed <= state.last_updated <= START


async def test_states_say_what_they_are_as_a_hub_does(living: Living) -> None:
    states = living.now.states()
    assert states["sensor.bedroom_co2"].attributes == {
        "friendly_name": "Bedroom CO₂", "device_class": "carbon_dioxide", "unit_of_measurement": "ppm",
        "state_class": "measurement",
    }  # fmt: skip
    assert states[GRID_ENERGY].attributes["state_class"] == "total_increasing"
    assert states["light.living_room"].attributes["entity_id"] == [
        "light.living_room_sofa", "light.living_room_shelf", "light.living_room_window",
    ]  # fmt: skip
    fired = datetime.fromisoformat(states["automation.garden_on"].attributes["last_triggered"])
    assert timedelta(0) < START - fired < timedelta(days=1)


async def test_three_things_are_wrong_when_the_demo_begins(living: Living) -> None:
    assert float(living.state("sensor.bathroom_leak_battery")) < 20
    assert [
        sensor for sensor, _, _ in BATTERIES.values() if float(living.state(sensor)) < 20
    ] == ["sensor.bathroom_leak_battery"]  # fmt: skip
    assert living.state(SILENT) == "unavailable"
    assert living.state(LEFT_OPEN) == "on"
    assert START - living.now.states()[LEFT_OPEN].last_changed == timedelta(minutes=95)


async def test_it_lives_on_as_the_clock_goes(living: Living) -> None:
    living.heard.clear()
    for _ in range(60 * 4):
        await living.clock.turn(timedelta(minutes=1))
    changes = [change for batch in living.heard for change in batch]
    assert len(living.heard) > 200
    assert living.state(LEFT_OPEN) == "off"
    events = await past(living.source, START, living.clock.now())
    assert len(changes) >= len(events) > 500
    last = {row.entity_id: row.state for row in events.rows()}
    assert {name: living.state(name) for name in last} == last
    night_light = [c.after for c in changes if c.entity_id == "automation.night_light_on" and c.after]
    (fired,) = {state.attributes["last_triggered"] for state in night_light}
    assert datetime.fromisoformat(fired) > START
    for earlier, later in pairwise(c.after.last_updated for c in changes if c.after):
        assert earlier <= later


async def test_it_goes_on_over_the_end_of_what_was_invented_first(living: Living) -> None:
    await living.clock.turn(timedelta(hours=30))
    while living.now.states()[GRID_ENERGY].last_updated < START + timedelta(hours=29):
        await asyncio.sleep(0.001)
        await living.clock.turn(timedelta(minutes=1))
    assert living.now.since == START


async def test_the_past_of_the_fittings_only_grows() -> None:
    clock = TurnedClock(START)
    source = InventedSource(clock, days=3)
    before = await past(source, START - timedelta(days=3), START)
    await clock.turn(timedelta(days=2))
    after = await past(source, START - timedelta(days=3), START)
    for name in (GRID_ENERGY, FREEZER, SILENT, "sensor.bedroom_co2"):
        assert readings(before, name) == readings(after, name)
    assert len(before) == len(after)


async def test_people_in_a_room_are_seen_in_its_air(living: Living) -> None:
    home = await living.source.describe()
    events = await past(living.source, START - timedelta(days=DAYS), START)
    by_hour: dict[int, list[float]] = {}
    for at, ppm in readings(events, "sensor.bedroom_co2"):
        by_hour.setdefault(at.astimezone(home.zone).hour, []).append(ppm)
    assert np.mean(by_hour[6]) > 900
    assert np.mean(by_hour[15]) < 600
    assert all(400 < ppm < 2000 for hour in by_hour.values() for ppm in hour)


async def test_the_meter_only_rises_and_the_sun_is_not_on_it(living: Living) -> None:
    events = await past(living.source, START - timedelta(days=DAYS), START)
    meter = [kwh for _, kwh in readings(events, GRID_ENERGY)]
    assert meter == sorted(meter)
    assert 2 < (meter[-1] - meter[0]) / DAYS < 12


async def test_the_benchmarks_home_has_none_of_the_fittings(living: Living) -> None:
    plain, fitted = invent(days=2).home, await living.source.describe()
    added = {e.entity_id for e in fitted.entities} - {e.entity_id for e in plain.entities}
    assert added >= {
        GRID_ENERGY,
        FREEZER,
        SILENT,
        LEFT_OPEN,
        *(sensor for sensor, _, _ in BATTERIES.values()),
    }
    assert not added & set(invent(days=2).events.entities)
    devices = {device.device_id: device for device in fitted.devices}
    assert len(devices) == len(fitted.devices)
    for entity in fitted.entities:
        assert entity.device_id is None or devices[entity.device_id].area_id == entity.area_id


async def test_long_term_figures_are_those_of_the_readings(living: Living) -> None:
    home = await living.source.describe()
    kinds = {kind.statistic_id: kind for kind in await living.now.statistics()}
    assert kinds[GRID_ENERGY].has_sum
    assert not kinds[GRID_ENERGY].has_mean
    assert kinds["sensor.bedroom_temperature"].unit == "°C"
    assert await living.now.energy_ids() == (GRID_ENERGY,)

    first = midnight(home, START) - timedelta(days=2)
    found = await living.now.spans(
        [GRID_ENERGY, "sensor.bedroom_temperature", SILENT, "sensor.unheard"], first, START, "day"
    )
    assert set(found) == {GRID_ENERGY, "sensor.bedroom_temperature", SILENT}
    days = found["sensor.bedroom_temperature"]
    assert [span.start for span in days] == [first, first + timedelta(days=1), first + timedelta(days=2)]
    events = await past(living.source, first, first + timedelta(days=1))
    degrees = [value for _, value in readings(events, "sensor.bedroom_temperature")]
    assert days[0].mean == pytest.approx(np.mean(degrees), abs=0.02)
    assert days[0].max == pytest.approx(max(degrees), abs=0.01)
    meter = [kwh for _, kwh in readings(events, GRID_ENERGY)]
    assert found[GRID_ENERGY][0].change == pytest.approx(meter[-1] - meter[0], abs=0.1)
    assert len(found[SILENT]) == 1, "what is unavailable has no mean"


def midnight(home: Home, instant: datetime) -> datetime:
    local = instant.astimezone(home.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return local.astimezone(UTC)


async def test_hours_are_told_once_they_are_over_and_months_begin_where_the_home_is(living: Living) -> None:
    hours = (await living.now.spans([GRID_ENERGY], START - timedelta(hours=3), START, "hour"))[GRID_ENERGY]
    assert [span.start.hour for span in hours] == [15, 16]
    fives = (await living.now.spans([FREEZER], START - timedelta(minutes=31), START, "5minute"))[FREEZER]
    assert [span.start.minute for span in fives] == [0, 5, 10, 15, 20, 25]
    await living.clock.turn(timedelta(days=12))
    now = living.clock.now()
    months = (await living.now.spans([GRID_ENERGY], now - timedelta(days=10), now, "month"))[GRID_ENERGY]
    assert [(span.start, span.end) for span in months] == [
        (datetime(2026, 11, 30, 23, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC))
    ]
    assert await living.now.spans([GRID_ENERGY], now, now + timedelta(days=2), "hour") == {}


async def test_an_hour_of_the_change_of_time_is_in_its_day(living: Living) -> None:
    clock = TurnedClock(datetime(2026, 10, 27, 12, tzinfo=UTC))
    now = InventedNow(clock, InventedSource(clock, days=5))
    since = datetime(2026, 10, 23, 22, tzinfo=UTC)
    days = (await now.spans([GRID_ENERGY], since, clock.now(), "day"))[GRID_ENERGY]
    assert [span.end - span.start for span in days[:3]] == [timedelta(hours=h) for h in (24, 25, 24)]


async def test_what_the_demo_says_is_marked_as_invented(living: Living) -> None:
    (entry,) = await living.now.log()
    (note,) = await living.now.notifications()
    assert "demo" in entry.message
    assert "demo" in note.title
    assert entry.last_occurred < START
    with pytest.raises(NeighbourError, match="the demo has no hub"):
        await living.now.render("{{ states('sun.sun') }}")


async def test_once_closed_nothing_is_heard_any_more(
    living: Living, caplog: pytest.LogCaptureFixture
) -> None:
    living.heard.clear()
    await living.now.close()
    await living.now.close()
    await living.clock.turn(timedelta(hours=1))
    assert living.heard == []
    assert living.now.since is None
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert to_ms(living.now.states()[GRID_ENERGY].last_updated) < to_ms(START)
