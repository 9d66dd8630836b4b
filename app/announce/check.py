"""The broker's part of `./run.sh check`."""

import asyncio
import secrets

from app.announce.broker import Broker
from app.announce.session import Message, Session, connected
from app.errors import NeighbourError


async def check(broker: Broker, seconds: float = 5) -> None:
    """Connect, publish a probe, and wait for it to come back.

    Raises RefusedError when the broker knows us and says no, NeighbourError when it cannot be reached or does
    not pass the probe on; the message says what to do.
    """
    probe = Message(f"nightshift/check/{secrets.token_hex(8)}", secrets.token_hex(8), retain=False)
    async with connected(broker, f"nightshift_check_{secrets.token_hex(4)}", seconds=seconds) as session:
        await session.subscribe([probe.topic])
        await session.publish(probe)
        try:
            async with asyncio.timeout(seconds):
                await _returned(session, probe)
        except TimeoutError as error:
            raise NeighbourError(
                f"the broker at {broker} takes messages but does not pass them on: let the user "
                f"{broker.username or 'anonymous'} publish and subscribe to nightshift/#, ha-ai/status/# and "
                "homeassistant/#"
            ) from error


async def _returned(session: Session, probe: Message) -> None:
    while True:
        incoming = await session.receive()
        if incoming.topic == probe.topic and incoming.payload == probe.payload.encode():
            return
