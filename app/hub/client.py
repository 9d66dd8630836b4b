"""The connection to Home Assistant: its WebSocket API, and REST where that is the only door.

Works by URL and long-lived token, and through the Supervisor's proxy (`http://supervisor/core/api`), whose
WebSocket lies beside its REST root and which answers 502 while the hub is down.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Coroutine
from typing import Any, Self

import aiohttp
from pydantic import SecretStr

from app.clock import Clock
from app.errors import NeighbourError, RefusedError
from app.hub.addresses import addresses
from app.hub.errors import CommandError, LostError, NoReplyError
from app.hub.exchange import EventHandler, Exchange, Subscription
from app.hub.login import log_in
from app.hub.rest import Rest
from app.hub.troubles import connection_trouble
from app.neighbours import Neighbours, NeighbourState

_log = logging.getLogger(__name__)

__all__ = ["EventHandler", "Hub", "Subscription"]

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
        self._exchange: Exchange | None = None
        self._ready = False
        self._refused: RefusedError | None = None
        self._turn = asyncio.Event()
        self._failures = 0
        self._subscriptions: list[Subscription] = []
        self._asides: set[asyncio.Task[None]] = set()
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
        told = Subscription("subscribe_events", {"event_type": event_type}, handler)
        end = self._keep(told)
        if self.connected:
            await self._ask_to_tell(told)
        return end

    def listen(self, told: Subscription) -> Callable[[], None]:
        """Let the hub tell that from now or from the next connection on, and after every reconnect.

        Return what ends it. A hub that refuses it, or does not answer, is asked again after a reconnect.
        """
        end = self._keep(told)
        if self.connected:
            self._aside(self._ask_to_tell(told))
        return end

    def _keep(self, told: Subscription) -> Callable[[], None]:
        self.start()
        self._subscriptions.append(told)

        def end() -> None:
            if told in self._subscriptions:
                self._subscriptions.remove(told)
            self._end(told)

        return end

    async def first_event(
        self,
        kind: str,
        /,
        *,
        wanted: Callable[[dict[str, Any]], bool],
        timeout_seconds: float | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Send a command that is answered by events, return the first that is wanted, and hear no more.

        Raises as `command` does.
        """
        self.start()
        first: asyncio.Future[dict[str, Any] | None] = asyncio.get_running_loop().create_future()

        def heard(event: dict[str, Any] | None) -> None:
            if not first.done() and (event is None or wanted(event)):
                first.set_result(event)

        told = Subscription(kind, fields, heard, ends=lambda: heard(None))
        seconds = timeout_seconds or self._seconds
        try:
            async with asyncio.timeout(seconds), self._in_flight:
                await self._connected()
                await self._ask(kind, fields, told)
                event = await first
        except TimeoutError:
            raise NoReplyError(f"hub: no answer to {kind} within {seconds:g} s") from None
        finally:
            self._end(told)
        if event is None:
            raise LostError(f"hub: the connection was lost during {kind}")
        return event

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
                await log_in(socket, self._token, proxied=self._proxied)
            exchange = self._exchange = Exchange(socket, self._lost)
            reading = asyncio.create_task(exchange.read(), name="hub reader")
            try:
                await self._prepare()
                await reading
            finally:
                exchange.drop()
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    def _lost(self) -> None:
        self._exchange = None
        self._ready = False

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
        asked: set[Subscription] = set()
        while missing := [told for told in self._subscriptions if told not in asked]:
            for told in missing:
                if told in self._subscriptions:
                    await self._ask_to_tell(told)
            asked.update(missing)
        self._failures = 0
        self._turned(ready=True)
        self._neighbours.set("hub", NeighbourState.OK)

    async def _ask_to_tell(self, told: Subscription) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self._ask(told.kind, told.fields, told)
        except TimeoutError:
            raise NoReplyError(f"hub: no answer to {told.kind} within {self._seconds:g} s") from None
        except CommandError as error:
            _log.warning("Cannot listen to %s: %s", told.fields.get("event_type", told.kind), error)

    async def _ask(self, kind: str, fields: dict[str, Any], told: Subscription | None = None) -> Any:
        """Send on the present connection and wait for the result, however long."""
        if self._exchange is None:
            raise LostError(f"hub: the connection was lost before {kind}")
        return await self._exchange.ask(kind, fields, told)

    def _end(self, told: Subscription) -> None:
        """Hear no more of that, and let the hub know, that it need not go on."""
        exchange = self._exchange
        if exchange is None:
            return
        for number in exchange.forget(told):
            self._aside(exchange.ask("unsubscribe_events", {"subscription": number}))

    def _aside(self, asking: Coroutine[Any, Any, Any]) -> None:
        """Ask without keeping anybody waiting; what comes of it is only noted."""

        async def ask() -> None:
            try:
                async with asyncio.timeout(self._seconds):
                    await asking
            except (NeighbourError, TimeoutError) as error:
                _log.debug("The hub did not do what was asked aside: %s", error)

        task = asyncio.create_task(ask(), name="hub aside")
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)
