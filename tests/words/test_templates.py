"""Templates: plain, exact words from facts, nothing added."""

from dataclasses import replace

import pytest

from app.words.templates import Also, Cause, Facts, Moment, Step, clock, enumerate_words, span, the, words_for

COFFEE = Facts(
    domain="switch", state="on", names=("coffee machine",), moment=Moment("midnight", 405),
    day_type="workdays", days_observed=21, days_kept=19, replay_days=7, wanted=6, unwanted=1, missed=0,
)  # fmt: skip
HALL = Facts(
    domain="light", state="on", names=("hall light",), cause=Cause("hall sensor", "motion", "on"),
    days_observed=20, days_kept=18,
)  # fmt: skip


def test_a_clock_habit_in_words() -> None:
    words = words_for(COFFEE)
    title, description = words.title, words.description
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
        (
            replace(HALL, cause=Cause("home", "zone", "not_home")),
            "Turn on the hall light when the last person leaves home",
        ),
        (
            replace(HALL, cause=Cause("home", "zone", "home"), someone_home=False),
            "Turn on the hall light when the first person comes home while nobody is home",
        ),
        (
            replace(HALL, cause=Cause("bath humidity", "humidity", "above", limit=68.0, unit="%")),
            "Turn on the hall light when the bath humidity rises above 68 %",
        ),
        (
            replace(HALL, cause=Cause("thermometer", "temperature", "below", limit=19.5)),
            "Turn on the hall light when the thermometer falls below 19.5",
        ),
        (
            replace(HALL, state="off", cause=Cause("hall light", "light", "on", delay=1200, itself=True)),
            "Turn off the hall light 20 minutes after it was turned on",
        ),
        (
            replace(
                HALL,
                domain="cover",
                state="closed",
                names=("blind",),
                cause=Cause("blind", "cover", "open", delay=3600, itself=True),
            ),
            "Close the blind 1 hour after it was opened",
        ),
        (
            replace(HALL, also=(Also("TV", "media_player", "playing"),)),
            "Turn on the hall light when the hall sensor sees motion while the TV is playing",
        ),
        (
            replace(HALL, also=(Also("balcony door", "door", "off"), Also("Ana", "person", "home"))),
            (
                "Turn on the hall light when the hall sensor sees motion while the balcony door is closed"
                " while Ana is home"
            ),
        ),
        (
            replace(HALL, also=(Also("lux", "illuminance", "below", limit=40.0, unit="lx"),)),
            "Turn on the hall light when the hall sensor sees motion while the lux is below 40 lx",
        ),
        (
            replace(
                COFFEE, steps=(Step("switch", "on", ("coffee machine",)), Step("light", "off", ("lamp",)))
            ),
            "Turn on the coffee machine and turn off the lamp at 06:45 on workdays",
        ),
        (
            replace(COFFEE, domain="media_player", state="playing", names=("radio",), day_type="daily"),
            "Start playing on the radio at 06:45 every day",
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


def test_a_long_routine_is_counted_in_the_title_and_told_in_the_description() -> None:
    steps = tuple(Step("light", "off", (f"lamp {number}",)) for number in range(1, 5))
    words = words_for(replace(COFFEE, steps=steps))
    title, description = words.title, words.description
    assert title == "Turn off the lamp 1 and do 3 more things at 06:45 on workdays"
    assert description.startswith(
        "Turn off the lamp 1, turn off the lamp 2, turn off the lamp 3 and turn off the lamp 4."
    )


def test_a_moment_that_moved_is_told() -> None:
    assert (
        "It has become 40 minutes later meanwhile; the time is that of late."
        in words_for(replace(COFFEE, moved=40)).description
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
