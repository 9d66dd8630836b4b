"""What is told over MQTT of an alert and of an urgent recommendation. Pure."""

from typing import Any, Final

from app.alerts.alert import Alert
from app.alerts.announcements import AlertChange, AlertChanged
from app.announce.status import json_text
from app.insights.announcements import CoachAlert
from app.insights.insight import Priority
from app.jobs.text import one_line

ALERT_EVENTS: Final = tuple(change.value for change in AlertChange)
"""The event types of the *Alert* entity."""
COACH_EVENTS: Final = tuple(priority.value for priority in Priority)
"""Those of the *Recommendation* entity: its priority."""
_TITLE_LENGTH: Final = 120
_TEXT_LENGTH: Final = 255


def alert_message(changed: AlertChanged) -> str:
    """Return the event as JSON: what happened to the alert, and the alert.

    `tell` is true where people are to be told of it now: quiet hours and the rate limit are behind it.
    """
    return json_text({"event_type": changed.change, **_facts(changed.alert), "tell": changed.tell})


def coach_message(alert: CoachAlert) -> str:
    """Return the `coach_alert` as JSON: type, priority, title, message, recommendation_id, timestamp."""
    return json_text(
        {
            "type": alert.type,
            "priority": alert.priority,
            "title": one_line(alert.title, _TITLE_LENGTH),
            "message": one_line(alert.message, _TEXT_LENGTH),
            "recommendation_id": alert.recommendation_id,
            "timestamp": alert.timestamp.isoformat(timespec="seconds"),
        }
    )


def _facts(alert: Alert) -> dict[str, Any]:
    return {
        "alert_id": alert.alert_id,
        "kind": alert.kind,
        "level": alert.level,
        "title": one_line(alert.title, _TITLE_LENGTH),
        "description": one_line(alert.description, _TEXT_LENGTH),
        "place": one_line(alert.place, _TITLE_LENGTH),
        "entity_id": alert.entity_id,
        "detected_at": alert.detected_at.isoformat(timespec="seconds"),
        "reopened_at": alert.reopened_at.isoformat(timespec="seconds") if alert.reopened_at else None,
        "times": alert.times,
        "open": alert.open,
    }
