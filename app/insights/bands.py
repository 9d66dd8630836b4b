"""Where a value falls among bands, exactly: which band, its stretch in words, and the bands beside it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.insights.numbers import number_text, with_unit
from app.insights.scorecard import Band


@dataclass(frozen=True, slots=True)
class Stretch:
    """Values from `low` to `high` that all fall into band number `band`; an infinite end has no edge."""

    band: int
    low: float
    low_in: bool
    high: float
    high_in: bool

    def holds(self, value: float) -> bool:
        above = value > self.low or (self.low_in and value == self.low)
        return above and (value < self.high or (self.high_in and value == self.high))


def band_of(bands: Sequence[Band], value: float) -> int:
    """Return the number of the first band that takes the value; the last takes what is left."""
    return next((number for number, band in enumerate(bands) if band.takes(value)), len(bands) - 1)


def stretches(bands: Sequence[Band]) -> list[Stretch]:
    """Return the whole line of numbers as stretches in order, neighbours always of two bands."""
    edges = sorted(
        {
            edge
            for band in bands
            for edge in (band.above, band.at_least, band.below, band.at_most)
            if edge is not None
        }
    )
    pieces: list[Stretch] = []
    low = -math.inf
    for edge in [*edges, math.inf]:
        pieces.append(Stretch(band_of(bands, _between(low, edge)), low, False, edge, False))
        if edge != math.inf:
            pieces.append(Stretch(band_of(bands, edge), edge, True, edge, True))
        low = edge
    joined = pieces[:1]
    for piece in pieces[1:]:
        last = joined[-1]
        if piece.band == last.band:
            joined[-1] = Stretch(last.band, last.low, last.low_in, piece.high, piece.high_in)
        else:
            joined.append(piece)
    return joined


def around(bands: Sequence[Band], value: float) -> tuple[Stretch | None, Stretch, Stretch | None]:
    """Return the stretch the value is in, with the one below and the one above it."""
    found = stretches(bands)
    place = next(number for number, stretch in enumerate(found) if stretch.holds(value))
    below = found[place - 1] if place else None
    return below, found[place], found[place + 1] if place + 1 < len(found) else None


def label_of(bands: Sequence[Band], stretch: Stretch, unit: str) -> str:
    """Return a stretch in words: its band's label, or its edges."""
    return bands[stretch.band].label or _edges(stretch, unit)


def reached(stretch: Stretch, unit: str, *, going_up: bool) -> str:
    """Return in words from where on a value that comes from below (or from above) is in the stretch."""
    if going_up:
        return (
            f"from {with_unit(stretch.low, unit)}"
            if stretch.low_in
            else f"above {with_unit(stretch.low, unit)}"
        )
    if stretch.high_in and stretch.high == 0:
        return f"at {with_unit(0, unit)}"
    if stretch.high_in:
        return f"at {with_unit(stretch.high, unit)} or less"
    return f"below {with_unit(stretch.high, unit)}"


def _between(low: float, high: float) -> float:
    if low == -math.inf:
        return 0.0 if high == math.inf else high - 1 - abs(high) * 1e-6
    if high == math.inf:
        return low + 1 + abs(low) * 1e-6
    return low + (high - low) / 2


def _edges(stretch: Stretch, unit: str) -> str:
    low, high = stretch.low, stretch.high
    if low == -math.inf and high == math.inf:
        return "anything"
    if low == -math.inf:
        return f"{with_unit(high, unit)} or less" if stretch.high_in else f"below {with_unit(high, unit)}"
    if high == math.inf:
        return f"{with_unit(low, unit)} or more" if stretch.low_in else f"above {with_unit(low, unit)}"
    if low == high:
        return with_unit(low, unit)
    start = number_text(low) if stretch.low_in else f"above {number_text(low)}"
    end = f"to {with_unit(high, unit)}" if stretch.high_in else f"to below {with_unit(high, unit)}"
    return f"{start} {end}"
