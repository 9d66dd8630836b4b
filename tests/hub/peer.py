"""A hub to speak with: a real server on a real port, with Home Assistant's protocol and made-up answers."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from app.bus import Bus
from app.clock import TurnedClock
from app.neighbours import NeighbourChanged, NeighbourState

T = TypeVar("T")
TOKEN = "a-long-lived-token"


@dataclass(frozen=True)
class Fail:
    """Answer with an error."""

    code: str
    message: str = "No."


@dataclass(frozen=True)
class Raw:
    """Send these frames, then the result."""

    frames: tuple[str | bytes, ...]
    result: Any = None


SILENCE = object()
"""Never answer."""
DROP = object()
"""Cut the connection instead of answering."""

Answer = Any | Callable[[dict[str, Any]], Any]


@dataclass
class Peer:
    """`answers` by command: a value, or a function of the message; `pages` by "METHOD /path"."""

    answers: dict[str, Answer] = field(default_factory=dict)
    pages: dict[str, Callable[[Any], tuple[int, Any]]] = field(default_factory=dict)
    token: str = TOKEN
    state: str = "RUNNING"
    away: int = 0
    """How many more WebSocket upgrades are answered with 502."""
    entities: dict[str, Any] = field(default_factory=dict)
    """Compressed states: what is told first to who subscribes to entities."""
    heard: list[dict[str, Any]] = field(default_factory=list)
    wrong_ids: int = 0
    logins: int = 0
    _sockets: list[web.WebSocketResponse] = field(default_factory=list)
    _listening: dict[int, str] = field(default_factory=dict)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def server(self) -> TestServer:
        app = web.Application(client_max_size=1 << 20)
        for prefix in ("/api", "/core"):
            app.router.add_get(f"{prefix}/websocket", self._converse)
        app.router.add_route("*", "/{path:.*}", self._page)
        return TestServer(app)

    def times(self, kind: str) -> int:
        return len(self.asked(kind))

    def asked(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.heard if message["type"] == kind]

    async def until(self, true: Callable[[], bool]) -> None:
        """Come back when that holds, after something was heard."""
        async with self._changed:
            await self._changed.wait_for(true)

    async def drop(self) -> None:
        for socket in self._sockets:
            await socket.close()

    async def fire(self, event_type: str, **data: Any) -> None:
        for number, kind in list(self._listening.items()):
            if kind == event_type:
                event = {"event_type": event_type, "data": data}
                await self._sockets[-1].send_json({"id": number, "type": "event", "event": event})

    async def tell(self, **event: Any) -> None:
        """Tell what became of entities to who subscribed to them."""
        for number, kind in list(self._listening.items()):
            if kind == "subscribe_entities":
                await self._sockets[-1].send_json({"id": number, "type": "event", "event": event})

    async def _converse(self, request: web.Request) -> web.StreamResponse:
        if self.away:
            self.away -= 1
            return web.Response(status=502)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "auth_required", "ha_version": "2026.2.3"})
        given = (await socket.receive_json())["access_token"]
        self.logins += 1
        if given != self.token:
            await socket.send_json({"type": "auth_invalid", "message": "Invalid access token or password"})
            await socket.close()
            return socket
        await socket.send_json({"type": "auth_ok", "ha_version": "2026.2.3"})
        self._sockets.append(socket)
        self._listening.clear()
        last = 0
        answering: set[asyncio.Task[None]] = set()
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT:
                continue
            message = json.loads(frame.data)
            self.wrong_ids += message["id"] <= last
            last = message["id"]
            self.heard.append(message)
            async with self._changed:
                self._changed.notify_all()
            task = asyncio.create_task(self._answer(socket, message))
            answering.add(task)
            task.add_done_callback(answering.discard)
        self._sockets.remove(socket)
        return socket

    async def _answer(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        number, kind = message["id"], message["type"]
        answer = self.answers.get(kind, self._own(message))
        if callable(answer):
            answer = answer(message)
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer is SILENCE:
            return
        if answer is DROP:
            await socket.close()
            return
        reply: dict[str, Any] = {"id": number, "type": "result", "success": True}
        if isinstance(answer, Fail):
            reply |= {"success": False, "error": {"code": answer.code, "message": answer.message}}
        elif isinstance(answer, Raw):
            for frame in answer.frames:
                await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
            reply["result"] = answer.result
        else:
            reply["result"] = answer
        if not socket.closed:
            await socket.send_json(reply)
            if kind == "subscribe_entities" and reply["success"]:
                await socket.send_json({"id": number, "type": "event", "event": {"a": self.entities}})

    def _own(self, message: dict[str, Any]) -> Any:
        if message["type"] == "get_config":
            return {"state": self.state, "time_zone": "Europe/Amsterdam"}
        if message["type"] == "subscribe_events":
            self._listening[message["id"]] = message["event_type"]
            return None
        if message["type"] == "subscribe_entities":
            self._listening[message["id"]] = message["type"]
            return None
        if message["type"] == "unsubscribe_events":
            return self._listening.pop(message["subscription"], None)
        return Fail("unknown_command", "Unknown command.")

    async def _page(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401)
        page = self.pages.get(f"{request.method} {request.path_qs}")
        if page is None:
            return web.json_response({"message": "Not found"}, status=404)
        status, said = page(await request.json() if request.can_read_body else None)
        if isinstance(said, bytes):
            return web.Response(status=status, body=said)
        return web.json_response(said, status=status)


async def while_the_clock_turns(clock: TurnedClock, work: Coroutine[Any, Any, T]) -> T:
    """Return what the work gives, turning the clock a minute again and again until then."""
    task = asyncio.create_task(work)
    while not task.done():
        await asyncio.wait([task], timeout=0.001)
        await clock.turn(timedelta(minutes=1))
    return await task


class Board:
    """Waits for a neighbour to become so."""

    def __init__(self, bus: Bus) -> None:
        self.told: list[tuple[NeighbourState, str]] = []
        self._changed = asyncio.Event()
        bus.subscribe(NeighbourChanged, self._note)

    def _note(self, change: NeighbourChanged) -> None:
        self.told.append((change.neighbour.state, change.neighbour.message))
        self._changed.set()

    async def becomes(self, state: NeighbourState) -> str:
        """Return the message that came with that state; forget all that was told until then."""
        while True:
            for i, (told, message) in enumerate(self.told):
                if told is state:
                    del self.told[: i + 1]
                    return message
            self._changed.clear()
            await self._changed.wait()
