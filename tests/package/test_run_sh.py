"""`run.sh` on a machine: finds a Python, makes its environment, hands its words on.

A small project of the same form stands in for ours, so that setting up takes a second and no network; that
the real one sets up on a fresh machine is what `.ci/run` and the image show.
"""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.timeout(300)

_RUN: Final = Path(__file__).resolve().parents[2] / "run.sh"
_PYPROJECT: Final = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
# The least that pip asks of a project (PEP 660): a wheel with a path file; each extra is written down.
_BACKEND: Final = """
import pathlib, zipfile

METADATA = "\\n".join([
    "Metadata-Version: 2.1",
    "Name: nightshift",
    "Version: 0.1.0",
    "Provides-Extra: demo",
    "Provides-Extra: test",
    "",
])


def get_requires_for_build_editable(config_settings=None):
    return []


def build_editable(folder, config_settings=None, metadata_directory=None):
    here = pathlib.Path(__file__).parent
    with (here / "builds").open("a") as builds:
        builds.write("built\\n")
    info = "nightshift-0.1.0.dist-info"
    with zipfile.ZipFile(pathlib.Path(folder) / "nightshift-0.1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("nightshift.pth", str(here))
        wheel.writestr(f"{info}/METADATA", METADATA)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return "nightshift-0.1.0-py3-none-any.whl"
"""
_MAIN: Final = "import os, sys; print(os.getpid(), os.getcwd(), *sys.argv[1:], sep='|')\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _make(tmp_path_factory.mktemp("a place") / "night shift")


def _make(folder: Path) -> Path:
    (folder / "app").mkdir(parents=True)
    (folder / "app/__init__.py").touch()
    (folder / "app/__main__.py").write_text(_MAIN)
    (folder / "pyproject.toml").write_text(_PYPROJECT)
    (folder / "constraints.txt").write_text("# none\n")
    (folder / "backend.py").write_text(_BACKEND)
    shutil.copy(_RUN, folder)
    return folder


def _run(
    project: Path, *words: str, cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    known = {
        name: value for name, value in os.environ.items() if not name.startswith(("NIGHTSHIFT_", "PYTHON"))
    }
    return subprocess.run(
        [project / "run.sh", *words],
        cwd=cwd or project,
        env=known | {"PYTHON": sys.executable} | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=80,
    )


def _builds(project: Path) -> int:
    return len((project / "builds").read_text().splitlines()) if (project / "builds").exists() else 0


def test_without_words_it_says_how_it_is_used_and_ends_with_2(project: Path) -> None:
    done = _run(project)
    assert (done.returncode, done.stdout) == (2, "")
    for word in ("serve", "demo", "analyze", "run JOB", "jobs", "check", "test"):
        assert word in done.stderr


def test_it_sets_up_once_and_standard_output_belongs_to_the_command(tmp_path: Path) -> None:
    project = _make(tmp_path / "of its own")
    first = _run(project, "analyze", "--history", "two words.csv", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert first.stderr.splitlines() == ["Setting up (first time only)…"]
    assert first.stdout.splitlines()[0].split("|")[1:] == [
        str(tmp_path),
        "analyze",
        "--history",
        "two words.csv",
    ]
    second = _run(project, "jobs", cwd=tmp_path)
    assert (second.returncode, second.stderr) == (0, "")
    assert second.stdout.endswith("|jobs\n")


def test_it_becomes_the_python_it_starts(project: Path) -> None:
    process = subprocess.Popen(
        [project / "run.sh", "serve"],
        env=os.environ | {"PYTHON": sys.executable},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    output, _ = process.communicate(timeout=80)
    assert output.split("|")[0] == str(process.pid)


def test_an_app_folder_where_it_is_called_from_is_not_mistaken_for_ours(
    project: Path, tmp_path: Path
) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/__main__.py").write_text("print('the wrong one')")
    assert "wrong" not in _run(project, "jobs", cwd=tmp_path).stdout


def test_a_changed_requirement_brings_the_environment_up_to_date(project: Path) -> None:
    _run(project, "jobs")
    before = _builds(project)
    (project / "constraints.txt").write_text("# another\n")
    assert "Setting up" in _run(project, "jobs").stderr
    assert _run(project, "jobs").stderr == ""
    assert _builds(project) == before + 1


def test_the_demo_asks_for_its_extra_and_what_is_there_stays_enough_for_the_rest(project: Path) -> None:
    _run(project, "jobs")
    before = _builds(project)
    assert _run(project, "demo").returncode == 0
    assert _builds(project) == before + 1
    for words in ("jobs", "demo", "serve"):
        assert _run(project, words).stderr == ""
    assert _builds(project) == before + 1


def test_two_at_once_set_up_once(tmp_path: Path) -> None:
    fresh = _make(tmp_path / "fresh")
    with ThreadPoolExecutor(2) as both:
        done = list(both.map(lambda word: _run(fresh, word), ("jobs", "check")))
    assert [one.returncode for one in done] == [0, 0]
    assert _builds(fresh) == 1


def test_a_failed_set_up_is_told_and_tried_again_next_time(tmp_path: Path) -> None:
    fresh = _make(tmp_path / "fresh")
    (fresh / "backend.py").write_text("raise SystemExit('out of order')\n")
    failed = _run(fresh, "jobs")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "setting up failed" in failed.stderr
    (fresh / "backend.py").write_text(_BACKEND)
    assert _run(fresh, "jobs").returncode == 0


def test_a_moved_project_sets_up_again(tmp_path: Path) -> None:
    fresh = _make(tmp_path / "fresh")
    _run(fresh, "jobs")
    moved = fresh.rename(tmp_path / "moved")
    done = _run(moved, "jobs")
    assert done.returncode == 0, done.stderr
    assert "Setting up" in done.stderr


def test_a_machine_without_a_fit_python_is_told_in_one_line(tmp_path: Path) -> None:
    fresh = _make(tmp_path / "fresh")
    tools = _tools(tmp_path)
    done = _run(fresh, "jobs", PATH=str(tools), PYTHON="")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "nightshift: no Python 3.11 or newer found: install one, or name it with PYTHON=/path/to/python3"
    ]


def test_a_python_without_its_venv_module_is_named(tmp_path: Path) -> None:
    fresh = _make(tmp_path / "fresh")
    tools = _tools(tmp_path)
    # Debian's python3 without python3-venv: the interpreter runs, ensurepip is missing.
    python = tools / "python3"
    python.write_text(f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    done = _run(fresh, "jobs", PATH=str(tools), PYTHON="")
    assert done.returncode == 2
    assert "python3-venv" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def _tools(tmp_path: Path) -> Path:
    """Make a PATH with what the shell script uses and no Python."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "cat", "cksum", "dirname", "env", "flock", "readlink", "rm"):
        (tools / name).symlink_to(shutil.which(name) or name)
    return tools
