from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.clock import TurnedClock
from tests.statistics.small_home import MONDAY, Figures


@pytest.fixture
async def figures(tmp_path: Path) -> AsyncIterator[Figures]:
    """A home whose statistics have made no pass yet, on a Monday at seven in the morning."""
    made = Figures(tmp_path, TurnedClock(MONDAY))
    await made.store.open()
    yield made
    made.statistics.stop()
    await made.store.close()
