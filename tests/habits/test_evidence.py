"""The arithmetic of evidence, against SciPy and against its own laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from app.habits.clock_habits import find_clock_habits
from app.habits.days import Days
from app.habits.evidence import binomial_tail, discoveries, percentiles, spread, tail_bound, wilson_lower
from app.habits.localtime import DAY_MS, LocalTime
from app.model import zone_of

counts = st.integers(1, 400).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))
shares = st.floats(0.0005, 0.9995)


@given(counts, shares)
def test_the_binomial_tail_is_scipys(kept_of: tuple[int, int], chance: float) -> None:
    kept, of = kept_of
    expected = float(stats.binom.sf(kept - 1, of, chance))
    assert binomial_tail(kept, of, chance) == pytest.approx(expected, rel=1e-6, abs=1e-280)


@given(counts, shares)
def test_the_bound_never_claims_more_than_the_exact_tail(kept_of: tuple[int, int], chance: float) -> None:
    kept, of = kept_of
    bound = float(tail_bound(np.array([float(kept)]), np.array([float(of)]), np.array([chance]))[0])
    assert np.exp(-bound) >= binomial_tail(kept, of, chance) * (1 - 1e-6)


@given(counts)
def test_a_lower_bound_is_below_the_share_and_rises_with_the_evidence(kept_of: tuple[int, int]) -> None:
    kept, of = kept_of
    bound = wilson_lower(kept, of)
    assert 0 <= bound <= kept / of + 1e-9
    assert wilson_lower(kept * 10, of * 10) >= bound - 1e-9


def test_nothing_tried_is_no_evidence() -> None:
    assert wilson_lower(0, 0) == 0
    assert binomial_tail(0, 10, 0.5) == 1
    assert binomial_tail(3, 2, 0.5) == 0
    assert binomial_tail(2, 3, 1.0) == 1
    assert spread(np.array([5.0])) == 0


@given(st.lists(st.floats(0, 1), max_size=40), st.floats(0.001, 0.2))
def test_false_discoveries_are_held_as_scipy_holds_them(values: list[float], share: float) -> None:
    stands = discoveries(values, len(values), share)
    if values:
        assert stands.tolist() == (stats.false_discovery_control(values) <= share + 1e-12).tolist() or any(
            abs(value - share) < 1e-9 for value in stats.false_discovery_control(values)
        )
    else:
        assert not len(stands)


@given(
    st.lists(st.floats(-1e12, 1e12, width=64), min_size=1, max_size=60),
    st.lists(st.integers(0, 100), min_size=1, max_size=20),
)
def test_percentiles_are_numpys_to_the_last_bit(values: list[float], asked: list[int]) -> None:
    array = np.array(values)
    assert percentiles(array, asked) == np.percentile(array, asked).tolist()


def test_what_was_tried_in_vain_counts_too() -> None:
    assert discoveries([0.004], 1, 0.01).tolist() == [True]
    assert discoveries([0.004], 100, 0.01).tolist() == [False]


@pytest.mark.parametrize("a_day", [0.8, 2.5])
def test_the_scan_claims_no_more_than_chance_gives(a_day: float) -> None:
    """On acts with no habit in them, a p-value under 5 % comes up in no more than about 5 % of the homes."""
    local = LocalTime.over(zone_of("UTC"), 20_000 * DAY_MS, 20_030 * DAY_MS)
    numbers = np.arange(20_000, 20_030, dtype=np.int64)
    days = Days(
        local, 20_000 * DAY_MS, 20_030 * DAY_MS - 1, numbers, np.ones(30, np.bool_), ()
    )  # fmt: skip
    random = np.random.default_rng(11)
    low = 0
    homes = 150
    for _ in range(homes):
        count = random.poisson(30 * a_day)
        awake = random.integers(7 * 3_600_000, 23 * 3_600_000, count)
        acts = np.sort(random.choice(numbers, count) * DAY_MS + awake)
        found = find_clock_habits(acts, days, None, ("daily",))
        low += any(one.p_value < 0.05 for one in found)
    assert low / homes <= 0.08
