"""A process that is killed while it counts loses nothing and doubles nothing."""

import asyncio
import random
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from app.clock import TurnedClock, from_ms
from app.statistics.book import Book
from app.statistics.tally import Places, Tally
from app.store.database import Store
from tests.statistics.counted_till_killed import ENDS, fill
from tests.statistics.small_home import HOME, MONDAY, Figures


@pytest.mark.timeout(300)
async def test_a_process_killed_while_it_counts_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(11)  # noqa: S311 - no secret
    kills, done = 0, False
    while not done:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.statistics.counted_till_killed", str(tmp_path),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert child.stdout is not None
        lines = chance.randrange(1, 80) if kills < 8 else 10_000
        for _ in range(lines):
            line = await child.stdout.readline()
            if line.strip() in {b"done", b""}:
                done = line.strip() == b"done"
                break
        if not done:
            # Somewhere in the next pass.
            await asyncio.sleep(chance.random() * 0.01)
            child.kill()
            kills += 1
        await child.communicate()
    assert kills == 8
    clock = TurnedClock(ENDS)
    store = Store(tmp_path / "nightshift.db", clock)
    await store.open()
    hours = await Book(store).hours("home", MONDAY - timedelta(days=1), ENDS)
    await store.close()
    assert {(h.starts_at, h.area_id): h.events for h in hours} == await _expected(tmp_path / "other")


async def _expected(folder: Path) -> dict[object, int]:
    """Count the same in one piece."""
    figures = Figures(folder, TurnedClock(ENDS))
    fill(figures)
    tally = Tally(Places.of(HOME))
    async for piece in figures.hub.history(HOME, MONDAY, ENDS):
        tally.add_past(piece.events, set())
    return {(from_ms(hour), area): count for (hour, area), count in tally.events.items()}
