"""Nightshift as a device of the home: Home Assistant's device-based MQTT discovery.

One retained message describes the device with all its entities. Home Assistant has this since 2024.11; an
older one ignores the message. Source: its MQTT integration, `schemas.py` (DEVICE_DISCOVERY_SCHEMA).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import app
from app.announce.connection import OFFLINE, ONLINE
from app.announce.decisions import Told
from app.announce.job_news import JobEvent
from app.announce.morning_device import AREA_PREFIX, morning_components
from app.announce.morning_state import MorningPlan
from app.announce.status import Status
from app.announce.topics import Topics

EVENT_TYPES = ("created", "faded", *(told.value for told in Told))
PRESS, ON, OFF = "PRESS", "ON", "OFF"
_DIAGNOSTIC: Final = {"entity_category": "diagnostic"}


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """How the device presents itself. `url` leads to the page, where that is known."""

    name: str = "Nightshift"
    url: str | None = None


def device_payload(
    topics: Topics,
    facts: DeviceFacts,
    plan: MorningPlan | None = None,
    gone: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the discovery message, ready to be written as JSON.

    `plan` says which entities of the morning there are, None for none. `gone` are entities that an earlier
    message had, with their platforms: naming nothing but the platform takes them out of Home Assistant.
    """
    parts = _components(topics) | (morning_components(topics, plan) if plan else {})
    left = {key: {"platform": platform} for key, platform in (gone or {}).items() if key not in parts}
    device = {
        "identifiers": [topics.device_id],
        "name": facts.name,
        "manufacturer": "Nightshift",
        "model": "Home Assistant app",
        "sw_version": app.__version__,
    }
    if facts.url:
        device["configuration_url"] = facts.url
    return {
        "device": device,
        "origin": {"name": "nightshift", "sw_version": app.__version__},
        "availability_topic": topics.availability,
        "payload_available": ONLINE,
        "payload_not_available": OFFLINE,
        "qos": 1,
        "components": {key: _whole(key, part, topics, facts) for key, part in parts.items()} | left,
    }


def _whole(key: str, part: dict[str, Any], topics: Topics, facts: DeviceFacts) -> dict[str, Any]:
    """Add what every entity has: its lasting identity, and the entity id it gets when it first appears."""
    slug = "".join(c if c.isalnum() else "_" for c in facts.name.lower())
    return part | {
        "unique_id": f"{topics.device_id}_{key}",
        "default_entity_id": f"{part['platform']}.{slug}_{key.removeprefix(AREA_PREFIX)}",
    }


def _components(topics: Topics) -> dict[str, dict[str, Any]]:
    return _results(topics) | _doings(topics)


def _results(topics: Topics) -> dict[str, dict[str, Any]]:
    sensor, binary = partial(_reading, topics, "sensor"), partial(_reading, topics, "binary_sensor")
    states = [status.value for status in Status]
    return {
        "status": sensor("Status", "status", device_class="enum", options=states, icon="mdi:weather-night"),
        "running": binary("Analysis running", "running", device_class="running", **_DIAGNOSTIC),
        "last_run": sensor("Last run", "last_run", device_class="timestamp", **_DIAGNOSTIC),
        "next_run": sensor("Next run", "next_run", device_class="timestamp", **_DIAGNOSTIC),
        "last_run_duration": sensor(
            "Last run duration",
            "duration_seconds",
            device_class="duration",
            unit_of_measurement="s",
            state_class="measurement",
            **_DIAGNOSTIC,
        ),
        "pending_suggestions": sensor(
            "Pending suggestions", "pending", state_class="measurement", icon="mdi:lightbulb-on-outline"
        )
        | _attribute(topics, "titles"),
        "problem": binary("Problem", "problem", device_class="problem", **_DIAGNOSTIC)
        | _attribute(topics, "message"),
    }


def _doings(topics: Topics) -> dict[str, dict[str, Any]]:
    return {
        "suggestion": {
            "platform": "event",
            "name": "Suggestion",
            "event_types": list(EVENT_TYPES),
            "state_topic": topics.event,
            "icon": "mdi:lightbulb-auto-outline",
        },
        "job": {
            "platform": "event",
            "name": "Job",
            "event_types": [event.value for event in JobEvent],
            "state_topic": topics.job_event,
            "icon": "mdi:clipboard-alert-outline",
            **_DIAGNOSTIC,
        },
        "run_now": {
            "platform": "button",
            "name": "Run now",
            "command_topic": topics.run,
            "payload_press": PRESS,
            "icon": "mdi:play",
        },
        "nightly_analysis": {
            "platform": "switch",
            "name": "Nightly analysis",
            "entity_category": "config",
            "state_topic": topics.state,
            "value_template": _on_off("enabled"),
            "command_topic": topics.enabled,
            "payload_on": ON,
            "payload_off": OFF,
            "icon": "mdi:calendar-clock",
        },
    }


def _reading(topics: Topics, platform: str, name: str, field: str, **more: Any) -> dict[str, Any]:
    """Describe an entity that shows one field of the state message."""
    template = _on_off(field) if platform == "binary_sensor" else f"{{{{ value_json.{field} }}}}"
    return {
        "platform": platform,
        "name": name,
        "state_topic": topics.state,
        "value_template": template,
        **more,
    }


def _attribute(topics: Topics, field: str) -> dict[str, Any]:
    """Give an entity one more field of the state message as an attribute."""
    return {
        "json_attributes_topic": topics.state,
        "json_attributes_template": f"{{{{ {{'{field}': value_json.{field}}} | tojson }}}}",
    }


def _on_off(field: str) -> str:
    return f"{{{{ '{ON}' if value_json.{field} else '{OFF}' }}}}"
