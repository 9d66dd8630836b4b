"""Of what anyone can send, little is believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.announce.commands import Command, command_of
from app.announce.session import Incoming
from app.announce.topics import Topics

_TOPICS = Topics()


def _asked(topic: str, payload: bytes, *, retained: bool = False) -> Command | bytes | None:
    return command_of(Incoming(topic, payload, retained), _TOPICS)


@pytest.mark.parametrize(
    ("topic", "payload", "command"),
    [
        (_TOPICS.run, b"PRESS", Command.RUN),
        (_TOPICS.enabled, b"ON", Command.RESUME),
        (_TOPICS.enabled, b"OFF", Command.PAUSE),
        (_TOPICS.birth, b"online", Command.GREET),
    ],
)
def test_a_command_is_taken_fresh_and_ignored_when_it_had_waited(
    topic: str, payload: bytes, command: Command
) -> None:
    assert _asked(topic, payload) is command
    assert _asked(topic, payload, retained=True) is None


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (_TOPICS.run, b""),
        (_TOPICS.run, b"press"),
        (_TOPICS.run, b"PRESS" * 10_000),
        (_TOPICS.run, b"\xff\xfe"),
        (_TOPICS.enabled, b"PRESS"),
        (_TOPICS.birth, b"offline"),
        ("nightshift/nightshift/cmd/drop", b"PRESS"),
    ],
)
def test_all_else_is_ignored(topic: str, payload: bytes) -> None:
    assert _asked(topic, payload) is None


@given(st.sampled_from([_TOPICS.run, _TOPICS.enabled, _TOPICS.birth]), st.binary(max_size=200))
def test_no_bytes_do_harm(topic: str, payload: bytes) -> None:
    command = _asked(topic, payload)
    assert command is None or payload in {b"PRESS", b"ON", b"OFF", b"online"}
