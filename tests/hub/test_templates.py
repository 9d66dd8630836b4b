import json
from typing import Any

import pytest

from app.clock import TurnedClock
from app.errors import InputError, NeighbourError
from app.hub.client import Hub
from app.hub.errors import NoReplyError
from app.hub.hub_now import HubNow
from tests.hub.peer import Fail, Peer, Raw


@pytest.fixture
def now(hub: Hub, clock: TurnedClock) -> HubNow:
    return HubNow(hub, clock)


def telling(*events: dict[str, Any]) -> Any:
    """Answer a command with those events."""

    def answer(message: dict[str, Any]) -> Raw:
        frame = {"id": message["id"], "type": "event"}
        return Raw(tuple(json.dumps(frame | {"event": event}) for event in events))

    return answer


@pytest.mark.parametrize(
    ("result", "text"),
    [("home", "home"), (21.5, "21.5"), (3, "3"), (True, "True"), (None, "None"), ([1, "a"], '[1, "a"]')],
)
async def test_what_the_hub_makes_of_a_template_is_text(
    now: HubNow, peer: Peer, result: Any, text: str
) -> None:
    peer.answers["render_template"] = telling({"result": result, "listeners": {}})
    assert await now.render("{{ states('sun.sun') }}") == text


async def test_the_hub_is_asked_to_stop_a_template_that_never_ends_and_told_when_we_have_heard(
    now: HubNow, peer: Peer
) -> None:
    peer.answers["render_template"] = telling({"result": 1})
    await now.render("{{ 1 }}")
    await peer.until(lambda: peer.times("unsubscribe_events") == 1)
    (asked,) = peer.asked("render_template")
    assert (asked["template"], asked["timeout"], asked["strict"]) == ("{{ 1 }}", 3, True)


async def test_a_warning_is_not_the_end_of_it(now: HubNow, peer: Peer) -> None:
    warning = {"error": "deprecated", "level": "WARNING"}
    peer.answers["render_template"] = telling(warning, {"result": "7"})
    assert await now.render("{{ 7 }}") == "7"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("UndefinedError: 'foo' is undefined", "template: 'foo' is undefined"),
        (
            "ValueError: Template error: float got 'unknown' when rendering template '{{x}}' but no default",
            "template: float got 'unknown' but no default",
        ),
        ("one\nline\x1b[31m only", "template: one line [31m only"),
        (None, "template: the hub cannot render it"),
    ],
)
async def test_a_wrong_template_is_told_in_one_line(
    now: HubNow, peer: Peer, said: str | None, told: str
) -> None:
    peer.answers["render_template"] = telling({"error": said, "level": "ERROR"})
    with pytest.raises(InputError) as caught:
        await now.render("{{ foo }}")
    assert str(caught.value) == told


async def test_a_template_that_the_hub_refuses_is_wrong_too(now: HubNow, peer: Peer) -> None:
    peer.answers["render_template"] = Fail("template_error", "TemplateSyntaxError: " + "x" * 900)
    with pytest.raises(InputError) as caught:
        await now.render("{{ ")
    assert 200 < len(str(caught.value)) <= len("template: ") + 300


async def test_what_is_too_long_is_neither_sent_nor_taken(now: HubNow, peer: Peer) -> None:
    peer.answers["render_template"] = telling({"result": "x" * 10_001})
    with pytest.raises(InputError, match="longer than 10,000"):
        await now.render("x" * 10_001)
    assert peer.times("render_template") == 0
    with pytest.raises(InputError, match="more than 10,000"):
        await now.render("{{ 'x' * 10001 }}")


async def test_a_hub_that_cannot_be_asked_is_not_the_templates_fault(now: HubNow, peer: Peer) -> None:
    peer.answers["render_template"] = Fail("unauthorized", "Unauthorized")
    with pytest.raises(NeighbourError, match="Unauthorized"):
        await now.render("{{ 1 }}")


async def test_a_template_with_no_answer_at_all_is_given_up(
    now: HubNow, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.hub.templates._ANSWER_SECONDS", 0.05)
    peer.answers["render_template"] = None
    with pytest.raises(NoReplyError):
        await now.render("{{ 1 }}")
