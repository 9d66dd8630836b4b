"""Lags: how long after a trigger people act, and whether they do so more often than chance would have it.

Short windows come first. The null is the same triggers on other days at the same time of day (a day-shift
permutation): it knows the hours, and so most of presence and bursts.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.events import Int32
from app.habits.evidence import binomial_tail, wilson_lower
from app.habits.localtime import Bool
from app.habits.opportunities import Opportunities
from app.habits.replay import AFTER_MS

WINDOWS_MS = (10_000, 60_000, 300_000, 900_000)
LEAST_HITS = 5
_LEAST_RATIO = 3.0
_BANDS = (0.12, 0.35)
"""People wait steadily, or about as long: both parts of the usual lag are tested."""
WINDOWS_TESTED = len(WINDOWS_MS) + len(_BANDS)
FURTHEST_MS = int(AFTER_MS * (1 + max(_BANDS)))
"""No window reaches further."""


@dataclass(frozen=True, slots=True)
class Tested:
    """A window of lags (ms), how likely chance keeps as many in it, and the share that it would keep."""

    p_value: float
    expected: float
    window: tuple[int, int]


def tested_lags(
    chosen: Bool, asked: Opportunities, elsewhere: Callable[[], Opportunities], rate: float
) -> Tested | None:
    """Return the most telling window with its p-value and the share that chance would keep, or None.

    Most triggers fail an analytic test already (people act at a steady `rate`, a ms); only the rest is
    permuted: held against the same triggers on other days.
    """
    lags = asked.lags(chosen)
    if len(lags) < LEAST_HITS or lags[LEAST_HITS - 1] > FURTHEST_MS:
        return None
    windows = _windows(lags)
    lengths = np.array([high - low for low, high in windows])
    by_rate = _LEAST_RATIO * len(lags) * -np.expm1(-rate * lengths)
    telling = {
        window: hit
        for window, hit, least in zip(windows, _hits(lags, windows), by_rate.tolist(), strict=True)
        if hit >= LEAST_HITS and hit >= least
    }
    if not telling:
        return None
    null = elsewhere().lags(chosen)
    best: Tested | None = None
    for (low, high), hit in telling.items():
        chance = _by_chance((low, high), null)
        if hit / len(lags) < _LEAST_RATIO * chance:
            continue
        # A band around the usual lag always holds that lag itself.
        free = 1 if low > 0 else 0
        p_value = binomial_tail(hit - free, len(lags) - free, chance)
        if best is None or p_value < best.p_value:
            best = Tested(p_value, chance, (low, high))
    return best


def _by_chance(window: tuple[int, int], null: Int32) -> float:
    """Return an upper bound (one-sided, 90 %) of the share of the lags on shifted days that lie in a window.

    A band around the usual lag is chosen after looking, so the shifted days lay one as wide around theirs.
    """
    bands = [window]
    if window[0] > 0 and (own := _usual(null)) is not None:
        half = (window[1] - window[0]) // 2
        bands.append((own - half, own + half))
    return 1.0 - wilson_lower(len(null) - max(_hits(null, bands)), len(null))


def _hits(lags: Int32, windows: list[tuple[int, int]]) -> list[int]:
    """Return how many lags (ascending) lie in each window, both ends included."""
    low, high = zip(*windows, strict=True)
    hits: list[int] = (lags.searchsorted(high, "right") - lags.searchsorted(low, "left")).tolist()
    return hits


def _windows(lags: Int32) -> list[tuple[int, int]]:
    """Return the lags (from, to, in ms) to test: short ones first, and last two bands around the usual lag.

    Where the target's stays are short, it always changes soon: then only that people wait *that* long tells.
    """
    windows = [(0, window) for window in WINDOWS_MS]
    if (usual := _usual(lags)) is not None and usual > WINDOWS_MS[0]:
        windows += [(int(usual * (1 - part)), int(usual * (1 + part))) for part in _BANDS]
    return windows


def _usual(lags: Int32) -> int | None:
    near = int(lags.searchsorted(AFTER_MS, "right"))
    return (int(lags[(near - 1) // 2]) + int(lags[near // 2])) // 2 if near else None
