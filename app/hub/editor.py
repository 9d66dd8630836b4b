"""Making, changing and removing automations in Home Assistant, as its own editor does.

Home Assistant keeps them in automations.yaml (REST: `config/automation/config/<id>`, with administrator's
rights), validates them, and loads them at once. The id is the entity's `unique_id`: making one twice changes
it the second time.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from app.clock import Clock
from app.errors import NeighbourError, RefusedError
from app.hub.automations import plural
from app.hub.client import Hub
from app.hub.errors import CommandError, ReplyError

_log = logging.getLogger(__name__)
LABEL_ID = "nightshift"
_LABEL: dict[str, Any] = {
    "name": "Nightshift",
    "icon": "mdi:weather-night",
    "color": "indigo",
    "description": "Made by Nightshift from a habit of this home.",
}
_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}")
"""Ids that are passed on as part of an address. Home Assistant's editor makes numbers, people write words."""
_PARTS = ("triggers", "conditions", "actions")
_APPEARS_WITHIN_SECONDS = 10.0
_LOOK_EVERY_SECONDS = 0.5


class NotWantedError(RefusedError):
    """The hub's validator does not take the automation; the message is its own."""


class NotLoadedError(RefusedError):
    """The hub took the automation, but does not load what it keeps: configuration.yaml has to change."""

    def __init__(self) -> None:
        super().__init__(
            "hub: the automation was saved, but Home Assistant does not load it: its configuration.yaml "
            "lacks the line `automation: !include automations.yaml`. Add it and restart Home Assistant"
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """An automation as it stands in the hub. `config` is what its editor shows, without the id."""

    unique_id: str
    entity_id: str
    enabled: bool
    config: Mapping[str, Any]

    @property
    def editor(self) -> str:
        """The path of its editor in Home Assistant."""
        return editor_path(self.unique_id)


def editor_path(unique_id: str) -> str:
    """Return the path of an automation's editor in Home Assistant's own pages."""
    return f"/config/automation/edit/{unique_id}"


def can_be_edited(unique_id: str) -> bool:
    """Return whether an automation of that id can be asked for at all."""
    return _ID.fullmatch(unique_id) is not None


class AutomationEditor(Protocol):
    """What makes, changes and removes automations in a home."""

    async def check(self, config: Mapping[str, Any]) -> None:
        """Let the hub's validator look at it; NotWantedError says what is wrong."""

    async def put(self, unique_id: str, config: Mapping[str, Any], *, area_id: str | None) -> Standing:
        """Make it, or change the one that has that id; come back when it is loaded.

        Raises NotWantedError, NotLoadedError, RefusedError (no administrator), NeighbourError.
        """

    async def change(self, unique_id: str, config: Mapping[str, Any]) -> Standing:
        """Change one that people made, and nothing but that: no label, no area. Raises as `put`."""

    async def find(self, unique_id: str) -> Standing | None:
        """Return how it stands; None when there is none. Raises NeighbourError."""

    async def turn(self, unique_id: str, *, on: bool) -> Standing | None:
        """Switch it on or off; None when there is none. Raises NeighbourError."""

    async def remove(self, unique_id: str) -> bool:
        """Remove it; False when there was none. Raises NeighbourError."""

    async def phones(self) -> tuple[str, ...]:
        """Return the actions that notify the phones with Home Assistant's app. Raises NeighbourError."""


class HubEditor:
    """The editor of a real hub."""

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self._hub = hub
        self._clock = clock

    async def check(self, config: Mapping[str, Any]) -> None:
        said = await self._hub.command("validate_config", **{part: config.get(part, []) for part in _PARTS})
        for part in _PARTS:
            verdict = said.get(part) if isinstance(said, dict) else None
            if isinstance(verdict, dict) and verdict.get("valid") is False:
                raise NotWantedError(
                    f"hub: Home Assistant does not take its {part}: {str(verdict.get('error'))[:300]}"
                )

    async def put(self, unique_id: str, config: Mapping[str, Any], *, area_id: str | None) -> Standing:
        known = await self._entity_id(unique_id)
        await self._write(unique_id, config)
        entity_id = known or await self._appears(unique_id)
        await self._place(entity_id, area_id)
        return await self._there(unique_id)

    async def change(self, unique_id: str, config: Mapping[str, Any]) -> Standing:
        await self._write(unique_id, config)
        await self._appears(unique_id)
        return await self._there(unique_id)

    async def find(self, unique_id: str) -> Standing | None:
        try:
            said = await self._hub.get(_path(unique_id))
        except ReplyError as error:
            if error.status == 404:
                return None
            raise
        if not isinstance(said, dict):
            raise NeighbourError(f"hub: the automation {unique_id} is told in a form that is none")
        entity_id = await self._entity_id(unique_id)
        config = {key: value for key, value in plural(said).items() if key != "id"}
        enabled = entity_id is not None and await self._state(entity_id) == "on"
        return Standing(unique_id, entity_id or "", enabled, config)

    async def turn(self, unique_id: str, *, on: bool) -> Standing | None:
        entity_id = await self._entity_id(unique_id)
        if entity_id is None:
            return None
        await self._hub.command(
            "call_service",
            domain="automation",
            service="turn_on" if on else "turn_off",
            target={"entity_id": entity_id},
        )
        return await self.find(unique_id)

    async def remove(self, unique_id: str) -> bool:
        try:
            await self._hub.delete(_path(unique_id))
        except ReplyError as error:
            # The hub answers 400 "Resource not found" for what is not there; what is gone is gone.
            if error.status in {400, 404} and await self.find(unique_id) is None:
                return False
            raise
        return True

    async def phones(self) -> tuple[str, ...]:
        said = await self._hub.command("get_services")
        notify = said.get("notify") if isinstance(said, dict) else None
        names = sorted(notify) if isinstance(notify, dict) else []
        return tuple(f"notify.{name}" for name in names if name.startswith("mobile_app_"))

    async def _write(self, unique_id: str, config: Mapping[str, Any]) -> None:
        path = _path(unique_id)
        await self.check(config)
        try:
            await self._hub.post(path, dict(config))
        except ReplyError as error:
            if error.status == 400:
                raise NotWantedError(str(error)) from error
            raise

    async def _there(self, unique_id: str) -> Standing:
        standing = await self.find(unique_id)
        if standing is None:
            raise NotLoadedError
        return standing

    async def _appears(self, unique_id: str) -> str:
        deadline = self._clock.monotonic() + _APPEARS_WITHIN_SECONDS
        while True:
            if entity_id := await self._entity_id(unique_id):
                return entity_id
            if self._clock.monotonic() >= deadline:
                raise NotLoadedError
            await self._clock.sleep(_LOOK_EVERY_SECONDS)

    async def _entity_id(self, unique_id: str) -> str | None:
        entries = await self._hub.command("config/entity_registry/list")
        for entry in entries if isinstance(entries, list) else ():
            if (
                isinstance(entry, dict)
                and entry.get("platform") == "automation"
                and entry.get("unique_id") == unique_id
            ):
                return str(entry["entity_id"])
        return None

    async def _state(self, entity_id: str) -> str:
        try:
            said = await self._hub.get(f"states/{entity_id}")
        except ReplyError as error:
            if error.status == 404:
                return ""  # registered, and not loaded yet
            raise
        return str(said.get("state")) if isinstance(said, dict) else ""

    async def _place(self, entity_id: str, area_id: str | None) -> None:
        """Give it our label, and its area where a person has not given it one."""
        entry = await self._hub.command("config/entity_registry/get", entity_id=entity_id)
        labels = [str(label) for label in entry.get("labels") or ()]
        wanted: dict[str, Any] = {}
        if LABEL_ID not in labels:
            await self._make_label()
            wanted["labels"] = [*labels, LABEL_ID]
        if area_id and not entry.get("area_id"):
            wanted["area_id"] = area_id
        if wanted:
            try:
                await self._hub.command("config/entity_registry/update", entity_id=entity_id, **wanted)
            except CommandError as error:
                # The automation works without; a label or an area that went meanwhile is no reason to fail.
                _log.warning("%s: its label or area could not be set: %s", entity_id, error)

    async def _make_label(self) -> None:
        known = await self._hub.command("config/label_registry/list")
        if any(one.get("label_id") == LABEL_ID for one in known if isinstance(one, dict)):
            return
        try:
            await self._hub.command("config/label_registry/create", **_LABEL)
        except CommandError as error:
            _log.info("The label could not be made: %s", error)


def _path(unique_id: str) -> str:
    if not _ID.fullmatch(unique_id):
        raise ValueError(f"{unique_id!r} is no automation's id that can be asked for")
    return f"config/automation/config/{unique_id}"
