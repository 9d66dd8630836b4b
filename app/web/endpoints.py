"""The table of every address: the routes, the OpenAPI text and the test of docs/api.md are made from it."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from app import __version__
from app.web import api, job_api, offers_api, statistics_api
from app.web.alerts_api import alert_endpoints
from app.web.endpoint import Endpoint
from app.web.health import health_in_full
from app.web.insights_api import insight_endpoints
from app.web.metrics import metrics
from app.web.reports_api import report_endpoints
from app.web.security import PROOF_HEADER

_SHAPES: Final = {
    "Run": {
        "run_id": "string",
        "job": "string",
        "home": "string",
        "trigger": "string",
        "status": "string",
        "scheduled_for": "string",
        "started_at": "string",
        "completed_at": "string",
        "duration_seconds": "number",
        "counts": "object",
        "error_message": "string",
        "attempt": "integer",
        "retry_of": "string",
        "occasion": "string",
        "next_retry_at": "string",
        "because": "string",
        "subjects_processed": "integer",
        "subjects_successful": "integer",
        "subjects_failed": "integer",
        "success_rate": "number",
    },
    "Error": {"error": "string"},
}
_STARTS: Final = {
    202: "The run that was started.",
    409: "It runs already: the running one, with an error line.",
}
_LIMITED: Final = {400: "What was asked for cannot be.", 429: "It ran as often as it may: see Retry-After."}
_RUN_LIST: Final = {200: "A list of runs.", 400: "A limit that is none."}
_WRONG: Final = {400: "No schedule: why, in a line."}


def api_endpoints(
    events: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> tuple[Endpoint, ...]:
    """Return the API's table; `events` serves the live events."""
    return (
        Endpoint("GET", "/health", api.health, "Whether the process lives (not its neighbours)."),
        Endpoint("GET", "/api/health", health_in_full, "Every check of the jobs and of what they stand on."),
        Endpoint("GET", "/metrics", metrics, "The figures for Prometheus.", {200: "Text exposition 0.0.4."}),
        Endpoint(
            "POST",
            "/api/analyze/trigger",
            api.trigger,
            "Start the analysis now.",
            {202: "The run that was started.", 409: "It runs already: the running one, with an error line."},
        ),
        Endpoint(
            "GET",
            "/api/analyze/status",
            api.status,
            "Whether the analysis runs, its progress, its last and next run.",
        ),
        Endpoint("GET", "/api/suggestions", api.suggestions, "What is on offer, the surest first."),
        Endpoint(
            "GET",
            "/api/suggestions/{id}/automation.yaml",
            api.automation_yaml,
            "A suggestion's automation as YAML.",
            {200: "YAML.", 404: "No such suggestion is on offer."},
        ),
        *_deciding(),
        Endpoint(
            "GET",
            "/api/statistics",
            statistics_api.statistics,
            "The figures of every place; energy, rooms and events by day.",
            {200: "As described.", 400: "No such number of days or hours."},
            query=("days", "hours"),
        ),
        *insight_endpoints(),
        *alert_endpoints(),
        *report_endpoints(),
        *_job_endpoints(),
        *_run_endpoints(),
        Endpoint(
            "GET",
            "/api/events",
            events,
            "Live events (text/event-stream).",
            {200: "A stream.", 503: "Too many pages are open."},
            streams=True,
        ),
        Endpoint("GET", "/api/openapi.json", _serve_description, "This API as OpenAPI 3.1."),
    )


def _deciding() -> tuple[Endpoint, ...]:
    """Return the addresses by which people decide on suggestions."""
    one = "/api/suggestions/{id}"
    missing, taken, wrong = "No such suggestion.", "Decided otherwise already: by whom, and what.", "Why not."
    done = {200: "The decision.", 404: missing, 409: taken, 422: wrong}
    hub = done | {
        202: "The decision, kept until Home Assistant is back.",
        409: f"{taken} Or a person edited the automation since (`edited`): send `force`.",
    }
    excluded = {200: "The exclusion.", 422: wrong}
    return (
        Endpoint(
            "GET",
            one,
            offers_api.suggestion,
            "One suggestion, on offer or not, and what was decided on it.",
            {200: "The suggestion.", 404: missing},
        ),
        Endpoint(
            "POST",
            f"{one}/replay",
            offers_api.replay,
            "Try a changed automation on the past.",
            {
                200: "It, and both replays.",
                404: missing,
                422: wrong,
                503: "It takes too long, or others try too.",
            },
        ),
        Endpoint("POST", f"{one}/accept", offers_api.accept, "Accept it: its automation is made.", hub),
        Endpoint(
            "POST",
            f"{one}/extend",
            offers_api.extend,
            "Accept it as a step of an automation that is there.",
            done
            | {
                202: "The decision, kept until Home Assistant is back.",
                409: f"{taken} Or that automation is not what was looked at (`seen`: what it is now).",
            },
        ),
        Endpoint("POST", f"{one}/change", offers_api.change, "Change its automation.", hub),
        Endpoint("POST", f"{one}/decline", offers_api.decline, "Decline it.", done),
        Endpoint("POST", f"{one}/snooze", offers_api.snooze, "Put it off.", done),
        Endpoint("POST", f"{one}/never", offers_api.never, "Never offer such a thing again.", done),
        Endpoint("POST", f"{one}/undo", offers_api.undo, "Take back what was decided.", hub),
        Endpoint(
            "GET",
            "/api/automations",
            offers_api.automations,
            "What the home's automations did of late, day by day; a verdict on those made here.",
        ),
        Endpoint("GET", "/api/exclusions", offers_api.exclusions, "What is never to be offered."),
        Endpoint("POST", "/api/exclusions", offers_api.exclude, "Never offer that.", excluded),
        Endpoint(
            "POST",
            "/api/exclusions/remove",
            offers_api.allow,
            "Let it be offered again.",
            excluded | {404: "It is not excluded."},
        ),
    )


def _job_endpoints() -> tuple[Endpoint, ...]:
    job = {200: "The job as it is now.", 404: "No such job."}
    return (
        Endpoint("GET", "/api/jobs", job_api.jobs, "Every job: what it does, its next and last run."),
        Endpoint("GET", "/api/jobs/{job}", job_api.job, "One job.", job),
        Endpoint(
            "POST",
            "/api/jobs/{job}/run",
            job_api.run,
            "Start a job now.",
            {**_STARTS, **_LIMITED, 404: job[404]},
            body={"home": "string", "person": "string", "date": "string", "force": "boolean"},
        ),
        Endpoint("POST", "/api/jobs/{job}/pause", job_api.pause, "Pause a job's schedule.", job),
        Endpoint("POST", "/api/jobs/{job}/resume", job_api.resume, "Resume a job's schedule.", job),
        Endpoint(
            "POST",
            "/api/jobs/{job}/schedule",
            job_api.set_schedule,
            "Set when a job runs.",
            {**job, **_WRONG},
            body={"schedule": ("string", "null")},
        ),
        Endpoint(
            "GET",
            "/api/jobs/{job}/runs",
            job_api.job_runs,
            "A job's runs, the newest first.",
            {**_RUN_LIST, 404: job[404]},
            query=("limit", "home"),
        ),
        Endpoint(
            "GET",
            "/api/schedule",
            job_api.schedule,
            "What a schedule means, before it is set.",
            {200: "It in words, and its next five runs.", **_WRONG},
            query=("text",),
        ),
    )


def _run_endpoints() -> tuple[Endpoint, ...]:
    no_run = {404: "No such run."}
    no_retry = {404: "That is in the queue no more."}
    return (
        Endpoint(
            "GET",
            "/api/runs",
            job_api.runs,
            "Past runs, the newest first.",
            _RUN_LIST,
            query=("limit", "job"),
        ),
        Endpoint(
            "GET",
            "/api/runs/{run_id}",
            job_api.one_run,
            "One run with its subjects, its log and its tries.",
            {200: "The run.", **no_run},
        ),
        Endpoint(
            "GET",
            "/api/runs/{run_id}/log",
            job_api.run_log,
            "A run's log, from a line on.",
            {200: "A list of lines.", 400: "A number that is none.", **no_run},
            query=("after", "limit"),
        ),
        Endpoint(
            "POST",
            "/api/runs/{run_id}/cancel",
            job_api.cancel,
            "End a run that is going on.",
            {202: "It is being ended.", 409: "It is over already.", **no_run},
        ),
        Endpoint(
            "GET",
            "/api/retries",
            job_api.retries,
            "What failed and is tried again alone, and what was given up.",
            query=("job",),
        ),
        Endpoint(
            "POST",
            "/api/retries/{retry_id}/again",
            job_api.try_again,
            "Try again now what failed or was given up.",
            {**_STARTS, **_LIMITED, **no_retry},
        ),
        Endpoint(
            "POST",
            "/api/retries/{retry_id}/dismiss",
            job_api.dismiss,
            "Forget what failed or was given up.",
            {200: "It is forgotten.", **no_retry},
        ),
    )


DESCRIPTION = web.AppKey("description", dict[str, Any])


async def _serve_description(request: web.Request) -> web.Response:
    return web.json_response(request.app[DESCRIPTION])


def describe(endpoints: tuple[Endpoint, ...]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 description of the table."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    schemas = {
        name: {"type": "object", "properties": {key: {"type": kind} for key, kind in keys.items()}}
        for name, keys in _SHAPES.items()
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Nightshift", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
            },
        },
        "security": [{"bearer": []}, {"key": []}],
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    names = [part[1:-1] for part in endpoint.path.split("/") if part.startswith("{")]
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
    ]
    parameters += [{"name": name, "in": "query", "schema": {"type": "string"}} for name in endpoint.query]
    answers = dict(endpoint.answers)
    if endpoint.changes:
        parameters.append({"name": PROOF_HEADER, "in": "header", "schema": {"const": "1"}})
        answers |= {403: "Not an administrator, or not from our own page."}
    body = {name: {"type": kind} for name, kind in endpoint.body.items()}
    schema = {"type": "object", "properties": body, "additionalProperties": False}
    sent = {"requestBody": {"content": {"application/json": {"schema": schema}}}} if body else {}
    return {
        "summary": endpoint.summary,
        "parameters": parameters,
        **sent,
        "responses": {str(code): {"description": said} for code, said in sorted(answers.items())},
    }
