"""Logging in with the API key, for browsers that reach Nightshift directly rather than through the hub."""

import aiohttp_jinja2
from aiohttp import web

from app.web.security import DOORMAN
from app.web.throttle import TooManyTriesError
from app.web.visitors import COOKIE, SESSION_LENGTH, RefusedVisitorError


async def show_login(request: web.Request) -> web.Response:
    """GET /login: the form."""
    return _form(request, "", 200)


async def log_in(request: web.Request) -> web.Response:
    """POST /login: take the key, give a session, go to the page."""
    try:
        given = (await request.post()).get("key", "")
    except (ValueError, LookupError):
        # A form without its boundary, in an unknown or a wrong encoding: anybody may send one.
        raise web.HTTPBadRequest from None
    try:
        session = request.app[DOORMAN].log_in(request, given if isinstance(given, str) else "")
    except TooManyTriesError as error:
        response = _form(request, str(error), 429)
        response.headers["Retry-After"] = str(error.wait)
        return response
    except RefusedVisitorError as error:
        return _form(request, str(error), error.status)
    # Relative: it holds under any prefix.
    response = web.Response(status=303, headers={"Location": "./"})
    response.set_cookie(
        COOKIE,
        session,
        max_age=int(SESSION_LENGTH.total_seconds()),
        path="/",
        httponly=True,
        samesite="Strict",
        secure=request.secure,
    )
    return response


async def log_out(_request: web.Request) -> web.Response:
    """POST /logout: end this browser's session."""
    response = web.Response(status=303, headers={"Location": "./login"})
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
    return response


def _form(request: web.Request, message: str, status: int) -> web.Response:
    context = {"root": "./", "status": status, "message": message, "can_log_in": True}
    return aiohttp_jinja2.render_template("error.html", request, context, status=status)
