"""docs/insights.md says what the scorecards are."""

import re
from pathlib import Path

import pytest

from app.insights.bands import label_of, stretches
from app.insights.checking import read_scorecard
from app.insights.lines import FaultsError
from app.insights.numbers import number_text
from tests.insights.small import KNOWN, shipped

TEXT = (Path(__file__).parents[2] / "docs" / "insights.md").read_text("utf-8")
EXAMPLE = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)[0]


def test_the_example_is_a_right_scorecard() -> None:
    assert read_scorecard(EXAMPLE).name == "office"


def test_the_fault_it_shows_is_the_one_it_would_get() -> None:
    (shown,) = re.findall(r"`(line \d+: [^`]*)`", TEXT)
    with pytest.raises(FaultsError) as refusal:
        read_scorecard(EXAMPLE.replace("score: 60", "score: sixty"))
    assert str(refusal.value) == shown


def test_every_band_of_the_business_card_is_there_with_its_score() -> None:
    for category, metric in shipped("business").metrics():
        assert f"{category.title.lower()} * 0.{category.weight:.0f}" in TEXT.lower()
        if not metric.bands:
            assert metric.title.split(",")[0].lower() in TEXT.lower()
            continue
        assert f"(`{metric.entity}`)" in TEXT
        for stretch in stretches(metric.bands):
            row = f"| {label_of(metric.bands, stretch, '')} | {metric.bands[stretch.band].score}"
            assert row in TEXT, row


def test_every_figure_weight_and_band_of_the_home_card_is_there() -> None:
    for category, metric in shipped("home").metrics():
        assert re.search(rf"\| {category.title} \| {category.weight:.0f} % \|", TEXT)
        share = f"{metric.weight:.0f} %" if metric.weight else "alone"
        (row,) = re.findall(rf"\(`{metric.figure}`\) \| ({share} \| .*) \|", TEXT)
        if row.endswith("the same"):
            continue
        scores = [int(score) for score in re.findall(r"(?<![\d.])\d+(?=;|$|, critical)", row)]
        assert scores == [band.score for band in metric.bands], row
        for band in metric.bands:
            edge = band.at_most if band.at_most is not None else band.at_least
            if edge is not None and not band.label.startswith(("none", "one", "two")):
                assert number_text(edge) in row


def test_the_home_card_asks_for_figures_that_there_are() -> None:
    assert {metric.figure for _, metric in shipped("home").metrics()} <= KNOWN.keys()
