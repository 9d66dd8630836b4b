"""Compares what a week's ledger and journal say with what its schedules ask for, whatever was killed."""

import json
import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from app.clock import from_ms
from app.jobs.places import Duty
from app.jobs.policies import CatchUp
from app.jobs.rows import run_of
from app.jobs.run import Run, RunStatus, Trigger
from tests.jobs.week import BEGINS, ENDS, Week, cursed, duties

_ALL = 100_000
_WELL = {RunStatus.COMPLETED, RunStatus.PARTIAL}
_DID_IT = {RunStatus.COMPLETED, RunStatus.RUNNING, RunStatus.INTERRUPTED}
"""How a run stands that has done its work: killed before it was written down, it was cut off."""
_WAITS = {RunStatus.RUNNING, RunStatus.PENDING, RunStatus.RETRYING}


@dataclass(frozen=True)
class Result:
    """A row of `job_subject`, with its run."""

    run: Run
    subject: str
    well: bool
    completed_at: datetime


@dataclass(frozen=True)
class Account:
    """What is on the disk after a kill, read from a copy: the next process finds it as it was left."""

    seed: int
    seen: datetime | None
    """The liveness stamp."""
    runs: dict[str, Run]
    results: list[Result]
    dead: set[tuple[str, str, datetime, str]]
    """Job, home, occasion and subject that was given up."""
    journal: list[tuple[str, str, str, str, int, str]]
    """What was really done: begun or done, run, job, home, occasion in ms, subject."""
    trouble: str
    """What SQLite says of the file."""

    @classmethod
    def read(cls, folder: Path, seed: int) -> "Account | None":
        """Return what there is; None before the first tables."""
        copy = folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for path in folder.glob("nightshift.db*"):
            shutil.copy(path, copy)
        # A line is one write, but of the last one a kill could leave a part.
        whole = (folder / "journal").read_text().split("\n")[:-1] if (folder / "journal").exists() else []
        with closing(sqlite3.connect(copy / "nightshift.db")) as db:
            db.row_factory = sqlite3.Row
            trouble = db.execute("PRAGMA quick_check").fetchone()[0]
            tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not {"liveness", "job_retry"} <= tables:
                return None
            stamp = db.execute("SELECT seen_at FROM liveness").fetchone()
            runs = {row["run_id"]: run_of(row) for row in db.execute("SELECT * FROM job_run ORDER BY rowid")}
            results = [
                Result(runs[row[0]], row[1], row[2] == "successful", from_ms(row[3]))
                for row in db.execute("SELECT run_id, subject_id, status, completed_at FROM job_subject")
            ]
            dead = {
                (row[0], row[1], from_ms(row[2]), row[3])
                for row in db.execute(
                    "SELECT job, home, occasion, subject_id FROM job_retry WHERE next_retry_at IS NULL"
                )
            }
        seen = from_ms(stamp[0]) if stamp is not None else None
        return cls(seed, seen, runs, results, dead, [tuple(json.loads(line)) for line in whole], trouble)

    @cached_property
    def duties(self) -> list[Duty]:
        return duties(Week(Path("/"), self.seed, silent=True).specs())

    @cached_property
    def done(self) -> Counter[tuple[str, str]]:
        """How often each run did its work, by run and subject."""
        return Counter((line[1], line[5]) for line in self.journal if line[0] == "done")

    def of(self, duty: Duty) -> list[Run]:
        """Return its runs in the order in which they were written down."""
        return [run for run in self.runs.values() if (run.job, run.home) == (duty.spec.name, duty.home)]

    def now_wrong(self) -> Iterator[str]:
        """Yield what must hold after any kill, and does not."""
        if self.trouble != "ok":
            yield f"the database: {self.trouble}"
        for duty in self.duties:
            yield from self._lost(duty)
            yield from self._doubled(duty)
            yield from self._waits_wrongly(duty)
        yield from self._not_as_told()

    def in_the_end_wrong(self, starts: Sequence[datetime]) -> Iterator[str]:
        """Yield what must hold when all has come to its end, and does not; `starts` are the processes'."""
        yield from self.now_wrong()
        for duty in self.duties:
            runs = [run for run in self.of(duty) if run.occasion is not None and run.occasion <= ENDS]
            for run in runs:
                if run.status in _WAITS:
                    yield f"{told(run)} for ever"
                elif run.cut_off and run.completed_at not in starts:
                    yield f"{told(run)}, but no process was killed"
                elif run.status is RunStatus.SKIPPED:
                    yield from self._skipped_wrongly(duty, run)
            if duty.spec.subjects is None:
                yield from self._not_completed(duty, starts)
            else:
                yield from self._subjects_left(duty, starts)

    def _lost(self, duty: Duty) -> Iterator[str]:
        """Each instant until the stamp has a row: a start does not look further back."""
        rows = Counter(run.scheduled_for for run in self.of(duty) if run.scheduled_for is not None)
        seen = self.seen or BEGINS
        asked = duty.when(duty.spec.schedule).between(BEGINS, max([seen, *rows]), _ALL)
        for instant in asked:
            if instant <= seen and rows[instant] != 1:
                yield f"{duty.key} has {rows[instant]} rows for {instant}"
        for instant in rows.keys() - set(asked):
            yield f"{duty.key} was never due at {instant}"

    def _doubled(self, duty: Duty) -> Iterator[str]:
        runs = self.of(duty)
        whole = Counter(
            run.occasion for run in runs if run.status in _WELL and not run.details.get("retries")
        )
        yield from (f"{duty.key} was completed {n} times for {at}" for at, n in whole.items() if n > 1)
        going = [run for run in runs if run.status is RunStatus.RUNNING]
        if len(going) > 1:
            yield f"{duty.key} runs {len(going)} times at once"
        if duty.spec.restarts == 0:
            begun = Counter(
                line[4]
                for line in self.journal
                if line[0] == "begun" and line[2:4] == (duty.spec.name, duty.home)
            )
            yield from (
                f"{duty.key} was begun {n} times for {from_ms(at)}" for at, n in begun.items() if n > 1
            )

    def _waits_wrongly(self, duty: Duty) -> Iterator[str]:
        waiting = [run for run in self.of(duty) if run.status is RunStatus.PENDING]
        several = duty.spec.catch_up is CatchUp.ALL or len(duty.place.people) > 1
        if len(waiting) > 1 and not several:
            yield f"{duty.key} has {len(waiting)} that wait"

    def _not_as_told(self) -> Iterator[str]:
        """What the ledger says was done was done once, and what was done the ledger says."""
        for (run_id, subject), times in self.done.items():
            run = self.runs.get(run_id)
            if run is None or times > 1:
                yield f"run {run_id} {subject} did its work {times} times and is {run and run.status}"
            elif not subject and run.status not in _DID_IT:
                yield f"{told(run)} did its work"
        whole = {duty.spec.name for duty in self.duties if duty.spec.subjects is None}
        for run in self.runs.values():
            if run.job in whole and run.status is RunStatus.COMPLETED and not self.done[(run.run_id, "")]:
                yield f"{told(run)} did nothing"
        well = Counter(
            (one.run.job, one.run.home, one.run.occasion, one.subject) for one in self.results if one.well
        )
        yield from (f"{which} succeeded {n} times" for which, n in well.items() if n > 1)
        for one in self.results:
            if one.well and not self.done[(one.run.run_id, one.subject)]:
                yield f"{told(one.run)}: nothing was done for {one.subject}"

    def _skipped_wrongly(self, duty: Duty, run: Run) -> Iterator[str]:
        because, spec = run.details.get("because"), duty.spec
        decided, due = run.created_at or run.started_at, run.scheduled_for or run.started_at
        others = [one for one in self.of(duty) if one.run_id != run.run_id]
        if spec.catch_up is CatchUp.ALL and because == "missed":
            yield f"{told(run)}, though each is to be made up for"
        elif because == "missed":
            if decided - due <= spec.grace and not any(
                one.scheduled_for is not None and one.scheduled_for > due and one.created_at == decided
                for one in others
            ):
                yield f"{told(run)} was only {decided - due} late"
            made_up = any(one.scheduled_for is not None and one.scheduled_for > due for one in others)
            if spec.catch_up is CatchUp.ONCE and not made_up:
                yield f"{told(run)}: nothing made up for it"
        elif because == "overlap":
            if not any(one.started_at <= decided <= (one.completed_at or decided) for one in others):
                yield f"{told(run)}, but nothing was in its way at {decided}"
        else:
            yield f"{told(run)} because {because}"

    def _not_completed(self, duty: Duty, starts: Sequence[datetime]) -> Iterator[str]:
        """Each occasion was completed, or the last of its tries says why not, and that is so."""
        runs = [run for run in self.of(duty) if run.status is not RunStatus.SKIPPED]
        last = {run.occasion: run for run in sorted(runs, key=lambda run: run.attempt)}
        for occasion, run in last.items():
            if occasion is None or occasion > ENDS or run.status is RunStatus.COMPLETED:
                continue
            ended = run.completed_at or run.started_at
            after = [one for one in runs if one.started_at >= ended]
            newer = [one for one in after if one.occasion is not None and one.occasion > occasion]
            then = min((one.started_at for one in newer), default=ended)
            if run.details.get("replaced") or (run.cut_off and duty.spec.restarts == 0):
                continue
            if duty.spec.catch_up is CatchUp.ALL or not newer:
                yield f"{told(run)} and was never tried again"
            elif not any(ended <= start <= then for start in starts):
                yield f"{told(run)}, nothing was killed, and it was not tried again until {then}"

    def _subjects_left(self, duty: Duty, starts: Sequence[datetime]) -> Iterator[str]:
        """Each subject of each occasion succeeded, was given up, or a newer occasion took its place.

        None does where each is to be done: it was then tried as often as one is before it is given up.
        """
        mine = [one for one in self.results if (one.run.job, one.run.home) == (duty.spec.name, duty.home)]
        by: dict[tuple[datetime, str], list[Result]] = defaultdict(list)
        for one in sorted(mine, key=lambda one: one.completed_at):
            by[(one.run.occasion or BEGINS, one.subject)].append(one)
        for (occasion, subject), found in by.items():
            if occasion > ENDS or any(one.well for one in found):
                continue
            which = f"{duty.key} {subject} of {occasion}"
            newer = [
                one for (at, who), there in by.items() for one in there if at > occasion and who == subject
            ]
            each = duty.spec.catch_up is CatchUp.ALL
            tries = len(found) + self._cut_off(duty, occasion, found[0].completed_at)
            if each and tries <= duty.spec.subject_attempts:
                yield f"{which} was tried {tries} times at most, and never again"
            elif not each and not cursed(self.seed, duty.spec.name, occasion, subject):
                ended = found[-1].completed_at
                then = min((one.completed_at for one in newer), default=ended)
                if not any(ended <= start <= then for start in starts):
                    yield f"{which} failed {len(found)} times and was not tried again"
            elif not newer and (duty.spec.name, duty.home, occasion, subject) not in self.dead:
                yield f"{which} failed {len(found)} times and was not given up"
        for run in self.of(duty):
            if run.scheduled_for is not None:
                yield from self._left_out(duty, run.scheduled_for, run, by)

    def _cut_off(self, duty: Duty, occasion: datetime, since: datetime) -> int:
        """Return how many runs for that occasion were cut off: in each a try may have been counted."""
        runs = [run for run in self.of(duty) if run.occasion == occasion and run.started_at >= since]
        return sum(run.status is RunStatus.INTERRUPTED for run in runs)

    def _left_out(
        self, duty: Duty, occasion: datetime, run: Run, by: dict[tuple[datetime, str], list[Result]]
    ) -> Iterator[str]:
        """A run that came to its end left no subject out."""
        if occasion > ENDS or run.status is RunStatus.SKIPPED:
            return
        tries = [one for one in self.of(duty) if one.occasion == occasion and not one.details.get("retries")]
        if not any(one.status in {*_WELL, RunStatus.FAILED} for one in tries):
            if duty.spec.catch_up is CatchUp.ALL:
                yield f"{told(run)} and its tries came to no end"
            return
        there = {who for at, who in by if at == occasion}
        wanted = set(run.details.get("people", ())) or {who for _at, who in by}
        for subject in wanted - there:
            yield f"{told(run)}: {subject} was left out"


def told(run: Run) -> str:
    trigger = "" if run.trigger is Trigger.SCHEDULE else f" ({run.trigger})"
    return (
        f"{run.job} {run.home} of {run.occasion}{trigger}: try {run.attempt}, {run.run_id}, is {run.status}"
    )
