"""What the ledger and the schedule together ask for: which runs are due, missed, or owed after a bad end."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.clock import Clock
from app.jobs.due import Cron, plan
from app.jobs.ledger import Ledger, Run, RunStatus, SkippedBecause, Trigger
from app.jobs.spec import CatchUp, JobSpec

_MOMENT = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Start:
    """A run to start, and not before when (None: now)."""

    trigger: Trigger
    scheduled_for: datetime | None = None
    attempt: int = 1
    retry_of: str | None = None
    not_before: datetime | None = None


class Duties:
    """Decides from the ledger; every instant of a schedule is decided on once and leaves a row.

    An instant counts as undecided if it is later than the job's newest instant in the ledger and than the
    liveness stamp. So nothing has to be written while idle, and a process that was killed owes exactly what
    came due while it was gone.
    """

    def __init__(self, ledger: Ledger, clock: Clock, home: str) -> None:
        self._ledger = ledger
        self._clock = clock
        self._home = home
        self._seen = clock.now()

    async def load(self) -> datetime:
        """Read and return the liveness stamp; before the first one nothing was ever missed."""
        self._seen = await self._ledger.seen() or self._clock.now()
        return self._seen

    async def due(self, spec: JobSpec, cron: Cron) -> tuple[Start | None, list[Run]]:
        """Write down what was missed; return those runs, and what has to be started now."""
        now = self._clock.now()
        decision = plan(
            cron,
            since=await self._since(spec, now),
            now=now,
            grace=spec.grace,
            once=spec.catch_up is CatchUp.ONCE,
        )
        why = "Missed: Nightshift was off or asleep."
        if decision.run is not None:
            why = f"{why} The run of {_local(decision.run, cron, now)} makes up for it."
        skipped = [
            await self._ledger.skip(
                spec.name, self._home, instant, because=SkippedBecause.MISSED, why=why, at=instant
            )
            for instant in decision.missed
        ]
        start = None
        if decision.run is not None:
            last = await self._ledger.last(spec.name)
            start = Start(
                Trigger.CATCH_UP if decision.late else Trigger.SCHEDULE,
                decision.run,
                retry_of=last.run_id if last is not None and _was_cut_off(last) else None,
            )
        return start, [run for run in skipped if run is not None]

    async def owed(self, spec: JobSpec, cron: Cron) -> Start | None:
        """Return what the job's last run still asks for: again after a cut, once more after a failure.

        It is read from the ledger alone, so that it survives any end of the process.
        """
        newest = next(iter(await self._ledger.recent(spec.name, 1)), None)
        last = await self._ledger.last(spec.name)
        if newest is None or last is None or newest.details.get("because") == SkippedBecause.PAUSED:
            return None
        following = cron.next(last.started_at)
        if spec.catch_up is CatchUp.SKIP and following is not None and following <= self._clock.now():
            return None
        return await self.again(spec, last)

    async def again(self, spec: JobSpec, run: Run) -> Start | None:
        """Return what a run that ended asks for: once more after a failure, taken up again after a cut.

        Each has its own count, so that a night which was cut off and then finds no hub, because the whole
        machine has just started, still has its second try. What a person started and failed is theirs.
        """
        if run.status is RunStatus.FAILED and run.trigger is not Trigger.MANUAL:
            tries = await self._tries(run)
            if sum(one.status is RunStatus.FAILED for one in tries) <= spec.retries:
                at = (run.completed_at or run.started_at) + spec.retry_pause
                return Start(Trigger.RETRY, attempt=run.attempt + 1, retry_of=run.run_id, not_before=at)
        elif _was_cut_off(run):
            tries = await self._tries(run)
            if sum(_was_cut_off(one) for one in tries) <= spec.restarts:
                return Start(Trigger.CATCH_UP, attempt=run.attempt + 1, retry_of=run.run_id)
        return None

    async def _tries(self, run: Run) -> list[Run]:
        """Return this run and those that it took up, newest first."""
        tries = [run]
        while tries[-1].attempt > 1 and (earlier := tries[-1].retry_of) is not None:
            if (before := await self._ledger.get(earlier)) is None:
                break
            tries.append(before)
        return tries

    async def overlapped(self, spec: JobSpec, cron: Cron, scheduled_for: datetime, busy: Run) -> Run | None:
        """Write down that a due run found the one before it still going."""
        of = _local(busy.scheduled_for or busy.started_at, cron, self._clock.now())
        why = f"Skipped because the run of {of} was still going."
        return await self._ledger.skip(
            spec.name, self._home, scheduled_for, because=SkippedBecause.OVERLAP, why=why
        )

    async def passed_over(self, spec: JobSpec, cron: Cron, since: datetime) -> Run | None:
        """Decide on what came due while the job was paused: the newest is written down, none is caught up."""
        due = cron.between(since, self._clock.now(), limit=1)
        if not due:
            return None
        return await self._ledger.skip(
            spec.name,
            self._home,
            due[0],
            because=SkippedBecause.PAUSED,
            why="Skipped because the job was paused; the runs before it while it was paused, too.",
        )

    async def stamp(self, jobs: Iterable[tuple[JobSpec, Cron]]) -> None:
        """Write that all is decided until now, or until just before the first instant that is not."""
        now = until = self._clock.now()
        for spec, cron in jobs:
            following = cron.next(await self._since(spec, now))
            if following is not None:
                until = min(until, following - _MOMENT)
        await self._ledger.stamp(until)
        self._seen = until

    async def _since(self, spec: JobSpec, now: datetime) -> datetime:
        # A stamp from the future is that of a clock which was wrong then.
        seen = self._seen if self._seen <= now else now - spec.grace
        written = await self._ledger.last_scheduled(spec.name, self._home, now)
        return seen if written is None else max(seen, written)


def _was_cut_off(run: Run) -> bool:
    return run.status is RunStatus.INTERRUPTED and not run.cancelled


def _local(instant: datetime, cron: Cron, now: datetime) -> str:
    zone = ZoneInfo(cron.zone)
    local = instant.astimezone(zone)
    today = local.date() == now.astimezone(zone).date()
    return local.strftime("%H:%M" if today else "%H:%M on %-d %B %Y")
