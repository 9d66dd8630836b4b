"""Numbers as people read them."""

from collections.abc import Callable
from fractions import Fraction


def number_text(value: float) -> str:
    """Return a number with at most two digits after the point, all of them only where fewer would say 0."""
    if value == 0:
        return "0"
    short = f"{value:.2f}".rstrip("0").rstrip(".")
    return short if short not in {"0", "-0"} else repr(value)


def with_unit(value: float, unit: str) -> str:
    return f"{number_text(value)} {unit}".rstrip()


def said(value: float, same: Callable[[float], bool]) -> str:
    """Return a reading for people; with all its digits where a shorter number would not be the `same`."""
    short = number_text(value)
    return short if same(float(short)) else repr(value)


def half_up(value: Fraction) -> int:
    """Return the nearest whole number, a half upwards, computed exactly."""
    return int((2 * value + 1) // 2)
