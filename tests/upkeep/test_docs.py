"""docs/health.md names every check and every figure there is, and nothing else."""

import re
from pathlib import Path

from app.upkeep.checks import HOUSE_CHECKS, JOB_CHECKS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "health.md").read_text("utf-8")


def _section(title: str) -> str:
    return DOCUMENT.partition(f"## {title}\n")[2].partition("\n## ")[0]


def _rows(title: str) -> list[str]:
    first_cells = re.findall(r"^\| (`.*?) \|", _section(title), re.MULTILINE)
    return [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)]


def _names() -> list[str]:
    return [check.name for check in JOB_CHECKS] + [check.name for check in HOUSE_CHECKS]


def test_every_check_is_documented_in_the_order_it_is_told() -> None:
    assert _rows("Checks of each job") == [check.name for check in JOB_CHECKS]
    assert _rows("Checks of what all jobs stand on") == [check.name for check in HOUSE_CHECKS]


def test_every_check_has_its_advice() -> None:
    assert sorted(_rows("What to do")) == sorted(_names())


def test_names_of_checks_are_unique() -> None:
    names = _names()
    assert len(names) == len(set(names))
