"""The image as the hub starts it: behind a Supervisor that passes everything on to a real Home Assistant."""

import asyncio
import json
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from yarl import URL

from app import __version__
from tests.image.builder import Image
from tests.image.container import APP, STRANGER, SUPERVISOR, Container
from tests.image.supervisor import PREFIX, Supervisor
from tests.package.manifest import read_yaml
from tests.real_hub.peer import RealHub

pytestmark = [pytest.mark.image, pytest.mark.hub]

_GRACE: Final[int] = read_yaml("config.yaml")["timeout"]
_OPTIONS: Final = {"analysis_schedule": "0 3 * * *", "log_level": "info"}
_FROM_THE_PAGE: Final = {"X-Nightshift": "1"}


@pytest.fixture
def container(
    root: Path, image: Image, hub_network: None, environment: dict[str, str], tmp_path: Path
) -> Iterator[Container]:
    """A container with the options that the hub would write, not started."""
    container = Container(root, environment, tmp_path / "log")
    _write_options(container, _OPTIONS)
    yield container
    container.kill()


def _write_options(container: Container, options: dict[str, Any]) -> None:
    path = container.root / "data/options.json"
    path.write_text(json.dumps(options))
    path.chmod(0o600)


@pytest.fixture
async def supervisor(hub_network: None, real_hub: RealHub) -> AsyncIterator[Supervisor]:
    async with Supervisor(real_hub, APP, SUPERVISOR, __version__) as supervisor:
        yield supervisor


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


async def _until(what: str, holds: Callable[[], Awaitable[Any]], container: Container) -> Any:
    """Ask until the answer is true; a container that does not get there shows its log."""
    for _ in range(200):
        if answer := await holds():
            return answer
        if not container.running:
            break
        await asyncio.sleep(0.2)
    raise AssertionError(f"{what} did not happen:\n{container.log.read_text()[-4000:]}")


async def _start(container: Container, image: Image) -> None:
    container.start(image.config["Cmd"])

    async def healthy() -> bool:
        return (await asyncio.to_thread(container.run, image.health_command)).code == 0

    await _until("a passed health check", healthy, container)


async def test_its_health_check_tells_a_living_process_from_none_whatever_the_neighbours_do(
    container: Container, image: Image
) -> None:
    assert (await asyncio.to_thread(container.run, image.health_command)).code != 0
    # No Supervisor answers, hence no hub and no broker: that is no reason to restart the app.
    await _start(container, image)
    assert await asyncio.to_thread(container.stop, _GRACE) == 0


async def test_the_page_comes_whole_under_the_ingress_prefix(
    container: Container, image: Image, supervisor: Supervisor, browser: aiohttp.ClientSession
) -> None:
    await _start(container, image)
    async with browser.get(supervisor.page) as answer:
        page = await answer.text()
        assert answer.status == 200, page
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "Nightshift" in page
    links = re.findall(r"(?:href|src|action)=\"([^\"#]+)\"", page)
    assert links
    assert [link for link in links if link.startswith("/") and not link.startswith(PREFIX + "/")] == []
    parts = [link for link in links if "static/" in link]
    assert parts
    for part in parts:
        async with browser.get(answer.url.join(URL(part))) as found:
            assert found.status == 200, part
    assert supervisor.refused == 0


async def test_only_the_supervisor_is_let_in(
    container: Container, image: Image, supervisor: Supervisor
) -> None:
    await _start(container, image)
    another_app = aiohttp.TCPConnector(local_addr=(STRANGER, 0))
    forged = {"X-Ingress-Path": PREFIX, "X-Remote-User-Id": supervisor.user["id"]}
    async with aiohttp.ClientSession(connector=another_app, headers=forged) as session:
        for path in ("/", "/api/analyze/status", "/health"):
            async with session.get(f"http://{APP}:8099{path}") as answer:
                assert answer.status == 403, path


async def test_it_runs_as_its_own_user_under_dockers_init(container: Container, image: Image) -> None:
    await _start(container, image)
    (_, init_user, init), (_, user, app), *_ = container.processes()
    assert (init_user, init.split()[0]) == (0, "/sbin/docker-init")
    assert (user, app.split()[1:]) == (899, ["-m", "app", "serve"])
    assert {path.stat().st_uid for path in (container.root / "data").iterdir()} == {899}


async def _trigger(container: Container, supervisor: Supervisor, browser: aiohttp.ClientSession) -> None:
    async def started() -> bool:
        # 503 until the hub has told who is an administrator.
        async with browser.post(f"{supervisor.page}api/analyze/trigger", headers=_FROM_THE_PAGE) as answer:
            said = await answer.text()
            assert answer.status in {202, 503}, said + container.log.read_text()[-4000:]
            return answer.status == 202

    await _until("a started run", started, container)


async def test_a_stop_in_the_middle_of_a_run_ends_with_0_and_leaves_an_interrupted_run(
    container: Container, image: Image, supervisor: Supervisor, browser: aiohttp.ClientSession
) -> None:
    await _start(container, image)
    supervisor.open.clear()
    await _trigger(container, supervisor, browser)
    async with asyncio.timeout(60):
        await supervisor.asked.wait()
    async with browser.get(f"{supervisor.page}api/analyze/status") as answer:
        assert (await answer.json())["is_running"] is True
    assert await asyncio.to_thread(container.stop, _GRACE) == 0
    assert _runs(container) == [("analysis", "manual", "interrupted")]


async def test_the_real_hub_is_analysed_through_the_supervisor(
    container: Container, image: Image, supervisor: Supervisor, browser: aiohttp.ClientSession
) -> None:
    await _start(container, image)
    await _trigger(container, supervisor, browser)

    async def ended() -> Any:
        async with browser.get(f"{supervisor.page}api/analyze/status") as answer:
            return (await answer.json())["last_run"]

    run = await _until("the end of a run", ended, container)
    assert (run["status"], run["error_message"]) == ("completed", None), container.log.read_text()[-4000:]
    assert supervisor.refused == 0
    assert await asyncio.to_thread(container.stop, _GRACE) == 0


async def test_a_backup_made_while_it_works_is_whole(
    container: Container, image: Image, supervisor: Supervisor, browser: aiohttp.ClientSession, tmp_path: Path
) -> None:
    manifest = read_yaml("config.yaml")
    await _start(container, image)
    await _trigger(container, supervisor, browser)
    began = await asyncio.to_thread(container.execute, manifest["backup_pre"].split())
    assert began.code == 0, began.output
    copy = tmp_path / "copy"
    # As the Supervisor packs the data folder: file by file, while the app goes on.
    ignored = shutil.ignore_patterns(*manifest["backup_exclude"])
    await asyncio.to_thread(shutil.copytree, container.root / "data", copy, ignore=ignored)
    ended = await asyncio.to_thread(container.execute, manifest["backup_post"].split())
    assert ended.code == 0, ended.output
    with closing(sqlite3.connect(copy / "nightshift.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        runs = db.execute("SELECT status FROM job_run WHERE job = 'analysis'").fetchall()
        assert runs == [("running",)]
    assert not any("keeper" in line for _pid, _user, line in container.processes())
    assert await asyncio.to_thread(container.stop, _GRACE) == 0


async def test_a_wrong_option_stops_the_start_with_one_line(container: Container, image: Image) -> None:
    _write_options(container, {"analysis_schedule": "at night"})
    ended = await asyncio.to_thread(container.run, image.config["Cmd"])
    assert ended.code == 2
    assert len(ended.output.splitlines()) == 1
    assert "analysis_schedule" in ended.output


def _runs(container: Container) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(container.root / "data/nightshift.db")) as store:
        return store.execute(
            "SELECT job, trigger, status FROM job_run WHERE job = 'analysis' ORDER BY started_at"
        ).fetchall()
