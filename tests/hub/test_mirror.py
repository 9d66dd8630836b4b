import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.clock import TurnedClock
from app.hub.client import Hub
from app.hub.hub_now import HubNow
from app.hub.mirror import Mirror
from app.hub.now import Change, HomeNow
from tests.hub.peer import Board, Fail, Peer

AT = 1_795_230_000.0
LAMP = {"s": "off", "a": {"friendly_name": "Lamp"}, "c": "1", "lc": AT, "lu": AT + 5}
DOOR = {"s": "on", "a": {"device_class": "door"}, "c": "2", "lc": AT - 60}


class Ear:
    """Hears the changes, and waits for the next batch."""

    def __init__(self, now: HomeNow) -> None:
        self.batches: list[Sequence[Change]] = []
        self._heard = asyncio.Event()
        self.end = now.listen(self._hear)

    def _hear(self, changes: Sequence[Change]) -> None:
        self.batches.append(changes)
        self._heard.set()

    async def next(self) -> list[tuple[str, str | None, str | None]]:
        """Return what changed, from which state to which."""
        while not self.batches:
            self._heard.clear()
            await self._heard.wait()
        return [
            (one.entity_id, one.before.state if one.before else None, one.after.state if one.after else None)
            for one in self.batches.pop(0)
        ]


@pytest.fixture
def now(hub: Hub, peer: Peer, clock: TurnedClock) -> HubNow:
    peer.entities = {"light.lamp": LAMP, "binary_sensor.door": DOOR}
    return HubNow(hub, clock)


def instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


async def started(now: HubNow) -> Ear:
    ear = Ear(now)
    now.start()
    await ear.next()
    return ear


async def goes_away(peer: Peer, now: HubNow) -> None:
    await peer.drop()
    while now.since is not None:
        await asyncio.sleep(0)


async def test_before_the_hub_was_reached_nothing_is_known(now: HubNow) -> None:
    assert now.states() == {}
    assert now.since is None


async def test_every_state_is_told_first_with_both_its_times(now: HubNow, clock: TurnedClock) -> None:
    ear = Ear(now)
    now.start()
    assert sorted(await ear.next()) == [("binary_sensor.door", None, "on"), ("light.lamp", None, "off")]
    lamp, door = now.states()["light.lamp"], now.states()["binary_sensor.door"]
    assert (lamp.last_changed, lamp.last_updated) == (instant(AT), instant(AT + 5))
    assert door.last_updated == door.last_changed == instant(AT - 60)
    assert lamp.attributes == {"friendly_name": "Lamp"}
    assert now.since == clock.now()


async def test_differences_are_followed(now: HubNow, peer: Peer) -> None:
    ear = await started(now)
    old = now.states()

    await peer.tell(c={"light.lamp": {"+": {"s": "on", "lc": AT + 9, "a": {"brightness": 120}}}})
    assert await ear.next() == [("light.lamp", "off", "on")]
    lamp = now.states()["light.lamp"]
    assert (lamp.last_changed, lamp.last_updated) == (instant(AT + 9), instant(AT + 9))
    assert lamp.attributes == {"friendly_name": "Lamp", "brightness": 120}
    assert old["light.lamp"].state == "off", "what was returned before has changed"

    await peer.tell(
        c={"light.lamp": {"+": {"lu": AT + 11, "a": {"brightness": 90}}, "-": {"a": ["friendly_name"]}}}
    )
    assert await ear.next() == [("light.lamp", "on", "on")]
    lamp = now.states()["light.lamp"]
    assert (lamp.last_changed, lamp.last_updated) == (instant(AT + 9), instant(AT + 11))
    assert lamp.attributes == {"brightness": 90}

    await peer.tell(a={"sensor.new": {"s": "5", "a": {}, "lc": AT}}, r=["binary_sensor.door"])
    assert await ear.next() == [("binary_sensor.door", "on", None), ("sensor.new", None, "5")]
    assert set(now.states()) == {"light.lamp", "sensor.new"}


async def test_while_the_hub_is_away_the_last_states_stand_and_then_only_what_differs_is_told(
    now: HubNow, peer: Peer, board: Board, clock: TurnedClock
) -> None:
    ear = await started(now)
    peer.entities = {"light.lamp": LAMP, "binary_sensor.door": DOOR | {"s": "off", "lc": AT + 30}}
    peer.entities["sensor.new"] = {"s": "1", "a": {}, "lc": AT}

    await goes_away(peer, now)
    assert now.states()["binary_sensor.door"].state == "on"
    await clock.turn(timedelta(minutes=1))

    assert await ear.next() == [("binary_sensor.door", "on", "off"), ("sensor.new", None, "1")]
    assert now.since
    peer.entities = {}
    await goes_away(peer, now)
    await clock.turn(timedelta(minutes=2))
    assert {gone for gone, _, after in await ear.next() if after is None} == {
        "light.lamp", "binary_sensor.door", "sensor.new",
    }  # fmt: skip
    assert now.states() == {}


async def test_it_can_begin_when_the_hub_is_connected_already_and_ends_at_the_hub_too(
    now: HubNow, hub: Hub, peer: Peer
) -> None:
    await hub.command("get_config")
    ear = await started(now)
    now.start()

    await now.close()
    await now.close()
    await peer.until(lambda: peer.times("unsubscribe_events") == 1)

    (asked,) = peer.asked("subscribe_entities")
    assert peer.asked("unsubscribe_events")[0]["subscription"] == asked["id"]
    assert now.since is None
    assert ear.batches == []


async def test_a_listener_that_fails_or_has_ended_keeps_nothing_from_the_others(
    now: HubNow, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_: object) -> None:
        raise RuntimeError("mine")

    now.listen(fails)
    gone = Ear(now)
    ear = await started(now)
    await gone.next()
    gone.end()
    gone.end()
    caplog.clear()

    await peer.tell(c={"light.lamp": {"+": {"s": "on", "lc": AT + 1}}})

    assert await ear.next() == [("light.lamp", "off", "on")]
    assert gone.batches == []
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == [
        "A listener to the home's states failed"
    ]


async def test_large_attributes_are_left_out_and_do_not_leave_the_old_value_behind(
    now: HubNow, peer: Peer
) -> None:
    deep: Any = {"a": {"b": {"c": {"d": 1}}}}
    large = {"picture": "x" * 501, "forecast": [{"n": n} for n in range(101)], "deep": deep, "nested": [[1]]}
    peer.entities["light.lamp"] = LAMP | {"a": {"effects": ["a", "b"], "title": "x" * 500, **large}}
    ear = await started(now)
    kept = now.states()["light.lamp"].attributes
    assert set(kept) == {"effects", "title", "nested"}

    await peer.tell(c={"light.lamp": {"+": {"lu": AT + 6, "a": {"title": "x" * 501, "effects": ["c"]}}}})
    await ear.next()
    assert now.states()["light.lamp"].attributes == {"nested": [[1]], "effects": ["c"]}

    await peer.tell(c={"light.lamp": {"+": {"lu": AT + 7, "a": {f"n{n}": n for n in range(300)}}}})
    await ear.next()
    assert len(now.states()["light.lamp"].attributes) == 100


@pytest.mark.parametrize(
    "event",
    [
        {"a": {"sensor.bad": 7}},
        {"a": {"sensor.bad": {"s": 7, "lc": AT}}},
        {"a": {"sensor.bad": {"s": "on", "lc": "yesterday"}}},
        {"a": {"sensor.bad": {"s": "on", "lc": float("inf")}}},
        {"a": []},
        {"c": {"sensor.unheard": {"+": {"s": "on"}}}},
        {"c": {"light.lamp": 7}},
        {"c": {"light.lamp": {"+": {"s": 7, "lc": -1, "a": 7}, "-": {"a": 7}}}},
        {"r": "light.lamp"},
        {"r": [7, ["light.lamp"], "sensor.unheard"]},
        {},
    ],
)
async def test_what_is_no_state_is_passed_over(now: HubNow, peer: Peer, event: dict[str, Any]) -> None:
    ear = await started(now)
    before = now.states()

    await peer.tell(**event)
    await peer.tell(a={"sensor.good": {"s": "1", "lc": AT}})

    assert await ear.next() == [("sensor.good", None, "1")]
    assert {name: now.states()[name] for name in before} == before


async def test_more_entities_than_any_home_has_are_not_kept(now: HubNow, peer: Peer) -> None:
    ear = await started(now)
    await peer.tell(a={f"sensor.n{n}": {"s": "1", "lc": AT} for n in range(20_100)})
    await ear.next()
    assert len(now.states()) == 20_000


async def test_a_hub_that_does_not_tell_is_no_fault(
    now: HubNow, hub: Hub, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    peer.answers["subscribe_entities"] = Fail("unknown_command", "Unknown command.")
    now.start()
    await hub.command("get_config")
    assert (now.since, now.states()) == (None, {})
    assert "Cannot listen to subscribe_entities" in caplog.text


async def test_one_change_among_500_entities_costs_next_to_nothing(hub: Hub, clock: TurnedClock) -> None:
    mirror = Mirror(hub, clock)
    heard: list[Sequence[Change]] = []
    mirror.states.listen(heard.append)
    attributes = {f"attribute_{n}": f"value {n}" for n in range(12)}
    mirror.hear({"a": {f"sensor.n{n}": {"s": "1", "a": attributes, "lc": AT} for n in range(500)}})

    began = time.process_time()
    for n in range(1000):
        event = {"c": {f"sensor.n{n % 500}": {"+": {"s": str(n + 2), "lc": AT + n, "a": {"attribute_3": n}}}}}
        mirror.hear(event)
        assert mirror.states.all()[f"sensor.n{n % 500}"].state == str(n + 2)
    each = (time.process_time() - began) / 1000

    assert len(heard) == 1001
    assert each < 0.001
