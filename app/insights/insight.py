"""A day's insight: the score, what it is made of, what it was read from, and what to do."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from app.model import Frozen


class Priority(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class MetricScore(Frozen):
    """One metric. `value` None: it is missing, and `missing` says why. `band` is where it fell, in words.

    `weight` is its share of its category, 0 to 1, `score` 0 to 100.
    """

    key: str
    title: str
    weight: float
    value: float | None = None
    unit: str = ""
    score: int | None = None
    band: str = ""
    missing: str = ""
    read_from: str = ""


class CategoryScore(Frozen):
    """One category; `weight` 0 to 1 of the whole; `score` None when every metric of it is missing."""

    key: str
    title: str
    weight: float
    score: int | None
    metrics: tuple[MetricScore, ...] = ()


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
    from, where they are of an earlier day because the hub was away.
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
