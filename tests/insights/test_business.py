"""The business scorecard is the seed's: weights, bands, and every edge of them."""

import math

import pytest

from app.insights.bands import band_of
from app.insights.insight import Priority
from app.insights.scorecard import Metric
from app.insights.scoring import score
from tests.insights.small import read, shipped

CARD = shipped("business")
METRICS = {metric.key: metric for _, metric in CARD.metrics()}
JUST = 1e-9

# The seed's writing, edge by edge: what `<`, `>` and `+` say themselves, else the range written first.
RUNWAY = [(1000, 100), (90, 100), (90 - JUST, 85), (60, 85), (60 - JUST, 70), (30, 70), (30 - JUST, 50),
          (14, 50), (14 - JUST, 30), (0, 30), (-5, 30)]  # fmt: skip
OUTSTANDING = [(0, 100), (30 - JUST, 100), (30, 80), (45, 80), (45 + JUST, 60), (60, 60), (60 + JUST, 40),
               (1000, 40)]  # fmt: skip
GROWTH = [(100, 100), (15 + JUST, 100), (15, 85), (5, 85), (5 - JUST, 75), (0, 75), (0 - JUST, 60), (-5, 60),
          (-5 - JUST, 45), (-10, 45), (-10 - JUST, 30), (-100, 30)]  # fmt: skip
MARGIN = [(90, 100), (20 + JUST, 100), (20, 85), (10, 85), (10 - JUST, 70), (5, 70), (5 - JUST, 55), (0, 55),
          (0 - JUST, 35), (-50, 35)]  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "value", "points"),
    [
        (metric, value, points)
        for metric, table in (
            ("days_of_runway", RUNWAY),
            ("days_sales_outstanding", OUTSTANDING),
            ("revenue_growth", GROWTH),
            ("net_margin", MARGIN),
        )
        for value, points in table
    ],
)
def test_each_edge_is_as_the_seed_writes_it(metric: str, value: float, points: int) -> None:
    assert points_of(METRICS[metric], value) == points


def test_no_edge_of_the_card_is_left_untried() -> None:
    for key, table in (
        ("days_of_runway", RUNWAY), ("days_sales_outstanding", OUTSTANDING), ("revenue_growth", GROWTH),
        ("net_margin", MARGIN),
    ):  # fmt: skip
        tried = {value for value, _ in table}
        for band in METRICS[key].bands:
            edges = (band.above, band.at_least, band.below, band.at_most)
            assert all(edge is None or edge in tried for edge in edges)
        assert {points for _, points in table} == {band.score for band in METRICS[key].bands}


def test_the_categories_weigh_what_the_seed_gives_them() -> None:
    assert {one.title: one.weight for one in CARD.categories} == {
        "Cash flow": 35,
        "Operations": 25,
        "Revenue": 25,
        "Profitability": 15,
    }


def test_the_whole_score_is_the_seeds_formula() -> None:
    values = {
        "cash_flow.days_of_runway": 40,
        "operations.days_sales_outstanding": 50,
        "revenue.revenue_growth": 3,
        "profitability.net_margin": 12,
    }
    found = score(CARD, read(CARD, values))
    formula = 70 * 0.35 + 60 * 0.25 + 75 * 0.25 + 85 * 0.15
    assert found.health_score == math.floor(formula + 0.5)
    assert [one.score for one in found.breakdown] == [70, 60, 75, 85]
    assert found.confidence == 1


def test_less_than_fourteen_days_is_critical_and_nothing_else() -> None:
    critical = [
        (key, band.score)
        for key, metric in METRICS.items()
        for band in metric.bands
        if band.priority is Priority.CRITICAL
    ]
    assert critical == [("days_of_runway", 30)]


def test_what_the_seed_has_no_bands_for_is_shown_and_weighs_nothing() -> None:
    shown = [key for key, metric in METRICS.items() if not metric.bands]
    assert shown == ["burn_rate", "process_efficiency", "revenue_year_over_year", "gross_margin"]
    values = {"profitability.net_margin": 12.0, "profitability.gross_margin": 44.0}
    profitability = score(CARD, read(CARD, values)).breakdown[3]
    assert [(one.value, one.score, one.weight) for one in profitability.metrics] == [
        (12, 85, 1),
        (44, None, 0),
    ]


def points_of(metric: Metric, value: float) -> int:
    return metric.bands[band_of(metric.bands, value)].score
