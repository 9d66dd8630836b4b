"""A year in four zones, the clock turned: each job as often as its schedule says, whatever the clocks do."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.clock import TurnedClock
from app.jobs.ledger import Ledger, Run, RunStatus
from app.jobs.places import Place
from app.jobs.spec import CatchUp, JobSpec
from app.store.database import Store
from tests.jobs.crew import Crew, Quick, at, crew, job, turn_to

pytestmark = pytest.mark.timeout(300)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
AROUND = 5 * DAY
"""So long before and after each change of the clocks the job that runs six times a day is on."""
DAILY = {"half_past_two": "30 2 * * *", "three": "0 3 * * *"}


def jobs(work: Quick) -> list[JobSpec]:
    """Return jobs at the hours that a change of the clocks leaves out, or has twice."""
    return [
        *(job(work, name=name, schedule=schedule) for name, schedule in DAILY.items()),
        job(work, name="sunday", schedule="0 2 * * SUN"),
        job(work, name="six_a_day", schedule="0 */4 * * *", catch_up=CatchUp.ALL),
    ]


async def lived(made: Crew, clock: TurnedClock, until: datetime) -> None:
    """Let time go by until then, from one instant at which something is due to the next."""
    while True:
        while not made.at_rest:
            await asyncio.sleep(0.0002)
        following = {name: made.jobs.next_run(name) for name in made.jobs.specs}
        target = min((instant for instant in following.values() if instant is not None), default=until)
        if target >= until:
            break
        await turn_to(clock, target)
        for name, instant in following.items():
            if instant == target:
                made.jobs.look(name)
    await turn_to(clock, until)


async def all_runs(folder: Path, clock: TurnedClock) -> list[Run]:
    store = Store(folder / "nightshift.db", clock)
    await store.open()
    try:
        return await Ledger(store, clock).recent(limit=100_000)
    finally:
        await store.close()


def changes(zone: ZoneInfo) -> list[datetime]:
    """Return when that zone's clocks are changed in 2026; some day in spring where they are not."""
    hours = [at("2026-01-01 00:00") + n * HOUR for n in range(8760)]
    offsets = [(hour, hour.astimezone(zone).utcoffset()) for hour in hours]
    found = [now for (_, before), (now, after) in pairwise(offsets) if before != after]
    return found or [at("2026-03-29 01:00")]


def restarts(zone: ZoneInfo, chance: random.Random) -> list[tuple[datetime, datetime]]:
    """Return from when until when nothing runs: minutes to most of a day, each month and at each change."""
    off = []
    for change in changes(zone):
        off += [(edge, edge) for edge in (change - AROUND, change + AROUND)]
        off.append((change - chance.uniform(0, 3) * HOUR, change + chance.uniform(0, 4) * HOUR))
    for month in range(12):
        stops = at("2026-01-02 12:00") + chance.uniform(month * 30, month * 30 + 25) * DAY
        if not any(abs(stops - change) < AROUND + DAY for change in changes(zone)):
            off.append((stops, stops + chance.choice((0, 5, 50, 400, 1200)) * MINUTE))
    return sorted(off)


def local_days(runs: Sequence[Run], name: str, zone: ZoneInfo) -> list[date]:
    """Return the local day of each run of a job, in order, having seen that all were completed."""
    mine = [run for run in runs if run.job == name]
    assert {run.status for run in mine} == {RunStatus.COMPLETED}
    return sorted(run.scheduled_for.astimezone(zone).date() for run in mine if run.scheduled_for is not None)


def days_between(first: date, last: date) -> list[date]:
    return [first + n * DAY for n in range((last - first).days + 1)]


@pytest.mark.parametrize(
    "name", ["Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
)
async def test_in_a_year_with_restarts_each_job_runs_as_often_as_its_schedule_says(
    tmp_path: Path, name: str
) -> None:
    zone, chance = ZoneInfo(name), random.Random(name)  # noqa: S311 - when nothing runs
    begins, ends = datetime(2026, 1, 1, 12, tzinfo=zone), datetime(2027, 1, 1, 12, tzinfo=zone)
    clock, work = TurnedClock(begins), Quick()
    for stops, starts in [*restarts(zone, chance), (ends, ends)]:
        on = any(change - AROUND < stops <= change + AROUND for change in changes(zone))
        options = {} if on else {"six_a_day": "off"}
        async with crew(tmp_path, clock, *jobs(work), zone=zone, schedules=options) as made:
            await lived(made, clock, stops)
        await turn_to(clock, starts)
    runs = await all_runs(tmp_path, clock)
    days = days_between(date(2026, 1, 2), date(2027, 1, 1))
    for daily in DAILY:
        assert local_days(runs, daily, zone) == days
    assert local_days(runs, "sunday", zone) == [day for day in days if day.weekday() == 6]
    a_day = Counter(local_days(runs, "six_a_day", zone))
    for change in changes(zone):
        first, last = ((change + edge).astimezone(zone).date() for edge in (-AROUND, AROUND))
        assert [a_day[day] for day in days_between(first, last)[1:-1]] == [6] * (2 * AROUND.days - 1)
    assert len(work.runs) == len(runs)


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    ("before", "after", "moves"),
    [
        ("Europe/Amsterdam", "America/New_York", "2026-07-01 10:00"),
        ("America/New_York", "Australia/Lord_Howe", "2026-07-01 15:00"),
        ("Australia/Lord_Howe", "Asia/Kolkata", "2026-07-01 05:00"),
        ("Asia/Kolkata", "Europe/Amsterdam", "2026-07-01 06:00"),
    ],
)
async def test_who_moves_to_another_zone_has_each_job_once_a_day_of_the_zone_they_are_in(
    tmp_path: Path, before: str, after: str, moves: str, *, restarted: bool
) -> None:
    moment = at(moves)
    clock, work = TurnedClock(moment - 4 * DAY), Quick()
    zones = ZoneInfo(before), ZoneInfo(after)
    async with crew(tmp_path, clock, *jobs(work), zone=zones[0]) as made:
        await lived(made, clock, moment)
        if not restarted:
            await made.jobs.set_places([Place("home", zones[1])])
            await lived(made, clock, moment + 4 * DAY)
    if restarted:
        async with crew(tmp_path, clock, *jobs(work), zone=zones[1]) as made:
            await lived(made, clock, moment + 4 * DAY)
    runs = await all_runs(tmp_path, clock)
    assert len(work.runs) == len(runs)
    for daily in DAILY:
        due = [run.scheduled_for for run in runs if run.job == daily and run.scheduled_for is not None]
        days = sorted(instant.astimezone(zones[instant > moment]).date() for instant in due)
        assert days == days_between(days[0], days[-1])
        assert len(days) in {7, 8, 9}
