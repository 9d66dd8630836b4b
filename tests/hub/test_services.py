import pytest

from app.errors import NeighbourError, RefusedError
from app.hub.client import Hub
from app.hub.errors import CommandError
from app.hub.services import no_service_call, service_call
from tests.hub.peer import Fail, Peer


async def test_a_service_is_called_for_its_response(hub: Hub, peer: Peer) -> None:
    peer.answers["call_service"] = {"context": {}, "response": {"data": {"title": "Lamp"}}}

    assert await service_call(hub)("ai_task", "generate_data", {"task_name": "x"}) == {
        "data": {"title": "Lamp"}
    }

    (message,) = peer.asked("call_service")
    assert (message["domain"], message["service"], message["return_response"]) == (
        "ai_task",
        "generate_data",
        True,
    )


async def test_a_service_that_the_hub_does_not_have_is_a_persons_to_mend(hub: Hub, peer: Peer) -> None:
    peer.answers["call_service"] = Fail("not_found", "Service ai_task.generate_data not found.")

    with pytest.raises(RefusedError, match=r"no action ai_task\.generate_data; add an integration"):
        await service_call(hub)("ai_task", "generate_data", {})


async def test_a_service_that_fails_or_says_nothing_may_work_later(hub: Hub, peer: Peer) -> None:
    call = service_call(hub)
    peer.answers["call_service"] = Fail("home_assistant_error", "The model is busy")
    with pytest.raises(CommandError, match="The model is busy") as failure:
        await call("ai_task", "generate_data", {})
    assert not isinstance(failure.value, RefusedError)

    peer.answers["call_service"] = {"context": {}}
    with pytest.raises(NeighbourError, match="gave no response"):
        await call("ai_task", "generate_data", {})


async def test_without_a_hub_there_is_nobody_to_call() -> None:
    with pytest.raises(NeighbourError, match="no hub here"):
        await no_service_call("ai_task", "generate_data", {})
