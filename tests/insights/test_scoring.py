"""From readings to a score: weights, rounding, and what is missing."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.insights.numbers import half_up, number_text, said
from app.insights.scorecard import Scorecard
from app.insights.scoring import score, weights_of
from tests.insights.small import ALL_WELL, read, shipped, simple

KEYS = [[f"c{number}.m{place}" for place in range(3)] for number in range(3)]


@st.composite
def weights(draw: st.DrawFn) -> list[float]:
    """Return three weights in per cent, with two digits, that make 100."""
    cuts = sorted(draw(st.lists(st.integers(1, 9999), min_size=2, max_size=2, unique=True)))
    return [cuts[0] / 100, (cuts[1] - cuts[0]) / 100, (10000 - cuts[1]) / 100]


@st.composite
def cards(draw: st.DrawFn) -> Scorecard:
    return simple(*((weight, draw(weights())) for weight in draw(weights())))


VALUES = st.dictionaries(
    st.sampled_from([key for keys in KEYS for key in keys]), st.floats(-200, 200), min_size=0, max_size=9
)


@settings(deadline=None)
@given(cards(), VALUES)
def test_the_score_is_the_mean_of_what_was_read_by_weight(card: Scorecard, values: dict[str, float]) -> None:
    found = score(card, read(card, dict(values)))
    whole, read_of_all = Fraction(), Fraction()
    total = Fraction()
    for category, keys in zip(card.categories, KEYS, strict=True):
        share = Fraction(str(category.weight)) / 100
        parts = [
            (Fraction(str(metric.weight)) / 100, values[key])
            for metric, key in zip(category.metrics, keys, strict=True)
            if key in values
        ]
        present = sum((weight for weight, _ in parts), Fraction())
        read_of_all += share * present
        if parts:
            points = sum((weight for weight, value in parts if value >= 50), Fraction()) * 100 / present
            whole += share * points
            total += share
    assert found.health_score == (half_up(whole / total) if total else None)
    assert found.confidence == pytest.approx(float(read_of_all))


@settings(deadline=None)
@given(cards(), VALUES)
def test_a_score_stays_between_its_worst_and_its_best_part(card: Scorecard, values: dict[str, float]) -> None:
    found = score(card, read(card, dict(values)))
    parts = [one.score for one in found.breakdown if one.score is not None]
    assert 0 <= found.confidence <= 1
    assert (found.health_score is None) is (not parts) is (not values)
    if found.health_score is not None:
        assert min(parts) <= found.health_score <= max(parts)


@settings(deadline=None)
@given(cards(), VALUES, st.sampled_from([key for keys in KEYS for key in keys]))
def test_a_reading_more_never_lowers_the_confidence(
    card: Scorecard, values: dict[str, float], more: str
) -> None:
    before = score(card, read(card, dict(values))).confidence
    after = score(card, read(card, {**values, more: 1.0})).confidence
    assert after > before if more not in values else after == before


@settings(deadline=None)
@given(cards(), VALUES)
def test_a_missing_metric_is_shown_as_missing_and_never_scored(
    card: Scorecard, values: dict[str, float]
) -> None:
    found = score(card, read(card, dict(values)))
    shown = {
        f"{category.key}.{metric.key}": metric for category in found.breakdown for metric in category.metrics
    }
    assert len(shown) == 9
    for key, metric in shown.items():
        assert (metric.value is None) is (key not in values)
        assert (metric.score is None) is (key not in values)
        assert bool(metric.missing) is (key not in values)
        assert bool(metric.band) is (key in values)


def test_a_missing_metric_leaves_its_weight_to_its_category_and_a_category_to_the_others() -> None:
    card = simple((60, (70, 30)), (40, (100,)))
    whole = score(card, read(card, {"c0.m0": 0, "c0.m1": 99, "c1.m0": 99}))
    assert (whole.health_score, whole.confidence) == (58, 1)
    without_one = score(card, read(card, {"c0.m1": 99, "c1.m0": 0}))
    assert without_one.health_score == 60
    assert without_one.confidence == pytest.approx(0.58)
    without_category = score(card, read(card, {"c0.m0": 0, "c0.m1": 99}))
    assert without_category.health_score == 30
    assert without_category.confidence == pytest.approx(0.6)
    assert [one.score for one in without_category.breakdown] == [30, None]
    nothing = score(card, read(card, {}))
    assert (nothing.health_score, nothing.confidence) == (None, 0)


def test_a_half_is_rounded_upwards() -> None:
    assert [half_up(Fraction(number, 2)) for number in (1, 3, 5, 4)] == [1, 2, 3, 2]
    card = simple((50, (100,)), (50, (99, 1)))
    assert score(card, read(card, {"c0.m0": 99, "c1.m0": 0, "c1.m1": 99})).health_score == 51  # 50.5


def test_without_weights_all_metrics_of_a_category_count_alike() -> None:
    comfort = shipped("home").categories[2]
    bare = comfort.model_copy(
        update={"metrics": tuple(one.model_copy(update={"weight": None}) for one in comfort.metrics)}
    )
    assert set(weights_of(bare).values()) == {Fraction(1, 3)}


def test_a_home_in_which_nothing_is_wrong_scores_a_hundred() -> None:
    card = shipped("home")
    values = {
        f"{category.key}.{metric.key}": ALL_WELL[metric.figure or ""] for category, metric in card.metrics()
    }
    found = score(card, read(card, values))
    assert (found.health_score, found.confidence) == (100, 1)


def test_numbers_are_told_short_but_never_across_an_edge() -> None:
    assert [number_text(one) for one in (12.0, 12.345, -0.0, 0.004, 1e6)] == [
        "12",
        "12.35",
        "0",
        "0.004",
        "1000000",
    ]
    assert said(89.999, lambda value: value < 90) == "89.999"
    assert said(89.99, lambda value: value < 90) == "89.99"
