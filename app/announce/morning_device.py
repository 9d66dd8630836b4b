"""The morning's entities of the device: scores, alerts, the last report, home and areas."""

import json
from typing import Any, Final

from app.alerts.alert import Level
from app.announce.alert_news import ALERT_EVENTS, COACH_EVENTS
from app.announce.morning_state import MAIN_SCORECARD, AreaPlan, MorningPlan
from app.announce.topics import Topics
from app.statistics.measures import Quantity

_QUIET_LEVELS: Final = frozenset({Level.LOW, Level.INFO})
_LEVEL_ICONS: Final = {
    Level.CRITICAL: "mdi:alert-octagon",
    Level.HIGH: "mdi:alert",
    Level.MEDIUM: "mdi:alert-circle-outline",
    Level.LOW: "mdi:information-outline",
    Level.INFO: "mdi:information-outline",
}
_MEASURED: Final[dict[Quantity, tuple[str, dict[str, str]]]] = {
    Quantity.TEMPERATURE: (
        "temperature",
        {"device_class": "temperature", "unit_of_measurement": "°C"},
    ),
    Quantity.HUMIDITY: ("humidity", {"device_class": "humidity", "unit_of_measurement": "%"}),
    Quantity.CO2: ("CO₂", {"device_class": "carbon_dioxide", "unit_of_measurement": "ppm"}),
}
AREA_PREFIX: Final = "area_"
"""Before the key of an area's entity, which may be called as it likes; entity ids go without."""


def morning_components(topics: Topics, plan: MorningPlan) -> dict[str, dict[str, Any]]:
    """Return the entities by key."""
    return _scores(topics, plan) | _alerts(topics) | _home(topics) | _areas(topics, plan)


def _scores(topics: Topics, plan: MorningPlan) -> dict[str, dict[str, Any]]:
    found = {}
    for name, title in plan.scorecards:
        main = name == MAIN_SCORECARD
        key = "health_score" if main else f"health_score_{name}"
        found[key] = {
            **_sensor(
                topics.morning, "Health score" if main else f"Health score: {title}", "scores", name, "score"
            ),
            **_details(topics.morning, "scores", name),
            "state_class": "measurement",
            "icon": "mdi:heart-pulse",
        }
    report = _sensor(topics.morning, "Last report", "report", "generated_at")
    found["last_report"] = {
        **report,
        **_details(topics.morning, "report"),
        "device_class": "timestamp",
        "icon": "mdi:file-document-outline",
    }
    return found


def _alerts(topics: Topics) -> dict[str, dict[str, Any]]:
    of_level = {
        f"alerts_{level}": {
            **_sensor(topics.morning, f"Alerts {level}", "alerts", level),
            "state_class": "measurement",
            "icon": _LEVEL_ICONS[level],
            **({"enabled_by_default": False} if level in _QUIET_LEVELS else {}),
        }
        for level in Level
    }
    return {
        "alerts": {
            **_sensor(topics.morning, "Alerts", "alerts", "open"),
            "state_class": "measurement",
            "icon": "mdi:bell-alert-outline",
            "json_attributes_topic": topics.morning,
            "json_attributes_template": "{{ value_json.alerts | tojson }}",
        },
        **of_level,
        "danger": {
            "platform": "binary_sensor",
            "name": "Danger",
            "device_class": "safety",
            "state_topic": topics.morning,
            "value_template": "{{ 'ON' if value_json.alerts.critical else 'OFF' }}",
        },
        "alert": _event("Alert", topics.alert, ALERT_EVENTS, "mdi:bell-ring-outline"),
        "coach_alert": {
            **_event("Recommendation", topics.coach_alert, COACH_EVENTS, "mdi:lightbulb-alert-outline"),
            # The message is what other programs take; the entity wants its event type in it.
            "value_template": "{{ dict(value_json, event_type=value_json.priority) | tojson }}",
        },
    }


def _home(topics: Topics) -> dict[str, dict[str, Any]]:
    return {
        "events_today": {
            **_sensor(topics.areas, "Events today", "events_today"),
            "state_class": "total_increasing",
            "icon": "mdi:counter",
        },
        "automations_fired_today": {
            **_sensor(topics.areas, "Automations fired today", "automations_fired_today"),
            "state_class": "total_increasing",
            "icon": "mdi:robot-outline",
        },
    }


def _areas(topics: Topics, plan: MorningPlan) -> dict[str, dict[str, Any]]:
    return {key: part for area in plan.areas for key, part in _area(topics, area).items()}


def _area(topics: Topics, area: AreaPlan) -> dict[str, dict[str, Any]]:
    start = f"{AREA_PREFIX}{area.key}_"
    found: dict[str, dict[str, Any]] = {
        f"{start}events_today": {
            **_sensor(topics.areas, f"{area.name} events today", "areas", area.key, "events_today"),
            "state_class": "total_increasing",
            "icon": "mdi:counter",
            # Many homes have many areas, and each change is a row in the hub's recorder.
            "enabled_by_default": False,
        }
    }
    for quantity in area.quantities:
        words, more = _MEASURED[quantity]
        found[f"{start}{quantity}"] = {
            **_sensor(topics.areas, f"{area.name} {words}", "areas", area.key, quantity),
            "state_class": "measurement",
            **more,
        }
    return found


def _sensor(topic: str, name: str, *path: str) -> dict[str, Any]:
    """Describe a sensor of what is found by that path in a message; what is not there yet is unknown."""
    return {
        "platform": "sensor",
        "name": name,
        "state_topic": topic,
        "value_template": f"{{{{ {_value(*path)} }}}}",
    }


def _details(topic: str, *path: str) -> dict[str, str]:
    return {
        "json_attributes_topic": topic,
        "json_attributes_template": f"{{{{ ({_value(*path, 'details')} or {{}}) | tojson }}}}",
    }


def _value(*path: str) -> str:
    """Return the expression; a step that is missing gives none instead of an error in the hub's log."""
    *steps, last = path
    inner = "".join(f".get({json.dumps(step)}, {{}})" for step in steps)
    return f"value_json{inner}.get({json.dumps(last)})"


def _event(name: str, topic: str, types: tuple[str, ...], icon: str) -> dict[str, Any]:
    return {"platform": "event", "name": name, "event_types": list(types), "state_topic": topic, "icon": icon}
