"""Opportunities, against the same worked out one by one: the instants that find the target not as wanted."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from app.clock import to_ms
from app.events import Int64
from app.habits.days import Days
from app.habits.localtime import DAY_MS, Bool, LocalTime
from app.habits.opportunities import Opportunities
from app.habits.targets import Target

START = to_ms(datetime(2026, 3, 9, tzinfo=UTC))
SHIFTS = (-14, -7, -4, -3, -2, -1, 1, 2, 3, 4, 7, 14)


def somebody(chance: np.random.Generator, days: int) -> tuple[Target, Days]:
    """Return a lamp that is turned on and off at random, and days of which two were not observed."""
    flips = np.sort(START + chance.choice(days * DAY_MS, 12 * days, replace=False)).astype(np.int64)
    is_in = np.arange(len(flips)) % 2 == 0
    acts = flips[is_in][chance.random(int(is_in.sum())) < 0.7]
    local = LocalTime.over(ZoneInfo("Europe/Amsterdam"), START, START + days * DAY_MS)
    numbers = local.days(START + np.arange(days, dtype=np.int64) * DAY_MS)
    observed = np.ones(days, np.bool_)
    observed[[3, 11]] = False
    gaps = ((START + 5 * DAY_MS, START + 5 * DAY_MS + 7_200_000),)
    last = START + days * DAY_MS - 1
    target = Target(("light.a",), "on", flips, is_in, acts, acts, np.empty(0, np.int64))
    return target, Days(local, START, last, numbers, observed, gaps)


def one_by_one(instants: Int64, target: Target) -> list[int]:
    lags, seen = [], set()
    for at in instants.tolist():
        before = [i for i, flip in enumerate(target.flips.tolist()) if flip < at]
        as_wanted = bool(target.is_in[before[-1]]) if before else not target.is_in[0]
        cycle = sum(leaving < at for leaving in target.leaves.tolist())
        if as_wanted or cycle in seen:
            continue
        seen.add(cycle)
        later = [act for act in target.acts.tolist() if act >= at]
        lags.append(min(later[0] - at, 2**31 - 1) if later else 2**31 - 1)
    return sorted(lags)


def chosen_of(chance: np.random.Generator, at: Int64) -> tuple[Bool, Bool]:
    inside = np.asarray(chance.random(len(at)) < 0.8, np.bool_)
    return inside, inside & np.asarray(chance.random(len(at)) < 0.6, np.bool_)


def test_of_each_cycle_the_first_instant_chosen_is_the_opportunity() -> None:
    chance = np.random.default_rng(1)
    target, _ = somebody(chance, 30)
    at = np.sort(START + chance.integers(0, 30 * DAY_MS, 300))
    inside, chosen = chosen_of(chance, at)
    assert Opportunities.of(at, inside, target).lags(chosen).tolist() == one_by_one(at[chosen], target)


def test_on_other_days_each_day_has_its_own_cycles_and_only_watched_instants_count() -> None:
    chance = np.random.default_rng(2)
    target, days = somebody(chance, 30)
    at = np.sort(START + chance.integers(0, 30 * DAY_MS, 120))
    inside, chosen = chosen_of(chance, at)
    until = START + round(timedelta(days=21).total_seconds() * 1000)
    expected = []
    for shift in SHIFTS:
        moved = at[chosen] + shift * DAY_MS
        moved = moved[(moved >= days.first) & (moved < until)]
        expected += one_by_one(moved[days.watched(moved)], target)
    found = Opportunities.on_other_days(at, inside, target, days, until)
    assert found.lags(chosen).tolist() == sorted(expected)


def test_a_busy_trigger_is_worked_on_in_parts_with_the_same_result() -> None:
    chance = np.random.default_rng(3)
    target, days = somebody(chance, 30)
    at = np.sort(START + chance.integers(0, 30 * DAY_MS, 150_000))
    every = np.ones(len(at), np.bool_)
    some = every.copy()
    some[100:] = False
    whole = Opportunities.on_other_days(at, every, target, days, days.last)
    few = Opportunities.on_other_days(at[:100], every[:100], target, days, days.last)
    assert whole.lags(some).tolist() == few.lags(every[:100]).tolist()
