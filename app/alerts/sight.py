"""What the detectors look at: the home as it is at one moment, with what its past taught."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final, TypedDict

from app.alerts.alert import AlertKind
from app.alerts.keywords import Keyword
from app.alerts.learned import Learned
from app.alerts.recent import Recent
from app.alerts.words import plain
from app.events import number_of
from app.hub.names import plain_name, readable_name
from app.hub.now import HubNotification, LiveState, LogEntry
from app.model import Entity, Home

NEVER_LABEL: Final = "nightshift_never"
"""A label of that name in Home Assistant, on an entity, a device or an area: nothing of it is an alert."""
UNUSABLE: Final = frozenset({"unavailable", "unknown", ""})
SETTLED: Final = timedelta(minutes=10)
"""So long after the hub came (back), integrations load and devices turn up."""


class Where(TypedDict, total=False):
    """Where a finding is."""

    entity_id: str
    area_id: str
    place: str


@dataclass(frozen=True, slots=True)
class Thing:
    """One entity as it is. `since` is since when it has been so (UTC), through times it was not heard."""

    entity: Entity
    live: LiveState
    name: str
    place: str
    device_class: str
    unit: str
    since: datetime
    words: str

    @property
    def entity_id(self) -> str:
        return self.entity.entity_id

    @property
    def domain(self) -> str:
        return self.entity.domain

    @property
    def state(self) -> str:
        return self.live.state

    @property
    def usable(self) -> bool:
        return self.live.state not in UNUSABLE

    @property
    def value(self) -> float | None:
        return number_of(self.live.state)

    @property
    def area_id(self) -> str:
        return self.entity.area_id or ""

    @property
    def plain(self) -> bool:
        """Whether it is what people see of a device, neither a setting nor its inner life nor hidden."""
        return self.entity.entity_category is None and not self.entity.hidden

    @property
    def where(self) -> Where:
        """Its part of a finding."""
        return Where(entity_id=self.entity_id, area_id=self.area_id, place=self.place)


@dataclass(frozen=True)
class Sight:
    """All that a pass knows. `now` is UTC, `since` as `HomeNow.since`; `standing`: the causes of open alerts.

    `log` and `notifications` are None when the hub could not be asked. `known` is what was seen well at
    least once (`available:<device>`, `locked:<entity>`): what never worked has not failed.
    """

    now: datetime
    home: Home
    since: datetime
    things: Mapping[str, Thing]
    learned: Learned
    recent: Recent
    standing: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    keywords: Sequence[Keyword] = ()
    log: Sequence[LogEntry] | None = None
    notifications: Sequence[HubNotification] | None = None
    left_out: frozenset[str] = field(default_factory=frozenset)

    @property
    def settled(self) -> bool:
        """Whether the hub has been there for long enough that what is missing is missing."""
        return self.now - self.since >= SETTLED

    @property
    def unjudged(self) -> frozenset[AlertKind]:
        """The kinds of which nothing can be said now: their alerts stay as they are."""
        kinds: set[AlertKind] = set()
        if not self.settled:
            kinds |= {AlertKind.UNAVAILABLE, AlertKind.SILENT}
        if self.log is None or self.notifications is None:
            kinds.add(AlertKind.KEYWORD)
        return frozenset(kinds)

    @cached_property
    def local(self) -> datetime:
        return self.now.astimezone(self.home.zone)

    @cached_property
    def devices(self) -> Mapping[str, tuple[Thing, ...]]:
        """What belongs to each device, its inner life too."""
        found: dict[str, list[Thing]] = {}
        for thing in self.things.values():
            if thing.entity.device_id:
                found.setdefault(thing.entity.device_id, []).append(thing)
        return {device_id: tuple(things) for device_id, things in found.items()}

    def beside(self, thing: Thing) -> tuple[Thing, ...]:
        """Return the others of the same device."""
        if not thing.entity.device_id:
            return ()
        return tuple(one for one in self.devices[thing.entity.device_id] if one is not thing)

    @cached_property
    def device_names(self) -> Mapping[str, str]:
        return {device.device_id: device.name for device in self.home.devices}

    def in_domain(self, *domains: str) -> Iterable[Thing]:
        return (thing for thing in self.things.values() if thing.domain in domains)

    def clock(self, instant: datetime) -> str:
        """Return an instant as people say it here: `14:05`, `Tuesday 14:05`, `3 March 14:05`."""
        there = instant.astimezone(self.home.zone)
        days = (self.local.date() - there.date()).days
        if days == 0:
            return f"{there:%H:%M}"
        if days < 6:
            return f"{there:%A %H:%M}"
        return f"{there.day} {there:%B %H:%M}"


_OWN: Final = "nightshift_"
"""How our own entities' names begin; the registry's reading leaves them out of the home."""


def things_of(home: Home, states: Mapping[str, LiveState], recent: Recent) -> dict[str, Thing]:
    """Return what is looked at: not what is disabled, excluded by label, or a group of others."""
    registry = {entity.entity_id: entity for entity in home.entities}
    areas = {area.area_id: area.name for area in home.areas}
    found = {}
    for entity_id, live in states.items():
        entity = registry.get(entity_id)
        if entity is None:
            if entity_id.partition(".")[2].startswith(_OWN):
                continue
            entity = Entity(entity_id=entity_id)
        if entity.disabled or NEVER_LABEL in entity.labels:
            continue
        members = live.attributes.get("entity_id")
        if entity.members or (isinstance(members, list | tuple) and members):
            continue
        found[entity_id] = _thing(entity, live, areas, recent)
    return found


def _thing(entity: Entity, live: LiveState, areas: Mapping[str, str], recent: Recent) -> Thing:
    attributes = live.attributes
    name = entity.name or plain_name(attributes.get("friendly_name")) or readable_name(entity.entity_id)
    place = areas.get(entity.area_id or "", "")
    return Thing(
        entity=entity,
        live=live,
        name=name,
        place=place,
        device_class=_text(attributes.get("device_class")) or entity.device_class or "",
        unit=_text(attributes.get("unit_of_measurement")) or entity.unit or "",
        since=recent.since(live),
        words=plain(entity.entity_id, name, place),
    )


def _text(given: object) -> str:
    return given if isinstance(given, str) else ""
