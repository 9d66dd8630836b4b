"""The log lines of a run, kept with it: an ordinary logging handler that knows whose run it is in.

Which run is recorded is a context variable. Tasks and `asyncio.to_thread` copy the context in which they are
made, so that lines from them belong to the run, too, and lines of another run, or of none, never do.
"""

import asyncio
import json
import logging
import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field

from app.bus import Bus
from app.clock import Clock, from_ms, to_ms
from app.errors import StoreError
from app.jobs.announcements import LogLine, RunLogged
from app.jobs.run import Run
from app.jobs.text import one_line
from app.store.database import Store

FIRST_KEPT = 100
LAST_KEPT = 400
"""Of a run's lines the first 100 and the last 400 are kept: how it began, and how it came to its end."""
LINE_LIMIT = 500
TRACEBACK_LINES = 20
_ANNOUNCED_AT_ONCE = 50
_SAY_EVERY_SECONDS = 0.25
_WRITE_EVERY_SECONDS = 2.0
_LOGGER = "app"
_log = logging.getLogger(__name__)
_format = logging.Formatter().formatException


class RunLog:
    """Keeps the lines in `store` and announces them as RunLogged, a few times a second at most.

    What is recorded is what the logger `app` lets through: the level of the options holds here, too.
    """

    def __init__(self, store: Store, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._handler = _Handler(clock)
        self._recordings: dict[str, _Recording] = {}

    def start(self) -> None:
        """Begin to listen; twice is fine."""
        logging.getLogger(_LOGGER).addHandler(self._handler)

    def stop(self) -> None:
        """Listen no more, to no run. What is not written yet stays for `flush`."""
        logging.getLogger(_LOGGER).removeHandler(self._handler)
        for recording in self._recordings.values():
            recording.over = True
            if recording.keeper is not None:
                recording.keeper.cancel()

    @contextmanager
    def recording(self, run: Run, *, written: bool = True) -> Iterator[None]:
        """Record what is logged in this block, in tasks that it makes, and in their threads.

        Enter it in the event loop. A task that goes on after the block is recorded no more. Of a run that is
        not `written` (yet) the lines wait for `flush`, or `discard`.
        """
        recording = _Recording(run.run_id, run.job, asyncio.get_running_loop())
        if written:
            recording.keeper = asyncio.create_task(self._keep(recording), name=f"log of {run.job}")
        self._recordings[run.run_id] = recording
        token = _RECORDED.set(recording)
        try:
            yield
        finally:
            _RECORDED.reset(token)
            recording.over = True
            recording.logged.set()

    async def flush(self, run_id: str) -> None:
        """Announce and write what is not yet, of a run that is recorded or just was; never raises."""
        if (recording := self._recordings.get(run_id)) is not None:
            self._announce(recording)
            await self._write(recording)
            if recording.over:
                self._forget(recording)

    def discard(self, run_id: str) -> None:
        """Let go of the lines of a run that is not written down."""
        self._recordings.pop(run_id, None)

    async def lines(self, run_id: str, after: int = -1, limit: int = 500) -> list[LogLine]:
        """Return the lines with a greater number than `after`, oldest first, written or not yet.

        A gap in the numbers is what was left out between the first lines and the last.
        """
        recording = self._recordings.get(run_id)
        waiting = self._handler.waiting(recording) if recording is not None else []
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT number, at, level, text FROM job_log WHERE run_id = ? AND number > ? "
                "ORDER BY number LIMIT ?",
                (run_id, after, limit),
            )
        found = {line.number: line for line in waiting if line.number > after}
        for row in rows:
            found[row["number"]] = LogLine(row["number"], from_ms(row["at"]), row["level"], row["text"])
        return [found[number] for number in sorted(found)][:limit]

    async def _keep(self, recording: "_Recording") -> None:
        """Announce and write lines as they come, in a task of its own; while none come it does nothing."""
        written_at = self._clock.monotonic()
        while not recording.over:
            await recording.logged.wait()
            recording.logged.clear()
            self._announce(recording)
            if (wait := written_at + _WRITE_EVERY_SECONDS - self._clock.monotonic()) <= 0:
                written_at = self._clock.monotonic()
                await self._write(recording)
                wait = _SAY_EVERY_SECONDS
            elif recording.unwritten:
                recording.logged.set()
            if not recording.over:
                await self._clock.sleep(min(wait, _SAY_EVERY_SECONDS))
        await self.flush(recording.run_id)

    def _announce(self, recording: "_Recording") -> None:
        if lines := self._handler.unannounced(recording):
            self._bus.announce(RunLogged(recording.run_id, recording.job, lines))

    async def _write(self, recording: "_Recording") -> None:
        async with recording.writing:
            if not (lines := self._handler.waiting(recording)):
                return
            token = _RECORDED.set(None)  # what the writing itself logs is no part of the run
            try:
                await self._insert(recording.run_id, lines)
            except (StoreError, sqlite3.Error) as error:
                if not recording.troubled:
                    _log.warning("%s: its log is not written: %s", recording.job, error)
                recording.troubled = True
            else:
                self._handler.written(recording, lines[-1].number)
            finally:
                _RECORDED.reset(token)

    async def _insert(self, run_id: str, lines: list[LogLine]) -> None:
        rows = [
            {"number": line.number, "at": to_ms(line.at), "level": line.level, "text": line.text}
            for line in lines
        ]
        async with self._store.writing() as db:
            await db.execute(
                "INSERT INTO job_log (run_id, number, at, level, text) "
                "SELECT ?1, value ->> 'number', value ->> 'at', value ->> 'level', value ->> 'text' "
                "FROM json_each(?2) WHERE EXISTS (SELECT 1 FROM job_run WHERE run_id = ?1) "
                "ON CONFLICT (run_id, number) DO NOTHING",
                (run_id, json.dumps(rows)),
            )
            if (last := lines[-1].number) >= FIRST_KEPT + LAST_KEPT:
                await db.execute(
                    "DELETE FROM job_log WHERE run_id = ? AND number >= ? AND number <= ?",
                    (run_id, FIRST_KEPT, last - LAST_KEPT),
                )

    def _forget(self, recording: "_Recording") -> None:
        self._recordings.pop(recording.run_id, None)
        if recording.keeper is not None and recording.keeper is not asyncio.current_task():
            recording.keeper.cancel()


@dataclass(slots=True, eq=False)
class _Recording:
    """What is logged in one run and where it stands; lines are touched under the handler's lock alone."""

    run_id: str
    job: str
    loop: asyncio.AbstractEventLoop
    logged: asyncio.Event = field(default_factory=asyncio.Event)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    keeper: asyncio.Task[None] | None = None
    over: bool = False
    troubled: bool = False
    woken: bool = False
    count: int = 0
    first: deque[LogLine] = field(default_factory=deque)
    last: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LAST_KEPT))
    unsaid: deque[LogLine] = field(default_factory=lambda: deque(maxlen=_ANNOUNCED_AT_ONCE))

    @property
    def unwritten(self) -> bool:
        return bool(self.first or self.last)


_RECORDED: ContextVar[_Recording | None] = ContextVar("recorded", default=None)


class _Handler(logging.Handler):
    """Adds a record's lines to the recording it belongs to; whatever happens in it, who logs goes on."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._busy = False

    def handle(self, record: logging.LogRecord) -> bool:
        # Looked at before the lock is: while no run is recorded this is all that a line costs.
        recording = _RECORDED.get()
        if recording is None or recording.over or record.name == __name__:
            return False
        return super().handle(record)

    def emit(self, record: logging.LogRecord) -> None:
        recording = _RECORDED.get()
        # Something that logs while it is being written out as text comes back here, in the same thread.
        if recording is None or self._busy:
            return
        self._busy = True
        try:
            for text in _texts(record):
                self._add(recording, record.levelname, text)
        except Exception:  # noqa: BLE001, S110 - a record that cannot be told; the other handlers say so
            pass
        finally:
            self._busy = False

    def waiting(self, recording: _Recording) -> list[LogLine]:
        """Return the lines that are not written yet."""
        self.acquire()
        try:
            return [*recording.first, *recording.last]
        finally:
            self.release()

    def written(self, recording: _Recording, number: int) -> None:
        """Let go of the lines up to that one."""
        self.acquire()
        try:
            for lines in (recording.first, recording.last):
                while lines and lines[0].number <= number:
                    lines.popleft()
        finally:
            self.release()

    def unannounced(self, recording: _Recording) -> tuple[LogLine, ...]:
        """Return the newest lines that were not announced, and count them as announced."""
        self.acquire()
        try:
            lines = tuple(recording.unsaid)
            recording.unsaid.clear()
            recording.woken = False
            return lines
        finally:
            self.release()

    def _add(self, recording: _Recording, level: str, text: str) -> None:
        line = LogLine(recording.count, self._clock.now(), level[:20], text)
        (recording.first if recording.count < FIRST_KEPT else recording.last).append(line)
        recording.unsaid.append(line)
        recording.count += 1
        if not recording.woken:
            recording.woken = True
            with suppress(RuntimeError):  # the loop has ended: nobody listens any more
                recording.loop.call_soon_threadsafe(recording.logged.set)


def _texts(record: logging.LogRecord) -> Iterator[str]:
    """Yield the message in one line, then the end of the traceback, indented as it is."""
    yield one_line(record.getMessage(), LINE_LIMIT)
    if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
        record.exc_text = _format(record.exc_info)  # as logging does: formatted once for all handlers
    lines = (record.exc_text or "").splitlines()
    if len(lines) > TRACEBACK_LINES:
        yield f"… {len(lines) - TRACEBACK_LINES} lines of the traceback left out"
    for line in lines[-TRACEBACK_LINES:]:
        if told := one_line(line, LINE_LIMIT):
            yield " " * min(len(line) - len(line.lstrip()), 20) + told
