"""What every test shares: which can run here, how long each may take, and that nothing blocks the loop."""

import importlib.util
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from typing import Final

import pytest
from _pytest.terminal import TerminalReporter
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import HealthCheck, settings

from tests.real_hub.peer import NEEDED, RealHub

_SECONDS: Final = {"hub": 240, "browser": 180, "image": 600}
"""What the tests with a mark may take: they start real programs. All others have pyproject's time-out."""

_STATUS = pytest.StashKey[int]()

# Nothing is timed, and the examples are the same each time: NEW_EXAMPLES=1 looks for others.
settings.register_profile(
    "nightshift",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="NEW_EXAMPLES" not in os.environ,
)
settings.load_profile("nightshift")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--skips",
        choices=("any", "marked", "none"),
        default="any",
        help="which tests may be skipped; marked: those that need a hub, a browser or a container image",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark, seconds in _SECONDS.items():
            if item.get_closest_marker(mark) is None:
                continue
            if missing := _missing(mark):
                item.add_marker(pytest.mark.skip(reason=missing))
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(seconds))


def _missing(mark: str) -> str:
    """Return why tests with this mark cannot run here, "" if they can."""
    if mark == "hub" and not all(os.environ.get(name) for name in NEEDED):
        return "no real hub: `tests/real_hub/hub up DIR`, then export what DIR/hub.env says"
    if mark == "browser" and not (chromium() and importlib.util.find_spec("playwright")):
        return "no Chromium, or no Playwright (the extra `check`)"
    if mark == "image" and not (os.environ.get("IMAGE_ROOT") and shutil.which("buildah")):
        return "IMAGE_ROOT names no Debian 13 tree to build on (made by tests/image/base_tree), or no buildah"
    return ""


def chromium() -> str | None:
    """Return the path of this machine's Chromium, if it has one."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


def _wrongly_skipped(config: pytest.Config) -> list[pytest.TestReport]:
    allowed = config.getoption("--skips")
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if allowed == "any" or not isinstance(reporter, TerminalReporter):
        return []
    skipped: list[pytest.TestReport] = reporter.stats.get("skipped", [])
    if allowed == "none":
        return skipped
    return [report for report in skipped if not _SECONDS.keys() & set(report.keywords)]


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    if wrongly := _wrongly_skipped(config):
        terminalreporter.write_line(f"{len(wrongly)} skipped that may not be (--skips)", red=True)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if exitstatus == pytest.ExitCode.OK and _wrongly_skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    session.config.stash[_STATUS] = int(session.exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End although a test left a thread behind (an open database's), for which Python would wait for ever."""
    waiting = [thread for thread in threading.enumerate() if not thread.daemon]
    left = [thread.name for thread in waiting if thread is not threading.main_thread()]
    if left and _STATUS in config.stash:
        sys.stderr.write(f"left behind by a test: {', '.join(left)}\n")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[_STATUS] or 1)


@pytest.fixture(autouse=True)
def nothing_blocks_the_loop() -> Iterator[BlockBuster]:
    """Fail a test in which code of ours reads a file, sleeps or waits while the event loop waits for it."""
    with blockbuster_ctx("app") as blockbuster:
        # A zone's file has a few kilobytes and is read once a process.
        for function in blockbuster.functions.values():
            function.can_block_in("app/model.py", {"zone_of"})
        yield blockbuster


@pytest.fixture(scope="session")
def real_hub() -> RealHub:
    """A real Home Assistant with a real broker (for tests marked `hub`)."""
    return RealHub.from_environment()
