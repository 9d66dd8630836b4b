"""Where and how one Nightshift runs."""

from dataclasses import dataclass
from pathlib import Path

from app.announce.broker import BrokerFinder
from app.clock import Clock
from app.hub.now import HomeNow
from app.hub.source import HomeSource
from app.options import Options


@dataclass(frozen=True, slots=True)
class Doorway:
    """Where the page listens."""

    host: str = "127.0.0.1"
    port: int = 8099

    @property
    def loopback_only(self) -> bool:
        return self.host in {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class Invented:
    """The demo's home, in place of the hub."""

    source: HomeSource
    now: HomeNow


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where and how one Nightshift runs.

    `invented` and `find_broker` stand in for the hub's (the demo); `doorway` None means no page; `scheduling`
    off means that nothing starts by itself (`run JOB`).
    """

    options: Options
    folder: Path
    clock: Clock
    doorway: Doorway | None = None
    invented: Invented | None = None
    find_broker: BrokerFinder | None = None
    scheduling: bool = True
