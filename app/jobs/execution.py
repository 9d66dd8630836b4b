"""One run while it runs: its progress, its time limits, and how it ended. Whatever a job raises ends here."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from app.errors import NightshiftError
from app.jobs.announcements import Progress
from app.jobs.context import RunContext
from app.jobs.engine import CallResult, Engine, ProgressCall
from app.jobs.run import Run, RunStatus, Subjected
from app.jobs.spec import JobSpec, Outcome
from app.jobs.text import describe

_log = logging.getLogger(__name__)
_SAY_EVERY_SECONDS = 0.25
STOPPED = "Cut off: Nightshift was stopped while it ran."
Work = Callable[[RunContext], Awaitable[Outcome]]


class CutOff(StrEnum):
    """Why a run is ended from outside."""

    CANCELLED = "cancelled"
    STOPPING = "stopping"
    OVERTIME = "overtime"
    REPLACED = "replaced"
    """The next one takes its place."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, as the ledger will have it."""

    status: RunStatus
    seconds: float
    error_message: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    subjects: Subjected = field(default_factory=Subjected)
    tried_alone: bool = False
    """Whether all that failed in it waits in the retry queue: it is then not tried again as a whole."""
    quiet: bool = False
    """Whether nothing came of it that anybody would look for."""


class Execution:
    """Carries out `work` for `run` of `spec`; `on_progress` hears of it a few times a second at most.

    The work is told to end at the soft limit, or when it is cut off. If it has not by the time that the hard
    limit leaves for that, it is left behind: `perform` comes back, its engine's processes are ended, and what
    it still says is not listened to.
    """

    def __init__(
        self,
        spec: JobSpec,
        run: Run,
        work: Work,
        *,
        context: RunContext,
        on_progress: Callable[[Progress], None],
        written: bool = True,
    ) -> None:
        self.spec = spec
        self.run = run
        self.written = written
        """Whether the run has a row while it goes on."""
        self.progress: Progress | None = None
        self.left_behind: asyncio.Task[None] | None = None
        """The task that did not end, if it did not."""
        self._work = work
        self._clock = context.clock
        self._on_progress = on_progress
        self._said_at = float("-inf")
        self._task: asyncio.Task[None] | None = None
        self._over = False
        self._cut_off: CutOff | None = None
        self._told_to_end = asyncio.Event()
        self._outcome: Outcome | None = None
        self._error: BaseException | None = None
        self._engine = _Reins(context.engine)
        self._context = context
        context.engine = self._engine
        context.on_progress = self._progressed

    def cut_off(self, why: CutOff) -> bool:
        """End it soon; False when it is over or being ended already."""
        if self._over or self._cut_off is not None:
            return False
        self._cut_off = why
        self._told_to_end.set()
        if self._task is not None:
            self._task.cancel()
        return True

    async def perform(self) -> Ending:
        """Run the job in a task of its own and return how it ended; never raises."""
        began = self._clock.monotonic()
        self._task = asyncio.create_task(self._through(), name=f"work of {self.run.job}")
        watchdog = asyncio.create_task(self._watch())
        if self._cut_off is not None:
            self._task.cancel()
        try:
            await asyncio.wait({self._task, watchdog}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # The loop ends, or the stop has no more time.
            self.cut_off(CutOff.STOPPING)
        finally:
            self._over = True
            watchdog.cancel()
        if not self._task.done():
            self.left_behind = self._task
            self._engine.end()
        seconds = self._clock.monotonic() - began
        context = self._context
        subjects = Subjected(context.subjects_processed, context.subjects_successful, context.subjects_failed)
        if self._outcome is not None:
            return self._came_to_its_end(self._outcome, seconds, subjects)
        if self._error is None or self._cut_off is not None:
            return self._was_cut_off(seconds, subjects)
        message = describe(self._error)
        unexpected = None if isinstance(self._error, NightshiftError) else self._error
        _log.error("%s failed: %s", self.run.job, message, exc_info=unexpected)
        return Ending(RunStatus.FAILED, seconds, message, subjects=subjects)

    async def _through(self) -> None:
        try:
            outcome = _outcome(await self._work(self._context))
        except GeneratorExit:
            raise
        except BaseException as raised:  # noqa: BLE001 - a job's edge: whatever it raises is recorded, never passed on
            error: BaseException | None = raised
            outcome = None
        else:
            error = None
        if not self._over:
            self._outcome, self._error = outcome, error

    async def _watch(self) -> None:
        """Tell it to end at the soft limit; come back when it has had its time to do so."""
        soft = asyncio.create_task(self._clock.sleep(self.spec.time_limit.total_seconds()))
        told = asyncio.create_task(self._told_to_end.wait())
        try:
            await asyncio.wait({soft, told}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            soft.cancel()
            told.cancel()
        self.cut_off(CutOff.OVERTIME)
        await self._clock.sleep((self.spec.ends_by - self.spec.time_limit).total_seconds())

    def _came_to_its_end(self, outcome: Outcome, seconds: float, subjects: Subjected) -> Ending:
        context = self._context
        status, message, details = outcome.status, None, dict(outcome.details)
        if context.failed:
            nothing = subjects.processed > 0 and not subjects.successful
            status = RunStatus.FAILED if nothing else RunStatus.PARTIAL
            first = "; ".join(f"{failure.subject}: {failure.error}" for failure in context.failures[:5])
            message = f"{context.failed} failed: {first}"
            details |= {
                "failed": context.failed,
                "failures": [asdict(failure) for failure in context.failures],
            }
        return Ending(
            status,
            seconds,
            message,
            outcome.counts,
            details,
            subjects,
            tried_alone=subjects.failed > 0,
            quiet=outcome.quiet and status is RunStatus.COMPLETED,
        )

    def _was_cut_off(self, seconds: float, subjects: Subjected) -> Ending:
        left = {"left_behind": True} if self.left_behind is not None else {}
        if self._cut_off is CutOff.OVERTIME:
            minutes = self.spec.time_limit.total_seconds() / 60
            message = f"It took longer than {minutes:g} minutes and was ended."
            if left:
                message = f"It took longer than {minutes:g} minutes, did not end, and was left behind."
            _log.error("%s failed: %s", self.run.job, message)
            return Ending(RunStatus.FAILED, seconds, message, details=left, subjects=subjects)
        said = {CutOff.CANCELLED: "Cancelled by hand.", CutOff.REPLACED: "Cut off: the next run was due."}
        message = said.get(self._cut_off or CutOff.STOPPING, STOPPED)
        why = {self._cut_off.value: True} if self._cut_off in said and self._cut_off is not None else {}
        return Ending(RunStatus.INTERRUPTED, seconds, message, details={**why, **left}, subjects=subjects)

    def _progressed(self, progress: Progress) -> None:
        if self._over:
            return
        before, self.progress = self.progress, progress
        now = self._clock.monotonic()
        new = before is None or before.step != progress.step or progress.done >= progress.total > 0
        if new or now - self._said_at >= _SAY_EVERY_SECONDS:
            self._said_at = now
            self._on_progress(progress)


class _Reins(Engine):
    """The engine as one run has it: its calls can be ended even if the run does not listen any more."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._calls: set[asyncio.Task[CallResult]] = set()
        self._over = False

    async def call(
        self, function: str, payload: AsyncIterator[bytes] | bytes, progress: ProgressCall
    ) -> CallResult:
        if self._over:
            raise NightshiftError("the run is over: its engine takes nothing more")
        call = asyncio.create_task(self._engine.call(function, payload, progress))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return await call

    def end(self) -> None:
        self._over = True
        for call in self._calls:
            call.cancel()


def _outcome(given: object) -> Outcome:
    if not isinstance(given, Outcome):
        raise TypeError(f"a job returns an Outcome, not {type(given).__name__}")
    return given
