"""Schedules that options or the page move, switch off or give back; zones that change."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.clock import TurnedClock
from app.errors import InputError, StoreError
from app.jobs.agenda import ScheduleSetting
from app.jobs.announcements import JobChanged, RunSkipped
from app.jobs.due import Cron, Every
from app.jobs.places import Place
from app.jobs.run import RunStatus
from tests.jobs.crew import Quick, at, crew, job, turn_to, until

THREE = at("2026-03-10 02:00")
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock(at("2026-03-09 12:00"))


async def test_the_page_wins_over_the_options_and_they_over_the_declaration(
    tmp_path: Path, clock: TurnedClock
) -> None:
    async with crew(tmp_path, clock, job(Quick()), schedules={"analysis": "0 5 * * *"}) as made:
        jobs = made.jobs
        assert jobs.schedule("analysis") == ScheduleSetting("0 5 * * *", "options", "0 3 * * *", "0 5 * * *")
        await jobs.set_schedule("analysis", " every 6 hours ")
        assert jobs.schedule("analysis") == ScheduleSetting("every 6 hours", "page", "0 3 * * *", "0 5 * * *")
        assert jobs.when("analysis") == Every(6 * HOUR)
        assert jobs.next_run("analysis") == at("2026-03-09 18:00")
        assert [event.job for event in made.heard if isinstance(event, JobChanged)] == ["analysis"]
    async with crew(tmp_path, clock, job(Quick()), schedules={"analysis": "0 5 * * *"}) as made:
        assert made.jobs.schedule("analysis").text == "every 6 hours"
        await made.jobs.set_schedule("analysis", None)
        assert made.jobs.schedule("analysis").source == "options"
    async with crew(tmp_path, clock, job(Quick())) as made:
        assert made.jobs.schedule("analysis") == ScheduleSetting("0 3 * * *", "declared", "0 3 * * *", None)
        assert made.jobs.when("analysis") == Cron("0 3 * * *", "Europe/Paris")


@pytest.mark.parametrize(
    ("schedules", "said"),
    [
        ({"analyse": "off"}, "schedules: there is no job 'analyse'; there are: analysis"),
        ({"analysis": "at three"}, "schedules: analysis: 'at three' is no schedule"),
    ],
)
async def test_an_option_for_no_job_or_with_no_schedule_is_refused_in_one_line(
    tmp_path: Path, clock: TurnedClock, schedules: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        async with crew(tmp_path, clock, job(Quick()), schedules=schedules):
            pass


async def test_what_is_no_schedule_is_refused_and_changes_nothing(tmp_path: Path, clock: TurnedClock) -> None:
    async with crew(tmp_path, clock, job(Quick())) as made:
        for wrong in ("", "at three", "61 3 * * *", "every 0 days"):
            with pytest.raises(InputError, match=r"is no schedule .* or 'off'"):
                await made.jobs.set_schedule("analysis", wrong)
        with pytest.raises(InputError, match="there is no job"):
            await made.jobs.set_schedule("analyse", "off")
        assert made.jobs.next_run("analysis") == THREE


async def test_a_job_that_is_switched_off_does_not_start_by_itself_but_by_hand(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)) as made:
        await made.jobs.set_schedule("analysis", "off")
        assert made.jobs.when("analysis") is None
        assert made.jobs.next_run("analysis") is None
        await turn_to(clock, THREE + HOUR)
        made.jobs.look("analysis")
        await until(lambda: made.at_rest)
        assert work.runs == []
        await made.jobs.wait((await made.jobs.trigger("analysis")).run_id)
    async with crew(tmp_path, clock, job(work)) as made:
        assert made.jobs.next_run("analysis") is None
        await turn_to(clock, THREE + DAY + HOUR)
        await made.jobs.set_schedule("analysis", None)
        await until(lambda: made.at_rest)
    assert len(work.runs) == 1


async def test_what_is_switched_off_in_the_options_is_not_started_for_what_it_missed_before(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)):
        pass
    await turn_to(clock, THREE + 4 * HOUR)
    async with crew(tmp_path, clock, job(work), schedules={"analysis": "off"}) as made:
        assert await made.ledger.recent() == []
    async with crew(tmp_path, clock, job(work)) as made:
        await until(lambda: made.at_rest)
        assert await made.ledger.recent() == []


async def test_what_is_due_when_the_schedule_is_moved_still_runs_and_the_past_of_the_new_one_does_not(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)) as made:
        await turn_to(clock, THREE + timedelta(minutes=1))
        await made.jobs.set_schedule("analysis", "0 2 * * *")
        await until(lambda: made.ended() and made.at_rest)
        made.jobs.look("analysis")
        await until(lambda: made.at_rest)
        assert made.jobs.next_run("analysis") == at("2026-03-11 01:00")
    async with crew(tmp_path, clock, job(work)) as made:
        await until(lambda: made.at_rest)
    assert [run.scheduled_for for run in work.runs] == [THREE]


async def test_a_schedule_that_is_moved_does_not_wake_a_paused_job(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)) as made:
        await made.jobs.pause("analysis")
        await made.jobs.set_schedule("analysis", "0 4 * * *")
        assert made.jobs.is_paused("analysis")
    async with crew(tmp_path, clock, job(work), schedules={"analysis": "0 6 * * *"}) as made:
        await turn_to(clock, THREE + DAY)
        made.jobs.look("analysis")
        await until(lambda: made.at_rest)
        assert (made.jobs.next_run("analysis"), work.runs) == (None, [])
    with closing(sqlite3.connect(tmp_path / "clock.db")) as db:
        assert db.execute("SELECT id, next_run_time FROM apscheduler_jobs").fetchall() == [
            ("analysis home", None)
        ]


async def test_a_schedule_that_cannot_be_kept_is_not_in_force_either(
    tmp_path: Path, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with crew(tmp_path, clock, job(Quick())) as made:

        async def full(*_given: object) -> None:
            raise StoreError("the disk is full")

        with monkeypatch.context() as patched:
            patched.setattr(made.ledger, "set_schedule", full)
            with pytest.raises(StoreError):
                await made.jobs.set_schedule("analysis", "0 5 * * *")
        assert made.jobs.schedule("analysis").source == "declared"
        assert made.jobs.next_run("analysis") == THREE
        stored = made.jobs._dispatch.schedule._ticking().get_jobs()
        assert [row.trigger.when for row in stored] == [Cron("0 3 * * *", "Europe/Paris")]


async def test_a_clock_file_of_a_version_that_knew_no_homes_loses_no_overdue_run(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work = Quick()
    async with crew(tmp_path, clock, job(work)) as made:
        schedule = made.jobs._dispatch.schedule
        await schedule.reconcile({"analysis": Cron("0 3 * * *", "Europe/Paris")}, set())
    await turn_to(clock, THREE + 4 * HOUR)
    async with crew(tmp_path, clock, job(work, schedule="0 23 * * *")) as made:
        await until(lambda: work.runs and made.at_rest)
    assert [run.scheduled_for for run in work.runs] == [THREE]


async def test_a_home_that_is_new_has_missed_nothing_and_one_that_is_gone_runs_no_more(
    tmp_path: Path, clock: TurnedClock
) -> None:
    work, paris = Quick(), ZoneInfo("Europe/Paris")
    both = [Place("canal", paris), Place("loft", paris)]
    async with crew(tmp_path, clock, job(work), places=both[:1]) as made:
        await turn_to(clock, THREE - HOUR)
        await made.jobs.set_places(both)
        assert made.jobs.next_run("analysis", "loft") == THREE
        await turn_to(clock, THREE)
        made.jobs.look("analysis")
        await until(lambda: len(made.ended()) == 2 and made.at_rest)
        await made.jobs.set_places(both[1:])
        with pytest.raises(InputError, match="there is no home 'canal'; there are: loft"):
            made.jobs.next_run("analysis", "canal")
        await turn_to(clock, THREE + DAY)
        made.jobs.look("analysis")
        await until(lambda: len(made.ended()) == 3 and made.at_rest)
    assert [run.home for run in work.runs] == ["canal", "loft", "loft"]


@pytest.mark.parametrize("back", [False, True])
async def test_a_zone_that_changes_runs_each_instant_once_whichever_way(
    tmp_path: Path, clock: TurnedClock, *, back: bool
) -> None:
    zones = [ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York")]
    before, after = reversed(zones) if back else zones
    work = Quick()
    async with crew(tmp_path, clock, job(work), zone=before) as made:
        await turn_to(clock, THREE + timedelta(hours=5, minutes=1))
        made.jobs.look("analysis")
        await until(lambda: made.at_rest)
        await made.jobs.set_places([Place("home", after)])
        for hours in range(1, 49):
            await turn_to(clock, THREE + timedelta(hours=5 + hours, minutes=1))
            made.jobs.look("analysis")
            await until(lambda: made.at_rest)
        runs = await made.ledger.recent()
        assert not [event for event in made.heard if isinstance(event, RunSkipped)]
    assert {run.status for run in runs} == {RunStatus.COMPLETED}
    first = THREE if before.key == "Europe/Paris" else THREE + 5 * HOUR
    rest = THREE + DAY + (5 * HOUR if after.key == "America/New_York" else timedelta())
    assert [run.scheduled_for for run in reversed(runs)] == [first, rest, rest + DAY]
