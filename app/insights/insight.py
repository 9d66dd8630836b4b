"""A day's insight: the score, what it is made of, what it was read from, and what to do."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import Field

from app.model import Frozen

ENOUGH: Final = 0.5
"""The least confidence of a score that is shown: docs/insights.md says why."""


class Priority(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class MetricScore(Frozen):
    """One metric. `value` None: it is missing, and `missing` says why. `band` is where it fell, in words.

    `to_do` says what helps then. `weight` is its share of its category, 0 to 1, `score` 0 to 100. `read_from`
    is in words, `source` what it is known by: the figure's name, the entity's id.
    """

    key: str
    title: str
    weight: float
    value: float | None = None
    unit: str = ""
    score: int | None = None
    band: str = ""
    missing: str = ""
    to_do: str = ""
    read_from: str = ""
    source: str = ""


class CategoryScore(Frozen):
    """One category; `weight` 0 to 1 of the whole; `score` None when every metric of it is missing."""

    key: str
    title: str
    weight: float
    score: int | None
    metrics: tuple[MetricScore, ...] = ()

    @property
    def confidence(self) -> float:
        """The share of its weight that was read, 0 to 1."""
        return 1 - round(sum(one.weight for one in self.metrics if one.value is None), 9)


class Recommendation(Frozen):
    """One thing to do: `rests_on` says which readings it follows from, `would_change` what it would do."""

    recommendation_id: str
    priority: Priority
    title: str
    message: str
    rests_on: str
    would_change: str
    category: str = ""
    metric: str = ""


class Insight(Frozen):
    """A row of `coach_insights`. `day` is the local day it is of; `health_score` None: nothing could be read.

    `confidence` is the share of the weight that was read, 0 to 1. `stale_since` is when the readings are
    from, where they are of an earlier day because the hub was away. Where less than half of the weight was
    read, `health_score` is of what was read and no more: people are shown `known_score`.
    """

    insight_id: str
    home_id: str
    scorecard: str
    title: str
    day: date
    health_score: int | None
    health_breakdown: tuple[CategoryScore, ...]
    recommendations: tuple[Recommendation, ...]
    connector_data_snapshot: dict[str, Any] = Field(default_factory=dict)
    confidence: float = 1.0
    stale_since: datetime | None = None
    generated_at: datetime

    @property
    def sufficient(self) -> bool:
        """Whether enough was read for the score to be one of the whole."""
        return self.health_score is not None and self.confidence >= ENOUGH

    @property
    def known_score(self) -> int | None:
        """The score where enough was read, else None."""
        return self.health_score if self.sufficient else None
