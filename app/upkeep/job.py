"""The job `health_check`: a look every four hours, written into the ledger, and told when it turns."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from app.bus import Bus
from app.jobs.context import RunContext
from app.jobs.ledger import Ledger
from app.jobs.policies import CatchUp, Overlap, RateLimit, Scope
from app.jobs.spec import JobSpec, Outcome
from app.upkeep.announcements import HealthChanged
from app.upkeep.health import Health
from app.upkeep.monitor import Monitor

HEALTH_CHECK: Final = "health_check"
"""The job's name: the ledger's and the API's."""


class HealthCheck:
    """The work of the job. A sick house is its result, not its failure: the run completes."""

    def __init__(self, monitor: Monitor, ledger: Ledger, bus: Bus) -> None:
        self._monitor = monitor
        self._ledger = ledger
        self._bus = bus

    async def run(self, context: RunContext) -> Outcome:
        """Look at everything; announce HealthChanged when the house is not as the last run found it.

        What the last run found is read from the ledger, so that a restart announces nothing twice.
        """
        before = await self._was_healthy()
        health = await self._monitor.look(thorough=True, progress=context.progress)
        for check in health.sick:
            context.log.warning("%s: %s %s", check.title, check.message, check.advice)
        if health.healthy is not before:
            titles = tuple(check.title for check in health.sick)
            self._bus.announce(HealthChanged(health.healthy, health.score, titles))
        return Outcome(counts=_counts(health), details=_details(health))

    async def _was_healthy(self) -> bool:
        """Return what the last completed run found; before the first one nothing was wrong."""
        for run in await self._ledger.recent(HEALTH_CHECK, 10):
            if isinstance(known := run.details.get("healthy"), bool):
                return known
        return True


def health_check_job(run: Callable[[RunContext], Awaitable[Outcome]]) -> JobSpec:
    """Declare the job."""
    return JobSpec(
        name=HEALTH_CHECK,
        title="Health check",
        description="Looks whether every job runs as it should, and whether what it stands on is well.",
        schedule="0 */4 * * *",
        run=run,
        scope=Scope.ONCE,
        # One late look is as good as all that were missed.
        catch_up=CatchUp.ONCE,
        overlap=Overlap.SKIP,
        # A look that fails is made again in four hours; one that was cut off, too.
        attempts=1,
        restarts=0,
        time_limit=timedelta(minutes=2),
        rate_limit=RateLimit.of("6/minute"),
        alert_after=2,
        # Six a day: the half year that a slow decline shows in.
        keep=timedelta(days=180),
    )


def _counts(health: Health) -> dict[str, int]:
    verdicts = [check.healthy for check in health.checks.values()]
    return {
        "checks": len(verdicts),
        "healthy": verdicts.count(True),
        "sick": verdicts.count(False),
        "not_judged": verdicts.count(None),
    }


def _details(health: Health) -> Mapping[str, Any]:
    return {
        "healthy": health.healthy,
        "score": health.score,
        "jobs": health.of_jobs(),
        "sick": [
            {"name": one.name, "title": one.title, "message": one.message, "advice": one.advice}
            for one in health.sick
        ],
        "values": {one.name: one.value for one in health.checks.values() if one.value is not None},
    }
