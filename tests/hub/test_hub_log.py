from datetime import UTC, datetime
from typing import Any

import pytest

from app.clock import TurnedClock
from app.errors import NeighbourError
from app.hub.client import Hub
from app.hub.hub_now import HubNow
from app.hub.now import HubNotification, LogEntry
from app.hub.side_bar import PersistentNotifications
from tests.hub.peer import Fail, Peer

AT = datetime(2026, 11, 19, 23, tzinfo=UTC)


@pytest.fixture
def now(hub: Hub, clock: TurnedClock) -> HubNow:
    return HubNow(hub, clock)


def line(**more: Any) -> dict[str, Any]:
    return {
        "name": "homeassistant.components.zha", "message": ["No route to lamp", "Gave up"], "level": "ERROR",
        "source": ["a.py", 7], "timestamp": AT.timestamp(), "exception": "", "count": 3,
        "first_occurred": AT.timestamp() - 60,
    } | more  # fmt: skip


async def test_the_hubs_log_is_told_the_newest_first(now: HubNow, peer: Peer) -> None:
    peer.answers["system_log/list"] = [line(timestamp=AT.timestamp() - 9, count=1), line()]
    newest, _ = await now.log()
    assert newest == LogEntry(
        logger="homeassistant.components.zha",
        level="ERROR",
        message="No route to lamp\nGave up",
        first_occurred=datetime(2026, 11, 19, 22, 59, tzinfo=UTC),
        last_occurred=AT,
        count=3,
    )


async def test_lines_are_cleaned_and_bounded_and_what_is_none_is_left_out(now: HubNow, peer: Peer) -> None:
    odd = line(message="red\x1b[31m\u202e" + "x" * 3000, count="many", first_occurred=None, name=None)
    peer.answers["system_log/list"] = [
        odd, 7, line(message=[]), line(message=[7]), line(timestamp=None), line(timestamp=1e20),
    ]  # fmt: skip
    (entry,) = await now.log()
    assert entry.message.startswith("red[31mxxx")
    assert len(entry.message) <= 2000
    assert (entry.count, entry.first_occurred, entry.logger) == (1, AT, "")
    peer.answers["system_log/list"] = [line()] * 500
    assert len(await now.log()) == 200


async def test_what_stands_in_the_side_bar_is_told(now: HubNow, peer: Peer) -> None:
    good = {"notification_id": "a", "title": None, "message": "Hello", "created_at": AT.isoformat()}
    peer.answers["persistent_notification/get"] = [
        good, good | {"notification_id": "b", "created_at": "2026-11-20T01:00:00+01:00"},
        good | {"created_at": "2026-11-20T01:00:00"}, good | {"created_at": 7}, good | {"notification_id": 7},
    ]  # fmt: skip
    later = datetime(2026, 11, 20, tzinfo=UTC)
    assert await now.notifications() == (
        HubNotification("b", "", "Hello", later),
        HubNotification("a", "", "Hello", AT),
    )


async def test_a_hub_that_keeps_no_log_has_none_and_one_that_refuses_says_so(now: HubNow, peer: Peer) -> None:
    assert await now.log() == ()
    assert await now.notifications() == ()
    peer.answers |= {"system_log/list": {}, "persistent_notification/get": None}
    assert (await now.log(), await now.notifications()) == ((), ())
    peer.answers["system_log/list"] = Fail("unauthorized", "Unauthorized")
    with pytest.raises(NeighbourError, match="Unauthorized"):
        await now.log()


async def test_a_notification_is_raised_and_taken_away(hub: Hub, peer: Peer) -> None:
    peer.answers["call_service"] = {"context": {"id": "1"}, "response": None}
    bar = PersistentNotifications(hub)
    await bar.create("nightshift_1", "Water\nin the bathroom", "**Now**" + "x" * 5000)
    await bar.dismiss("nightshift_1")
    raised, dismissed = peer.asked("call_service")
    assert (raised["domain"], raised["service"]) == ("persistent_notification", "create")
    assert raised["service_data"]["title"] == "Water in the bathroom"
    assert raised["service_data"]["notification_id"] == "nightshift_1"
    assert len(raised["service_data"]["message"]) == 4000
    assert dismissed["service"] == "dismiss"
    assert dismissed["service_data"] == {"notification_id": "nightshift_1"}
    peer.answers["call_service"] = Fail("home_assistant_error", "Broken")
    with pytest.raises(NeighbourError):
        await bar.dismiss("nightshift_1")
