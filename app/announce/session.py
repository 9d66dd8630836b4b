"""The adapter over aiomqtt: one connection to one broker, in our own words and errors.

No other module knows the library; why it is this one is in `docs/decisions/0009-mqtt-libraries.md`.
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from app.announce.broker import Broker
from app.errors import NeighbourError, RefusedError

_log = logging.getLogger(__name__)
_wire_log = logging.getLogger(f"{__name__}.wire")
# The library logs each loss of a connection as an error; we say it once, as a neighbour's state.
_wire_log.setLevel(logging.CRITICAL)

_REFUSED = {134, 135}
"""CONNACK: bad user name or password, not authorized (MQTT 5's numbers, which paho uses for 3.1.1 too)."""
_INCOMING_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Message:
    """What is published, with QoS 1. A retained one is a state: only its latest counts."""

    topic: str
    payload: str
    retain: bool


@dataclass(frozen=True, slots=True)
class Incoming:
    """What came in. `retained`: it was waiting on the broker, nobody sent it just now."""

    topic: str
    payload: bytes
    retained: bool


class Session:
    """An open connection. Every method raises NeighbourError when the connection is lost."""

    def __init__(self, client: aiomqtt.Client, broker: Broker) -> None:
        self._client = client
        self._broker = broker

    async def publish(self, message: Message) -> None:
        """Hand a message to the broker; returns once the broker has confirmed it."""
        try:
            await self._client.publish(message.topic, message.payload, qos=1, retain=message.retain)
        except (aiomqtt.MqttError, ValueError) as error:
            raise self._lost(error) from error

    async def subscribe(self, topics: Sequence[str]) -> None:
        try:
            await self._client.subscribe([(topic, 1) for topic in topics])
        except (aiomqtt.MqttError, ValueError) as error:
            raise self._lost(error) from error

    async def receive(self) -> Incoming:
        """Wait for the next message that arrives."""
        try:
            message = await anext(self._client.messages)
        except aiomqtt.MqttError as error:
            raise self._lost(error) from error
        return Incoming(message.topic.value, bytes(message.payload), retained=bool(message.retain))

    def _lost(self, error: Exception) -> NeighbourError:
        return NeighbourError(f"lost the broker at {self._broker} ({error})")


@asynccontextmanager
async def connected(
    broker: Broker, client_id: str, will: Message | None = None, seconds: float = 10
) -> AsyncIterator[Session]:
    """Connect, and disconnect cleanly on leaving (then the broker does not publish the will).

    Args:
        broker: where to.
        client_id: the same on every connection, so that the broker ends a dead predecessor of ours, and
            publishes its will, before we say that we are online.
        will: what the broker publishes if we vanish.
        seconds: how long the broker may take over each answer.

    Raises RefusedError when the broker knows us and says no, NeighbourError when it cannot be reached.
    """
    # Reading the system's certificates takes tens of milliseconds on a small machine.
    tls = await asyncio.to_thread(ssl.create_default_context) if broker.tls else None
    client = aiomqtt.Client(
        broker.host,
        broker.port,
        identifier=client_id,
        username=broker.username or None,
        password=broker.password.get_secret_value() or None,
        will=aiomqtt.Will(will.topic, will.payload, qos=1, retain=will.retain) if will else None,
        tls_context=tls,
        timeout=seconds,
        keepalive=30,
        max_queued_incoming_messages=_INCOMING_LIMIT,
        logger=_wire_log,
    )
    opening = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.shield(opening)
    except (aiomqtt.MqttError, ValueError) as error:
        _hang_up(client)
        raise _refusal(error, broker) from error
    except asyncio.CancelledError:
        # A thread is opening the socket and cannot be stopped; what it brings is closed when it comes.
        opening.add_done_callback(partial(_too_late, client))
        raise
    try:
        yield Session(client, broker)
    finally:
        try:
            await client.__aexit__(None, None, None)
        except (aiomqtt.MqttError, OSError) as error:
            _log.debug("No clean goodbye to %s: %s", broker, error)
            _hang_up(client)


def _too_late(client: aiomqtt.Client, opening: asyncio.Future[aiomqtt.Client]) -> None:
    if not opening.cancelled():
        opening.exception()  # asked for, or asyncio complains that nobody did
    _hang_up(client)


def _hang_up(client: aiomqtt.Client) -> None:
    """Close the socket, and end the task, that aiomqtt 2.5 leaves behind when no answer comes in time."""
    with contextlib.suppress(OSError, ValueError):
        client._client.disconnect()  # noqa: SLF001 - it has no public way to close a half-open connection


def _refusal(error: Exception, broker: Broker) -> NeighbourError:
    """Say what a failed connection means and what mends it. The password is never part of it."""
    reason = error.rc if isinstance(error, aiomqtt.MqttCodeError) else None
    if isinstance(reason, ReasonCode) and reason.value in _REFUSED:
        who = f"the user {broker.username!r}" if broker.username else "a connection without a user name"
        return RefusedError(
            f"the broker at {broker} refuses {who}: correct mqtt_username and mqtt_password, "
            "or let the broker accept them"
        )
    if isinstance(reason, ReasonCode):
        return NeighbourError(f"the broker at {broker} does not accept us ({reason})")
    if "timed out" in str(error):
        return NeighbourError(
            f"nothing at {broker} answers as an MQTT broker (timed out): "
            "check mqtt_host, mqtt_port and mqtt_tls"
        )
    return NeighbourError(
        f"cannot reach the broker at {broker} ({error}): is it running, are mqtt_host and mqtt_port right?"
    )
