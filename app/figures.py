"""Nightshift's own figures: a number by its name, which any capability may offer and a scorecard ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as of `as_of` (UTC); where `value` is None, `missing` says why in a sentence."""

    value: float | None
    unit: str
    as_of: datetime
    missing: str = ""


class Figures(Protocol):
    """A room's own figures."""

    @property
    def names(self) -> Mapping[str, str]:
        """Every figure's name and what it is in a few words; lower case letters, digits and `_`."""

    async def figure(self, home_id: str, name: str) -> Figure:
        """Return one of them, read from what is stored. Raises KeyError for a name that is none of them."""
