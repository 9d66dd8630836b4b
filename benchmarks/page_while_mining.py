"""How fast the page answers while a night is mined, against the same page at rest, in one run.

`python benchmarks/page_while_mining.py [--days 120]` starts the demo, waits until its first night is over,
then asks for /health and the page again and again: at rest, and while another night runs. Prints a table.
"""

import argparse
import asyncio
import os
import statistics
import sys
import time
from typing import Any

import aiohttp

from tests.process import PROOF, free_port

_PAUSE = 0.02


async def main(days: int) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", "demo", "--days", str(days),
        env=os.environ | {"NIGHTSHIFT_PORT": str(port)}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    async for line in process.stdout:
        if b"Its page" in line:
            break
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        rest = {path: await _asked(http, path, seconds=5) for path in ("/health", "/")}
        busy = {path: await _while_running(http, path) for path in ("/health", "/")}
        runs: list[dict[str, Any]] = await (await http.get("/api/runs")).json()
    process.terminate()
    await process.communicate()
    print(f"{runs[0]['counts']['events']:,} state changes, a night of {runs[0]['duration_seconds']:.1f} s\n")
    print("| asked for | when | answers | median ms | 99 % ms | worst ms |")
    print("|---|---|---|---|---|---|")
    for path in ("/health", "/"):
        for when, times in (("at rest", rest[path]), ("while mining", busy[path])):
            median, high = statistics.median(times), statistics.quantiles(times, n=100)[98]
            print(f"| `{path}` | {when} | {len(times)} | {median:.1f} | {high:.1f} | {max(times):.1f} |")


async def _while_running(http: aiohttp.ClientSession, path: str) -> list[float]:
    """Ask until a night that is started here has ended."""
    async with http.post("/api/analyze/trigger", headers=PROOF) as reply:
        assert reply.status == 202, await reply.text()
    times: list[float] = []
    while True:
        times += await _asked(http, path, seconds=0.2)
        if not (await (await http.get("/api/analyze/status")).json())["is_running"]:
            return times


async def _asked(http: aiohttp.ClientSession, path: str, seconds: float) -> list[float]:
    """Return how long each answer took, in ms."""
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        async with http.get(path) as reply:
            await reply.read()
        times.append((time.perf_counter() - start) * 1000)
        await asyncio.sleep(_PAUSE)
    return times


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=120)
    asyncio.run(main(parser.parse_args().days))
