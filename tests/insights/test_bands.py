"""Bands take every value exactly once, their edges as written."""

import math
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.insights.bands import around, band_of, label_of, reached, stretches
from app.insights.scorecard import Band

EDGES = st.floats(-1000, 1000).map(lambda edge: round(edge, 2)) | st.integers(-5, 5).map(float)
RUNWAY = (
    Band(at_least=90, score=100),
    Band(at_least=60, score=85),
    Band(score=30),
)


@st.composite
def bands(draw: st.DrawFn) -> tuple[Band, ...]:
    found = []
    for score in range(draw(st.integers(0, 6))):
        low, high = sorted((draw(EDGES), draw(EDGES)))
        bounds: dict[str, Any] = {}
        if draw(st.booleans()):
            bounds[draw(st.sampled_from(["above", "at_least"]))] = low
        if draw(st.booleans()) or not bounds:
            bounds[draw(st.sampled_from(["below", "at_most"]))] = high
        found.append(Band(score=score, **bounds))
    return (*found, Band(score=50))


def values_near(given_bands: tuple[Band, ...]) -> list[float]:
    edges = [
        edge
        for band in given_bands
        for edge in (band.above, band.at_least, band.below, band.at_most)
        if edge is not None
    ]
    near = [math.nextafter(edge, way) for edge in edges for way in (-math.inf, math.inf)]
    return [*edges, *near, -1e12, 0.0, 1e12]


@settings(deadline=None)
@given(bands(), st.floats(-2000, 2000))
def test_every_value_is_in_one_stretch_and_that_of_its_band(
    given_bands: tuple[Band, ...], any_value: float
) -> None:
    whole = stretches(given_bands)
    for value in (*values_near(given_bands), any_value):
        (holding,) = [one for one in whole if one.holds(value)]
        assert holding.band == band_of(given_bands, value)


@settings(deadline=None)
@given(bands())
def test_the_stretches_are_the_whole_line_in_order_and_neighbours_differ(
    given_bands: tuple[Band, ...],
) -> None:
    whole = stretches(given_bands)
    assert (whole[0].low, whole[-1].high) == (-math.inf, math.inf)
    for left, right in pairwise(whole):
        assert left.high == right.low
        assert left.high_in is not right.low_in
        assert left.band != right.band


@settings(deadline=None)
@given(bands(), st.floats(-2000, 2000))
def test_around_a_value_are_its_neighbours(given_bands: tuple[Band, ...], value: float) -> None:
    whole = stretches(given_bands)
    below, here, above = around(given_bands, value)
    place = whole.index(here)
    assert here.holds(value)
    assert below == (whole[place - 1] if place else None)
    assert above == (whole[place + 1] if place + 1 < len(whole) else None)


def test_a_stretch_says_its_edges_or_its_label() -> None:
    said = [label_of(RUNWAY, one, "d") for one in stretches(RUNWAY)]
    assert said == ["below 60 d", "60 to below 90 d", "90 d or more"]
    two_sided = (Band(at_least=20, at_most=23, score=100, label="just right"), Band(score=40))
    assert [label_of(two_sided, one, "°C") for one in stretches(two_sided)] == [
        "below 20 °C",
        "just right",
        "above 23 °C",
    ]
    assert label_of((Band(score=1),), stretches((Band(score=1),))[0], "") == "anything"
    point = (Band(at_least=3, at_most=3, score=1), Band(score=0))
    assert label_of(point, stretches(point)[1], "") == "3"


def test_how_a_stretch_is_reached_is_told_from_where_one_comes() -> None:
    low, middle, high = stretches(RUNWAY)
    assert reached(middle, "d", going_up=True) == "from 60 d"
    assert reached(middle, "d", going_up=False) == "below 90 d"
    assert reached(low, "d", going_up=False) == "below 60 d"
    assert reached(high, "d", going_up=True) == "from 90 d"
    few, many = stretches((Band(at_most=1, score=1), Band(score=0)))
    assert reached(few, "", going_up=False) == "at 1 or less"
    assert reached(many, "", going_up=True) == "above 1"
    none, _ = stretches((Band(at_most=0, score=1), Band(score=0)))
    assert reached(none, "%", going_up=False) == "at 0 %"
