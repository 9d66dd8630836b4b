"""What the alerts' tests share: a home in memory that is as it is set, and the room over real parts."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.alerts.alert import Alert
from app.alerts.announcements import AlertChanged
from app.alerts.book import AlertBook
from app.alerts.keywords import Keywords
from app.alerts.past import Past
from app.alerts.telling import TellingRules
from app.alerts.watch import AlertWatch, Looked
from app.archive.archive import Archive
from app.bus import Bus
from app.clock import TurnedClock
from app.errors import NeighbourError
from app.hub.now import Change, HubNotification, LiveState, LogEntry, Period, Span, StatisticKind
from app.model import Area, Device, Entity, Home, Person, User
from app.options import Options
from app.store.database import Store

NOON = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)
"""Tuesday, 12:00 in Amsterdam."""
LONG_AGO = timedelta(days=1)
ROOMS = ("hall", "kitchen", "bedroom", "cellar", "garage")


class MemoryHome:
    """A home that is what it is set to: implements HomeNow."""

    def __init__(self, clock: TurnedClock) -> None:
        self._clock = clock
        self._states: dict[str, LiveState] = {}
        self._hearers: list[Callable[[Sequence[Change]], None]] = []
        self.since: datetime | None = clock.now() - LONG_AGO
        self.lines: list[LogEntry] = []
        self.side_bar: list[HubNotification] = []
        self.deaf = False

    def start(self) -> None:
        """It is always heard."""

    def set(self, entity_id: str, state: str, ago: timedelta | None = None, /, **attributes: Any) -> None:
        """Bring an entity to a state; `ago` is since when it has it. Attributes stay unless given anew."""
        before = self._states.get(entity_id)
        at = self._clock.now() - (ago or timedelta())
        known = dict(before.attributes) if before else {}
        changed = at if before is None or before.state != state else before.last_changed
        after = LiveState(entity_id, state, {**known, **attributes}, changed, at)
        self._states[entity_id] = after
        self._tell([Change(entity_id, before, after)])

    def remove(self, entity_id: str) -> None:
        before = self._states.pop(entity_id)
        self._tell([Change(entity_id, before, None)])

    def everything(self, state: str) -> None:
        for entity_id in list(self._states):
            if not entity_id.startswith(("person.", "zone.")):
                self.set(entity_id, state)

    def restart(self, settled: timedelta = timedelta()) -> None:
        """Begin anew: what is, is so since now."""
        now = self._clock.now()
        changes = []
        for entity_id, before in self._states.items():
            after = LiveState(entity_id, before.state, before.attributes, now, now)
            self._states[entity_id] = after
            changes.append(Change(entity_id, before, after))
        self.since = now - settled
        self._tell(changes)

    def states(self) -> Mapping[str, LiveState]:
        return self._states

    def listen(self, hear: Callable[[Sequence[Change]], None]) -> Callable[[], None]:
        self._hearers.append(hear)
        return lambda: self._hearers.remove(hear)

    async def statistics(self) -> Sequence[StatisticKind]:
        return ()

    async def spans(
        self, statistic_ids: Sequence[str], since: datetime, until: datetime, period: Period
    ) -> Mapping[str, Sequence[Span]]:
        del statistic_ids, since, until, period
        return {}

    async def energy_ids(self) -> Sequence[str]:
        return ()

    async def render(self, template: str) -> str:
        return template

    async def log(self) -> Sequence[LogEntry]:
        if self.deaf:
            raise NeighbourError("hub: no answer")
        return self.lines

    async def notifications(self) -> Sequence[HubNotification]:
        return self.side_bar

    async def close(self) -> None:
        self._hearers.clear()

    def _tell(self, changes: Sequence[Change]) -> None:
        for hear in tuple(self._hearers):
            hear(changes)


def home_of(*entities: Entity, **changes: Any) -> Home:
    """Return a home with five rooms, two people and these entities; each device is called as its id."""
    devices = {one.device_id: one.area_id for one in entities if one.device_id}
    given: dict[str, Any] = {
        "name": "Canal House",
        "time_zone": "Europe/Amsterdam",
        "areas": tuple(Area(area_id=room, name=room.capitalize()) for room in ROOMS),
        "devices": tuple(
            Device(device_id=key, name=key.replace("_", " ").capitalize(), area_id=area)
            for key, area in devices.items()
        ),
        "persons": (Person(entity_id="person.ana", name="Ana"), Person(entity_id="person.ben", name="Ben")),
        "users": (User(id="ana", name="Ana", is_admin=True),),
        "entities": entities,
    }
    return Home(**{**given, **changes})


def entity(entity_id: str, device_class: str | None = None, **more: Any) -> Entity:
    return Entity(entity_id=entity_id, device_class=device_class, **more)


@dataclass
class AlertHouse:
    """The room over real parts, a home in memory and a turned clock."""

    home: Home
    now: MemoryHome
    clock: TurnedClock
    store: Store
    archive: Archive
    bus: Bus
    book: AlertBook
    keywords: Keywords
    watch: AlertWatch
    heard: list[AlertChanged] = field(default_factory=list)

    def know(self, *entities: Entity, **changes: Any) -> None:
        """Make the home one of these entities."""
        self.home = home_of(*entities, **changes)

    async def look(self, after: timedelta = timedelta()) -> Looked:
        """Let time go by and look once."""
        await self.clock.turn(after)
        return await self.watch.look()

    async def looks(self, span: timedelta) -> None:
        """Let time go by with a look every five minutes, as the job has it."""
        for _ in range(span // timedelta(minutes=5)):
            await self.look(timedelta(minutes=5))

    async def alerts(self) -> list[Alert]:
        return await self.book.open("home")

    async def alert(self) -> Alert:
        """Return the one that is open."""
        (one,) = await self.alerts()
        return one

    async def titles(self) -> list[str]:
        return sorted(one.title for one in await self.alerts())

    def told(self) -> list[str]:
        """Return what people were notified of, in order."""
        return [one.alert.title for one in self.heard if one.tell]

    def changes(self) -> list[str]:
        return [one.change.value for one in self.heard]

    async def anew(self) -> None:
        """Let the process begin anew over the same store."""
        await self.watch.stop()
        self.watch = _watch(self)


@asynccontextmanager
async def alert_house(
    folder: Path, *, at: datetime = NOON, options: Mapping[str, Any] | None = None
) -> AsyncIterator[AlertHouse]:
    """Open one; people are home, nothing else is there."""
    clock = TurnedClock(at)
    bus = Bus()
    store = Store(folder / "nightshift.db", clock)
    await store.open()
    rules = TellingRules.of(Options(**(options or {})))
    house = AlertHouse.__new__(AlertHouse)
    house.home = home_of()
    house.clock, house.bus, house.store, house.heard = clock, bus, store, []
    house.now = MemoryHome(clock)
    house.archive = Archive(store, clock)
    house.book = AlertBook(store, bus, clock, rules, zone=lambda: house.home.zone)
    house.keywords = Keywords(store, clock)
    house.watch = _watch(house)
    bus.subscribe(AlertChanged, house.heard.append)
    people(house.now, "home")
    try:
        yield house
    finally:
        await house.watch.stop()
        await store.close()


def people(now: MemoryHome, state: str, ago: timedelta = timedelta(0)) -> None:
    """Send everybody there."""
    for name in ("ana", "ben"):
        now.set(f"person.{name}", state, ago, device_trackers=[f"device_tracker.{name}"])


def _watch(house: AlertHouse) -> AlertWatch:
    return AlertWatch(
        home_id="home",
        home=lambda: house.home,
        now=house.now,
        book=house.book,
        keywords=house.keywords,
        past=Past(house.store, house.archive, house.clock, "home"),
        clock=house.clock,
    )


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def kinds(alerts: Iterable[Alert]) -> list[str]:
    return sorted(one.kind.value for one in alerts)
