"""The jobs of one home: what is due, missed or owed is started, when and only when it should be."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from app.bus import Bus
from app.clock import Clock
from app.errors import InputError, NightshiftError, StoreError
from app.jobs.announcements import JobChanged, Progress, RunEnded, RunSkipped
from app.jobs.crew import Crew
from app.jobs.due import Cron
from app.jobs.duties import Duties, Start
from app.jobs.engine import Engine
from app.jobs.ledger import AlreadyRunningError, Ledger, Run, Trigger
from app.jobs.schedule import Schedule, Stored
from app.jobs.spec import JobSpec, registry

_log = logging.getLogger(__name__)
_TRIES_SECONDS = (5, 30, 120, 300, 600, 1800)
_RUNS_KEPT = timedelta(days=400)


class Jobs:
    """Runs the declared jobs. Call from the event loop only.

    `zone` is the one the schedules are read in; `schedule_path` is the clock's own SQLite file. The
    `ledger`'s store is open before `start` and closed after `stop`, and no other process works in it
    meanwhile (`OnlyOne`): its running runs would be taken for cut off.
    """

    def __init__(
        self,
        specs: Iterable[JobSpec],
        *,
        ledger: Ledger,
        bus: Bus,
        clock: Clock,
        engine: Engine,
        zone: ZoneInfo,
        schedule_path: Path,
        home: str = "home",
    ) -> None:
        self.specs: dict[str, JobSpec] = registry(specs)
        self.ledger = ledger
        self._bus = bus
        self._clock = clock
        self._zone = zone
        self._schedule = Schedule(schedule_path, self.look)
        self._duties = Duties(ledger, clock, home)
        self._crew = Crew(ledger=ledger, bus=bus, clock=clock, engine=engine, home=home, on_ended=self._ended)
        self._deciding = asyncio.Lock()
        self._working = self._ticking = False
        self._taken_up = asyncio.Event()
        self._paused: dict[str, datetime] = {}
        self._retries: dict[str, tuple[datetime, asyncio.Task[None]]] = {}
        self._looks: set[asyncio.Task[None]] = set()

    async def start(self, *, scheduling: bool = True) -> None:
        """Take up the work: mark what was cut off, start what is owed, then let the clock tick.

        Without `scheduling` only `trigger` starts anything (the command line's `run JOB`). Raises StoreError
        when the files cannot be used. Once only: a new start is a new object.
        """
        self._working = True
        try:
            for run in await self.ledger.interrupt_others():
                _log.warning("%s: the run %s was cut off when Nightshift ended", run.job, run.run_id)
                self._bus.announce(RunEnded(run))
            seen = await self._duties.load()
            self._paused = dict.fromkeys(await self.ledger.paused() & self.specs.keys(), seen)
            if scheduling:
                stored = await self._schedule.open()
                self._ticking = True
                async with self._deciding:
                    in_force = self._in_force(stored)
                    await self._take_up(in_force)
                    await self._stamp(in_force)
                    await self._reconcile()
                await self._schedule.run()
            self._taken_up.set()
        except BaseException:
            self._ticking = False  # nothing has been decided on: no stamp may say so
            await self.stop(0)
            raise

    async def stop(self, grace_seconds: float = 10.0) -> None:
        """Start nothing more; give runs 60 % of the grace to finish, then cut them off and write it down."""
        self._taken_up.set()
        if not self._working:
            return
        self._working = False
        await self._schedule.close()
        for job in tuple(self._retries):
            self._drop_retry(job)
        for look in tuple(self._looks):
            look.cancel()
        written = await self._crew.stop(grace_seconds)
        await asyncio.gather(*self._looks, return_exceptions=True)
        if written:  # else there is no time to wait once more for a database that takes nothing
            await self._stamp()

    async def trigger(self, job: str, trigger: Trigger = Trigger.MANUAL) -> Run:
        """Start a run now, paused or not; return it as it starts. What is owed from before goes first.

        Raises AlreadyRunningError with `.run`, InputError for a job that does not exist, StoreError.
        """
        spec = self._spec(job)
        await self._taken_up.wait()
        if not self._working:
            raise NightshiftError("Nightshift is stopping: no run is started any more")
        run = await self._crew.begin(spec, Start(trigger))
        if run is None:
            raise StoreError(f"{job}: the run could not be written down")
        self._drop_retry(job)
        return run

    async def wait(self, run_id: str) -> Run:
        """Return the run when it has ended; InputError when there is no such run."""
        await self._crew.wait(run_id)
        if (run := await self.ledger.get(run_id)) is None:
            raise InputError(f"there is no run {run_id}")
        return run

    async def cancel(self, run_id: str) -> bool:
        """End a running run by hand: it becomes interrupted and is not taken up again. False: not running."""
        return self._crew.cancel(run_id)

    def running(self, job: str) -> Run | None:
        return self._crew.running(self._spec(job).name)

    def progress(self, job: str) -> Progress | None:
        """Return where the running run is; None when none runs or it has not said."""
        return self._crew.progress(self._spec(job).name)

    def next_run(self, job: str) -> datetime | None:
        """Return when it starts by itself again, a pending second try included; None while paused."""
        spec, now = self._spec(job), self._clock.now()
        if job in self._paused:
            return None
        following = self._cron(spec).next(now)
        retry = self._retries.get(job)
        if retry is not None and (following is None or retry[0] < following):
            return max(retry[0], now)
        return following

    async def pause(self, job: str) -> None:
        """Let the schedule pass over this job until it is resumed, over restarts; `trigger` still works."""
        spec = self._spec(job)
        await self._taken_up.wait()
        async with self._deciding:
            if job in self._paused:
                return
            await self._consider(spec, self._cron(spec))
            await self.ledger.set_paused(job, paused=True)
            self._paused[job] = self._clock.now()
            self._drop_retry(job)
            await self._reconcile()
        self._bus.announce(JobChanged(job))

    async def resume(self, job: str) -> None:
        """Let the schedule fire again; what came due meanwhile is not caught up."""
        spec = self._spec(job)
        await self._taken_up.wait()
        async with self._deciding:
            if (since := self._paused.get(job)) is None:
                return
            if (skipped := await self._duties.passed_over(spec, self._cron(spec), since)) is not None:
                self._bus.announce(RunSkipped(skipped))
            await self.ledger.set_paused(job, paused=False)
            del self._paused[job]
            await self._reconcile()
        self._bus.announce(JobChanged(job))

    def is_paused(self, job: str) -> bool:
        return self._spec(job).name in self._paused

    async def set_zone(self, zone: ZoneInfo) -> None:
        """Read the schedules in another zone from now on; what is due until now is decided by the old one."""
        if zone.key == self._zone.key:
            return
        async with self._deciding:
            for spec in self.specs.values():
                await self._consider(spec, self._cron(spec))
            await self._stamp()
            before, self._zone = self._zone, zone
            try:
                await self._reconcile()
            except StoreError:
                self._zone = before  # told again, it is not taken for known
                raise
        for name in self.specs:
            self._bus.announce(JobChanged(name))

    def look(self, job: str) -> None:
        """See whether a job is due: what the clock calls when it comes round. Once too often is harmless."""
        if self._working and job in self.specs:
            spec = self.specs[job]
            self._set_about(
                self._insist(spec, lambda: self._consider(spec, self._cron(spec))), f"look at {job}"
            )

    def _set_about(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._looks.add(task)
        task.add_done_callback(self._looks.discard)
        task.add_done_callback(_say_if_failed)

    async def _insist(self, spec: JobSpec, start: Callable[[], Awaitable[None]]) -> None:
        """Start what has to be started; a database that cannot take it is asked again for a while."""
        for wait in (*_TRIES_SECONDS, None):
            try:
                async with self._deciding:
                    await start()
            except StoreError as error:
                then = "it is made up for when it is next due" if wait is None else f"again in {wait} s"
                _log.error("%s could not be started: %s; %s", spec.name, error, then)
                if wait is not None:
                    await self._clock.sleep(wait)
            else:
                return

    def _in_force(self, stored: Stored) -> list[tuple[JobSpec, Cron]]:
        """Return the jobs that had a schedule until now, with that schedule: options may have changed it."""
        if stored.rebuilt:
            return [(spec, self._cron(spec)) for spec in self._awake()]
        return [(spec, stored.crons[spec.name]) for spec in self._awake() if spec.name in stored.crons]

    def _awake(self) -> list[JobSpec]:
        return [spec for name, spec in self.specs.items() if name not in self._paused]

    async def _take_up(self, in_force: list[tuple[JobSpec, Cron]]) -> None:
        """At the start: decide on what came due meanwhile."""
        for spec, cron in in_force:
            await self._consider(spec, cron)
            if self._crew.running(spec.name) or (owed := await self._duties.owed(spec, cron)) is None:
                continue
            if owed.not_before is None:
                await self._crew.begin(spec, owed)
            else:
                self._plan_retry(spec, owed, owed.not_before)

    async def _consider(self, spec: JobSpec, cron: Cron) -> None:
        if not self._ticking or not self._working or spec.name in self._paused:
            return
        start, skipped = await self._duties.due(spec, cron)
        if start is not None and start.scheduled_for is not None:
            try:
                await self._crew.begin(spec, start)
                self._drop_retry(spec.name)
            except AlreadyRunningError as busy:
                overlap = await self._duties.overlapped(spec, cron, start.scheduled_for, busy.run)
                skipped += [overlap] if overlap is not None else []
        for run in skipped:
            _log.warning("%s: %s", run.job, run.error_message)
            self._bus.announce(RunSkipped(run))

    async def _ended(self, spec: JobSpec, run: Run) -> datetime | None:
        """Plan the second try of a failed run; return when it will be."""
        try:
            again = await self._duties.again(spec, run)
        except StoreError as error:
            _log.error("%s: whether it is tried again could not be read: %s", run.job, error)
            again = None
        if self._working and self._ticking:
            if again is not None and again.not_before is not None:
                self._plan_retry(spec, again, again.not_before)
            self._set_about(self._tidy_up(), "tidying up after a run")
        return again.not_before if again is not None else None

    async def _tidy_up(self) -> None:
        async with self._deciding:
            await self._stamp()
            try:
                await self.ledger.forget(self._clock.now() - _RUNS_KEPT)
            except StoreError as error:
                _log.error("Old runs could not be forgotten: %s", error)

    def _plan_retry(self, spec: JobSpec, start: Start, at: datetime) -> None:
        self._drop_retry(spec.name)
        if spec.name in self._paused:
            return
        task = asyncio.create_task(self._retry(spec, start, at), name=f"retry of {spec.name}")
        self._retries[spec.name] = (at, task)
        task.add_done_callback(_say_if_failed)
        _log.info("%s: tried again at %s", spec.name, at.astimezone(self._zone).strftime("%H:%M"))

    async def _retry(self, spec: JobSpec, start: Start, at: datetime) -> None:
        if (wait := (at - self._clock.now()).total_seconds()) > 0:
            await self._clock.sleep(wait)
        # From here on nothing calls it off but a stop: handed to a task that is not dropped with the plan.
        self._retries.pop(spec.name, None)
        self._set_about(self._insist(spec, lambda: self._try_again(spec, start)), f"retry of {spec.name}")

    async def _try_again(self, spec: JobSpec, start: Start) -> None:
        last = await self.ledger.last(spec.name)
        if last is not None and last.run_id == start.retry_of and spec.name not in self._paused:
            await self._crew.begin(spec, start)

    def _drop_retry(self, job: str) -> None:
        if (retry := self._retries.pop(job, None)) is not None:
            retry[1].cancel()

    async def _reconcile(self) -> None:
        if self._ticking and self._working:
            crons = {name: self._cron(spec) for name, spec in self.specs.items()}
            await self._schedule.reconcile(crons, set(self._paused))

    async def _stamp(self, in_force: list[tuple[JobSpec, Cron]] | None = None) -> None:
        """Write the liveness stamp; without it the next start only looks further back than it needs to."""
        if not self._ticking:
            return
        if in_force is None:
            in_force = [(spec, self._cron(spec)) for spec in self._awake()]
        try:
            await self._duties.stamp(in_force)
        except StoreError as error:
            _log.error("The liveness stamp could not be written: %s", error)

    def _cron(self, spec: JobSpec) -> Cron:
        return Cron(spec.schedule, self._zone.key)

    def _spec(self, job: str) -> JobSpec:
        if (spec := self.specs.get(job)) is None:
            raise InputError(f"there is no job {job!r}; there are: {', '.join(sorted(self.specs))}")
        return spec


def _say_if_failed(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("%s failed", task.get_name(), exc_info=error)
