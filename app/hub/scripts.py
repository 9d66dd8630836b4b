"""The scripts a home has: what its automations call, and so what they act on."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

from app.errors import NeighbourError
from app.hub.automations import sequence
from app.hub.client import Hub
from app.hub.names import plain_name
from app.model import Script

_log = logging.getLogger(__name__)
MOST: Final = 300
_AT_ONCE = 8
_EACH_SECONDS = 10.0
_ALL_SECONDS = 60.0


async def read_scripts(hub: Hub, states: Mapping[str, Mapping[str, Any]]) -> tuple[Script, ...]:
    """Read the scripts among the states, the first 300 by entity id.

    They only tell what automations act on, so none of them is worth failing for: one whose configuration the
    hub does not give has an empty `config`, and what is not told within a minute is left like that.
    """
    wanted = sorted(entity_id for entity_id in states if entity_id.startswith("script."))
    if len(wanted) > MOST:
        _log.warning("The hub has %d scripts; what the first %d of them do is read", len(wanted), MOST)
    limit = asyncio.Semaphore(_AT_ONCE)
    configs: dict[str, dict[str, Any]] = {}

    async def read(entity_id: str) -> None:
        async with limit:
            configs[entity_id] = await _config(hub, entity_id)

    try:
        async with asyncio.timeout(_ALL_SECONDS):
            await asyncio.gather(*(read(entity_id) for entity_id in wanted[:MOST]))
    except TimeoutError:
        _log.warning(
            "The hub told what %d of %d scripts do, then a minute was over", len(configs), len(wanted)
        )
    return tuple(
        _script(entity_id, states[entity_id], configs.get(entity_id, {})) for entity_id in wanted[:MOST]
    )


async def _config(hub: Hub, entity_id: str) -> dict[str, Any]:
    try:
        said = await hub.command("script/config", timeout_seconds=_EACH_SECONDS, entity_id=entity_id)
    except NeighbourError as error:
        _log.debug("%s: its configuration is not told: %s", entity_id, error)
        return {}
    config = said.get("config") if isinstance(said, dict) else None
    return {**config, "sequence": sequence(config.get("sequence"))} if isinstance(config, dict) else {}


def _script(entity_id: str, state: Mapping[str, Any], config: dict[str, Any]) -> Script:
    attributes = state.get("attributes")
    name = attributes.get("friendly_name") if isinstance(attributes, Mapping) else None
    return Script(entity_id=entity_id, alias=plain_name(config.get("alias") or name), config=config)
