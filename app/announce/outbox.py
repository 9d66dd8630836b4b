"""What is still to be told to the broker, kept while it is away."""

import asyncio
import logging
from collections import deque

from app.announce.session import Message

_log = logging.getLogger(__name__)


class Outbox:
    """States by topic, of which only the latest is sent, and messages, all sent, in order.

    States are remembered, so that a broker that lost them gets them again. Messages wait until the broker has
    confirmed them: each arrives at least once. At most `limit` wait; then the oldest goes, with a log line.
    """

    def __init__(self, limit: int = 200) -> None:
        self._states: dict[str, Message] = {}
        self._due: dict[str, None] = {}
        self._messages: deque[Message] = deque()
        self._limit = limit
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self._emptied.set()

    def put(self, message: Message) -> None:
        """Take a message; a state that is as it was is not sent again."""
        if message.retain:
            if self._states.get(message.topic) == message:
                return
            self._states[message.topic] = message
            self._due[message.topic] = None
        else:
            if len(self._messages) >= self._limit:
                oldest = self._messages.popleft()
                _log.warning(
                    "%d messages wait for the broker; dropped the oldest, for %s", self._limit, oldest.topic
                )
            self._messages.append(message)
        self._note()

    def repeat_states(self) -> None:
        """Send every state again, in the order in which their topics first came."""
        self._due = dict.fromkeys(self._states)
        self._note()

    def forget_messages(self) -> None:
        """Nobody will ever take them: there is no broker."""
        self._messages.clear()
        self._note()

    async def next(self) -> Message:
        """Return what is to be sent now, waiting for it; `sent` takes it out."""
        await self._filled.wait()
        if self._due:
            return self._states[next(iter(self._due))]
        return self._messages[0]

    def sent(self, message: Message) -> None:
        """Take out what the broker confirmed, unless something newer took its place meanwhile."""
        if message.retain:
            if self._states.get(message.topic) is message:
                self._due.pop(message.topic, None)
        elif self._messages and self._messages[0] is message:
            self._messages.popleft()
        self._note()

    async def emptied(self) -> None:
        """Come back when nothing waits."""
        await self._emptied.wait()

    def _note(self) -> None:
        if self._due or self._messages:
            self._filled.set()
            self._emptied.clear()
        else:
            self._filled.clear()
            self._emptied.set()
