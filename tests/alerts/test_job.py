"""The job: what it declares, and which of its runs are worth a row."""

from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from app.alerts.job import ALERT_DETECTOR, AlertDetection, alert_detector_job
from app.jobs.context import RunContext
from app.jobs.engine import EmbeddedEngine
from app.jobs.run import Trigger
from app.jobs.spec import Outcome
from tests.alerts.house import AlertHouse, alert_house, minutes


async def run(house: AlertHouse) -> Outcome:
    now = house.clock.now()
    context = RunContext(
        run_id="run",
        job=ALERT_DETECTOR,
        home="home",
        trigger=Trigger.SCHEDULE,
        scheduled_for=now,
        started_at=now,
        clock=house.clock,
        engine=EmbeddedEngine(house.clock),
        on_progress=lambda _: None,
        zone=ZoneInfo("Europe/Amsterdam"),
        occasion=now,
    )
    return await AlertDetection(house.watch).run(context)


def test_it_is_declared_for_every_five_minutes() -> None:
    spec = alert_detector_job(AlertDetection(cast("Any", None)).run)
    assert (spec.name, spec.schedule, spec.look) == ("alert_detector", "every 5 minutes", True)
    assert spec.grace < timedelta(minutes=5)


async def test_a_run_that_found_nothing_new_is_quiet_and_one_that_did_is_not(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        assert (await run(house)).quiet
        house.now.set("sensor.a", "3", device_class="battery", unit_of_measurement="%")
        found = await run(house)
        assert (found.quiet, found.counts["raised"], found.counts["open"]) == (False, 1, 1)
        await house.clock.turn(minutes(5))
        assert (await run(house)).quiet
        house.now.set("sensor.a", "90")
        assert (await run(house)).counts["closed"] == 1


async def test_a_hub_that_is_away_is_no_failure_of_it(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.now.since = None
        outcome = await run(house)
        assert (outcome.quiet, dict(outcome.details)) == (True, {"away": True})
