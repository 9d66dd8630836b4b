"""What a run is given: its context, and its work, which for subjects knows whom it is for."""

import logging
from dataclasses import dataclass
from random import Random

from app.clock import Clock
from app.errors import InputError, StoreError
from app.jobs.context import RunContext
from app.jobs.engine import Engine
from app.jobs.execution import Work
from app.jobs.ledger import Ledger
from app.jobs.places import Duty
from app.jobs.policies import Scope
from app.jobs.results import SubjectResults
from app.jobs.retry_queue import RetryQueue
from app.jobs.run import Run
from app.jobs.run_log import RunLog
from app.jobs.spec import JobSpec, Outcome, Subjects
from app.jobs.subject import Subject
from app.jobs.working import work_through

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bench:
    """What runs are made of."""

    clock: Clock
    ledger: Ledger
    results: SubjectResults
    queue: RetryQueue
    log: RunLog
    chance: Random

    def context_of(self, duty: Duty, run: Run, engine: Engine) -> RunContext:
        person, force = run.details.get("person"), run.details.get("force")
        return RunContext(
            run_id=run.run_id,
            job=run.job,
            home=run.home,
            trigger=run.trigger,
            scheduled_for=run.scheduled_for,
            started_at=run.started_at,
            clock=self.clock,
            engine=engine,
            on_progress=lambda _progress: None,
            zone=duty.place.zone,
            occasion=run.occasion or run.started_at,
            attempt=run.attempt,
            person=str(person) if person is not None else None,
            people=_people(duty, run),
            force=bool(force),
        )

    def work_of(self, duty: Duty, run: Run, *, written: bool = True) -> Work:
        """Return the work, with what is logged in it recorded as the run's; is that `written` already?"""
        spec = duty.spec

        async def work(context: RunContext) -> Outcome:
            with self.log.recording(run, written=written):
                if spec.run is not None:
                    return await spec.run(context)
                if spec.subjects is None:
                    raise ValueError(f"job {spec.name} has nothing to do")
                return await work_through(
                    spec,
                    context,
                    results=self.results,
                    queue=self.queue,
                    only=await self._only(spec, spec.subjects, context, run),
                    done_before=await self._done_before(run),
                    chance=self.chance,
                )

        return work

    async def free(self, run: Run) -> None:
        """Take back what a run that was left behind holds of the retry queue."""
        try:
            await self.queue.free(run.run_id)
        except StoreError as error:
            _log.error("%s: what it held is taken back at the next start: %s", run.job, error)

    async def _only(
        self, spec: JobSpec, subjects: Subjects, context: RunContext, run: Run
    ) -> list[Subject] | None:
        """Return whom a run is for, if not for everyone."""
        if run.details.get("retries"):
            due = await self.queue.due(run.job, run.home, self.clock.now(), occasion=context.occasion)
            people = {person.subject_id: person for person in context.people}  # the queue knows no zones
            return [people.get(one.subject_id, Subject(one.subject_id, one.name)) for one in due]
        if context.person is not None:
            named = context.people if spec.scope is Scope.PERSON else await subjects.of(context)
            only = [subject for subject in named if subject.subject_id == context.person]
            if not only:
                raise InputError(f"{run.job} has nobody called {context.person!r} to work for")
            return only
        return list(context.people) if spec.scope is Scope.PERSON else None

    async def _done_before(self, run: Run) -> set[str]:
        """Return whom an earlier try of the same work completed."""
        if run.details.get("retries") or run.attempt == 1:
            return set()
        if not run.details.get("force") and run.occasion is not None:
            # Who failed before the cut may have been tried again alone since, in a run of its own.
            return await self.results.completed_for(run.job, run.home, run.occasion)
        tries = await self.ledger.tries(run)
        return await self.results.completed(
            earlier.run_id for earlier in tries[1:] if earlier.occasion == run.occasion
        )


def check_person(duty: Duty, person: str) -> None:
    """Raise InputError when the duty is not done for that one person."""
    if duty.spec.subjects is None:
        raise InputError(f"{duty.spec.name} is not done for single people")
    if duty.spec.scope is Scope.PERSON:
        people = {one.subject_id: one.label for one in duty.place.people}
        if person not in people:
            known = ", ".join(sorted(people)) or "none; name people in the options"
            raise InputError(f"there is no person {person!r}; there are: {known}")


def _people(duty: Duty, run: Run) -> tuple[Subject, ...]:
    """Return the people this run is for, as its row says; all of the home's where it says nothing."""
    if duty.spec.scope is not Scope.PERSON:
        return ()
    named = run.details.get("people")
    return tuple(one for one in duty.place.people if named is None or one.subject_id in named)
