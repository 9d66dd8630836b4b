"""Builds the image for real, with buildah, as the hub's Supervisor does with Docker.

The base's name is answered from a Debian 13 tree on this machine (`base_tree`): no image registry is asked.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PROJECT: Final = Path(__file__).resolve().parents[2]
BASE: Final = "docker.io/library/debian:trixie-slim"
_NAME: Final = "localhost/nightshift:built-by-tests"


@dataclass(frozen=True, slots=True)
class Image:
    """A built image, and what its file says about running it."""

    name: str
    size: int
    """Bytes, all layers."""
    config: dict[str, Any]
    """`Env`, `Cmd`, `Labels`, `Healthcheck`, … as Docker stores them."""

    @property
    def environment(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.config["Env"])

    @property
    def health_command(self) -> list[str]:
        kind, *command = self.config["Healthcheck"]["Test"]
        if kind != "CMD":
            raise AssertionError(f"a health check of kind {kind}")
        return [str(word) for word in command]


class Builder:
    """A container store of our own under `folder`; nothing is left on the machine when it is closed."""

    def __init__(self, folder: Path, tree: Path) -> None:
        self._folder = folder
        self._tree = tree
        names = folder / "registries.conf"
        names.write_text('unqualified-search-registries = ["docker.io"]\n')
        self._environment = os.environ | {"CONTAINERS_REGISTRIES_CONF": str(names)}

    def build(self, version: str, arch: str = "amd64") -> Image:
        """Build the project's Dockerfile with the arguments that the Supervisor gives."""
        self._lay_base()
        self._do(
            *("build", "--isolation", "chroot", "--pull-never", "--format", "docker"),
            *("--build-arg", f"BUILD_VERSION={version}", "--build-arg", f"BUILD_ARCH={arch}"),
            *("--tag", _NAME, str(PROJECT)),
        )
        told = json.loads(self._do("inspect", "--type", "image", _NAME))
        size = json.loads(self._do("images", "--json", _NAME))[0]["size"]
        return Image(_NAME, _bytes(size), told["Docker"]["config"])

    def unpack(self, image: Image) -> Path:
        """Return the root folder of a fresh container of the image, writable, mounted until `close`."""
        container = self._do("from", "--pull-never", image.name).strip()
        return Path(self._do("mount", container).strip())

    def close(self) -> None:
        """Unmount and remove everything."""
        self._do("umount", "--all")
        self._do("rm", "--all")
        self._do("rmi", "--all", "--force")

    def _lay_base(self) -> None:
        container = self._do("from", "scratch").strip()
        self._do("copy", "--quiet", container, str(self._tree), "/")
        self._do("config", "--cmd", "bash", container)
        self._do("commit", "--quiet", "--rm", container, BASE)

    def _do(self, *words: str) -> str:
        store = ["--root", str(self._folder / "storage"), "--runroot", str(self._folder / "run")]
        done = subprocess.run(
            ["buildah", *store, *words],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = (done.stdout + done.stderr)[-4000:]
            raise AssertionError(f"buildah {words[0]} ended with {done.returncode}:\n{said}")
        return done.stdout


def _bytes(size: str) -> int:
    """Read buildah's `412 MB`."""
    number, unit = size.split()
    return round(float(number) * {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9}[unit])
