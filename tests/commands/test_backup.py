"""A backup of a running Nightshift, as the Supervisor makes it: begun, copied, ended, restored."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.package.manifest import read_yaml
from tests.process import serving
from tests.store.hammer import copied, restored

pytestmark = pytest.mark.timeout(300)
NO_HUB = {"NIGHTSHIFT_HUB_URL": "http://127.0.0.1:9", "NIGHTSHIFT_HUB_TOKEN": "t", "NIGHTSHIFT_MQTT": "off"}


async def _backup(folder: Path, step: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTSHIFT_")}
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "app", "backup", step],
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
        env=kept | {"NIGHTSHIFT_DATA": str(folder)},
    )


def _runs(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return int(db.execute("SELECT count(*) FROM job_run").fetchone()[0])


def test_the_manifest_says_what_the_commands_are() -> None:
    manifest = read_yaml("config.yaml")
    assert manifest["backup_pre"] == "/opt/nightshift/run.sh backup begin"
    assert manifest["backup_post"] == "/opt/nightshift/run.sh backup end"
    assert manifest.get("backup", "hot") == "hot"


async def test_it_works_on_meanwhile_and_what_is_restored_starts(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with serving(folder, NO_HUB) as app:
        begun = await _backup(folder, "begin")
        assert (begun.returncode, begun.stderr) == (0, "")
        status, run = await app.post("/api/jobs/health_check/run")
        assert status == 202
        await app.ended(run["run_id"])
        await asyncio.to_thread(copied, folder, tmp_path / "backup.tar.gz")
        assert (await _backup(folder, "end")).returncode == 0
        assert await app.stop() == 0
    await asyncio.to_thread(restored, tmp_path / "backup.tar.gz", tmp_path / "back")
    assert await asyncio.to_thread(_runs, tmp_path / "back" / "nightshift.db") >= 1
    async with serving(tmp_path / "back", NO_HUB) as again:
        assert run["run_id"] in {one["run_id"] for one in await again.runs()}


async def test_a_stop_and_a_start_in_the_middle_of_a_backup_lose_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with serving(folder, NO_HUB) as app:
        assert (await _backup(folder, "begin")).returncode == 0
        _, run = await app.post("/api/jobs/health_check/run")
        await app.ended(run["run_id"])
        assert await app.stop() == 0
    async with serving(folder, NO_HUB) as app:
        assert run["run_id"] in {one["run_id"] for one in await app.runs()}
        await asyncio.to_thread(copied, folder, tmp_path / "backup.tar.gz")
        assert (await _backup(folder, "end")).returncode == 0
    await asyncio.to_thread(restored, tmp_path / "backup.tar.gz", tmp_path / "back")
    assert await asyncio.to_thread(_runs, tmp_path / "back" / "nightshift.db") >= 1
