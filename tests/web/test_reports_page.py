"""The page Reports: what was made, the newest first, and one report to be read."""

from datetime import date, timedelta
from pathlib import Path

from app.reports.report import ReportKind
from tests.web.house import local_house
from tests.web.morning import report
from tests.web.test_home_page import shown

MONDAY = date(2026, 3, 9)


async def test_before_the_first_it_says_when_reports_come(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (_, http):
        text = await shown(http, "/reports")
    assert "No report yet." in text
    assert "No month yet." in text


async def test_reports_are_listed_by_kind_the_newest_first(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        for ago in range(10):
            await opened.morning.wrote(report(MONDAY - timedelta(days=ago)))
        month = report(
            date(2026, 2, 1), ReportKind.MONTHLY, last_day=date(2026, 2, 28), report_id="monthly-2026-02"
        )
        await opened.morning.wrote(month)
        text = await shown(http, "/reports")
    assert text.index("Monday 9 March 2026") < text.index("Sunday 8 March 2026") < text.index("Older ones")
    assert 'href="reports/monthly-2026-02">February 2026' in text
    assert "Home health 82. 1 alert." in text


async def test_a_report_is_one_page_with_ways_to_its_neighbours(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        for ago in range(3):
            await opened.morning.wrote(report(MONDAY - timedelta(days=ago)))
        text = await shown(http, "/reports/daily-2026-03-08")
    assert '<h1 id="report-title">Sunday 8 March 2026</h1>' in text
    assert "<bdi>Water <script></bdi>" in text  # escaped on its way here
    assert "Nothing was measured." in text
    assert 'href="../reports/daily-2026-03-07"' in text
    assert 'href="../reports/daily-2026-03-09"' in text


async def test_no_text_of_a_report_breaks_out_of_it(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.morning.wrote(report(MONDAY))
        async with http.get("/reports/daily-2026-03-09", headers={"Accept": "text/html"}) as answer:
            text = await answer.text()
    assert "Water &lt;script&gt;" in text


async def test_a_report_that_is_not_there_is_answered_plainly(tmp_path: Path) -> None:
    async with (
        local_house(tmp_path) as (_, http),
        http.get("/reports/daily-2020-01-01", headers={"Accept": "text/html"}) as answer,
    ):
        assert answer.status == 404
