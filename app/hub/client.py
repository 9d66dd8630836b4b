"""The connection to Home Assistant: its WebSocket API, and REST where that is the only door.

Works by URL and long-lived token, and through the Supervisor's proxy (`http://supervisor/core/api`), whose
WebSocket lies beside its REST root and which answers 502 while the hub is down.
"""

import asyncio
import contextlib
import itertools
import logging
import random
from collections.abc import Callable
from typing import Any, Self

import aiohttp
from pydantic import SecretStr

from app.clock import Clock
from app.errors import NeighbourError, RefusedError
from app.hub.addresses import addresses
from app.hub.errors import CommandError, LostError, NoReplyError, command_error
from app.hub.frames import decode_frame
from app.hub.rest import Rest
from app.hub.troubles import connection_trouble, refusal
from app.neighbours import Neighbours, NeighbourState

_log = logging.getLogger(__name__)

EventHandler = Callable[[dict[str, Any]], None]
_CONNECT_SECONDS = 20.0
_HEARTBEAT_SECONDS = 30.0
_STARTING_SECONDS = 5.0
_LONGEST_PAUSE = 60.0
_REFUSED_PAUSE = 300.0
"""Hubs can ban an address after failed logins: a refused token is tried again seldom."""
_MOST_IN_FLIGHT = 16


class Hub:
    """One hub. It connects when first asked (or by `start`), and connects again for ever until closed.

    `url` is the hub's address (`http://homeassistant.local:8123`) or the proxy's REST root, which ends in
    `/core/api`. With no `http` session given it makes, and closes, its own.
    """

    def __init__(
        self,
        url: str,
        token: SecretStr,
        *,
        neighbours: Neighbours,
        clock: Clock,
        http: aiohttp.ClientSession | None = None,
        command_seconds: float = 60.0,
    ) -> None:
        rest, self._websocket = addresses(url)
        self._proxied = rest.path.endswith("/core/api")
        self._token = token
        self._neighbours = neighbours
        self._clock = clock
        self._given = http
        self._http = http
        self._seconds = command_seconds
        self._rest = Rest(rest, token, self._session, clock)
        self._running: asyncio.Task[None] | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._ready = False
        self._refused: RefusedError | None = None
        self._turn = asyncio.Event()
        self._failures = 0
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._subscriptions: list[tuple[str, EventHandler]] = []
        self._handlers: dict[int, EventHandler] = {}
        self._in_flight = asyncio.Semaphore(_MOST_IN_FLIGHT)

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def connected(self) -> bool:
        """Whether the hub is up, running and listening."""
        return self._ready

    def start(self) -> None:
        """Begin connecting in the background. Nothing happens if it already does."""
        if self._running is None:
            self._running = asyncio.create_task(self._run(), name="hub")

    async def close(self) -> None:
        """End the connection; what still waits for an answer gets NoReplyError. Safe to call twice."""
        running, self._running = self._running, None
        if running:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
        self._turned(ready=False)
        if self._http and self._http is not self._given:
            await self._http.close()
            self._http = None

    async def command(self, kind: str, /, *, timeout_seconds: float | None = None, **fields: Any) -> Any:
        """Send one command and return its result; waits for the connection if there is none just now.

        Raises NoReplyError when there is no answer in time, LostError when the connection went,
        UnknownCommandError or CommandError when the hub says no, RefusedError when it refuses our token.
        """
        self.start()
        seconds = timeout_seconds or self._seconds
        try:
            async with asyncio.timeout(seconds), self._in_flight:
                await self._connected()
                return await self._ask(kind, fields)
        except TimeoutError:
            raise NoReplyError(f"hub: no answer to {kind} within {seconds:g} s") from None

    async def get(self, path: str) -> Any:
        """Return the JSON of GET `{root}/{path}`. Raises as `rest.Rest` says."""
        return await self._rest.send("GET", path)

    async def post(self, path: str, json: Any = None) -> Any:
        """Return the JSON of POST `{root}/{path}` with that body. Raises as `rest.Rest` says."""
        return await self._rest.send("POST", path, json)

    async def delete(self, path: str) -> Any:
        """Return the JSON of DELETE `{root}/{path}`. Raises as `rest.Rest` says."""
        return await self._rest.send("DELETE", path)

    async def subscribe(self, event_type: str, handler: EventHandler) -> Callable[[], None]:
        """Call `handler` with every event of that type, also after a reconnect; return what ends it.

        With a connection, it listens when this returns; without, from the next one on. Events that fire while
        there is none are not heard. The handler must not block.
        """
        self.start()
        entry = (event_type, handler)
        self._subscriptions.append(entry)
        if self.connected:
            await self._listen(entry)

        def unsubscribe() -> None:
            if entry in self._subscriptions:
                self._subscriptions.remove(entry)
            for number in [n for n, known in self._handlers.items() if known is handler]:
                del self._handlers[number]

        return unsubscribe

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, connect=_CONNECT_SECONDS)
            )
        return self._http

    async def _connected(self) -> None:
        """Come back when the hub is ready; raise RefusedError while the token stands refused."""
        while not self._ready:
            if self._refused:
                raise RefusedError(str(self._refused))
            if self._running is None:
                raise LostError("hub: the connection was closed")
            await self._turn.wait()

    def _turned(self, *, ready: bool, refused: RefusedError | None = None) -> None:
        """Note how the connection stands now and wake whoever waits for that."""
        self._ready, self._refused = ready, refused
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    async def _run(self) -> None:
        """Keep one connection alive for as long as the hub object lives."""
        self._neighbours.set("hub", NeighbourState.TRYING)
        while True:
            try:
                await self._converse()
                failed = "the hub closed the connection"
            except RefusedError as error:
                self._turned(ready=False, refused=error)
                self._neighbours.set("hub", NeighbourState.FAILED, str(error))
                await self._clock.sleep(_REFUSED_PAUSE)
                continue
            except (aiohttp.ClientError, NeighbourError, OSError, TimeoutError) as error:
                failed = connection_trouble(error, self._websocket, proxied=self._proxied)
            except Exception:  # noqa: BLE001 - a fault of our own must not end the connection for good
                _log.exception("The hub's connection failed in a way that was not foreseen")
                failed = "a fault of our own"
            self._turned(ready=False)
            self._neighbours.set("hub", NeighbourState.FAILED, f"{failed}; trying again")
            # Full jitter, so that many apps do not storm a hub that comes back.
            longest = min(_LONGEST_PAUSE, 2.0 ** min(self._failures, 10))
            self._failures += 1
            await self._clock.sleep(random.uniform(0, longest))  # noqa: S311 - jitter, no secret

    async def _converse(self) -> None:
        """Hold one connection from its making to its end."""
        async with asyncio.timeout(_CONNECT_SECONDS):
            socket = await self._session().ws_connect(
                self._websocket, max_msg_size=0, heartbeat=_HEARTBEAT_SECONDS, autoping=True
            )
        async with socket:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await self._authenticate(socket)
            self._socket = socket
            self._ids = itertools.count(1)
            reading = asyncio.create_task(self._read(socket), name="hub reader")
            try:
                await self._prepare()
                await reading
            finally:
                self._drop()
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    async def _authenticate(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        if (await _told(socket)).get("type") != "auth_required":
            raise NeighbourError("hub: this does not speak Home Assistant's WebSocket API; check hub_url")
        await socket.send_json({"type": "auth", "access_token": self._token.get_secret_value()})
        answer = (await _told(socket)).get("type")
        if answer == "auth_invalid":
            raise RefusedError(refusal(proxied=self._proxied))
        if answer != "auth_ok":
            raise NeighbourError("hub: the login was not answered as Home Assistant does; check hub_url")

    async def _prepare(self) -> None:
        """Wait until the hub has started, then listen again to all that was subscribed."""
        while True:
            async with asyncio.timeout(self._seconds):
                config = await self._ask("get_config", {})
            state = config.get("state") if isinstance(config, dict) else None
            if state == "RUNNING":
                break
            self._neighbours.set("hub", NeighbourState.TRYING, "Home Assistant is starting")
            await self._clock.sleep(_STARTING_SECONDS)
        for entry in tuple(self._subscriptions):
            await self._listen(entry)
        self._failures = 0
        self._turned(ready=True)
        self._neighbours.set("hub", NeighbourState.OK)

    async def _listen(self, entry: tuple[str, EventHandler]) -> None:
        event_type, handler = entry
        try:
            async with asyncio.timeout(self._seconds):
                await self._ask("subscribe_events", {"event_type": event_type}, handler)
        except CommandError as error:
            _log.warning("Cannot listen to %s: %s", event_type, error)

    async def _ask(self, kind: str, fields: dict[str, Any], handler: EventHandler | None = None) -> Any:
        """Send on the present socket and wait for the result, however long."""
        socket = self._socket
        if socket is None or socket.closed:
            raise LostError(f"hub: the connection was lost before {kind}")
        number = next(self._ids)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        if handler:
            self._handlers[number] = handler
        try:
            # No await lies between the number and the sending: ids must reach the hub in rising order.
            await socket.send_json({"id": number, "type": kind, **fields})
            reply = await answer
        except (aiohttp.ClientError, OSError) as error:
            raise LostError(f"hub: the connection was lost during {kind}") from error
        finally:
            self._waiting.pop(number, None)
        if reply.get("success"):
            return reply.get("result")
        self._handlers.pop(number, None)
        raise command_error(kind, reply.get("error"))

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        garbage = 0
        async for frame in socket:
            if frame.type is aiohttp.WSMsgType.TEXT:
                messages = await decode_frame(frame.data)
            else:
                messages = None
            if messages is None:
                garbage += 1
                if garbage == 1:
                    _log.warning("The hub sent a frame that is no message; it was left out")
                continue
            for message in messages:
                self._take(message)
        self._drop()

    def _take(self, message: dict[str, Any]) -> None:
        number = message.get("id")
        if not isinstance(number, int):
            return
        if message.get("type") == "event" and (handler := self._handlers.get(number)):
            event = message.get("event")
            try:
                handler(event if isinstance(event, dict) else {})
            except Exception:  # noqa: BLE001 - a listener's fault must not end the connection
                _log.exception("A listener to the hub failed")
        elif message.get("type") == "result" and (answer := self._waiting.get(number)) and not answer.done():
            answer.set_result(message)

    def _drop(self) -> None:
        """Forget the connection: whoever waits is told."""
        self._socket = None
        self._ready = False
        self._handlers.clear()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(LostError("hub: the connection was lost before the answer came"))


async def _told(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    """Return the next message before the reader runs; anything that is none counts as empty."""
    frame = await socket.receive()
    if frame.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED}:
        raise LostError("hub: the connection was closed during the login")
    messages = await decode_frame(frame.data) if frame.type is aiohttp.WSMsgType.TEXT else None
    return messages[0] if messages else {}
