"""What the image is made from, as far as it can be checked without building it (`tests/image` builds it)."""

import re
import tomllib
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.package.manifest import PROJECT, read_yaml

_DOCKERFILE: Final = (PROJECT / "Dockerfile").read_text()


def test_every_stage_names_its_base_literally() -> None:
    # The Supervisor passes no BUILD_FROM.
    bases = re.findall(r"^FROM (\S+)", _DOCKERFILE, flags=re.MULTILINE)
    assert bases == ["debian:trixie-slim"] * 2


def test_the_command_and_the_health_check_are_given_as_lists_so_that_signals_arrive() -> None:
    assert 'CMD ["/opt/nightshift/run.sh", "serve"]' in _DOCKERFILE
    assert re.search(r"^HEALTHCHECK .*\\\n\s+CMD \[", _DOCKERFILE, flags=re.MULTILINE)
    assert "ENTRYPOINT" not in _DOCKERFILE


def test_the_health_check_asks_the_port_that_ingress_comes_to() -> None:
    assert f"/dev/tcp/127.0.0.1/{read_yaml('config.yaml').get('ingress_port', 8099)}" in _DOCKERFILE


def test_the_build_sees_what_it_copies_and_nothing_else() -> None:
    seen = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied: set[str] = set()
    for words in re.findall(r"^COPY (?!--from)(.+) \S+$", _DOCKERFILE, flags=re.MULTILINE):
        copied |= set(words.split())
    assert seen == copied
    assert "*" in (PROJECT / ".dockerignore").read_text().splitlines()


def test_every_requirement_is_pinned_to_a_version_that_it_allows() -> None:
    pins = {}
    for line in (PROJECT / "constraints.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, version = line.split("==")
            pins[canonicalize_name(name)] = version
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    asked = [Requirement(line) for line in project["dependencies"]]
    asked += [Requirement(line) for extra in project["optional-dependencies"].values() for line in extra]
    wrong = [
        str(one)
        for one in asked
        if one.name != project["name"]
        and not one.specifier.contains(pins.get(canonicalize_name(one.name), "0"), prereleases=True)
    ]
    assert wrong == []


def test_the_profile_is_one_that_the_supervisor_can_rename() -> None:
    profiles = re.findall(r"^profile (\S+) ", (PROJECT / "apparmor.txt").read_text(), flags=re.MULTILINE)
    assert profiles == ["nightshift"]
