import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.errors import InputError, StoreError
from app.jobs.engine import EmbeddedEngine, WorkerError
from tests.jobs.crew import until

HERE = "tests.jobs.crew"


@pytest.fixture
def engine() -> EmbeddedEngine:
    return EmbeddedEngine(SystemClock(), under="tests")


def silent(step: str, done: int, total: int) -> None:
    pass


async def test_a_call_streams_its_payload_and_tells_progress_time_and_memory(engine: EmbeddedEngine) -> None:
    async def payload() -> AsyncIterator[bytes]:
        for letter in b"abc":
            yield bytes([letter]) * 300_000

    heard: list[tuple[str, int, int]] = []
    result = await engine.call(f"{HERE}:reverse", payload(), lambda *said: heard.append(said))
    assert result.output == b"c" * 300_000 + b"b" * 300_000 + b"a" * 300_000
    assert heard == [("reversing", 0, 1), ("reversing", 1, 1)]
    assert 0 < result.seconds < 10
    assert 5 < result.peak_mib < 200


async def test_what_a_function_prints_goes_to_the_log(
    engine: EmbeddedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    await engine.call(f"{HERE}:reverse", b"", silent)
    assert "printed by the function" in caplog.text


async def test_the_peak_is_the_workers_own_and_not_that_of_a_large_parent(engine: EmbeddedEngine) -> None:
    ballast = bytearray(os.urandom(1024)) * (300 * 1024)
    result = await engine.call(f"{HERE}:reverse", b"x", silent)
    assert result.peak_mib < 150, len(ballast)


async def test_a_worker_is_nice_has_one_thread_and_no_token(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPERVISOR_TOKEN", "secret")
    assert (await engine.call(f"{HERE}:told", b"", silent)).output == b"19 1 False"


async def test_our_own_errors_keep_their_family_and_text(engine: EmbeddedEngine) -> None:
    with pytest.raises(InputError, match=r"^line 7: no time in it$"):
        await engine.call(f"{HERE}:refuse", b"x" * 5_000_000, silent)


async def test_an_unexpected_error_is_one_line_and_its_traceback_is_in_the_log(
    engine: EmbeddedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(WorkerError, match=r"^unexpected: KeyError: 'light.kitchen'$"):
        await engine.call(f"{HERE}:stumble", b"", silent)
    assert "Traceback" in caplog.text


async def test_a_function_that_does_not_exist_is_one_line(engine: EmbeddedEngine) -> None:
    with pytest.raises(WorkerError, match="nothing_like_it"):
        await engine.call(f"{HERE}:nothing_like_it", b"", silent)


async def test_a_killed_worker_says_that_memory_was_the_likely_reason(engine: EmbeddedEngine) -> None:
    with pytest.raises(WorkerError, match="was killed, most likely because the machine ran out of memory"):
        await engine.call(f"{HERE}:kill_itself", b"", silent)


async def test_a_worker_that_leaves_without_an_answer_is_an_error(engine: EmbeddedEngine) -> None:
    with pytest.raises(WorkerError, match="ended without an answer"):
        await engine.call(f"{HERE}:leave", b"", silent)


async def test_an_answer_beyond_the_bound_is_an_error_and_progress_is_thinned_out(
    engine: EmbeddedEngine,
) -> None:
    heard: list[int] = []
    with pytest.raises(WorkerError, match="larger than 64 MiB"):
        await engine.call(f"{HERE}:flood", b"", lambda _step, done, _total: heard.append(done))
    assert len(heard) < 100


async def test_a_cancelled_call_leaves_no_process_and_no_zombie(engine: EmbeddedEngine) -> None:
    steps: list[str] = []
    call = asyncio.create_task(
        engine.call(f"{HERE}:hang", b"", lambda step, _done, _total: steps.append(step))
    )
    await until(lambda: steps)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not _lives(int(steps[0].split()[1]))


async def test_a_call_that_is_cancelled_while_it_is_still_fed_ends_without_a_noise(
    engine: EmbeddedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    steps: list[str] = []
    call = asyncio.create_task(
        engine.call(f"{HERE}:hang", bytes(20_000_000), lambda step, _done, _total: steps.append(step))
    )
    await until(lambda: steps)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.sleep(0)
    assert not _lives(int(steps[0].split()[1]))
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


async def test_a_payload_that_fails_ends_the_worker_with_its_own_error(engine: EmbeddedEngine) -> None:
    async def payload() -> AsyncIterator[bytes]:
        yield b"x"
        raise StoreError("the archive is damaged")

    with pytest.raises(StoreError, match="the archive is damaged"):
        await engine.call(f"{HERE}:reverse", payload(), silent)


@pytest.mark.parametrize(
    "function", ["os:system", "app.jobs", "app.jobs:a b", "app:x", "tests_elsewhere.a:b"]
)
async def test_only_functions_of_ours_can_be_named(function: str) -> None:
    with pytest.raises(ValueError, match="no module:function under app"):
        await EmbeddedEngine(SystemClock()).call(function, b"", silent)


PARENT = """
import asyncio
from app.clock import SystemClock
from app.jobs.engine import EmbeddedEngine
engine = EmbeddedEngine(SystemClock(), under="tests")
say = lambda step, done, total: print(step, flush=True)
asyncio.run(engine.call("tests.jobs.crew:hang", b"", say))
"""


async def test_a_parent_that_is_killed_leaves_no_orphan() -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    worker = int((await parent.stdout.readline()).split()[1])
    parent.kill()
    await parent.wait()
    await until(lambda: not _lives(worker))


def _lives(pid: int) -> bool:
    try:
        # A zombie that nobody reaps (no init in a test's container) is dead enough.
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_one_worker_at_a_time_by_default(engine: EmbeddedEngine) -> None:
    steps: list[str] = []

    def say(step: str, _done: int, _total: int) -> None:
        steps.append(step)

    calls = [asyncio.create_task(engine.call(f"{HERE}:hang", b"", say)) for _ in range(2)]
    await until(lambda: steps)
    calls[0].cancel()
    await asyncio.gather(calls[0], return_exceptions=True)
    assert len(steps) == 1
    await until(lambda: len(steps) == 2)
    calls[1].cancel()
    await asyncio.gather(calls[1], return_exceptions=True)
