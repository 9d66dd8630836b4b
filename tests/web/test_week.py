"""The map of a week: local hours, days of 23 and 25 hours, jobs that meet."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from app.jobs.due import schedule_of
from app.web.week import Planned, Week, draw_week

AMSTERDAM = "Europe/Amsterdam"
NOON = datetime(2026, 3, 10, 11, tzinfo=UTC)


def planned(title: str, text: str, seconds: float | None = 60.0, zone: str = AMSTERDAM) -> Planned:
    return Planned(title, schedule_of(text, zone), seconds)


def week(*jobs: Planned, now: datetime = NOON, zone: str = AMSTERDAM) -> Week:
    return draw_week(jobs, now, ZoneInfo(zone))


def said(drawn: Week) -> list[list[str]]:
    return [[cell.said for cell in day.cells] for day in drawn.days]


def test_each_of_the_seven_days_from_today_has_its_starts() -> None:
    drawn = week(planned("Night", "0 3 * * *"))
    assert [day.label for day in drawn.days] == [
        "Today", "Wed 11", "Thu 12", "Fri 13", "Sat 14", "Sun 15", "Mon 16",
    ]  # fmt: skip
    assert said(drawn) == [["Night at 03:00"]] * 7
    assert drawn.starts == 7
    assert drawn.meet == ()


def test_a_night_of_23_hours_lacks_an_hour_and_keeps_its_run() -> None:
    drawn = week(planned("Night", "30 2 * * *"), now=datetime(2026, 3, 29, 10, tzinfo=UTC))
    assert said(drawn)[0] == ["Night at 03:00"]
    assert said(drawn)[1] == ["Night at 02:30"]
    assert [bool(day.gone) for day in drawn.days] == [True] + [False] * 6
    assert drawn.days[0].gone.startswith("M20 ")


def test_an_hour_that_comes_twice_shows_both_of_its_starts() -> None:
    drawn = week(planned("Often", "every 1 hours"), now=datetime(2026, 10, 25, 10, tzinfo=UTC))
    assert len(drawn.days[0].cells) == 24
    assert "Often 2 times from 02:00" in said(drawn)[0]
    assert drawn.starts == 7 * 24 + 1
    assert not any(day.gone for day in drawn.days)


def test_a_half_hour_change_takes_no_hour_out() -> None:
    # On Lord Howe clocks go from 2:00 to 2:30 on 4 October 2026.
    now = datetime(2026, 10, 3, 20, tzinfo=UTC)
    drawn = week(
        planned("Night", "0 2 * * *", zone="Australia/Lord_Howe"), now=now, zone="Australia/Lord_Howe"
    )
    assert not any(day.gone for day in drawn.days)
    assert said(drawn)[0] == ["Night at 02:30"]


def test_jobs_that_meet_are_told_with_their_days() -> None:
    drawn = week(planned("Night", "0 3 * * *", 600), planned("Check", "5 3 * * MON,TUE", 1))
    assert drawn.meet == ("Tue and Mon at 03:05: Check and Night",)
    assert [cell.meets for day in drawn.days for cell in day.cells] == [True] + [False] * 5 + [True]


def test_at_the_same_instant_they_meet_whatever_they_take() -> None:
    drawn = week(planned("Night", "0 4 * * *", None), planned("Check", "0 */4 * * *", None))
    assert drawn.meet == ("Every day at 04:00: Check and Night",)
    assert "Check at 04:00; Night at 04:00" in said(drawn)[0]


def test_one_that_ended_long_before_is_not_met() -> None:
    assert week(planned("Night", "0 3 * * *", 120), planned("Check", "3 3 * * *")).meet == ()


def test_what_runs_all_the_time_is_named_and_not_drawn() -> None:
    drawn = week(planned("Pulse", "every 1 minutes"), planned("Often", "every 5 minutes"))
    assert drawn.always == ("Pulse",)
    assert drawn.starts == 7 * 24 * 12


def test_more_starts_than_there_is_room_for_are_three_bars() -> None:
    (cell, *_) = week(planned("Often", "every 10 minutes")).days[0].cells
    assert cell.path.count("M") == 3
    assert cell.said == "Often 6 times from 00:00"
