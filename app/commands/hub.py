"""A hub for commands that only look at it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from app.bus import Bus
from app.clock import Clock
from app.hub.live import HubSource
from app.neighbours import Neighbours
from app.options import Options
from app.reach import hub_of


@asynccontextmanager
async def hub_source(options: Options, clock: Clock) -> AsyncIterator[HubSource]:
    """Lend the hub that the options name; InputError when they name none."""
    async with aiohttp.ClientSession() as http:
        hub = hub_of(options, Neighbours(Bus(), clock), clock, http)
        async with hub:
            yield HubSource(hub)
