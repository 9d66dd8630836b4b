"""How a connection to the hub begins: who we are, before anything is asked."""

from typing import Any

import aiohttp
from pydantic import SecretStr

from app.errors import NeighbourError, RefusedError
from app.hub.errors import LostError
from app.hub.frames import decode_frame
from app.hub.troubles import refusal


async def log_in(socket: aiohttp.ClientWebSocketResponse, token: SecretStr, *, proxied: bool) -> None:
    """Answer the hub's question who we are.

    Raises RefusedError when it does not take the token, NeighbourError when this is no hub.
    """
    if (await _told(socket)).get("type") != "auth_required":
        raise NeighbourError("hub: this does not speak Home Assistant's WebSocket API; check hub_url")
    await socket.send_json({"type": "auth", "access_token": token.get_secret_value()})
    answer = (await _told(socket)).get("type")
    if answer == "auth_invalid":
        raise RefusedError(refusal(proxied=proxied))
    if answer != "auth_ok":
        raise NeighbourError("hub: the login was not answered as Home Assistant does; check hub_url")


async def _told(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    """Return the next message before the reader runs; anything that is none counts as empty."""
    frame = await socket.receive()
    if frame.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED}:
        raise LostError("hub: the connection was closed during the login")
    messages = await decode_frame(frame.data) if frame.type is aiohttp.WSMsgType.TEXT else None
    return messages[0] if messages else {}
