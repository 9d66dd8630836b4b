import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InputError
from app.events import Event, Events, number_of
from app.model import Cause

_STATES = st.one_of(
    st.sampled_from(["on", "off", "unavailable", "21.5", "-3", "0", "nan", "1e400", "", "2026-01-01T00:00"]),
    st.text(max_size=40),
)
_ROWS = st.lists(
    st.builds(
        Event,
        entity_id=st.sampled_from(["light.a", "sensor.b", "switch.c"]),
        state=_STATES,
        at=st.integers(0, 4_000_000_000_000),
        cause=st.sampled_from(list(Cause)),
        context=st.sampled_from([0, 1, 2**62 + 5]),
        actor=st.sampled_from(["", "automation.x", "user"]),
    ),
    max_size=40,
)


@given(_ROWS)
def test_a_block_gives_back_what_was_put_in(rows: list[Event]) -> None:
    events = Events.of(rows)
    assert list(Events.decode(events.encode()).rows()) == list(events.rows())


@given(_ROWS, st.integers(0, 4_000_000_000_000))
def test_parts_joined_are_the_whole(rows: list[Event], cut: int) -> None:
    events = Events.of(rows)
    parts = [events.between(0, cut), events.between(cut, 2**62)]
    assert list(Events.join(parts).rows()) == list(events.rows())


def test_rows_come_back_in_order_of_time() -> None:
    events = Events.of([Event("light.a", "on", 30), Event("light.a", "off", 10), Event("light.b", "on", 20)])
    assert [event.at for event in events.rows()] == [10, 20, 30]


def test_a_number_is_a_value_and_a_word_is_a_code() -> None:
    events = Events.of([Event("sensor.t", "21.5", 1), Event("light.a", "on", 2)])
    assert events.value[0] == np.float32(21.5)
    assert events.states == ("on",)
    assert math.isnan(events.value[1])


@pytest.mark.parametrize("word", ["nan", "inf", "on", "", "1e999", "12:30", "--1", "1_000"])
def test_what_is_no_finite_number_is_a_word(word: str) -> None:
    assert number_of(word) is None


@pytest.mark.parametrize("cut", [0, 3, 19, 25, -1])
def test_a_damaged_block_is_refused(cut: int) -> None:
    block = Events.of([Event("light.a", "on", 1)]).encode()
    with pytest.raises(InputError, match="block"):
        Events.decode(block[:cut])


def test_a_day_of_a_busy_home_takes_few_bytes() -> None:
    rows = [Event(f"light.{i % 40}", "on" if i % 2 else "off", i * 10_000) for i in range(8_640)]
    assert len(Events.of(rows).encode()) < 8_640 * 3
