"""What may be asked of us over MQTT. Anyone on the broker can send anything, so little is believed."""

import logging
from enum import Enum, auto

from app.announce.decisions import LONGEST_COMMAND
from app.announce.discovery import OFF, ON, PRESS
from app.announce.session import Incoming
from app.announce.topics import Topics

_log = logging.getLogger(__name__)
_LONGEST = 64


class Command(Enum):
    RUN = auto()
    """Run the analysis now."""
    RESUME = auto()
    PAUSE = auto()
    GREET = auto()
    """Home Assistant has just started: tell it everything again."""


def command_of(incoming: Incoming, topics: Topics) -> Command | bytes | None:
    """Return what a message asks for, or None for what is stale, unknown, or too long to be a command.

    What asks for a decision comes back as it is, one byte too long if it is longer than may be: it is refused
    with its reason.

    A retained message waited on the broker, perhaps for days: a button that was not just pressed does not run
    anything, and a switch that was set long ago must not undo what the page said since.
    """
    if incoming.retained:
        _log.debug("Ignored a retained message on %s", incoming.topic)
        return None
    if incoming.topic == topics.suggestion:
        return incoming.payload[: LONGEST_COMMAND + 1]
    known = {
        (topics.run, PRESS): Command.RUN,
        (topics.enabled, ON): Command.RESUME,
        (topics.enabled, OFF): Command.PAUSE,
        (topics.birth, "online"): Command.GREET,
    }
    command = None
    if len(incoming.payload) <= _LONGEST:
        command = known.get((incoming.topic, incoming.payload.decode("utf-8", "replace")))
    if command is None:
        _log.debug("Ignored %d bytes on %s: no command", len(incoming.payload), incoming.topic)
    return command
