"""The app's manifest: what the Supervisor takes, what the community's linter asks for.

Rules in our own words after the Supervisor's `apps/validate.py` and the linter's schema.
"""

import os
import re
import tomllib
from typing import Any, Final

import pytest

from app import __version__
from tests.package.manifest import PROJECT, OptionType, read_yaml, types_of

_CONFIG: Final[dict[str, Any]] = read_yaml("config.yaml")
_KNOWN: Final = frozenset(
    # Of the Supervisor's keys those that an app like this could use.
    """name version slug description arch url machine startup boot init stage ports ports_description ingress
    ingress_port ingress_entry ingress_stream panel_icon panel_title panel_admin homeassistant hassio_api
    hassio_role homeassistant_api auth_api services discovery map backup backup_pre backup_post backup_exclude
    options schema image timeout tmpfs environment breaking_versions apparmor""".split()  # noqa: SIM905 - forty strings in a column say less
)
_DEFAULTS: Final[dict[str, Any]] = {
    "startup": "application",
    "boot": "auto",
    "init": True,
    "stage": "stable",
    "apparmor": True,
    "ingress": False,
    "ingress_port": 8099,
    "ingress_entry": "/",
    "ingress_stream": False,
    "panel_icon": "mdi:puzzle",
    "panel_admin": True,
    "hassio_api": False,
    "hassio_role": "default",
    "homeassistant_api": False,
    "auth_api": False,
    "backup": "hot",
    "timeout": 10,
    "tmpfs": False,
    "options": {},
    "schema": {},
    "ports": {},
    "services": [],
    "map": [],
    "backup_exclude": [],
}


def test_it_has_what_the_supervisor_requires() -> None:
    assert {"name", "version", "slug", "description", "arch"} <= _CONFIG.keys()
    assert re.fullmatch(r"[-_.A-Za-z0-9]+", _CONFIG["slug"])
    assert _CONFIG["slug"] == "nightshift"
    assert _CONFIG["arch"] == ["aarch64", "amd64"]


def test_it_has_no_key_that_the_supervisor_would_drop() -> None:
    assert _CONFIG.keys() - _KNOWN == set()


def test_no_key_says_what_holds_anyway() -> None:
    assert {key for key, value in _CONFIG.items() if key in _DEFAULTS and value == _DEFAULTS[key]} == set()


def test_it_goes_by_ingress_and_asks_for_no_more_rights_than_it_uses() -> None:
    assert _CONFIG["ingress"] is True
    assert "webui" not in _CONFIG
    assert _CONFIG["homeassistant_api"] is True
    assert not _CONFIG.keys() & {
        "map",
        "privileged",
        "host_network",
        "full_access",
        "docker_api",
        "hassio_api",
    }
    assert set(_CONFIG["ports"].values()) == {None}, "no port is open until someone opens it"


def test_it_starts_without_mqtt() -> None:
    assert _CONFIG["services"] == ["mqtt:want"]


def test_a_stop_has_time_to_finish() -> None:
    assert 10 < _CONFIG["timeout"] <= 300


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert {_CONFIG["version"], project["version"]} == {__version__}
    assert f"ARG BUILD_VERSION={__version__}\n" in (PROJECT / "Dockerfile").read_text()
    assert f"\n## [{__version__}]" in (PROJECT / "CHANGELOG.md").read_text()


def test_the_descriptions_are_the_same_everywhere() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert _CONFIG["description"] == project["description"]
    assert f'image.description="{_CONFIG["description"]}"' in (PROJECT / "Dockerfile").read_text()


def test_every_option_has_a_type_that_the_supervisor_knows_and_defaults_that_pass() -> None:
    types = types_of(_CONFIG["schema"])
    plain = {name: value for name, value in _CONFIG["options"].items() if value != []}
    assert {name for name, value in plain.items() if not types[name].takes(value)} == set()
    # A key with a default cannot be left blank in the form; one without must be marked as optional.
    told = {name: kind for name, kind in types.items() if "." not in name}
    assert {name for name, kind in told.items() if kind.optional == (name in plain)} == set()
    # The Supervisor knows no optional list: without a default the app would not start.
    lists = [name for name, given in _CONFIG["schema"].items() if isinstance(given, list)]
    assert [_CONFIG["options"][name] for name in lists] == [[] for _ in lists]


@pytest.mark.parametrize(
    ("line", "good", "bad"),
    [
        ("int(1,400)", 400, 401),
        ("port?", 1883, 0),
        ("list(auto|off)", "off", False),
        ("bool?", True, "yes"),
        (_CONFIG["schema"]["analysis_schedule"], "*/5 1-6 * * mon,tue", "0 3 * *"),
        (_CONFIG["schema"]["schedules"][0]["schedule"], "every 15 minutes", "at three"),
        (_CONFIG["schema"]["schedules"][0]["schedule"], "off", "often"),
        (_CONFIG["schema"]["schedules"][0]["job"], "health_check", "Health check"),
        (_CONFIG["schema"]["people"][0]["person"], "person.anna", "anna"),
        (_CONFIG["schema"]["mqtt_discovery_prefix"], "homeassistant", "home/#"),
        (_CONFIG["schema"]["model_entity_id"], "ai_task.house", "light.house"),
        (_CONFIG["schema"]["model_entity_id"], "", "ai_task."),
    ],
)
def test_a_type_takes_what_fits_and_nothing_else(line: str, good: Any, bad: Any) -> None:
    assert OptionType(line).takes(good)
    assert not OptionType(line).takes(bad)


def test_no_other_file_looks_like_an_app_to_the_supervisor() -> None:
    # It takes every file of this name for an app's, but for hidden folders.
    found = []
    for folder, folders, files in os.walk(PROJECT):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            f"{folder}/{name}" for name in files if name in {"config.yaml", "config.yml", "config.json"}
        ]
    assert found == [str(PROJECT / "config.yaml")]


def test_the_repository_can_be_added_by_its_address() -> None:
    assert read_yaml("repository.yaml")["name"] == "Nightshift"


@pytest.mark.parametrize(("name", "least", "shape"), [("icon.png", 128, 1.0), ("logo.png", 250, 2.5)])
def test_the_pictures_are_png_files_of_the_right_shape(name: str, least: int, shape: float) -> None:
    head = (PROJECT / name).read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    assert width >= least
    assert abs(width / height - shape) < 0.02


def test_the_store_has_a_text_for_each_of_its_tabs() -> None:
    assert all((PROJECT / name).stat().st_size > 500 for name in ("README.md", "DOCS.md", "CHANGELOG.md"))
