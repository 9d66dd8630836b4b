"""Starts what is due, missed, owed or waiting: asked by the clock, by an alarm, or when a run has ended."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from app.bus import Bus
from app.clock import Clock
from app.errors import StoreError
from app.jobs.agenda import Agenda, moved
from app.jobs.alarms import Alarms
from app.jobs.alerts import tell_of_failures
from app.jobs.announcements import JobChanged, RunSkipped
from app.jobs.crew import Crew
from app.jobs.due import When
from app.jobs.duties import Duties
from app.jobs.engine import Engine
from app.jobs.execution import CutOff
from app.jobs.places import Duty
from app.jobs.policies import CatchUp
from app.jobs.run import AlreadyRunningError, RateLimitedError, Run, RunStatus, SkippedBecause, Start, Trigger
from app.jobs.schedule import Schedule
from app.jobs.whom import Bench

_log = logging.getLogger(__name__)
_TRIES_SECONDS = (5, 30, 120, 300, 600, 1800)
_OTHERS_KEPT = timedelta(days=400)
"""How long runs stay of jobs that are no longer declared."""


class Dispatch:
    """Decides and starts, one decision at a time (`deciding`); `agenda` is what is in force."""

    def __init__(
        self, agenda: Agenda, *, bench: Bench, bus: Bus, clock: Clock, engine: Engine, schedule_path: Path
    ) -> None:
        self.agenda = agenda
        self.ledger = bench.ledger
        self.queue = bench.queue
        self.deciding = asyncio.Lock()
        self.paused: dict[str, datetime] = {}
        self.working = self.ticking = False
        self.looks: set[asyncio.Task[None]] = set()
        self.duties = Duties(bench.ledger, bench.queue, clock, bench.chance)
        self.alarms = Alarms(clock, self.look_at_what_waits)
        self.schedule = Schedule(schedule_path, self.look)
        self.crew = Crew(
            ledger=bench.ledger,
            bus=bus,
            clock=clock,
            engine=engine,
            bench=bench,
            tried_again_at=self._tried_again_at,
            on_ended=self._ended,
        )
        self._bus = bus
        self._clock = clock
        self._held: dict[str, datetime] = {}
        self._untidy: dict[str, timedelta] = {}

    async def close(self) -> None:
        """Start nothing more; what is being looked at is dropped."""
        self.working = False
        await self.schedule.close()
        self.alarms.drop_all()
        for look in tuple(self.looks):
            look.cancel()

    def look(self, key: str) -> None:
        """See whether a duty is due: what the clock calls when it comes round. Once too often is harmless."""
        if self.working and (duty := self.agenda.by_key.get(key)) is not None:
            self._set_about(
                self._insist(duty, lambda: self.consider(duty, self.agenda.when(duty))), f"look at {key}"
            )

    def look_at_what_waits(self, key: str) -> None:
        """See whether a run or a subject that waits can be started now."""
        if self.working and self.ticking and (duty := self.agenda.by_key.get(key)) is not None:
            self._set_about(self._insist(duty, lambda: self.start_next(duty)), f"what waits for {key}")

    async def consider(self, duty: Duty, when: When | None) -> None:
        """Decide on what came due by this schedule, and start it. Call it with `deciding` held."""
        if when is None or not self.may_start(duty):
            return
        busy = self.crew.running(duty)
        while self.duties.anything_due(self.agenda, duty, when):
            decision = await self.duties.decide(self.agenda, duty, when, busy)
            self.tell_of(decision.written)
            if decision.replaces is not None:
                self.crew.cancel(decision.replaces.run_id, CutOff.REPLACED)
            if decision.start is not None:
                busy = await self._start_due(duty, decision.start)
                if busy is not None:
                    continue  # somebody was quicker: decided again, with that run in the way
            elif any(run.status is RunStatus.PENDING for run in decision.written):
                await self.start_next(duty)
            return

    async def start_next(self, duty: Duty) -> None:
        """Start what waits for this duty, or set the alarm for when it can. Call it with `deciding` held."""
        if not self.may_start(duty) or self.crew.running(duty) is not None:
            return
        self.alarms.drop(duty.key)
        start, at = await self._what_waits(duty)
        if start is None:
            if at is not None:
                self.alarms.set(duty.key, at)
            return
        try:
            begun = await self.crew.begin(duty, start)
        except AlreadyRunningError:
            return  # when that ends it is looked at again
        except RateLimitedError as limit:
            self.alarms.set(duty.key, self._clock.now() + limit.wait)
            return
        if begun is None:  # it was called off meanwhile
            await self.start_next(duty)

    async def pass_over(self, duty: Duty) -> None:
        """Call off what waits for a job that is paused now."""
        self.alarms.drop(duty.key)
        await self.ledger.give_up_retry(duty.spec.name, duty.home)
        for waiting in await self.ledger.pending(duty.spec.name, duty.home):
            why = "Skipped because the job was paused while it waited."
            run = await self.ledger.call_off(waiting, SkippedBecause.PAUSED, why)
            self.tell_of([run] if run is not None else [])

    async def reconcile(self) -> None:
        """Make the clock say what the agenda says. Raises StoreError."""
        if self.ticking and self.working:
            whens = await asyncio.to_thread(self.agenda.whens)
            paused = {duty.key for duty in self.agenda if duty.spec.name in self.paused}
            looks = {duty.key for duty in self.agenda if duty.spec.look}
            await self.schedule.reconcile(whens, paused & whens.keys(), looks)

    async def change(self, after: Agenda, write: Callable[[], Awaitable[None]] | None = None) -> None:
        """Put another agenda in force; what is due until now is decided by the one before.

        Call it with `deciding` held. Raises StoreError: then the one before stays in force.
        """
        before = self.agenda
        changed = await asyncio.to_thread(moved, before, after)
        for duty in changed:
            await self.consider(duty, before.when(duty))
        await self.stamp()
        self.agenda = after
        self.duties.begin_anew(changed)
        try:
            await self.reconcile()
            if write is not None:
                await write()
        except StoreError:
            self.agenda = before  # told again, it is not taken for known
            try:
                await self.reconcile()
            except StoreError as error:
                _log.error("The clock still has the schedules that could not be set: %s", error)
            raise

    async def stamp(self, in_force: Sequence[tuple[Duty, When]] | None = None) -> None:
        """Write the liveness stamp; without it the next start only looks further back than it needs to."""
        if not self.ticking:
            return
        try:
            _, until = await asyncio.to_thread(self.undecided, in_force)
            await self.duties.stamp(until)
        except StoreError as error:
            _log.error("The liveness stamp could not be written: %s", error)

    def tell_of(self, written: Sequence[Run]) -> None:
        for run in written:
            if run.status is RunStatus.SKIPPED:
                _log.warning("%s: %s", run.job, run.error_message)
                self._bus.announce(RunSkipped(run))
        if any(run.status is RunStatus.PENDING for run in written):
            self._bus.announce(JobChanged(written[0].job))

    def may_start(self, duty: Duty) -> bool:
        """Whether it may start by itself."""
        return self.ticking and self.working and duty.spec.name not in self.paused

    def undecided(
        self, in_force: Sequence[tuple[Duty, When]] | None
    ) -> tuple[list[tuple[Duty, When]], datetime]:
        """Return those with an instant that is not decided, and until when all is. For a thread."""
        return self.duties.undecided(self.agenda, self.now_in_force() if in_force is None else in_force)

    def now_in_force(self) -> list[tuple[Duty, When]]:
        """Return the duties that come round, with their schedules. With many jobs not for the loop."""
        awake = [duty for duty in self.agenda if duty.spec.name not in self.paused]
        return [(duty, when) for duty in awake if (when := self.agenda.when(duty)) is not None]

    async def _start_due(self, duty: Duty, start: Start) -> Run | None:
        """Start what is due; return the run that is in the way, if one is."""
        try:
            await self.crew.begin(duty, start)
        except AlreadyRunningError as busy:
            return busy.run
        except RateLimitedError as limit:
            skipped = await self.duties.rate_limited(duty, start, limit)
            self.tell_of([skipped] if skipped is not None else [])
        else:
            self.alarms.drop(duty.key)
        self.duties.note(duty, start.scheduled_for)
        return None

    async def _what_waits(self, duty: Duty) -> tuple[Start | None, datetime | None]:
        """Return what of this duty can start now, else when to look again."""
        spec, now = duty.spec, self._clock.now()
        waiting = await self.ledger.waiting(spec.name, duty.home)
        pending = [run for run in waiting if run.status is RunStatus.PENDING]
        retrying = next((run for run in waiting if run.status is RunStatus.RETRYING), None)
        again_at = retrying.next_retry_at if retrying is not None else None
        if retrying is not None and again_at is not None and again_at <= now:
            return self.duties.second_try(retrying), None
        # The next one takes the place of a second try, of single subjects too, but where each is to be done.
        in_turn = retrying is None or spec.catch_up is not CatchUp.ALL
        if pending and in_turn and not await self.duties.gives_way(duty, pending[0].occasion):
            return Start(pending[0].trigger, pending[0].scheduled_for, waiting=pending[0]), None
        due_at = await self.queue.next_at(spec.name, duty.home) if spec.subjects is not None else None
        if due_at is not None:
            due_at = max(due_at, self._held.get(duty.key, due_at))
            if due_at <= now and (due := await self.queue.due(spec.name, duty.home, now)):
                retries = {"retries": len(due)}
                return Start(Trigger.RETRY, occasion=due[0].occasion, details=retries), None
        return None, min((at for at in (again_at, due_at) if at is not None), default=None)

    async def _tried_again_at(self, duty: Duty, run: Run) -> datetime | None:
        return None if duty.spec.name in self.paused else await self.duties.tried_again_at(duty, run)

    async def _ended(self, duty: Duty, run: Run) -> None:
        """Tell of failures, and see what comes next."""
        if run.details.get("retries") and not run.subjects_processed:
            # It did not even begin with them: they would be due at once, again and again.
            self._held[duty.key] = self.duties.wait_after(duty, run.attempt)
        try:
            await tell_of_failures(self.ledger, self._bus, duty, run)
        except StoreError as error:
            _log.error("%s: how often it failed could not be read: %s", run.job, error)
        if self.working and self.ticking:
            self.look_at_what_waits(duty.key)
            if not self._untidy:
                self._set_about(self._tidy_up(), "tidying up after a run")
            self._untidy[duty.spec.name] = duty.spec.keep

    async def _tidy_up(self) -> None:
        """Tidy up once after all the runs that have ended since the last time."""
        async with self.deciding:
            untidy, self._untidy = self._untidy, {}
            await self.stamp()
            now = self._clock.now()
            try:
                for job, keep in untidy.items():
                    await self.ledger.forget(now - keep, job)
                await self.ledger.forget(now - _OTHERS_KEPT, but=self.agenda.specs)
            except StoreError as error:
                _log.error("Old runs could not be forgotten: %s", error)

    def _set_about(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self.looks.add(task)
        task.add_done_callback(self.looks.discard)
        task.add_done_callback(_say_if_failed)

    async def _insist(self, duty: Duty, start: Callable[[], Awaitable[None]]) -> None:
        """Start what has to be started; a database that cannot take it is asked again for a while."""
        for wait in (*_TRIES_SECONDS, None):
            try:
                async with self.deciding:
                    await start()
            except StoreError as error:
                then = "it is made up for when it is next due" if wait is None else f"again in {wait} s"
                _log.error("%s could not be started: %s; %s", duty.spec.name, error, then)
                if wait is not None:
                    await self._clock.sleep(wait)
            else:
                return


def _say_if_failed(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("%s failed", task.get_name(), exc_info=error)
