"""What to do: it follows from the readings, its numbers are the scoring's, and it keeps its id."""

import re
from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.insights.insight import Priority, Recommendation
from app.insights.recommending import recommend
from app.insights.scorecard import Scorecard
from app.insights.scoring import score
from tests.insights.small import ALL_WELL, read, shipped

DAY = date(2026, 3, 10)
BUSINESS = shipped("business")
HOME = shipped("home")
POOR: dict[str, float | None] = {
    "cash_flow.days_of_runway": 12,
    "operations.days_sales_outstanding": 50,
    "revenue.revenue_growth": 20,
    "profitability.net_margin": -3,
}
WELL = {f"{category.key}.{metric.key}": ALL_WELL[metric.figure or ""] for category, metric in HOME.metrics()}


def advice(
    card: Scorecard,
    values: Mapping[str, float | None],
    day: date = DAY,
    before: tuple[Recommendation, ...] = (),
) -> tuple[Recommendation, ...]:
    return recommend(card, read(card, values), home_id="home", day=day, before=before)


def test_the_most_urgent_comes_first_with_the_words_of_the_scorecard() -> None:
    cash, margin, outstanding = advice(BUSINESS, POOR)
    assert (cash.priority, cash.title) == (Priority.CRITICAL, "Cash flow alert")
    assert cash.message == "Projected negative in 12 days."
    assert cash.rests_on == "Days of runway: 12 d (below 14 d: 30 of 100), from sensor.days_of_runway."
    assert (
        cash.would_change == "From 14 d, Cash flow would go from 30 to 50 and the whole score from 56 to 63."
    )
    assert (margin.priority, margin.message[:30]) == (Priority.HIGH, "Net margin is below 0 %. Look ")
    assert (outstanding.priority, outstanding.title) == (Priority.MEDIUM, "Invoices are paid late")
    assert outstanding.would_change.startswith("At 45 d or less, Operations would go from 60 to 80")


def test_what_it_would_change_is_what_the_scoring_says() -> None:
    (cash, *_) = advice(BUSINESS, POOR)
    better = score(BUSINESS, read(BUSINESS, {**POOR, "cash_flow.days_of_runway": 14}))
    category, whole = (int(number) for number in re.findall(r"to (\d+)", cash.would_change))
    assert (category, whole) == (better.breakdown[0].score, better.health_score)


def test_with_less_than_three_things_wrong_missing_readings_follow_by_weight() -> None:
    found = advice(BUSINESS, {"revenue.revenue_growth": 20, "profitability.net_margin": -3})
    assert [one.metric for one in found] == ["net_margin", "days_of_runway", "days_sales_outstanding"]
    missing = found[1]
    assert missing.title == "No reading for days of runway"
    assert (
        missing.message
        == "Days of runway is missing from the score. Home Assistant has no sensor.days_of_runway. Wait."
    )
    assert (
        missing.would_change
        == "The score would rest on 75 % of its weight instead of 40 %, enough to be shown."
    )
    assert missing.priority is Priority.LOW


def test_where_all_is_well_it_tells_what_is_nearest_to_getting_worse() -> None:
    values = {**WELL, "comfort.humidity": 96.0, "energy.against_usual": 1.05}
    found = advice(HOME, values)
    assert [one.metric for one in found] == ["humidity", "against_usual", "temperature"]
    assert found[0].title == "Keep an eye on hours at a comfortable humidity"
    assert (
        found[0].would_change
        == "Below 95 %, Comfort would go from 100 to 96 and the whole score from 100 to 99."
    )
    assert all(one.priority is Priority.LOW for one in found)


def test_even_a_perfect_home_has_three_and_what_is_at_none_comes_last() -> None:
    found = advice(HOME, {**WELL, "comfort.temperature": None, "comfort.humidity": None, "comfort.air": None})
    assert [one.metric for one in found] == ["temperature", "humidity", "air"]
    found = advice(HOME, WELL)
    assert len(found) == 3
    assert not {"critical_alerts", "high_alerts"} & {one.metric for one in found}


VALUES = st.fixed_dictionaries(
    {
        f"{category.key}.{metric.key}": st.none() | st.floats(-30, 120) | st.integers(-10, 5).map(float)
        for category, metric in BUSINESS.metrics()
    }
)


@settings(deadline=None)
@given(VALUES)
def test_there_are_three_to_five_each_of_another_metric_and_each_in_full(
    values: dict[str, float | None],
) -> None:
    found = advice(BUSINESS, values)
    assert 3 <= len(found) <= 5
    assert len({(one.category, one.metric) for one in found}) == len(found)
    assert len({one.recommendation_id for one in found}) == len(found)
    urgent = [list(Priority).index(one.priority) for one in found]
    assert urgent == sorted(urgent)
    for one in found:
        assert all((one.title, one.message, one.rests_on, one.would_change))
        assert not re.search(r"[{}]|None|nan", f"{one.title}{one.message}{one.rests_on}{one.would_change}")


@settings(deadline=None)
@given(VALUES)
def test_the_same_readings_say_the_same(values: dict[str, float | None]) -> None:
    assert advice(BUSINESS, values) == advice(BUSINESS, values)


def test_what_lasts_keeps_its_id_and_what_comes_back_later_has_another() -> None:
    first = advice(BUSINESS, POOR)
    assert first[0].recommendation_id.endswith("_20260310")
    later = DAY + timedelta(days=1)
    again = advice(BUSINESS, {**POOR, "cash_flow.days_of_runway": 11}, later, first)
    assert again[0].recommendation_id == first[0].recommendation_id
    assert again[0].message == "Projected negative in 11 days."
    anew = advice(BUSINESS, POOR, later)
    assert anew[0].recommendation_id.endswith("_20260311")
    assert {one.recommendation_id for one in anew}.isdisjoint(one.recommendation_id for one in first)


def test_another_band_home_or_scorecard_has_another_id() -> None:
    one = advice(BUSINESS, POOR)[0].recommendation_id
    better = advice(BUSINESS, {**POOR, "cash_flow.days_of_runway": 20})
    assert one not in {each.recommendation_id for each in better}
    readings = read(BUSINESS, POOR)
    elsewhere = recommend(BUSINESS, readings, home_id="cabin", day=DAY)
    renamed = recommend(BUSINESS.model_copy(update={"name": "shop"}), readings, home_id="home", day=DAY)
    assert len({one, elsewhere[0].recommendation_id, renamed[0].recommendation_id}) == 3


@pytest.mark.parametrize(("points", "priority"), [(39, "high"), (40, "medium"), (69, "medium"), (70, "low")])
def test_critical_is_only_what_a_band_calls_critical(points: int, priority: str) -> None:
    card = BUSINESS.model_copy(
        update={
            "categories": (
                BUSINESS.categories[3].model_copy(
                    update={
                        "weight": 100.0,
                        "metrics": (
                            BUSINESS.categories[3]
                            .metrics[0]
                            .model_copy(
                                update={
                                    "recommend": None,
                                    "bands": (
                                        BUSINESS.categories[3].metrics[0].bands[0],
                                        BUSINESS.categories[3]
                                        .metrics[0]
                                        .bands[4]
                                        .model_copy(update={"score": points}),
                                    ),
                                }
                            ),
                        ),
                    }
                ),
            )
        }
    )
    (found,) = advice(card, {"profitability.net_margin": 3})
    assert (found.priority, found.title) == (priority, "Net margin: 3 %")
    assert found.message == "Net margin is at 3 %: 20 % or less."


def test_a_worst_band_between_two_better_ones_is_left_by_the_nearer_side() -> None:
    card = Scorecard.model_validate(
        {"name": "a", "title": "A", "categories": ({"key": "a", "title": "A", "weight": 100, "metrics": (
            {"key": "t", "title": "Temperature", "entity": "sensor.t", "unit": "°C", "bands": (
                {"at_least": 20, "at_most": 23, "score": 100}, {"at_least": 18, "score": 60}, {"score": 20},
            )},
        )},)}
    )  # fmt: skip
    said = [advice(card, {"a.t": value})[0].would_change for value in (17, 19, 25)]
    assert said == [
        "From 18 °C, A would go from 20 to 60 and the whole score from 20 to 60.",
        "From 20 °C, A would go from 60 to 100 and the whole score from 60 to 100.",
        "At 23 °C or less, A would go from 60 to 100 and the whole score from 60 to 100.",
    ]
