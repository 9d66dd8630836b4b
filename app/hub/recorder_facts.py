"""What a recorder database tells about the home itself: entities, persons and automations.

The recorder keeps an entity's attributes with its states; names, units and classes are read from the newest
state that carries them. Areas, zone and place are not in it (`config_folder.facts_beside` may find those).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.events import number_of
from app.hub.names import readable_name
from app.hub.recorder_file import RecorderFile
from app.model import Automation, Entity, Home, Person

NUMERIC_DOMAINS = frozenset({"sensor", "number", "input_number", "counter"})
_SILENT = frozenset({"unavailable", "unknown", "", None})
_LOOK_BACK = 20
"""Newest rows of an entity that are looked through for one with a state and all its attributes."""


@dataclass(frozen=True, slots=True)
class Known:
    """An entity in the file: `key` is its metadata_id, or its entity id in the older layout."""

    key: int | str
    entity_id: str
    state: str
    attributes: dict[str, Any]

    @property
    def domain(self) -> str:
        return self.entity_id.partition(".")[0]

    @property
    def is_numeric(self) -> bool:
        """A stream of measurements, of which `recorder.read_recorder` keeps a thinned one."""
        if self.domain not in NUMERIC_DOMAINS:
            return False
        if self.attributes.get("state_class") or self.attributes.get("unit_of_measurement"):
            return True
        return number_of(self.state) is not None


def known_entities(file: RecorderFile) -> list[Known]:
    """Return every entity that has rows, with its newest state and attributes."""
    found: dict[str, Known] = {}
    if file.layout.by_name:
        found |= {known.entity_id: known for known in _newest(file, "entity_id", _names_in_rows(file))}
    if file.layout.by_id:
        names = file.rows("SELECT metadata_id, entity_id FROM states_meta WHERE entity_id IS NOT NULL")
        found |= {known.entity_id: known for known in _newest(file, "metadata_id", dict(names))}
    return list(found.values())


def _names_in_rows(file: RecorderFile) -> dict[str, str]:
    query = "SELECT DISTINCT entity_id FROM states WHERE entity_id IS NOT NULL"
    if file.layout.indexed and not file.layout.by_id:
        # A loose index scan: one seek for each entity instead of a look at every row.
        query = (
            "WITH RECURSIVE n(e) AS (SELECT MIN(entity_id) FROM states UNION ALL"
            " SELECT (SELECT MIN(entity_id) FROM states WHERE entity_id > n.e) FROM n WHERE n.e IS NOT NULL)"
            " SELECT e FROM n WHERE e IS NOT NULL"
        )
    return {name: name for (name,) in file.rows(query)}


def _newest(file: RecorderFile, column: str, names: Mapping[Any, str]) -> Iterator[Known]:
    newest = _newest_by_seek(file, column, names) if file.layout.indexed else _newest_by_scan(file, column)
    for key, entity_id in names.items():
        state, text = newest.get(key, ("", None))
        yield Known(key, entity_id, state, _attributes(text))


def _newest_by_seek(
    file: RecorderFile, column: str, keys: Iterable[Any]
) -> dict[Any, tuple[str, str | None]]:
    query = (
        "SELECT s.state, a.shared_attrs FROM states s LEFT JOIN state_attributes a USING (attributes_id)"  # noqa: S608 - our own names
        f" WHERE s.{column} = ? ORDER BY s.last_updated_ts DESC LIMIT {_LOOK_BACK}"
    )
    newest = {}
    for key in keys:
        if rows := file.rows(query, [key]):
            state, text = next((row for row in rows if row[0] not in _SILENT), rows[0])
            newest[key] = (state or "", text)
    return newest


def _newest_by_scan(file: RecorderFile, column: str) -> dict[Any, tuple[str, str | None]]:
    """For a file without Home Assistant's indexes: SQLite takes the other columns from the row of the MAX."""
    rows = file.rows(
        f"SELECT n.k, n.state, a.shared_attrs FROM (SELECT {column} AS k, state, attributes_id,"  # noqa: S608 - our own names
        " MAX(last_updated_ts) FROM states WHERE state NOT IN ('unavailable', 'unknown', '') GROUP BY 1) n"
        " LEFT JOIN state_attributes a USING (attributes_id)"
    )
    return {key: (state or "", text) for key, state, text in rows}


def _attributes(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def home_of(entities: Iterable[Known]) -> Home:
    """Return the home as far as the entities' attributes tell; its zone is UTC until somebody knows it."""
    entities = sorted(entities, key=lambda known: known.entity_id)
    return Home(
        entities=tuple(
            Entity(
                entity_id=known.entity_id,
                name=_text(known, "friendly_name") or readable_name(known.entity_id),
                device_class=_text(known, "device_class"),
                unit=_text(known, "unit_of_measurement"),
                members=_members(known),
            )
            for known in entities
        ),
        persons=tuple(
            Person(
                entity_id=known.entity_id,
                name=_text(known, "friendly_name") or readable_name(known.entity_id),
                user_id=_text(known, "user_id"),
            )
            for known in entities
            if known.domain == "person"
        ),
        automations=tuple(
            Automation(
                entity_id=known.entity_id,
                unique_id=_text(known, "id"),
                alias=_text(known, "friendly_name") or readable_name(known.entity_id),
                enabled=known.state != "off",
            )
            for known in entities
            if known.domain == "automation"
        ),
    )


def _text(known: Known, key: str) -> str | None:
    found = known.attributes.get(key)
    return found if isinstance(found, str) and found else None


def _members(known: Known) -> tuple[str, ...]:
    # A scene lists in `entity_id` what it touches: that is no group.
    found = known.attributes.get("entity_id")
    if known.domain == "scene" or not isinstance(found, list):
        return ()
    return tuple(member for member in found if isinstance(member, str))
