"""The connection to the broker, kept up for as long as Nightshift runs."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import SystemRandom

from app.announce.broker import BrokerFinder
from app.announce.outbox import Outbox
from app.announce.session import Incoming, Message, Session, connected
from app.clock import Clock
from app.errors import NeighbourError
from app.neighbours import Neighbours, NeighbourState

_log = logging.getLogger(__name__)
_chance = SystemRandom()

ONLINE, OFFLINE = "online", "offline"
_CUTS_OF_A_RIVAL = 3
_RIVAL = "; the broker lets us in and cuts us off every time: is another Nightshift connected to it?"
"""A broker ends a connection when another comes under the same name, and MQTT 3.1.1 does not tell why."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Full jitter: any pause up to `base` doubled with every failure, never above `cap`; in seconds."""

    base: float = 1.0
    cap: float = 60.0

    def pause(self, failures: int) -> float:
        return _chance.uniform(0, min(self.cap, self.base * 2 ** min(failures, 16)))


class MqttConnection:
    """Connects for ever, says what waits in the outbox, hears what comes in.

    Args:
        find_broker: asked before every connection.
        neighbours: where "broker" is kept: ok, trying, failed or off.
        clock: for the pauses between tries.
        client_id: this installation's own, the same at every start.
        availability_topic: "online" here while connected; the broker says "offline" for us if we vanish.
        topics: what to hear.
        on_message: called with each incoming message, on the event loop; must not block or raise.
        keep_looking: ask again when there is no broker, as under the Supervisor, where one may be installed
            at any time. Otherwise no broker means none until the next start.
        backoff: the pauses.
        answer_seconds: how long the broker may take over each answer.
    """

    def __init__(
        self,
        find_broker: BrokerFinder,
        neighbours: Neighbours,
        clock: Clock,
        *,
        client_id: str,
        availability_topic: str,
        topics: Sequence[str],
        on_message: Callable[[Incoming], None],
        keep_looking: bool = False,
        backoff: Backoff | None = None,
        answer_seconds: float = 10,
    ) -> None:
        self._find_broker = find_broker
        self._neighbours = neighbours
        self._clock = clock
        self._client_id = client_id
        self._availability = availability_topic
        self._topics = tuple(topics)
        self._on_message = on_message
        self._keep_looking = keep_looking
        self._backoff = backoff or Backoff()
        self._answer_seconds = answer_seconds
        self._outbox = Outbox()
        self._session: Session | None = None
        self._task: asyncio.Task[None] | None = None
        self._leaving = False
        self._off = False
        self._accepted = False

    def publish(self, topic: str, payload: str, *, retain: bool) -> None:
        """Hand over a message; it is sent, with QoS 1, as soon as the broker can be reached."""
        if retain or not self._off:
            self._outbox.put(Message(topic, payload, retain))

    def repeat_states(self) -> None:
        """Publish every retained message again, changed or not."""
        self._outbox.repeat_states()

    def start(self) -> None:
        """Begin to connect, in the background."""
        self._task = asyncio.create_task(self._keep_connected(), name="mqtt connection")

    async def stop(self, seconds: float = 3.0) -> None:
        """Send what waits, say offline, disconnect; give up on each of the two steps after `seconds`."""
        if self._task is None:
            return
        self._leaving = True
        if self._session:
            try:
                async with asyncio.timeout(seconds):
                    await self._outbox.emptied()
                    await self._session.publish(self._said(OFFLINE))
            except (TimeoutError, NeighbourError) as error:
                _log.info("Left the broker without a last word (%s)", str(error) or "no answer in time")
        self._task.cancel()
        await asyncio.wait({self._task}, timeout=seconds)
        self._task = None

    async def _keep_connected(self) -> None:
        failures = cuts = 0
        # A library below may swallow the cancellation: then this is how the circle ends.
        while not (self._off or self._leaving):
            started = self._clock.monotonic()
            self._accepted = False
            failed = ""
            try:
                await self._try()
            except NeighbourError as error:
                failed = str(error)
            except Exception as error:  # noqa: BLE001 - the edge: tried again, whatever it was
                _log.exception("The connection to the broker failed in an unforeseen way")
                failed = f"unforeseen: {type(error).__name__}"
            # Only a connection that lasted starts the pauses afresh: one that is cut at once, every time,
            # must not be tried in a tight circle.
            lasted = self._clock.monotonic() - started > self._backoff.cap
            failures = 0 if lasted else failures + 1
            cuts = cuts + 1 if self._accepted and not lasted else 0
            if failed:
                hint = _RIVAL if cuts >= _CUTS_OF_A_RIVAL else ""
                self._neighbours.set("broker", NeighbourState.FAILED, failed + hint)
            if not self._off:
                await self._clock.sleep(self._backoff.pause(failures))

    async def _try(self) -> None:
        broker = await self._find_broker()
        if broker is None:
            self._off = not self._keep_looking
            if self._off:
                self._outbox.forget_messages()
            message = "not set up" if self._off else "not set up yet; looking again from time to time"
            self._neighbours.set("broker", NeighbourState.OFF, message)
            return
        if self._neighbours.get("broker").state is NeighbourState.OFF:
            self._neighbours.set("broker", NeighbourState.TRYING, str(broker))
        async with connected(broker, self._client_id, self._said(OFFLINE), self._answer_seconds) as session:
            await session.subscribe([*self._topics, self._availability])
            self._accepted = True
            self._neighbours.set("broker", NeighbourState.OK, str(broker))
            self._outbox.put(self._said(ONLINE))
            self._outbox.repeat_states()
            self._session = session
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._send(session))
                    both.create_task(self._listen(session))
            except ExceptionGroup as ends:
                raise ends.exceptions[0] from None
            finally:
                self._session = None

    async def _send(self, session: Session) -> None:
        while True:
            message = await self._outbox.next()
            await session.publish(message)
            self._outbox.sent(message)

    async def _listen(self, session: Session) -> None:
        while True:
            incoming = await session.receive()
            if incoming.topic == self._availability:
                await self._contradict(session, incoming)
            else:
                self._on_message(incoming)

    async def _contradict(self, session: Session, incoming: Incoming) -> None:
        """Say that we are here when the broker says, late, that a dead connection of ours is gone."""
        if incoming.payload == OFFLINE.encode() and not incoming.retained and not self._leaving:
            await session.publish(self._said(ONLINE))

    def _said(self, availability: str) -> Message:
        return Message(self._availability, availability, retain=True)
