"""Every topic Nightshift speaks or hears; `docs/mqtt.md` explains each, and a test holds the two together."""

import re
from dataclasses import dataclass

from app.errors import InputError

ANALYSIS_COMPLETE = "ha-ai/status/analysis_complete"
"""Where the end of every analysis is told, for automations and other programs."""

_INSTANCE = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one installation. `discovery_prefix` and `birth` are Home Assistant's own settings.

    Raises InputError when `instance` has other characters than Home Assistant's discovery takes.
    """

    instance: str = "nightshift"
    discovery_prefix: str = "homeassistant"
    birth: str = "homeassistant/status"

    def __post_init__(self) -> None:
        if not _INSTANCE.fullmatch(self.instance):
            raise InputError(f"{self.instance!r} is no instance id: use letters, digits, - and _, 64 at most")

    @property
    def device_id(self) -> str:
        """What the device is known by in Home Assistant, and the client by on the broker."""
        return f"nightshift_{self.instance}"

    @property
    def discovery(self) -> str:
        return f"{self.discovery_prefix}/device/{self.device_id}/config"

    @property
    def availability(self) -> str:
        return f"nightshift/{self.instance}/availability"

    @property
    def state(self) -> str:
        return f"nightshift/{self.instance}/state"

    @property
    def event(self) -> str:
        return f"nightshift/{self.instance}/event"

    @property
    def job_event(self) -> str:
        return f"nightshift/{self.instance}/job"

    @property
    def morning(self) -> str:
        return f"nightshift/{self.instance}/morning"

    @property
    def areas(self) -> str:
        return f"nightshift/{self.instance}/areas"

    @property
    def alert(self) -> str:
        return f"nightshift/{self.instance}/alert"

    @property
    def coach_alert(self) -> str:
        return f"nightshift/{self.instance}/coach_alert"

    @property
    def run(self) -> str:
        return f"nightshift/{self.instance}/cmd/run"

    @property
    def suggestion(self) -> str:
        return f"nightshift/{self.instance}/cmd/suggestion"

    @property
    def enabled(self) -> str:
        return f"nightshift/{self.instance}/cmd/enabled"
