import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from app.clock import TurnedClock, to_ms
from app.errors import NeighbourError
from app.events import Event, Events
from app.hub.attribution import context_number
from app.hub.client import Hub
from app.hub.errors import NoReplyError
from app.hub.live import HubSource
from app.hub.source import Slice
from app.model import Cause, Entity, Home, User
from app.neighbours import NeighbourState
from tests.hub.conftest import impatient
from tests.hub.peer import DROP, SILENCE, Board, Fail, Peer
from tests.hub.recorded import Recorded

START = datetime(2026, 11, 19, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
ANA, APP = "ana", "supervisor"
NAMES = (
    "light.hall",
    "switch.pump",
    "binary_sensor.door",
    "sensor.lux",
    "automation.evening",
    "script.night",
)
HOME = Home(
    entities=tuple(Entity(entity_id=name) for name in NAMES),
    users=(User(id=ANA), User(id=APP, system_generated=True)),
)
BY_ANA = {
    "context_user_id": ANA,
    "context_event_type": "call_service",
    "context_domain": "light",
    "context_service": "turn_on",
}
BY_EVENING = {
    "context_event_type": "automation_triggered",
    "context_domain": "automation",
    "context_entity_id": "automation.evening",
}


@pytest.fixture
def past(peer: Peer) -> Recorded:
    past = Recorded(START)
    peer.answers["history/history_during_period"] = past.history
    peer.answers["logbook/get_events"] = past.logbook
    return past


@pytest.fixture
def source(hub: Hub) -> HubSource:
    return HubSource(hub)


async def collected(slices: AsyncIterator[Slice]) -> list[Slice]:
    return [each async for each in slices]


async def pulled(
    source: HubSource, home: Home = HOME, since: datetime = START, until: datetime = START + DAY
) -> list[Event]:
    return list(Events.join([s.events for s in await collected(source.history(home, since, until))]).rows())


def seconds(event: Event) -> float:
    return (event.at - to_ms(START)) / 1000


async def test_slices_follow_each_other_to_the_end_and_grow_while_little_happens(
    source: HubSource, past: Recorded
) -> None:
    slices = await collected(source.history(HOME, START, START + DAY))

    hours = [(s.until - START) / HOUR for s in slices]
    assert hours == [1, 3, 7, 13, 19, 24]


async def test_a_day_in_which_nothing_can_be_linked_asks_the_logbook_nothing(
    source: HubSource, past: Recorded, peer: Peer
) -> None:
    past.set("binary_sensor.door", HOUR, "on")

    assert [e.entity_id for e in await pulled(source)] == ["binary_sensor.door"]
    assert peer.times("logbook/get_events") == 0


async def test_each_change_is_read_with_who_made_it(source: HubSource, past: Recorded) -> None:
    past.set("light.hall", -5, "off")
    past.set("light.hall", 10.25, "on", **BY_ANA)
    past.set("light.hall", 60, "off")
    past.set("light.hall", 90, "on", **BY_EVENING)
    past.set("light.hall", 100, "off", **BY_ANA | {"context_user_id": APP, "context_service": "turn_off"})
    past.set("binary_sensor.door", 70, "on")
    run = {"entity_id": "automation.evening", "when": 89.9, "context_id": "run", "name": "Evening"}
    past.others.append(run)

    assert await pulled(source) == [
        Event("light.hall", "on", to_ms(START) + 10_250, Cause.PERSON, 0, ANA),
        Event("light.hall", "off", to_ms(START) + 60_000, Cause.HAND),
        Event("binary_sensor.door", "on", to_ms(START) + 70_000),
        Event(
            "light.hall",
            "on",
            to_ms(START) + 90_000,
            Cause.MACHINE,
            context_number("run"),
            "automation.evening",
        ),
        Event("light.hall", "off", to_ms(START) + 100_000, Cause.MACHINE, 0, APP),
    ]


async def test_what_already_was_so_is_no_event(source: HubSource, past: Recorded) -> None:
    past.set("light.hall", -HOUR, "on")
    past.set("light.hall", 5 * HOUR, "on")  # the hub was restarted
    past.set("light.hall", 9 * HOUR, "off")

    assert [(e.state, seconds(e) / 3600) for e in await pulled(source)] == [("off", 9)]


async def test_changes_on_the_edge_of_a_slice_are_read_once(source: HubSource, past: Recorded) -> None:
    past.set("light.hall", -1, "off")
    for hour, state in ((0, "on"), (1, "off"), (3, "on"), (7, "off"), (24, "on")):
        past.set("light.hall", hour * HOUR, state)

    assert [seconds(e) / 3600 for e in await pulled(source)] == [0, 1, 3, 7]
    assert {e.cause for e in await pulled(source)} == {Cause.HAND}


async def test_a_pull_that_overlaps_another_reads_the_same(source: HubSource, past: Recorded) -> None:
    for n in range(200):
        past.set("light.hall", n * 7 * MINUTE, "on" if n % 2 else "off", **(BY_ANA if n % 6 == 3 else {}))
    whole = await pulled(source)
    later = await pulled(source, since=START + timedelta(hours=7, minutes=3))

    assert later == [e for e in whole if seconds(e) >= 7.05 * 3600]


async def test_what_comes_back_from_being_away_is_nobodys_act(source: HubSource, past: Recorded) -> None:
    past.set("light.hall", -10, "off")
    past.set("light.hall", -5, "unavailable")
    past.set("light.hall", 60, "off")
    past.set("light.hall", 90, "on")

    assert [e.cause for e in await pulled(source)] == [Cause.UNKNOWN, Cause.HAND]


async def test_an_entity_that_was_removed_is_tolerated(source: HubSource, past: Recorded) -> None:
    past.set("light.hall", -1, "off")
    past.set("light.hall", 60, "on")
    past.set("light.hall", 90, None)

    assert [e.state for e in await pulled(source)] == ["on"]


async def test_a_sensor_tells_one_number_a_minute(source: HubSource, past: Recorded) -> None:
    for n in range(600):
        past.set("sensor.lux", n, str(n))
    past.set("sensor.lux", 600.5, "unavailable")

    events = await pulled(source)

    assert [e.state for e in events] == [str(n) for n in range(0, 600, 60)] + ["unavailable"]


@impatient
async def test_a_request_without_an_answer_is_asked_in_halves(
    source: HubSource, past: Recorded, peer: Peer
) -> None:
    def slow(message: dict[str, Any]) -> Any:
        start, end = (datetime.fromisoformat(message[k]) for k in ("start_time", "end_time"))
        return SILENCE if end - start > 40 * MINUTE else past.history(message)

    past.set("light.hall", -1, "off")
    for n in range(12):
        past.set("light.hall", n * 10 * MINUTE, "off" if n % 2 else "on")
    peer.answers["history/history_during_period"] = slow

    events = await pulled(source, until=START + HOUR)

    assert [seconds(e) / 60 for e in events] == [0, 10, 20, 30, 40, 50]
    assert [e.state for e in events] == ["on", "off"] * 3


@impatient
async def test_a_request_for_many_entities_is_asked_in_halves_too(
    source: HubSource, past: Recorded, peer: Peer
) -> None:
    many = Home(entities=tuple(Entity(entity_id=f"light.l{n}") for n in range(60)))
    for n in range(60):
        past.set(f"light.l{n}", -1, "off")
        past.set(f"light.l{n}", 60 + n, "on")

    def slow(message: dict[str, Any]) -> Any:
        return SILENCE if len(message["entity_ids"]) > 30 else past.history(message)

    peer.answers["history/history_during_period"] = slow

    events = await pulled(source, many, until=START + 10 * MINUTE)

    assert len(events) == 60


@impatient
async def test_a_hub_that_never_answers_is_given_up_with_what_came_before_kept(
    source: HubSource, past: Recorded, peer: Peer
) -> None:
    past.set("light.hall", -1, "off")
    past.set("light.hall", 60, "on")
    kept: list[Slice] = []

    async def read() -> None:
        async for each in source.history(HOME, START, START + DAY):
            kept.append(each)
            peer.answers["history/history_during_period"] = SILENCE

    with pytest.raises(NoReplyError):
        await read()

    assert [len(each.events) for each in kept] == [1]
    assert kept[0].until == START + HOUR


async def test_a_connection_cut_while_reading_costs_nothing(
    source: HubSource, hub: Hub, past: Recorded, peer: Peer, board: Board, clock: TurnedClock
) -> None:
    past.set("light.hall", -1, "off")
    past.set("light.hall", 2 * HOUR, "on")
    cut = [DROP]
    whole = past.history
    peer.answers["history/history_during_period"] = lambda message: cut.pop() if cut else whole(message)
    reading = asyncio.create_task(pulled(source))

    await board.becomes(NeighbourState.FAILED)
    await clock.turn(MINUTE)

    assert [e.state for e in await reading] == ["on"]


async def test_a_hub_without_action_calls_is_asked_for_them_once(
    source: HubSource, past: Recorded, peer: Peer
) -> None:
    for n in range(20):
        past.set("light.hall", n * HOUR, "on" if n % 2 else "off")

    await pulled(source)

    assert peer.times("logbook/get_action_calls") == 1


@pytest.mark.parametrize("failure", [Fail("unauthorized"), Fail("unknown_error")])
async def test_action_calls_that_may_not_be_read_are_done_without(
    source: HubSource, past: Recorded, peer: Peer, failure: Fail
) -> None:
    past.set("light.hall", -1, "off")
    past.set("light.hall", 1, "on")
    peer.answers["logbook/get_action_calls"] = failure

    assert len(await pulled(source)) == 1


async def test_a_newer_hubs_action_calls_tell_which_changes_were_one_press(
    source: HubSource, past: Recorded, peer: Peer
) -> None:
    for name in ("light.hall", "switch.pump"):
        past.set(name, -1, "off")
    past.set("light.hall", 60, "on", **BY_ANA)
    past.set("switch.pump", 80, "on")
    when = START.timestamp() + 59.9
    peer.answers["logbook/get_action_calls"] = [
        {
            "when": when,
            "domain": "light",
            "service": "turn_on",
            "context_id": "press",
            "context_user_id": ANA,
        },
        {
            "when": when,
            "domain": "switch",
            "service": "turn_on",
            "service_data": {"entity_id": ["switch.pump"]},
            "context_id": "press",
            "context_user_id": ANA,
        },
    ]

    events = await pulled(source)

    assert [(e.cause, e.context, e.actor) for e in events] == [
        (Cause.PERSON, context_number("press"), ANA),
        (Cause.PERSON, context_number("press"), ANA),
    ]


async def test_a_hub_without_a_logbook_is_read_without_causes(
    source: HubSource, past: Recorded, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(20):
        past.set("light.hall", n * HOUR, "on" if n % 2 else "off")
    peer.answers["logbook/get_events"] = Fail("unknown_command")

    assert {e.cause for e in await pulled(source)} == {Cause.UNKNOWN}
    assert peer.times("logbook/get_events") == 1
    assert "add `logbook:`" in caplog.text


async def test_a_hub_without_history_is_told_what_to_add(source: HubSource, peer: Peer) -> None:
    peer.answers["history/history_during_period"] = Fail("unknown_command")

    with pytest.raises(NeighbourError, match="add `history:` to its configuration"):
        await pulled(source)


async def test_replies_that_make_no_sense_are_read_as_far_as_they_do(source: HubSource, peer: Peer) -> None:
    at = START.timestamp() + 5
    peer.answers["history/history_during_period"] = {
        "light.hall": [7, {"s": "on"}, {"lu": at}, {"s": 3, "lu": at}, {"s": "on", "lu": at}],
        "switch.pump": None,
    }
    peer.answers["logbook/get_events"] = {"not": "a list"}

    events = await pulled(source, until=START + HOUR)

    assert [(e.entity_id, e.state, e.cause) for e in events] == [("light.hall", "on", Cause.UNKNOWN)]


async def test_what_comes_and_goes_and_comes_within_a_millisecond_came_once(
    source: HubSource, peer: Peer
) -> None:
    at = START.timestamp() + 9
    peer.answers["history/history_during_period"] = {
        "light.hall": [
            {"s": state, "lu": at + micros / 1e6}
            for micros, state in ((10, "unknown"), (40, "off"), (70, "unknown"), (90, "off"), (5e6, "on"))
        ]
    }
    peer.answers["logbook/get_events"] = []

    assert [e.state for e in await pulled(source, until=START + HOUR)] == ["unknown", "off", "on"]


async def test_a_change_of_attributes_alone_is_no_event(source: HubSource, peer: Peer) -> None:
    at = START.timestamp()
    peer.answers["history/history_during_period"] = {
        "light.hall": [{"s": "on", "lu": at + 9, "lc": at - 60}, {"s": "off", "lu": at + 20}]
    }
    peer.answers["logbook/get_events"] = []

    assert [e.state for e in await pulled(source, until=START + HOUR)] == ["off"]


async def test_what_tells_nothing_about_people_is_not_asked_for(
    source: HubSource, past: Recorded, peer: Peer
) -> None:
    wanted = ("climate.hall", "event.button", "light.hall", "sensor.lux")
    home = Home(
        entities=(
            *(Entity(entity_id=name) for name in wanted),
            *(Entity(entity_id=name) for name in ("update.core", "camera.door", "sun.sun", "weather.home")),
            Entity(entity_id="light.off", disabled=True),
            Entity(entity_id="sensor.rssi", device_class="signal_strength"),
            Entity(entity_id="switch.led", entity_category="config"),
            Entity(entity_id="Light.Not Valid"),
        )
    )
    await pulled(source, home, until=START + HOUR)

    asked = [m for m in peer.asked("history/history_during_period") if not m["include_start_time_state"]]
    assert sorted(asked[0]["entity_ids"]) == list(wanted)
    assert len(asked) == 1


async def test_a_busy_stretch_is_read_in_shorter_slices(
    source: HubSource, past: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.hub.live._HEAVY_ROWS", 100)
    for n in range(6 * 3600 // 10):
        past.set("switch.pump", n * 10, "off" if n % 2 else "on")

    slices = await collected(source.history(HOME, START, START + 6 * HOUR))

    spans = [(b.until - a.until) / MINUTE for a, b in pairwise(slices)]
    assert spans[:3] == [30, 15, 15]
    assert sum(len(each.events) for each in slices) == 2160
