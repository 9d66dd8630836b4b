"""What kind of home is to be invented, and what was put into it."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from app.events import Events
from app.model import Home, zone_of

Days = Literal["all", "workdays", "weekend"]
Work = Literal["office", "shifts", "school", "none", "home", "retired"]


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody who lives there. `work` decides when they are out: office hours, rotating shifts, school."""

    name: str
    work: Work
    user_id: str = ""

    @property
    def slug(self) -> str:
        return self.name.split()[0].lower()


@dataclass(frozen=True, slots=True)
class Planted:
    """A habit that the people of an invented home really have: what a miner should find.

    `at` is local time (`kind` clock), `offset_minutes` counts from sunset (`kind` sun), `trigger` is the
    entity and state that the act follows within `within_seconds` (`kind` trigger). `adherence` is the share
    of opportunities on which it is done; an opportunity needs `condition`, and the target not yet so.
    """

    name: str
    kind: Literal["clock", "sun", "trigger"]
    target: str
    to_state: str
    adherence: float
    days: Days = "all"
    at: str | None = None
    offset_minutes: int | None = None
    trigger: tuple[str, str] | None = None
    within_seconds: int | None = None
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong with the hub and its devices over the whole stretch."""

    restarts: int = 3
    outage_hours: float = 4.0
    flapping: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """A home to be invented: the same plan gives the same home, and a later `until` only adds to its end.

    `habits` names the planted ones; None plants all, an empty set makes a home in which people do as much,
    but at any time. `vacation_days` 0 means that nobody goes away.
    """

    seed: int = 7
    first_day: date = date(2026, 10, 9)
    until: datetime = datetime(2026, 11, 8, tzinfo=UTC)
    zone: str = "Europe/Amsterdam"
    latitude: float = 52.37
    longitude: float = 4.89
    residents: tuple[Resident, ...] = (
        Resident("Robin (demo)", "office", "d0000000000000000000000000000001"),
        Resident("Sam (demo)", "shifts", "d0000000000000000000000000000002"),
        Resident("Kim (demo)", "school"),
    )
    habits: frozenset[str] | None = None
    vacation_days: int = 4
    faults: Faults = field(default_factory=Faults)

    def days(self) -> list[date]:
        """Return the local days from the first to the one in which `until` lies."""
        last = self.until.astimezone(zone_of(self.zone)).date()
        return [self.first_day + timedelta(n) for n in range((last - self.first_day).days + 1)]


@dataclass(frozen=True, slots=True)
class Invented:
    """An invented home, what happened in it, and the habits its people have."""

    home: Home
    events: Events
    truth: tuple[Planted, ...]
