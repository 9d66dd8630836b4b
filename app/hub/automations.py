"""The automations a home already has."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from app.errors import NeighbourError
from app.hub.client import Hub
from app.hub.errors import NoReplyError
from app.hub.names import plain_name
from app.model import Automation

_log = logging.getLogger(__name__)
_AT_ONCE = 8
_DEEPEST = 40
_PLURAL = {"trigger": "triggers", "condition": "conditions", "action": "actions"}
_NOT_WIRING = frozenset({"data", "target", "variables", "response_variable", "metadata"})
"""Keys of an action whose insides are values, not further actions."""


async def read_automations(
    hub: Hub, states: Mapping[str, Mapping[str, Any]], unique_ids: Mapping[str, str]
) -> tuple[Automation, ...]:
    """Read every automation among the states, `unique_ids` by entity id.

    One whose configuration the hub does not give (a broken one, or we are no administrator) has an empty
    `config`. Raises NoReplyError when the hub stops answering.
    """
    limit = asyncio.Semaphore(_AT_ONCE)

    async def read(entity_id: str) -> Automation:
        async with limit:
            config = await _config(hub, entity_id)
        state = states[entity_id]
        attributes = state.get("attributes")
        attributes = attributes if isinstance(attributes, Mapping) else {}
        unique_id = unique_ids.get(entity_id) or attributes.get("id") or config.get("id")
        return Automation(
            entity_id=entity_id,
            unique_id=str(unique_id) if unique_id else None,
            alias=plain_name(config.get("alias") or attributes.get("friendly_name")),
            enabled=state.get("state") == "on",
            config=config,
        )

    wanted = sorted(entity_id for entity_id in states if entity_id.startswith("automation."))
    return tuple(await asyncio.gather(*(read(entity_id) for entity_id in wanted)))


async def _config(hub: Hub, entity_id: str) -> dict[str, Any]:
    try:
        said = await hub.command("automation/config", entity_id=entity_id)
    except NoReplyError:
        raise
    except NeighbourError as error:
        _log.debug("%s: its configuration is not told: %s", entity_id, error)
        return {}
    config = said.get("config") if isinstance(said, dict) else None
    return plural(config) if isinstance(config, dict) else {}


def plural(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return an automation's configuration as current hubs write it.

    `triggers`, `conditions` and `actions` are lists; a trigger's kind is `trigger` (was `platform`), an
    action's name is `action` (was `service`), wherever they are nested.
    """
    whole = {_PLURAL.get(key, key): value for key, value in config.items()}
    for key in _PLURAL.values():
        value = whole.get(key, [])
        whole[key] = list(value) if isinstance(value, list | tuple) else [value] if value else []
    whole["triggers"] = [_renamed(part, "platform", "trigger", 0) for part in whole["triggers"]]
    whole["actions"] = sequence(whole["actions"])
    return whole


def sequence(actions: Any) -> list[Any]:
    """Return actions as a list, each named by `action` (was `service`), wherever they are nested."""
    listed = list(actions) if isinstance(actions, list | tuple) else [actions] if actions else []
    return [_renamed(part, "service", "action", 0) for part in listed]


def _renamed(part: Any, old: str, new: str, depth: int) -> Any:
    if depth > _DEEPEST:
        return part
    if isinstance(part, list):
        return [_renamed(inner, old, new, depth + 1) for inner in part]
    if not isinstance(part, dict):
        return part
    return {
        (new if key == old and new not in part else key): (
            value if key in _NOT_WIRING else _renamed(value, old, new, depth + 1)
        )
        for key, value in part.items()
    }
