"""Where a score is going: only what the days really show."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from app.insights.insight import Insight
from app.insights.trend import Direction, trend

TODAY = date(2026, 3, 30)


def days(
    scores: Sequence[int | None],
    last: date = TODAY,
    confidence: Sequence[float] = (),
    stale: Sequence[int] = (),
) -> list[Insight]:
    return [
        Insight(
            insight_id=f"i{number}",
            home_id="home",
            scorecard="home",
            title="Home",
            day=last - timedelta(days=len(scores) - 1 - number),
            health_score=score,
            health_breakdown=(),
            recommendations=(),
            confidence=confidence[number] if confidence else 1.0,
            stale_since=datetime(2026, 3, 1, tzinfo=UTC) if number in stale else None,
            generated_at=datetime(2026, 3, 30, 5, tzinfo=UTC),
        )
        for number, score in enumerate(scores)
    ]


def test_what_rises_for_weeks_is_improving_and_what_falls_is_declining() -> None:
    rising = trend(days([60 + number for number in range(30)]), TODAY)
    assert (rising.direction, rising.days, rising.first, rising.last) == (Direction.IMPROVING, 30, 60, 89)
    assert (rising.change, rising.average) == (29, 74.5)
    assert trend(days([90 - number for number in range(30)]), TODAY).direction is Direction.DECLINING


def test_what_goes_up_and_down_by_a_few_points_is_steady_whatever_the_newest_day_says() -> None:
    chance = Random(6)  # noqa: S311 - made-up scores
    noisy = [75 + chance.randint(-5, 5) for _ in range(29)]
    assert trend(days([70, *noisy]), TODAY).direction is Direction.STEADY
    assert trend(days([80] * 30), TODAY).direction is Direction.STEADY
    assert trend(days([80] * 29 + [20]), TODAY).direction is Direction.STEADY


def test_a_rise_of_less_than_three_points_is_steady() -> None:
    assert trend(days([80] * 10 + [81] * 10 + [82] * 10), TODAY).direction is Direction.STEADY


def test_before_seven_days_nothing_is_said() -> None:
    few = trend(days([10, 20, 30, 40, 50, 60]), TODAY)
    assert (few.direction, few.days, few.change, few.last) == (Direction.UNKNOWN, 6, None, 60)
    assert trend(days([10, 20, 30, 40, 50, 60, 70]), TODAY).direction is Direction.IMPROVING
    assert trend((), TODAY).direction is Direction.UNKNOWN


def test_days_that_cannot_be_compared_are_left_out() -> None:
    scores = [60 + 2 * number for number in range(14)]
    assert trend(days([*[None] * 7, *scores]), TODAY).days == 14
    assert trend(days(scores, stale=(0, 1, 2)), TODAY).days == 11
    # Seven days in which only a third could be read do not make the rest look like a fall.
    mixed = trend(days([100] * 7 + [80] * 10, confidence=[0.35] * 7 + [1.0] * 10), TODAY)
    assert (mixed.direction, mixed.days) == (Direction.STEADY, 10)
    assert trend(days([60] * 40), TODAY, days=30).days == 30


@settings(deadline=None)
@given(st.lists(st.integers(0, 100), min_size=7, max_size=30))
def test_turned_round_a_rise_is_a_fall(scores: list[int]) -> None:
    forwards, backwards = trend(days(scores), TODAY), trend(days(scores[::-1]), TODAY)
    other = {Direction.IMPROVING: Direction.DECLINING, Direction.DECLINING: Direction.IMPROVING}
    assert backwards.direction is other.get(forwards.direction, forwards.direction)


def test_mere_chance_is_called_a_trend_in_about_one_of_twenty_months_at_most() -> None:
    chance = Random(3)  # noqa: S311 - made-up scores
    called = sum(
        trend(days([70 + chance.randint(-15, 15) for _ in range(30)]), TODAY).direction
        is not Direction.STEADY
        for _ in range(400)
    )
    assert called <= 28
