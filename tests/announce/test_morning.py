"""The morning over MQTT, on a real broker: states, events, and entities that come and go with areas."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.alerts.alert import Level
from app.announce.broker import Broker
from app.announce.connection import Backoff, MqttConnection
from app.announce.discovery import DeviceFacts
from app.announce.morning import MorningTeller
from app.announce.topics import Topics
from app.bus import Bus
from app.clock import TurnedClock
from app.insights.announcements import CoachAlert, InsightReady
from app.insights.insight import CategoryScore, MetricScore
from app.reports.announcements import ReportReady
from tests.announce.conftest import Board, Ear, always, ear_at
from tests.announce.morning import HOME, NOW, MorningHouse, insight, morning_house, place, report

TOPICS = Topics("test")


@pytest.fixture
async def house(tmp_path: Path, bus: Bus, clock: TurnedClock) -> AsyncIterator[MorningHouse]:
    async with morning_house(tmp_path, bus, clock) as house:
        yield house


@asynccontextmanager
async def telling(house: MorningHouse, broker: Broker, board: Board) -> AsyncIterator[MorningTeller]:
    """Lend a teller with a connection of its own, as the announcer has one."""
    connection = MqttConnection(
        always(broker),
        board,
        house.clock,
        client_id="test",
        availability_topic=TOPICS.availability,
        topics=(TOPICS.discovery,),
        on_message=lambda incoming: teller.hear(incoming.payload) if incoming.retained else None,
        backoff=Backoff(0, 0),
    )
    teller = MorningTeller(house.sources, house.bus, house.clock, TOPICS, DeviceFacts(), connection.publish)
    teller.start()
    connection.start()
    try:
        yield teller
    finally:
        await teller.stop()
        await connection.stop(1)


def _parts(text: str) -> dict[str, Any]:
    parts: dict[str, Any] = json.loads(text)["components"]
    return parts


async def test_before_anything_is_known_the_entities_are_there_and_unknown(
    house: MorningHouse, broker: Broker, board: Board, ear: Ear
) -> None:
    house.home = None
    async with telling(house, broker, board):
        parts = _parts(await ear.hear(TOPICS.discovery))
        said = json.loads(await ear.hear(TOPICS.morning))
        areas = json.loads(await ear.hear(TOPICS.areas))
    assert {"health_score", "alerts", "danger", "last_report", "alert", "coach_alert", "status"} <= set(parts)
    assert not [key for key in parts if key.startswith("area_")]
    assert said["scores"] == {"home": {"score": None, "details": {}}}
    assert (said["alerts"]["open"], said["report"]["generated_at"]) == (0, None)
    assert areas == {"events_today": None, "automations_fired_today": None, "areas": {}}


async def test_an_alert_is_told_as_it_goes_and_counted_by_level(
    house: MorningHouse, broker: Broker, board: Board, ear: Ear
) -> None:
    async with telling(house, broker, board):
        await ear.hear(TOPICS.morning)
        alert = (await house.found()).alert
        raised = json.loads(await ear.hear(TOPICS.alert))
        await ear.hear(TOPICS.morning, lambda text: json.loads(text)["alerts"]["critical"] == 1)
        await house.found("battery:1", level=Level.LOW, title="Low battery: Remote")
        await ear.hear(TOPICS.morning, lambda text: json.loads(text)["alerts"]["open"] == 2)
        await house.book.acknowledge("home", alert.alert_id, "ana")
        await ear.hear(TOPICS.alert, lambda text: json.loads(text)["event_type"] == "acknowledged")
        await house.over()
        await ear.hear(TOPICS.alert, lambda text: json.loads(text)["event_type"] == "closed")
        last = json.loads(
            await ear.hear(TOPICS.morning, lambda text: json.loads(text)["alerts"]["open"] == 1, times=2)
        )
    assert raised == {
        "event_type": "raised",
        "alert_id": alert.alert_id,
        "kind": "water",
        "level": "critical",
        "title": "Water: Bathroom",
        "description": "The sensor under the *sink* says that it is wet.",
        "place": "Bathroom",
        "entity_id": "binary_sensor.leak",
        "detected_at": "2026-11-22T02:00:00+00:00",
        "reopened_at": None,
        "times": 1,
        "open": True,
        "tell": True,
    }
    assert last["alerts"] == {
        "open": 1, "critical": 0, "high": 0, "medium": 0, "low": 1, "info": 0,
        "titles": ["Low battery: Remote"],
    }  # fmt: skip
    assert not [message for message in ear.heard if message.topic.value == TOPICS.alert and message.retain]


async def test_scores_and_reports_are_states_that_stay_on_the_broker(
    house: MorningHouse, broker: Broker, board: Board, ear: Ear
) -> None:
    yesterday = NOW.date() - timedelta(days=1)
    for one in (insight(74, yesterday), insight(82)):
        await house.insights.keep(one, "f", ())
    await house.reports.keep(report())
    async with telling(house, broker, board):
        await ear.hear(TOPICS.discovery)
        async with ear_at(broker) as late:
            said = json.loads(await late.hear(TOPICS.morning))
        await house.insights.keep(insight(60, NOW.date() + timedelta(days=1)), "f", ())
        house.bus.announce(InsightReady(insight(60), 82))
        await ear.hear(TOPICS.morning, lambda text: json.loads(text)["scores"]["home"]["score"] == 60)
        house.bus.announce(ReportReady(report()))
        await ear.barrier()
    assert said["scores"]["home"]["score"] == 82
    assert said["scores"]["home"]["details"] == {
        "breakdown": {"Safety and security": 100, "Comfort": None},
        "day": "2026-11-22",
        "trend": "unknown",
        "trend_change": None,
        "confidence": 0.92,
        "sufficient": True,
        "reason": "",
        "partial_score": None,
        "missing": [],
        "previous_score": 74,
        "previous_confidence": 0.92,
        "previous_day": "2026-11-21",
        "comparable": True,
        "stale_since": None,
        "recommendations": ["Change two batteries"],
    }
    assert said["report"]["generated_at"] == "2026-11-22T12:00:00+00:00"
    assert said["report"]["details"]["title"] == "Saturday 21 November"
    assert len([one for one in ear.heard if one.topic.value == TOPICS.morning]) == 2, "told twice"


async def test_a_score_of_which_too_little_is_known_is_unknown_and_says_why(
    house: MorningHouse, broker: Broker, board: Board, ear: Ear
) -> None:
    gone = MetricScore(
        key="co2", title="Air", weight=1, missing="No CO2 was measured.", to_do="Have a sensor."
    )
    part = CategoryScore(key="comfort", title="Comfort", weight=0.6, score=None, metrics=(gone,))
    await house.insights.keep(insight(74, NOW.date() - timedelta(days=1), confidence=0.9), "f", ())
    await house.insights.keep(insight(99, confidence=0.4999, health_breakdown=(part,)), "f", ())
    async with telling(house, broker, board):
        parts = _parts(await ear.hear(TOPICS.discovery))
        said = json.loads(await ear.hear(TOPICS.morning))["scores"]["home"]
    assert said["score"] is None  # which the hub takes for unknown
    assert "0" not in parts["health_score"]["value_template"]
    details = said["details"]
    assert (details["sufficient"], details["partial_score"], details["confidence"]) == (False, 99, 0.49)
    assert details["reason"] == "Only 49 % of what it is made of could be read; a score takes at least 50 %."
    assert details["missing"] == ["Air: No CO2 was measured. Have a sensor."]
    assert (details["previous_score"], details["comparable"], details["trend"]) == (74, False, "unknown")


async def test_a_score_is_not_comparable_with_one_that_rests_on_more(
    house: MorningHouse, broker: Broker, board: Board, ear: Ear
) -> None:
    await house.insights.keep(insight(74, NOW.date() - timedelta(days=1), confidence=0.9), "f", ())
    await house.insights.keep(insight(60, confidence=0.6), "f", ())
    async with telling(house, broker, board):
        details = json.loads(await ear.hear(TOPICS.morning))["scores"]["home"]["details"]
    assert (details["previous_score"], details["previous_confidence"]) == (74, 0.9)
    assert details["comparable"] is False


async def test_a_scorecard_of_ones_own_gets_a_sensor_with_its_first_score(
    house: MorningHouse, broker: Broker, board: Board, ear: Ear
) -> None:
    scorecards = house.sources.scorecards
    async with telling(house, broker, board):
        await ear.hear(TOPICS.discovery)
        await scorecards.switch("home", "business", "ana", active=True)
        one = insight(45, scorecard="business", title="The business")
        await house.insights.keep(one, "f", ())
        house.bus.announce(InsightReady(one, None))
        await ear.hear(TOPICS.morning, lambda text: "business" in json.loads(text)["scores"])
        await house.clock.turn(timedelta(seconds=11))
        parts = _parts(await ear.hear(TOPICS.discovery, times=2))
    assert parts["health_score_business"]["name"] == "Health score: The business"


async def test_a_coach_alert_is_told_word_for_word(
    house: MorningHouse, broker: Broker, board: Board, ear: Ear
) -> None:
    async with telling(house, broker, board):
        await ear.hear(TOPICS.morning)
        house.bus.announce(
            CoachAlert("home", "critical", "Cash lasts 9 d", "Call in\nwhat is owed.", "r1", NOW)
        )
        assert json.loads(await ear.hear(TOPICS.coach_alert)) == {
            "type": "coach_alert",
            "priority": "critical",
            "title": "Cash lasts 9 d",
            "message": "Call in what is owed.",
            "recommendation_id": "r1",
            "timestamp": "2026-11-22T12:00:00+00:00",
        }


async def test_areas_have_what_they_are_measured_by_and_no_more_digits_than_a_sensor_is_good_for(
    house: MorningHouse, broker: Broker, board: Board, ear: Ear
) -> None:
    async with telling(house, broker, board):
        parts = _parts(await ear.hear(TOPICS.discovery))
        measured = {"temperature": 20.4567, "humidity": 50.0, "co2": 1234.5}
        house.counted(
            place("", events_today=90, automations_fired_today=7),
            place("kitchen", events_today=3, **measured),
            place("gone", events_today=4),
        )
        said = json.loads(
            await ear.hear(TOPICS.areas, lambda text: json.loads(text)["events_today"] is not None)
        )
    assert said["areas"]["kitchen"] == {"events_today": 3, "temperature": 20.5, "co2": 1230}
    assert (said["events_today"], said["automations_fired_today"]) == (90, 7)
    (odd,) = said["areas"].keys() - {"kitchen"}
    assert odd.isalnum()
    assert {key for key in parts if key.startswith("area_")} == {
        "area_kitchen_events_today",
        "area_kitchen_temperature",
        "area_kitchen_co2",
        f"area_{odd}_events_today",
    }
    kitchen = parts["area_kitchen_temperature"]
    assert kitchen["default_entity_id"] == "sensor.nightshift_kitchen_temperature"
    assert (kitchen["name"], kitchen["unit_of_measurement"]) == ("Kitchen temperature", "°C")


async def test_an_area_that_goes_takes_its_entities_with_it_over_a_restart_too(
    house: MorningHouse, broker: Broker, board: Board, ear: Ear
) -> None:
    async with telling(house, broker, board):
        await ear.hear(TOPICS.discovery)
        house.home = HOME.model_copy(update={"areas": HOME.areas[:1], "entities": HOME.entities[:1]})
        house.counted(place(""))
        await ear.hear(TOPICS.areas, lambda text: len(json.loads(text)["areas"]) == 1)
        await house.clock.turn(timedelta(seconds=11))
        parts = _parts(await ear.hear(TOPICS.discovery, times=2))
        assert parts["area_kitchen_co2"] == {"platform": "sensor"}
        assert "name" in parts["area_kitchen_temperature"]
    house.home = HOME.model_copy(update={"areas": (), "entities": ()})
    told = len(ear.texts(TOPICS.discovery))
    async with telling(house, broker, board):
        # With the first description, or with the second, as the broker says soon or late what it kept.
        await ear.hear(TOPICS.discovery, times=told + 1)
        await house.clock.turn(timedelta(seconds=11))
        parts = _parts(
            await ear.hear(
                TOPICS.discovery,
                lambda text: _parts(text).get("area_kitchen_temperature") == {"platform": "sensor"},
            )
        )
        assert "area_kitchen_co2" not in parts, "it was taken out before"
        assert "name" in parts["health_score"]


async def test_a_description_that_somebody_else_left_on_the_broker_does_no_harm(
    house: MorningHouse, broker: Broker, board: Board, ear: Ear
) -> None:
    odd = {
        "components": {"x": 1, "y": {"platform": ["a"], "z": 2}, "a" * 200: {"platform": "sensor", "b": 1}}
    }
    for nonsense in (b"\xff", b"[]", b'{"components":[]}', json.dumps(odd).encode(), b"[" * 10_000):
        async with telling(house, broker, board) as teller:
            teller.hear(nonsense)
            await ear.hear(TOPICS.discovery)
        assert set(teller._known) <= {*_parts(ear.texts(TOPICS.discovery)[-1])}


async def test_what_cannot_be_read_is_told_of_with_the_next_change(
    house: MorningHouse, broker: Broker, board: Board, ear: Ear, caplog: pytest.LogCaptureFixture
) -> None:
    async with house.store.writing() as db:
        await db.execute("ALTER TABLE report RENAME TO report_gone")
    async with telling(house, broker, board):
        assert "health_score" in _parts(await ear.hear(TOPICS.discovery))
        assert "could not tell of the morning" in caplog.text
        async with house.store.writing() as db:
            await db.execute("ALTER TABLE report_gone RENAME TO report")
        house.counted(place("", events_today=5))
        await ear.hear(TOPICS.areas, lambda text: json.loads(text)["events_today"] == 5)
