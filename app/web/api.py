"""The REST API: thin handlers that ask a capability and answer JSON. `endpoints` lists them all."""

from typing import Any, Final

from aiohttp import web

from app import __version__
from app.errors import InputError
from app.habits.nightly import ANALYSIS
from app.habits.suggestions import Offered
from app.jobs.run import AlreadyRunningError, Run, RunStatus
from app.web.automation import as_yaml
from app.web.failures import error_json
from app.web.parts import PARTS, WebParts
from app.web.shapes import offered_json, progress_json, run_json

_MOST_RUNS: Final = 200


async def health(_request: web.Request) -> web.Response:
    """Answer that the process lives; its neighbours are another matter."""
    return web.json_response({"status": "ok", "version": __version__})


async def trigger(request: web.Request) -> web.Response:
    """Start the analysis now."""
    try:
        run = await request.app[PARTS].jobs.trigger(ANALYSIS)
    except AlreadyRunningError as error:
        return error_json(409, "The analysis is running already.", **run_json(error.run))
    return web.json_response(run_json(run), status=202)


async def status(request: web.Request) -> web.Response:
    """Tell whether the analysis runs, how far it is, how it last ended and when it runs next."""
    parts = request.app[PARTS]
    progress = parts.jobs.progress(ANALYSIS)
    running = await parts.ledger.running(ANALYSIS)
    last = await last_ended(parts, ANALYSIS)
    following = parts.jobs.next_run(ANALYSIS)
    return web.json_response(
        {
            "is_running": running is not None,
            "running": run_json(running) if running else None,
            "progress": progress_json(progress) if progress and running else None,
            "last_run": run_json(last) if last else None,
            "next_run": following.isoformat() if following else None,
            "paused": parts.jobs.is_paused(ANALYSIS),
        }
    )


async def suggestions(request: web.Request) -> web.Response:
    """List what is on offer."""
    return web.json_response([offered_json(one) for one in await offered_now(request.app[PARTS])])


async def automation_yaml(request: web.Request) -> web.Response:
    """Give a suggestion's automation as YAML, as Home Assistant's editor takes it."""
    wanted = request.match_info["id"]
    for one in await offered_now(request.app[PARTS]):
        if one.suggestion.id == wanted:
            return web.Response(
                text=as_yaml(one.suggestion.automation), content_type="application/yaml", charset="utf-8"
            )
    return error_json(404, "No such suggestion is on offer.")


async def runs(request: web.Request) -> web.Response:
    """List past runs, the newest first."""
    limit = _limit(request.query.get("limit", "30"))
    job = request.query.get("job") or None
    found = await request.app[PARTS].ledger.recent(job, limit)
    return web.json_response([run_json(run) for run in found])


async def cancel(request: web.Request) -> web.Response:
    """End a run that is going on; what it had not finished is thrown away."""
    parts = request.app[PARTS]
    run = await parts.ledger.get(request.match_info["run_id"])
    if run is None:
        return error_json(404, "No such run.")
    if not await parts.jobs.cancel(run.run_id):
        return error_json(409, f"That run is not going on: it is {run.status}.")
    return web.json_response({"run_id": run.run_id}, status=202)


async def jobs(request: web.Request) -> web.Response:
    """List every job: what it does, when it runs next, whether it is paused."""
    running = request.app[PARTS].jobs
    return web.json_response([_job_json(request.app[PARTS], name) for name in sorted(running.specs)])


async def pause(request: web.Request) -> web.Response:
    """Stop a job from being started by the clock, until it is resumed; restarts don't change that."""
    name = _known_job(request)
    await request.app[PARTS].jobs.pause(name)
    return web.json_response(_job_json(request.app[PARTS], name))


async def resume(request: web.Request) -> web.Response:
    """Let the clock start a job again."""
    name = _known_job(request)
    await request.app[PARTS].jobs.resume(name)
    return web.json_response(_job_json(request.app[PARTS], name))


async def offered_now(parts: WebParts) -> list[Offered]:
    """Return what is on offer for the home we know; nothing before we know one."""
    home = parts.home()
    return await parts.suggestions.offered(home.home_id) if home else []


async def last_ended(parts: WebParts, job: str) -> Run | None:
    """Return the newest run of a job that is over; one that was skipped is none."""
    recent = await parts.ledger.recent(job, _MOST_RUNS)
    return next((run for run in recent if run.status.ended and run.status is not RunStatus.SKIPPED), None)


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST_RUNS):
        raise InputError(f"limit: give a whole number from 1 to {_MOST_RUNS}")
    return int(text)


def _known_job(request: web.Request) -> str:
    name = request.match_info["job"]
    if name not in request.app[PARTS].jobs.specs:
        raise web.HTTPNotFound
    return name


def _job_json(parts: WebParts, name: str) -> dict[str, Any]:
    spec = parts.jobs.specs[name]
    following = parts.jobs.next_run(name)
    return {
        "job": name,
        "title": spec.title,
        "description": spec.description,
        "schedule": spec.schedule,
        "paused": parts.jobs.is_paused(name),
        "next_run": following.isoformat() if following else None,
    }
