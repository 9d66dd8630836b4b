"""The image, built for real and looked into: what is in it, what is not, as whom it runs."""

from pathlib import Path

import pytest

from app import __version__
from tests.image.builder import Image
from tests.image.container import Container

pytestmark = pytest.mark.image

_MOST_BYTES = 350_000_000


def test_the_image_is_small_and_says_what_it_is(image: Image) -> None:
    assert image.size < _MOST_BYTES
    labels = image.config["Labels"]
    assert labels["io.hass.type"] == "app"
    assert labels["io.hass.version"] == __version__
    assert labels["io.hass.arch"] == "amd64"


def test_no_compiler_no_installer_and_none_of_our_tests_are_in_it(root: Path) -> None:
    unwanted = ("gcc", "cc", "g++", "make", "pip", "pip3", "curl", "git")
    folders = ("usr/bin", "usr/local/bin", "opt/venv/bin")
    assert [f"{at}/{name}" for at in folders for name in unwanted if (root / at / name).exists()] == []
    assert sorted(entry.name for entry in (root / "opt/nightshift").iterdir()) == ["LICENSE", "app", "run.sh"]
    assert not list((root / "opt/venv").rglob("pip/__init__.py"))


def test_every_module_of_the_app_can_be_imported_in_it(
    root: Path, hub_network: None, environment: dict[str, str], tmp_path: Path
) -> None:
    walk = (
        "import importlib, pkgutil, app; "
        "every = [m.name for m in pkgutil.walk_packages(app.__path__, 'app.')]; "
        "names = [n for n in every if not n.endswith('__main__') and 'demo' not in n]; "
        "[importlib.import_module(n) for n in names]; print(len(names), app.__file__)"
    )
    container = Container(root, environment | {"PYTHONPATH": "/opt/nightshift"}, tmp_path / "log")
    ended = container.run([environment["NIGHTSHIFT_PYTHON"], "-W", "error", "-c", walk])
    assert ended.code == 0, ended.output
    count, where = ended.output.split()
    assert int(count) > 20
    assert where.startswith("/opt/nightshift/app/")


def test_the_image_knows_the_worlds_time_zones(
    root: Path, hub_network: None, environment: dict[str, str], tmp_path: Path
) -> None:
    container = Container(root, environment, tmp_path / "log")
    assert container.run(["date", "-d", "2026-07-01T12:00Z", "+%H %Z"]).output == "14 CEST\n"


def test_root_hands_the_data_folder_over_and_steps_down(
    root: Path, hub_network: None, environment: dict[str, str], tmp_path: Path
) -> None:
    container = Container(root, environment, tmp_path / "log")
    options = root / "data/options.json"
    options.write_text("{}")
    # As the Supervisor leaves it.
    options.chmod(0o600)
    tell = (
        "import os; print(os.getuid(), os.getgid(), os.getgroups(), os.access('/data/options.json', os.R_OK))"
    )
    # run.sh runs the interpreter that it is told: a shell in its place shows what the app would be.
    (root / "opt/told").write_text(f'#!/bin/sh\nexec /opt/venv/bin/python -c "{tell}"\n')
    (root / "opt/told").chmod(0o755)
    told = Container(root, environment | {"NIGHTSHIFT_PYTHON": "/opt/told"}, tmp_path / "log")
    assert told.run(["/opt/nightshift/run.sh", "serve"]).output == "899 899 [] True\n"
    assert container.run(["stat", "-c", "%U %a", "/data/options.json"]).output == "nightshift 600\n"


def test_without_words_the_entry_says_how_it_is_used_and_ends_with_2(
    root: Path, hub_network: None, environment: dict[str, str], tmp_path: Path
) -> None:
    ended = Container(root, environment, tmp_path / "log").run(["/opt/nightshift/run.sh"])
    assert ended.code == 2
    assert "serve" in ended.output
