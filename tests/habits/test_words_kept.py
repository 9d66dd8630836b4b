"""A night counts the words that a model was wanted for, and those that were there from earlier nights."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.archive.archive import Archive
from app.bus import Bus
from app.clock import TurnedClock
from app.habits.nightly import NightlyAnalysis
from app.habits.suggestions import Suggestions
from app.jobs.context import RunContext
from app.jobs.engine import EmbeddedEngine
from app.jobs.run import Trigger
from app.model import Home
from app.neighbours import Neighbours
from app.store.database import Store
from app.words.models import HomeAssistantModel
from app.words.writer import Writer
from tests.habits.test_nightly import NOW, Told, coffee

pytestmark = pytest.mark.timeout(300)


async def _says_the_draft(_domain: str, _service: str, data: dict[str, Any]) -> dict[str, Any]:
    """Answer as a model that words nothing anew: what it is given it gives back, so that all of it holds."""
    (said,) = [line for line in data["instructions"].splitlines() if line.startswith('{"draft"')]
    return {"data": json.loads(said)["draft"]}


async def _meet(_home: Home) -> None:
    return


async def _counts(folder: Path, *, model: bool, nights: int) -> list[tuple[int, int]]:
    clock, bus = TurnedClock(NOW), Bus()
    store = Store(folder / "nightshift.db", clock)
    await store.open()
    asked = HomeAssistantModel(_says_the_draft, "ai_task.own", 1) if model else None
    night = NightlyAnalysis(
        source=Told(coffee()),
        meet=_meet,
        archive=Archive(store, clock),
        suggestions=Suggestions(store, bus, clock),
        writer=Writer(asked, Neighbours(bus, clock), clock),
        history_days=40,
        keep_days=400,
    )
    counts = []
    for number in range(nights):
        context = RunContext(
            run_id=f"run {number}",
            job="analysis",
            home="home",
            trigger=Trigger.MANUAL,
            scheduled_for=None,
            started_at=clock.now(),
            clock=clock,
            engine=EmbeddedEngine(clock),
            on_progress=lambda _progress: None,
            zone=ZoneInfo("Europe/Amsterdam"),
            occasion=clock.now(),
        )
        counted = (await night.run(context)).counts
        counts.append((counted.get("words_needed", 0), counted.get("words_kept", 0)))
        await clock.turn(timedelta(minutes=1))
    await store.close()
    return counts


async def test_the_second_night_keeps_the_words_of_the_first(tmp_path: Path) -> None:
    (first_needed, first_kept), (needed, kept) = await _counts(tmp_path, model=True, nights=2)
    assert first_needed > 0
    assert first_kept == 0
    assert kept == needed == first_needed


async def test_without_a_model_no_words_are_needed(tmp_path: Path) -> None:
    assert await _counts(tmp_path, model=False, nights=2) == [(0, 0), (0, 0)]
