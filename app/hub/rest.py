"""The hub's REST API."""

import asyncio
import json as jsons
import random
from collections.abc import Callable
from typing import Any

import aiohttp
from pydantic import SecretStr
from yarl import URL

from app.clock import Clock
from app.errors import RefusedError
from app.hub.errors import NoReplyError, ReplyError

_TOTAL_SECONDS = 60.0
_TRIES = 4
_AWAY = frozenset({502, 503, 504})
"""What the Supervisor's proxy says while the hub is down or starting: it has not seen the request."""
_LARGEST_REPLY = 32 * 1024 * 1024


class Rest:
    """Sends requests: bounded in time and size, tried again while the hub is away."""

    def __init__(
        self, root: URL, token: SecretStr, session: Callable[[], aiohttp.ClientSession], clock: Clock
    ) -> None:
        self._root = root
        self._token = token
        self._session = session
        self._clock = clock

    async def send(self, method: str, path: str, json: Any = None) -> Any:
        """Return the reply's JSON, or None when it has no body.

        Raises NoReplyError when none came, RefusedError for 401 and 403, ReplyError for every other error.
        """
        for attempt in range(1, _TRIES + 1):
            try:
                return await self._once(method, path, json)
            except ReplyError as error:
                if error.status not in _AWAY or attempt == _TRIES:
                    raise
            except aiohttp.ClientConnectorError as error:
                if attempt == _TRIES:
                    raise NoReplyError(f"hub: cannot be reached for {method} {path}") from error
            await self._clock.sleep(random.uniform(0, 2.0**attempt))  # noqa: S311 - jitter, no secret
        raise AssertionError("unreachable")

    async def _once(self, method: str, path: str, json: Any) -> Any:
        place, _, query = path.partition("?")
        url = self._root.joinpath(*place.strip("/").split("/")).with_query(query or None)
        headers = {"Authorization": f"Bearer {self._token.get_secret_value()}"}
        try:
            async with (
                asyncio.timeout(_TOTAL_SECONDS),
                self._session().request(
                    method, url, json=json, headers=headers, allow_redirects=False
                ) as reply,
            ):
                body = await reply.content.read(_LARGEST_REPLY + 1)
                while len(body) <= _LARGEST_REPLY and (more := await reply.content.read(_LARGEST_REPLY)):
                    body += more
                return _result(f"{method} {path}", reply.status, body)
        except TimeoutError:
            raise NoReplyError(f"hub: no answer to {method} {path} within {_TOTAL_SECONDS:g} s") from None
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise NoReplyError(f"hub: the connection was lost during {method} {path}") from error


def _result(what: str, status: int, body: bytes) -> Any:
    if len(body) > _LARGEST_REPLY:
        raise ReplyError(f"hub: {what}: the answer is larger than {_LARGEST_REPLY >> 20} MiB", status)
    try:
        said = jsons.loads(body) if body else None
    except (ValueError, RecursionError):
        said = None
    message = said.get("message") if isinstance(said, dict) else None
    if status in {401, 403}:
        raise RefusedError(
            f"hub: {what} refused (HTTP {status}): the token is not valid or not an administrator's"
        )
    if status >= 300:
        raise ReplyError(
            f"hub: {what}: HTTP {status}" + (f", {str(message)[:300]}" if message else ""), status
        )
    if body and said is None and body.strip() != b"null":
        raise ReplyError(f"hub: {what}: the answer is not JSON", status)
    return said
