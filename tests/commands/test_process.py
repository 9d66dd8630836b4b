"""The commands as people start them: processes of their own."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.declared import JOBS
from tests.process import Process, free_port

pytestmark = pytest.mark.timeout(300)
NO_HUB = {"NIGHTSHIFT_HUB_URL": "http://127.0.0.1:9", "NIGHTSHIFT_HUB_TOKEN": "t"}


def _said(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("NIGHTSHIFT_", "SUPERVISOR_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "app", *words],
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
        env=kept | {"NIGHTSHIFT_DATA": str(folder), **variables},
    )


def test_the_demo_finds_habits_and_says_that_it_is_one(tmp_path: Path) -> None:
    done = _said(tmp_path, "demo", "--once")
    assert done.returncode == 0, done.stderr
    assert "invented home" in done.stdout
    assert "On offer" in done.stdout
    assert "analysis completed" in done.stdout
    assert "Traceback" not in done.stderr
    assert "ERROR" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_jobs_lists_the_night_before_anything_ran(tmp_path: Path) -> None:
    done = _said(tmp_path / "none", "jobs")
    assert done.returncode == 0, done.stderr
    assert "analysis" in done.stdout
    assert "not yet" in done.stdout
    assert not (tmp_path / "none").exists()


def test_check_says_what_to_do_about_a_hub_that_is_not_there(tmp_path: Path) -> None:
    done = _said(tmp_path, "check")
    assert done.returncode == 1
    assert "wrong  hub: no hub is set up" in " ".join(done.stdout.split("\n")).replace("\n", " ")
    assert "off: templates word the suggestions" in done.stdout


def test_wrong_options_are_one_line_and_code_2(tmp_path: Path) -> None:
    (tmp_path / "options.json").write_text(json.dumps({"keep_days": 3, "analysis_schedule": "never"}))
    for command in (["serve"], ["jobs"], ["check"], ["run", "analysis"]):
        done = _said(tmp_path, *command)
        assert done.returncode == 2, command
        assert done.stderr.count("\n") == 1
        assert "keep_days" in done.stderr
        assert "analysis_schedule" in done.stderr


def test_serve_without_a_hub_says_where_to_begin(tmp_path: Path) -> None:
    done = _said(tmp_path, "serve")
    assert done.returncode == 2
    assert "./run.sh demo" in done.stderr


def test_the_page_is_not_opened_to_others_without_a_key(tmp_path: Path) -> None:
    done = _said(tmp_path, "serve", NIGHTSHIFT_HOST="192.0.2.1")
    assert done.returncode == 2
    assert "NIGHTSHIFT_API_KEY" in done.stderr


def test_an_unknown_job_is_answered_with_those_there_are(tmp_path: Path) -> None:
    done = _said(tmp_path / "none", "run", "dishes", **NO_HUB, NIGHTSHIFT_MQTT="off")
    assert done.returncode == 2
    assert done.stderr == f"nightshift: there is no job 'dishes'; there are: {', '.join(JOBS)}\n"
    assert not (tmp_path / "none").exists()


@asynccontextmanager
async def _listener() -> AsyncIterator[tuple[int, list[str]]]:
    """Lend a port in place of a broker's, and what has knocked there."""
    knocked: list[str] = []

    def knock(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        knocked.append("knock")
        writer.close()

    server = await asyncio.start_server(knock, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], knocked
    finally:
        server.close()


async def test_a_second_nightshift_leaves_the_broker_to_the_first(tmp_path: Path) -> None:
    """It has the first one's name there, and would drive it out and then say `offline` for it."""
    async with _listener() as (port, knocked):
        first = await Process(tmp_path, {**NO_HUB, "NIGHTSHIFT_MQTT": "off"}).start()
        broker = {"NIGHTSHIFT_MQTT_HOST": "127.0.0.1", "NIGHTSHIFT_MQTT_PORT": str(port)}
        for words in (["serve"], ["run", "analysis"]):
            done = await asyncio.to_thread(_said, tmp_path, *words, **NO_HUB, **broker)
            assert done.returncode == 1
            assert done.stderr.startswith("nightshift: ")
            assert "another Nightshift works in this folder" in done.stderr
            assert done.stderr.count("\n") == 1
        assert await first.stop() == 0
    assert knocked == []


async def test_a_port_that_is_taken_ends_the_start_before_anything_is_run_or_announced(
    tmp_path: Path,
) -> None:
    async with _listener() as (port, knocked):
        said = await asyncio.to_thread(
            _said, tmp_path, "serve", **NO_HUB, NIGHTSHIFT_PORT=str(port),
            NIGHTSHIFT_MQTT_HOST="127.0.0.1", NIGHTSHIFT_MQTT_PORT=str(port),
        )  # fmt: skip
    assert said.returncode == 2
    assert "NIGHTSHIFT_PORT" in said.stderr
    assert knocked == []
    assert not (tmp_path / "clock.db").exists()


async def test_the_demos_page_is_served_until_it_is_asked_to_stop(tmp_path: Path) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", "demo",
        env=os.environ | {"NIGHTSHIFT_PORT": str(port)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    async for line in process.stdout:
        if b"Its page" in line:
            break
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
    page = (await reader.read()).decode()
    writer.close()
    assert "invented demo home" in page
    process.terminate()
    _, errors = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in errors
