"""The figures for Prometheus, read with the library's own parser."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import REGISTRY

from app.clock import TurnedClock
from app.jobs.context import RunContext
from app.jobs.spec import JobSpec, Subjects
from app.jobs.subject import Subject
from app.neighbours import NeighbourState
from tests.upkeep.house import House, house
from tests.upkeep.sights import NOW
from tests.upkeep.test_docs import DOCUMENT

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def _scraped(opened: House) -> Series:
    text = (await opened.metrics.render()).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _of(series: Series, name: str, **labels: str) -> float | None:
    return series.get((name, frozenset(labels.items())))


async def test_runs_and_durations_are_counted_by_job_and_status(tmp_path: Path) -> None:
    clock = TurnedClock(NOW)
    async with house(tmp_path, clock) as opened:
        before = await _scraped(opened)
        assert _of(before, "nightshift_runs_total", job="analysis", status="failed") == 0
        assert _of(before, "nightshift_job_last_run_timestamp_seconds", job="analysis") is None
        await opened.run()
        opened.nightly.error = "hub: no answer"
        await opened.run()
        await clock.turn(timedelta(seconds=2))
        after = await _scraped(opened)
        assert _of(after, "nightshift_runs_total", job="analysis", status="completed") == 1
        assert _of(after, "nightshift_runs_total", job="analysis", status="failed") == 1
        assert _of(after, "nightshift_run_duration_seconds_count", job="analysis") == 2
        assert _of(after, "nightshift_run_duration_seconds_bucket", job="analysis", le="0.1") == 2
        assert _of(after, "nightshift_run_duration_seconds_bucket", job="analysis", le="+Inf") == 2
        assert _of(after, "nightshift_job_failures_in_a_row", job="analysis") == 1
        assert _of(after, "nightshift_ledger_runs", job="analysis", status="failed") == 1
        assert _of(after, "nightshift_job_last_run_timestamp_seconds", job="analysis") == NOW.timestamp()
        assert (
            _of(after, "nightshift_job_last_completed_timestamp_seconds", job="analysis") == NOW.timestamp()
        )
        assert _of(after, "nightshift_cache_requests_total", job="analysis", result="hit") == 9
        assert _of(after, "nightshift_cache_requests_total", job="analysis", result="miss") == 1


async def test_counters_begin_anew_with_the_process_and_the_ledger_does_not(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await opened.run()
    async with house(tmp_path) as opened:
        series = await _scraped(opened)
        assert _of(series, "nightshift_runs_total", job="analysis", status="completed") == 0
        assert _of(series, "nightshift_ledger_runs", job="analysis", status="completed") == 1


async def test_subjects_and_what_waits_to_be_tried_again_are_counted(tmp_path: Path) -> None:
    async def people(_context: RunContext) -> list[Subject]:
        await asyncio.sleep(0)
        return [Subject("ann"), Subject("bob"), Subject("cho")]

    async def work(_context: RunContext, subject: Subject) -> None:
        await asyncio.sleep(0)
        if subject.subject_id == "bob":
            raise ValueError("no calendar")

    outlook = JobSpec(
        name="outlook",
        title="Outlook",
        description="Tells what the day brings.",
        schedule="0 6 * * *",
        subjects=Subjects(of=people, work=work),
    )
    async with house(tmp_path, None, outlook) as opened:
        await opened.run("outlook")
        series = await _scraped(opened)
        assert _of(series, "nightshift_subjects_total", job="outlook", outcome="successful") == 2
        assert _of(series, "nightshift_subjects_total", job="outlook", outcome="failed") == 1
        assert _of(series, "nightshift_retries", job="outlook", state="waiting") == 1
        assert _of(series, "nightshift_retries", job="outlook", state="dead") == 0
        assert _of(series, "nightshift_subjects_given_up_total", job="outlook") == 0


async def test_neighbours_and_health_are_there(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        opened.parts.neighbours.set("hub", NeighbourState.OK)
        opened.parts.neighbours.set("broker", NeighbourState.FAILED, "gone")
        opened.parts.neighbours.set("mail", NeighbourState.OFF)
        series = await _scraped(opened)
        assert _of(series, "nightshift_neighbour_up", neighbour="hub") == 1
        assert _of(series, "nightshift_neighbour_up", neighbour="broker") == 0
        assert _of(series, "nightshift_neighbour_up", neighbour="mail") is None
        assert _of(series, "nightshift_check_healthy", check="broker", job="") == 0
        assert _of(series, "nightshift_check_healthy", check="last_run", job="analysis") is None
        score = _of(series, "nightshift_health_score")
        assert score is not None
        assert 0 < score < 1
        assert _of(series, "nightshift_database_bytes")
        assert _of(series, "nightshift_disk_free_bytes")


async def test_a_paused_job_has_no_next_run(tmp_path: Path) -> None:
    clock = TurnedClock(NOW)
    async with house(tmp_path, clock) as opened:
        series = await _scraped(opened)
        following = opened.jobs.next_run("analysis")
        assert following is not None
        next_run = "nightshift_job_next_run_timestamp_seconds"
        assert _of(series, next_run, job="analysis") == following.timestamp()
        await opened.jobs.pause("analysis")
        await clock.turn(timedelta(seconds=2))
        series = await _scraped(opened)
        assert _of(series, next_run, job="analysis") is None
        assert _of(series, "nightshift_job_paused", job="analysis") == 1


async def test_what_many_scrape_at_once_is_made_once(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        pages = await asyncio.gather(*(opened.metrics.render() for _ in range(20)))
        assert len({id(page) for page in pages}) == 1


async def test_every_figure_is_documented_with_its_labels_and_nothing_else(tmp_path: Path) -> None:
    documented = {
        name: set(re.findall(r"`(\w+)`", labels))
        for name, labels in re.findall(r"^\| `(nightshift_\w+)` \| (.*?) ?\|", DOCUMENT, re.MULTILINE)
    }
    async with house(tmp_path) as opened:
        opened.parts.neighbours.set("hub", NeighbourState.OK)
        await opened.run()
        text = (await opened.metrics.render()).decode()
    ours, process = {}, set()
    for family in text_string_to_metric_families(text):
        name = family.name + ("_total" if family.type == "counter" else "")
        if family.name.startswith("process_"):
            process.add(name)
        else:
            ours[name] = {label for sample in family.samples for label in sample.labels} - {"le"}
    empty = {"nightshift_archive_age_seconds", "nightshift_scheduler_tick_age_seconds"}
    assert ours.keys() == documented.keys()
    assert {name: labels for name, labels in ours.items() if name not in empty} == {
        name: labels for name, labels in documented.items() if name not in empty
    }
    assert process == set(re.findall(r"`(process_\w+)`", DOCUMENT))


async def test_nothing_of_ours_is_in_the_librarys_global_registry(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await opened.metrics.render()
    assert not [family.name for family in REGISTRY.collect() if family.name.startswith("nightshift")]
