"""One connection to the hub from its login to its end: what is asked, answered and told on it."""

import asyncio
import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from app.hub.errors import LostError, command_error
from app.hub.frames import decode_frame

_log = logging.getLogger(__name__)

EventHandler = Callable[[dict[str, Any]], None]


def _nothing() -> None:
    """What is done where nobody asked to be told."""


@dataclass(frozen=True, slots=True, eq=False)
class Subscription:
    """A command that makes the hub go on telling: each event goes to `handler`.

    `begins` is called each time the hub is asked for it anew, before its first event; `ends` when the
    connection it was told on is gone. None of the three may block.
    """

    kind: str
    fields: dict[str, Any]
    handler: EventHandler
    begins: Callable[[], None] = field(default=_nothing)
    ends: Callable[[], None] = field(default=_nothing)


class Exchange:
    """Messages on one socket; `lost` is called once it is gone, before all who wait or listen are told."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, lost: Callable[[], None]) -> None:
        self._socket = socket
        self._lost = lost
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._told: dict[int, Subscription] = {}

    async def ask(self, kind: str, fields: dict[str, Any], told: Subscription | None = None) -> Any:
        """Send a command and wait for its result, however long; its events go to `told`.

        Raises LostError when the connection went, CommandError when the hub says no.
        """
        if self._socket.closed:
            raise LostError(f"hub: the connection was lost before {kind}")
        number = next(self._ids)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        if told:
            told.begins()
            self._told[number] = told
        try:
            # No await lies between the number and the sending: ids must reach the hub in rising order.
            await self._socket.send_json({"id": number, "type": kind, **fields})
            reply = await answer
        except (aiohttp.ClientError, OSError) as error:
            raise LostError(f"hub: the connection was lost during {kind}") from error
        finally:
            self._waiting.pop(number, None)
        if reply.get("success"):
            return reply.get("result")
        self._told.pop(number, None)
        raise command_error(kind, reply.get("error"))

    async def subscribe(self, told: Subscription) -> None:
        """Ask the hub to tell that. Raises as `ask` does."""
        await self.ask(told.kind, told.fields, told)

    def forget(self, told: Subscription) -> list[int]:
        """Hear no more of that, at once; return the numbers under which the hub still tells it."""
        numbers = [number for number, known in self._told.items() if known is told]
        for number in numbers:
            del self._told[number]
        return numbers

    async def read(self) -> None:
        """Take in what the hub sends until the connection ends."""
        garbage = 0
        async for frame in self._socket:
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
        self.drop()

    def _take(self, message: dict[str, Any]) -> None:
        number = message.get("id")
        if not isinstance(number, int):
            return
        if message.get("type") == "event" and (told := self._told.get(number)):
            event = message.get("event")
            try:
                told.handler(event if isinstance(event, dict) else {})
            except Exception:  # noqa: BLE001 - a listener's fault must not end the connection
                _log.exception("A listener to the hub failed")
        elif message.get("type") == "result" and (answer := self._waiting.get(number)) and not answer.done():
            answer.set_result(message)

    def drop(self) -> None:
        """The connection is gone: whoever waits or listens is told. Safe to call twice."""
        self._lost()
        ended = list(self._told.values())
        self._told.clear()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(LostError("hub: the connection was lost before the answer came"))
        for told in ended:
            told.ends()
