"""Whole looks: every check of every job and of the house, apart from each other, and without a trace."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.clock import SystemClock, TurnedClock
from app.jobs.run import RunStatus
from app.neighbours import NeighbourState
from app.upkeep import monitor as monitoring
from app.upkeep.check import Check, Finding, HouseCheck, JobCheck
from app.upkeep.checks import HOUSE_CHECKS, JOB_CHECKS
from app.upkeep.health import Health
from app.upkeep.integrity import look_over
from app.upkeep.sight import JobSight, Sight
from tests.upkeep.house import house
from tests.upkeep.sights import NOW


def _checks(*verdicts: bool | None, job: str | None = None) -> dict[str, Check]:
    return {
        f"{job}.{number}": Check(f"{job}.{number}", "", verdict, "", "", None, "", job)
        for number, verdict in enumerate(verdicts)
    }


def test_the_score_is_the_healthy_checks_by_the_checks() -> None:
    assert Health(_checks(True, True, True, False), NOW).score == 0.75
    assert Health(_checks(*[True] * 17, *[False] * 3), NOW).healthy
    assert not Health(_checks(*[True] * 16, *[False] * 4), NOW).healthy  # 0.8 is not above 0.8


def test_what_cannot_be_judged_counts_neither_way() -> None:
    assert Health(_checks(True, None, None, False), NOW).score == 0.5
    assert Health(_checks(None), NOW).score == 1
    assert Health(_checks(None), NOW).healthy


def test_a_job_has_a_score_of_its_own() -> None:
    well, sick = _checks(*[True] * 5, job="analysis"), _checks(*[True] * 4, False, job="report")
    health = Health({**well, **sick, **_checks(False)}, NOW)
    assert health.of_jobs() == {"analysis": 1.0, "report": 0.8}
    assert [check.name for check in health.sick] == ["report.4", "None.0"]


async def test_a_new_house_is_healthy(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        health = await opened.monitor.look()
        names = [f"{job}.{c.name}" for job in ("analysis", "health_check") for c in JOB_CHECKS]
        assert list(health.checks) == [*names, *(check.name for check in HOUSE_CHECKS)]
        assert health.healthy
        assert health.score == 1
        assert health.timestamp == NOW
        assert (
            health.checks["analysis.last_run"].message
            == "It never ran; its schedule is new, and was not due yet."
        )
        assert health.checks["database"].healthy


async def test_a_look_tells_what_failed_and_what_to_do(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        opened.nightly.error = "hub: the token was revoked"
        for _ in range(3):
            await opened.run()
        opened.parts.neighbours.set("hub", NeighbourState.FAILED, "the token was revoked")
        health = await opened.monitor.look()
        sick = {check.name: check for check in health.sick}
        assert {"analysis.success_rate", "analysis.error_rate", "hub"} <= set(sick)
        assert "hub: the token was revoked" in sick["analysis.success_rate"].message
        assert sick["analysis.error_rate"].title == "Nightly analysis: error rate"
        assert all(check.advice for check in health.sick)
        assert health.of_jobs()["analysis"] < 0.8


async def test_a_paused_job_and_one_switched_off_are_said_to_be_so(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        opened.nightly.error = "hub: no answer"
        await opened.run()
        await opened.jobs.pause("analysis")
        await opened.jobs.set_schedule("health_check", "off")
        checks = (await opened.monitor.look()).checks
        for check in JOB_CHECKS:
            assert checks[f"analysis.{check.name}"].healthy is None
            assert "paused" in checks[f"analysis.{check.name}"].message
            assert "switched off" in checks[f"health_check.{check.name}"].message
        assert checks["archive"].healthy is None


async def test_a_schedule_that_was_just_changed_is_not_missing(tmp_path: Path) -> None:
    clock = TurnedClock(NOW)
    async with house(tmp_path, clock) as opened:
        await opened.run()
        await clock.turn(timedelta(hours=5))
        await opened.jobs.set_schedule("analysis", "0 13 * * *")
        await clock.turn(timedelta(minutes=5))
        found = (await opened.monitor.look()).checks["analysis.last_run"]
        assert found.healthy is not False


async def test_a_day_without_a_tick_is_noticed(tmp_path: Path) -> None:
    clock = TurnedClock(NOW)
    async with house(tmp_path, clock) as opened:
        await opened.run()
        await clock.turn(timedelta(hours=20))
        found = (await opened.monitor.look()).checks["analysis.last_run"]
        assert found.healthy is False
        assert found.message == "It last ran 20 h ago, but was due 3 h ago and did not start."


async def test_the_schedulers_own_tick_is_seen(tmp_path: Path) -> None:
    async with house(tmp_path, SystemClock(), scheduling=True) as opened:
        while opened.parts.since_tick() is None:
            await asyncio.sleep(0.01)
        found = (await opened.monitor.look()).checks["clock"]
        assert found.healthy
        assert found.message.startswith("The scheduler ticked ")


async def test_a_look_writes_nothing(tmp_path: Path) -> None:
    def files() -> dict[str, tuple[int, int]]:
        return {
            path.name: (path.stat().st_size, path.stat().st_mtime_ns)
            for path in tmp_path.iterdir()
            if not path.name.endswith("-shm")
        }

    async with house(tmp_path) as opened:
        await opened.run()
        before = await asyncio.to_thread(files)
        await opened.monitor.look(thorough=True)
        await opened.metrics.render()
        assert await asyncio.to_thread(files) == before


async def test_many_who_ask_at_once_share_one_look(tmp_path: Path) -> None:
    clock = TurnedClock(NOW)
    async with house(tmp_path, clock) as opened:
        looks = await asyncio.gather(*(opened.monitor.glance() for _ in range(20)))
        assert len({id(look) for look in looks}) == 1
        await clock.turn(timedelta(seconds=4))
        assert await opened.monitor.glance() is looks[0]
        await clock.turn(timedelta(seconds=2))
        assert await opened.monitor.glance() is not looks[0]


async def test_a_check_that_fails_is_sick_and_the_others_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stumbles(_job: JobSight) -> Finding:
        raise KeyError("light.kitchen")

    async def hangs(_sight: Sight) -> Finding:
        await asyncio.Event().wait()
        raise AssertionError

    async def answers(_sight: Sight) -> Finding:
        await asyncio.sleep(0)
        return Finding(True, "Well.")

    monkeypatch.setattr(monitoring, "JOB_CHECKS", (JobCheck("odd", "Odd", "", stumbles),))
    house_checks = (HouseCheck("slow", "Slow", "", hangs), HouseCheck("good", "Good", "", answers))
    monkeypatch.setattr(monitoring, "HOUSE_CHECKS", house_checks)
    monkeypatch.setattr(monitoring, "_CHECK_SECONDS", 0.05)
    async with house(tmp_path) as opened:
        checks = (await opened.monitor.look()).checks
    assert (
        checks["analysis.odd"].message == "It could not be looked at: unexpected: KeyError: 'light.kitchen'"
    )
    assert checks["slow"].healthy is False
    assert checks["slow"].message.startswith("It took longer than")
    assert checks["good"].healthy
    assert "The check odd failed" in caplog.text


async def test_a_database_that_cannot_be_read_makes_a_sick_house_and_no_error(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await opened.parts.store.close()
        health = await opened.monitor.look(thorough=True)
        assert not health.healthy
        assert health.checks["database"].healthy is False
        assert health.checks["analysis.last_run"].message.startswith("It could not be looked at:")
        assert health.checks["disk"].healthy is not None
        await opened.parts.store.open()


async def test_the_pages_are_read_by_the_job_alone_and_once_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Any] = []

    async def counted(*given: Any) -> Any:
        read.append(given)
        return await look_over(*given)

    monkeypatch.setattr(monitoring, "look_over", counted)
    clock = TurnedClock(NOW)
    async with house(tmp_path, clock) as opened:
        await opened.monitor.look(thorough=True)
        assert not read  # the store looked it over when it was opened
        await clock.turn(timedelta(hours=25))
        await opened.monitor.look()
        assert not read
        run = await opened.run("health_check")
        await opened.run("health_check")
        assert run.status is RunStatus.COMPLETED
        assert len(read) == 1
