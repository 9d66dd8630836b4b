import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import __version__
from tests.image.builder import Builder, Image
from tests.image.container import network
from tests.image.supervisor import TOKEN


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    builder = Builder(tmp_path_factory.mktemp("containers"), Path(os.environ["IMAGE_ROOT"]))
    yield builder
    builder.close()


@pytest.fixture(scope="session")
def image(builder: Builder) -> Image:
    return builder.build(__version__)


@pytest.fixture
def root(builder: Builder, image: Image) -> Path:
    """A fresh container's root folder."""
    return builder.unpack(image)


@pytest.fixture
def hub_network() -> Iterator[None]:
    with network():
        yield


@pytest.fixture
def environment(image: Image) -> dict[str, str]:
    """What a process in the container sees: the image's own, and what the Supervisor adds."""
    return image.environment | {"TZ": "Europe/Amsterdam", "SUPERVISOR_TOKEN": TOKEN}
