"""What the ledger and the schedule together ask for: which runs are due, missed, or owed after a bad end."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from zoneinfo import ZoneInfo

from app.clock import Clock
from app.jobs.agenda import Agenda
from app.jobs.due import OFF, Plan, When, plan
from app.jobs.ledger import Ledger, Undone
from app.jobs.places import Duty
from app.jobs.policies import CatchUp, Overlap, Scope
from app.jobs.retry_queue import RetryQueue
from app.jobs.run import RateLimitedError, Run, RunStatus, SkippedBecause, Start, Trigger

_MOMENT = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about a duty now."""

    start: Start | None = None
    written: Sequence[Run] = field(default_factory=tuple)
    """The rows of what does not start now: skipped, or waiting."""
    replaces: Run | None = None
    """The run that has to make way."""


class Duties:
    """Decides from the ledger; every instant of a schedule is decided on once and leaves a row.

    An instant counts as undecided if it is later than the duty's newest instant in the ledger and than the
    liveness stamp. So nothing has to be written while idle, and a process that was killed owes exactly what
    came due while it was gone.
    """

    def __init__(self, ledger: Ledger, queue: RetryQueue, clock: Clock, chance: Random) -> None:
        self._ledger = ledger
        self._queue = queue
        self._clock = clock
        self._chance = chance
        self._seen = clock.now()
        self._set_at: dict[str, datetime] = {}
        self._decided: dict[tuple[str, str], datetime] = {}

    async def load(self) -> datetime:
        """Read and return the liveness stamp; before the first one nothing was ever missed.

        From here on no other process writes: what is decided is known without reading it again.
        """
        self._seen = await self._ledger.seen() or self._clock.now()
        self._decided = await self._ledger.all_last_scheduled(self._clock.now())
        return self._seen

    def note(self, duty: Duty, instant: datetime | None) -> None:
        """Take note that this instant has a row."""
        if instant is not None:
            key = (duty.spec.name, duty.home)
            self._decided[key] = max(instant, self._decided.get(key, instant))

    def begin_anew(self, duties: Iterable[Duty]) -> None:
        """Take note that these have another schedule from now on: before now it was never due."""
        self._set_at |= dict.fromkeys((duty.key for duty in duties), self._clock.now())

    def anything_due(self, agenda: Agenda, duty: Duty, when: When) -> bool:
        """Whether an instant has come that is not decided yet."""
        now = self._clock.now()
        following = agenda.following(duty, when, self._since(duty, now))
        return following is not None and following <= now

    async def decide(self, agenda: Agenda, duty: Duty, when: When, busy: Run | None) -> Decision:
        """Decide on what has come due: what starts now is returned, all else is written down."""
        now, spec = self._clock.now(), duty.spec
        decided = plan(
            when,
            since=self._since(duty, now),
            now=now,
            grace=spec.grace,
            catch_up=spec.catch_up,
            window=spec.window,
        )
        if not decided.runs and not decided.missed:
            return Decision()
        waiting = await self._ledger.waiting(spec.name, duty.home)
        room = _room(duty, decided.runs, busy, waiting) if decided.runs else _Room.WAIT
        if room is _Room.START and await self.gives_way(duty, decided.runs[0]):
            room = _Room.WAIT
        undone = [] if spec.look else [*_missed(decided, duty, now)]
        if room in {_Room.TAKEN, _Room.NOBODY}:
            because, why = _why_not(room, duty, busy, now)
            undone += [Undone(instant, because, why) for instant in decided.runs]
        elif room is not _Room.START:
            undone += [
                Undone(instant, trigger=_trigger(duty, instant, now), details=_whom(agenda, duty, instant))
                for instant in decided.runs
            ]
        written = await self._write(duty, undone)
        if room is _Room.REPLACE:
            return Decision(written=[*written, *await self._make_way(waiting)], replaces=busy)
        if room is not _Room.START:
            return Decision(written=written)
        return Decision(await self._start(agenda, duty, decided.runs[0], now), written)

    async def gives_way(self, duty: Duty, occasion: datetime | None) -> bool:
        """Whether a run for that occasion waits until subjects of an older one have been tried again.

        So it does where each is to be done: it would claim them, and what they were owed would be forgotten.
        """
        spec = duty.spec
        if spec.catch_up is not CatchUp.ALL or spec.subjects is None:
            return False
        return await self._queue.next_at(spec.name, duty.home, before=occasion) is not None

    async def owed(self, duty: Duty, when: When | None) -> Start | None:
        """Return what the duty's last run still asks for, if it was cut off: to be taken up again.

        It is read from the ledger alone, so that it survives any end of the process.
        """
        spec, home = duty.spec, duty.home
        newest = next(iter(await self._ledger.recent(spec.name, 1, home)), None)
        last = await self._ledger.last(spec.name, home)
        if newest is None or last is None or newest.details.get("because") == SkippedBecause.PAUSED:
            return None
        following = when.next(last.started_at) if when is not None else None
        if spec.catch_up is CatchUp.SKIP and following is not None and following <= self._clock.now():
            return None
        if spec.overlap is Overlap.REPLACE and await self._ledger.pending(spec.name, home):
            return None
        return await self.again(duty, last)

    async def again(self, duty: Duty, run: Run) -> Start | None:
        """Return what takes up a run that was cut off, as often as the job bears.

        Cuts and failures each have their own count, so that a night which was cut off and then finds no hub,
        because the whole machine has just started, still has its second try.
        """
        if not run.cut_off:
            return None
        tries = await self._ledger.tries(run)
        if sum(one.cut_off for one in tries) > duty.spec.restarts:
            return None
        return replace(_next_try(run, Trigger.CATCH_UP), free=True)

    async def tried_again_at(self, duty: Duty, run: Run) -> datetime | None:
        """Return when a running run that has just failed is to be tried again; None: it is not.

        What a person started and failed is theirs; single subjects wait in their own queue.
        """
        if run.trigger is Trigger.MANUAL or run.details.get("retries"):
            return None
        tries = await self._ledger.tries(run)
        failures = 1 + sum(one.status in {RunStatus.FAILED, RunStatus.RETRYING} for one in tries)
        if failures >= duty.spec.attempts:
            return None
        return self._clock.now() + duty.spec.backoff.wait(failures, self._chance)

    def second_try(self, run: Run) -> Start:
        """Return what tries a `retrying` run again."""
        return _next_try(run, Trigger.RETRY)

    def wait_after(self, duty: Duty, failures: int) -> datetime:
        return self._clock.now() + duty.spec.backoff.wait(failures, self._chance)

    async def passed_over(self, duty: Duty, when: When | None, since: datetime) -> Run | None:
        """Decide on what came due while the job was paused: the newest is written down, none is caught up."""
        due = when.between(since, self._clock.now(), limit=1) if when is not None else []
        if not due:
            return None
        return await self._ledger.skip(
            duty.spec.name,
            duty.home,
            due[0],
            because=SkippedBecause.PAUSED,
            why="Skipped because the job was paused; the runs before it while it was paused, too.",
        )

    async def rate_limited(self, duty: Duty, start: Start, limit: RateLimitedError) -> Run | None:
        """Write down that a due run did not start because the job ran as often as it may."""
        if start.scheduled_for is None:
            return None
        return await self._ledger.skip(
            duty.spec.name,
            duty.home,
            start.scheduled_for,
            because=SkippedBecause.RATE_LIMIT,
            why=f"Skipped because it ran as often as it may; it may again in {limit.retry_after} s.",
        )

    def undecided(
        self, agenda: Agenda, in_force: Sequence[tuple[Duty, When]]
    ) -> tuple[list[tuple[Duty, When]], datetime]:
        """Return those with an instant that is not decided, and until when all is.

        Slow with many jobs: for a thread.
        """
        now = until = self._clock.now()
        due = []
        for duty, when in in_force:
            following = agenda.following(duty, when, self._since(duty, now))
            if following is not None and following <= now:
                due.append((duty, when))
                until = min(until, following - _MOMENT)
        return due, until

    async def stamp(self, until: datetime) -> None:
        """Write that all is decided until then."""
        await self._ledger.stamp(until)
        self._seen = until

    async def _start(self, agenda: Agenda, duty: Duty, instant: datetime, now: datetime) -> Start:
        last = await self._ledger.last(duty.spec.name, duty.home)
        return Start(
            _trigger(duty, instant, now),
            instant,
            retry_of=last.run_id if last is not None and last.cut_off else None,
            details=_whom(agenda, duty, instant),
        )

    async def _write(self, duty: Duty, undone: list[Undone]) -> list[Run]:
        undone.sort(key=lambda one: one.instant)
        written = await self._ledger.decide(duty.spec.name, duty.home, undone)
        if undone:
            self.note(duty, undone[-1].instant)
        return written

    async def _make_way(self, waiting: Sequence[Run]) -> list[Run]:
        why = "Skipped because the next run took its place while it waited."
        off = [
            await self._ledger.call_off(run, SkippedBecause.OVERLAP, why)
            for run in waiting
            if run.status is RunStatus.PENDING
        ]
        return [run for run in off if run is not None]

    def _since(self, duty: Duty, now: datetime) -> datetime:
        # What is from the future is that of a clock which was wrong then.
        seen = self._seen if self._seen <= now else now - duty.spec.grace
        known = (seen, self._set_at.get(duty.key), self._decided.get((duty.spec.name, duty.home)))
        return max(instant for instant in known if instant is not None and instant <= now)


class _Room(StrEnum):
    """What becomes of what is due."""

    START = "start"
    WAIT = "wait"
    REPLACE = "replace"
    TAKEN = "taken"
    NOBODY = "nobody"


def _room(duty: Duty, due: Sequence[datetime], busy: Run | None, waiting: Sequence[Run]) -> _Room:
    """Return whether what is due starts, waits, replaces what runs, or is skipped.

    Several at once are either each to be made up for, or for people in different zones: none is in the way of
    another, and they wait for one another.
    """
    spec = duty.spec
    pending = [run for run in waiting if run.status is RunStatus.PENDING]
    if spec.scope is Scope.PERSON and not duty.place.people:
        return _Room.NOBODY
    if spec.catch_up is CatchUp.ALL and (waiting or len(due) > 1):
        return _Room.WAIT
    if busy is None:
        return _Room.WAIT if pending or len(due) > 1 else _Room.START
    if busy.details.get("retries"):
        return _Room.WAIT  # single subjects of an earlier run are no reason to leave out a whole one
    if spec.overlap is Overlap.REPLACE:
        return _Room.REPLACE
    return _Room.WAIT if spec.overlap is Overlap.QUEUE and not pending else _Room.TAKEN


def _missed(decided: Plan, duty: Duty, now: datetime) -> Iterator[Undone]:
    why = "Missed: Nightshift was off or asleep."
    if decided.runs:
        why = f"{why} The run of {_local(decided.runs[-1], duty, now)} makes up for it."
    for instant in decided.missed:
        yield Undone(instant, SkippedBecause.MISSED, why, at=instant)


def _why_not(room: _Room, duty: Duty, busy: Run | None, now: datetime) -> tuple[SkippedBecause, str]:
    if room is _Room.NOBODY or busy is None:
        return (
            SkippedBecause.NOBODY,
            "Skipped because there is nobody to do it for: the options name no people.",
        )
    of = _local(busy.scheduled_for or busy.started_at, duty, now)
    also = " and the next one waited already" if duty.spec.overlap is Overlap.QUEUE else ""
    return SkippedBecause.OVERLAP, f"Skipped because the run of {of} was still going{also}."


def _trigger(duty: Duty, instant: datetime, now: datetime) -> Trigger:
    return Trigger.CATCH_UP if now - instant > duty.spec.grace else Trigger.SCHEDULE


def _next_try(run: Run, trigger: Trigger) -> Start:
    kept = {name: run.details[name] for name in ("person", "people", "force") if name in run.details}
    return Start(trigger, occasion=run.occasion, attempt=run.attempt + 1, retry_of=run.run_id, details=kept)


def _whom(agenda: Agenda, duty: Duty, instant: datetime) -> dict[str, list[str]]:
    """Return what the row of a run for people says from its start: whose zone its instant is in."""
    if duty.spec.scope is not Scope.PERSON:
        return {}
    text = agenda.setting(duty.spec.name).text
    people = duty.people_at(text, instant) if text != OFF else ()
    return {"people": [person.subject_id for person in people or duty.place.people]}


def _local(instant: datetime, duty: Duty, now: datetime) -> str:
    zone: ZoneInfo = duty.place.zone
    local = instant.astimezone(zone)
    today = local.date() == now.astimezone(zone).date()
    return local.strftime("%H:%M" if today else "%H:%M on %-d %B %Y")
