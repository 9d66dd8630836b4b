"""The lengths of time that people wait: whether they crowd around one of them, and which.

That something is always over within the hour is no habit: of the lengths near the usual one, more have to lie
close to it than any broad hump would hold there.
"""

from dataclasses import dataclass, replace

import numpy as np

from app.events import Int64
from app.habits.evidence import binomial_tail, percentiles, spread
from app.habits.localtime import MINUTE_MS, Bool, Float64
from app.habits.triggers import Kind

LENGTHS = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 45, 50, 60, 75, 90, 105, 120, 150, 180, 240)
"""Minutes as people round them."""
_BAND = 0.13
_RING = 3 * _BAND
CHANCE = 0.45
"""Of lengths that are spread evenly a third of the ring is in its middle; of a broad hump, somewhat more."""
_LEAST_SHARE = 0.5
_LEAST_HITS = 6
_EARLY = 25
_SHARE_OF_ACTS = 0.4
_WORTH_A_LOOK = 0.05


@dataclass(frozen=True, slots=True)
class Usual:
    """The usual length: minutes as people would set them, and how likely chance crowds lengths so."""

    minutes: int
    p_value: float
    middle: float
    spread: float


def usual_length(minutes: Float64, least_share: float = _LEAST_SHARE) -> Usual | None:
    """Return the length around which most of the lengths crowd, or None."""
    if len(minutes) < _LEAST_HITS:
        return None
    # The stretch that holds most, wherever it begins: people's own length lies between the round ones.
    ordered = np.sort(minutes)
    ends = ordered.searchsorted(ordered * ((1 + _BAND) / (1 - _BAND)), "right")
    inside_each = ends - np.arange(len(ordered))
    least = max(_LEAST_HITS, least_share * len(minutes))
    if inside_each.max() < least:
        return None
    rings = ordered.searchsorted(ordered * ((1 + _RING) / (1 - _BAND)), "right") - ordered.searchsorted(
        ordered * ((1 - _RING) / (1 - _BAND)), "left"
    )
    begin = int(np.argmax(inside_each - CHANCE * rings))
    center = float(ordered[begin] + ordered[ends[begin] - 1]) / 2
    off = np.abs(minutes / center - 1.0)
    inside = minutes[off <= _BAND]
    kept, of = len(inside), int((off <= _RING).sum())
    if kept < least:
        return None
    return Usual(
        rounded(*percentiles(inside, (_EARLY,))),
        min(1.0, binomial_tail(kept, of, CHANCE) * len(LENGTHS)),
        float(np.median(inside)),
        spread(inside),
    )


def rounded(minutes: float) -> int:
    """Return a length of time as people round it."""
    return min(LENGTHS, key=lambda length: float(abs(np.log(length / max(minutes, 0.5)))))


def lasting_kinds(kinds: tuple[Kind, ...], acts: Int64) -> list[Kind]:
    """Return the states after whose lasting for about the same time people act: kinds that have waited.

    Only sensors' states: what people themselves have on is no sign of how long they have been gone.
    """
    found: list[Kind] = []
    for kind in kinds:
        if not kind.entity_id.startswith("binary_sensor.") or not len(acts):
            continue
        last = kind.at.searchsorted(acts, "right") - 1
        row = np.maximum(last, 0)
        lags = (acts - kind.at[row]) / MINUTE_MS
        lasts: Bool = (last >= 0) & (kind.until[row] >= acts) & (lags >= LENGTHS[0] * (1 - _BAND))
        if np.count_nonzero(lasts) < max(_LEAST_HITS, _SHARE_OF_ACTS * len(acts)):
            continue
        usual = usual_length(np.asarray(lags[lasts], np.float64), _SHARE_OF_ACTS)
        if usual is None or usual.p_value > _WORTH_A_LOOK:
            continue
        seconds = usual.minutes * 60
        held = kind.until - kind.at >= seconds * 1000
        trigger = replace(kind.trigger, delay=seconds, held=True)
        found.append(
            Kind(trigger, kind.at[held] + seconds * 1000, kind.quiet[held], kind.until[held], seconds)
        )
    return found
