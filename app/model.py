"""A home as Home Assistant knows it: areas, devices, entities, people, automations, scripts.

Plain frozen data, JSON in and out, so that it can be stored, sent to a worker, and compared.
Names are Home Assistant's own.
"""

from enum import IntEnum
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Cause(IntEnum):
    """Who made a state change."""

    UNKNOWN = 0
    """The source does not tell."""
    PERSON = 1
    """A person in the app, on a dashboard or by voice."""
    HAND = 2
    """A wall switch, a remote, the device itself."""
    MACHINE = 3
    """An automation, a script, a scene, another app or integration."""


class Frozen(BaseModel):
    """The base of what is read from outside: unknown keys are dropped, nothing changes afterwards."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Area(Frozen):
    area_id: str
    name: str


class Device(Frozen):
    device_id: str
    name: str = ""
    area_id: str | None = None


class Entity(Frozen):
    """An entity; `area_id` is its own or its device's. `members` are a group's entity ids. `labels` are the
    ids of its own labels, its device's and its area's, sorted.
    """

    entity_id: str
    name: str = ""
    area_id: str | None = None
    device_id: str | None = None
    platform: str | None = None
    device_class: str | None = None
    unit: str | None = None
    entity_category: str | None = None
    hidden: bool = False
    disabled: bool = False
    members: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        return self.entity_id.partition(".")[0]


class Person(Frozen):
    """Home Assistant's person; `entity_id` is `person.…`."""

    entity_id: str
    name: str = ""
    user_id: str | None = None


class User(Frozen):
    """An account on the hub. `system_generated` ones are apps and integrations, not people."""

    id: str
    name: str = ""
    is_owner: bool = False
    is_active: bool = True
    is_admin: bool = False
    system_generated: bool = False


class Automation(Frozen):
    """An automation that exists in the home; `config` has the plural keys, or is empty where unknown."""

    entity_id: str
    unique_id: str | None = None
    alias: str = ""
    enabled: bool = True
    config: dict[str, Any] = Field(default_factory=dict)


class Script(Frozen):
    """A script of the home; `config` has its `sequence` as a list, or is empty where unknown."""

    entity_id: str
    alias: str = ""
    config: dict[str, Any] = Field(default_factory=dict)


class Home(Frozen):
    """One Home Assistant. Latitude and longitude in degrees, elevation in metres."""

    home_id: str = "home"
    name: str = "Home"
    time_zone: str = "UTC"
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    elevation: float = 0.0
    language: str = "en"
    version: str = ""
    areas: tuple[Area, ...] = ()
    devices: tuple[Device, ...] = ()
    entities: tuple[Entity, ...] = ()
    persons: tuple[Person, ...] = ()
    users: tuple[User, ...] = ()
    automations: tuple[Automation, ...] = ()
    scripts: tuple[Script, ...] = ()
    demo: bool = False
    """True for an invented home: every face says so."""

    @model_validator(mode="after")
    def _zone_is_known(self) -> Self:
        zone_of(self.time_zone)
        return self

    @property
    def zone(self) -> ZoneInfo:
        return zone_of(self.time_zone)

    @property
    def knows_zone(self) -> bool:
        """Whether the zone was told, or is only the default."""
        return "time_zone" in self.model_fields_set

    @property
    def place(self) -> tuple[float, float] | None:
        """Latitude and longitude, or None: then nothing is said about the sun."""
        if self.latitude is None or self.longitude is None:
            return None
        return self.latitude, self.longitude


def zone_of(name: str) -> ZoneInfo:
    """Return the zone of that IANA name.

    Raises ValueError, naming it, when there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}: give an IANA name such as Europe/Amsterdam") from error
