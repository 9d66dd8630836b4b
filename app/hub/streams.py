"""Which entities' pasts are worth reading."""

import re
from dataclasses import dataclass

from app.hub.attribution import CALLABLE
from app.model import Entity, Home

_VALID = re.compile(r"^[a-z0-9_]{1,64}\.[a-z0-9_]{1,255}$")
"""One name that the hub does not take would spoil a whole request."""
_NEVER = frozenset({
    "ai_task", "camera", "configurator", "conversation", "counter", "geo_location", "image",
    "image_processing", "notify", "persistent_notification", "stt", "sun", "tag", "todo", "tts", "update",
    "wake_word", "weather", "zone",
})  # fmt: skip
"""Domains that say nothing about what people do, or nothing that changes with it."""
_DULL_CLASSES = frozenset({
    "apparent_power", "data_rate", "data_size", "date", "duration", "energy", "energy_storage", "frequency",
    "gas", "monetary", "power_factor", "reactive_power", "signal_strength", "timestamp", "uptime",
    "voltage", "water",
})  # fmt: skip
"""Sensors that count up, tick, or describe a radio."""


@dataclass(frozen=True, slots=True)
class Streams:
    """Entity ids. `all` are read; `linked` of them are asked about in the logbook; `runs` are the automations
    and scripts whose runs the logbook tells.
    """

    all: tuple[str, ...]
    linked: tuple[str, ...]
    runs: tuple[str, ...]


def streams_of(home: Home) -> Streams:
    """Choose from the home's entities."""
    present = [e for e in home.entities if not e.disabled and _VALID.match(e.entity_id)]
    wanted = tuple(e.entity_id for e in present if _wanted(e))
    return Streams(
        all=wanted,
        linked=tuple(entity_id for entity_id in wanted if entity_id.partition(".")[0] in CALLABLE),
        runs=tuple(e.entity_id for e in present if e.domain in {"automation", "script"}),
    )


def _wanted(entity: Entity) -> bool:
    if entity.domain in _NEVER or entity.entity_category is not None:
        return False
    return entity.domain != "sensor" or entity.device_class not in _DULL_CLASSES
