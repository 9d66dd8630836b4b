"""A home as its hub describes it: configuration, areas, devices, entities, people, automations, scripts."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from app.errors import NeighbourError
from app.hub.attribution import OURS
from app.hub.automations import read_automations
from app.hub.client import Hub
from app.hub.errors import CommandError
from app.hub.names import plain_name
from app.hub.scripts import read_scripts
from app.model import Area, Device, Entity, Home, Person, User

_log = logging.getLogger(__name__)
T = TypeVar("T")
Item = Mapping[str, Any]
_DEEPEST_DEVICE = 5


async def read_home(hub: Hub, home_id: str = "home") -> Home:
    """Ask the hub for everything `Home` holds.

    One broken item is left out and the number logged. Raises NeighbourError when the hub does not answer, or
    its configuration (its zone, above all) makes no sense.
    """
    config, *lists = await asyncio.gather(
        hub.command("get_config"),
        _asked(hub, "config/area_registry/list"),
        _asked(hub, "config/device_registry/list"),
        _asked(hub, "config/entity_registry/list"),
        _asked(hub, "get_states"),
        _asked(hub, "person/list"),
        _asked(hub, "config/auth/list"),
    )
    areas, devices, entries, states, persons, users = lists
    by_id = {s["entity_id"]: s for s in _items(states) if isinstance(s.get("entity_id"), str)}
    registry = {e["entity_id"]: e for e in _items(entries) if isinstance(e.get("entity_id"), str)}
    unique_ids = {entity_id: str(e["unique_id"]) for entity_id, e in registry.items() if e.get("unique_id")}
    automations = await read_automations(hub, by_id, unique_ids)
    scripts = await read_scripts(hub, by_id)

    def assemble() -> Home:
        known_devices = _devices(_items(devices))
        return Home(
            home_id=home_id,
            **_facts(config),
            areas=_each("areas", _items(areas), _area),
            devices=tuple(known_devices.values()),
            entities=_entities(registry, by_id, known_devices, _Labels(_items(areas), _items(devices))),
            persons=_persons(persons, registry, by_id),
            users=_each("users", _items(users), _user),
            automations=automations,
            scripts=scripts,
        )

    try:
        # Thousands of entities take a while, and an unknown zone is looked for among files.
        return await asyncio.to_thread(assemble)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "time_zone"
        raise NeighbourError(
            f"hub: its configuration cannot be used ({where}: {first['msg'].removeprefix('Value error, ')}); "
            "check Settings, System, General in Home Assistant"
        ) from None


async def _asked(hub: Hub, kind: str) -> Any:
    """Return the answer, or None when this hub refuses or does not have the command."""
    try:
        return await hub.command(kind)
    except CommandError as error:
        _log.warning("%s: going on without it", error)
        return None


def _facts(config: Any) -> dict[str, Any]:
    if not isinstance(config, dict):
        raise NeighbourError("hub: get_config was not answered with a configuration")
    names = {
        "location_name": "name", "time_zone": "time_zone", "latitude": "latitude", "longitude": "longitude",
        "elevation": "elevation", "language": "language", "version": "version",
    }  # fmt: skip
    facts = {ours: config[theirs] for theirs, ours in names.items() if config.get(theirs) is not None}
    if name := plain_name(facts.pop("name", None)):
        facts["name"] = name
    return facts


def _items(said: Any) -> list[Item]:
    return [item for item in said if isinstance(item, dict)] if isinstance(said, list) else []


def _each(what: str, items: Iterable[Item], make: Callable[[Item], T]) -> tuple[T, ...]:
    """Make one of each; those that cannot be made are counted, not fatal."""
    made, broken = [], 0
    for item in items:
        try:
            made.append(make(item))
        except (ValidationError, KeyError, TypeError, AttributeError):
            broken += 1
    if broken:
        _log.warning("%d of the hub's %s could not be read and were left out", broken, what)
    return tuple(made)


def _area(item: Item) -> Area:
    return Area(area_id=item["area_id"], name=plain_name(item["name"]))


def _user(item: Item) -> User:
    owner = item.get("is_owner") is True
    return User(
        id=item["id"],
        name=plain_name(item.get("name")),
        is_owner=owner,
        is_active=item.get("is_active", True),
        is_admin=owner or "system-admin" in (item.get("group_ids") or ()),
        system_generated=item.get("system_generated", False),
    )


def _devices(items: list[Item]) -> dict[str, Device]:
    """Return devices by id; a child device without an area of its own has its parent's."""
    raw = {item["id"]: item for item in items if isinstance(item.get("id"), str)}

    def area_of(item: Item) -> str | None:
        for _ in range(_DEEPEST_DEVICE):
            if item.get("area_id"):
                return str(item["area_id"])
            parent = raw.get(item.get("parent_device_id") or "")
            if parent is None:
                break
            item = parent
        return None

    def make(item: Item) -> Device:
        name = item.get("name_by_user") or item.get("name")
        return Device(device_id=item["id"], name=plain_name(name), area_id=area_of(item))

    return {device.device_id: device for device in _each("devices", raw.values(), make)}


class _Labels:
    """The labels that areas and devices hand down to what is in them."""

    def __init__(self, areas: list[Item], devices: list[Item]) -> None:
        self._areas = {item.get("area_id"): _texts(item.get("labels")) for item in areas}
        self._devices = {item.get("id"): _texts(item.get("labels")) for item in devices}

    def of(self, entry: Item, area_id: str | None) -> tuple[str, ...]:
        """Return an entity's labels: its own, its device's, its area's."""
        own = _texts(entry.get("labels"))
        inherited = self._devices.get(entry.get("device_id"), set()) | self._areas.get(area_id, set())
        return tuple(sorted(own | inherited))


def _texts(said: Any) -> set[str]:
    return {one for one in said if isinstance(one, str)} if isinstance(said, list) else set()


def _entities(
    registry: Mapping[str, Item], states: Mapping[str, Item], devices: Mapping[str, Device], labels: _Labels
) -> tuple[Entity, ...]:
    """Return what is registered and what only has a state, by entity id.

    Nightshift's own entities are no part of the home: what they do says nothing of the people in it.
    """

    def make(pair: Item) -> Entity:
        entity_id, entry, state = pair["entity_id"], pair["entry"], pair["state"]
        attributes = state.get("attributes") or {}
        device = devices.get(entry.get("device_id") or "")
        area_id = entry.get("area_id") or (device.area_id if device else None)
        return Entity(
            entity_id=entity_id,
            name=plain_name(
                entry.get("name") or attributes.get("friendly_name") or entry.get("original_name")
            ),
            area_id=area_id,
            device_id=entry.get("device_id"),
            platform=entry.get("platform"),
            device_class=attributes.get("device_class") or entry.get("original_device_class"),
            unit=attributes.get("unit_of_measurement"),
            entity_category=entry.get("entity_category"),
            hidden=entry.get("hidden_by") is not None,
            disabled=entry.get("disabled_by") is not None,
            members=_members(entity_id, attributes),
            labels=labels.of(entry, area_id),
        )

    pairs = (
        {"entity_id": i, "entry": registry.get(i, {}), "state": states.get(i, {})}
        for i in sorted({*registry, *states})
        if not _own(registry.get(i, {}))
    )
    return _each("entities", pairs, make)


def _own(entry: Item) -> bool:
    return entry.get("platform") == "mqtt" and str(entry.get("unique_id", "")).startswith(OURS)


def _members(entity_id: str, attributes: Item) -> tuple[str, ...]:
    """Return what a group consists of. A scene lists entities too, but as a plan, not as members."""
    listed = attributes.get("entity_id")
    if entity_id.startswith("scene.") or not isinstance(listed, list | tuple):
        return ()
    return tuple(member for member in listed if isinstance(member, str))


def _persons(said: Any, registry: Mapping[str, Item], states: Mapping[str, Item]) -> tuple[Person, ...]:
    said = said if isinstance(said, dict) else {}
    entity_of = {str(e.get("unique_id")): i for i, e in registry.items() if e.get("platform") == "person"}
    for entity_id, state in states.items():
        if entity_id.startswith("person."):
            attributes = state.get("attributes") or {}
            entity_of.setdefault(str(attributes.get("id")), entity_id)

    def make(item: Item) -> Person:
        person_id = str(item["id"])
        return Person(
            entity_id=entity_of.get(person_id, f"person.{person_id}"),
            name=plain_name(item.get("name")),
            user_id=item.get("user_id"),
        )

    return _each("persons", [*_items(said.get("storage")), *_items(said.get("config"))], make)
