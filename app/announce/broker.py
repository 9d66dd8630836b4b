"""Where the broker is, and how it is found anew before every connection."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from pydantic import SecretStr

from app.hub.supervisor import MqttService
from app.options import MqttMode, Options


@dataclass(frozen=True, slots=True)
class Broker:
    """An MQTT broker: an empty user name means anonymous; `tls` trusts the system's certificates."""

    host: str
    port: int = 1883
    username: str = ""
    password: SecretStr = field(default_factory=lambda: SecretStr(""))
    tls: bool = False

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


BrokerFinder: TypeAlias = Callable[[], Awaitable[Broker | None]]
"""Says where the broker is now, or None when there is none (yet). NeighbourError: ask again later.

Asked before every connection: a broker that moved, or got a new password, is found without a restart.
"""


def broker_finder(
    options: Options, service: Callable[[], Awaitable[MqttService | None]] | None = None
) -> BrokerFinder:
    """Return a finder that prefers `mqtt_host`, then asks `service` (the Supervisor's `mqtt_service`)."""

    async def find() -> Broker | None:
        if options.mqtt is MqttMode.OFF:
            return None
        if options.mqtt_host:
            return Broker(
                options.mqtt_host,
                options.mqtt_port,
                options.mqtt_username,
                options.mqtt_password,
                options.mqtt_tls,
            )
        offered = await service() if service else None
        if offered is None:
            return None
        return Broker(offered.host, offered.port, offered.username, offered.password, offered.ssl)

    return find
