import errno
import os
import ssl
from typing import cast

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from app.hub.errors import LostError
from app.hub.troubles import connection_trouble, refusal

_ADDRESS = URL("ws://hub.local:8123/api/websocket")
_KEY = cast("ConnectionKey", None)


def _handshake(status: int) -> aiohttp.WSServerHandshakeError:
    info = aiohttp.RequestInfo(_ADDRESS, "GET", CIMultiDictProxy(CIMultiDict()))
    return aiohttp.WSServerHandshakeError(info, (), status=status)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (LostError("hub: the connection was closed"), "the connection was closed"),
        (_handshake(502), "Home Assistant is not up yet"),
        (_handshake(403), "hub.local:8123 does not let us in (HTTP 403): see ip_bans.yaml there"),
        (
            _handshake(200),
            "what answers at hub.local:8123 is no Home Assistant (HTTP 200): check that it runs",
        ),
        (
            aiohttp.ClientConnectorError(_KEY, OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))),
            "nothing answers at hub.local:8123: check that it runs, and hub_url",
        ),
        (
            aiohttp.ClientConnectorDNSError(_KEY, OSError("no such name")),
            "the name hub.local is not known here: check that it runs, and hub_url",
        ),
        (
            aiohttp.ClientConnectorSSLError(_KEY, ssl.SSLError("wrong version")),
            "no trusted secure connection to hub.local:8123: check https",
        ),
        (TimeoutError(), "no answer from hub.local:8123 in time: check"),
        (aiohttp.ServerDisconnectedError(), "hub.local:8123 hung up: check"),
        (OSError("odd"), "the connection to hub.local:8123 broke (OSError)"),
    ],
)
def test_why_there_is_no_connection_is_said_with_what_to_look_at(error: Exception, told: str) -> None:
    assert connection_trouble(error, _ADDRESS, proxied=False).startswith(told)


def test_behind_the_supervisor_no_option_is_named_that_does_not_exist_there() -> None:
    address = URL("ws://supervisor/core/websocket")
    texts = [connection_trouble(TimeoutError(), address, proxied=True), refusal(proxied=True)]
    assert not any("hub_" in text for text in texts)
