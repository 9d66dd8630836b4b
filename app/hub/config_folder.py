"""What lies beside a recorder database when it was copied with its configuration folder.

Home Assistant keeps its registries as JSON in `.storage`, its zone and place there (`core.config`) or in
`configuration.yaml`. All of it is optional, private and changes between versions, so what cannot be read is
left out. Only what is named here is looked at: the folder also holds secrets.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from app.hub.automations import sequence
from app.hub.names import plain_name, readable_name
from app.model import Area, Automation, Device, Entity, Home, Person, Script, User

_LARGEST_FILE = 64 * 2**20
_ADMINS = "system-admin"
_Model = TypeVar("_Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """Reads Home Assistant's YAML; `!include`, `!secret` and the like become None."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def facts_beside(path: Path) -> Home | None:
    """Return the home that the files beside a recorder database tell of; None if they tell no time zone."""
    home = read_folder(path.parent)
    return home if "time_zone" in home.model_fields_set else None


def read_folder(folder: Path) -> Home:
    """Return what the configuration folder tells. What it does not tell keeps the model's defaults."""
    storage = folder / ".storage"
    devices = _devices(storage)
    places = {device.device_id: device.area_id for device in devices}
    groups = _groups(storage)
    entities = tuple(_entities(storage, places, groups))
    facts = _core(folder)
    facts |= {
        "areas": tuple(_area(item) for item in _items(storage / "core.area_registry", "areas")),
        "devices": devices,
        "entities": entities,
        "persons": tuple(_person(item) for item in _items(storage / "person", "items")),
        "users": tuple(_user(item) for item in _items(storage / "auth", "users")),
        "automations": tuple(_automations(folder, storage)),
        "scripts": tuple(_scripts(folder)),
    }
    for key in ("areas", "devices", "entities", "persons", "users", "automations", "scripts"):
        facts[key] = tuple(found for found in facts[key] if found is not None)
    return _made(Home, facts) or Home()


def merged(told: Home, beside: Home) -> Home:
    """Return a recorder's own home, completed by its configuration folder's, entity by entity."""
    registry = {entity.entity_id: entity for entity in beside.entities}
    entities = tuple(
        _completed(entity, registry[entity.entity_id]) if entity.entity_id in registry else entity
        for entity in told.entities
    )
    configs = {automation.unique_id: automation.config for automation in beside.automations}
    automations = tuple(
        automation.model_copy(update={"config": configs.get(automation.unique_id, {})})
        for automation in told.automations
    )
    persons = {person.entity_id: person for person in (*told.persons, *beside.persons)}
    core: dict[str, Any] = {
        key: getattr(beside, key)
        for key in ("name", "time_zone", "latitude", "longitude", "elevation", "language", "version")
        if key in beside.model_fields_set
    }
    return told.model_copy(
        update={
            **core,
            "areas": beside.areas,
            "devices": beside.devices,
            "entities": entities,
            "persons": tuple(persons.values()),
            "users": beside.users,
            "automations": automations,
            "scripts": beside.scripts,
        }
    )


def _completed(entity: Entity, registered: Entity) -> Entity:
    found = registered.model_dump(exclude={"entity_id", "name"}, exclude_defaults=True)
    return entity.model_copy(update=found)


def _made(kind: type[_Model], facts: Mapping[str, Any]) -> _Model | None:
    try:
        return kind.model_validate(facts)
    except ValidationError:
        return None


def _core(folder: Path) -> dict[str, Any]:
    found = _object(folder / ".storage" / "core.config").get("data", {})
    if not isinstance(found, dict) or "time_zone" not in found:
        document = _yaml(folder / "configuration.yaml")
        found = document.get("homeassistant") if isinstance(document, dict) else None
    if not isinstance(found, dict):
        return {}
    names = {"location_name": "name", "name": "name"}
    core = {names.get(key, key): value for key, value in found.items() if value is not None}
    kept: tuple[str, ...] = ("name", "time_zone", "latitude", "longitude", "elevation", "language")
    # One by one: a wrong latitude must not cost the zone.
    usable: dict[str, Any] = {key: core[key] for key in kept if key in core and _made(Home, {key: core[key]})}
    version = _text(folder / ".HA_VERSION").strip()[:32]
    if version:
        usable["version"] = version
    return usable


def _area(item: Mapping[str, Any]) -> Area | None:
    return _made(
        Area, {"area_id": item.get("id") or item.get("area_id"), "name": plain_name(item.get("name")) or None}
    )


def _devices(storage: Path) -> tuple[Device, ...]:
    found = [
        _made(Device, {
            "device_id": item.get("id"),
            "name": plain_name(item.get("name_by_user") or item.get("name")),
            "area_id": item.get("area_id"),
        })
        for item in _items(storage / "core.device_registry", "devices")
    ]  # fmt: skip
    return tuple(device for device in found if device is not None)


def _entities(
    storage: Path, places: Mapping[str, str | None], groups: Mapping[str, tuple[str, ...]]
) -> list[Entity | None]:
    return [
        _made(Entity, {
            "entity_id": item.get("entity_id"),
            "name": plain_name(item.get("name") or item.get("original_name"))
            or readable_name(str(item["entity_id"])),
            "area_id": item.get("area_id") or places.get(str(item.get("device_id"))),
            "device_id": item.get("device_id"),
            "platform": item.get("platform"),
            "device_class": item.get("device_class") or item.get("original_device_class"),
            "unit": item.get("unit_of_measurement"),
            "entity_category": item.get("entity_category"),
            "hidden": bool(item.get("hidden_by")),
            "disabled": bool(item.get("disabled_by")),
            "members": groups.get(str(item.get("config_entry_id")), ()),
        })
        for item in _items(storage / "core.entity_registry", "entities")
        if "entity_id" in item
    ]  # fmt: skip


def _groups(storage: Path) -> dict[str, tuple[str, ...]]:
    """A group helper's members stand only in its configuration entry: the recorder leaves them out."""
    found = {}
    for item in _items(storage / "core.config_entries", "entries"):
        options = item.get("options")
        if item.get("domain") == "group" and isinstance(options, dict):
            members = options.get("entities")
            if isinstance(members, list):
                found[str(item.get("entry_id"))] = tuple(str(member) for member in members)
    return found


def _person(item: Mapping[str, Any]) -> Person | None:
    return _made(Person, {
        "entity_id": f"person.{item.get('id')}",
        "name": plain_name(item.get("name")),
        "user_id": item.get("user_id"),
    })  # fmt: skip


def _user(item: Mapping[str, Any]) -> User | None:
    groups = item.get("group_ids")
    admin = bool(item.get("is_owner")) or (isinstance(groups, list) and _ADMINS in groups)
    return _made(User, {**item, "name": plain_name(item.get("name")), "is_admin": admin})


def _automations(folder: Path, storage: Path) -> list[Automation | None]:
    document = _yaml(folder / "automations.yaml")
    entity_ids = {
        str(item.get("unique_id")): item.get("entity_id")
        for item in _items(storage / "core.entity_registry", "entities")
        if item.get("platform") == "automation"
    }
    return [
        _made(Automation, {
            "entity_id": entity_ids.get(str(item.get("id"))) or f"automation.{item.get('id')}",
            "unique_id": str(item.get("id")),
            "alias": item.get("alias") or "",
            "config": _with_plural_keys(item),
        })
        for item in (document if isinstance(document, list) else [])
        if isinstance(item, dict)
    ]  # fmt: skip


def _scripts(folder: Path) -> list[Script | None]:
    document = _yaml(folder / "scripts.yaml")
    return [
        _made(Script, {
            "entity_id": f"script.{name}",
            "alias": item.get("alias") or "",
            "config": {**item, "sequence": sequence(item.get("sequence"))},
        })
        for name, item in (document.items() if isinstance(document, dict) else ())
        if isinstance(item, dict)
    ]  # fmt: skip


def _with_plural_keys(item: Mapping[str, Any]) -> dict[str, Any]:
    plural = {"trigger": "triggers", "condition": "conditions", "action": "actions"}
    return {plural.get(key, key): value for key, value in item.items()}


def _items(path: Path, key: str) -> list[dict[str, Any]]:
    data = _object(path).get("data")
    items = data.get(key) if isinstance(data, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _object(path: Path) -> dict[str, Any]:
    found = _parsed(path, json.loads)
    return found if isinstance(found, dict) else {}


def _yaml(path: Path) -> Any:
    return _parsed(path, lambda text: yaml.load(text, _Loader))  # noqa: S506 - a SafeLoader that skips tags


def _parsed(path: Path, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(_text(path))
    except (ValueError, yaml.YAMLError, RecursionError):
        return None


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            return ""
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
