"""One place that turns an error into an answer: one line of JSON for programs, a small page for people."""

import logging
from typing import Final

import aiohttp_jinja2
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from app.errors import InputError, NeighbourError, NightshiftError, StoreError
from app.jobs.run import RateLimitedError
from app.web.security import DOORMAN, Handler
from app.web.visitors import RefusedVisitorError
from app.web.wording import sentence

_log = logging.getLogger(__name__)

_SAID: Final = {
    400: "The request cannot be read.",
    404: "There is nothing here.",
    405: "This address does not take that method.",
    408: "The request took too long to arrive.",
    413: "The request is too large.",
}
_OURS: Final = "Something went wrong inside Nightshift; its log says more."


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with what went wrong, never with a trace; a bug is logged with one."""
    try:
        return await handler(request)
    except RefusedVisitorError as error:
        status, message, headers = error.status, str(error), error.headers
    except web.HTTPException as error:
        if error.status < 400:
            raise
        status, message = error.status, _SAID.get(error.status, error.reason)
        # The headers that belong to the error, not those of aiohttp's plain-text body.
        headers = {name: error.headers[name] for name in ("Allow", "Retry-After") if name in error.headers}
    except RateLimitedError as error:
        status, message, headers = 429, sentence(str(error)), {"Retry-After": str(error.retry_after)}
    except NightshiftError as error:
        _log.warning("%s %s: %s", request.method, request.path, error)
        status, message, headers = _status_of(error), str(error), {}
    except Exception:  # noqa: BLE001 - a request's edge: logged with its trace, the server goes on
        _log.exception("%s %s failed", request.method, request.path)
        status, message, headers = 500, _OURS, {}
    return _answer(request, status, message, headers)


class StrangersNoise(logging.Filter):
    """Silences what aiohttp says of requests that are none: anybody can send them, at any pace."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError | web.RequestPayloadError | ConnectionError):
            return True
        _log.debug("What came was no whole HTTP request: %s", " ".join(str(error).split())[:200])
        return False


NOISE: Final = StrangersNoise()


def _status_of(error: NightshiftError) -> int:
    """Return 400 where the asker has to change something, 503 where later may help, else 500."""
    if isinstance(error, InputError):
        return 400
    return 503 if isinstance(error, NeighbourError | StoreError) else 500


def error_json(code: int, message: str, /, **more: object) -> web.Response:
    """Return `{"error": one line, …}`."""
    return web.json_response({"error": " ".join(message.split()), **more}, status=code)


def _answer(request: web.Request, status: int, message: str, headers: dict[str, str]) -> web.StreamResponse:
    if _is_for_a_program(request):
        response: web.StreamResponse = error_json(status, message)
    else:
        context = {
            "root": root_of(request) or "./",
            "status": status,
            "message": message,
            "can_log_in": status == 401 and request.app[DOORMAN].takes_key,
        }
        response = aiohttp_jinja2.render_template("error.html", request, context, status=status)
    response.headers.update(headers)
    return response


def root_of(request: web.Request) -> str:
    """Return the way from the asked address to the first page: relative, so that it holds under any prefix.

    One step up for each folder of the path as it was asked: an encoded slash is no folder.
    """
    return "../" * (request.rel_url.raw_path.count("/") - 1)


def _is_for_a_program(request: web.Request) -> bool:
    return request.path.startswith(
        ("/api/", "/health", "/metrics")
    ) or "text/html" not in request.headers.get("Accept", "")
