"""Templates: plain, exact words from facts, nothing added."""

from dataclasses import replace

import pytest

from app.words.templates import Cause, Facts, Moment, clock, enumerate_words, span, the, words_for

COFFEE = Facts(
    domain="switch", state="on", names=("coffee machine",), moment=Moment("midnight", 405),
    day_type="workdays", days_observed=21, days_kept=19, replay_days=7, wanted=6, unwanted=1, missed=0,
)  # fmt: skip
HALL = Facts(
    domain="light", state="on", names=("hall light",), cause=Cause("hall sensor", "motion", "on"),
    days_observed=20, days_kept=18,
)  # fmt: skip


def test_a_clock_habit_in_words() -> None:
    title, description = words_for(COFFEE)
    assert title == "Turn on the coffee machine at 06:45 on workdays"
    assert description == (
        "You did this on 19 of 21 workdays. Tried on the last 7 days, it would have acted 7 times:"
        " 6 as you did, 1 not wanted, 0 missed."
    )


@pytest.mark.parametrize(
    ("facts", "title"),
    [
        (replace(COFFEE, day_type="daily"), "Turn on the coffee machine at 06:45 every day"),
        (replace(COFFEE, day_type="tuesdays"), "Turn on the coffee machine at 06:45 on Tuesdays"),
        (
            replace(COFFEE, day_type="daily", moment=Moment("sunset", -15)),
            "Turn on the coffee machine 15 minutes before sunset every day",
        ),
        (
            replace(COFFEE, day_type="daily", moment=Moment("sunrise", 0)),
            "Turn on the coffee machine at sunrise every day",
        ),
        (HALL, "Turn on the hall light when the hall sensor sees motion"),
        (
            replace(HALL, quiet=15, dark=True, hours=(1320, 360)),
            (
                "Turn on the hall light when the hall sensor sees motion between 22:00 and 06:00"
                " while it is dark for the first time in 15 minutes"
            ),
        ),
        (
            replace(HALL, cause=Cause("Ana", "person", "home", delay=120)),
            "Turn on the hall light 2 minutes after Ana comes home",
        ),
        (
            replace(HALL, cause=Cause("washer", "sensor", "rinse_hold")),
            "Turn on the hall light when the washer changes to rinse hold",
        ),
        (
            replace(HALL, domain="cover", state="closed", names=("blind", "awning")),
            "Close the blind and the awning when the hall sensor sees motion",
        ),
        (
            replace(HALL, names=("a", "b", "c", "d"), place="Office"),
            "Turn on 4 lights in the Office when the hall sensor sees motion",
        ),
        (
            replace(HALL, domain="climate", state="heat_cool", names=("thermostat",)),
            "Set the thermostat to heat cool when the hall sensor sees motion",
        ),
    ],
)
def test_titles(facts: Facts, title: str) -> None:
    assert words_for(facts).title == title


def test_limits_are_said_in_the_description() -> None:
    description = words_for(replace(HALL, someone_home=True, away=90)).description
    assert description == (
        "This came up on 20 days, and on 18 of them you did it."
        " Only while somebody is home and only if it had not been so for 1 hour 30 minutes."
    )


def test_another_language_falls_back_to_english() -> None:
    assert words_for(COFFEE, "nl") == words_for(COFFEE, "en")


def test_small_words() -> None:
    assert (clock(1445), span(1), span(60), span(150)) == (
        "00:05", "1 minute", "1 hour", "2 hours 30 minutes",
    )  # fmt: skip
    assert (the("Ana's lamp"), the("the lamp"), the("TV"), the("")) == (
        "Ana's lamp",
        "the lamp",
        "the TV",
        "",
    )
    assert (enumerate_words([]), enumerate_words(["a"]), enumerate_words(["a", "b", "c"])) == (
        "", "a", "a, b and c",
    )  # fmt: skip
