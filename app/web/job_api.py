"""The API of the jobs and of what they stumbled over: thin handlers that ask the runner and answer JSON."""

import json
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, Final

from aiohttp import web

from app.errors import InputError
from app.jobs.run import AlreadyRunningError, Run
from app.jobs.spec import JobSpec
from app.web.failures import error_json
from app.web.parts import PARTS, WebParts
from app.web.schedules import preview, read_schedule
from app.web.shapes import (
    job_json,
    log_json,
    progress_json,
    retry_json,
    run_json,
    setting_json,
    subject_json,
)
from app.web.states import all_states, state_of, tries_of, zone_of_page

MOST_RUNS: Final = 200
_MOST_RETRIES: Final = 1000
_LOG_LINES: Final = 500
_ASKED: Final = frozenset({"home", "person", "date", "force"})


async def jobs(request: web.Request) -> web.Response:
    """List every job: what it does, when it runs next, how it last ended, whether it is paused."""
    parts = request.app[PARTS]
    return web.json_response([job_json(state) for state in await all_states(parts)])


async def job(request: web.Request) -> web.Response:
    """Tell one job: as in the list, with its declaration, its schedule and what is tried again."""
    return await _told(request, known_job(request))


async def run(request: web.Request) -> web.Response:
    """Start a job now, paused or not."""
    parts, spec = request.app[PARTS], known_job(request)
    asked = await given(request, _ASKED)
    day = _day(asked.get("date"))
    return await started(
        lambda: parts.jobs.trigger(
            spec.name,
            home=_text(asked, "home"),
            person=_text(asked, "person"),
            day=day,
            force=_flag(asked, "force"),
        ),
        spec.title,
    )


async def pause(request: web.Request) -> web.Response:
    """Stop a job from being started by the clock, until it is resumed; restarts don't change that."""
    spec = known_job(request)
    await request.app[PARTS].jobs.pause(spec.name)
    return await _told(request, spec)


async def resume(request: web.Request) -> web.Response:
    """Let the clock start a job again."""
    spec = known_job(request)
    await request.app[PARTS].jobs.resume(spec.name)
    return await _told(request, spec)


async def set_schedule(request: web.Request) -> web.Response:
    """Set when a job runs; null brings back what the options, or else its declaration, say."""
    spec = known_job(request)
    asked = await given(request, frozenset({"schedule"}))
    if "schedule" not in asked:
        raise InputError('give {"schedule": "0 3 * * *"}, or null for the one it came with')
    await request.app[PARTS].jobs.set_schedule(spec.name, read_schedule(asked["schedule"]))
    return await _told(request, spec)


async def job_runs(request: web.Request) -> web.Response:
    """List a job's runs, the newest first."""
    spec = known_job(request)
    limit = number(request, "limit", 1, MOST_RUNS, 30)
    found = await request.app[PARTS].ledger.recent(spec.name, limit, request.query.get("home"))
    return web.json_response([run_json(one) for one in found])


async def schedule(request: web.Request) -> web.Response:
    """Say what a schedule means before it is set: in words, and its next five runs in the home's zone."""
    parts = request.app[PARTS]
    text = read_schedule(request.query.get("text", ""))
    return web.json_response(preview(text or "", parts.clock.now(), zone_of_page(parts)))


async def runs(request: web.Request) -> web.Response:
    """List past runs, the newest first."""
    limit = number(request, "limit", 1, MOST_RUNS, 30)
    wanted = request.query.get("job") or None
    found = await request.app[PARTS].ledger.recent(wanted, limit)
    return web.json_response([run_json(one) for one in found])


async def one_run(request: web.Request) -> web.Response:
    """Tell one run whole: its subjects, its log, and the tries it belongs to."""
    parts = request.app[PARTS]
    if (found := await parts.ledger.get(request.match_info["run_id"])) is None:
        return error_json(404, "No such run.")
    current = parts.jobs.running(found.job, found.home) if found.job in parts.jobs.specs else None
    going = current is not None and current.run_id == found.run_id
    progress = parts.jobs.progress(found.job, found.home) if going else None
    return web.json_response(
        {
            **run_json(found),
            "details": dict(found.details),
            "progress": progress_json(progress) if progress else None,
            "subjects": [subject_json(one) for one in await parts.results.of(found.run_id)],
            "tries": [run_json(one) for one in await tries_of(parts, found)],
            "log": [log_json(line) for line in await parts.log.lines(found.run_id, -1, _LOG_LINES)],
        }
    )


async def run_log(request: web.Request) -> web.Response:
    """Give a run's log lines after the one with that number; -1 is from the first."""
    parts = request.app[PARTS]
    after = number(request, "after", -1, 10**9, -1)
    limit = number(request, "limit", 1, _LOG_LINES, _LOG_LINES)
    run_id = request.match_info["run_id"]
    if await parts.ledger.get(run_id) is None:
        return error_json(404, "No such run.")
    return web.json_response([log_json(line) for line in await parts.log.lines(run_id, after, limit)])


async def cancel(request: web.Request) -> web.Response:
    """End a run that is going on; what it had not finished is thrown away."""
    parts = request.app[PARTS]
    found = await parts.ledger.get(request.match_info["run_id"])
    if found is None:
        return error_json(404, "No such run.")
    if not await parts.jobs.cancel(found.run_id):
        return error_json(409, f"That run is not going on: it is {found.status}.")
    return web.json_response({"run_id": found.run_id}, status=202)


async def retries(request: web.Request) -> web.Response:
    """List what failed and is tried again alone, and what was given up."""
    found = await request.app[PARTS].queue.all(request.query.get("job") or None)
    return web.json_response([retry_json(one) for one in found[:_MOST_RETRIES]])


async def try_again(request: web.Request) -> web.Response:
    """Try again now what failed or was given up."""
    parts, retry_id = request.app[PARTS], _retry_id(request)
    if not any(one.retry_id == retry_id for one in await parts.queue.all()):
        return error_json(404, "That is in the queue no more.")
    return await started(lambda: parts.jobs.retry_subject(retry_id), "It")


async def dismiss(request: web.Request) -> web.Response:
    """Forget what failed or was given up."""
    retry_id = _retry_id(request)
    if not await request.app[PARTS].jobs.dismiss_subject(retry_id):
        return error_json(404, "That is in the queue no more.")
    return web.json_response({"retry_id": retry_id})


async def started(start: Callable[[], Awaitable[Run]], what: str) -> web.Response:
    """Start a run: 202 with it, or 409 with the one that goes on already."""
    try:
        return web.json_response(run_json(await start()), status=202)
    except AlreadyRunningError as error:
        return error_json(409, f"{what} is running already.", **run_json(error.run))


def known_job(request: web.Request) -> JobSpec:
    """Return the job that the address names. Raises HTTPNotFound."""
    if (spec := request.app[PARTS].jobs.specs.get(request.match_info["job"])) is None:
        raise web.HTTPNotFound
    return spec


async def given(request: web.Request, known: frozenset[str]) -> dict[str, Any]:
    """Return the JSON object that was sent, empty without a body. Raises InputError for anything else."""
    body = await request.read()
    if not body.strip():
        return {}
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise InputError("the body is no JSON") from None
    if not isinstance(asked, dict):
        raise InputError("the body has to be a JSON object")
    if unknown := asked.keys() - known:
        raise InputError(f"{min(unknown)[:40]!r} means nothing here; known are: {', '.join(sorted(known))}")
    return asked


def number(request: web.Request, name: str, least: int, most: int, default: int) -> int:
    """Return a whole number of the query. Raises InputError."""
    text = request.query.get(name, str(default))
    digits = text.removeprefix("-") if least < 0 else text
    if not (digits.isascii() and digits.isdigit() and least <= int(text[:12]) <= most):
        raise InputError(f"{name}: give a whole number from {least} to {most}")
    return int(text)


async def _told(request: web.Request, spec: JobSpec) -> web.Response:
    parts: WebParts = request.app[PARTS]
    state = await state_of(parts, spec)
    return web.json_response({**job_json(state), **setting_json(state.setting)})


def _text(asked: dict[str, Any], name: str) -> str | None:
    value = asked.get(name)
    if value is not None and (not isinstance(value, str) or len(value) > 200):
        raise InputError(f"{name}: give a text of at most 200 characters")
    return value or None


def _flag(asked: dict[str, Any], name: str) -> bool:
    value = asked.get(name, False)
    if not isinstance(value, bool):
        raise InputError(f"{name}: give true or false")
    return value


def _day(value: object) -> date | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise InputError("date: give a day such as 2026-01-31") from None


def _retry_id(request: web.Request) -> int:
    text = request.match_info["retry_id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise web.HTTPNotFound
    return int(text)
