"""Moments of the clock and the sun: those that move, short histories, and what is coming to an end."""

from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
import pytest

from app.habits.gates import failed
from app.habits.habit import CLOCK, Habit, When
from app.habits.localtime import DAY_MS
from app.habits.replay import Played
from app.habits.suggestion import Analysis, Suggestion
from app.habits.targets import Target
from app.model import Cause, Person
from tests.habits.stories import Story, null_home

NONE = np.empty(0, np.int64)


def only(analysis: Analysis, entity_id: str) -> Suggestion:
    (one,) = [
        one
        for one in analysis.suggestions
        if entity_id in one.habit["entities"] and one.habit["state"] == "on"
    ]
    return one


def minutes(clock: str) -> int:
    hours, rest, _ = clock.split(":")
    return int(hours) * 60 + int(rest)


def turned_on(story: Story, entity_id: str, moments: Iterable[tuple[int, float]]) -> None:
    """Turn it on at each (day, local minute), and off again an hour or two later."""
    for day, minute in moments:
        on = story.at(day, minute)
        story.set(entity_id, "on", on)
        story.set(entity_id, "off", on + timedelta(minutes=float(story.random.uniform(50, 120))))


def drifting(story: Story, start: float, moved: float, spread: float = 3.0, adherence: float = 0.85) -> None:
    turned_on(
        story,
        "light.desk",
        [
            (day, start + moved * day / story.days + story.random.normal(0, spread))
            for day in story.every_day()
            if story.random.random() < adherence
        ],
    )


@pytest.mark.parametrize(("days", "moved"), [(120, 42), (45, -55), (30, 45), (75, 34)])
def test_a_moment_that_drifts_slowly_is_offered_where_it_is_now(days: int, moved: float) -> None:
    story = Story(days, seed=days)
    story.heartbeat()
    drifting(story, 20 * 60, moved)
    one = only(story.mined(), "light.desk")
    assert one.kind == "clock"
    assert abs(minutes(one.habit["at"]) - (20 * 60 + moved)) <= 10
    assert ("later meanwhile" if moved > 0 else "earlier meanwhile") in one.description


def test_a_clock_that_drifts_about_as_the_sunset_does_is_still_the_clocks() -> None:
    story = Story(60, seed=5, start=date(2026, 9, 1))
    story.heartbeat()
    # The sunset comes 133 minutes earlier in these sixty days, people's hour 60.
    drifting(story, 21 * 60, -60, spread=2.5)
    one = only(story.mined(), "light.desk")
    assert one.kind == "clock"
    assert abs(minutes(one.habit["at"]) - 20 * 60) <= 10


def test_what_follows_the_sunset_is_not_taken_for_a_clock_that_drifts() -> None:
    for days in (30, 60, 90):
        story = Story(days, seed=6, start=date(2026, 2, 2))
        story.heartbeat()
        turned_on(
            story,
            "light.desk",
            [(day, story.sunset(day) + 10 + story.random.normal(0, 6)) for day in story.every_day()],
        )
        assert only(story.mined(), "light.desk").kind == "sun"


def test_people_who_keep_an_hour_that_drifts_keep_it_and_not_the_sensor_on_their_way() -> None:
    story = Story(75, seed=7)
    story.heartbeat()
    story.motion("binary_sensor.study", 25)
    for day in story.every_day():
        if story.random.random() < 0.85:
            on = story.at(day, 5 * 60 + 25 + 45 * day / 75 + story.random.normal(0, 3))
            walked = on - timedelta(seconds=float(story.random.uniform(5, 50)))
            story.set("binary_sensor.study", "on", walked, Cause.UNKNOWN)
            story.set("binary_sensor.study", "off", walked + timedelta(seconds=60), Cause.UNKNOWN)
            story.set("light.desk", "on", on)
            story.set("light.desk", "off", on + timedelta(minutes=float(story.random.uniform(50, 120))))
    one = only(story.mined(), "light.desk")
    assert one.kind == "clock"
    assert abs(minutes(one.habit["at"]) - (6 * 60 + 10)) <= 10


def test_two_missed_days_at_the_end_of_two_weeks_do_not_hide_a_daily_habit() -> None:
    story = null_home(8, days=14)
    kept = [day for day in range(14) if day not in {4, 10, 12}]
    turned_on(story, "light.desk", [(day, 21 * 60 + story.random.normal(0, 5)) for day in kept])
    one = only(story.mined(), "light.desk")
    assert abs(minutes(one.habit["at"]) - 21 * 60) <= 10
    assert one.evidence.replay.fires >= 6


def _clock_habit(kept: str) -> Habit:
    """Build a habit of the clock from a letter a day: k(ept), m(issed), s(o already)."""
    due = np.arange(1, len(kept) + 1, dtype=np.int64) * DAY_MS

    def played(days: str, at: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Played:
        wanted = at[[letter == "k" for letter in days]]
        return Played(wanted, wanted, at[[letter == "m" for letter in days]], days=len(days))

    half = len(kept) // 2
    whole = played(kept, due)
    return Habit(
        CLOCK, Target(("light.hall",), "on", NONE, np.empty(0, np.bool_), NONE, NONE, NONE),
        when=When("midnight", 420, "daily"), days_observed=len(kept), days_kept=len(whole.wanted),
        train=played(kept[:half], due[:half]), held_out=played(kept[half:], due[half:]), whole=whole,
        fires=due,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        ("kkkmkkkkmkkkkkmkkkkkkkkmkkkkmk", None),
        ("kkkkmkkkmkkkkkmm", None),
        ("kkkkkkkkkkkkkkkkkkkkkkkkkkmmmm", "not once the last 4 times it was due"),
        ("kkkkkkkkkkkkkkkkkkkkkkkkkkssss", "not once the last 4 times it was due"),
        ("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkmkkkkkkmmmmkmmmkmmm", "of late"),
    ],
)
def test_a_habit_that_is_over_is_not_offered_however_steady_it_was(kept: str, why: str | None) -> None:
    said = failed(_clock_habit(kept))
    assert said is None if why is None else why in (said or "")


def _office_hours(story: Story) -> Iterable[tuple[int, float]]:
    """Let Ana go out on workdays at about ten past eight, and yield (day, local minute) of each going."""
    story.persons.append(Person(entity_id="person.ana", name="Ana"))
    for day in story.every_day((0, 1, 2, 3, 4)):
        gone = 8 * 60 + 10 + float(story.random.normal(0, 10))
        story.set("person.ana", "not_home", story.at(day, gone), Cause.UNKNOWN)
        story.set("person.ana", "home", story.at(day, 17 * 60 + story.random.normal(0, 60)), Cause.UNKNOWN)
        yield day, gone


def test_what_is_done_on_leaving_at_the_usual_hour_is_not_the_clocks() -> None:
    story = null_home(31, days=15)
    for day, gone in _office_hours(story):
        story.set("light.desk", "on", story.at(day, gone - float(story.random.uniform(40, 90))))
        story.set("light.desk", "off", story.at(day, gone + float(story.random.uniform(1, 3))), Cause.PERSON)
    analysis = story.mined()
    clocks = [one for one in analysis.suggestions if one.kind != "trigger"]
    assert not [one for one in clocks if one.habit["state"] == "off"]
    assert any("as they come or go" in aside.why for aside in analysis.set_aside)


def test_what_keeps_the_clock_stays_the_clocks_though_people_leave_then() -> None:
    story = null_home(32, days=30)
    turned_on(
        story,
        "light.desk",
        [(day, 8 * 60 + 15 + story.random.normal(0, 4)) for day, _ in _office_hours(story)],
    )
    one = only(story.mined(), "light.desk")
    assert one.kind == "clock"
    assert one.habit["day_type"] == "workdays"


@pytest.mark.parametrize("seed", [35, 36, 38])
def test_a_daily_habit_is_not_the_workdays_because_the_weekend_is_minutes_later(seed: int) -> None:
    story = null_home(seed, days=14)
    workdays = [(day, 1137.0 + story.random.normal(0, 2)) for day in (0, 1, 2, 4, 7, 8, 9, 10, 11)]
    turned_on(story, "light.desk", [*workdays, (5, 1149.0), (13, 1149.0)])
    story.at_random("light.desk", 1.5, lasts=20)
    story.events.sort(key=lambda event: event.at)
    assert only(story.mined(), "light.desk").habit["day_type"] == "daily"


def test_who_is_out_on_most_workdays_has_no_habit_of_the_weekends() -> None:
    story = null_home(39, days=35)
    story.persons.append(Person(entity_id="person.ana", name="Ana"))
    for day in story.every_day():
        out = day % 7 in {0, 1, 3}
        story.set("person.ana", "not_home", story.at(day, 12 * 60 if out else 9 * 60), Cause.UNKNOWN)
        story.set("person.ana", "home", story.at(day, 22 * 60 if out else 13 * 60), Cause.UNKNOWN)
        if not out and day != 12:
            turned_on(story, "light.desk", [(day, 14 * 60 + 40 + story.random.normal(0, 4))])
    one = only(story.mined(), "light.desk")
    assert one.habit["day_type"] == "daily"
    assert one.habit["conditions"]["someone_home"]


def test_a_moment_never_kept_with_nobody_home_is_not_judged_by_days_on_which_all_went_out() -> None:
    story = null_home(41, days=30)
    story.persons.append(Person(entity_id="person.ana", name="Ana"))
    for day in story.every_day():
        out = day in {17, 19, 21, 22, 24, 26, 28}
        story.set("person.ana", "not_home", story.at(day, 13 * 60), Cause.UNKNOWN)
        story.set("person.ana", "home", story.at(day, 23 * 60 if out else 15 * 60), Cause.UNKNOWN)
        if not out:
            turned_on(story, "light.desk", [(day, 20 * 60 + 40 + story.random.normal(0, 4))])
    assert only(story.mined(), "light.desk").habit["conditions"]["someone_home"]


def test_what_is_kept_on_weekends_by_who_is_out_on_workdays_is_the_weekends() -> None:
    story = null_home(43, days=42)
    story.persons.append(Person(entity_id="person.ana", name="Ana"))
    for day in story.every_day():
        weekend = day % 7 >= 5
        story.set("person.ana", "not_home", story.at(day, 13 * 60 if weekend else 7 * 60), Cause.UNKNOWN)
        story.set("person.ana", "home", story.at(day, 15 * 60 if weekend else 18 * 60), Cause.UNKNOWN)
        if weekend and day not in {12, 27}:
            turned_on(story, "light.desk", [(day, 10 * 60 + 40 + story.random.normal(0, 4))])
    assert only(story.mined(), "light.desk").habit["day_type"] == "weekends"
