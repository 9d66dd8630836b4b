"""Calling Home Assistant's own services (actions) and getting what they answer."""

from collections.abc import Awaitable, Callable
from typing import Any

from app.errors import NeighbourError
from app.hub.client import Hub

ServiceCall = Callable[[str, str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""`call(domain, service, data)` returns the service's response."""


def service_call(hub: Hub) -> ServiceCall:
    """Return a function that calls a service with `return_response` and gives its response."""

    async def call(domain: str, service: str, data: dict[str, Any]) -> dict[str, Any]:
        result = await hub.command(
            "call_service", domain=domain, service=service, service_data=data, return_response=True
        )
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
