"""A small MQTT broker inside the process, for the demo: no Mosquitto needed to see the messages.

amqtt is an optional extra, and this module the only one of the program that knows it.
"""

import asyncio
import contextlib
import logging
from typing import Any

from app.announce.broker import Broker
from app.errors import NeighbourError

_HOST = "127.0.0.1"
_QUIET = ("amqtt", "transitions")


class DemoBroker:
    """Listens on loopback only, lets everyone in, keeps nothing.

    The listening is ours and amqtt gets each connection from it: left to itself, amqtt 0.12 leaves some
    open when it stops.
    """

    def __init__(self, port: int = 0) -> None:
        """Take the port to listen on; 0 chooses a free one at the start."""
        self._port = port
        self._amqtt: Any = None
        self._adapters: Any = None
        self._server: asyncio.Server | None = None
        self._guests: set[asyncio.Task[None]] = set()

    async def start(self) -> Broker:
        """Begin to listen and return where.

        Raises NeighbourError when amqtt is missing or the port is taken.
        """
        try:
            from amqtt import adapters  # noqa: PLC0415 - an optional extra
            from amqtt.broker import Broker as Amqtt  # noqa: PLC0415
            from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType  # noqa: PLC0415
        except ImportError as error:
            raise NeighbourError("the demo's broker needs amqtt: pip install 'nightshift[demo]'") from error
        for name in _QUIET:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            self._server = await asyncio.start_server(self._welcome, _HOST, self._port, start_serving=False)
        except OSError as error:
            raise NeighbourError(
                f"the demo's broker cannot listen on {_HOST}:{self._port} ({error.strerror})"
            ) from error
        # Without its plugins for $SYS topics and logs: nobody reads them here.
        config = BrokerConfig(
            listeners={"default": ListenerConfig(type=ListenerType.EXTERNAL)},
            plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        )
        self._adapters = adapters
        self._amqtt = Amqtt(config)
        await self._amqtt.start()
        await self._server.start_serving()
        return Broker(_HOST, self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """End every connection and stop listening; harmless when it never started."""
        if self._server is None or self._amqtt is None:
            return
        self._server.close()
        await self._amqtt.shutdown()
        for guest in tuple(self._guests):
            guest.cancel()
        await asyncio.gather(*self._guests, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of our own: the one that asyncio would make logs an error when it is cancelled (3.11).
        guest = asyncio.create_task(self._serve(reader, writer))
        self._guests.add(guest)
        guest.add_done_callback(self._guests.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._amqtt.external_connected(
                self._adapters.StreamReaderAdapter(reader),
                self._adapters.StreamWriterAdapter(writer),
                "default",
            )
        except (OSError, asyncio.IncompleteReadError) as error:
            logging.getLogger(__name__).debug("A guest left without a goodbye: %s", error)
        finally:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
