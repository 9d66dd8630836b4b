"""The job `daily_insights`: each scorecard that is on is scored, stored, and what is urgent is told."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from app.bus import Bus
from app.errors import InputError, NeighbourError
from app.insights.announcements import CoachAlert, InsightReady
from app.insights.assessing import STALE_AT_MOST, Assessor
from app.insights.enough import NOT_ENOUGH, why_not_enough
from app.insights.insight import Insight, Priority
from app.insights.insights import Insights
from app.insights.lines import FaultsError
from app.insights.scorecards import KeptScorecard, Scorecards, parsed
from app.jobs.context import RunContext
from app.jobs.policies import Backoff, CatchUp, Overlap, RateLimit
from app.jobs.run import Trigger
from app.jobs.spec import JobSpec, Subjects
from app.jobs.subject import Subject

DAILY_INSIGHTS: Final = "daily_insights"
"""The job's name: the ledger's, the API's and MQTT's."""


class DailyInsights:
    """The job's work, scorecard by scorecard: one that fails is tried again alone, the others are done.

    Made with `DailyInsights(assessor, scorecards, insights, bus, send_alerts=options.send_alerts,
    critical_only=options.critical_only)`, where `assessor` is `Assessor(Readings(now, figures, clock),
    clock)`, `now` the HomeNow and `figures` the statistics' and the alerts' Figures.
    """

    def __init__(
        self,
        assessor: Assessor,
        scorecards: Scorecards,
        insights: Insights,
        bus: Bus,
        *,
        send_alerts: bool,
        critical_only: bool,
    ) -> None:
        self._assessor = assessor
        self._scorecards = scorecards
        self._insights = insights
        self._bus = bus
        told = (Priority.CRITICAL,) if critical_only else (Priority.CRITICAL, Priority.HIGH)
        self._told = frozenset(told if send_alerts else ())

    @property
    def scorecards(self) -> Subjects:
        """What the job works through."""
        return Subjects(self.subjects, self.work, self.verify)

    async def subjects(self, context: RunContext) -> Sequence[Subject]:
        """Return the scorecards that are on.

        Raises InputError when a person asked for a day that is over: its readings are gone.
        """
        occasion, now = (at.astimezone(context.zone).date() for at in (context.occasion, context.clock.now()))
        if context.trigger is Trigger.MANUAL and occasion != now:
            raise InputError(f"the readings of {occasion} are gone: run it without a day, for today")
        return [Subject(one.name, await _title(one)) for one in await self._scorecards.active(context.home)]

    async def work(self, context: RunContext, subject: Subject) -> Mapping[str, int]:
        """Score one scorecard, keep the insight, announce it, and tell what is urgent and was never told.

        Raises FaultsError when its text is wrong, StoreError; NeighbourError, when all of that is done, where
        the hub could not be asked for a part: it is then tried again, and a later reading takes its place.
        """
        kept = await self._scorecards.get(context.home, subject.subject_id)
        card = await parsed(kept)
        today = context.clock.now().astimezone(context.zone).date()
        before = await self._insights.recent(context.home, card.name, since=today - STALE_AT_MOST)
        insight = await self._assessor.assess(context.home, context.zone, card, before)
        tell = [one.recommendation_id for one in insight.recommendations if one.priority in self._told]
        fingerprint = hashlib.sha256(kept.text.encode()).hexdigest()[:16]
        insight = await self._insights.keep(insight, fingerprint, tell)
        previous = await self._insights.previous(insight)
        comparable = previous is not None and previous.comparable
        self._bus.announce(InsightReady(insight, previous.score if previous and comparable else None))
        told = await self._tell(context, insight)
        _log(context, insight)
        if away := sum(bool(one.get("away")) for one in insight.connector_data_snapshot.values()):
            raise NeighbourError(_unread(insight, away))
        return {
            "recommendations": len(insight.recommendations),
            "alerts_sent": told,
            **_counts(insight),
        }

    async def verify(self, context: RunContext, subject: Subject) -> Mapping[str, bool]:
        """Look whether the day's insight is there."""
        newest = await self._insights.latest(context.home, subject.subject_id)
        today = context.clock.now().astimezone(context.zone).date()
        return {"insight_stored": newest is not None and newest.day >= today - timedelta(days=1)}

    async def _tell(self, context: RunContext, insight: Insight) -> int:
        """Announce what waits to be told; noted only afterwards, so that a crash in between loses none."""
        waiting = [one for one in await self._insights.untold(insight) if one.priority in self._told]
        for one in waiting:
            self._bus.announce(
                CoachAlert(
                    home_id=insight.home_id,
                    priority=one.priority.value,
                    title=one.title,
                    message=one.message,
                    recommendation_id=one.recommendation_id,
                    timestamp=context.clock.now(),
                )
            )
        await self._insights.told(insight.home_id, [one.recommendation_id for one in waiting])
        return len(waiting)


def daily_insights_job(scorecards: Subjects) -> JobSpec:
    """Declare the job; `scorecards` are `DailyInsights.scorecards`."""
    return JobSpec(
        name=DAILY_INSIGHTS,
        title="Daily insights",
        description="Scores each scorecard from this morning's readings and says what to do.",
        schedule="0 6 * * *",
        subjects=scorecards,
        grace=timedelta(hours=1),
        # Readings are of now: yesterday's morning cannot be made up for, today's can until the evening.
        catch_up=CatchUp.ONCE,
        window=timedelta(hours=18),
        overlap=Overlap.SKIP,
        # A hub that restarts, or is updated, in the morning: for about two hours.
        backoff=Backoff(base=timedelta(minutes=10), cap=timedelta(hours=1)),
        subject_attempts=5,
        time_limit=timedelta(minutes=10),
        rate_limit=RateLimit.of("6/minute"),
        # Two minutes of the hub's time each: one after another.
        batch_size=1,
    )


def _unread(insight: Insight, away: int) -> str:
    instead = "nothing stands in"
    if insight.stale_since is not None:
        instead = f"readings from {insight.stale_since:%Y-%m-%d %H:%M} UTC on stand in"
    of = len(insight.connector_data_snapshot)
    return f"the hub could not be asked for {away} of {of} metrics; {instead} until it can"


async def _title(kept: KeptScorecard) -> str:
    """Return a scorecard's title, its name where the text is wrong: its work then says so."""
    try:
        return (await parsed(kept)).title
    except FaultsError:
        return kept.name


def _counts(insight: Insight) -> dict[str, int]:
    metrics = [one for category in insight.health_breakdown for one in category.metrics]
    missing = sum(one.value is None for one in metrics)
    return {"metrics_read": len(metrics) - missing, "metrics_missing": missing}


def _log(context: RunContext, insight: Insight) -> None:
    said = f"health_score={insight.health_score}, recommendations={len(insight.recommendations)}"
    context.log.info("%s: %s", insight.title, said)
    if not insight.sufficient:
        context.log.info("%s: %s. %s", insight.title, NOT_ENOUGH, why_not_enough(insight))
    for category in insight.health_breakdown:
        for metric in category.metrics:
            if metric.value is None:
                context.log.info("%s: %s is missing: %s", insight.title, metric.title, metric.missing)
