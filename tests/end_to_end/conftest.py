from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import aiomqtt
import pytest

from tests.process import Process, serving
from tests.real_hub.peer import RealHub


@pytest.fixture
def variables(real_hub: RealHub) -> dict[str, str]:
    """What a Nightshift that watches the real hub is told."""
    return {
        "NIGHTSHIFT_HUB_URL": real_hub.url,
        "NIGHTSHIFT_HUB_TOKEN": real_hub.token,
        "NIGHTSHIFT_MQTT_HOST": real_hub.mqtt_host,
        "NIGHTSHIFT_MQTT_PORT": str(real_hub.mqtt_port),
        # Far from now: nothing starts by itself while a test runs.
        "NIGHTSHIFT_ANALYSIS_SCHEDULE": f"0 {(datetime.now(UTC).hour + 12) % 24} * * *",
    }


@pytest.fixture
async def nightshift(tmp_path: Path, variables: dict[str, str]) -> AsyncIterator[Process]:
    async with serving(tmp_path / "data", variables) as process:
        yield process


@pytest.fixture
async def hub_api(real_hub: RealHub) -> AsyncIterator[aiohttp.ClientSession]:
    """The hub's REST API; give paths from `/api` on."""
    head = {"Authorization": f"Bearer {real_hub.token}"}
    async with aiohttp.ClientSession(real_hub.url, headers=head, raise_for_status=True) as http:
        yield http


@pytest.fixture
async def ear(real_hub: RealHub) -> AsyncIterator[aiomqtt.Client]:
    """A listener on the broker, subscribed to the end of each analysis."""
    async with aiomqtt.Client(real_hub.mqtt_host, real_hub.mqtt_port) as client:
        await client.subscribe("ha-ai/status/#", qos=1)
        yield client
