"""The daily report: yesterday on one page, made once, whatever could not be read."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.alerts.alert import Level
from app.clock import to_ms
from app.errors import StoreError
from app.habits.offers.decision import Body, Verdict, Wish
from app.habits.offers.decisions import Decisions
from app.insights.insight import CategoryScore, MetricScore, Priority
from app.jobs.run import RunStatus
from app.reports import writer
from app.reports.period import Period
from tests.habits.offers.conftest import ANA, found
from tests.reports.office import (
    DAY,
    MORNING,
    YESTERDAY,
    ZONE,
    Office,
    advice,
    local,
    office,
    section,
    told,
    water,
)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as opened:
        yield opened


async def test_a_home_of_which_nothing_is_known_gets_a_report_that_says_so(desk: Office) -> None:
    report = await desk.report()
    assert report.report_id == "daily-2026-05-02"
    assert (report.first_day, report.last_day) == (YESTERDAY, YESTERDAY)
    assert report.title == "Canal house: Saturday 2 May 2026"
    assert [one.key for one in report.sections] == [
        "issues", "score", "alerts", "happened", "automations", "energy", "response",
    ]  # fmt: skip
    assert all(one.empty and not one.items for one in report.sections)
    assert report.summary == "No alert noticed."


async def test_what_happened_is_compared_with_the_days_before(desk: Office) -> None:
    for number in range(1, 11):
        await desk.lived(YESTERDAY - number * DAY, events=900 + number)
    await desk.lived(YESTERDAY, events=1200, automations_fired=31)
    happened = section(await desk.report(), "happened")
    assert told(happened) == [
        "State changes | 1,200 | usually 905: the middle one of the 9 days before",
        "Automations fired | 31",
        "Kitchen | 120 | state changes in this area",
    ]


async def test_a_day_that_began_before_the_counting_is_not_counted(desk: Office) -> None:
    await desk.lived(YESTERDAY + DAY)
    happened = section(await desk.report(), "happened")
    assert (happened.items, happened.empty) == ((), "That day began before Nightshift counted.")


async def test_a_day_that_is_not_counted_to_its_end_says_so(desk: Office) -> None:
    await desk.lived(YESTERDAY - DAY)
    assert section(await desk.report(), "happened").empty == (
        "That day has not been counted yet: the statistics have come to 2 May 00:00."
    )
    await desk.lived(YESTERDAY)
    async with desk.store.writing() as db:
        await db.execute("UPDATE stat_mark SET counted_until = ?", (to_ms(local(14)),))
    report = await desk.report(force=True)
    assert told(section(report, "happened"))[0] == "State changes | 1,000 | counted only until 2 May 14:00"


async def test_alerts_are_told_the_worst_first_with_how_long_they_lasted(desk: Office) -> None:
    low = water("battery", Level.LOW, title="Low battery")
    await desk.alerts_at(local(9) - DAY, low)
    await desk.alerts_at(local(14), low, water())
    await desk.alerts_at(local(15, 30), low, over=("water-cellar",))
    await desk.alerts_at(local(3, day=YESTERDAY + DAY), low, water("early", title="After midnight"))
    report = await desk.report()
    assert told(section(report, "alerts")) == [
        "Water in the cellar | critical | 14:00 to 15:30",
        "Low battery | low | since 1 May 09:00, open at the end of the day",
    ]
    assert [item.level for item in section(report, "alerts").items] == ["critical", "low"]
    assert "2 alerts" in report.summary


async def test_what_is_open_again_says_since_when(desk: Office) -> None:
    await desk.alerts_at(local(9), water())
    await desk.alerts_at(local(10), over=("water-cellar",))
    await desk.alerts_at(local(14), water())
    report = await desk.report()
    assert told(section(report, "alerts")) == [
        "Water in the cellar | critical | open again since 14:00, first 09:00, 2 times"
    ]
    assert "since 2 May 14:00" in section(report, "issues").items[0].remark
    assert "open again" in section(report, "issues").items[0].remark


async def test_what_came_back_and_what_lasts_are_the_top_issues(desk: Office) -> None:
    flapping = water("door", Level.MEDIUM, title="Front door left open")
    for hour in (8, 10, 12):
        await desk.alerts_at(local(hour), flapping)
        await desk.alerts_at(local(hour, 30), over=("door",))
    await desk.alerts_at(local(20), water("freezer", Level.HIGH, title="Freezer too warm"))
    await desk.scored(YESTERDAY + DAY, recommendations=(advice(),))
    await desk.watched()
    report = await desk.report()
    assert told(section(report, "issues")) == [
        "Look at the cellar | critical | 1 open critical alert",
        "Freezer too warm | high | since 2 May 20:00, not over yet",
        "Front door left open | medium | came back 2 times",
        "Lamp at dusk | low | undone by people 2 of 3 times",
    ]
    assert [item.level for item in section(report, "issues").items] == ["critical", "high", "medium", "low"]
    assert report.summary == "Home 82 of 100; 2 alerts; 4 things to look at."


async def test_a_job_that_failed_goes_by_its_title(desk: Office) -> None:
    async with desk.store.writing() as db:
        await db.execute(
            "INSERT INTO job_run (run_id, job, home, trigger, status, started_at, completed_at, generation)"
            " VALUES ('r', 'monthly_report', 'home', 'schedule', 'failed', ?, ?, 'g')",
            (to_ms(local(4)), to_ms(local(4))),
        )
    items = told(section(await desk.report(), "issues"))
    assert items == ["The job “Monthly report” failed | medium | 1 time: see the page Jobs"]


async def test_advice_that_can_wait_is_no_top_issue(desk: Office) -> None:
    await desk.scored(YESTERDAY + DAY, recommendations=(advice(Priority.MEDIUM),))
    assert section(await desk.report(), "issues").items == ()


async def test_the_score_is_that_of_the_morning_and_says_what_it_rests_on(desk: Office) -> None:
    await desk.scored(YESTERDAY, 50)
    await desk.scored(YESTERDAY + DAY, 82, confidence=0.75, stale_since=local(6))
    assert told(section(await desk.report(), "score")) == [
        "Home | 82 of 100 | from 75 % of what it is made of, from earlier readings: Home Assistant was away",
        "Safety | 82 | 35% of Home",
    ]


async def test_a_score_that_could_not_be_found_is_not_made_up(desk: Office) -> None:
    await desk.scored(YESTERDAY + DAY, None, confidence=0.0)
    assert told(section(await desk.report(), "score")) == [
        "Home | not known yet | too little is known: 0 % of what it is made of"
    ]


async def test_a_score_of_which_too_little_is_known_is_no_number_and_names_what_is_missing(
    desk: Office,
) -> None:
    lacking = [MetricScore(key=f"m{n}", title=f"Metric {n}", weight=0.25, missing="Gone.") for n in range(4)]
    part = CategoryScore(key="all", title="All", weight=1, score=None, metrics=tuple(lacking))
    await desk.scored(YESTERDAY + DAY, 98, confidence=0.3, health_breakdown=(part,))
    report = await desk.report()
    assert told(section(report, "score")) == [
        (
            "Home | not known yet | too little is known: 30 % of what it is made of;"
            " missing Metric 0, Metric 1, Metric 2 and 1 more"
        )
    ]
    assert "Home not known yet" in report.summary
    assert "98" not in report.summary


@pytest.mark.parametrize(
    ("kwh", "hours", "remark"),
    [
        (14.0, 24, "40 % more than the usual 10.0 kWh"),
        (10.4, 24, "as usual"),
        (6.0, 24, "40 % less than the usual 10.0 kWh"),
        (6.0, 23, "hours of the day are missing"),
    ],
)
async def test_energy_is_put_against_the_usual(desk: Office, kwh: float, hours: int, remark: str) -> None:
    band = {"energy_low": 8.0, "energy_usual": 10.0, "energy_high": 12.0}
    await desk.lived(YESTERDAY, energy=kwh, energy_hours=hours, **band)
    assert told(section(await desk.report(), "energy")) == [
        f"From the grid | {kwh:.1f} kWh | {remark}",
        "Usual | 8.0 kWh to 12.0 kWh | eight in ten weekend days of the six weeks before",
    ]


async def test_without_a_past_nothing_is_called_usual(desk: Office) -> None:
    await desk.lived(YESTERDAY, energy=123.4, energy_hours=24)
    assert told(section(await desk.report(), "energy")) == [
        "From the grid | 123 kWh | too few such days before to say what is usual"
    ]


async def test_what_no_night_has_gone_over_is_not_called_nothing(desk: Office) -> None:
    assert section(await desk.report(), "automations").empty.startswith("Not known yet")
    await desk.night(local(3))
    assert section(await desk.report(force=True), "automations").empty.startswith("Not known yet")
    await desk.night(local(3) + DAY)
    assert section(await desk.report(force=True), "automations").empty == "No automation changed anything."


async def test_what_automations_did_is_told_for_the_day_alone(desk: Office) -> None:
    await desk.night(local(3) + DAY)
    await desk.watched()
    await desk.watched(unique_id="u2", alias="Idle", days=[])
    assert told(section(await desk.report(), "automations")) == [
        "Lamp at dusk | acted 3 times | undone by people 2 times, done by hand 1 time"
    ]


async def test_offers_and_answers_are_told_with_the_time_they_took(desk: Office) -> None:
    def at(moment: datetime) -> None:
        desk.clock._now = moment

    at(local(4))
    await desk.sources.suggestions.replace(
        "home", "night", [(found(), ""), (found("hall", "light.hall"), "")]
    )
    at(local(9, 30))
    decisions = Decisions(desk.store, desk.bus, desk.clock)
    wish = Wish(verdict=Verdict.DECLINED, who=ANA, body=Body(suggestion=found()))
    await decisions.decide("home", wish)
    await desk.alerts_at(local(10), water())
    at(MORNING.astimezone(UTC) + timedelta(minutes=5))
    assert told(section(await desk.report(), "response")) == [
        "New suggestions | 2 | hall at 7:00; lamp at 7:00",
        "Decided | 1 | 1 declined",
        "Time to an answer | 5 h 30 min",
        "Waiting for an answer | 1 | now",
        "Alerts acknowledged | 0 of 1 new one",
    ]


async def test_a_report_is_made_once_and_announced_once(desk: Office) -> None:
    first = await desk.runs()
    assert (first.status, first.counts["reports"]) == (RunStatus.COMPLETED, 1)
    assert [one.report_id for one in desk.ready] == ["daily-2026-05-02"]
    assert (await desk.runs()).counts == {"reports": 0}
    await desk.lived(YESTERDAY)
    forced = await desk.runs(force=True)
    assert forced.counts["reports"] == 1
    assert len(desk.ready) == 1, "who wants it anew is looking at it; nobody else is told again"
    (kept,) = await desk.reports.recent("home")
    assert section(kept, "happened").items


async def test_one_that_a_crash_left_unannounced_is_announced_by_the_next_try(desk: Office) -> None:
    await desk.runs()
    async with desk.store.writing() as db:
        await db.execute("UPDATE report SET announced_at = NULL")
    assert (await desk.runs()).counts == {"reports": 0}
    assert len(desk.ready) == 2
    await desk.runs()
    assert len(desk.ready) == 2


async def test_a_section_that_cannot_be_read_spoils_no_other(
    desk: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> Any:
        raise StoreError("the disk is full")

    async def buggy(*_: Any) -> Any:
        raise KeyError("oh")

    monkeypatch.setitem(writer.SECTIONS, "Energy", broken)
    monkeypatch.setitem(writer.SECTIONS, "Alerts", buggy)
    await desk.lived(YESTERDAY)
    run = await desk.runs()
    assert run.status is RunStatus.PARTIAL
    (report,) = await desk.reports.recent("home")
    said = {one.title: one.empty for one in report.sections}
    assert said["Energy"] == "This could not be read: the disk is full."
    assert said["Alerts"] == "This could not be read: see the log."
    assert section(report, "happened").items


async def test_a_report_of_another_morning_can_be_asked_for(desk: Office) -> None:
    report = await desk.report(day=date(2026, 4, 20))
    assert report.report_id == "daily-2026-04-19"
    run = await desk.runs(day=date(2026, 5, 20))
    assert run.status is RunStatus.RETRYING or run.status is RunStatus.FAILED
    assert "is not over yet" in (run.error_message or "")


@pytest.mark.parametrize(
    ("morning", "day", "hours"),
    [
        (date(2026, 3, 30), date(2026, 3, 29), 23),
        (date(2026, 10, 26), date(2026, 10, 25), 25),
        (date(2026, 1, 1), date(2025, 12, 31), 24),
    ],
)
def test_a_day_is_the_homes_own_also_when_clocks_change(morning: date, day: date, hours: int) -> None:
    period = Period.day_before(morning, ZONE)
    assert period.first == day
    assert period.until.astimezone(UTC) - period.since.astimezone(UTC) == timedelta(hours=hours)


async def test_old_daily_reports_are_forgotten_and_monthly_ones_are_not(desk: Office) -> None:
    await desk.runs()
    await desk.runs("monthly_report")
    assert await desk.reporting.forget_old(MORNING) == 0
    assert await desk.reporting.forget_old(MORNING + timedelta(days=402)) == 1
    assert [one.report_id for one in await desk.reports.recent("home")] == ["monthly-2026-04"]
