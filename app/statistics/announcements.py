"""What the statistics announce on the bus."""

from dataclasses import dataclass

from app.statistics.stats import PlaceStats


@dataclass(frozen=True, slots=True)
class StatsChanged:
    """A pass found other figures than the one before, for at least one place; `places` are all of them."""

    home_id: str
    places: tuple[PlaceStats, ...]
