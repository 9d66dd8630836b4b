from typing import Any

import pytest

from app.clock import TurnedClock
from app.errors import RefusedError
from app.hub.client import Hub
from app.hub.errors import NoReplyError, ReplyError
from tests.hub.peer import Peer, while_the_clock_turns


async def test_a_body_is_posted_and_the_reply_read(hub: Hub, peer: Peer) -> None:
    peer.pages["POST /api/services/light/turn_on"] = lambda body: (200, [body])

    assert await hub.post("services/light/turn_on", {"entity_id": "light.a"}) == [{"entity_id": "light.a"}]


async def test_a_path_may_carry_a_query(hub: Hub, peer: Peer) -> None:
    peer.pages["DELETE /api/calendars/calendar.family?start=2026-11-20"] = lambda _: (200, {"result": "ok"})

    assert await hub.delete("/calendars/calendar.family?start=2026-11-20") == {"result": "ok"}


async def test_a_reply_without_a_body_is_none(hub: Hub, peer: Peer) -> None:
    peer.pages["GET /api/error_log"] = lambda _: (200, b"")

    assert await hub.get("error_log") is None


async def test_a_malformed_request_is_answered_with_the_hubs_own_words(hub: Hub, peer: Peer) -> None:
    peer.pages["POST /api/config/automation/config/nightshift_1"] = lambda _: (
        400,
        {"message": "Message malformed: extra keys not allowed"},
    )

    with pytest.raises(ReplyError, match="HTTP 400, Message malformed: extra keys not allowed") as caught:
        await hub.post("config/automation/config/nightshift_1", {})
    assert caught.value.status == 400


async def test_a_token_that_is_not_valid_is_a_refusal(hub: Hub, peer: Peer) -> None:
    peer.token = "another"

    with pytest.raises(RefusedError, match="token is not valid"):
        await hub.get("config")


async def test_what_is_not_json_is_said_to_be_none(hub: Hub, peer: Peer) -> None:
    peer.pages["GET /api/config"] = lambda _: (200, b"<html>")

    with pytest.raises(ReplyError, match="not JSON"):
        await hub.get("config")


async def test_a_hub_that_is_away_is_asked_again(hub: Hub, peer: Peer, clock: TurnedClock) -> None:
    answers: list[tuple[int, Any]] = [(502, {}), (503, {}), (200, "up")]
    peer.pages["GET /api/config"] = lambda _: answers.pop(0)

    assert await while_the_clock_turns(clock, hub.get("config")) == "up"


async def test_a_hub_that_stays_away_is_given_up(hub: Hub, peer: Peer, clock: TurnedClock) -> None:
    peer.pages["GET /api/config"] = lambda _: (502, b"")

    with pytest.raises(ReplyError, match="HTTP 502"):
        await while_the_clock_turns(clock, hub.get("config"))


async def test_an_endless_reply_is_cut_off(hub: Hub, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.hub.rest._LARGEST_REPLY", 1 << 20)
    peer.pages["GET /api/states"] = lambda _: (200, b" " * (3 << 20))

    with pytest.raises(ReplyError, match="larger than 1 MiB"):
        await hub.get("states")


async def test_a_request_without_an_answer_is_given_up(
    hub: Hub, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.hub.rest._TOTAL_SECONDS", 0.0)

    with pytest.raises(NoReplyError, match="no answer to GET config within"):
        await hub.get("config")
