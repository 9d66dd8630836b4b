"""The page Reports: what was made, the newest first, and one report, to be read or printed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from app.reports.jobs import DAILY_REPORT, MONTHLY_REPORT
from app.reports.period import Period
from app.reports.report import Report, ReportKind
from app.web.frame import show
from app.web.history import Moment, moment
from app.web.parts import PARTS, WebParts
from app.web.reports_api import REPORTS
from app.web.states import zone_of_page

_SHOWN: Final = {ReportKind.DAILY: 45, ReportKind.MONTHLY: 24}
_JOBS: Final = {ReportKind.DAILY: DAILY_REPORT, ReportKind.MONTHLY: MONTHLY_REPORT}
_TITLES: Final = {ReportKind.DAILY: "Day by day", ReportKind.MONTHLY: "Month by month"}


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One report in the list; its summary may be hostile."""

    path: str
    title: str
    summary: str
    made: Moment


@dataclass(frozen=True, slots=True)
class Shelf:
    """The reports of one kind, the newest first, and the job that makes them."""

    kind: ReportKind
    title: str
    lines: tuple[ReportLine, ...]
    job: str
    """"" where no such job is declared."""
    following: Moment | None
    going: bool


async def show_reports(request: web.Request) -> web.Response:
    """GET /reports: all that were made."""
    parts, rooms = request.app[PARTS], request.app[REPORTS]
    now, zone = parts.clock.now(), zone_of_page(parts)
    shelves = []
    for kind, most in _SHOWN.items():
        found = await rooms.reports.recent(rooms.home_id, kind, limit=most)
        shelves.append(_shelf(parts, kind, found, now, zone))
    return await show(request, "reports.html", room="reports", context={"shelves": shelves})


async def show_report(request: web.Request) -> web.Response:
    """GET /reports/{report_id}: one report, with the ways to those before and after it."""
    parts, rooms = request.app[PARTS], request.app[REPORTS]
    report = await rooms.reports.get(rooms.home_id, request.match_info["report_id"])
    if report is None:
        raise web.HTTPNotFound
    before, after = await rooms.reports.around(report)
    return await show(
        request,
        "report.html",
        room="reports",
        context={
            "report": report,
            "days": _days(report, zone_of_page(parts)),
            "made": moment(report.generated_at, parts.clock.now(), zone_of_page(parts)),
            "before": _path(before),
            "after": _path(after),
        },
    )


def _shelf(parts: WebParts, kind: ReportKind, found: list[Report], now: datetime, zone: ZoneInfo) -> Shelf:
    job = _JOBS[kind] if _JOBS[kind] in parts.jobs.specs else ""
    following = parts.jobs.next_run(job) if job else None
    return Shelf(
        kind=kind,
        title=_TITLES[kind],
        lines=tuple(
            ReportLine(
                _path(one.report_id), _days(one, zone), one.summary, moment(one.generated_at, now, zone)
            )
            for one in found
        ),
        job=job,
        following=moment(following, now, zone) if following else None,
        going=bool(job) and parts.jobs.running(job) is not None,
    )


def _days(report: Report, zone: ZoneInfo) -> str:
    """Return what days it is about; whose home it is stands over the page already."""
    return Period(report.kind, report.first_day, report.last_day, zone).named


def _path(report_id: str | None) -> str:
    return f"reports/{report_id}" if report_id else ""
