"""What a failed connection to the hub means to the people who have to do something about it."""

import aiohttp
from yarl import URL

from app.errors import NeighbourError

_AWAY = frozenset({502, 503, 504})


def refusal(*, proxied: bool) -> str:
    """Return what to do about a token that was refused; behind the Supervisor nobody ever made one."""
    if proxied:
        return "the Supervisor's token was refused: restart Nightshift; every start gets a new one"
    return "token refused: make a new long-lived token in your Home Assistant profile and put it in hub_token"


def connection_trouble(error: Exception, address: URL, *, proxied: bool) -> str:
    """Return in one line why there is no connection, and what to look at where a person can mend it."""
    where = f"{address.host}:{address.port}"
    look = "check that Home Assistant runs" if proxied else "check that it runs, and hub_url"
    if isinstance(error, NeighbourError):
        return str(error).removeprefix("hub: ")
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return _answered(error.status, where, look)
    # The first that fits: the special ones are kinds of the general ones.
    known: tuple[tuple[type[Exception], str], ...] = (
        (aiohttp.ClientConnectorDNSError, f"the name {address.host} is not known here: {look}"),
        (
            aiohttp.ClientSSLError,
            f"no trusted secure connection to {where}: check https and the host's name in hub_url",
        ),
        (TimeoutError, f"no answer from {where} in time: {look}"),
        (aiohttp.ClientConnectorError, f"nothing answers at {where}: {look}"),
        (aiohttp.ClientResponseError, f"what answers at {where} is no Home Assistant: {look}"),
        (aiohttp.ServerDisconnectedError, f"{where} hung up: {look}"),
    )
    broke = f"the connection to {where} broke ({type(error).__name__})"
    return next((told for kind, told in known if isinstance(error, kind)), broke)


def _answered(status: int, where: str, look: str) -> str:
    if status in _AWAY:
        return "Home Assistant is not up yet"
    if status == 403:
        return f"{where} does not let us in (HTTP 403): see ip_bans.yaml there, hubs ban after failed logins"
    return f"what answers at {where} is no Home Assistant (HTTP {status}): {look}"
