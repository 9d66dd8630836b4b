"""What is said of a run, whichever way it ended."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.announce.status import Standing, completion_message, event_message, state_message
from app.jobs.run import Run, RunStatus, Trigger

_AT = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
_END = datetime(2026, 11, 22, 2, 4, 31, 400_000, tzinfo=UTC)
_RUN = Run(
    run_id="r1",
    job="analysis",
    home="home",
    trigger=Trigger.SCHEDULE,
    status=RunStatus.COMPLETED,
    scheduled_for=_AT,
    started_at=_AT,
    completed_at=_END,
    duration_seconds=271.4321,
    counts={"patterns_detected": 14, "suggestions_generated": 5, "events": 9000},
)
_STANDING = Standing(running=False, last=None, next_run=_AT, paused=False, titles=[])


def _state(**changes: Any) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(state_message(replace(_STANDING, **changes)))
    return state


def test_the_end_of_a_run_is_told_in_full() -> None:
    assert json.loads(completion_message(_RUN)) == {
        "timestamp": "2026-11-22T02:04:31+00:00",
        "patterns_detected": 14,
        "suggestions_generated": 5,
        "duration_seconds": 271.4,
        "status": "completed",
        "run_id": "r1",
    }


def test_a_run_that_counted_nothing_is_told_with_zeros() -> None:
    cut_off = replace(_RUN, status=RunStatus.INTERRUPTED, counts={}, duration_seconds=None)
    message = json.loads(completion_message(cut_off))
    assert (message["patterns_detected"], message["suggestions_generated"]) == (0, 0)
    assert (message["duration_seconds"], message["status"]) == (0.0, "interrupted")


def test_before_the_first_night_it_is_idle_without_a_problem() -> None:
    state = _state()
    assert (state["status"], state["problem"], state["last_run"]) == ("idle", False, None)
    assert state["next_run"] == "2026-11-22T02:00:00+00:00"


@pytest.mark.parametrize(
    ("end", "status", "problem"),
    [
        (RunStatus.COMPLETED, "ok", False),
        (RunStatus.PARTIAL, "warning", True),
        (RunStatus.INTERRUPTED, "warning", True),
        (RunStatus.FAILED, "failed", True),
    ],
)
def test_the_status_is_how_the_last_run_ended(end: RunStatus, status: str, *, problem: bool) -> None:
    state = _state(last=replace(_RUN, status=end))
    assert (state["status"], state["problem"], bool(state["message"])) == (status, problem, problem)


def test_while_it_runs_it_is_running_and_the_problem_of_last_night_stays() -> None:
    state = _state(running=True, last=replace(_RUN, status=RunStatus.FAILED, error_message="no hub"))
    assert (state["status"], state["running"], state["problem"]) == ("running", True, True)
    assert state["message"] == "no hub"


def test_a_paused_job_has_no_next_run() -> None:
    state = _state(paused=True)
    assert (state["enabled"], state["next_run"]) == (False, None)


def test_only_five_short_titles_go_along() -> None:
    state = _state(titles=["long " * 100] * 40)
    assert state["pending"] == 40
    assert len(state["titles"]) == 5
    assert all(len(title) <= 120 for title in state["titles"])
    event = json.loads(event_message("created", ["long " * 100] * 40, "r1"))
    assert (event["count"], len(event["titles"])) == (40, 5)


def test_a_state_stays_small_enough_for_the_recorder_whatever_went_wrong() -> None:
    last = replace(_RUN, status=RunStatus.FAILED, error_message="ü" * 100_000)
    assert len(state_message(replace(_STANDING, last=last, titles=["ü" * 9_000] * 9)).encode()) < 4_000


def test_the_same_standing_gives_the_same_text() -> None:
    assert state_message(_STANDING) == state_message(replace(_STANDING, titles=[]))
