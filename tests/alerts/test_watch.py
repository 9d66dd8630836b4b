"""The watch as a whole: nothing delays a danger, a start anew repeats nothing, one cause is one alert."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import StoreError
from app.hub.now import LogEntry
from tests.alerts.house import AlertHouse, MemoryHome, alert_house, entity, hours, minutes, people


async def heeded(house: AlertHouse) -> None:
    while not house.heard:
        await asyncio.sleep(0.001)


async def test_a_danger_does_not_wait_for_a_hub_that_takes_long_to_tell_its_log(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        answered = asyncio.Event()

        async def slow() -> Sequence[LogEntry]:
            await answered.wait()
            return ()

        house.now.log = slow  # type: ignore[method-assign]
        house.watch.start()
        looking = asyncio.create_task(house.watch.look())
        await asyncio.sleep(0.01)
        house.now.set("binary_sensor.sink", "off", device_class="moisture")
        house.now.set("binary_sensor.sink", "on")
        await heeded(house)
        assert not looking.done()
        answered.set()
        await looking
        assert house.changes() == ["raised"]


async def test_a_start_anew_repeats_nothing_and_loses_nothing(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.know(entity("binary_sensor.front_door", "door"), entity("lock.front"))
        house.now.set("binary_sensor.front_door", "on", hours(2), device_class="door")
        house.now.set("binary_sensor.sink", "on", device_class="moisture")
        house.now.set("lock.front", "jammed", hours(1))
        await house.look()
        before = await house.alerts()
        house.now.restart()
        await house.anew()
        house.watch.start()
        await house.looks(minutes(30))
        assert {one.alert_id for one in await house.alerts()} == {one.alert_id for one in before}
        assert house.changes() == ["raised"] * 3


async def test_what_could_not_be_written_down_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with alert_house(tmp_path) as house:
        settle, tries = house.book.settle, list[int]()

        async def locked_once(home_id: str, wanted: object) -> object:
            tries.append(1)
            if len(tries) == 1:
                raise StoreError("the database is locked")
            return await settle(home_id, wanted)  # type: ignore[arg-type]

        monkeypatch.setattr(house.book, "settle", locked_once)
        house.now.set("binary_sensor.sink", "on", device_class="moisture")
        house.watch.start()
        while not tries:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        assert house.heard == []
        await house.clock.turn(timedelta(seconds=6))
        await heeded(house)
        assert len(await house.alerts()) == 1


async def test_before_the_home_was_ever_met_dangers_and_batteries_are_told(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.home = house.home.__class__(home_id="home")
        house.now.set("binary_sensor.sink", "on", device_class="moisture", friendly_name="Sink")
        house.now.set("binary_sensor.front_door", "on", hours(1), device_class="door")
        house.now.set("sensor.a", "3", device_class="battery", unit_of_measurement="%", friendly_name="A")
        await house.looks(hours(14))
        assert "Water: Sink" in await house.titles()
        assert "Low battery: A" in await house.titles()
        assert not any("night" in title for title in await house.titles()), "its night is not known"


async def test_hostile_attributes_break_nothing(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        odd = {"device_class": ["smoke"], "unit_of_measurement": 5, "friendly_name": {"a": 1}, "entity_id": 7}
        for name in ("binary_sensor.a", "sensor.b", "lock.c", "cover.d", "person.e", "weather.f", "strange"):
            house.now.set(name, "on", **odd)
        house.now.set("weather.g", "on", temperature="warm", temperature_unit=3)
        house.now.set(
            "binary_sensor.h", "on", device_class="smoke", friendly_name="<b>\u202eX</b>\n" + "y" * 900
        )
        house.watch.start()
        await house.looks(hours(1))
        (alert,) = [one for one in await house.alerts() if one.entity_id == "binary_sensor.h"]
        assert "\n" not in alert.title
        assert "\u202e" not in alert.title
        assert len(alert.title) < 250


STATES = ("on", "off", "unavailable", "unknown", "open", "closed", "locked", "unlocked", "jammed", "3", "50")
THINGS = {
    "binary_sensor.sink": "moisture",
    "binary_sensor.front_door": "door",
    "lock.front": None,
    "cover.garage": "garage",
    "sensor.battery": "battery",
    "sensor.freezer": "temperature",
}
Step = tuple[str, str, int, str]


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(THINGS)),
            st.sampled_from(STATES),
            st.integers(1, 400),
            st.sampled_from(["", "", "", "restart", "away", "leave", "come", "anew"]),
        ),
        max_size=25,
    )
)
def test_whatever_happens_a_cause_has_one_open_alert_and_every_change_is_told_in_order(
    steps: list[Step],
) -> None:
    async def live() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with alert_house(Path(folder)) as house:
                house.watch.start()
                for step in steps:
                    await take(house, step)
                check(house, [one.cause for one in await house.alerts()])

    asyncio.run(live())


async def take(house: AlertHouse, step: Step) -> None:
    entity_id, state, after, what = step
    now: MemoryHome = house.now
    unit = {"unit_of_measurement": "%"} if "battery" in entity_id else {"unit_of_measurement": "°C"}
    now.set(entity_id, state, device_class=THINGS[entity_id], **unit)
    match what:
        case "restart":
            now.restart()
        case "away":
            now.since = None
            await house.look(minutes(5))
            now.since = house.clock.now()
        case "leave" | "come":
            people(now, "home" if what == "come" else "not_home")
        case "anew":
            await house.anew()
            house.watch.start()
    await house.look(minutes(after))


def check(house: AlertHouse, open_now: list[str]) -> None:
    assert len(open_now) == len(set(open_now))
    state: dict[str, bool] = {}
    for one in house.heard:
        cause, change = one.alert.cause, one.change.value
        if change in {"raised", "reopened"}:
            assert not state.get(cause), "it was open already"
        else:
            assert state.get(cause), f"{change} of what is not open"
        state[cause] = change != "closed"
    assert sorted(cause for cause, is_open in state.items() if is_open) == sorted(open_now)
    assert max(Counter(open_now).values(), default=1) == 1
