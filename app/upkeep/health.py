"""What a whole look comes to: the seed's score, for the house and for each job."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.upkeep.check import Check

HEALTHY_ABOVE: Final = 0.8
"""The seed's line: healthy when more than 80 % of the checks are."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a look found. `checks` by name, in the order people read them; `timestamp` is UTC."""

    checks: Mapping[str, Check]
    timestamp: datetime

    @property
    def score(self) -> float:
        """Healthy checks by checks, 0 to 1; those with nothing to judge count neither way."""
        return score_of(self.checks.values())

    @property
    def healthy(self) -> bool:
        return self.score > HEALTHY_ABOVE

    @property
    def sick(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks.values() if check.healthy is False)

    def of_jobs(self) -> dict[str, float]:
        """Return each job's own score, from its five checks alone: one sick check in five is too many."""
        names = dict.fromkeys(check.job for check in self.checks.values() if check.job)
        return {name: score_of(c for c in self.checks.values() if c.job == name) for name in names}


def score_of(checks: Iterable[Check]) -> float:
    """Return the share that is healthy of those that could be judged; 1.0 when there are none."""
    judged = [check.healthy for check in checks if check.healthy is not None]
    return round(sum(judged) / len(judged), 4) if judged else 1.0
