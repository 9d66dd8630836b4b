"""A process that counts an invented stretch of time pass by pass, as fast as it can, until somebody kills it.

Run: python -m tests.statistics.counted_till_killed FOLDER
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Final

from app.clock import TurnedClock, from_ms
from app.statistics.book import Book
from tests.statistics.small_home import HOME, MONDAY, Figures

CHANGES: Final = 4000
ENDS: Final = MONDAY + timedelta(hours=44)


def fill(figures: Figures) -> None:
    """Give the home its past and future: a change every half a minute or so, for a day and a half."""
    at = MONDAY
    for known in HOME.entities:
        figures.hub.set(known.entity_id, "0")
    for number in range(CHANGES):
        at += timedelta(milliseconds=20_000 + number * 7919 % 25_000)
        entity = ("light.kitchen", "switch.kettle", "sensor.bedroom_co2")[number % 3]
        state = str(400 + number) if number % 3 == 2 else ("on" if number // 3 % 2 else "off")
        figures.hub.happens(entity, state, at)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _count(folder: Path) -> None:
    figures = Figures(folder, TurnedClock(MONDAY))
    await figures.store.open()
    mark = await Book(figures.store).mark("home")
    fill(figures)
    if mark is not None:  # it was killed: some time has gone by since
        await figures.clock.turn(from_ms(mark.counted_until) + timedelta(minutes=17) - figures.clock.now())
        figures.hub.hear()
        figures.kill()
    while figures.clock.now() < ENDS:
        await figures.turn(minutes=5)
        await figures.look()
        _say(figures.clock.now().isoformat())
    _say("done")
    figures.statistics.stop()
    await figures.store.close()


if __name__ == "__main__":
    asyncio.run(_count(Path(sys.argv[1])))
