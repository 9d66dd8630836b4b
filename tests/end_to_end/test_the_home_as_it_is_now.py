"""The home's present and its long-term figures, read from a real Home Assistant."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from app.bus import Bus
from app.clock import SystemClock
from app.errors import InputError
from app.hub.client import Hub
from app.hub.hub_now import HubNow
from app.hub.now import Change
from app.hub.side_bar import PersistentNotifications
from app.neighbours import Neighbours
from tests.real_hub.peer import RealHub

pytestmark = [pytest.mark.hub, pytest.mark.timeout(300)]

DAY_OF_THE_CHANGE = datetime(2025, 10, 25, 22, tzinfo=UTC)
"""Midnight in Amsterdam, before the night in which an hour came twice."""


@pytest.fixture
async def hub(real_hub: RealHub) -> AsyncIterator[Hub]:
    clock = SystemClock()
    neighbours = Neighbours(Bus(), clock)
    async with Hub(real_hub.url, SecretStr(real_hub.token), neighbours=neighbours, clock=clock) as hub:
        yield hub


@pytest.fixture
async def now(hub: Hub) -> AsyncIterator[HubNow]:
    now = HubNow(hub, SystemClock())
    now.start()
    await until(lambda: now.since is not None)
    yield now
    await now.close()


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.05)


def new_sensor() -> str:
    return f"sensor.now_{secrets.token_hex(3)}"


async def post(http: aiohttp.ClientSession, entity_id: str, state: str, **attributes: Any) -> None:
    async with http.post(f"/api/states/{entity_id}", json={"state": state, "attributes": attributes}):
        pass


async def test_what_an_entity_becomes_is_heard_at_once(now: HubNow, hub_api: aiohttp.ClientSession) -> None:
    sensor, heard = new_sensor(), list[Change]()
    now.listen(lambda changes: heard.extend(one for one in changes if one.entity_id == sensor))

    await post(hub_api, sensor, "1", friendly_name="Now", picture="x" * 5000)
    await post(hub_api, sensor, "2", friendly_name="Now", battery_level=7)
    await post(hub_api, sensor, "2", battery_level=6)
    async with hub_api.delete(f"/api/states/{sensor}"):
        pass
    await until(lambda: len(heard) == 4)

    states = [(one.after.state, dict(one.after.attributes)) for one in heard if one.after]
    assert states == [
        ("1", {"friendly_name": "Now"}),
        ("2", {"friendly_name": "Now", "battery_level": 7}),
        ("2", {"battery_level": 6}),
    ]
    assert [one.before.state if one.before else None for one in heard] == [None, "1", "2", "2"]
    changed = [one.after.last_changed for one in heard if one.after]
    assert changed[0] < changed[1] == changed[2]
    assert datetime.now(UTC) - changed[0] < timedelta(seconds=30)
    assert sensor not in now.states()


async def test_a_hub_that_restarts_leaves_the_last_states_and_then_tells_what_differs(
    now: HubNow, real_hub: RealHub, hub_api: aiohttp.ClientSession
) -> None:
    posted, batches = new_sensor(), list[Sequence[Change]]()
    await post(hub_api, posted, "1")
    await until(lambda: posted in now.states())
    known = set(now.states())
    now.listen(batches.append)

    await real_hub.say("hub-stop")
    assert now.since is None
    assert set(now.states()) == known
    batches.clear()
    await real_hub.say("hub-start")
    await until(lambda: now.since is not None)

    gone = {one.entity_id for one in batches[0] if one.after is None}
    assert posted in gone, "what was only posted does not survive a restart"
    assert "sun.sun" in now.states()
    assert posted not in now.states()


async def test_long_term_figures_are_read_in_the_homes_days(now: HubNow, hub: Hub) -> None:
    meter, room = f"nightshift:meter_{secrets.token_hex(3)}", new_sensor()
    hours = [DAY_OF_THE_CHANGE + timedelta(hours=n) for n in range(24 + 25 + 24)]
    await hub.command(
        "recorder/import_statistics",
        metadata={
            "statistic_id": meter, "source": "nightshift", "name": "Meter", "has_sum": True,
            "has_mean": False, "mean_type": 0, "unit_class": "energy", "unit_of_measurement": "Wh",
        },
        stats=[
            {"start": at.isoformat(), "state": 500.0 * n, "sum": 500.0 * n} for n, at in enumerate(hours, 1)
        ],
    )  # fmt: skip
    await hub.command(
        "recorder/import_statistics",
        metadata={
            "statistic_id": room, "source": "recorder", "name": None, "has_sum": False, "has_mean": True,
            "mean_type": 1, "unit_class": "temperature", "unit_of_measurement": "°C",
        },
        stats=[{"start": at.isoformat(), "mean": 20.0, "min": 19.0, "max": 22.5} for at in hours],
    )  # fmt: skip
    async with asyncio.timeout(60):
        while not {meter, room} <= {kind.statistic_id for kind in await now.statistics()}:
            await asyncio.sleep(0.2)

    kinds = {kind.statistic_id: kind for kind in await now.statistics()}
    assert (kinds[meter].name, kinds[meter].unit, kinds[meter].has_sum) == ("Meter", "kWh", True)
    assert (kinds[room].unit, kinds[room].has_mean) == ("°C", True)
    since, until_ = DAY_OF_THE_CHANGE, hours[48]
    days = await now.spans([meter, room, "sensor.unheard"], since, until_, "day")
    assert set(days) == {meter, room}
    assert [span.end - span.start for span in days[meter]] == [timedelta(hours=25), timedelta(hours=24)]
    assert [span.change for span in days[meter]] == pytest.approx([12.5, 12.0])
    assert [(span.mean, span.min, span.max) for span in days[room]] == [(20.0, 19.0, 22.5)] * 2
    assert len((await now.spans([meter], since, until_, "hour"))[meter]) == 48

    grid = {"stat_energy_from": meter, "stat_cost": None, "entity_energy_price": None}
    grid["number_energy_price"] = None
    source = {"type": "grid", "flow_from": [grid], "flow_to": [], "cost_adjustment_day": 0}
    await hub.command("energy/save_prefs", energy_sources=[source])
    assert await now.energy_ids() == (meter,)


async def test_templates_are_rendered_and_wrong_ones_told_without_a_word_in_the_hubs_log(now: HubNow) -> None:
    assert await now.render("{{ states('sun.sun') }}") in {"above_horizon", "below_horizon"}
    assert await now.render("{{ 2.5 * 2 }}") == "5.0"
    wrong = {
        "{{ missing_name }}": "'missing_name' is undefined",
        "{{ ": "unexpected 'end of template'",
        "{{ states('sensor.none') | float }}": "float got invalid input 'unknown'",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}": "execution time",
    }
    for template, told in wrong.items():
        with pytest.raises(InputError) as caught:
            await now.render(template)
        assert told in str(caught.value)
        assert "\n" not in str(caught.value)
    assert not [entry for entry in await now.log() if "emplate" in entry.message]


async def test_a_notification_stands_until_it_is_taken_away(now: HubNow, hub: Hub) -> None:
    bar, notification_id = PersistentNotifications(hub), f"nightshift_{secrets.token_hex(3)}"
    await bar.create(notification_id, "Water", "In the bathroom")
    await bar.create(notification_id, "Water", "In the **kitchen**")
    (stands,) = [one for one in await now.notifications() if one.notification_id == notification_id]
    assert (stands.title, stands.message) == ("Water", "In the **kitchen**")
    await bar.dismiss(notification_id)
    await bar.dismiss(notification_id)
    assert notification_id not in {one.notification_id for one in await now.notifications()}
