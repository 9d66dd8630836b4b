"""The jobs of all homes: what is due, missed or owed is started, when and only when it should be."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from random import Random, SystemRandom
from types import MappingProxyType

from app.bus import Bus
from app.clock import Clock
from app.errors import InputError, NightshiftError, StoreError
from app.jobs.agenda import Agenda, ScheduleSetting, check_text
from app.jobs.announcements import JobChanged, Progress, RunEnded
from app.jobs.dispatch import Dispatch
from app.jobs.due import When, instant_on, schedule_of
from app.jobs.engine import Engine
from app.jobs.ledger import Ledger
from app.jobs.places import Duty, Place
from app.jobs.policies import Scope
from app.jobs.results import SubjectResults
from app.jobs.retry_queue import RetryQueue
from app.jobs.run import Run, RunStatus, SkippedBecause, Start, Trigger
from app.jobs.run_log import RunLog
from app.jobs.spec import JobSpec
from app.jobs.taking_up import take_up
from app.jobs.whom import Bench, check_person

__all__ = ["Jobs", "ScheduleSetting"]

_log = logging.getLogger(__name__)
_AT_A_TIME = 20
"""How many announcements are made before others may go on."""


class Jobs:
    """Runs the declared jobs. Call from the event loop only.

    `places` are the homes, the first one that of the jobs that run once; `schedule_path` is the clock's own
    SQLite file; `schedules` are those of the options (`off` switches a job off). The `ledger`'s store is open
    before `start` and closed after `stop`, and no other process works in it meanwhile (`OnlyOne`): its
    running runs would be taken for cut off. Raises ValueError for a wrong declaration, InputError for a wrong
    option.
    """

    def __init__(
        self,
        specs: Iterable[JobSpec],
        *,
        ledger: Ledger,
        bus: Bus,
        clock: Clock,
        engine: Engine,
        places: Sequence[Place],
        schedule_path: Path,
        queue: RetryQueue,
        log: RunLog,
        schedules: Mapping[str, str] = MappingProxyType({}),
        chance: Random | None = None,
    ) -> None:
        self.ledger = ledger
        self.queue = queue
        self._bus = bus
        self._clock = clock
        self._log = log
        bench = Bench(clock, ledger, SubjectResults(ledger.store), queue, log, chance or SystemRandom())
        self._dispatch = Dispatch(
            Agenda.of(specs, places, schedules),
            bench=bench,
            bus=bus,
            clock=clock,
            engine=engine,
            schedule_path=schedule_path,
        )
        self._crew = self._dispatch.crew
        self._taken_up = asyncio.Event()

    @property
    def specs(self) -> Mapping[str, JobSpec]:
        return self._agenda.specs

    @property
    def homes(self) -> tuple[str, ...]:
        return tuple(place.home_id for place in self._agenda.places)

    async def start(self, *, scheduling: bool = True) -> None:
        """Take up the work: mark what was cut off, start what is owed, then let the clock tick.

        Without `scheduling` only `trigger` starts anything (the command line's `run JOB`). Raises StoreError
        when the files cannot be used. Once only: a new start is a new object.
        """
        dispatch = self._dispatch
        dispatch.working = True
        try:
            self._log.start()
            dispatch.agenda = self._agenda.with_page(await self.ledger.schedules())
            for run in await self.ledger.interrupt_others():
                _log.warning("%s: the run %s was cut off when Nightshift ended", run.job, run.run_id)
                self._bus.announce(RunEnded(run))
            await self.queue.free_others()
            seen = await dispatch.duties.load()
            dispatch.paused = dict.fromkeys(await self.ledger.paused() & self.specs.keys(), seen)
            if scheduling:
                await take_up(dispatch)
            self._taken_up.set()
        except BaseException:
            dispatch.ticking = False  # nothing has been decided on: no stamp may say so
            await self.stop(0)
            raise

    async def stop(self, grace_seconds: float = 10.0) -> None:
        """Start nothing more; give runs 60 % of the grace to finish, then cut them off and write it down."""
        self._taken_up.set()
        if not self._dispatch.working:
            return
        await self._dispatch.close()
        written = await self._crew.stop(grace_seconds)
        await asyncio.gather(*self._dispatch.looks, return_exceptions=True)
        if written:  # else there is no time to wait once more for a database that takes nothing
            await self._dispatch.stamp()
        self._log.stop()

    async def trigger(
        self,
        job: str,
        trigger: Trigger = Trigger.MANUAL,
        *,
        home: str | None = None,
        person: str | None = None,
        day: date | None = None,
        force: bool = False,
    ) -> Run:
        """Start a run now, paused or not; return it as it starts. What is owed from before goes first.

        `home` None is the first one. `person` is the id of the one subject to do it for, `day` the local day
        to do it for. `force` lets it pass its rate limit and tells the job to do again what is done already.

        Raises AlreadyRunningError with `.run`, RateLimitedError, InputError for what does not exist,
        StoreError.
        """
        duty = self._duty(job, home)
        if person is not None:
            check_person(duty, person)
        await self._ready()
        details = {name: value for name, value in (("person", person), ("force", force)) if value}
        occasion = None
        if day is not None:
            when = self._agenda.when(duty) or schedule_of(duty.spec.schedule, duty.place.zone.key)
            occasion = instant_on(when, day, duty.place.zone)
        run = await self._crew.begin(duty, Start(trigger, occasion=occasion, details=details, free=force))
        if run is None:
            raise StoreError(f"{job}: the run could not be written down")
        self._dispatch.alarms.drop(duty.key)
        return run

    async def wait(self, run_id: str) -> Run:
        """Return the run when it has ended; InputError when there is no such run."""
        await self._crew.wait(run_id)
        if (run := await self.ledger.get(run_id)) is None:
            raise InputError(f"there is no run {run_id}")
        return run

    async def cancel(self, run_id: str) -> bool:
        """End a run by hand; False when there is nothing to end.

        One that runs becomes interrupted and is not taken up again; one that waits is skipped; one that waits
        for its second try has failed.
        """
        if self._crew.cancel(run_id):
            return True
        run = await self.ledger.get(run_id)
        if run is None or run.status not in {RunStatus.PENDING, RunStatus.RETRYING}:
            return False
        async with self._dispatch.deciding:
            if run.status is RunStatus.PENDING:
                why = "Skipped because it was cancelled while it waited."
                ended = await self.ledger.call_off(run, SkippedBecause.CANCELLED, why)
                self._dispatch.tell_of([ended] if ended is not None else [])
            else:
                ended = await self.ledger.give_up_retry(run.job, run.home)
        if ended is not None:
            self._bus.announce(JobChanged(run.job))
            for duty in self._agenda.duties.get(run.job, ()):
                self._dispatch.look_at_what_waits(duty.key)
        return ended is not None

    def running(self, job: str, home: str | None = None) -> Run | None:
        """Return the run that goes on; of all homes the first that has one."""
        return next((run for duty in self._duties(job, home) if (run := self._crew.running(duty))), None)

    def progress(self, job: str, home: str | None = None) -> Progress | None:
        """Return where the running run is; None when none runs or it has not said."""
        return next((said for duty in self._duties(job, home) if (said := self._crew.progress(duty))), None)

    def next_run(self, job: str, home: str | None = None) -> datetime | None:
        """Return when it starts by itself again, a second try included, in whichever home comes first.

        None while it is paused, or when it is off.
        """
        duties, now = self._duties(job, home), self._clock.now()
        if job in self._dispatch.paused:
            return None
        following = [self._agenda.following(duty, self._agenda.when(duty), now) for duty in duties]
        alarms = [self._dispatch.alarms.at(duty.key) for duty in duties]
        found = [*following, *(max(at, now) for at in alarms if at is not None)]
        return min((at for at in found if at is not None), default=None)

    def looked_at(self, job: str, home: str | None = None) -> datetime | None:
        """Return when a job that looks (`JobSpec.look`) last did, in this process, written down or not."""
        looks = [self._crew.looks.get(duty.key) for duty in self._duties(job, home)]
        return max((one.at for one in looks if one is not None), default=None)

    def when(self, job: str, home: str | None = None) -> When | None:
        """Return when it comes round; None when it is off."""
        return self._agenda.when(self._duty(job, home))

    def schedule(self, job: str) -> ScheduleSetting:
        return self._agenda.setting(self._spec(job).name)

    async def set_schedule(self, job: str, text: str | None) -> None:
        """Let the page move a job, or switch it `off`; None goes back to what options and declaration say.

        What is due until now is decided by the old schedule. Raises InputError for what is no schedule,
        StoreError (nothing is then changed).
        """
        self._spec(job)
        text = text.strip() if text is not None else None
        if text is not None:
            check_text(text)
        await self._ready()
        dispatch = self._dispatch
        async with dispatch.deciding:
            page = {name: kept for name, kept in self._agenda.page.items() if name != job}
            after = self._agenda.with_page(page if text is None else {**page, job: text})
            await dispatch.change(after, lambda: self.ledger.set_schedule(job, text))
        self._bus.announce(JobChanged(job))

    async def set_places(self, places: Sequence[Place]) -> None:
        """Run the jobs for these homes and zones from now on; what is due until now is decided as before.

        Raises StoreError (nothing is then changed).
        """
        if tuple(places) == self._agenda.places:
            return
        async with self._dispatch.deciding:
            await self._dispatch.change(self._agenda.with_places(places))
        for number, name in enumerate(self.specs):
            self._bus.announce(JobChanged(name))
            if number % _AT_A_TIME == _AT_A_TIME - 1:
                await asyncio.sleep(0)

    async def pause(self, job: str) -> None:
        """Let the schedule pass over this job until it is resumed, over restarts; `trigger` still works."""
        duties, dispatch = self._duties(job, None), self._dispatch
        await self._taken_up.wait()
        async with dispatch.deciding:
            if job in dispatch.paused:
                return
            for duty in duties:
                await dispatch.consider(duty, self._agenda.when(duty))
            await self.ledger.set_paused(job, paused=True)
            dispatch.paused[job] = self._clock.now()
            for duty in duties:
                await dispatch.pass_over(duty)
            await dispatch.reconcile()
        self._bus.announce(JobChanged(job))

    async def resume(self, job: str) -> None:
        """Let the schedule fire again; what came due meanwhile is not caught up."""
        duties, dispatch = self._duties(job, None), self._dispatch
        await self._taken_up.wait()
        async with dispatch.deciding:
            if (since := dispatch.paused.get(job)) is None:
                return
            for duty in duties:
                skipped = await dispatch.duties.passed_over(duty, self._agenda.when(duty), since)
                dispatch.tell_of([skipped] if skipped is not None else [])
            await self.ledger.set_paused(job, paused=False)
            del dispatch.paused[job]
            dispatch.duties.begin_anew(duties)
            await dispatch.reconcile()
        for duty in duties:
            dispatch.look_at_what_waits(duty.key)
        self._bus.announce(JobChanged(job))

    def is_paused(self, job: str) -> bool:
        return self._spec(job).name in self._dispatch.paused

    def look(self, job: str) -> None:
        """See whether a job is due; once too often is harmless."""
        for duty in self._agenda.duties.get(job, ()):
            self._dispatch.look(duty.key)

    def since_tick(self) -> float | None:
        """Return how many seconds ago the clock last looked; None while nothing is scheduled."""
        return self._dispatch.schedule.since_tick()

    async def retry_subject(self, retry_id: int) -> Run:
        """Try a subject again now, given up or not; return the run that does it.

        Raises InputError when it is not there or being tried, AlreadyRunningError: it is then tried after
        that run.
        """
        await self._ready()
        retry = await self.queue.get(retry_id)
        if retry is None:
            raise InputError(f"there is nothing to try again with the number {retry_id}")
        duty = self._duty(retry.job, retry.home or None)
        if (retry := await self.queue.again(retry_id)) is None:
            raise InputError("it is being tried just now; wait for that to end")
        start = Start(Trigger.RETRY, occasion=retry.occasion, details={"retries": 1}, free=True)
        run = await self._crew.begin(duty, start)
        if run is None:
            raise StoreError(f"{duty.spec.name}: the run could not be written down")
        return run

    async def dismiss_subject(self, retry_id: int) -> bool:
        """Forget a subject that failed; False when it is not there."""
        retry = await self.queue.get(retry_id)
        if retry is None or not await self.queue.dismiss(retry_id):
            return False
        self._bus.announce(JobChanged(retry.job))
        return True

    @property
    def _agenda(self) -> Agenda:
        return self._dispatch.agenda

    async def _ready(self) -> None:
        await self._taken_up.wait()
        if not self._dispatch.working:
            raise NightshiftError("Nightshift is stopping: no run is started any more")

    def _duties(self, job: str, home: str | None) -> tuple[Duty, ...]:
        duties = self._agenda.duties[self._spec(job).name]
        if home is None or duties[0].spec.scope is Scope.ONCE:
            return duties
        found = tuple(duty for duty in duties if duty.home == home)
        if not found:
            raise InputError(f"there is no home {home!r}; there are: {', '.join(self.homes)}")
        return found

    def _duty(self, job: str, home: str | None) -> Duty:
        return self._duties(job, home)[0]

    def _spec(self, job: str) -> JobSpec:
        if (spec := self.specs.get(job)) is None:
            raise InputError(f"there is no job {job!r}; there are: {', '.join(sorted(self.specs))}")
        return spec
