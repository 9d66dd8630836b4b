"""A whole Nightshift as its user runs it: a process of its own, spoken to over HTTP."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp

PROOF = {"X-Nightshift": "1"}
_STEP = 0.05


def free_port() -> int:
    """Return a port of loopback that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Process:
    """`python -m app serve` on a folder; `kill` is kill -9."""

    folder: Path
    variables: Mapping[str, str]
    port: int = field(default_factory=free_port)
    _process: asyncio.subprocess.Process | None = None
    _http: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> Self:
        """Start it and wait until it answers; what it logs goes to serve.log in its folder."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("NIGHTSHIFT_")
        }
        environment |= {
            "NIGHTSHIFT_DATA": str(self.folder),
            "NIGHTSHIFT_PORT": str(self.port),
            **self.variables,
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        log = await asyncio.to_thread((self.folder / "serve.log").open, "ab")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", "serve", env=environment, stdout=log, stderr=log
        )
        log.close()
        self._http = aiohttp.ClientSession()
        async with asyncio.timeout(60):
            while not await self._answers():
                if self._process.returncode is not None:
                    raise AssertionError(f"serve ended with {self._process.returncode}: {self.log()[-2000:]}")
                await asyncio.sleep(_STEP)
        return self

    async def _answers(self) -> bool:
        try:
            await self.get("/health")
        except (aiohttp.ClientError, OSError):
            return False
        return True

    def log(self) -> str:
        return (self.folder / "serve.log").read_text("utf-8", "replace")

    async def get(self, path: str) -> Any:
        assert self._http
        async with self._http.get(self.url + path) as reply:
            reply.raise_for_status()
            return json.loads(await reply.text())

    async def page(self) -> str:
        assert self._http
        async with self._http.get(self.url + "/") as reply:
            reply.raise_for_status()
            return await reply.text()

    async def post(self, path: str) -> tuple[int, Any]:
        assert self._http
        async with self._http.post(self.url + path, headers=PROOF) as reply:
            return reply.status, json.loads(await reply.text())

    async def runs(self, job: str = "") -> list[dict[str, Any]]:
        """Return the runs, newest first, of one job or of all: some come round every five minutes."""
        answer = await self.get(f"/api/runs?job={job}" if job else "/api/runs")
        found: list[dict[str, Any]] = answer
        return found

    async def ended(self, run_id: str) -> dict[str, Any]:
        """Wait for the end of a run and return it."""
        while True:
            for run in await self.runs():
                if run["run_id"] == run_id and run["status"] != "running":
                    return run
            await asyncio.sleep(_STEP)

    async def in_the_middle(self, step: str) -> None:
        """Wait until the run that is going on has come to a step."""
        while True:
            status = await self.get("/api/analyze/status")
            if status["is_running"] and (status["progress"] or {}).get("step", "").startswith(step):
                return
            await asyncio.sleep(0.01)

    async def kill(self) -> None:
        await self._signal(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to stop (SIGTERM); return its exit code."""
        return await self._signal(signal.SIGTERM)

    async def _signal(self, number: signal.Signals) -> int:
        assert self._process
        if self._process.returncode is None:
            self._process.send_signal(number)
        code = await self._process.wait()
        if self._http:
            await self._http.close()
            self._http = None
        return code


@asynccontextmanager
async def serving(folder: Path, variables: Mapping[str, str]) -> AsyncIterator[Process]:
    """Lend a started Nightshift; it is killed at the end if it still lives."""
    process = await Process(folder, variables).start()
    try:
        yield process
    finally:
        await process.kill()
