"""The gate every request passes: who may come in, who may change something, and what browsers are told.

Three questions, in this order: is the visitor let in at all (`visitors`), did the request really come from
our own page (a browser adds cookies to anyone's request, so a custom header and the browser's own word for
the origin are asked for), and may this person change something.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from app.web.throttle import TooManyTriesError
from app.web.visitors import Doorman, RefusedVisitorError, Visitor, Way, is_loopback, peer_of

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PROOF_HEADER: Final = "X-Nightshift"
LARGEST_BODY: Final = 64 * 1024
_BODY_SECONDS: Final = 15
_READING: Final = frozenset({"GET", "HEAD"})
# Ingress is a frame of the hub's own page, same origin: only others may not frame us.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'self'; frame-ancestors 'self'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

DOORMAN = web.AppKey("doorman", Doorman)
VISITOR = web.RequestKey("visitor", Visitor)


@web.middleware
async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a request through to its handler, or raise RefusedVisitorError."""
    doorman = request.app[DOORMAN]
    if request.path == "/health" and is_loopback(peer_of(request)):
        return await handler(request)
    if request.path in {"/login", "/logout"} or request.path.startswith("/static/"):
        await _enter_the_hall(request, doorman)
        return await handler(request)
    try:
        visitor = doorman.admit(request)
    except TooManyTriesError as error:
        raise RefusedVisitorError(429, str(error), {"Retry-After": str(error.wait)}) from None
    request[VISITOR] = visitor
    if request.method not in _READING:
        if visitor.way is not Way.KEY:
            check_own_page(request, visitor)
        doorman.check_admin(visitor)
        await _read_body(request)
    return await handler(request)


async def _enter_the_hall(request: web.Request, doorman: Doorman) -> None:
    """Check what may be seen before logging in: our own styles and the login form, nothing of the home."""
    try:
        doorman.admit(request)
    except (RefusedVisitorError, TooManyTriesError):
        if not doorman.takes_key:
            raise
    if request.method not in _READING:
        _check_origin(request, trust_forwarded=False)
        await _read_body(request)


def check_own_page(request: web.Request, visitor: Visitor) -> None:
    """Raise RefusedVisitorError unless a request that changes something came from our own page."""
    if request.headers.get(PROOF_HEADER) != "1":
        raise RefusedVisitorError(
            403, f"A request that changes something needs the header {PROOF_HEADER}: 1."
        )
    _check_origin(request, trust_forwarded=visitor.way is Way.INGRESS)


def _check_origin(request: web.Request, *, trust_forwarded: bool) -> None:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        # The browser's own word, which no script can forge; a proxy in between does not blur it.
        if site != "same-origin":
            raise RefusedVisitorError(403, "This request came from another site.")
        return
    origin = request.headers.get("Origin")
    if origin is None:
        return
    ours = {request.headers.get("Host", "").lower()}
    if trust_forwarded:
        ours |= {name.strip().lower() for name in request.headers.get("X-Forwarded-Host", "").split(",")}
    try:
        asking = urlsplit(origin).netloc.lower()
    except ValueError:
        asking = ""
    if not asking or asking not in ours:
        raise RefusedVisitorError(403, "This request came from another site.")


async def _read_body(request: web.Request) -> None:
    """Read the body, bounded in size (aiohttp raises 413) and in time."""
    if (request.content_length or 0) > LARGEST_BODY:
        raise web.HTTPRequestEntityTooLarge(LARGEST_BODY, request.content_length or 0)
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (ConnectionError, web.RequestPayloadError) as error:
        # Cut off, or not in the encoding it claims: what is left of it is the sender's doing.
        raise web.HTTPBadRequest from error


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Tell browsers what our pages may do (a handler of `on_response_prepare`)."""
    response.headers.update(_HEADERS)
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    del request
