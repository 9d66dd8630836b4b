"""APScheduler as the clock, and only that: it says when to look, the ledger says what is due.

It keeps its own SQLite file, so that its transactions never meet ours, and ticks in its own thread, so that
its synchronous SQLite never holds the event loop. Nothing in that file is worth keeping: it is derived from
the declarations, and rebuilt when it is damaged.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from apscheduler.executors.base import BaseExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_STOPPED
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from app.errors import StoreError
from app.jobs.due import When
from app.jobs.text import one_line
from app.jobs.trigger import CronSimTrigger

_log = logging.getLogger(__name__)
_LOOK_AT_LEAST_EVERY = 60.0
_AFTER_TROUBLE = 10.0
_LOOKS = "looks"
_WHOLE = 1
"""The file's `user_version` once all jobs are in it."""
_REFERENCE = "app.jobs.schedule:fire"
# APScheduler pickles these with each row: set again at each start, or new ones would not reach old rows.
_POLICY: Mapping[str, Any] = {"misfire_grace_time": 3600, "coalesce": True, "max_instances": 1}


def fire(job: str) -> None:
    """Be the one name that every stored row refers to; never renamed, never called.

    APScheduler deletes a row whose function it cannot import. What a job does is looked up by its name when
    it is due, and `_Handover` does that with the runner it was given: no global leads from here to there.
    """
    raise RuntimeError(f"{job}: the schedule hands a due job to the runner; nothing calls this")


@dataclass(frozen=True, slots=True)
class Stored:
    """What the file knew when it was opened: the schedules that were in force until now."""

    whens: Mapping[str, When]
    rebuilt: bool
    """Whether there was no (usable) file, or one that never had all jobs."""


class Schedule:
    """The clock over `path`. `on_due(job)` is called in the event loop when a job comes round."""

    def __init__(self, path: Path, on_due: Callable[[str], None]) -> None:
        self._path = path
        self._on_due = on_due
        self._scheduler: _Ticking | None = None
        self._engine: Engine | None = None

    async def open(self) -> Stored:
        """Open or rebuild the file; nothing fires before `run`. Raises StoreError when it cannot be used."""
        loop = asyncio.get_running_loop()

        def deliver(job: str) -> None:
            loop.call_soon_threadsafe(self._on_due, job)

        return await asyncio.to_thread(self._open, deliver)

    async def reconcile(
        self, whens: Mapping[str, When], paused: set[str], looks: AbstractSet[str] = frozenset()
    ) -> None:
        """Make the file say this: what is unchanged keeps its next run unwritten, what is paused stays so.

        `looks` are kept in memory: they come round every few minutes, and none is ever made up for.
        """
        await self._do(self._reconcile, whens, paused, looks)

    async def run(self) -> None:
        """Begin to tick: what is overdue fires at once."""
        await self._do(lambda: self._ticking().resume())

    def since_tick(self) -> float | None:
        """Return how many seconds ago the clock last looked (it does once a minute); None: it does not."""
        if self._scheduler is None or self._scheduler.ticked_at is None:
            return None
        return time.monotonic() - self._scheduler.ticked_at

    async def close(self) -> None:
        """Stop ticking; after this nothing fires. Closing twice is fine."""
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is not None and scheduler.running:
            await asyncio.to_thread(scheduler.shutdown, wait=False)
        if self._engine is not None:
            await asyncio.to_thread(self._engine.dispose)

    async def _do(self, work: Callable[..., None], *given: Any) -> None:
        try:
            await asyncio.to_thread(work, *given)
        except SQLAlchemyError as error:
            raise _unusable(self._path, error) from error

    def _ticking(self) -> "_Ticking":
        if self._scheduler is None:
            raise StoreError(f"{self._path}: the schedule is not open")
        return self._scheduler

    def _open(self, deliver: Callable[[str], None]) -> Stored:
        existed = _sound(self._path)
        self._engine = _connect(self._path)
        self._scheduler = _Ticking(
            timezone=UTC,
            jobstores={"default": SQLAlchemyJobStore(engine=self._engine), _LOOKS: MemoryJobStore()},
            executors={"default": _Handover(deliver)},
            job_defaults=dict(_POLICY),
        )
        try:
            self._scheduler.start(paused=True)
            jobs = self._scheduler.get_jobs()
            whole = self._whole()
        except SQLAlchemyError as error:
            raise _unusable(self._path, error) from error
        whens = {job.id: job.trigger.when for job in jobs if isinstance(job.trigger, CronSimTrigger)}
        return Stored(whens, rebuilt=not (existed and whole))

    def _reconcile(self, whens: Mapping[str, When], paused: set[str], looks: AbstractSet[str]) -> None:
        looked = {name: when for name, when in whens.items() if name in looks}
        kept = {name: when for name, when in whens.items() if name not in looks}
        self._reconcile_store("default", kept, paused)
        self._reconcile_store(_LOOKS, looked, paused)
        if not self._whole():
            self._call_whole()

    def _reconcile_store(self, store: str, whens: Mapping[str, When], paused: set[str]) -> None:
        scheduler = self._ticking()
        stored = {job.id: job for job in scheduler.get_jobs(store)}
        for name in stored.keys() - whens.keys():
            scheduler.remove_job(name, store)
        for name, when in whens.items():
            wanted = CronSimTrigger(when)
            now = datetime.now(UTC)  # APScheduler's own idea of now
            following = None if name in paused else wanted.get_next_fire_time(None, now)
            if (job := stored.get(name)) is None:
                scheduler.add_job(
                    fire,
                    wanted,
                    (name,),
                    id=name,
                    name=name,
                    next_run_time=following,
                    jobstore=store,
                    **_POLICY,
                )
                continue
            changes = {what: value for what, value in _POLICY.items() if getattr(job, what) != value}
            if job.func_ref != _REFERENCE:
                changes |= {"func": fire, "args": (name,), "kwargs": {}}
            if job.trigger != wanted:
                changes |= {"trigger": wanted, "next_run_time": following}
            elif (job.next_run_time is None) != (name in paused):
                changes["next_run_time"] = following
            if changes:
                scheduler.modify_job(name, store, **changes)

    def _whole(self) -> bool:
        """Return whether the file once had all jobs: who is killed while filling it leaves some of them out.

        Each is a transaction of its own, and a job that is not in the file counts as one that is new.
        """
        with self._connected() as connection:
            return bool(connection.exec_driver_sql("PRAGMA user_version").scalar())

    def _call_whole(self) -> None:
        with self._connected() as connection:
            connection.exec_driver_sql(f"PRAGMA user_version = {_WHOLE}")
            connection.commit()

    def _connected(self) -> Connection:
        if self._engine is None:
            raise StoreError(f"{self._path}: the schedule is not open")
        return self._engine.connect()


class _Ticking(BackgroundScheduler):  # type: ignore[misc] # APScheduler ships no types
    """APScheduler's loop: an exception would end it for good, and it would sleep through a set clock."""

    _troubled = False
    ticked_at: float | None = None

    def _process_jobs(self) -> float:
        if self.state == STATE_STOPPED:
            # APScheduler ticks once more after its shutdown, on a file that it has closed.
            return 0.0
        try:
            wait = super()._process_jobs()
        except Exception as error:  # noqa: BLE001 - whatever it was, without a next tick no job runs again
            if not self._troubled:
                _log.exception(
                    "The schedule's tick failed (%s); it is tried again", one_line(str(error), 300)
                )
            self._troubled = True
            return _AFTER_TROUBLE
        self._troubled = False
        self.ticked_at = time.monotonic()
        return _LOOK_AT_LEAST_EVERY if wait is None else min(float(wait), _LOOK_AT_LEAST_EVERY)


class _Handover(BaseExecutor):  # type: ignore[misc] # APScheduler ships no types
    """Hands a due job to the runner. Overlap, lateness and missed runs are decided there, from the ledger."""

    def __init__(self, deliver: Callable[[str], None]) -> None:
        super().__init__()
        self._deliver = deliver

    def submit_job(self, job: Any, run_times: list[datetime]) -> None:
        self._do_submit_job(job, run_times)

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:  # noqa: ARG002 - APScheduler's signature
        self._deliver(job.id)


def _sound(path: Path) -> bool:
    """Return whether there is a file worth opening; a damaged one is moved aside."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            return False
        with closing(sqlite3.connect(path, timeout=5.0)) as db:
            said = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if "apscheduler_jobs" in tables:
                db.execute("SELECT id, next_run_time, job_state FROM apscheduler_jobs LIMIT 1")
        if said == "ok":
            return True
        trouble = str(said)
    except sqlite3.DatabaseError as error:
        if "no such column" not in str(error) and isinstance(error, sqlite3.OperationalError):
            raise _unusable(path, error) from error
        trouble = str(error)
    except OSError as error:
        raise _unusable(path, error) from error
    aside = path.with_name(path.name + ".damaged")
    for ending in ("", "-wal", "-shm"):
        if (part := path.with_name(path.name + ending)).exists():
            part.replace(aside.with_name(aside.name + ending))
    _log.warning(
        "%s was damaged (%s): moved aside to %s and rebuilt from the jobs; no run is lost by it",
        path,
        one_line(trouble, 300),
        aside.name,
    )
    return False


def _connect(path: Path) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": 5.0})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def _unusable(path: Path, error: Exception) -> StoreError:
    why = one_line(str(getattr(error, "orig", None) or error), 300)
    return StoreError(
        f"{path}: the schedule's file cannot be used ({why}); check the disk and the folder's rights"
    )
