"""The API of the reports: those that were made, one of them, and one as text or as it is mailed.

Thin handlers over `app.reports`; nothing here changes anything. A report is made by its job.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from app.errors import InputError
from app.reports.letter import letter_of, text_of
from app.reports.report import Report, ReportKind
from app.reports.reports import Reports
from app.web.endpoint import Endpoint
from app.web.failures import error_json
from app.web.job_api import number

_MOST: Final = 400


@dataclass(frozen=True, slots=True)
class ReportParts:
    """What these handlers ask. `zone` gives the home's."""

    home_id: str
    reports: Reports
    zone: Callable[[], ZoneInfo]


REPORTS: Final = web.AppKey("reports", ReportParts)


async def reports(request: web.Request) -> web.Response:
    """List the reports, the newest first, without sections: `?kind=daily&limit=30&before=2026-11-01`."""
    parts = request.app[REPORTS]
    found = await parts.reports.recent(
        parts.home_id,
        _kind(request.query.get("kind")),
        limit=number(request, "limit", 1, _MOST, 30),
        before=_day(request.query.get("before")),
    )
    return web.json_response([headline_json(one) for one in found])


async def latest(request: web.Request) -> web.Response:
    """Give the newest report whole: `?kind=daily`."""
    parts = request.app[REPORTS]
    found = await parts.reports.latest(parts.home_id, _kind(request.query.get("kind")))
    if found is None:
        return error_json(404, "There is no report yet: the first is made the morning after the first day.")
    return web.json_response(await whole_json(parts, found))


async def report(request: web.Request) -> web.Response:
    """Give one report whole, with the ids of the ones before and after it."""
    parts = request.app[REPORTS]
    found = await _asked(request)
    return _missing() if found is None else web.json_response(await whole_json(parts, found))


async def report_text(request: web.Request) -> web.Response:
    """Give one report as plain text."""
    found = await _asked(request)
    return _missing() if found is None else web.Response(text=text_of(found))


async def report_letter(request: web.Request) -> web.Response:
    """Give one report as JSON with the `subject`, `text` and `html` that are mailed."""
    parts = request.app[REPORTS]
    if (found := await _asked(request)) is None:
        return _missing()
    letter = await asyncio.to_thread(letter_of, found, parts.zone())
    # Not as a page: its inline styles are for mail programs, and this page's policy allows none.
    return web.json_response({"subject": letter.subject, "text": letter.text, "html": letter.html})


def report_endpoints() -> tuple[Endpoint, ...]:
    """Return the addresses of the reports."""
    one = "/api/reports/{report_id}"
    missing = {404: "No such report."}
    return (
        Endpoint(
            "GET",
            "/api/reports",
            reports,
            "The reports, the newest first, without their sections.",
            {200: "A list of reports.", 400: "A kind, a limit or a day that is none."},
            query=("kind", "limit", "before"),
        ),
        Endpoint(
            "GET",
            "/api/reports/latest",
            latest,
            "The newest report, whole.",
            {200: "The report.", 400: "A kind that is none.", 404: "There is none yet."},
            query=("kind",),
        ),
        Endpoint("GET", one, report, "One report, whole.", {200: "The report.", **missing}),
        Endpoint("GET", f"{one}/text", report_text, "One report as text.", {200: "Plain text.", **missing}),
        Endpoint(
            "GET",
            f"{one}/letter",
            report_letter,
            "One report as it is mailed.",
            {200: "Its subject, text and HTML.", **missing},
        ),
    )


def headline_json(found: Report) -> dict[str, Any]:
    """Return a report's JSON without its sections."""
    return found.model_dump(mode="json", exclude={"sections", "home_id"})


async def whole_json(parts: ReportParts, found: Report) -> dict[str, Any]:
    before, after = await parts.reports.around(found)
    plain = found.model_dump(mode="json", exclude={"home_id"})
    return {**plain, "before": before, "after": after}


async def _asked(request: web.Request) -> Report | None:
    parts = request.app[REPORTS]
    return await parts.reports.get(parts.home_id, request.match_info["report_id"])


def _missing() -> web.Response:
    return error_json(404, "There is no such report.")


def _kind(text: str | None) -> ReportKind | None:
    if not text:
        return None
    try:
        return ReportKind(text)
    except ValueError:
        raise InputError("kind: give daily or monthly") from None


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError("before: give a day such as 2026-11-01") from None
