"""What waits for the broker: states by topic, messages in order."""

import asyncio
import logging

import pytest

from app.announce.outbox import Outbox
from app.announce.session import Message


def _state(payload: str, topic: str = "state") -> Message:
    return Message(topic, payload, retain=True)


def _message(payload: str) -> Message:
    return Message("message", payload, retain=False)


async def _all(outbox: Outbox) -> list[str]:
    told: list[str] = []
    while True:
        try:
            async with asyncio.timeout(0.01):
                message = await outbox.next()
        except TimeoutError:
            return told
        told.append(message.payload)
        outbox.sent(message)


async def test_only_the_latest_of_a_state_is_sent() -> None:
    outbox = Outbox()
    for payload in ("1", "2", "3"):
        outbox.put(_state(payload))
    assert await _all(outbox) == ["3"]


async def test_a_state_that_did_not_change_is_not_sent_again() -> None:
    outbox = Outbox()
    outbox.put(_state("1"))
    assert await _all(outbox) == ["1"]
    outbox.put(_state("1"))
    assert await _all(outbox) == []
    await outbox.emptied()


async def test_every_message_is_sent_in_order_after_the_states() -> None:
    outbox = Outbox()
    for payload in ("a", "b", "c"):
        outbox.put(_message(payload))
    outbox.put(_state("1"))
    assert await _all(outbox) == ["1", "a", "b", "c"]


async def test_what_was_not_confirmed_is_sent_again() -> None:
    outbox = Outbox()
    outbox.put(_message("a"))
    assert await outbox.next() == await outbox.next()


async def test_a_state_that_changed_while_it_was_on_its_way_is_sent_once_more() -> None:
    outbox = Outbox()
    outbox.put(_state("1"))
    on_its_way = await outbox.next()
    outbox.put(_state("2"))
    outbox.sent(on_its_way)
    assert await _all(outbox) == ["2"]


async def test_a_broker_that_forgot_gets_all_states_again_but_no_message_twice() -> None:
    outbox = Outbox()
    outbox.put(_state("d", "discovery"))
    outbox.put(_state("1"))
    outbox.put(_message("a"))
    assert await _all(outbox) == ["d", "1", "a"]
    outbox.repeat_states()
    assert await _all(outbox) == ["d", "1"]


async def test_the_oldest_message_goes_when_too_many_wait(caplog: pytest.LogCaptureFixture) -> None:
    outbox = Outbox(limit=3)
    with caplog.at_level(logging.WARNING):
        for payload in "abcd":
            outbox.put(_message(payload))
    assert await _all(outbox) == ["b", "c", "d"]
    assert "dropped the oldest, for message" in caplog.text


async def test_a_message_dropped_while_on_its_way_does_not_take_the_next_with_it() -> None:
    outbox = Outbox(limit=1)
    outbox.put(_message("a"))
    on_its_way = await outbox.next()
    outbox.put(_message("b"))
    outbox.sent(on_its_way)
    assert await _all(outbox) == ["b"]
