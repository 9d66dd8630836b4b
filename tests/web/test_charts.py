"""The drawings of runs: a shape for each kind, the usual range, and what is far from it."""

from datetime import UTC, datetime, timedelta

import pytest

from app.jobs.run import Run, RunStatus, SkippedBecause, Trigger
from app.web.charts import Durations, draw_durations, draw_strip, shape_of, usual_range
from app.web.history import Kind, kind_of

START = datetime(2026, 3, 1, 3, tzinfo=UTC)


def run(
    number: int, status: RunStatus = RunStatus.COMPLETED, seconds: float | None = 40.0, **more: object
) -> Run:
    at = START + timedelta(days=number)
    given: dict[str, object] = {
        "run_id": f"r{number}", "job": "analysis", "home": "home", "trigger": Trigger.SCHEDULE,
        "status": status, "scheduled_for": at, "started_at": at, "duration_seconds": seconds,
    }  # fmt: skip
    return Run(**{**given, **more})  # type: ignore[arg-type] # the fields are named above


def drawn(seconds: list[float]) -> Durations:
    """Draw good runs that took so long, the newest last."""
    chart = draw_durations([run(number, seconds=took) for number, took in enumerate(seconds)][::-1])
    assert chart
    return chart


def test_every_kind_has_a_shape_of_its_own() -> None:
    shapes = [shape_of(kind) for kind in Kind]
    assert len(set(shapes)) == len(list(Kind))


@pytest.mark.parametrize("status", list(RunStatus))
def test_every_status_has_a_kind(status: RunStatus) -> None:
    assert kind_of(run(0, status))


def test_a_missed_run_is_told_from_one_that_was_passed_over() -> None:
    missed = run(0, RunStatus.SKIPPED, details={"because": SkippedBecause.MISSED})
    paused = run(1, RunStatus.SKIPPED, details={"because": SkippedBecause.PAUSED})
    strip = draw_strip([paused, missed])
    assert strip
    assert [kind for kind, _ in strip.paths] == [Kind.MISSED, Kind.SKIPPED]
    assert strip.said == "The last 2 runs, oldest first: 1 missed and 1 skipped."


def test_the_strip_shows_the_newest_thirty() -> None:
    strip = draw_strip([run(number) for number in range(40)])
    assert strip
    assert strip.said == "The last 30 runs, oldest first: 30 done."
    assert draw_strip([]) is None


def test_few_runs_have_no_usual_range() -> None:
    assert usual_range([40.0] * 7) is None
    assert drawn([40.0, 41.0]).band is None
    assert draw_durations([run(0)]) is None


def test_the_usual_range_is_from_the_tenth_to_the_ninetieth_percentile() -> None:
    assert usual_range([float(number) for number in range(1, 12)]) == (2.0, 10.0)
    chart = drawn([38.0, 39.0, 40.0, 41.0, 42.0] * 4)
    assert chart.usual == "38 s to 42 s"
    assert chart.band
    assert chart.remark == ""
    assert chart.odd == ""


def test_a_drop_in_duration_is_drawn_hollow_and_told() -> None:
    chart = drawn([40.0] * 20 + [2.0])
    assert chart.odd.count("M") == 2
    assert chart.remark.startswith("The last run took 2.0 s; usually it takes 40 s.")


def test_a_quick_run_that_a_person_started_is_no_drop() -> None:
    by_hand = run(20, seconds=2.0, trigger=Trigger.MANUAL)
    chart = draw_durations([by_hand, *(run(number) for number in range(20))])
    assert chart
    assert chart.remark == ""
    assert chart.odd


def test_a_run_that_took_far_longer_is_told_and_does_not_flatten_the_others() -> None:
    chart = drawn([40.0] * 20 + [4000.0])
    assert chart.longest == "1 h 6 min"
    assert chart.cut
    assert "what it waits for" in chart.remark
    assert chart.band
    assert chart.band[0] < 70


def test_of_what_takes_no_time_nothing_is_odd() -> None:
    assert drawn([0.02] * 20 + [0.2]).remark == ""


def test_a_run_that_failed_is_no_drop_and_has_a_cross() -> None:
    runs = [run(21, RunStatus.FAILED, 1.0), *(run(number) for number in range(20))]
    chart = draw_durations(runs)
    assert chart
    assert chart.remark == ""
    assert chart.bad
    assert chart.usual == "40 s"


def test_what_did_not_run_has_no_bar() -> None:
    chart = draw_durations([run(3, RunStatus.SKIPPED, 0.0), run(2, RunStatus.RUNNING, None), run(1), run(0)])
    assert chart
    assert chart.runs == 2
