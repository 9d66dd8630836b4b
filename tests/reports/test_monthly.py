"""The monthly report: the month that is over, put together from its days."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from app.alerts.alert import Level
from app.reports.jobs import MONTHLY_REPORT
from app.reports.period import Period
from tests.reports.office import DAY, ZONE, local, office, section, told, water

FIRST = date(2026, 4, 1)


@pytest.mark.parametrize(
    ("morning", "first", "last"),
    [
        (date(2026, 5, 1), date(2026, 4, 1), date(2026, 4, 30)),
        (date(2026, 3, 1), date(2026, 2, 1), date(2026, 2, 28)),
        (date(2028, 3, 1), date(2028, 2, 1), date(2028, 2, 29)),
        (date(2026, 1, 31), date(2025, 12, 1), date(2025, 12, 31)),
    ],
)
def test_it_is_of_the_calendar_month_before(morning: date, first: date, last: date) -> None:
    period = Period.month_before(morning, ZONE)
    assert (period.first, period.last) == (first, last)
    assert period.before.last == first - DAY


async def test_a_month_is_summed_up_and_put_beside_the_one_before(tmp_path: Path) -> None:
    async with office(tmp_path) as desk:
        band = {"energy_low": 8.0, "energy_usual": 10.0, "energy_high": 12.0, "energy_hours": 24}
        for number in range(31):
            await desk.lived(date(2026, 3, 1) + number * DAY, events=1000, energy=10.0, **band)
        for number in range(30):
            day = FIRST + number * DAY
            energy = 15.0 if number == 7 else 9.0
            await desk.lived(day, events=1100 if number != 3 else 2600, energy=energy, **band)
            await desk.scored(day, 80 + number % 3, insight_id=f"i{number}")
        report = await desk.report(MONTHLY_REPORT)
        assert (report.report_id, report.first_day, report.last_day) == (
            "monthly-2026-04", FIRST, date(2026, 4, 30),
        )  # fmt: skip
        assert report.title == "Canal house: April 2026"
        assert told(section(report, "happened"))[:3] == [
            "State changes | 34,500 | 1,150 a day, 15 % more than in the month before",
            "Automations fired | 1,200",
            "Busiest day | Saturday 4 | 2,600 changes",
        ]
        assert told(section(report, "score")) == [
            "Home | 81 of 100 | mean of 30 days; lowest 80 on 1 Apr, highest 82 on 30 Apr"
        ]
        assert told(section(report, "energy")) == [
            "From the grid | 276 kWh | 8 % less a day than in the month before",
            "A day | 9.2 kWh | on average",
            "Days above the usual | 1 | 0 below, 29 within, of 30",
            "Most on a day | 15.0 kWh | Wednesday 8",
        ]
        assert (
            report.summary == "Home 81 of 100; 34,500 state changes; no alert noticed; 276 kWh from the grid."
        )


async def test_a_first_month_tells_since_when_it_was_counted(tmp_path: Path) -> None:
    async with office(tmp_path) as desk:
        for number in range(20, 30):
            await desk.lived(FIRST + number * DAY)
        items = told(section(await desk.report(MONTHLY_REPORT), "happened"))
        assert items[0] == "State changes | 10,000 | counted from 21 Apr 00:00 on"


async def test_alerts_are_counted_by_level_and_by_what_came_back_most(tmp_path: Path) -> None:
    async with office(tmp_path) as desk:
        door = water("door", Level.MEDIUM, title="Front door left open")
        for number in range(3):
            day = FIRST + number * 5 * DAY
            await desk.alerts_at(local(8, day=day), door)
            await desk.alerts_at(local(9, day=day), over=("door",))
        await desk.alerts_at(local(12, day=FIRST - DAY), water())
        await desk.alerts_at(local(2, day=FIRST), over=("water-cellar",))
        report = await desk.report(MONTHLY_REPORT)
        assert told(section(report, "alerts")) == [
            "Level medium | 3",
            "Front door left open | 3 times | 3 h in all",
            "Water in the cellar | 1 time | 2 h in all",
        ]
        assert "3 new alerts" in report.summary


async def test_days_that_were_not_measured_are_said_rather_than_filled_in(tmp_path: Path) -> None:
    async with office(tmp_path) as desk:
        for number in range(30):
            energy = {} if number < 10 else {"energy": 10.0, "energy_hours": 24}
            await desk.lived(FIRST + number * DAY, **energy)
        items = told(section(await desk.report(MONTHLY_REPORT), "energy"))
        assert items[0] == "From the grid | 200 kWh | of the 20 days that were measured"
        assert items[1] == "A day | 10.0 kWh | on average"
        assert timedelta(days=len(items)) == timedelta(days=3), "no days are judged that had no usual band"
