"""The real hub and broker that were started for the tests, as their environment describes them."""

import asyncio
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Self

NEEDED: Final = ("HUB_URL", "HUB_TOKEN", "MQTT_HOST", "MQTT_PORT", "HUB_CONFIG")
Word = Literal["hub-stop", "hub-start", "broker-stop", "broker-start"]


@dataclass(frozen=True, slots=True)
class RealHub:
    """Where a real Home Assistant and its broker are, and how to make them go away for a while."""

    url: str
    token: str = field(repr=False)
    mqtt_host: str
    mqtt_port: int
    config: Path
    """The hub's configuration folder; its recorder file is `home-assistant_v2.db` there."""
    starter: Path
    folder: Path

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] | None = None) -> Self:
        """Return the one that `tests/real_hub/hub up DIR` described in DIR/hub.env."""
        known = os.environ if variables is None else variables
        config = Path(known["HUB_CONFIG"])
        return cls(
            url=known["HUB_URL"].rstrip("/"),
            token=known["HUB_TOKEN"],
            mqtt_host=known["MQTT_HOST"],
            mqtt_port=int(known["MQTT_PORT"]),
            config=config,
            starter=Path(known.get("HUB_STARTER") or Path(__file__).with_name("hub")),
            folder=Path(known.get("HUB_DIR") or config.parent),
        )

    @property
    def recorder(self) -> Path:
        return self.config / "home-assistant_v2.db"

    async def say(self, word: Word) -> None:
        """Stop or start the hub or the broker; back when it is done. Raises CalledProcessError."""
        await asyncio.to_thread(
            subprocess.run, [self.starter, word, self.folder], check=True, stdin=subprocess.DEVNULL
        )
