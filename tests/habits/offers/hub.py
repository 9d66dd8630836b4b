"""A hub's automations in memory, as an editor sees them; it can be away, slow, strict, or forget to load."""

import asyncio
from collections.abc import Mapping
from typing import Any

from app.errors import NeighbourError
from app.hub.editor import NotWantedError, Standing
from app.hub.errors import LostError


class Editor:
    """An `AutomationEditor`. `fails` is raised by every call, `after_put` once something was put."""

    def __init__(self) -> None:
        self.configs: dict[str, dict[str, Any]] = {}
        self.on: dict[str, bool] = {}
        self.areas: dict[str, str | None] = {}
        self.listed: tuple[str, ...] = ("notify.mobile_app_ana",)
        self.fails: NeighbourError | None = None
        self.after_put: NeighbourError | None = None
        self.unwanted = ""
        self.puts = 0
        self.open = asyncio.Event()
        self.open.set()

    async def check(self, config: Mapping[str, Any]) -> None:
        await self._answers()
        if self.unwanted and self.unwanted in str(config):
            raise NotWantedError("hub: Home Assistant does not take its triggers: no such time")

    async def put(self, unique_id: str, config: Mapping[str, Any], *, area_id: str | None) -> Standing:
        await self.check(config)
        await self.open.wait()
        self.puts += 1
        kept = {key: value for key, value in config.items() if key != "initial_state"}
        self.on.setdefault(unique_id, config.get("initial_state", True))
        self.configs[unique_id] = kept
        self.areas[unique_id] = area_id
        if self.after_put:
            raise self.after_put
        return self._standing(unique_id)

    async def change(self, unique_id: str, config: Mapping[str, Any]) -> Standing:
        await self.check(config)
        await self.open.wait()
        assert unique_id in self.configs
        self.puts += 1
        self.configs[unique_id] = dict(config)
        if self.after_put:
            raise self.after_put
        return self._standing(unique_id)

    async def find(self, unique_id: str) -> Standing | None:
        await self._answers()
        return self._standing(unique_id) if unique_id in self.configs else None

    async def turn(self, unique_id: str, *, on: bool) -> Standing | None:
        await self._answers()
        self.on[unique_id] = on
        return await self.find(unique_id)

    async def remove(self, unique_id: str) -> bool:
        await self._answers()
        self.on.pop(unique_id, None)
        return self.configs.pop(unique_id, None) is not None

    async def phones(self) -> tuple[str, ...]:
        await self._answers()
        return self.listed

    async def _answers(self) -> None:
        await asyncio.sleep(0)
        if self.fails:
            raise self.fails

    def _standing(self, unique_id: str) -> Standing:
        return Standing(unique_id, f"automation.{unique_id}", self.on[unique_id], self.configs[unique_id])


LOST = LostError("hub: the connection was lost")
