"""One run while it runs: its progress, its time limit, and how it ended. Whatever a job raises ends here."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from app.clock import Clock
from app.errors import NightshiftError
from app.jobs.announcements import Progress
from app.jobs.context import RunContext
from app.jobs.engine import Engine
from app.jobs.run import Run, RunStatus
from app.jobs.spec import JobSpec, Outcome
from app.jobs.text import describe

_log = logging.getLogger(__name__)
_SAY_EVERY_SECONDS = 0.25
STOPPED = "Cut off: Nightshift was stopped while it ran."


class CutOff(StrEnum):
    """Why a run is ended from outside."""

    CANCELLED = "cancelled"
    STOPPING = "stopping"
    OVERTIME = "overtime"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, as the ledger will have it."""

    status: RunStatus
    seconds: float
    error_message: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


class Execution:
    """Carries out `run` of `spec`; `on_progress` hears of it a few times a second at most."""

    def __init__(
        self,
        spec: JobSpec,
        run: Run,
        *,
        clock: Clock,
        engine: Engine,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self.spec = spec
        self.run = run
        self.progress: Progress | None = None
        self._clock = clock
        self._on_progress = on_progress
        self._said_at = float("-inf")
        self._task: asyncio.Task[Any] | None = None
        self._over = False
        self._cut_off: CutOff | None = None
        self._context = RunContext(
            run_id=run.run_id,
            job=run.job,
            home=run.home,
            trigger=run.trigger,
            scheduled_for=run.scheduled_for,
            started_at=run.started_at,
            clock=clock,
            engine=engine,
            on_progress=self._progressed,
        )

    def cut_off(self, why: CutOff) -> bool:
        """End it soon; False when it is over or being ended already."""
        if self._over or self._cut_off is not None:
            return False
        self._cut_off = why
        if self._task is not None:
            self._task.cancel()
        return True

    async def perform(self) -> Ending:
        """Run the job in the current task and return how it ended; never raises."""
        self._task = asyncio.current_task()
        watchdog = asyncio.create_task(self._watch())
        began = self._clock.monotonic()
        outcome: Outcome | None = None
        error: BaseException | None = None
        try:
            if self._cut_off is None:
                outcome = _outcome(await self.spec.run(self._context))
        except GeneratorExit:
            raise
        except BaseException as raised:  # noqa: BLE001 - a job's edge: whatever it raises is recorded, never passed on
            error = raised
        finally:
            self._over = True
            watchdog.cancel()
        seconds = self._clock.monotonic() - began
        if outcome is not None:
            return self._came_to_its_end(outcome, seconds)
        if error is None or self._cut_off is not None or self._is_ending():
            return self._was_cut_off(seconds)
        message = describe(error)
        unexpected = None if isinstance(error, NightshiftError) else error
        _log.error("%s failed: %s", self.run.job, message, exc_info=unexpected)
        return Ending(RunStatus.FAILED, seconds, message)

    def _came_to_its_end(self, outcome: Outcome, seconds: float) -> Ending:
        context = self._context
        status, message, details = outcome.status, None, dict(outcome.details)
        if context.failed:
            status = RunStatus.PARTIAL
            first = "; ".join(f"{failure.subject}: {failure.error}" for failure in context.failures[:5])
            message = f"{context.failed} failed: {first}"
            details |= {
                "failed": context.failed,
                "failures": [asdict(failure) for failure in context.failures],
            }
        return Ending(status, seconds, message, outcome.counts, details)

    def _was_cut_off(self, seconds: float) -> Ending:
        if self._cut_off is CutOff.OVERTIME:
            minutes = self.spec.time_limit.total_seconds() / 60
            message = f"It took longer than {minutes:g} minutes and was ended."
            _log.error("%s failed: %s", self.run.job, message)
            return Ending(RunStatus.FAILED, seconds, message)
        if self._cut_off is CutOff.CANCELLED:
            return Ending(RunStatus.INTERRUPTED, seconds, "Cancelled by hand.", details={"cancelled": True})
        return Ending(RunStatus.INTERRUPTED, seconds, STOPPED)

    def _is_ending(self) -> bool:
        # The loop ends. A CancelledError of the job's own is an error like any other.
        return self._task is not None and self._task.cancelling() > 0

    async def _watch(self) -> None:
        await self._clock.sleep(self.spec.time_limit.total_seconds())
        self.cut_off(CutOff.OVERTIME)

    def _progressed(self, progress: Progress) -> None:
        before, self.progress = self.progress, progress
        now = self._clock.monotonic()
        new = before is None or before.step != progress.step or progress.done >= progress.total > 0
        if new or now - self._said_at >= _SAY_EVERY_SECONDS:
            self._said_at = now
            self._on_progress(progress)


def _outcome(given: object) -> Outcome:
    if not isinstance(given, Outcome):
        raise TypeError(f"a job returns an Outcome, not {type(given).__name__}")
    return given
