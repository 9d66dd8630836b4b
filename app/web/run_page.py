"""The page of one run: how it went and why, its log, its subjects, the tries before and after it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from app.jobs.announcements import LogLine
from app.jobs.run import Run, RunStatus
from app.jobs.spec import JobSpec
from app.jobs.subject import SubjectResult, SubjectStatus
from app.web.frame import show
from app.web.history import Row, because_of, moment, row_of
from app.web.parts import PARTS, WebParts
from app.web.states import tries_of, zone_of_page
from app.web.wording import counted, date_text, duration, listed, remaining, sentence

_SHOWN_SUBJECTS: Final = 200
LOG_LINES: Final = 500


@dataclass(frozen=True, slots=True)
class SubjectView:
    """One subject of a run; `said` is why it failed, or what came of it. Texts may be hostile."""

    name: str
    failed: bool
    status: str
    took: str
    said: str


@dataclass(frozen=True, slots=True)
class Found:
    """Something that a run found to be wrong, and what to do about it; texts may be hostile."""

    title: str
    message: str
    advice: str


@dataclass(frozen=True, slots=True)
class LogView:
    """A line of the log: `at` is the second in the home's zone."""

    number: int
    iso: str
    at: str
    level: str
    text: str


async def show_run(request: web.Request) -> web.Response:
    """GET /runs/{run_id}: one run."""
    parts = request.app[PARTS]
    if (run := await parts.ledger.get(request.match_info["run_id"])) is None:
        raise web.HTTPNotFound
    now, zone = parts.clock.now(), zone_of_page(parts)
    specs = parts.jobs.specs
    subjects = await parts.results.of(run.run_id)
    going = run.status is RunStatus.RUNNING
    again = run.next_retry_at if run.status is RunStatus.RETRYING else None
    return await show(
        request,
        "run.html",
        room="jobs",
        context={
            "run": run,
            "row": row_of(run, specs, now, zone),
            "is_declared": run.job in specs,
            "running": run if going else None,
            "progress": parts.jobs.progress(run.job, run.home) if going else None,
            "because": because_of(run),
            "about": _about(run, zone),
            "again": moment(again, now, zone) if again else None,
            "wait": remaining(again - now) if again else "",
            "counts": _counts(run),
            "tries": await _tries(parts, run, specs, now, zone),
            "found": _found(run),
            "subjects": [_subject(one) for one in subjects[:_SHOWN_SUBJECTS]],
            "subjects_said": _subjects_said(run, subjects),
            "log": [_line(one, zone) for one in await parts.log.lines(run.run_id, -1, LOG_LINES)],
        },
    )


async def _tries(
    parts: WebParts, run: Run, specs: Mapping[str, JobSpec], now: datetime, zone: ZoneInfo
) -> list[tuple[Row, bool]]:
    """Return the tries as rows, each with whether it is this one; none for a run that was tried once."""
    tries = await tries_of(parts, run)
    if len(tries) < 2:
        return []
    return [(row_of(one, specs, now, zone), one.run_id == run.run_id) for one in tries]


def _about(run: Run, zone: ZoneInfo) -> str:
    """Return the day that a run is about where that is not the day on which it ran, else ""."""
    if run.occasion is None:
        return ""
    day = run.occasion.astimezone(zone).date()
    return date_text(day) if day != run.started_at.astimezone(zone).date() else ""


def _counts(run: Run) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), f"{count:,}") for name, count in run.counts.items()]


def _found(run: Run) -> list[Found]:
    """Return what a look found to be wrong (`sick` in its details); what is not as expected is left out."""
    given = run.details.get("sick")
    ones = given if isinstance(given, list) else []
    return [
        Found(*(sentence(str(one.get(part) or "")) for part in ("title", "message", "advice")))
        for one in ones
        if isinstance(one, Mapping)
    ]


def _subject(result: SubjectResult) -> SubjectView:
    failed = result.status is SubjectStatus.FAILED
    broken = [name.replace("_", " ") for name, held in result.checks.items() if not held]
    said = sentence(result.error)
    if broken:
        said = f"{said} Checked afterwards, and not so: {listed(broken)}.".strip()
    if not said:
        said = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in result.counts.items())
    return SubjectView(
        name=result.name or result.subject_id,
        failed=failed,
        status="failed" if failed else "done",
        took=duration(result.duration_seconds),
        said=said,
    )


def _subjects_said(run: Run, subjects: Sequence[SubjectResult]) -> str:
    """Return how many there are, and how many of them are not listed."""
    if not subjects:
        return ""
    failed = sum(one.status is SubjectStatus.FAILED for one in subjects)
    said = f"{counted(len(subjects), 'subject', 'subjects')}, {failed or 'none'} of them failed."
    if run.subjects_processed:
        said = f"{run.subjects_successful:,} of {run.subjects_processed:,} went well."
    if len(subjects) > _SHOWN_SUBJECTS:
        said += f" The first {_SHOWN_SUBJECTS} are listed, those that failed first."
    return said


def _line(line: LogLine, zone: ZoneInfo) -> LogView:
    at = line.at.astimezone(zone).strftime("%H:%M:%S")
    return LogView(line.number, line.at.isoformat(), at, line.level.lower(), line.text)
