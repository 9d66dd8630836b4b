import asyncio
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from app.bus import Bus
from app.clock import TurnedClock
from app.errors import InputError, RefusedError
from app.hub.addresses import addresses
from app.hub.client import Hub, Subscription
from app.hub.errors import CommandError, NoReplyError, UnknownCommandError
from app.neighbours import Neighbours, NeighbourState
from tests.hub.peer import DROP, SILENCE, TOKEN, Board, Fail, Peer, Raw, while_the_clock_turns

MINUTE = timedelta(minutes=1)


async def test_a_command_is_answered_with_its_result(hub: Hub, peer: Peer, board: Board) -> None:
    peer.answers["config/area_registry/list"] = [{"area_id": "kitchen"}]

    assert await hub.command("config/area_registry/list") == [{"area_id": "kitchen"}]
    assert hub.connected
    assert board.told[-1] == (NeighbourState.OK, "")


async def test_answers_may_come_in_any_order_and_ids_only_rise(hub: Hub, peer: Peer) -> None:
    release = asyncio.Event()

    async def answer(message: dict[str, Any]) -> int:
        if message["n"] == 0:
            await release.wait()
        elif message["n"] == 9:
            release.set()
        return int(message["n"])

    peer.answers["count"] = answer

    assert await asyncio.gather(*(hub.command("count", n=n) for n in range(10))) == list(range(10))
    assert peer.wrong_ids == 0


async def test_a_reply_of_more_than_four_mebibytes_arrives(hub: Hub, peer: Peer) -> None:
    peer.answers["get_states"] = ["x" * 1000] * 5000

    assert len(await hub.command("get_states", timeout_seconds=5)) == 5000


async def test_frames_that_are_no_messages_are_passed_over(
    hub: Hub, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    garbage = (
        "{",
        "7",
        "[1, 2]",
        '"words"',
        b"\x00\x01",
        '{"id": "x"}',
        '{"id": 99, "type": "result"}',
        "[" * 9999,
    )
    peer.answers["get_states"] = Raw(garbage, result="good")

    assert await hub.command("get_states") == "good"
    assert [r.getMessage() for r in caplog.records].count(
        "The hub sent a frame that is no message; it was left out"
    ) == 1


async def test_messages_that_the_hub_put_together_are_taken_apart(hub: Hub, peer: Peer) -> None:
    heard: list[Any] = []
    await hub.subscribe("doorbell", heard.append)
    await hub.command("get_config")
    number = peer.asked("subscribe_events")[0]["id"]
    frame = f'[{{"id": {number}, "type": "event", "event": {{"n": 1}}}}, {{"id": {number}, "type": "event"}}]'
    peer.answers["get_states"] = Raw((frame,), result=())

    await hub.command("get_states")

    assert heard == [{"n": 1}, {}]


async def test_a_hub_that_says_no_is_quoted_with_its_code(hub: Hub, peer: Peer) -> None:
    peer.answers["automation/config"] = Fail("not_found", "Entity not found")

    with pytest.raises(
        CommandError, match=r"hub: automation/config: Entity not found \(not_found\)"
    ) as caught:
        await hub.command("automation/config", entity_id="automation.gone")
    assert caught.value.code == "not_found"


async def test_a_command_that_an_older_hub_lacks_is_told_apart(hub: Hub) -> None:
    with pytest.raises(UnknownCommandError):
        await hub.command("logbook/get_action_calls")


async def test_a_slow_answer_is_given_up_and_the_next_command_works(hub: Hub, peer: Peer) -> None:
    peer.answers |= {"get_states": SILENCE, "person/list": {}}

    with pytest.raises(NoReplyError, match="no answer to get_states within"):
        await hub.command("get_states", timeout_seconds=0.05)
    assert await hub.command("person/list") == {}
    assert peer.logins == 1


async def test_a_connection_cut_in_the_middle_of_a_command_is_made_again(
    hub: Hub, peer: Peer, board: Board, clock: TurnedClock
) -> None:
    peer.answers["get_states"] = DROP

    with pytest.raises(NoReplyError, match="connection was lost"):
        await hub.command("get_states")
    assert "trying again" in await board.becomes(NeighbourState.FAILED)
    peer.answers["get_states"] = []
    await clock.turn(MINUTE)

    assert await hub.command("get_states") == []
    assert peer.logins == 2


async def test_what_was_subscribed_is_heard_again_after_a_reconnect(
    hub: Hub, peer: Peer, board: Board, clock: TurnedClock
) -> None:
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    end = await hub.subscribe("mobile_app_notification_action", heard.put_nowait)
    await board.becomes(NeighbourState.OK)
    await peer.fire("mobile_app_notification_action", n=1)
    assert (await heard.get())["data"] == {"n": 1}

    await peer.drop()
    await board.becomes(NeighbourState.FAILED)
    await clock.turn(MINUTE)
    await board.becomes(NeighbourState.OK)
    await peer.fire("mobile_app_notification_action", n=2)
    assert (await heard.get())["data"] == {"n": 2}

    end()
    await peer.fire("mobile_app_notification_action", n=3)
    await hub.command("get_config")
    assert heard.empty()


async def test_subscribing_while_connected_begins_at_once(hub: Hub, peer: Peer) -> None:
    await hub.command("get_config")
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    await hub.subscribe("tick", heard.put_nowait)
    await peer.fire("tick")

    assert (await heard.get())["event_type"] == "tick"


async def test_a_listener_that_fails_does_not_end_the_connection(
    hub: Hub, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: dict[str, Any]) -> None:
        raise ValueError("a listener's own fault")

    await hub.subscribe("tick", fail)
    await hub.command("get_config")
    await peer.fire("tick")

    await hub.command("get_config")
    assert "A listener to the hub failed" in caplog.text
    assert peer.logins == 1


async def test_an_event_that_may_not_be_heard_does_not_keep_the_hub_away(
    hub: Hub, peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    peer.answers["subscribe_events"] = Fail("unauthorized", "Unauthorized")
    await hub.subscribe("secret", print)

    await hub.command("get_config")

    assert "Cannot listen to secret" in caplog.text


async def test_a_refused_token_is_said_without_quoting_it_and_works_again_once_it_is_good(
    hub: Hub, peer: Peer, board: Board, clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    peer.token = "another"

    with pytest.raises(RefusedError, match="token refused: make a new long-lived token"):
        await hub.command("get_states")
    message = await board.becomes(NeighbourState.FAILED)
    assert message.startswith("token refused")
    with pytest.raises(RefusedError):
        await hub.command("get_states")
    assert peer.logins == 1
    assert TOKEN not in caplog.text + message

    peer.token = TOKEN
    await clock.turn(10 * MINUTE)
    await board.becomes(NeighbourState.OK)


async def test_a_proxy_whose_hub_is_down_is_tried_until_it_is_up(
    hub: Hub, peer: Peer, board: Board, clock: TurnedClock
) -> None:
    peer.away = 3
    hub.start()
    assert await board.becomes(NeighbourState.FAILED) == "Home Assistant is not up yet; trying again"

    await while_the_clock_turns(clock, board.becomes(NeighbourState.OK))
    assert (hub.connected, peer.away, peer.logins) == (True, 0, 1)


async def test_a_hub_that_is_still_starting_is_waited_for(
    hub: Hub, peer: Peer, board: Board, clock: TurnedClock
) -> None:
    peer.state = "STARTING"
    hub.start()
    await board.becomes(NeighbourState.TRYING)
    assert await board.becomes(NeighbourState.TRYING) == "Home Assistant is starting"
    assert not hub.connected

    peer.state = "RUNNING"
    await clock.turn(MINUTE)
    await board.becomes(NeighbourState.OK)


async def test_a_server_that_is_no_hub_is_said_to_be_none(
    peer: Peer, server: TestServer, board: Board, bus: Bus, clock: TurnedClock
) -> None:
    wrong = Hub(
        str(server.make_url("/elsewhere")),
        SecretStr(TOKEN),
        neighbours=Neighbours(bus, clock),
        clock=clock,
    )
    async with wrong:
        assert await board.becomes(NeighbourState.FAILED) == (
            f"what answers at {server.host}:{server.port} is no Home Assistant (HTTP 401): "
            "check that it runs, and hub_url; trying again"
        )


async def test_a_fault_of_our_own_does_not_end_the_connection_for_good(
    hub: Hub,
    board: Board,
    clock: TurnedClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(_: Hub) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(Hub, "_converse", fail)
        hub.start()
        assert await board.becomes(NeighbourState.FAILED) == "a fault of our own; trying again"
    await clock.turn(MINUTE)

    await board.becomes(NeighbourState.OK)
    assert "not foreseen" in caplog.text


async def test_what_is_told_goes_on_after_a_reconnect_and_each_beginning_and_end_is_known(
    hub: Hub, peer: Peer, board: Board, clock: TurnedClock
) -> None:
    peer.entities = {"light.lamp": {"s": "on", "lc": 1}}
    told: list[Any] = []
    end = hub.listen(
        Subscription(
            "subscribe_entities",
            {"include": {"domains": ["light"]}},
            told.append,
            begins=lambda: told.append("begins"),
            ends=lambda: told.append("ends"),
        )
    )
    await hub.command("get_config")
    await peer.drop()
    await board.becomes(NeighbourState.FAILED)
    await clock.turn(MINUTE)
    await hub.command("get_config")

    event = {"a": peer.entities}
    assert told == ["begins", event, "ends", "begins", event]
    assert peer.asked("subscribe_entities")[0]["include"] == {"domains": ["light"]}
    end()
    await peer.tell(r=["light.lamp"])
    await hub.command("get_config")
    assert len(told) == 5
    await peer.until(lambda: peer.times("unsubscribe_events") == 1)
    assert peer.wrong_ids == 0


async def test_who_subscribes_while_the_connection_is_made_is_not_forgotten(hub: Hub, peer: Peer) -> None:
    heard: list[Any] = []

    def answer(_: dict[str, Any]) -> None:
        if not heard:
            heard.append("asked")
            hub.listen(Subscription("subscribe_entities", {}, heard.append))

    peer.answers["subscribe_events"] = answer
    await hub.subscribe("doorbell", heard.append)
    await hub.command("get_config")

    assert peer.times("subscribe_entities") == 1
    assert heard == ["asked", {"a": {}}]


def is_odd(event: dict[str, Any]) -> bool:
    return bool(event["n"] % 2)


async def test_of_a_command_answered_by_events_the_first_wanted_one_is_returned(hub: Hub, peer: Peer) -> None:
    def answer(message: dict[str, Any]) -> Raw:
        event = {"id": message["id"], "type": "event"}
        return Raw(tuple(json.dumps(event | {"event": {"n": n}}) for n in range(4)))

    peer.answers["count"] = answer

    assert await hub.first_event("count", wanted=is_odd, upto=3) == {"n": 1}
    await peer.until(lambda: peer.times("unsubscribe_events") == 1)
    (asked,) = peer.asked("count")
    assert peer.asked("unsubscribe_events")[0]["subscription"] == asked["id"]
    assert asked["upto"] == 3


async def test_a_command_that_no_event_answers_is_given_up(
    hub: Hub, peer: Peer, board: Board, clock: TurnedClock
) -> None:
    peer.answers["count"] = None
    await hub.command("get_config")
    with pytest.raises(NoReplyError, match="no answer to count within"):
        await hub.first_event("count", wanted=is_odd, timeout_seconds=0.5)
    await peer.until(lambda: peer.times("unsubscribe_events") == 1)

    waiting = asyncio.create_task(hub.first_event("count", wanted=is_odd, timeout_seconds=9))
    await peer.until(lambda: peer.times("count") == 2)
    await hub.command("get_config")
    await peer.drop()
    with pytest.raises(NoReplyError, match="lost during count"):
        await waiting
    await board.becomes(NeighbourState.FAILED)
    await clock.turn(MINUTE)
    peer.answers["count"] = Fail("not_found", "No.")
    with pytest.raises(CommandError):
        await hub.first_event("count", wanted=is_odd, timeout_seconds=9)


async def test_closing_tells_whoever_waits_and_can_be_done_twice(hub: Hub, peer: Peer) -> None:
    peer.answers["get_states"] = SILENCE
    waiting = asyncio.create_task(hub.command("get_states", timeout_seconds=9))
    await peer.until(lambda: peer.times("get_states") == 1)

    await hub.close()
    await hub.close()

    with pytest.raises(NoReplyError):
        await waiting


async def test_closing_tells_whoever_waits_for_the_connection(hub: Hub, peer: Peer, board: Board) -> None:
    peer.away = 1
    waiting = asyncio.create_task(hub.command("get_states", timeout_seconds=9))
    await board.becomes(NeighbourState.FAILED)

    await hub.close()

    with pytest.raises(NoReplyError, match="closed"):
        await waiting


async def test_the_supervisors_proxy_is_spoken_to_beside_its_rest_root(
    server: TestServer, peer: Peer, bus: Bus, clock: TurnedClock
) -> None:
    peer.pages["GET /core/api/config"] = lambda _: (200, {"version": "2026.2.3"})
    root = str(server.make_url("/core/api"))
    async with Hub(root, SecretStr(TOKEN), neighbours=Neighbours(bus, clock), clock=clock) as hub:
        assert (await hub.command("get_config"))["state"] == "RUNNING"
        assert await hub.get("config") == {"version": "2026.2.3"}


@pytest.mark.parametrize(
    ("given", "rest", "websocket"),
    [
        ("http://supervisor/core/api", "http://supervisor/core/api", "ws://supervisor/core/websocket"),
        ("http://hub.local:8123/", "http://hub.local:8123/api", "ws://hub.local:8123/api/websocket"),
        ("https://home.example/ha", "https://home.example/ha/api", "wss://home.example/ha/api/websocket"),
    ],
)
def test_both_addresses_follow_from_the_one_given(given: str, rest: str, websocket: str) -> None:
    assert tuple(map(str, addresses(given))) == (rest, websocket)


@pytest.mark.parametrize("given", ["", "hub.local:8123", "ftp://hub.local", "http://[broken"])
def test_what_is_no_address_is_refused_in_one_line(given: str) -> None:
    with pytest.raises(InputError, match=r"^hub_url: not an address; give one such as http"):
        addresses(given)
