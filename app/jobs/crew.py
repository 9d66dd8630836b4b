"""The runs that are going on now: claimed in the ledger, carried out, written down when they end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from app.bus import Bus
from app.clock import Clock
from app.errors import NightshiftError, StoreError
from app.jobs.announcements import Progress, RunEnded, RunProgressed, RunStarted
from app.jobs.engine import Engine
from app.jobs.execution import STOPPED, CutOff, Ending, Execution
from app.jobs.ledger import Ledger
from app.jobs.places import Duty
from app.jobs.run import AlreadyRunningError, Run, RunStatus, Start, Trigger
from app.jobs.whom import Bench

_log = logging.getLogger(__name__)
_WRITE_AGAIN_AT_MOST_SECONDS = 60.0
_LOOK_KEPT_EVERY = timedelta(hours=1)
_FINISHING = 0.6
"""The part of a stop's grace in which runs may still finish by themselves."""


@dataclass(frozen=True, slots=True)
class Looks:
    """A duty's looks in this process: when the last one ended, when one was last written, how many since."""

    at: datetime
    written_at: datetime | None = None
    """None: the next one is written, whatever it finds."""
    quiet: int = 0


class Crew:
    """Starts and ends runs, never two of one duty.

    `tried_again_at` says, when a run has failed, whether and when it is tried again; that is written with its
    end. `on_ended` hears of each end after the bus does.
    """

    def __init__(
        self,
        *,
        ledger: Ledger,
        bus: Bus,
        clock: Clock,
        engine: Engine,
        bench: Bench,
        tried_again_at: Callable[[Duty, Run], Awaitable[datetime | None]],
        on_ended: Callable[[Duty, Run], Awaitable[None]],
    ) -> None:
        self._ledger = ledger
        self._bus = bus
        self._clock = clock
        self._engine = engine
        self._bench = bench
        self._tried_again_at = tried_again_at
        self._on_ended = on_ended
        self._stopping = False
        self.looks: dict[str, Looks] = {}
        self._active: dict[str, Execution] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._starts: set[asyncio.Task[Run | None]] = set()
        self._left_behind: set[asyncio.Task[None]] = set()

    async def begin(self, duty: Duty, start: Start) -> Run | None:
        """Start a run; None when its instant has a row already, or what waited waits no more.

        Raises AlreadyRunningError, RateLimitedError, StoreError. Whoever asked may be cancelled meanwhile:
        the run is then started all the same, for a row that says `running` without a run behind it must not
        be.
        """
        if self._stopping:
            raise NightshiftError("Nightshift is stopping: no run is started any more")
        task = asyncio.create_task(self._start(duty, start))
        self._starts.add(task)
        task.add_done_callback(self._began)
        return await asyncio.shield(task)

    def _began(self, task: asyncio.Task[Run | None]) -> None:
        self._starts.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may be gone, and would have been told

    def cancel(self, run_id: str, why: CutOff = CutOff.CANCELLED) -> bool:
        """End a running run from outside; False when it does not run."""
        for execution in self._active.values():
            if execution.run.run_id == run_id:
                return execution.cut_off(why)
        return False

    def running(self, duty: Duty) -> Run | None:
        execution = self._active.get(duty.key)
        return execution.run if execution is not None else None

    def progress(self, duty: Duty) -> Progress | None:
        execution = self._active.get(duty.key)
        return execution.progress if execution is not None else None

    async def wait(self, run_id: str) -> None:
        """Come back when that run has ended; at once when it does not run."""
        if (task := self._tasks.get(run_id)) is not None:
            await asyncio.wait([task])

    async def stop(self, grace_seconds: float) -> bool:
        """Start nothing more; give runs 60 % of the grace to finish, then cut them off and write it down.

        Return whether all ends are written down: if not, the database takes nothing just now.
        """
        self._stopping = True
        await asyncio.gather(*self._starts, return_exceptions=True)
        for task in self._left_behind:
            task.cancel()
        if not (tasks := set(self._tasks.values())):
            return True
        if grace_seconds > 0:
            timer = asyncio.create_task(self._clock.sleep(grace_seconds * _FINISHING))
            finished = asyncio.create_task(asyncio.wait(tasks))
            await asyncio.wait({timer, finished}, return_when=asyncio.FIRST_COMPLETED)
            timer.cancel()
            finished.cancel()
        for execution in self._active.values():
            execution.cut_off(CutOff.STOPPING)
        # The last resort is the loop's own time: whatever clock we are on, the process has to end.
        _, stuck = await asyncio.wait(tasks, timeout=max(0.5, grace_seconds * (1 - _FINISHING) / 2))
        for task in stuck:
            task.cancel()
        return all([await self._leave_behind(execution) for execution in tuple(self._active.values())])

    async def _start(self, duty: Duty, start: Start) -> Run | None:
        limit = None if start.free else duty.spec.rate_limit
        written = not (duty.spec.look and start.trigger is Trigger.SCHEDULE and start.waiting is None)
        if duty.spec.look and (active := self._active.get(duty.key)) is not None:
            raise AlreadyRunningError(active.run)  # the ledger may not know of it
        if written:
            run = await self._ledger.begin(duty.spec.name, duty.home, start, limit)
        else:
            run = self._ledger.unwritten(duty.spec.name, duty.home, start)
        if run is None:
            return None
        execution = Execution(
            duty.spec,
            run,
            self._bench.work_of(duty, run, written=written),
            context=self._bench.context_of(duty, run, self._engine),
            on_progress=lambda progress: self._bus.announce(RunProgressed(run.run_id, run.job, progress)),
            written=written,
        )
        self._active[duty.key] = execution
        task = asyncio.create_task(self._carry_out(duty, execution), name=f"job {run.job}")
        self._tasks[run.run_id] = task
        task.add_done_callback(partial(self._let_go, duty, execution))
        if written:
            _log.info("%s: run %s started (%s)", run.job, run.run_id, run.trigger)
            self._bus.announce(RunStarted(run))
        return run

    async def _carry_out(self, duty: Duty, execution: Execution) -> None:
        ending = await execution.perform()
        if execution.left_behind is not None:
            self._left_behind.add(execution.left_behind)
            execution.left_behind.add_done_callback(self._left_behind.discard)
        if not execution.written:
            await self._ended_look(duty, execution, ending)
            return
        await self._bench.log.flush(execution.run.run_id)
        ended = await self._write_down(duty, execution.run, ending)
        if execution.left_behind is not None:
            await self._bench.free(ended)
        self._active.pop(duty.key, None)
        _log.info("%s: run %s %s after %.1f s", ended.job, ended.run_id, ended.status, ending.seconds)
        self._bus.announce(RunEnded(ended, ended.next_retry_at))
        await self._on_ended(duty, ended)

    async def _ended_look(self, duty: Duty, execution: Execution, ending: Ending) -> None:
        """Write down how a look ended; of those that found nothing one an hour."""
        run, now = execution.run, self._clock.now()
        looks = self.looks.get(duty.key, Looks(now))
        written = ending.status is not RunStatus.INTERRUPTED and not (
            ending.quiet and looks.written_at is not None and now - looks.written_at < _LOOK_KEPT_EVERY
        )
        self.looks[duty.key] = replace(looks, at=now, quiet=looks.quiet + 1)
        if written and (ended := await self._recorded(run, ending, looks.quiet + 1)) is not None:
            # The look after one that failed is written too: it says that all is well again.
            well = ended.status is RunStatus.COMPLETED
            self.looks[duty.key] = Looks(now, now if well else None)
            self._active.pop(duty.key, None)
            self._bus.announce(RunEnded(ended))
            await self._on_ended(duty, ended)
        self._bench.log.discard(run.run_id)
        self._active.pop(duty.key, None)

    async def _recorded(self, run: Run, ending: Ending, looks: int) -> Run | None:
        """Write a look's row, with how many looks it stands for, and return it.

        None when the database does not take it: the next look is written instead.
        """
        ended = replace(
            run,
            status=ending.status,
            completed_at=self._clock.now(),
            duration_seconds=round(ending.seconds, 3),
            counts=dict(ending.counts),
            error_message=ending.error_message,
            details={**run.details, **ending.details, "looks": looks},
        )
        try:
            await self._ledger.record(ended)
        except StoreError as error:
            _log.error("%s: its look (%s) is not written: %s", ended.job, ended.status, error)
            return None
        await self._bench.log.flush(run.run_id)
        return ended

    async def _write_down(self, duty: Duty, run: Run, ending: Ending) -> Run:
        """Write how a run ended, until the database takes it; so long it counts as running."""
        wait = 1.0
        while True:
            try:
                status, again_at = ending.status, None
                if status is RunStatus.FAILED and not ending.tried_alone:
                    again_at = await self._tried_again_at(duty, run)
                    status = status if again_at is None else RunStatus.RETRYING
                written = await self._ledger.finish(
                    run.run_id,
                    status,
                    seconds=ending.seconds,
                    counts=ending.counts,
                    error_message=ending.error_message,
                    details={**run.details, **ending.details},
                    subjects=ending.subjects,
                    next_retry_at=again_at,
                )
            except StoreError as error:
                _log.error("%s: its end (%s) is not written yet: %s", run.job, ending.status, error)
                await self._clock.sleep(wait)
                wait = min(wait * 2, _WRITE_AGAIN_AT_MOST_SECONDS)
            else:
                return written or await self._ledger.get(run.run_id) or replace(run, status=ending.status)

    def _let_go(self, duty: Duty, execution: Execution, task: asyncio.Task[None]) -> None:
        self._tasks.pop(execution.run.run_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            if self._active.get(duty.key) is execution:
                del self._active[duty.key]
            _log.error("%s failed", task.get_name(), exc_info=error)

    async def _leave_behind(self, execution: Execution) -> bool:
        """Write down a run that does not end when it is told to; without the database the next start will."""
        _log.error("%s does not end: its run is left behind", execution.run.job)
        try:
            await self._ledger.finish(
                execution.run.run_id,
                RunStatus.INTERRUPTED,
                seconds=(self._clock.now() - execution.run.started_at).total_seconds(),
                error_message=STOPPED,
            )
        except StoreError as error:
            _log.error("%s: that could not be written down: %s", execution.run.job, error)
            return False
        return True
