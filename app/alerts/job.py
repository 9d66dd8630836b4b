"""The job `alert_detector`: a look at the home every five minutes."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from app.alerts.watch import AlertWatch
from app.jobs.context import RunContext
from app.jobs.policies import CatchUp, Overlap, Scope
from app.jobs.spec import JobSpec, Outcome

ALERT_DETECTOR: Final = "alert_detector"
"""The job's name: the ledger's and the API's."""


class AlertDetection:
    """The work of the job. A hub that is away is no failure of it: nothing is judged, and the run says so."""

    def __init__(self, watch: AlertWatch) -> None:
        self._watch = watch

    async def run(self, context: RunContext) -> Outcome:
        looked = await self._watch.look()
        if looked.away:
            context.log.info("Home Assistant is away; the alerts stay as they are")
        counts = {
            "open": looked.open,
            "raised": looked.raised,
            "closed": looked.closed,
            "days_learned": looked.days_learned,
        }
        quiet = not (looked.raised or looked.closed or looked.days_learned)
        return Outcome(counts=counts, details={"away": True} if looked.away else {}, quiet=quiet)


def alert_detector_job(run: Callable[[RunContext], Awaitable[Outcome]]) -> JobSpec:
    """Declare the job."""
    return JobSpec(
        name=ALERT_DETECTOR,
        title="Alerts",
        description="Looks for what is wrong: dangers, open doors, frost, low batteries, lost devices.",
        schedule="every 5 minutes",
        run=run,
        scope=Scope.HOME,
        look=True,
        grace=timedelta(minutes=4),
        # It looks at what is now: what was missed is over or still there.
        catch_up=CatchUp.SKIP,
        overlap=Overlap.SKIP,
        # The next look is as good as another try.
        attempts=1,
        restarts=0,
        time_limit=timedelta(minutes=2),
        alert_after=3,
        # What it found is kept as alerts.
        keep=timedelta(days=14),
    )
