"""Schedules as people read and write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.errors import InputError
from app.web.schedules import form_of, in_words, preview, read_schedule

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 3 * * *", "every day at 03:00"),
        ("45 6 * * MON-FRI", "Monday to Friday at 06:45"),
        ("45 6 * * 1-5", "Monday to Friday at 06:45"),
        ("0 2 * * mon", "every Monday at 02:00"),
        ("0 2 * * 0", "every Sunday at 02:00"),
        ("0 9 * * SAT,SUN", "Saturday and Sunday at 09:00"),
        ("0 9 * * MON,WED", "every Monday and Wednesday at 09:00"),
        ("0,30 8 * * *", "every day at 08:00 and 08:30"),
        ("0 8,20 * * *", "every day at 08:00 and 20:00"),
        ("0 */4 * * *", "every 4 hours"),
        ("5 */4 * * *", "every 4 hours, 5 minutes past"),
        ("0 * * * *", "every hour"),
        ("*/15 * * * *", "every 15 minutes"),
        ("*/15 * * * SUN", "every 15 minutes, every Sunday"),
        ("* * * * *", "every minute"),
        ("every 15 minutes", "every 15 minutes"),
        ("every day", "every day"),
        ("off", "never by itself"),
        ("0 3 1 * *", "by the cron rule 0 3 1 * *"),
        ("0 3 * JAN *", "by the cron rule 0 3 * JAN *"),
        ("0 3 * * MON#1", "by the cron rule 0 3 * * MON#1"),
        ("0-5 3 * * *", "by the cron rule 0-5 3 * * *"),
    ],
)
def test_a_schedule_is_put_into_words_and_what_has_none_is_named(text: str, words: str) -> None:
    assert in_words(text) == words


@pytest.mark.parametrize(
    "wrong", ["", "soon", "0 3 * *", "61 3 * * *", "0 0 31 2 *", "every 0 minutes", 7, []]
)
def test_what_is_no_schedule_is_refused_in_one_line(wrong: object) -> None:
    with pytest.raises(InputError) as error:
        read_schedule(wrong)
    assert "\n" not in str(error.value)


def test_a_schedule_that_is_too_long_is_not_even_read() -> None:
    with pytest.raises(InputError, match="at most 120 characters"):
        read_schedule("0 " * 100)


def test_the_next_five_runs_keep_their_hour_over_a_change_of_clocks() -> None:
    before = datetime(2026, 3, 27, 12, tzinfo=UTC)
    told = preview("30 2 * * *", before, AMSTERDAM)
    assert [one["at"] for one in told["next"]] == [
        "2026-03-28T01:30:00+00:00",
        "2026-03-29T01:00:00+00:00",  # half past two does not exist: it runs when the gap ends
        "2026-03-30T00:30:00+00:00",
        "2026-03-31T00:30:00+00:00",
        "2026-04-01T00:30:00+00:00",
    ]
    assert told["next"][0]["text"] == "tomorrow at 02:30"
    assert preview("off", before, AMSTERDAM)["next"] == []


@pytest.mark.parametrize(
    ("text", "kind", "field", "value"),
    [
        ("0 3 * * *", "day", "at", "03:00"),
        ("45 6 * * MON-FRI", "workdays", "at", "06:45"),
        ("0 2 * * 3", "week", "weekday", "WED"),
        ("every 2 hours", "every", "count", 2),
        ("every day", "every", "unit", "days"),
        ("0 8,20 * * *", "own", "rule", "0 8,20 * * *"),
        ("0 3 1 * *", "own", "rule", "0 3 1 * *"),
        ("off", "off", "kind", "off"),
    ],
)
def test_the_form_begins_with_the_plainest_kind_that_can_say_it(
    text: str, kind: str, field: str, value: object
) -> None:
    form = form_of(text)
    assert form.kind == kind
    assert getattr(form, field) == value
