"""What the insights announce on the bus."""

from dataclasses import dataclass
from datetime import datetime

from app.insights.insight import Insight


@dataclass(frozen=True, slots=True)
class InsightReady:
    """A scorecard's insight of the day is stored. `before` is the score before it, where the two can be
    compared.
    """

    insight: Insight
    before: int | None


@dataclass(frozen=True, slots=True)
class CoachAlert:
    """A recommendation that people are to be told of; told once for each `recommendation_id`.

    The seed's message: `type` coach_alert, priority, title, message, recommendation_id, timestamp.
    """

    home_id: str
    priority: str
    title: str
    message: str
    recommendation_id: str
    timestamp: datetime
    type: str = "coach_alert"
