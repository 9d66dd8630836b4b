"""The Supervisor beside the hub: where the broker is, and who we are to it."""

import asyncio
import ipaddress
import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from pydantic import Field, SecretStr, ValidationError, field_validator

from app.errors import NeighbourError, RefusedError
from app.model import Frozen

DEFAULT_URL = "http://supervisor"
_SECONDS = 10.0
_LARGEST_REPLY = 1024 * 1024


class MqttService(Frozen):
    """The broker that the Supervisor offers."""

    host: str = Field(min_length=1)
    port: int = Field(ge=1, le=65535)
    ssl: bool = False
    username: str = ""
    password: SecretStr = SecretStr("")

    @field_validator("username", "password", mode="before")
    @classmethod
    def _none_is_empty(cls, value: Any) -> Any:
        return "" if value is None else value


class AppInfo(Frozen):
    """Ourselves as the Supervisor knows us. `ingress_entry` is the path in front of every page in the hub."""

    slug: str = ""
    version: str = ""
    hostname: str = ""
    ip_address: str = ""
    ingress_entry: str = ""
    ingress_url: str = ""
    ingress_port: int | None = None

    @field_validator("ip_address")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value:
            ipaddress.ip_address(value)
        return value

    @field_validator("*", mode="before")
    @classmethod
    def _none_is_empty(cls, value: Any, info: Any) -> Any:
        return "" if value is None and info.field_name != "ingress_port" else value


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Asks the Supervisor; `token` is SUPERVISOR_TOKEN of this start."""

    token: SecretStr
    http: aiohttp.ClientSession = field(repr=False)
    url: str = DEFAULT_URL

    async def mqtt_service(self) -> MqttService | None:
        """Return the broker, or None when there is none, or none yet: services are empty for a while at boot.

        Raises RefusedError when the add-on may not ask, NeighbourError when there is no usable answer.
        """
        status, said = await self._get("/services/mqtt")
        if status == 400 and "not enabled" in _message(said).lower():
            return None
        try:
            return MqttService.model_validate(_data("/services/mqtt", status, said))
        except ValidationError as error:
            raise NeighbourError(f"supervisor: the broker it names is not usable ({_wrong(error)})") from None

    async def info(self) -> AppInfo:
        """Return what it knows of us. Raises as `mqtt_service` does."""
        status, said = await self._get("/addons/self/info")
        try:
            return AppInfo.model_validate(_data("/addons/self/info", status, said))
        except ValidationError as error:
            raise NeighbourError(f"supervisor: what it says of us is not usable ({_wrong(error)})") from None

    async def _get(self, path: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token.get_secret_value()}"}
        try:
            async with (
                asyncio.timeout(_SECONDS),
                self.http.get(self.url + path, headers=headers, allow_redirects=False) as reply,
            ):
                body = b""
                async for part in reply.content.iter_chunked(64 * 1024):
                    body += part
                    if len(body) > _LARGEST_REPLY:
                        raise NeighbourError(f"supervisor: the answer to {path} is too large")
                return reply.status, json.loads(body) if body else None
        except TimeoutError:
            raise NeighbourError(f"supervisor: no answer to {path} within {_SECONDS:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise NeighbourError(f"supervisor: cannot be reached ({type(error).__name__})") from error
        except (ValueError, RecursionError):
            raise NeighbourError(f"supervisor: the answer to {path} is not JSON") from None


def _data(path: str, status: int, said: Any) -> Any:
    """Take what the Supervisor's envelope holds."""
    if status in {401, 403}:
        raise RefusedError(f"supervisor: {path} refused (HTTP {status}); install the add-on again")
    if status != 200 or not isinstance(said, dict) or said.get("result") != "ok":
        raise NeighbourError(f"supervisor: {path}: HTTP {status} {_message(said)}".rstrip())
    return said.get("data")


def _message(said: Any) -> str:
    return str(said.get("message") or "")[:200] if isinstance(said, dict) else ""


def _wrong(error: ValidationError) -> str:
    first = error.errors(include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
