"""Who is asking: decided once per request, before anything else looks at it."""

import hashlib
import hmac
import ipaddress
import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from aiohttp import web

from app.errors import NightshiftError
from app.model import User
from app.web.parts import WebParts
from app.web.throttle import Throttle

COOKIE: Final = "nightshift_session"
SESSION_LENGTH: Final = timedelta(days=30)
_PREFIX: Final = re.compile(r"^/api/hassio_ingress/[-_A-Za-z0-9]+$")
_LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Way(StrEnum):
    """How a visitor came in."""

    INGRESS = "ingress"
    """Through the hub, which says which user it is."""
    KEY = "key"
    """A program with the API key in a header: no browser would add it on its own."""
    SESSION = "session"
    """A browser that logged in with the API key."""
    LOCAL = "local"
    """This machine, where the server listens on loopback only."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Someone who was let in; `user_id` is the hub's, for ingress only."""

    way: Way
    user_id: str = ""


class RefusedVisitorError(NightshiftError):
    """The visitor is not let in, or may not do this: `status` is HTTP's, the message is for them."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


class Doorman:
    """Tells who a visitor is, by where they come from and what they carry."""

    def __init__(self, parts: WebParts) -> None:
        self._parts = parts
        self._key = parts.options.api_key.get_secret_value().encode()
        self._throttle = Throttle(parts.clock)

    @property
    def takes_key(self) -> bool:
        """Whether an API key is set, so that people can log in with it."""
        return bool(self._key)

    def admit(self, request: web.Request) -> Visitor:
        """Return who is asking. Raises RefusedVisitorError."""
        peer = peer_of(request)
        if self._parts.ingress and peer in self._parts.ingress_peers:
            ingress_prefix(request)
            return Visitor(Way.INGRESS, request.headers.get("X-Remote-User-Id", ""))
        if self._parts.loopback_only and is_loopback(peer):
            self._check_host(request)
            return Visitor(Way.LOCAL)
        return self._admit_by_key(request, peer)

    def log_in(self, request: web.Request, given: str) -> str:
        """Return the session cookie's value for a right key. Raises RefusedVisitorError."""
        if not self._key:
            raise RefusedVisitorError(403, _NO_WAY_IN)
        self._compare(given, peer_of(request))
        expires = int((self._parts.clock.now() + SESSION_LENGTH).timestamp())
        return f"{expires}.{self._sign(expires)}"

    def check_admin(self, visitor: Visitor) -> None:
        """Raise RefusedVisitorError unless the visitor may change something."""
        if visitor.way is not Way.INGRESS:
            return
        home = self._parts.home()
        if home is None or not home.users:
            raise RefusedVisitorError(
                503,
                "Home Assistant has not told yet who is an administrator. Try again in a minute.",
                {"Retry-After": "30"},
            )
        if not any(_is_admin(user, visitor.user_id) for user in home.users):
            raise RefusedVisitorError(403, "Only an administrator of Home Assistant can do this.")

    def _admit_by_key(self, request: web.Request, peer: str) -> Visitor:
        if not self._key:
            raise RefusedVisitorError(403, _NO_WAY_IN)
        if given := _key_in_headers(request):
            self._compare(given, peer)
            return Visitor(Way.KEY)
        if self._session_holds(request.cookies.get(COOKIE, "")):
            return Visitor(Way.SESSION)
        raise RefusedVisitorError(
            401, "Log in with the api_key from Nightshift's options.", {"WWW-Authenticate": "Bearer"}
        )

    def _compare(self, given: str, peer: str) -> None:
        self._throttle.check(peer)
        if not hmac.compare_digest(_digest(_bytes(given)), _digest(self._key)):
            self._throttle.failed(peer)
            raise RefusedVisitorError(
                401, "That is not the api_key in Nightshift's options.", {"WWW-Authenticate": "Bearer"}
            )
        self._throttle.succeeded(peer)

    def _sign(self, expires: int) -> str:
        return hmac.new(self._key, f"nightshift session {expires}".encode(), hashlib.sha256).hexdigest()

    def _session_holds(self, cookie: str) -> bool:
        expires, _, signature = cookie.partition(".")
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
            return False
        right = hmac.compare_digest(_bytes(signature), self._sign(int(expires)).encode())
        return right and int(expires) > self._parts.clock.now().timestamp()

    def _check_host(self, request: web.Request) -> None:
        name = host_name(request.headers.get("Host", ""))
        if name not in _LOCAL_NAMES and name not in self._parts.hosts:
            raise RefusedVisitorError(403, "Open this page as http://localhost, not by another name.")


_NO_WAY_IN: Final = (
    "Open Nightshift from Home Assistant's sidebar, or set its api_key option to reach it directly."
)


def peer_of(request: web.Request) -> str:
    """Return the address at the other end of the connection; no header can change it."""
    peername = request.transport.get_extra_info("peername") if request.transport else None
    address = str(peername[0]) if isinstance(peername, tuple) and peername else ""
    return address.removeprefix("::ffff:").partition("%")[0]


def is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def ingress_prefix(request: web.Request) -> str:
    """Return the path under which the hub shows us, "" when it does not say.

    Raises RefusedVisitorError for a prefix that is none: it must never reach a page.
    """
    prefix = request.headers.get("X-Ingress-Path", "")
    if prefix and not _PREFIX.fullmatch(prefix):
        raise RefusedVisitorError(400, "The X-Ingress-Path header is not one that Home Assistant sends.")
    return prefix


def host_name(host: str) -> str:
    """Return the name in a Host header, without port and brackets, in lower case."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def _key_in_headers(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return request.headers.get("X-Api-Key", "").strip()


def _is_admin(user: User, user_id: str) -> bool:
    return bool(user_id) and user.id == user_id and user.is_active and (user.is_admin or user.is_owner)


def _bytes(text: str) -> bytes:
    """Return what came over the wire: aiohttp keeps bytes that are no UTF-8 as surrogates."""
    return text.encode("utf-8", "surrogateescape")


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()
