"""What open pages hear of the morning: alerts, urgent recommendations, scores, figures, reports."""

from datetime import date

import pytest

from app.alerts.alert import Alert, Level
from app.alerts.announcements import AlertChange, AlertChanged
from app.insights.announcements import CoachAlert, InsightReady
from app.reports.announcements import ReportReady
from app.web.news import alert_changed_json, coach_json, insight_ready_json, report_ready_json
from tests.web.house import NOON
from tests.web.morning import finding, insight, report

DAY = date(2026, 3, 10)


def changed(change: AlertChange, level: Level = Level.CRITICAL, *, tell: bool = False) -> AlertChanged:

    said = finding(level=level)
    alert = Alert(
        alert_id="1", home_id="home", cause=said.cause, kind=said.kind, level=level, title=said.title,
        description=said.description, place=said.place, detected_at=NOON, updated_at=NOON,
    )  # fmt: skip
    return AlertChanged(alert, change, tell)


@pytest.mark.parametrize(
    ("event", "label"),
    [
        (changed(AlertChange.RAISED), "Critical alert, Kitchen"),
        (changed(AlertChange.REOPENED, Level.MEDIUM), "Medium alert, again, Kitchen"),
        (changed(AlertChange.UPDATED, Level.HIGH, tell=True), "High alert, worse, Kitchen"),
        (changed(AlertChange.UPDATED, Level.HIGH), ""),
        (changed(AlertChange.RAISED, Level.LOW), ""),
        (changed(AlertChange.RAISED, Level.INFO), ""),
        (changed(AlertChange.RELEASED, tell=True), ""),
        (changed(AlertChange.READ), ""),
    ],
)
def test_only_what_is_new_back_or_worse_is_shown_as_news(event: AlertChanged, label: str) -> None:
    told = alert_changed_json(event)
    assert told["label"] == label
    assert told["open"] is True
    assert "read_by" not in told


def test_the_others_are_told_with_what_a_page_needs() -> None:
    coach = coach_json(CoachAlert("home", "critical", "Cash flow alert", "In 12 days.", "rec_1", NOON))
    assert coach["type"] == "coach_alert"
    assert coach["label"] == "Recommendation of critical priority"
    assert coach["timestamp"] == "2026-03-10T11:00:00+00:00"
    assert insight_ready_json(InsightReady(insight(DAY), 78)) == {
        "scorecard": "home", "day": "2026-03-10", "health_score": 82, "sufficient": True, "before": 78,
    }  # fmt: skip
    assert report_ready_json(ReportReady(report(DAY)))["report_id"] == "daily-2026-03-10"
