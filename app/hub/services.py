"""Calling Home Assistant's own services (actions) and getting what they answer."""

from collections.abc import Awaitable, Callable
from typing import Any

from app.errors import NeighbourError, RefusedError
from app.hub.client import Hub
from app.hub.errors import CommandError

ServiceCall = Callable[[str, str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""`call(domain, service, data)` returns the service's response."""


def service_call(hub: Hub) -> ServiceCall:
    """Return a function that calls a service with `return_response` and gives its response.

    The function raises RefusedError when the hub has no such service, and as `Hub.command` does.
    """

    async def call(domain: str, service: str, data: dict[str, Any]) -> dict[str, Any]:
        try:
            result = await hub.command(
                "call_service", domain=domain, service=service, service_data=data, return_response=True
            )
        except CommandError as error:
            if error.code != "not_found":
                raise
            raise RefusedError(
                f"hub: it has no action {domain}.{service}; add an integration that brings it"
            ) from error
        response = result.get("response") if isinstance(result, dict) else None
        if not isinstance(response, dict):
            raise NeighbourError(f"hub: {domain}.{service} gave no response")
        return response

    return call


async def no_service_call(domain: str, service: str, _data: dict[str, Any]) -> dict[str, Any]:
    """Stand where there is no hub to call.

    Raises NeighbourError.
    """
    raise NeighbourError(f"there is no hub here to call {domain}.{service}")
