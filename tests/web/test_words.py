"""What the page says, apart from HTTP: automations in words, times, drawings."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.model import Entity, Home
from app.web.automation import as_yaml, read_automation
from app.web.drawings import SHOWN_DAYS, draw_days
from app.web.wording import day_of, duration, listed, remaining, size, time_of

PARIS = ZoneInfo("Europe/Paris")
HOME = Home(
    entities=(
        Entity(entity_id="light.hall", name="Hall lamp"),
        Entity(entity_id="light.spot"),
        Entity(entity_id="binary_sensor.front", name="Front door", device_class="door"),
        Entity(entity_id="binary_sensor.back", name="Back door", device_class="door"),
        Entity(entity_id="binary_sensor.hall", name="Hall sensor", device_class="motion"),
        Entity(entity_id="media_player.radio", name="Radio"),
        Entity(entity_id="person.ana", name="Ana"),
    )
)


@pytest.mark.parametrize(
    ("trigger", "said"),
    [
        ({"trigger": "time", "at": "07:05:00"}, "at 07:05"),
        ({"trigger": "time", "at": ["07:05:00", "08:00:30"]}, "at 07:05 or 08:00:30"),
        ({"trigger": "sun", "event": "sunset"}, "at sunset"),
        ({"trigger": "sun", "event": "sunset", "offset": "-00:45:00"}, "45 min before sunset"),
        ({"trigger": "sun", "event": "sunrise", "offset": "01:10:00"}, "1 h 10 min after sunrise"),
        ({"trigger": "state", "entity_id": ["light.hall"], "to": "on"}, "Hall lamp turns on"),
        (
            {"trigger": "state", "entity_id": "cover.attic_blind", "to": "open", "for": "00:05:00"},
            "attic blind opens and stays so for 5 min",
        ),
        ({"trigger": "state", "entity_id": "light.spot"}, "spot changes"),
        ({"trigger": "state", "entity_id": "light.spot", "to": True}, "spot turns on"),
        ({"trigger": "state", "entity_id": "climate.bath", "to": "heat_cool"}, "bath changes to heat cool"),
        ({"trigger": "state", "entity_id": ["binary_sensor.front"], "to": "on"}, "Front door opens"),
        (
            {"trigger": "state", "entity_id": ["binary_sensor.front", "binary_sensor.back"], "to": "off"},
            "Front door or Back door closes",
        ),
        (
            {"trigger": "state", "entity_id": ["binary_sensor.front", "light.hall"], "to": "off"},
            "Front door or Hall lamp turns off",
        ),
        (
            {"trigger": "state", "entity_id": "binary_sensor.hall", "to": "off", "for": "00:10:00"},
            "Hall sensor sees no more motion and stays so for 10 min",
        ),
        ({"trigger": "state", "entity_id": "binary_sensor.unknown", "to": "on"}, "unknown turns on"),
        ({"trigger": "state", "entity_id": "media_player.radio", "to": "playing"}, "Radio starts playing"),
        (
            {"trigger": "state", "entity_id": "person.ana", "to": ["home", "not_home"]},
            "Ana comes home or leaves home",
        ),
        ({"trigger": "state", "entity_id": 7, "to": "on"}, "it turns on"),
        (
            {"trigger": "numeric_state", "entity_id": "light.hall", "above": 5, "below": 9},
            "Hall lamp rises above 5 and falls below 9",
        ),
        ({"trigger": "zone"}, "the trigger “zone” fires"),
        ({}, "the trigger “” fires"),
    ],
)
def test_a_trigger_in_words(trigger: dict[str, Any], said: str) -> None:
    assert read_automation({"triggers": trigger}, HOME).triggers == (said,)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"condition": "time", "weekday": ["sat", "sun"]}, "at the weekend"),
        ({"condition": "time", "weekday": ["fri"], "after": "17:00:00"}, "on Friday, after 17:00"),
        ({"condition": "time", "after": "22:00:00", "before": "06:00:00"}, "between 22:00 and 06:00"),
        (
            {"condition": "state", "entity_id": "light.hall", "state": ["off", "idle"]},
            "Hall lamp is off or idle",
        ),
        (
            {"condition": "state", "entity_id": "light.hall", "state": "off", "for": "00:10:00"},
            "Hall lamp has been off for 10 min",
        ),
        (
            {"condition": "state", "entity_id": ["light.hall", "light.spot"], "state": "off"},
            "Hall lamp and spot are off",
        ),
        ({"condition": "state", "entity_id": "binary_sensor.front", "state": "off"}, "Front door is closed"),
        (
            {"condition": "state", "entity_id": "binary_sensor.hall", "state": "off", "for": 600},
            "Hall sensor has been seeing no motion for 10 min",
        ),
        ({"condition": "state", "entity_id": "person.ana", "state": "not_home"}, "Ana is away"),
        ({"condition": "state", "entity_id": "sun.sun", "state": "below_horizon"}, "the sun is down"),
        ({"condition": "numeric_state", "entity_id": "zone.home", "above": 0}, "somebody is home"),
        ({"condition": "sun", "after": "sunset", "before": "sunrise"}, "after sunset and before sunrise"),
        (
            {
                "condition": "not",
                "conditions": [{"condition": "state", "entity_id": "light.hall", "state": "on"}],
            },
            "not: Hall lamp is on",
        ),
        ({"condition": "template", "value_template": "{{ true }}"}, "a template holds (see the YAML)"),
        (
            {
                "condition": "template",
                "value_template": "{{ trigger.from_state is not none and (trigger.to_state.last_changed"
                " - trigger.from_state.last_changed).total_seconds() >= 600 }}",
            },
            "it had not changed for 10 min before",
        ),
        (
            {
                "condition": "template",
                "value_template": "{{ not is_state('light.hall', 'on') and"
                " (now() - states['light.hall'].last_changed).total_seconds() >= 3600 }}",
            },
            "Hall lamp has not been on for 1 h 0 min",
        ),
        ({"condition": "device"}, "the condition “device” holds"),
    ],
)
def test_a_condition_in_words(condition: dict[str, Any], said: str) -> None:
    assert read_automation({"conditions": [condition]}, HOME).conditions == (said,)


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (
            {"action": "light.turn_on", "target": {"entity_id": ["light.hall", "light.spot"]}},
            "turn on Hall lamp and spot",
        ),
        (
            {
                "action": "climate.set_temperature",
                "target": {"entity_id": "climate.study"},
                "data": {"temperature": 19},
            },
            "set study (temperature 19)",
        ),
        (
            {"action": "media_player.media_play", "target": {"entity_id": "media_player.radio"}},
            "start playing on Radio",
        ),
        ({"action": "scene.turn_on", "target": {"entity_id": "scene.film"}}, "activate film"),
        ({"action": "notify.send", "target": {}}, "run “notify.send” on it"),
        ({"delay": "00:00:30"}, "wait 30 s"),
        ({"delay": {"minutes": 2}}, "wait 2 min"),
        ({"delay": "soon"}, "wait soon"),
        ({"delay": {"moons": 2}}, "wait {'moons': 2}"),
        ({"stop": "x"}, "do it"),
    ],
)
def test_an_action_in_words(action: dict[str, Any], said: str) -> None:
    assert read_automation({"actions": [action]}, HOME).actions == (said,)


def test_an_automation_that_is_no_automation_reads_as_nothing() -> None:
    reading = read_automation({"triggers": "time", "conditions": None, "actions": [None, 3]}, None)
    assert reading.triggers == reading.conditions == reading.actions == ()


def test_yaml_keeps_the_order_and_the_letters() -> None:
    assert as_yaml({"b": "Küche", "a": ["on", "17:00:00"]}) == "b: Küche\na:\n- 'on'\n- '17:00:00'\n"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "—"),
        (0.04, "under 0.1 s"),
        (0.1, "0.1 s"),
        (9.96, "10.0 s"),
        (42.3, "42 s"),
        (120, "2 min"),
        (185, "3 min 5 s"),
    ],
)
def test_a_duration_in_words(seconds: float | None, said: str) -> None:
    assert duration(seconds) == said


def test_what_is_left_is_told_to_the_minute() -> None:
    assert remaining(timedelta(seconds=59)) == "0 min"
    assert remaining(timedelta(hours=5, minutes=12)) == "5 h 12 min"
    assert remaining(timedelta(days=2, hours=4)) == "2 d 4 h"
    assert remaining(timedelta(seconds=-5)) == "0 min"


def test_days_and_times_are_the_homes_own() -> None:
    now = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)  # already the 29th in Paris, the night the clock jumps
    assert day_of(now, now, PARIS) == "today"
    assert time_of(now, PARIS) == "00:30"
    assert time_of(now + timedelta(hours=1), PARIS) == "01:30"
    assert time_of(now + timedelta(hours=2), PARIS) == "03:30"
    assert day_of(now - timedelta(hours=1), now, PARIS) == "yesterday"
    assert day_of(now + timedelta(days=1), now, PARIS) == "tomorrow"
    assert day_of(now + timedelta(days=3), now, PARIS) == "Wednesday"
    assert day_of(now - timedelta(days=30), now, PARIS) == "Fri 27 Feb"


def test_lists_and_sizes() -> None:
    assert listed([]) == ""
    assert listed(["a", "b", "c"], "or") == "a, b or c"
    assert size(10) == "1 KB"
    assert size(3_140_000) == "3.1 MB"


def test_a_strip_shows_thirteen_weeks_from_the_first_day_that_is_known() -> None:
    start = datetime(2026, 3, 1, 6, tzinfo=UTC)
    days = [start + timedelta(days=number) for number in range(100)]
    last = days[-1].date()
    strip = draw_days(days, [days[-1] + timedelta(hours=1)], PARIS, last=last)
    assert strip
    assert strip.days_kept == SHOWN_DAYS
    assert strip.days_missed == 0
    assert strip.width < 500
    short = draw_days([days[-1]], [days[-3]], PARIS, last=last)
    assert short
    assert (short.first, short.days_kept, short.days_missed) == (days[-3].date(), 1, 1)
    assert short.quiet.count("M") == 1
    cut = draw_days(days, [], PARIS, last=last, whole_since=days[-10])
    assert cut
    assert cut.days_kept == 10
    assert draw_days([], [], PARIS, last=last) is None
