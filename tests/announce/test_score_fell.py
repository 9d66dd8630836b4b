"""The blueprint of the score: its condition, evaluated as the hub does, tells what fell and nothing else."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.sandbox import ImmutableSandboxedEnvironment

_PATH: Final = Path(__file__).parents[2] / "blueprints" / "automation" / "nightshift" / "score_fell.yaml"
SCORE = st.integers(0, 100)
POINTS = st.integers(1, 100)


class _Loader(yaml.SafeLoader):
    """Reads `!input` as the name of what is put in."""


_Loader.add_constructor("!input", lambda _loader, node: str(node.value))
# The hub's own loader is a safe one with the same addition.
_BLUEPRINT: Final[dict[str, Any]] = yaml.load(_PATH.read_text("utf-8"), _Loader)  # noqa: S506 - derived from the safe one
(_CONDITION,) = (
    ImmutableSandboxedEnvironment().from_string(one["value_template"]) for one in _BLUEPRINT["conditions"]
)


@dataclass(frozen=True)
class Said:
    """A state of the score's sensor."""

    state: str
    attributes: dict[str, Any] = field(default_factory=dict)


def scored(score: int, before: int | None = None, *, comparable: bool = True, day: str = "10") -> Said:
    attributes = {"previous_score": before, "comparable": comparable, "day": day}
    return Said(str(score), attributes)


def told(was: Said, now: Said, points: int = 10, line: int = 50) -> bool:
    """Whether the blueprint acts on that change."""
    trigger = {"from_state": was, "to_state": now}
    return _CONDITION.render(trigger=trigger, points=points, line=line).strip() == "True"


@settings(deadline=None)
@given(SCORE, SCORE, POINTS, SCORE)
def test_it_acts_where_a_score_fell_by_so_many_points_or_below_the_line(
    before: int, score: int, points: int, line: int
) -> None:
    fell = before - score >= points or score < line <= before
    assert told(scored(before, day="9"), scored(score, before), points, line) == fell


@settings(deadline=None)
@given(SCORE, SCORE, POINTS, SCORE)
def test_what_cannot_be_compared_is_never_a_fall(before: int, score: int, points: int, line: int) -> None:
    assert not told(scored(before, day="9"), scored(score, before, comparable=False), points, line)
    assert not told(scored(before, day="9"), scored(score, None, comparable=False), points, line)


@settings(deadline=None)
@given(SCORE, st.lists(SCORE, min_size=1, max_size=5), POINTS)
def test_scores_of_one_day_are_held_against_the_day_before_and_a_fall_is_told_once(
    before: int, scores: list[int], points: int
) -> None:
    was = scored(before, day="9")
    low = False
    for score in scores:
        now = scored(score, before)
        fell = before - score >= points
        assert told(was, now, points, 0) == (fell and not low)
        was, low = now, fell


def test_a_fall_is_told_though_the_first_score_of_the_day_could_not_be_compared() -> None:
    first = scored(40, 90, comparable=False)
    assert told(first, scored(60, 90))
    # What only looks like a fall because the first one rested on less is none.
    assert not told(scored(90, 60, comparable=False), scored(60, 60))


def test_with_a_nightshift_that_does_not_say_what_was_before_the_sensor_itself_does() -> None:
    assert told(Said("80"), Said("60"))
    assert not told(Said("80"), Said("75"))
    assert not told(Said("60"), Said("80"))


def test_the_fields_it_asks_for_are_those_that_are_published() -> None:
    asked = {
        name for name in ("previous_score", "comparable", "day") if f"'{name}'" in _PATH.read_text("utf-8")
    }
    assert asked == {"previous_score", "comparable", "day"}
