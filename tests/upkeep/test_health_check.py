"""The job `health_check`: a run in the ledger, and a word to the house when it turns."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.clock import TurnedClock
from app.jobs.policies import Scope
from app.jobs.run import RunStatus
from app.neighbours import NeighbourState
from app.upkeep import monitor as monitoring
from app.upkeep.announcements import HealthChanged
from app.upkeep.checks import hub
from tests.upkeep.house import House, house
from tests.upkeep.sights import NOW

HUB = (hub.CHECK,)


def _turns(opened: House) -> list[bool]:
    return [event.healthy for event in opened.heard if isinstance(event, HealthChanged)]


async def test_it_runs_every_four_hours_once_for_all_homes(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        spec = opened.jobs.specs["health_check"]
        assert spec.scope is Scope.ONCE
        when = opened.jobs.when("health_check")
        assert when is not None
        first = when.next(NOW)
        assert first is not None
        assert when.next(first) == first + timedelta(hours=4)


async def test_a_sick_house_is_its_result_and_not_its_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(monitoring, "HOUSE_CHECKS", HUB)
    async with house(tmp_path) as opened:
        opened.parts.neighbours.set("hub", NeighbourState.FAILED, "the token was revoked")
        run = await opened.run("health_check")
        assert run.status is RunStatus.COMPLETED
        assert run.counts["sick"] == 1
        assert run.counts["checks"] == run.counts["healthy"] + run.counts["sick"] + run.counts["not_judged"]
        assert run.details["healthy"] is False
        assert run.details["jobs"] == {"analysis": 1.0, "health_check": 1.0}
        (sick,) = run.details["sick"]
        assert sick["name"] == "hub"
        assert sick["advice"]
        assert "the token was revoked" in caplog.text


async def test_a_turn_is_announced_once_over_restarts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitoring, "HOUSE_CHECKS", HUB)
    clock = TurnedClock(NOW)
    async with house(tmp_path, clock) as opened:
        await opened.run("health_check")
        assert _turns(opened) == []
        opened.parts.neighbours.set("hub", NeighbourState.FAILED, "gone")
        for _ in range(2):
            await clock.turn(timedelta(minutes=1))
            await opened.run("health_check")
        assert _turns(opened) == [False]
        (told,) = [event for event in opened.heard if isinstance(event, HealthChanged)]
        assert told.sick == ("Home Assistant",)
    async with house(tmp_path, clock) as opened:
        opened.parts.neighbours.set("hub", NeighbourState.FAILED, "gone")
        await clock.turn(timedelta(minutes=1))
        await opened.run("health_check")
        assert _turns(opened) == []
        opened.parts.neighbours.set("hub", NeighbourState.OK)
        await clock.turn(timedelta(minutes=1))
        await opened.run("health_check")
        assert _turns(opened) == [True]
