"""Deciding over MQTT: off unless wanted, bounded, told."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.announce.commands import command_of
from app.announce.decisions import LONGEST_COMMAND, Commander, told_of
from app.announce.session import Incoming
from app.announce.topics import Topics
from app.habits.announcements import SuggestionDecided
from tests.habits.offers.conftest import ANA, Desk, desk, found
from tests.habits.offers.hub import LOST

__all__ = ["desk"]


async def _asked(commander: Commander, **command: Any) -> dict[str, Any] | None:
    said = await commander.carry_out(json.dumps(command).encode())
    return json.loads(said) if said else None


async def test_it_is_off_unless_wanted() -> None:
    said = await _asked(Commander(None, "home"), id="lamp", do="accept")
    assert said is not None
    assert (said["event_type"], "mqtt_decisions" in said["reason"]) == ("refused", True)


async def test_each_thing_can_be_done_and_taken_back(desk: Desk) -> None:
    await desk.offer(found())
    commander = Commander(desk.offers, "home")
    for command, verdict in (
        ({"do": "accept", "mode": "disabled"}, "accepted"),
        ({"do": "decline"}, "declined"),
        ({"do": "snooze", "days": 30}, "snoozed"),
    ):
        assert await _asked(commander, id="lamp", **command) is None
        decision = await desk.decisions.of("home", "lamp")
        assert decision is not None
        assert (decision.verdict, decision.via, decision.decided_by) == (verdict, "mqtt", "")
        again = await _asked(commander, id="lamp", **command)
        assert again is not None
        assert (again["event_type"], again["id"]) == ("unchanged", "lamp")
        assert await _asked(commander, id="lamp", do="undo") is None
        assert await desk.on_offer() == ["lamp"]


async def test_what_is_risky_takes_a_confirm(desk: Desk) -> None:
    await desk.offer(found("blind", "cover.blind", "closed", risk="confirm"))
    commander = Commander(desk.offers, "home")
    said = await _asked(commander, id="blind", do="accept")
    assert said is not None
    assert (said["event_type"], "moves a cover" in said["reason"]) == ("refused", True)
    assert await _asked(commander, id="blind", do="accept", confirm=True) is None


async def test_what_others_decided_is_refused_with_its_reason(desk: Desk) -> None:
    await desk.offer(found())
    await desk.offers.decline("lamp", ANA)
    said = await _asked(Commander(desk.offers, "home"), id="lamp", do="accept")
    assert said is not None
    assert (said["event_type"], "declined" in said["reason"]) == ("refused", True)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"PRESS", "not JSON"),
        (b"[" * 1000, "not JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "id:"),
        (b'{"id": 7, "do": "accept"}', "id:"),
        (b'{"id": "a/b", "do": "accept"}', "id:"),
        (b'{"id": "lamp"}', "do:"),
        (b'{"id": "lamp", "do": "drop"}', "do:"),
        (b'{"id": "lamp", "do": ["accept"]}', "do:"),
        (b'{"id": "lamp", "do": "accept", "mode": 1}', "mode:"),
        (b'{"id": "lamp", "do": "snooze", "days": true}', "days:"),
        (b'{"id": "lamp", "do": "snooze", "days": 8}', "days:"),
        (b'{"id": "lamp", "do": "accept", "confirm": 1}', "confirm:"),
        (b'{"id": "lamp", "do": "accept", "force": true}', "'force' is not taken"),
        (b'{"id": "nobody", "do": "accept"}', "No such suggestion"),
        (b'{"id": "nobody", "do": "undo"}', "Nothing is decided"),
        (b"x" * 5000, "longer than 1024 bytes"),
    ],
)
async def test_nonsense_is_refused_with_its_reason(desk: Desk, payload: bytes, reason: str) -> None:
    await desk.offer(found())
    topics = Topics()
    taken = command_of(Incoming(topics.suggestion, payload, retained=False), topics)
    assert isinstance(taken, bytes)
    said = json.loads(await Commander(desk.offers, "home").carry_out(taken) or "{}")
    assert (said["event_type"], reason in said["reason"]) == ("refused", True)
    assert await desk.on_offer() == ["lamp"]


@given(st.binary(max_size=3000))
def test_no_bytes_are_too_many_and_what_had_waited_is_ignored(payload: bytes) -> None:
    topics = Topics()
    taken = command_of(Incoming(topics.suggestion, payload, retained=False), topics)
    assert isinstance(taken, bytes)
    assert len(taken) <= LONGEST_COMMAND + 1
    assert command_of(Incoming(topics.suggestion, payload, retained=True), topics) is None


async def test_every_decision_is_told_whichever_way_it_came(desk: Desk) -> None:
    told: list[dict[str, Any]] = []

    def note(event: SuggestionDecided) -> None:
        if said := told_of(event):
            told.append(json.loads(said))

    desk.bus.subscribe(SuggestionDecided, note)
    await desk.offer(found(), found("hall", "light.hall"))
    await desk.offers.accept("lamp", ANA)
    await desk.offers.undo("lamp", ANA)
    await desk.offers.decline("lamp", ANA)
    desk.editor.fails = LOST
    await desk.offers.accept("hall", ANA)
    assert [(one["event_type"], one["id"], one["via"]) for one in told] == [
        ("accepted", "lamp", "page"),
        ("undone", "lamp", "page"),
        ("declined", "lamp", "page"),
        ("waiting", "hall", "page"),
    ]
    assert (told[0]["title"], told[0]["mode"], bool(told[3]["reason"])) == ("lamp at 7:00", "enabled", True)
