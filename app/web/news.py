"""The morning's announcements as live events: what pages redraw on, and what they show as news."""

from typing import Any, Final

from app.alerts.alert import Alert, Level
from app.alerts.announcements import AlertChange, AlertChanged
from app.insights.announcements import CoachAlert, InsightReady
from app.reports.announcements import ReportReady

LEVELS: Final = {
    Level.CRITICAL: "Critical",
    Level.HIGH: "High",
    Level.MEDIUM: "Medium",
    Level.LOW: "Low",
    Level.INFO: "For information",
}
"""The levels of alerts as words."""
_TO_SHOW: Final = frozenset({Level.CRITICAL, Level.HIGH, Level.MEDIUM})
"""The others are on the page Alerts, and counted beside its name."""


def alert_changed_json(event: AlertChanged) -> dict[str, Any]:
    """Return what happened to an alert; `label` is not empty where a page is to show it as news."""
    alert = event.alert
    return {
        "alert_id": alert.alert_id,
        "change": str(event.change),
        "kind": str(alert.kind),
        "level": str(alert.level),
        "title": alert.title,
        "description": alert.description,
        "place": alert.place,
        "open": alert.open,
        "label": _label(alert, event),
    }


def _label(alert: Alert, event: AlertChanged) -> str:
    if alert.level not in _TO_SHOW:
        return ""
    words = f"{LEVELS[alert.level]} alert"
    place = f", {alert.place}" if alert.place else ""
    match event.change:
        case AlertChange.RAISED:
            return words + place
        case AlertChange.REOPENED:
            return f"{words}, again{place}"
        # What got worse is told; what only changed its words is not.
        case AlertChange.UPDATED if event.tell:
            return f"{words}, worse{place}"
    return ""


def coach_json(event: CoachAlert) -> dict[str, Any]:
    """Return an urgent recommendation, as MQTT has it, with a `label`."""
    return {
        "type": event.type,
        "priority": event.priority,
        "title": event.title,
        "message": event.message,
        "recommendation_id": event.recommendation_id,
        "timestamp": event.timestamp.isoformat(),
        "label": f"Recommendation of {event.priority} priority",
    }


def insight_ready_json(event: InsightReady) -> dict[str, Any]:
    insight = event.insight
    return {
        "scorecard": insight.scorecard,
        "day": insight.day.isoformat(),
        "health_score": insight.health_score,
        "sufficient": insight.sufficient,
        "before": event.before,
    }


def report_ready_json(event: ReportReady) -> dict[str, Any]:
    report = event.report
    return {"report_id": report.report_id, "kind": str(report.kind), "title": report.title}
