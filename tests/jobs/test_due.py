from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.jobs.due import Cron, Plan, check_schedule, plan
from tests.jobs.crew import at

NIGHTLY = Cron("0 3 * * *", "Europe/Paris")
HOUR = timedelta(hours=1)
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


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    schedule=st.sampled_from(["30 2 * * *", "0 3 * * 1", "*/20 * * * *", "15 1,2,3 * * *", "0 0 1 * *"]),
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
    decided = plan(NIGHTLY, since=at("2026-03-09 12:00"), now=at("2026-03-10 03:00"), grace=HOUR, once=True)
    assert decided == Plan(at("2026-03-10 02:00"))


def test_beyond_its_grace_the_newest_is_caught_up_and_the_others_are_missed() -> None:
    decided = plan(
        NIGHTLY, since=at("2026-03-07 12:00"), now=at("2026-03-10 03:00:01"), grace=HOUR, once=True
    )
    assert decided == Plan(
        at("2026-03-10 02:00"), late=True, missed=(at("2026-03-08 02:00"), at("2026-03-09 02:00"))
    )


def test_what_is_not_caught_up_is_missed() -> None:
    decided = plan(NIGHTLY, since=at("2026-03-09 12:00"), now=at("2026-03-10 09:00"), grace=HOUR, once=False)
    assert decided == Plan(missed=(at("2026-03-10 02:00"),))


def test_nothing_is_due_twice_or_before_it_is() -> None:
    for now in ("2026-03-10 02:00", "2026-03-11 01:59:59"):
        decided = plan(NIGHTLY, since=at("2026-03-10 02:00"), now=at(now), grace=HOUR, once=True)
        assert decided == Plan()


def test_a_year_off_with_a_job_each_minute_is_bounded() -> None:
    cron = Cron("* * * * *", "Europe/Paris")
    decided = plan(cron, since=at("2025-03-10 02:00"), now=at("2026-03-10 02:00"), grace=HOUR, once=True)
    assert decided.run == at("2026-03-10 02:00")
    assert len(decided.missed) == 30


@pytest.mark.parametrize("wrong", ["", "x", "0 3 * *", "0 0 3 * * *", "61 3 * * *", "0 0 30 2 *"])
def test_a_wrong_schedule_says_what_is_wanted(wrong: str) -> None:
    with pytest.raises(ValueError, match="give five cron fields"):
        check_schedule(wrong)
