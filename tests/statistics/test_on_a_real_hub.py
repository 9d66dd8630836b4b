"""The statistics beside a real Home Assistant: what is heard, and what its long-term statistics say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from pydantic import SecretStr

from app.archive.archive import Archive
from app.bus import Bus
from app.clock import SystemClock
from app.hub.client import Hub
from app.hub.hub_now import HubNow
from app.hub.live import HubSource
from app.jobs.context import RunContext
from app.jobs.engine import EmbeddedEngine
from app.jobs.run import Trigger
from app.jobs.spec import Outcome
from app.model import Home
from app.neighbours import Neighbours
from app.statistics.statistics import Statistics
from app.store.database import Store
from tests.real_hub.peer import RealHub

pytestmark = pytest.mark.hub


class Beside:
    """Nightshift's statistics beside a hub, without the rest of it."""

    def __init__(self, hub: Hub, api: aiohttp.ClientSession, statistics: Statistics) -> None:
        self.hub = hub
        self.api = api
        self.statistics = statistics

    async def says(self, entity_id: str, state: str, **attributes: Any) -> None:
        said = {"state": state, "attributes": attributes}
        async with self.api.post(f"/api/states/{entity_id}", json=said) as answer:
            assert answer.status < 300

    async def look(self) -> Outcome:
        run = self.statistics.job.run
        assert run is not None
        clock = SystemClock()
        context = RunContext(
            run_id="run",
            job="stats_aggregator",
            home="home",
            trigger=Trigger.MANUAL,
            scheduled_for=None,
            started_at=clock.now(),
            clock=clock,
            engine=EmbeddedEngine(clock),
            on_progress=lambda _: None,
            zone=Home().zone,
            occasion=clock.now(),
        )
        return await run(context)

    async def events_today(self, area_id: str) -> int:
        places = await self.statistics.queries.latest("home")
        return sum(place.stats.events_today for place in places if place.area_id == area_id)


@asynccontextmanager
async def beside(real_hub: RealHub, folder: Path, prepared: Any = None) -> AsyncIterator[Beside]:
    clock, bus = SystemClock(), Bus()
    async with AsyncExitStack() as closing:
        http = await closing.enter_async_context(aiohttp.ClientSession())
        head = {"Authorization": f"Bearer {real_hub.token}"}
        api = await closing.enter_async_context(aiohttp.ClientSession(real_hub.url, headers=head))
        store = Store(folder / "nightshift.db", clock)
        await store.open()
        closing.push_async_callback(store.close)
        token = SecretStr(real_hub.token)
        hub = Hub(real_hub.url, token, neighbours=Neighbours(bus, clock), clock=clock, http=http)
        hub.start()
        closing.push_async_callback(hub.close)
        now, source = HubNow(hub, clock), HubSource(hub)
        closing.push_async_callback(now.close)
        if prepared is not None:
            await prepared(hub, api)
        home = await source.describe()

        async def pending(_: str) -> int:
            return 0

        made = Statistics(
            home=lambda: home,
            now=now,
            source=source,
            archive=Archive(store, clock),
            store=store,
            bus=bus,
            pending=pending,
        )
        made.start()
        closing.callback(made.stop)
        now.start()
        async with asyncio.timeout(60):
            while now.since is None:
                await asyncio.sleep(0.05)
        yield Beside(hub, api, made)


async def test_what_is_pressed_is_counted_at_the_next_pass(real_hub: RealHub, tmp_path: Path) -> None:
    name = uuid4().hex[:8]
    # A room of its own: what happened in the rest of the home a minute ago is still being counted.
    area, lamp = f"room_{name}", f"input_boolean.lamp_{name}"

    async def prepared(hub: Hub, _: aiohttp.ClientSession) -> None:
        await hub.command("config/area_registry/create", name=area)
        await hub.command("input_boolean/create", name=f"lamp {name}")
        await hub.command("config/entity_registry/update", entity_id=lamp, area_id=area)

    async with beside(real_hub, tmp_path, prepared) as nightshift:
        await nightshift.look()
        assert await nightshift.events_today(area) == 0
        for state in ("on", "off", "on", "unavailable", "on"):
            await nightshift.says(lamp, state)
        async with asyncio.timeout(60):
            while await nightshift.events_today(area) < 3:
                await nightshift.look()
                await asyncio.sleep(0.1)
        # On, off, on; going away and coming back is none.
        assert await nightshift.events_today(area) == 3


async def test_energy_and_rooms_are_what_the_hub_measured(real_hub: RealHub, tmp_path: Path) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    source = f"test_{uuid4().hex[:8]}"

    async def prepared(hub: Hub, _: aiohttp.ClientSession) -> None:
        await hub.command(
            "recorder/import_statistics",
            metadata={
                "has_mean": False,
                "mean_type": 0,
                "has_sum": True,
                "name": "Meter",
                "source": source,
                "statistic_id": f"{source}:import",
                "unit_of_measurement": "Wh",
                "unit_class": "energy",
            },
            stats=[
                {"start": (hour - timedelta(hours=n)).isoformat(), "state": 0, "sum": (1000 - n) * 250.0}
                for n in range(30 * 24, 0, -1)
            ],
        )
        grid = {
            "type": "grid",
            "flow_from": [
                {
                    "stat_energy_from": f"{source}:import",
                    "stat_cost": None,
                    "entity_energy_price": None,
                    "number_energy_price": None,
                }
            ],
            "flow_to": [],
            "cost_adjustment_day": 0.0,
        }
        await hub.command("energy/save_prefs", energy_sources=[grid])
        async with asyncio.timeout(60):
            while f"{source}:import" not in str(await hub.command("recorder/list_statistic_ids")):
                await asyncio.sleep(0.1)

    async with beside(real_hub, tmp_path, prepared) as nightshift:
        await nightshift.look()
        days = await nightshift.statistics.queries.energy_days("home", 8)
        assert [day.kwh for day in days[:-1]] == pytest.approx([6.0] * 7)
        assert days[-2].usual == pytest.approx(6.0)
        figure = await nightshift.statistics.figures.figure("home", "energy_ratio")
        assert figure.value == 1.0
