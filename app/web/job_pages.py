"""The room of the jobs: all of them, and each one. Every part is asked once and put into plain values."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from app.jobs.due import OFF
from app.jobs.run import Run
from app.jobs.spec import JobSpec
from app.jobs.subject import Retry
from app.web.charts import RunStrip, draw_durations, draw_strip
from app.web.frame import overview_of, show
from app.web.history import Kind, Moment, Row, kind_of, moment, row_of
from app.web.parts import PARTS, WebParts
from app.web.policy_words import policies_in_words
from app.web.schedules import DAYS, form_of, in_words
from app.web.states import Going, JobState, all_states, newest_told, state_of, zone_of_page
from app.web.week import Planned, Week, draw_week, tracks
from app.web.wording import counted, listed, remaining, sentence, when

_CHARTED_RUNS: Final = 60
_SHOWN_RUNS: Final = 30
_SHOWN_MISSED: Final = 3
_SOURCES: Final = {
    "page": "set on this page",
    "options": "set in Nightshift's options",
    "declared": "as Nightshift comes",
}


@dataclass(frozen=True, slots=True)
class HomeLine:
    """One home of a job that runs for several: when it runs next, and whether it runs now."""

    home_id: str
    name: str
    following: Moment | None
    is_running: bool


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as its card shows it; texts may be empty, and hostile."""

    name: str
    title: str
    description: str
    state: str
    """`running`, `paused`, `off`, `new`, or how its newest run looks."""
    said: str
    schedule: str
    paused: bool
    off: bool
    following: Moment | None
    wait: str
    again: bool
    """Whether the next run is another try of one that failed."""
    going: tuple[Going, ...]
    last: Row | None
    looked: Moment | None
    """When it last looked, where that was after its last result."""
    strip: RunStrip | None
    missed: str
    waiting: str
    odd: str
    homes: tuple[HomeLine, ...]


@dataclass(frozen=True, slots=True)
class RetryView:
    """A subject that failed: tried again at `next`, or given up when that is None. Texts may be hostile."""

    retry_id: int
    name: str
    title: str
    job: str
    run_id: str
    tries: str
    error: str
    next: Moment | None
    wait: str
    since: Moment


async def show_jobs(request: web.Request) -> web.Response:
    """GET /jobs: every job, what ran last night, what failed and what to do."""
    parts = request.app[PARTS]
    now, zone = parts.clock.now(), zone_of_page(parts)
    states = await all_states(parts)
    return await show(
        request,
        "jobs.html",
        room="jobs",
        states=states,
        context={
            "overview": overview_of(parts, states),
            "jobs": [view_of(parts, state, now, zone) for state in states],
            "week": await week_of(parts, states, now, zone),
            "tracks": tracks(),
            "retries": _retries(parts, [retry for state in states for retry in state.retries], now, zone),
        },
    )


async def show_job(request: web.Request) -> web.Response:
    """GET /jobs/{job}: one job with its runs, its schedule and what it stumbled over."""
    parts = request.app[PARTS]
    if (spec := parts.jobs.specs.get(request.match_info["job"])) is None:
        raise web.HTTPNotFound
    now, zone = parts.clock.now(), zone_of_page(parts)
    state = await state_of(parts, spec, _CHARTED_RUNS)
    setting = state.setting
    return await show(
        request,
        "job.html",
        room="jobs",
        context={
            "job": view_of(parts, state, now, zone),
            "durations": draw_durations(state.runs),
            "week": await week_of(parts, [state], now, zone),
            "tracks": tracks(),
            "rows": [row_of(run, parts.jobs.specs, now, zone) for run in state.runs[:_SHOWN_RUNS]],
            "retries": _retries(parts, state.retries, now, zone),
            "policies": policies_in_words(spec),
            "schedule": {
                "text": setting.text,
                "words": in_words(setting.text),
                "source": _SOURCES[str(setting.source)],
                "is_changed": str(setting.source) == "page",
                "before": in_words(setting.options or setting.declared),
                "form": form_of(setting.text),
                "days": DAYS,
            },
        },
    )


def _looked(state: JobState, last: Run | None, now: datetime, zone: ZoneInfo) -> Moment | None:
    """Return when it last looked and found nothing to write down."""
    at = state.looked_at
    if at is None or (last is not None and (last.completed_at or last.started_at) >= at):
        return None
    return moment(at, now, zone)


def view_of(parts: WebParts, state: JobState, now: datetime, zone: ZoneInfo) -> JobView:
    """Put how a job stands into what its card shows."""
    spec, off = state.spec, state.setting.text == OFF
    last = newest_told(state.runs)
    shape, said = _stands(state, off=off)
    several = len(state.standings) > 1
    return JobView(
        name=spec.name,
        title=spec.title,
        description=spec.description,
        state=shape,
        said=said,
        schedule=in_words(state.setting.text),
        paused=state.paused,
        off=off,
        following=moment(state.following, now, zone) if state.following else None,
        wait=remaining(state.following - now) if state.following else "",
        again=_is_another_try(parts, state, now),
        going=state.going,
        last=row_of(last, parts.jobs.specs, now, zone) if last else None,
        looked=_looked(state, last, now, zone),
        strip=draw_strip(state.runs),
        missed=_missed(state, now, zone),
        waiting=_waiting(state, now, zone),
        odd=chart.remark if (chart := draw_durations(state.runs)) else "",
        homes=tuple(
            HomeLine(
                one.home_id,
                one.home,
                moment(one.following, now, zone) if one.following else None,
                one.running is not None,
            )
            for one in state.standings
        )
        if several
        else (),
    )


def _is_another_try(parts: WebParts, state: JobState, now: datetime) -> bool:
    """Return whether it runs next at an instant that its schedule does not have."""
    if state.following is None:
        return False
    whens = [parts.jobs.when(state.spec.name, one.home_id) for one in state.standings]
    return state.following not in [due.next(now) for due in whens if due is not None]


def _stands(state: JobState, *, off: bool) -> tuple[str, str]:
    """Return how a job stands, as a shape's name and in a word or two."""
    if state.going:
        return Kind.RUNNING, "running"
    if state.paused:
        return "paused", "paused"
    if off:
        return "off", "off"
    last = newest_told(state.runs)
    if last is None:
        return "new", "not run yet"
    kind = kind_of(last)
    row = max((one.failures for one in state.standings), default=0)
    if kind is Kind.FAILED and row > 1:
        return kind, f"failed {row} times in a row"
    words = {Kind.DONE: "all well", Kind.RETRYING: "failed, tried again"}
    return kind, "cancelled" if last.cancelled else words.get(kind, _word(kind))


def _word(kind: Kind) -> str:
    return {Kind.PART: "incomplete", Kind.CUT: "cut short"}.get(kind, str(kind))


def _missed(state: JobState, now: datetime, zone: ZoneInfo) -> str:
    """Say which of the last runs were missed; "" when none was."""
    missed = [run for run in state.runs if kind_of(run) is Kind.MISSED]
    if not missed:
        return ""
    newest = [when(run.scheduled_for or run.started_at, now, zone) for run in missed[:_SHOWN_MISSED]]
    more = " and earlier" if len(missed) > _SHOWN_MISSED else ""
    of = counted(len(state.runs), "run", "runs")
    return f"Missed {len(missed)} of the last {of}: {', '.join(newest) if more else listed(newest)}{more}."


def _waiting(state: JobState, now: datetime, zone: ZoneInfo) -> str:
    """Say what is still tried again or was given up; "" when nothing is."""
    due = [retry.next_retry_at for retry in state.retries if retry.next_retry_at is not None]
    dead = sum(retry.dead for retry in state.retries)
    said = []
    if due:
        said.append(f"{len(due)} tried again, the next {when(min(due), now, zone)}")
    if dead:
        said.append(f"{dead} given up")
    return sentence("; ".join(said))


async def week_of(parts: WebParts, states: Sequence[JobState], now: datetime, zone: ZoneInfo) -> Week:
    """Draw when the jobs run in the coming week; the paused ones do not."""
    planned = [
        Planned(state.spec.title, due, _usual_seconds(state))
        for state in states
        for one in state.standings
        if not state.paused and (due := parts.jobs.when(state.spec.name, one.home_id)) is not None
    ]
    return await asyncio.to_thread(draw_week, planned, now, zone)


def _usual_seconds(state: JobState) -> float | None:
    """Return the middle one of the durations of its last good runs."""
    took = sorted(
        run.duration_seconds
        for run in state.runs
        if run.duration_seconds is not None and kind_of(run) in {Kind.DONE, Kind.PART}
    )
    return took[len(took) // 2] if took else None


def _retries(
    parts: WebParts, retries: Sequence[Retry], now: datetime, zone: ZoneInfo
) -> Mapping[str, list[RetryView]]:
    """Return the retry queue as it is shown: what was given up, and what is tried again, the next first."""
    dead = sorted((one for one in retries if one.dead), key=lambda one: one.created_at, reverse=True)
    waiting = sorted((one for one in retries if not one.dead), key=lambda one: one.next_retry_at or now)
    return {
        "dead": [_retry(parts.jobs.specs, one, now, zone) for one in dead],
        "waiting": [_retry(parts.jobs.specs, one, now, zone) for one in waiting],
    }


def _retry(specs: Mapping[str, JobSpec], retry: Retry, now: datetime, zone: ZoneInfo) -> RetryView:
    spec = specs.get(retry.job)
    again = retry.next_retry_at
    return RetryView(
        retry_id=retry.retry_id,
        name=retry.name or retry.subject_id,
        title=spec.title if spec else retry.job,
        job=retry.job,
        run_id=retry.run_id,
        tries=f"Tried again {retry.retry_count} of {retry.max_retries} times",
        error=sentence(retry.last_error),
        next=moment(again, now, zone) if again else None,
        wait=remaining(again - now) if again else "",
        since=moment(retry.created_at, now, zone),
    )
