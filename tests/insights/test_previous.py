"""The score before a score: what it is, and whether the two can be compared."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.clock import TurnedClock
from app.insights.insight import Insight
from app.insights.insights import Insights
from app.insights.previous import Previous, as_much_read, previous_of
from app.store.database import Store
from tests.insights.small import MORNING

TODAY = date(2026, 3, 10)


def on(ago: int, score: int | None = 80, confidence: float = 1.0, **more: Any) -> Insight:
    day = TODAY - timedelta(days=ago)
    given: dict[str, Any] = {
        "insight_id": f"i{day}",
        "home_id": "home",
        "scorecard": "home",
        "title": "Home",
        "day": day,
        "health_score": score,
        "health_breakdown": (),
        "recommendations": (),
        "confidence": confidence,
        "generated_at": MORNING,
    }
    return Insight(**{**given, **more})


async def previous(folder: Path, *kept: tuple[Insight, str], of: Insight | None = None) -> Previous | None:
    """Keep insights, each with its scorecard's fingerprint; return what is before the first."""
    clock = TurnedClock(MORNING)
    store = Store(folder / "nightshift.db", clock)
    await store.open()
    try:
        insights = Insights(store, clock)
        for one, fingerprint in kept:
            await insights.keep(one, fingerprint, ())
        return await insights.previous(of or kept[0][0])
    finally:
        await store.close()


async def test_it_is_that_of_the_newest_earlier_day(tmp_path: Path) -> None:
    found = await previous(tmp_path, (on(0), "f"), (on(1, 70), "f"), (on(2, 60), "f"))
    assert found == Previous(70, 1.0, TODAY - timedelta(days=1))
    assert found.comparable


async def test_days_of_which_too_little_is_known_or_that_were_not_fresh_are_passed_over(
    tmp_path: Path,
) -> None:
    found = await previous(
        tmp_path,
        (on(0), "f"),
        (on(1, 30, 0.49), "f"),
        (on(2, None, 0.0), "f"),
        (on(3, 90, stale_since=MORNING), "f"),
        (on(4, 75, 0.95), "f"),
    )
    assert found == Previous(75, 0.95, TODAY - timedelta(days=4))


async def test_of_more_than_a_week_ago_none_is_the_one_before(tmp_path: Path) -> None:
    assert await previous(tmp_path, (on(0), "f"), (on(8), "f")) is None
    (tmp_path / "two").mkdir()
    assert await previous(tmp_path / "two", (on(0), "f"), (on(7), "f")) is not None


async def test_another_scorecards_is_not_this_ones(tmp_path: Path) -> None:
    other = on(1, scorecard="business", insight_id="b")
    assert await previous(tmp_path, (on(0), "f"), (other, "f")) is None


async def test_a_scorecard_that_was_changed_since_is_not_compared(tmp_path: Path) -> None:
    found = await previous(tmp_path, (on(0), "new"), (on(1, 70), "old"))
    assert found is not None
    assert (found.score, found.comparable) == (70, False)
    assert found.why_not == "the scorecard was changed since"


def test_what_rests_on_more_or_on_earlier_readings_or_on_too_little_is_not_compared() -> None:
    def why(today: Insight, before: Insight) -> str:
        found = previous_of(today, before, same_rules=True)
        assert found is not None
        return found.why_not

    assert why(on(0, confidence=0.6), on(1)) == "that one rests on 100 %, this one on 60 %"
    assert why(on(0, confidence=0.4), on(1)) == "too little is known of this one"
    assert why(on(0, stale_since=MORNING), on(1)) == "this one rests on earlier readings"
    assert why(on(0, confidence=0.9), on(1)) == ""


@given(st.integers(0, 100), st.integers(0, 100))
def test_a_tenth_of_the_weight_more_or_less_is_about_as_much_and_more_is_not(one: int, other: int) -> None:
    assert as_much_read(one / 100, other / 100) == (abs(one - other) <= 10)
