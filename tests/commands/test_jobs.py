"""`jobs` and `run` in this process, on a folder with a past."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.__main__ import main
from app.bus import Bus
from app.clock import SystemClock
from app.declared import JOBS
from app.hub.homes import Homes
from app.jobs.ledger import Ledger
from app.jobs.retry_queue import Origin, RetryQueue
from app.jobs.run import RunStatus, Trigger
from app.jobs.subject import Subject
from app.model import Home
from app.store.database import Store

HOME = Home(name="Canal House", time_zone="Australia/Lord_Howe")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in tuple(os.environ):
        if name.startswith(("NIGHTSHIFT_", "SUPERVISOR_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NIGHTSHIFT_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def _lived(folder: Path, live: Callable[[Store, Ledger], Awaitable[None]]) -> None:
    """Give the folder a home and a past."""

    async def lived() -> None:
        store = Store(folder / "nightshift.db", SystemClock())
        await store.open()
        await Homes(store, SystemClock()).save(HOME)
        await live(store, Ledger(store, SystemClock()))
        await store.close()

    asyncio.run(lived())


def _listed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["jobs", "--json"]) == 0
    return {job["job"]: job for job in json.loads(capsys.readouterr().out)}


def test_the_next_run_is_told_in_the_homes_own_zone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def nothing(_store: Store, _ledger: Ledger) -> None:
        await asyncio.sleep(0)

    _lived(folder, nothing)
    assert main(["jobs"]) == 0
    said = capsys.readouterr().out
    assert "Times are in Australia/Lord_Howe." in said
    assert "every day at 03:00" in said
    assert "not yet" in said
    analysis = _listed(capsys)["analysis"]
    local = datetime.fromisoformat(analysis["next_run"]).astimezone(HOME.zone)
    assert (local.hour, local.minute) == (3, 0)


def test_every_job_there_is_is_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert set(_listed(capsys)) == set(JOBS)
    assert list(folder.iterdir()) == []


def test_what_failed_is_told_with_when_it_is_tried_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=20)

    async def failed(_store: Store, ledger: Ledger) -> None:
        run = await ledger.claim("analysis", "home", Trigger.SCHEDULE, scheduled_for=datetime.now(UTC))
        assert run
        await ledger.finish(
            run.run_id, RunStatus.RETRYING, seconds=3, error_message="the hub is away", next_retry_at=again
        )

    _lived(folder, failed)
    analysis = _listed(capsys)["analysis"]
    assert analysis["last_run"]["status"] == "retrying"
    assert datetime.fromisoformat(analysis["tried_again_at"]) == again
    assert main(["jobs"]) == 0
    said = capsys.readouterr().out
    assert "retrying" in said
    assert "tried again" in said


def test_paused_off_and_given_up_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def lived(store: Store, ledger: Ledger) -> None:
        await ledger.set_paused("analysis", paused=True)
        await ledger.set_schedule("health_check", "off")
        queue = RetryQueue(store, SystemClock(), ledger.generation, Bus())
        origin = Origin("analysis", "home", "r", datetime.now(UTC))
        async with store.writing() as db:
            await queue.put(db, origin, Subject("a"), "no", max_retries=3, next_retry_at=datetime.now(UTC))
            await db.execute("UPDATE job_retry SET next_retry_at = NULL")

    _lived(folder, lived)
    jobs = _listed(capsys)
    assert (jobs["analysis"]["paused"], jobs["analysis"]["next_run"]) == (True, None)
    assert (jobs["analysis"]["given_up"], jobs["analysis"]["retries_waiting"]) == (1, 0)
    assert (jobs["health_check"]["off"], jobs["health_check"]["next_run"]) == (True, None)
    assert main(["jobs"]) == 0
    said = capsys.readouterr().out
    assert "paused" in said
    assert "never by itself" in said
    assert "1 given up" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "analysis", "--date", "yesterday"], "--date 'yesterday': give a day such as 2026-01-31"),
        (
            ["run", "dishes"],
            f"there is no job 'dishes'; there are: {', '.join(JOBS)}",
        ),
    ],
)
def test_what_cannot_be_run_is_said_before_anything_is_opened(
    folder: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err == f"nightshift: {said}\n"
    assert not list(folder.iterdir())


def _started(folder: Path, *words: str, output: Any = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    hub = {"NIGHTSHIFT_HUB_URL": "http://127.0.0.1:9", "NIGHTSHIFT_HUB_TOKEN": "t", "NIGHTSHIFT_MQTT": "off"}
    return subprocess.run(
        [sys.executable, "-m", "app", *words],
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        timeout=55,
        check=False,
        env=os.environ | hub | {"NIGHTSHIFT_DATA": str(folder)},
    )


@pytest.mark.timeout(300)
def test_a_look_is_explained_with_what_it_wrote_to_its_log(folder: Path) -> None:
    done = _started(folder, "run", "health_check", "--explain")
    assert done.returncode == 0, done.stderr
    assert "Home Assistant:" in done.stdout
    assert "health_check completed" in done.stdout.splitlines()[-1]


@pytest.mark.timeout(300)
def test_a_home_that_is_not_there_is_refused(folder: Path) -> None:
    done = _started(folder, "run", "analysis", "--home", "elsewhere")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "nightshift: there is no home 'elsewhere'; there are: home"


@pytest.mark.parametrize("words", [["jobs"], ["jobs", "--json"]])
def test_output_that_has_no_room_is_one_line_and_no_trace(folder: Path, words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = _started(folder, *words, output=full)
    assert done.returncode == 1
    assert done.stderr == "nightshift: the output could not be written: there is no room left for it\n"


def test_output_that_nobody_reads_is_no_trace(folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        done = _started(folder, "jobs", "--json", output=pipe)
    assert done.stderr == ""
