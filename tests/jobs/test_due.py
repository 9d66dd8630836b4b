from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.jobs.due import (
    Cron,
    Every,
    Plan,
    Several,
    check_schedule,
    comes_round,
    instant_on,
    plan,
    schedule_of,
    several,
)
from app.jobs.policies import CatchUp
from tests.jobs.crew import at

NIGHTLY = Cron("0 3 * * *", "Europe/Paris")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ONCE = CatchUp.ONCE
SCHEDULES = [
    *("30 2 * * *", "0 3 * * 1", "*/20 * * * *", "15 1,2,3 * * *", "0 0 1 * *"),
    *("0 */4 * * *", "15 */2 * * *", "45 1-5 * * *", "0 2 * * SUN", "5 0 29 2 *"),
]
ZONES = ["Europe/Paris", "Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]


def test_half_past_two_in_paris_comes_once_in_the_night_that_has_it_twice() -> None:
    cron = Cron("30 2 * * *", "Europe/Paris")
    assert cron.between(at("2026-10-24 12:00"), at("2026-10-25 12:00")) == [at("2026-10-25 00:30")]


def test_in_spring_half_past_two_comes_at_three_in_the_night_that_lacks_it() -> None:
    cron = Cron("30 2 * * *", "Europe/Paris")
    assert cron.between(at("2026-03-28 12:00"), at("2026-03-29 12:00")) == [at("2026-03-29 01:00")]


def test_asked_within_the_second_half_past_two_the_next_one_is_tomorrow() -> None:
    cron = Cron("30 2 * * *", "Europe/Paris")
    second = at(
        "2026-10-25 01:15"
    )  # 02:15 for the second time: cronsim alone would go back to the first 02:30
    assert cron.next(second) == at("2026-10-26 01:30")
    assert next(cron.backwards(second)) == at("2026-10-25 00:30")


@pytest.mark.parametrize("day", ["2026-04-05", "2026-10-04"])
def test_where_the_clocks_change_by_half_an_hour_no_hour_is_stepped_over(day: str) -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    noon = datetime.fromisoformat(f"{day} 12:00").replace(tzinfo=zone)
    cron, instant, hours = Cron("0 */4 * * *", zone.key), noon - timedelta(hours=13), []
    while (following := cron.next(instant.astimezone(UTC))) is not None and following <= noon:
        instant = following
        hours.append(following.astimezone(zone).hour)
    assert hours == [0, 4, 8, 12]


def test_day_zero_is_sunday() -> None:
    following = Cron("0 3 * * 0", "Europe/Paris").next(at("2026-03-10 12:00"))
    assert following is not None
    assert following.strftime("%A") == "Sunday"


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("schedule", ["30 2 * * *", "0 3 * * *", "15 2 * * *", "45 1 * * *"])
def test_a_daily_job_comes_once_each_local_day_of_a_year(zone: str, schedule: str) -> None:
    cron, instant = Cron(schedule, zone), at("2026-01-01 12:00")
    days = []
    while instant < at("2027-01-01 12:00"):
        following = cron.next(instant)
        assert following is not None
        instant = following
        days.append(instant.astimezone(ZoneInfo(zone)).date())
    assert len(days) == len(set(days)) == (days[-1] - days[0]).days + 1


@settings(max_examples=150)
@given(
    zone=st.sampled_from(ZONES),
    schedule=st.sampled_from(SCHEDULES),
    start=st.integers(0, 366 * 24 * 60),
    hours=st.integers(1, 72),
)
def test_walking_back_finds_what_walking_forward_finds(
    zone: str, schedule: str, start: int, hours: int
) -> None:
    cron = Cron(schedule, zone)
    since = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=start)
    until = since + timedelta(hours=hours)
    forward = []
    instant = cron.next(since)
    while instant is not None and instant <= until:
        forward.append(instant)
        instant = cron.next(instant)
    assert cron.between(since, until, limit=1000) == forward


def test_a_run_within_its_grace_just_starts_late() -> None:
    decided = plan(
        NIGHTLY, since=at("2026-03-09 12:00"), now=at("2026-03-10 03:00"), grace=HOUR, catch_up=ONCE
    )
    assert decided == Plan(runs=(at("2026-03-10 02:00"),))


def test_beyond_its_grace_the_newest_is_caught_up_and_the_others_are_missed() -> None:
    decided = plan(
        NIGHTLY, since=at("2026-03-07 12:00"), now=at("2026-03-10 03:00:01"), grace=HOUR, catch_up=ONCE
    )
    assert decided == Plan(
        runs=(at("2026-03-10 02:00"),), missed=(at("2026-03-08 02:00"), at("2026-03-09 02:00"))
    )


def test_what_is_not_caught_up_is_missed() -> None:
    decided = plan(
        NIGHTLY, since=at("2026-03-09 12:00"), now=at("2026-03-10 09:00"), grace=HOUR, catch_up=CatchUp.SKIP
    )
    assert decided == Plan(missed=(at("2026-03-10 02:00"),))


def test_nothing_is_due_twice_or_before_it_is() -> None:
    for now in ("2026-03-10 02:00", "2026-03-11 01:59:59"):
        decided = plan(NIGHTLY, since=at("2026-03-10 02:00"), now=at(now), grace=HOUR, catch_up=ONCE)
        assert decided == Plan()


def test_a_year_off_with_a_job_each_minute_is_bounded() -> None:
    cron = Cron("* * * * *", "Europe/Paris")
    decided = plan(cron, since=at("2025-03-10 02:00"), now=at("2026-03-10 02:00"), grace=HOUR, catch_up=ONCE)
    assert decided.runs == (at("2026-03-10 02:00"),)
    assert len(decided.missed) == 30


def test_each_missed_night_is_made_up_for_where_that_is_asked_for_but_none_from_before_the_window() -> None:
    decided = plan(
        NIGHTLY,
        since=at("2026-03-05 12:00"),
        now=at("2026-03-10 09:00"),
        grace=HOUR,
        catch_up=CatchUp.ALL,
        window=3 * DAY,
    )
    assert decided.runs == (at("2026-03-08 02:00"), at("2026-03-09 02:00"), at("2026-03-10 02:00"))
    assert decided.missed == (at("2026-03-06 02:00"), at("2026-03-07 02:00"))


def test_what_was_missed_before_the_window_is_not_caught_up() -> None:
    weekly = Cron("0 3 * * 1", "Europe/Paris")
    decided = plan(
        weekly,
        since=at("2026-03-01 12:00"),
        now=at("2026-03-10 09:00"),
        grace=HOUR,
        catch_up=ONCE,
        window=DAY,
    )
    assert decided == Plan(missed=(at("2026-03-02 02:00"), at("2026-03-09 02:00")))


def test_of_a_schedule_in_two_zones_the_newest_of_each_is_caught_up() -> None:
    both = several([NIGHTLY, Cron("0 3 * * *", "America/New_York")])
    decided = plan(both, since=at("2026-03-08 12:00"), now=at("2026-03-10 09:00"), grace=HOUR, catch_up=ONCE)
    assert decided.runs == (at("2026-03-10 02:00"), at("2026-03-10 07:00"))
    assert decided.missed == (at("2026-03-09 02:00"), at("2026-03-09 07:00"))


def test_an_interval_comes_at_the_same_instants_whenever_it_is_asked() -> None:
    quarter = schedule_of("every 15 minutes", "Asia/Kolkata")
    assert quarter == Every(timedelta(minutes=15))
    assert quarter.next(at("2026-03-29 00:59:59")) == at("2026-03-29 01:00")
    assert quarter.next(at("2026-03-29 01:00")) == at("2026-03-29 01:15")
    assert quarter.between(at("2026-03-29 00:45"), at("2026-03-29 01:29")) == [
        at("2026-03-29 01:00"),
        at("2026-03-29 01:15"),
    ]
    assert schedule_of("every minute", "UTC") == Every(timedelta(minutes=1))
    assert schedule_of("every 2 days", "UTC") == Every(2 * DAY)


def test_a_schedule_for_people_in_several_zones_comes_once_at_an_instant_they_share() -> None:
    zones = ("Europe/Paris", "Europe/Amsterdam", "Asia/Kolkata")
    seven = several(schedule_of("0 7 * * *", zone) for zone in zones)
    assert isinstance(seven, Several)
    assert seven.between(at("2026-03-10 00:00"), at("2026-03-11 00:00")) == [
        at("2026-03-10 01:30"),
        at("2026-03-10 06:00"),
    ]
    assert seven.next(at("2026-03-10 01:30")) == at("2026-03-10 06:00")
    assert comes_round(Cron("0 7 * * *", "Europe/Paris"), at("2026-03-10 06:00"))
    assert not comes_round(Cron("0 7 * * *", "Asia/Kolkata"), at("2026-03-10 06:00"))


def test_a_day_that_is_asked_for_is_meant_as_its_instant_of_the_schedule_or_its_noon() -> None:
    paris = ZoneInfo("Europe/Paris")
    assert instant_on(NIGHTLY, date(2026, 3, 10), paris) == at("2026-03-10 02:00")
    assert instant_on(Cron("0 3 * * 1", "Europe/Paris"), date(2026, 3, 10), paris) == at("2026-03-10 11:00")
    assert instant_on(None, date(2026, 3, 29), paris) == at("2026-03-29 10:00")


@pytest.mark.parametrize(
    "wrong",
    ["", "x", "0 3 * *", "0 0 3 * * *", "61 3 * * *", "0 0 30 2 *", "every 0 minutes", "every week", "off"],
)
def test_a_wrong_schedule_says_what_is_wanted(wrong: str) -> None:
    with pytest.raises(ValueError, match="give five cron fields"):
        check_schedule(wrong)
