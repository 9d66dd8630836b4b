"""Below half of the weight there is no score; what is missing is said with what helps."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from app.insights.enough import lacking, percent, why_not_enough
from app.insights.insight import CategoryScore, Insight, MetricScore
from app.insights.scoring import score
from tests.insights.small import MORNING, read, shipped, simple

SHARES = st.lists(st.integers(1, 99), min_size=1, max_size=6)


def of(health_score: int | None, confidence: float, *parts: CategoryScore) -> Insight:
    return Insight(
        insight_id="i",
        home_id="home",
        scorecard="home",
        title="Home",
        day=date(2026, 3, 10),
        health_score=health_score,
        health_breakdown=parts,
        recommendations=(),
        confidence=confidence,
        generated_at=MORNING,
    )


def missing(title: str, weight: float, why: str = "Gone.", to_do: str = "Look.") -> MetricScore:
    return MetricScore(key=title.lower(), title=title, weight=weight, missing=why, to_do=to_do)


def test_exactly_half_is_enough_and_anything_less_is_not() -> None:
    assert of(90, 0.5).known_score == 90
    assert of(90, 0.4999999).known_score is None
    assert of(None, 0.0).known_score is None
    assert of(0, 1.0).known_score == 0


@settings(deadline=None)
@given(st.permutations((35, 25, 25, 15)), st.sets(st.integers(0, 3)))
def test_whether_it_is_enough_is_judged_by_the_exact_weight(weights: list[int], there: set[int]) -> None:
    card = simple(*((weight, (100,)) for weight in weights))
    scored = score(card, read(card, {f"c{number}.m0": 60.0 for number in there}))
    known = of(scored.health_score, scored.confidence)
    assert known.sufficient == (sum(weights[number] for number in there) >= 50)
    assert (why_not_enough(known) == "") == known.sufficient


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([f"{part.key}.{one.key}" for part, one in shipped("home").metrics()]),
        st.floats(0, 100),
    )
)
def test_with_half_of_it_read_the_rest_cannot_move_the_score_by_more_than_half_the_scale(
    values: dict[str, float],
) -> None:
    card = shipped("home")
    scored = score(card, read(card, values))
    worst = sum(
        part.weight * one.weight * one.score
        for part in scored.breakdown
        for one in part.metrics
        if one.score is not None
    )
    best = worst + 100 * (1 - scored.confidence)
    if of(scored.health_score, scored.confidence).sufficient:
        assert best - worst <= 50 + 1e-9
    else:
        assert best - worst > 50 - 1e-9


@given(st.floats(0, 1))
def test_a_share_that_is_too_little_is_never_said_as_if_it_were_enough(share: float) -> None:
    assert (int(percent(share).removesuffix(" %")) >= 50) == (share >= 0.5)


def test_what_is_missing_for_the_same_reason_is_said_once_what_weighs_most_first() -> None:
    light = CategoryScore(key="a", title="A", weight=0.2, score=None, metrics=(missing("Small", 1),))
    heavy = CategoryScore(
        key="b",
        title="B",
        weight=0.8,
        score=None,
        metrics=(
            missing("Second", 0.4, "No sensor.", "Get one."),
            missing("First", 0.5),
            missing("Shown only", 0),
            MetricScore(key="read", title="Read", weight=0.1, value=3.0),
        ),
    )
    found = lacking(of(50, 0.08, light, heavy))
    assert [one.line for one in found] == ["First, small: Gone. Look.", "Second: No sensor. Get one."]


def test_where_nothing_was_read_it_says_so() -> None:
    assert why_not_enough(of(None, 0.0)) == (
        "Nothing of what it is made of could be read; a score takes at least 50 %."
    )
    assert why_not_enough(of(80, 0.25)) == (
        "Only 25 % of what it is made of could be read; a score takes at least 50 %."
    )
