"""What upkeep announces on the bus."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HealthChanged:
    """The house as a whole became healthy or sick. `sick` are titles of checks."""

    healthy: bool
    score: float
    sick: tuple[str, ...]
