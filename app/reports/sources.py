"""What a report is made of: the public queries of the rooms below."""

from collections.abc import Callable
from dataclasses import dataclass

from app.alerts.book import AlertBook
from app.clock import Clock
from app.habits.offers.answered import Answers
from app.habits.offers.watches import Watches
from app.habits.suggestions import Suggestions
from app.insights.insights import Insights
from app.jobs.ledger import Ledger
from app.model import Home
from app.statistics.queries import StatsQueries


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything the sections ask. `home` gives the home as last known, None before it was ever met.

    `job_title` gives what people call a job, by its name.
    """

    clock: Clock
    home: Callable[[], Home | None]
    stats: StatsQueries
    alerts: AlertBook
    insights: Insights
    watches: Watches
    suggestions: Suggestions
    answers: Answers
    ledger: Ledger
    job_title: Callable[[str], str]
