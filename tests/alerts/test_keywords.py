"""Words in the hub's log and notifications: whose list it is, what is found, when it is over."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.alerts.alert import AlertKind, Level
from app.alerts.keywords import DEFAULTS, MOST, Keyword, checked, pattern_of
from app.errors import InputError
from app.hub.now import HubNotification, LogEntry
from tests.alerts.house import AlertHouse, alert_house, hours, minutes


def line(
    house: AlertHouse, message: str, ago: timedelta = timedelta(0), logger: str = "recorder"
) -> LogEntry:
    at = house.clock.now() - ago
    return LogEntry(logger, "ERROR", message, at, at, 1)


def notification(house: AlertHouse, message: str, key: str = "one", title: str = "Notice") -> HubNotification:
    return HubNotification(key, title, message, house.clock.now())


async def test_a_line_of_the_log_with_a_keyword_is_an_alert_for_a_day(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.lines = [line(house, "OSError: [Errno 28] No space left on device: '/config'")]
        await house.look()
        alert = await house.alert()
        assert (alert.kind, alert.level) == (AlertKind.KEYWORD, Level.HIGH)
        assert alert.title == "Home Assistant says: no space left on device"
        assert alert.description.startswith("recorder: OSError")
        await house.look(hours(23))
        assert len(await house.alerts()) == 1
        await house.look(hours(2))
        assert await house.alerts() == []


async def test_a_word_is_one_alert_wherever_and_however_often_it_is_said(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.lines = [line(house, f"disk is full ({number})") for number in range(5)]
        house.now.lines.append(line(house, "disk is full, out of memory", logger="other"))
        house.now.side_bar = [notification(house, "The disk is full")]
        await house.look()
        assert await house.titles() == [
            f"Home Assistant says: {word}" for word in ("disk is full", "out of memory")
        ]
        house.now.lines = []
        await house.look(minutes(5))
        assert await house.titles() == ["Home Assistant says: disk is full"], "the notification still stands"


async def test_what_is_older_than_a_day_when_nightshift_comes_is_past(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.lines = [line(house, "disk is full", hours(30))]
        await house.look()
        assert await house.alerts() == []


async def test_a_notification_is_an_alert_until_it_is_dismissed(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.side_bar = [
            notification(house, "The following: Invalid config for light", title="Invalid config")
        ]
        await house.look()
        assert len(await house.alerts()) == 1
        house.now.side_bar = []
        await house.look(minutes(5))
        assert await house.alerts() == []


async def test_what_nightshift_itself_says_is_not_read(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.side_bar = [notification(house, "disk is full", key="nightshift_alert_1")]
        house.now.lines = [line(house, "disk is full", logger="custom_components.nightshift")]
        await house.look()
        assert await house.alerts() == []


async def test_a_hub_that_does_not_tell_its_log_leaves_the_alerts_as_they_are(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.lines = [line(house, "disk is full")]
        await house.look()
        house.now.deaf = True
        await house.look(hours(30))
        assert len(await house.alerts()) == 1


async def test_people_edit_the_list_and_can_have_the_old_one_back(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        assert await house.keywords.of("home") == DEFAULTS
        await house.keywords.replace("home", [Keyword(word="solar roof", level=Level.CRITICAL)], "ana")
        house.now.lines = [line(house, "disk is full"), line(house, "The Solar  Roof is offline")]
        await house.look()
        assert (await house.alert()).level is Level.CRITICAL
        await house.keywords.restore("home")
        assert await house.keywords.of("home") == DEFAULTS


async def test_a_hostile_line_is_one_short_line_without_secrets(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.lines = [line(house, "disk is full\n<script>\u202e token=abcdefgh12345678 " + "x" * 9000)]
        await house.look()
        said = (await house.alert()).description
        assert len(said) <= 300
        assert "\n" not in said
        assert "\u202e" not in said
        assert "abcdefgh12345678" not in said


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the DISK is full", True),
        ("disk is fuller", False),
        ("mydisk is full", False),
        ("disk\tis\nfull.", True),
        ("", False),
    ],
)
def test_keywords_are_whole_words_in_any_case(text: str, *, found: bool) -> None:
    pattern = pattern_of([Keyword(word="disk is full"), Keyword(word="disk")][:1])
    assert pattern is not None
    assert bool(pattern.search(text)) is found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("word", "give a list"),
        ([{"word": "ab"}], "keyword 1: word:"),
        ([{"word": "fine"}, {"word": "x" * 81}], "keyword 2: word:"),
        ([{"word": "..."}], "letters or digits"),
        ([{"word": "fine", "level": "urgent"}], "keyword 1: level:"),
        ([{"word": "fine", "color": "red"}], "'color' is not taken here"),
        ([{"word": "Fine"}, {"word": " fine "}], "more than once"),
        (["fine"], "keyword 1:"),
        ([{"level": "high"}], "keyword 1: word:"),
        ([{"word": f"word {number}"} for number in range(MOST + 1)], "at most 100"),
    ],
)
def test_a_wrong_list_is_refused_in_one_line(given: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        checked(given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
