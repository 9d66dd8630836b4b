"""docs/alerts.md says what is there."""

import re
from pathlib import Path

import pytest

from app.alerts.alert import AlertKind, Level
from app.alerts.detectors import DETECTORS, batteries, temperatures
from app.alerts.figures import ABOUT
from app.alerts.keywords import DEFAULTS

TEXT = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text("utf-8")


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading."""
    part = TEXT.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_kind_is_there_and_no_other() -> None:
    told = {name for row in rows("The kinds") for name in re.findall(r"`(\w+)`", row[0])}
    assert told == set(AlertKind)


def test_every_kind_has_a_detector() -> None:
    assert set().union(*(kinds for _, kinds in DETECTORS)) == set(AlertKind)


def test_levels_are_those_there_are() -> None:
    for row in rows("The kinds"):
        words = set(re.findall(r"\b(critical|high|medium|low|info)\b", row[1]))
        assert words <= set(Level)
        assert words or "keyword" in row[1]


def test_the_keywords_are_those_it_comes_with() -> None:
    assert [(row[0], row[1]) for row in rows("Keywords")] == [(one.word, one.level) for one in DEFAULTS]


def test_the_figures_are_those_there_are() -> None:
    told = [row[0].strip("`") for row in rows("Figures for scorecards")]
    assert told == list(ABOUT)


@pytest.mark.parametrize(
    "said",
    [
        f"at {temperatures.FROST:.0f} °C or less for 30 minutes; over above {temperatures.FROST_OVER} °C",
        f"critical from {temperatures.FROST_CRITICAL:.0f} °C down",
        f"at {temperatures.HEAT:.0f} °C or more for 30 minutes; over below {temperatures.HEAT_OVER:.0f} °C",
        f"high from {temperatures.HEAT_HIGH:.0f} °C",
        f"above {temperatures.FREEZER_WARM:.0f} °C for an hour; over at {temperatures.FREEZER_OVER:.0f} °C",
        f"above {temperatures.FRIDGE_WARM:.0f} °C for an hour; over at {temperatures.FRIDGE_OVER:.0f} °C",
        f"{batteries.LOW:.0f} % or less, or the device says so; over at {batteries.OVER:.0f} %",
        f"medium at {batteries.VERY_LOW:.0f} %",
    ],
)
def test_the_limits_are_those_it_goes_by(said: str) -> None:
    assert said in TEXT
