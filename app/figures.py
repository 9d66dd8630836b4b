"""Nightshift's own figures: a number by its name, which any capability may offer and a scorecard ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class FigureAbout:
    """What a figure is, for people: its name is only for those who write scorecards.

    `title` is a few words within a sentence, `unit` is "" for a count. `what` says exactly what is counted,
    "" where the title does. `needs` says what to do where it is missing, in a sentence.
    """

    title: str
    unit: str = ""
    what: str = ""
    needs: str = ""

    @property
    def named(self) -> str:
        """The title with the unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


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
    def about(self) -> Mapping[str, FigureAbout]:
        """Every figure by its name (lower case letters, digits and `_`) with what it is."""

    async def figure(self, home_id: str, name: str) -> Figure:
        """Return one of them, read from what is stored. Raises KeyError for a name that is none of them."""
