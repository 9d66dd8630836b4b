"""What a phone and the hub's side bar show of an alert and of an urgent recommendation. Pure.

Source: companion documentation: critical notifications, notification commands, actionable notifications.
"""

import re
from typing import Any, Final

from app.alerts.alert import Alert, Level
from app.announce.notification import Notification
from app.insights.announcements import CoachAlert
from app.insights.insight import Priority

ACKNOWLEDGE: Final = "NIGHTSHIFT_ALERT_ACK_"
"""The button's action, before the alert's id."""
_ACTION: Final = re.compile(rf"{ACKNOWLEDGE}([A-Za-z0-9]{{1,64}})")
_PREFIX: Final = "nightshift_alert_"
_CLEAR: Final = "clear_notification"
"""The companion app takes a notification of that message as the order to take one away."""
_MARKED: Final = re.compile(r"([\\`*_\[\]<>#|~!])")
_THROUGH_SILENCE: Final[dict[str, Any]] = {
    # Android: at once, and with the alarm's sound though the phone is silent; iOS: a critical notification.
    "ttl": 0,
    "priority": "high",
    "channel": "alarm_stream",
    "push": {"interruption-level": "critical", "sound": {"name": "default", "critical": 1, "volume": 1.0}},
}
_AT_ONCE: Final[dict[str, Any]] = {"ttl": 0, "priority": "high"}
_SILENT: Final[dict[str, Any]] = {
    "channel": "Nightshift, silent",
    "importance": "low",
    "push": {"interruption-level": "passive", "sound": "none"},
}


def notification_id(alert: Alert) -> str:
    """Return what the alert's notification is known by, on phones and in the side bar."""
    return f"{_PREFIX}{alert.alert_id}"


def on_phone(alert: Alert, page: str) -> Notification:
    """Return what a phone shows of an alert; `page` is the path of Nightshift's page in the hub, or empty."""
    place = f"{page}/alerts" if page else ""
    button = {"action": f"{ACKNOWLEDGE}{alert.alert_id}", "title": "Acknowledge"}
    return Notification(
        alert.title,
        alert.description,
        place,
        (button, *_details(place)),
        tag=notification_id(alert),
        more=_loudness(alert.level),
    )


def off_phone(alert: Alert) -> Notification:
    """Return what takes the alert's notification off a phone."""
    return Notification("", _CLEAR, tag=notification_id(alert))


def in_side_bar(alert: Alert, page: str) -> tuple[str, str]:
    """Return title and text (Markdown) of the notification in the side bar."""
    place = f" ({_plain(alert.place)})" if alert.place and alert.place not in alert.title else ""
    more = f"\n\n[Open Nightshift]({page}/alerts)" if page else ""
    return alert.title, f"{_plain(alert.description)}{place}{more}"


def coached(alert: CoachAlert, page: str, *, quiet: bool) -> Notification:
    """Return what a phone shows of a recommendation; while `quiet`, only a critical one has a sound."""
    place = f"{page}/home" if page else ""
    critical = alert.priority == Priority.CRITICAL
    more = _AT_ONCE if critical else _SILENT if quiet else {}
    tag = f"nightshift_coach_{alert.recommendation_id}"
    return Notification(alert.title, alert.message, place, _details(place), tag=tag, more=more)


def acknowledged_id(action: object) -> str | None:
    """Return the id of the alert whose button was tapped; None: it is no such button."""
    if not isinstance(action, str) or (found := _ACTION.fullmatch(action)) is None:
        return None
    return found[1]


def _loudness(level: Level) -> dict[str, Any]:
    if level is Level.CRITICAL:
        return _THROUGH_SILENCE
    return _AT_ONCE if level is Level.HIGH else {}


def _details(place: str) -> tuple[dict[str, Any], ...]:
    return ({"action": "URI", "title": "Details", "uri": place},) if place else ()


def _plain(text: str) -> str:
    """Return a text whose characters mean nothing in Markdown: names from the hub are in it."""
    return _MARKED.sub(r"\\\1", " ".join(text.split()))
