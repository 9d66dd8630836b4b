"""Works through the subjects of a run: a batch at a time, each isolated, each written down as it ended."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from typing import Any, TypeVar

import aiosqlite

from app.clock import to_ms
from app.errors import InputError, NightshiftError, StoreError
from app.jobs.context import RunContext
from app.jobs.given import ID_LIMIT, NAME_LIMIT, checked, counted, key_of, label_of, usable
from app.jobs.results import SubjectResults
from app.jobs.retry_queue import Origin, RetryQueue
from app.jobs.spec import JobSpec, Outcome, Subjects
from app.jobs.subject import Retry, Subject, SubjectResult, SubjectStatus
from app.jobs.text import describe, one_line

ENOUGH = 0.8
"""A run in which fewer than this share succeeded has its failed subjects tried again at once."""
_WRITE_AGAIN_AT_MOST_SECONDS = 60.0
_CUT_OFF = "Cut off while it was tried."
_log = logging.getLogger(__name__)
T = TypeVar("T")


async def work_through(
    spec: JobSpec,
    context: RunContext,
    *,
    results: SubjectResults,
    queue: RetryQueue,
    only: Sequence[Subject] | None,
    done_before: AbstractSet[str],
    chance: Random,
) -> Outcome:
    """Work on the subjects of a run, `spec.batch_size` at a time, and return what they counted together.

    The subjects are `only`, or those that `spec.subjects.of` names; ids in `done_before` are left out. What
    fails goes to the retry queue; `context.subjects_…` are right at any moment, also when the run is
    cut off: what had ended by then is written down before the cancellation goes on.
    While the database takes nothing the run waits for it, within its time limit.
    """
    if spec.subjects is None:
        raise ValueError(f"job {spec.name} has no subjects")
    working = _Working(spec, spec.subjects, context, results, queue, chance)
    try:
        return await working.through(only, done_before)
    except BaseException:
        await _whole(working.let_go())
        raise


@dataclass(slots=True)
class _Batch:
    """A batch while it is worked on: its leases by subject, how its subjects ended."""

    held: Mapping[str, Retry]
    ended: list[tuple[Subject, SubjectResult]] = field(default_factory=list)
    cut_off: bool = False


@dataclass(slots=True)
class _Working:
    spec: JobSpec
    how: Subjects
    context: RunContext
    results: SubjectResults
    queue: RetryQueue
    chance: Random
    counts: Counter[str] = field(default_factory=Counter)
    done: int = 0
    total: int = 0

    async def through(self, only: Sequence[Subject] | None, done_before: AbstractSet[str]) -> Outcome:
        everyone = _each_once(await self.how.of(self.context) if only is None else only)
        left = [subject for subject in everyone if subject.subject_id not in done_before]
        self.total, self.done = len(everyone), len(everyone) - len(left)
        details = {"done_before": self.done} if self.done else {}
        self._say()
        for start in range(0, len(left), self.spec.batch_size):
            await self._work_on(left[start : start + self.spec.batch_size])
        await self._hurry()
        return Outcome(counts=self.counts, details=details)

    async def let_go(self) -> None:
        """Give back the tries that were going on; they stay counted and are not due again at once."""
        wait = self.spec.backoff.wait(1, self.chance)
        try:
            await self.queue.free(self.context.run_id, _CUT_OFF, self.context.clock.now() + wait)
        except StoreError as error:
            _log.warning("%s: its tries are given back at the next start: %s", self.spec.name, error)

    async def _work_on(self, subjects: Sequence[Subject]) -> None:
        held = await self._insist(lambda: self._claim(subjects))
        batch = _Batch({retry.subject_id: retry for retry in held})
        tasks = [asyncio.create_task(self._one(subject, batch)) for subject in subjects]
        try:
            await asyncio.wait(tasks)
            for task in tasks:
                if not task.cancelled() and (error := task.exception()) is not None:
                    raise error
            await self._insist(lambda: _whole(self._write(batch)))
        except asyncio.CancelledError:
            batch.cut_off = True
            for task in tasks:
                task.cancel()
            # Told to end a second time, it waits no longer for what does not end.
            with suppress(asyncio.CancelledError):
                await asyncio.wait(tasks)
            await _whole(self._write_what_ended(batch))
            raise

    async def _claim(self, subjects: Iterable[Subject]) -> list[Retry]:
        context = self.context
        ids = [subject.subject_id for subject in subjects if usable(subject.subject_id)]
        return await self.queue.claim(context.job, context.home, context.run_id, ids, context.occasion)

    async def _one(self, subject: Subject, batch: _Batch) -> None:
        """Work on one subject; whatever it raises, but the run's own end, is its failure alone."""
        clock, began = self.context.clock, self.context.clock.monotonic()
        checks: Mapping[str, bool] = {}
        counts: Mapping[str, int] = {}
        error: str | None = None
        try:
            if not usable(subject.subject_id):
                raise InputError(f"its id is not 1 to {ID_LIMIT} printable characters")  # noqa: TRY301 - its failure, as any other
            counts = counted(await self.how.work(self.context, subject))
            if self.how.verify is not None:
                checks = checked(await self.how.verify(self.context, subject))
            if missing := [name for name, holds in checks.items() if not holds]:
                error = one_line(f"not verified: {', '.join(missing)}")
        except asyncio.CancelledError:
            if batch.cut_off:
                raise
            error = "Its own work was cancelled."
        except (GeneratorExit, KeyboardInterrupt):
            raise
        except BaseException as raised:  # noqa: BLE001 - a subject's edge: even sys.exit() is its failure alone
            error = self._failure(subject, raised)
        if batch.cut_off and error is not None:
            raise asyncio.CancelledError  # the cut made it fail: it did not end
        result = SubjectResult(
            run_id=self.context.run_id,
            subject_id=key_of(subject),
            name=one_line(subject.name, NAME_LIMIT),
            status=SubjectStatus.SUCCESSFUL if error is None else SubjectStatus.FAILED,
            duration_seconds=clock.monotonic() - began,
            completed_at=clock.now(),
            error=error,
            checks=checks,
            counts=counts,
        )
        batch.ended.append((subject, result))
        self._count(subject, result)

    def _failure(self, subject: Subject, error: BaseException) -> str:
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        try:
            said = describe(error)
        except Exception:  # noqa: BLE001 - an error that cannot even say what it is
            said = f"unexpected: {type(error).__name__}"
        if not isinstance(error, NightshiftError):
            self.context.log.error("%s: %s", self.spec.name, label_of(subject), exc_info=error)
        return said

    def _count(self, subject: Subject, result: SubjectResult) -> None:
        self.counts.update(result.counts)
        self.context.subjects_processed += 1
        if result.error is None:
            self.context.subjects_successful += 1
        else:
            self.context.subjects_failed += 1
            self.context.fail(label_of(subject), result.error)
        self.done += 1
        self._say()

    def _say(self) -> None:
        self.context.progress(self.spec.title, self.done, self.total)

    async def _write_what_ended(self, batch: _Batch) -> None:
        """Write once, or once more, what ended before a cut; what is not written is worked on again."""
        if not batch.ended:
            return
        try:
            await self._write(batch)
        except NightshiftError as error:
            _log.warning("%s: what ended before the cut is not written: %s", self.spec.name, error)

    async def _write(self, batch: _Batch) -> None:
        """Write the results and what they mean for the queue, in one transaction; twice is once."""
        put_back: list[Retry] = []

        async def also(db: aiosqlite.Connection) -> None:
            put_back.clear()
            for subject, result in batch.ended:
                if (retry := await self._settle(db, subject, result, batch.held)) is not None:
                    put_back.append(retry)

        written = await self.results.write(self.context.run_id, [result for _, result in batch.ended], also)
        if not written:
            raise NightshiftError(f"run {self.context.run_id} is over; what it still did is not written down")
        self.queue.given_up(put_back)

    async def _settle(
        self, db: aiosqlite.Connection, subject: Subject, result: SubjectResult, held: Mapping[str, Retry]
    ) -> Retry | None:
        context, retry = self.context, held.get(subject.subject_id)
        if result.error is None:
            if retry is not None:
                await self.queue.done(db, retry.retry_id, context.run_id)
            return None
        if retry is not None and to_ms(retry.occasion) == to_ms(context.occasion):
            last = retry.retry_count >= retry.max_retries
            following = None if last else self._after(retry.retry_count + 1)
            return await self.queue.failed(db, retry.retry_id, context.run_id, result.error, following)
        if usable(subject.subject_id):  # else trying it again is of no use
            await self.queue.put(
                db,
                Origin(context.job, context.home, context.run_id, context.occasion),
                replace(subject, name=result.name),
                result.error,
                max_retries=self.spec.subject_attempts,
                next_retry_at=self._after(1),
            )
        return None

    def _after(self, failures: int) -> datetime:
        return self.context.clock.now() + self.spec.backoff.wait(failures, self.chance)

    async def _hurry(self) -> None:
        context = self.context
        if context.subjects_successful >= ENOUGH * context.subjects_processed:
            return
        try:
            await self.queue.hurry(context.run_id)
        except StoreError as error:
            _log.warning("%s: its failed subjects are tried again a little later: %s", self.spec.name, error)

    async def _insist(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it until the database takes it; the run's time limit ends that, if nothing else does."""
        wait = 1.0
        while True:
            try:
                return await work()
            except StoreError as error:
                _log.error("%s: the database takes nothing just now: %s", self.spec.name, error)
                await self.context.clock.sleep(wait)
                wait = min(wait * 2, _WRITE_AGAIN_AT_MOST_SECONDS)


def _each_once(subjects: Iterable[Subject]) -> list[Subject]:
    found: dict[str, Subject] = {}
    for subject in subjects:
        found.setdefault(subject.subject_id, subject)
    return list(found.values())


async def _whole(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end what must not stop halfway; a cancellation meanwhile is raised afterwards."""
    task = asyncio.create_task(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        task.exception()
        raise asyncio.CancelledError
    return task.result()
