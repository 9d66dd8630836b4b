"""Where the pure, heavy part of a job runs: a worker process of low priority that ends after one call."""

import asyncio
import json
import logging
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import app.errors
from app.clock import Clock
from app.errors import NightshiftError
from app.jobs.text import one_line

ProgressCall = Callable[[str, int, int], None]
"""Called with step, done, total; a total of 0 means that it is not known."""

OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024
_LOG_LINES = 200
_FUNCTION = re.compile(r"[a-z_]\w*(\.[a-z_]\w*)+:[a-z_]\w*")
# No token of ours reaches the worker: it needs none.
_HANDED_ON = re.compile(r"PATH|HOME|LANG|LC_\w+|TZ|TMPDIR|VIRTUAL_ENV|LD_LIBRARY_PATH|PYTHON\w+")
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
_log = logging.getLogger(__name__)


class WorkerError(NightshiftError):
    """The worker did not come to its end: it failed unexpectedly, was killed, or had no memory left."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """What a call gave: its bytes, how long it took, and the worker's largest resident memory."""

    output: bytes
    seconds: float
    peak_mib: float


class Engine(Protocol):
    """Runs a function of ours on bytes, elsewhere: in a process, or one day on a fleet."""

    async def call(
        self, function: str, payload: AsyncIterator[bytes] | bytes, progress: ProgressCall
    ) -> CallResult:
        """Run `module:function` on `payload` and return what it returns.

        The function is `f(payload: BinaryIO, progress: Callable[[str, int, int], None]) -> bytes`, of a
        module under `app.`. A NightshiftError raised in it arrives as the same family with the same message,
        anything else as a WorkerError of one line. Cancelling the call ends the work.
        """


class EmbeddedEngine:
    """A process on this machine, `workers` at a time: nice 19, one thread, gone when the call is over.

    It dies with this process, however this one ends. Only functions of the package `under` may be named.
    """

    def __init__(self, clock: Clock, *, workers: int = 1, under: str = "app") -> None:
        self._clock = clock
        self._places = asyncio.Semaphore(workers)
        self._under = under

    async def call(
        self, function: str, payload: AsyncIterator[bytes] | bytes, progress: ProgressCall
    ) -> CallResult:
        if not _FUNCTION.fullmatch(function) or not function.startswith(f"{self._under}."):
            raise ValueError(f"{function!r} is no module:function under {self._under}")
        async with self._places:
            began = self._clock.monotonic()
            output, peak_mib = await _run(function, payload, progress)
            return CallResult(output, self._clock.monotonic() - began, peak_mib)


@dataclass(slots=True)
class _Said:
    """What the worker said on its channel besides progress."""

    peak_mib: float | None = None
    error: dict[str, Any] = field(default_factory=dict)


async def _run(
    function: str, payload: AsyncIterator[bytes] | bytes, progress: ProgressCall
) -> tuple[bytes, float]:
    ours, theirs = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "app.jobs.worker", function, str(theirs), str(os.getpid())),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            pass_fds=(theirs,),
            env=_environment(),
            start_new_session=True,  # Ctrl-C in a terminal is for us; we end the worker
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    said = _Said()
    tasks = [
        asyncio.create_task(work)
        for work in (
            _collect(process),
            _listen(ours, said, progress),
            _feed(process, payload),
            _relay(process, function),
        )
    ]
    try:
        output, *_ = await asyncio.gather(*tasks)
        await process.wait()
    finally:
        await _end(process, tasks)
    _raise_if_failed(function, process.returncode or 0, said)
    return output or b"", said.peak_mib or 0.0


async def _feed(process: Process, payload: AsyncIterator[bytes] | bytes) -> None:
    stdin = process.stdin
    assert stdin is not None  # noqa: S101 - PIPE was asked for
    try:
        async for chunk in _chunks(payload):
            stdin.write(chunk)
            await stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass  # It needs no more, or it is gone: how it ends says which.
    finally:
        stdin.close()
        # Shielded: cancelling this wait would cancel asyncio's own future, which then trips over it.
        await asyncio.shield(_closed(stdin))


async def _closed(stdin: asyncio.StreamWriter) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):
        await stdin.wait_closed()


async def _chunks(payload: AsyncIterator[bytes] | bytes) -> AsyncIterator[bytes]:
    if isinstance(payload, bytes):
        for start in range(0, len(payload), _CHUNK_BYTES):
            yield payload[start : start + _CHUNK_BYTES]
    else:
        async for chunk in payload:
            yield chunk


async def _collect(process: Process) -> bytes:
    assert process.stdout is not None  # noqa: S101 - PIPE was asked for
    output = bytearray()
    while chunk := await process.stdout.read(_CHUNK_BYTES):
        output += chunk
        if len(output) > OUTPUT_LIMIT_BYTES:
            raise WorkerError(f"The worker's answer is larger than {OUTPUT_LIMIT_BYTES // 2**20} MiB")
    return bytes(output)


async def _listen(channel: int, said: _Said, progress: ProgressCall) -> None:
    """Read the worker's own lines: `{"progress": [step, done, total]}`, `{"error": …}`, `{"peak_mib": …}`."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(channel, "rb", 0)
    )
    try:
        while line := await reader.readline():
            message = json.loads(line)
            if "progress" in message:
                step, done, total = message["progress"]
                progress(str(step), int(done), int(total))
            said.error = message.get("error", said.error)
            said.peak_mib = message.get("peak_mib", said.peak_mib)
    finally:
        transport.close()


async def _relay(process: Process, function: str) -> None:
    """Put what the worker prints into our log: whole lines, so many and no more."""
    assert process.stderr is not None  # noqa: S101 - PIPE was asked for
    lines, rest = 0, b""
    while chunk := await process.stderr.read(8192):
        *whole, rest = (rest + chunk).split(b"\n")
        rest = rest[-8192:]
        for line in whole:
            lines += 1
            if lines <= _LOG_LINES:
                _log.warning("%s: %s", function, _printable(line))
    if rest and lines < _LOG_LINES:
        _log.warning("%s: %s", function, _printable(rest))
    if lines > _LOG_LINES:
        _log.warning("%s: … and %d more lines", function, lines - _LOG_LINES)


def _printable(line: bytes) -> str:
    text = line.decode(errors="replace").rstrip()
    indent = len(text) - len(text.lstrip())
    return " " * min(indent, 40) + one_line(text, 1000)


async def _end(process: Process, tasks: list[asyncio.Task[Any]]) -> None:
    """Leave no process, no zombie and no open pipe, cancelled or not."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    for task in tasks:
        task.cancel()
    ending = asyncio.ensure_future(_drain(process, tasks))
    while not ending.done():
        # A second cancellation must not leave a zombie: a killed process is reaped within moments.
        with suppress(asyncio.CancelledError):
            await asyncio.shield(ending)


async def _drain(process: Process, tasks: list[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
    for pipe in (process.stdout, process.stderr):
        # A pipe with something left in it stays open, and asyncio's wait() then never comes back.
        while pipe is not None and await pipe.read(_CHUNK_BYTES):
            pass
    await process.wait()


def _raise_if_failed(function: str, code: int, said: _Said) -> None:
    if said.error:
        message = one_line(str(said.error.get("message", "")))
        for family in said.error.get("families", ()):
            kind = getattr(app.errors, str(family), None)
            if isinstance(kind, type) and issubclass(kind, NightshiftError):
                raise kind(message)
        raise WorkerError(message)
    if code == -signal.SIGKILL:
        raise WorkerError(
            f"{function} was killed, most likely because the machine ran out of memory; "
            "give it more, or take fewer days at a time"
        )
    if code or said.peak_mib is None:
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        raise WorkerError(f"{function} ended without an answer ({how}); what it printed is in the log")


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if _HANDED_ON.fullmatch(name)}
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (root, kept.get("PYTHONPATH"))))
    return {**kept, **_ONE_THREAD, "PYTHONPATH": path, "PYTHONFAULTHANDLER": "1"}
