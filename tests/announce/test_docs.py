"""What is said over MQTT is what `docs/mqtt.md` says is said."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.alerts.alert import Alert, AlertKind, Level
from app.alerts.announcements import AlertChange, AlertChanged
from app.announce.alert_news import ALERT_EVENTS, COACH_EVENTS, alert_message, coach_message
from app.announce.decisions import Do, Told
from app.announce.decisions import message as message_of
from app.announce.discovery import EVENT_TYPES, DeviceFacts, device_payload
from app.announce.job_news import JobEvent, news_message
from app.announce.morning_state import (
    AreaPlan,
    MorningPlan,
    MorningStanding,
    Scored,
    areas_message,
    morning_message,
    plan_of,
)
from app.announce.status import Standing, Status, completion_message, event_message, state_message
from app.announce.topics import ANALYSIS_COMPLETE, Topics
from app.insights.announcements import CoachAlert
from app.insights.trend import Direction, Trend
from app.jobs.announcements import JobFailing
from app.jobs.run import Run, RunStatus, Trigger
from app.statistics.measures import Quantity
from tests.announce.morning import HOME, insight, place, report

_DOCS = (Path(__file__).parents[2] / "docs" / "mqtt.md").read_text()
_AT = datetime(2026, 11, 22, 2, tzinfo=UTC)
_ALERT = Alert(
    alert_id="a1",
    home_id="home",
    cause="water:1",
    kind=AlertKind.WATER,
    level=Level.CRITICAL,
    title="Water",
    description="Wet.",
    detected_at=_AT,
    updated_at=_AT,
)
_RUN = Run("r1", "analysis", "home", Trigger.SCHEDULE, RunStatus.COMPLETED, _AT, _AT, _AT, 1.0)


def _entities() -> dict[str, Any]:
    """Return every kind of entity; a scorecard's and an area's once."""
    plan = MorningPlan(
        (("home", ""), ("<name>", "<title>")), (AreaPlan("<area>", "<Area>", tuple(Quantity)),)
    )
    parts: dict[str, Any] = device_payload(Topics(), DeviceFacts(), plan)["components"]
    return parts


def test_every_topic_is_documented() -> None:
    topics = Topics("<instance>".strip("<>"))
    names = [
        name for name, part in vars(Topics).items() if isinstance(part, property) and name != "device_id"
    ]
    for topic in [ANALYSIS_COMPLETE, topics.birth, *(getattr(topics, name) for name in names)]:
        shown = topic.replace("nightshift/instance", "nightshift/<instance>").replace(
            "nightshift_instance", "nightshift_<instance>"
        )
        assert f"| `{shown}` |" in _DOCS


def test_every_entity_is_documented_with_its_name() -> None:
    for part in _entities().values():
        assert f"| `{part['default_entity_id']}` | {part['name']} |" in _DOCS


def test_no_entity_is_documented_that_does_not_exist() -> None:
    assert _DOCS.partition("## Entities")[2].partition("\n## ")[0].count("\n| `") == len(_entities())


def test_every_field_of_every_message_is_documented() -> None:
    said = (
        state_message(Standing(running=False, last=_RUN, next_run=None, paused=False, titles=[])),
        completion_message(_RUN),
    )
    for message in said:
        for field in json.loads(message):
            assert f"| `{field}` |" in _DOCS
    for field in json.loads(event_message("created", ["x"], "r1")):
        assert f"`{field}`" in _DOCS
    for field in json.loads(event_message("created", ["x"], "r1", ["i1"])) | json.loads(
        message_of(Told.REFUSED, "i1")
    ):
        assert f"`{field}`" in _DOCS
    for field in ("id", "do", "mode", "days", "confirm"):
        assert f"| `{field}` |" in _DOCS
    for word in Do:
        assert f"`{word}`" in _DOCS
    for field in json.loads(news_message(JobFailing("analysis", "home", 3, "no"))):
        assert f"`{field}`" in _DOCS
    for word in (*EVENT_TYPES, *Status, *JobEvent, *ALERT_EVENTS, *COACH_EVENTS, *Level, *Direction):
        assert f"`{word}`" in _DOCS


def test_every_field_of_the_mornings_messages_is_documented() -> None:
    changed = AlertChanged(_ALERT, AlertChange.RAISED, tell=True)
    coached = CoachAlert("home", "critical", "t", "m", "r1", _AT)
    for message in (alert_message(changed), coach_message(coached)):
        for field in json.loads(message):
            assert f"| `{field}` |" in _DOCS or f"`{field}`" in _DOCS
    standing = MorningStanding(
        [Scored(insight(), Trend(Direction.STEADY, 7), None)], [_ALERT], report(), [place("")], HOME
    )
    plan = plan_of(standing)
    said = json.loads(morning_message(standing, plan)) | json.loads(areas_message(standing, plan))
    for field in (*said, *said["scores"]["home"]["details"], *said["alerts"], *said["report"]["details"]):
        assert f"`{field}`" in _DOCS
    for area in said["areas"].values():
        for field in area:
            assert f"`{field}`" in _DOCS
