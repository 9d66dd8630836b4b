"""What the jobs' page says first: what ran last night, what went wrong, what to do."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.jobs.run import Run, RunStatus, SkippedBecause, Trigger
from app.jobs.subject import Retry
from app.neighbours import Neighbour, NeighbourState
from app.web.night import Mood
from app.web.overview import Overview, Standing, last_evening, tell_overview

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NOON = datetime(2026, 3, 10, 11, tzinfo=UTC)
NIGHT = datetime(2026, 3, 10, 2, tzinfo=UTC)
HUB = Neighbour("hub", NeighbourState.OK, "", NOON)


def run(status: RunStatus = RunStatus.COMPLETED, **changes: Any) -> Run:
    given: dict[str, Any] = {
        "run_id": "r1", "job": "analysis", "home": "home", "trigger": Trigger.SCHEDULE, "status": status,
        "scheduled_for": NIGHT, "started_at": NIGHT, "completed_at": NIGHT + timedelta(seconds=42),
        "duration_seconds": 42.0,
    }  # fmt: skip
    return Run(**{**given, **changes})


def standing(newest: Run | None, **changes: Any) -> Standing:
    given: dict[str, Any] = {
        "job": "analysis", "title": "Nightly analysis", "home_id": "home", "home": "", "newest": newest,
        "running": None, "following": NIGHT + timedelta(days=1), "paused": False, "failures": 0,
        "alert_after": 3,
    }  # fmt: skip
    return Standing(**{**given, **changes})


def retry(number: int, again: datetime | None = None) -> Retry:
    who, name = f"person.{number}", f"Person {number}"
    return Retry(number, "analysis", "home", who, name, "r1", NIGHT, 3, 3, "no", again, NIGHT)


def told(*standings: Standing, hub: Neighbour = HUB, now: datetime = NOON) -> Overview:
    return tell_overview(standings, hub, now, AMSTERDAM)


def test_a_good_night_has_nothing_wrong_and_nothing_to_do() -> None:
    said = told(standing(run(counts={"events": 1200})))
    assert (said.mood, said.title) == (Mood.GOOD, "Last night went well")
    assert [one.text for one in said.ran] == ["Today at 03:00: done in 42 s, 1,200 changes."]
    assert (said.wrong, said.to_do, said.attention) == ((), (), 0)
    assert said.next == "Next is Nightly analysis, tomorrow at 03:00."


def test_a_failure_is_said_with_its_reason_and_a_button() -> None:
    said = told(standing(run(RunStatus.FAILED, error_message="the hub is away"), failures=1))
    assert (said.mood, said.title, said.attention) == (Mood.FAILED, "Nightly analysis failed", 1)
    assert said.wrong[0].text == "Today at 03:00: The hub is away."
    assert said.to_do[0].text.startswith("Nightly analysis runs again tomorrow at 03:00.")
    assert (said.to_do[0].post, said.to_do[0].label) == ("api/jobs/analysis/run", "Run now")


def test_what_failed_too_often_is_not_only_waited_for() -> None:
    said = told(standing(run(RunStatus.FAILED), failures=3))
    assert "It failed 3 times in a row." in said.wrong[0].text
    assert "waiting has not helped" in said.to_do[0].text
    assert said.to_do[0].path == "runs/r1"


def test_what_is_tried_again_by_itself_needs_nobody() -> None:
    again = NOON + timedelta(minutes=10)
    said = told(standing(run(RunStatus.RETRYING, next_retry_at=again, error_message="away"), failures=1))
    assert (said.mood, said.attention) == (Mood.WARNING, 0)
    assert said.to_do[0].text == "Nothing yet: Nightly analysis is tried again today at 12:10."
    assert said.ran[0].text == "Today at 03:00: failed in 42 s."


def test_a_hub_that_is_away_is_looked_at_first() -> None:
    hub = Neighbour("hub", NeighbourState.FAILED, "nothing answers at hub:8123", NOON)
    said = told(standing(run(RunStatus.FAILED), failures=1), hub=hub)
    assert said.to_do[0].text == "Check that Home Assistant runs. Nothing answers at hub:8123."
    assert told(standing(run()), hub=hub).to_do == ()


def test_subjects_that_failed_are_told_apart_from_those_given_up() -> None:
    part = run(RunStatus.PARTIAL, error_message="2 failed", subjects_processed=3, subjects_successful=1)
    waiting = told(standing(part, retries=(retry(1, NOON + timedelta(hours=1)), retry(2, NOON))))
    assert waiting.title == "Nightly analysis is incomplete"
    assert waiting.to_do[0].text == "Nothing yet: the 2 that failed are tried again alone today at 12:00."
    dead = told(standing(run(), retries=tuple(retry(number) for number in range(5))))
    assert dead.title == "5 things were given up"
    assert dead.wrong[-1].text == "Person 0, Person 1 and Person 2 and 2 more: every try failed."
    assert dead.attention == 5
    assert dead.to_do[-1].path == "#retries"


def test_a_missed_run_is_wrong_and_did_not_run() -> None:
    missed = run(RunStatus.SKIPPED, details={"because": SkippedBecause.MISSED}, error_message="it was off")
    said = told(standing(missed))
    assert said.title == "Nightly analysis was missed"
    assert said.ran == ()


def test_what_a_person_cancelled_is_no_trouble() -> None:
    said = told(standing(run(RunStatus.INTERRUPTED, details={"cancelled": True})))
    assert said.wrong == ()
    assert said.ran[0].text == "Today at 03:00: cancelled in 42 s."


def test_a_job_that_runs_now_is_told_as_running_whatever_it_did_before() -> None:
    going = run(RunStatus.RUNNING, started_at=NOON, completed_at=None, duration_seconds=None)
    said = told(standing(run(RunStatus.FAILED), running=going, failures=1))
    assert (said.mood, said.title) == (Mood.WORKING, "Nightly analysis is running")
    assert said.ran[0].text == "Running since today at 12:00."


def test_paused_jobs_can_be_resumed_from_there() -> None:
    said = told(standing(run(), paused=True, following=None))
    assert (said.mood, said.title) == (Mood.WAITING, "All jobs are paused")
    assert said.to_do[0].post == "api/jobs/analysis/resume"
    assert said.next == "No run is planned."


def test_what_was_only_started_by_hand_was_no_night() -> None:
    assert told(standing(run(trigger=Trigger.MANUAL))).title == "All is well"


def test_a_fresh_house_says_that_nothing_ran_yet() -> None:
    said = told(standing(None))
    assert (said.mood, said.title) == (Mood.WAITING, "No job has run yet")


def test_a_weekly_job_that_was_not_due_is_no_news() -> None:
    old = NIGHT - timedelta(days=4)
    weekly = run(started_at=old, completed_at=old, scheduled_for=old)
    assert told(standing(weekly)).title == "Nothing ran last night, and nothing was due"
    failed = run(RunStatus.FAILED, started_at=old, completed_at=old, scheduled_for=old)
    assert told(standing(failed, failures=1)).title == "Nightly analysis failed"


def test_of_two_homes_each_is_named() -> None:
    said = told(
        standing(run(), home="Canal House"), standing(run(RunStatus.FAILED), home="Cabin", failures=1)
    )
    assert said.title == "Nightly analysis (Cabin) failed"
    assert [one.home_id for one in said.to_do] == ["home"]
    assert [one.title for one in said.ran] == ["Nightly analysis (Canal House)", "Nightly analysis (Cabin)"]
    both = told(*(standing(run(RunStatus.FAILED), home=name, failures=1) for name in ("A", "B")))
    assert both.title == "2 of 2 jobs did not go well"


def test_a_long_reason_does_not_fill_the_page() -> None:
    said = told(standing(run(RunStatus.FAILED, error_message="x" * 2000), failures=1))
    assert len(said.wrong[0].text) < 200


@pytest.mark.parametrize(
    ("now", "began"),
    [
        ("2026-03-10 12:00", "2026-03-09 18:00"),
        ("2026-03-10 23:30", "2026-03-09 18:00"),
        ("2026-03-11 01:00", "2026-03-09 18:00"),
        ("2026-03-11 06:30", "2026-03-10 18:00"),
        ("2026-03-29 12:00", "2026-03-28 18:00"),
    ],
)
def test_last_night_begins_on_its_evening_even_for_who_is_up_late(now: str, began: str) -> None:
    local = datetime.fromisoformat(now).replace(tzinfo=AMSTERDAM)
    assert last_evening(local.astimezone(UTC), AMSTERDAM) == datetime.fromisoformat(began).replace(
        tzinfo=AMSTERDAM
    )
