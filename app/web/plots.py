"""What the charts of the home share: scales, lines, and the days below; Jinja writes them as SVG.

Places are percentages from the top left, so that a chart fills any width while its marks and its words keep
their size. Colours come from the style sheet.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.web.wording import date_text

_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_LINES: Final = 4
_EPSILON: Final = 1e-9

Place = tuple[float, float | None]
"""How far to the right and how far down, in percent; None down: not known."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across: its label and how far down it is."""

    label: str
    y: float


@dataclass(frozen=True, slots=True)
class Label:
    """A word below: how far to the right its middle is."""

    text: str
    x: float


@dataclass(frozen=True, slots=True)
class Scale:
    """From the value at the bottom to the one at the top."""

    low: float
    high: float
    step: float

    def y(self, value: float) -> float:
        """Return how far down a value is, in percent; what is beyond the edges stays on them."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * (1 - min(1.0, max(0.0, share))), 2)

    def ticks(self, unit: str = "") -> tuple[Tick, ...]:
        """Return the lines across, the lowest first."""
        count = round((self.high - self.low) / self.step)
        values = [self.low + number * self.step for number in range(count + 1)]
        return tuple(Tick(f"{value:g}{unit}", self.y(value)) for value in values)


def scale_of(values: Iterable[float], *, least: float, from_zero: bool = False) -> Scale:
    """Return a scale with round numbers that holds all the values and spans `least` at least."""
    known = list(values) or [0.0]
    low, high = (0.0 if from_zero else min(known)), max(known)
    if (lacking := least - (high - low)) > 0:
        high += lacking if from_zero else lacking / 2
        low -= 0 if from_zero else lacking / 2
    step = _step((high - low) / _LINES)
    bottom = math.floor(low / step + _EPSILON) * step
    return Scale(bottom, max(math.ceil(high / step - _EPSILON) * step, bottom + step), step)


def _step(wanted: float) -> float:
    size = 10.0 ** math.floor(math.log10(wanted))
    return next(one * size for one in _STEPS if one * size >= wanted - _EPSILON)


def middle(number: int, count: int) -> float:
    """Return how far to the right the middle of one of `count` equal columns is."""
    return round(100 * (number + 0.5) / count, 3)


def line(places: Sequence[Place]) -> str:
    """Return a path through the places; where one is not known the line ends, and begins anew after it.

    One with no neighbour becomes a dot (a line of no length, which round ends show).
    """
    path, going = "", False
    for number, (x, y) in enumerate(places):
        if y is None:
            going = False
            continue
        path += f"{'L' if going else 'M'}{x:g} {y:g}"
        alone = number + 1 == len(places) or places[number + 1][1] is None
        path += "h0" if not going and alone else ""
        going = True
    return path


def day_labels(days: Sequence[date]) -> tuple[Label, ...]:
    """Return the words below: a first, a middle and a last day."""
    if not days:
        return ()
    numbers = dict.fromkeys((0, len(days) // 2, len(days) - 1))
    return tuple(Label(date_text(days[number]), middle(number, len(days))) for number in numbers)
