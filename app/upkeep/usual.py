"""How long a job usually takes, from how long it took."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles

FEWEST = 7
"""With fewer runs there is no usual range."""
NEWEST = 30


@dataclass(frozen=True, slots=True)
class Usual:
    """The middle eight tenths of the last runs, in seconds: one run in ten was shorter, one in ten longer."""

    low: float
    high: float


def usual_range(seconds: Sequence[float]) -> Usual | None:
    """Return the usual range of completed runs' durations, given newest first; None when they are too few."""
    looked_at = seconds[:NEWEST]
    if len(looked_at) < FEWEST:
        return None
    tenths = quantiles(looked_at, n=10, method="inclusive")
    return Usual(tenths[0], tenths[-1])
