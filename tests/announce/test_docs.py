"""What is said over MQTT is what `docs/mqtt.md` says is said."""

import json
from datetime import UTC, datetime
from pathlib import Path

from app.announce.decisions import Do, Told
from app.announce.decisions import message as message_of
from app.announce.discovery import EVENT_TYPES, DeviceFacts, device_payload
from app.announce.job_news import JobEvent, news_message
from app.announce.status import Standing, Status, completion_message, event_message, state_message
from app.announce.topics import ANALYSIS_COMPLETE, Topics
from app.jobs.announcements import JobFailing
from app.jobs.run import Run, RunStatus, Trigger

_DOCS = (Path(__file__).parents[2] / "docs" / "mqtt.md").read_text()
_AT = datetime(2026, 11, 22, 2, tzinfo=UTC)
_RUN = Run("r1", "analysis", "home", Trigger.SCHEDULE, RunStatus.COMPLETED, _AT, _AT, _AT, 1.0)


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
    for part in device_payload(Topics(), DeviceFacts())["components"].values():
        assert f"| `{part['default_entity_id']}` | {part['name']} |" in _DOCS


def test_no_entity_is_documented_that_does_not_exist() -> None:
    entities = device_payload(Topics(), DeviceFacts())["components"]
    assert _DOCS.partition("## Entities")[2].partition("\n## ")[0].count("\n| `") == len(entities)


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
    for word in (*EVENT_TYPES, *Status, *JobEvent):
        assert f"`{word}`" in _DOCS
