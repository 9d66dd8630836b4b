"""The job `weekly_cleanup`: what is old or belongs to nothing goes, and it says what went."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.errors import NightshiftError
from app.jobs.context import RunContext
from app.jobs.policies import Backoff, CatchUp, Scope
from app.jobs.run import RunStatus
from app.jobs.spec import JobSpec, Outcome

WEEKLY_CLEANUP: Final = "weekly_cleanup"
"""The job's name: the ledger's and the API's."""


@dataclass(frozen=True, slots=True)
class Chore:
    """One thing to tidy up. `work` is told the present (UTC) and returns how many it dealt with.

    `key` is its count in the run; `said` what is said of them, such as "alerts archived".
    """

    key: str
    title: str
    said: str
    work: Callable[[datetime], Awaitable[int]]


class WeeklyCleanup:
    """The work of the job: `WeeklyCleanup(chores)`, in that order. One that fails stops none after it."""

    def __init__(self, chores: Sequence[Chore]) -> None:
        self._chores = tuple(chores)

    async def run(self, context: RunContext) -> Outcome:
        """Do every chore once; the outcome's `removed` has a sentence for each that found something."""
        counts: dict[str, int] = {}
        removed: list[str] = []
        for number, chore in enumerate(self._chores):
            context.progress(chore.title, number, len(self._chores))
            try:
                count = await chore.work(context.clock.now())
            except NightshiftError as error:
                context.fail(chore.title, error)
            except Exception as error:  # a chore's edge: the others still have their turn
                context.log.exception("%s stumbled", chore.title)
                context.fail(chore.title, error)
            else:
                counts[chore.key] = count
                if count:
                    removed.append(f"{count:,} {chore.said}")
        for line in removed:
            context.log.info("%s", line)
        return Outcome(
            status=RunStatus.PARTIAL if context.failed else RunStatus.COMPLETED,
            counts=counts,
            details={"removed": removed or ["nothing: there was nothing to remove"]},
        )


def weekly_cleanup_job(run: Callable[[RunContext], Awaitable[Outcome]]) -> JobSpec:
    """Declare the job."""
    return JobSpec(
        name=WEEKLY_CLEANUP,
        title="Weekly cleanup",
        description="Archives old alerts, removes what is old or belongs to nothing, and gives space back.",
        # Sunday, after the night's analysis and before the morning's reports.
        schedule="0 4 * * 0",
        run=run,
        scope=Scope.ONCE,
        grace=timedelta(hours=2),
        catch_up=CatchUp.ONCE,
        attempts=2,
        backoff=Backoff(base=timedelta(minutes=30), cap=timedelta(minutes=30), jitter=False),
        time_limit=timedelta(minutes=10),
    )
