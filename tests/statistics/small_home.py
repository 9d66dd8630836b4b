"""A home in memory that keeps both sides of the contract: its past (`HomeSource`) and its present
(`HomeNow`).

Both tell the same list of changes, the past as a hub's history does, the present as they come. It can be
away.
"""

import itertools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from app.archive.archive import Archive
from app.bus import Bus
from app.clock import TurnedClock, from_ms, to_ms
from app.errors import InputError, NeighbourError
from app.events import Event, Events, number_of
from app.hub.now import Change, HubNotification, LiveState, LogEntry, Period, Span, StatisticKind
from app.hub.source import Slice
from app.hub.streams import streams_of
from app.jobs.context import RunContext
from app.jobs.engine import EmbeddedEngine
from app.jobs.run import Trigger
from app.jobs.spec import Outcome
from app.model import Area, Automation, Cause, Device, Entity, Home
from app.statistics.announcements import StatsChanged
from app.statistics.statistics import Statistics
from app.statistics.stats import PlaceStats, Stats
from app.store.database import Store

MONDAY = datetime(2026, 2, 2, 6, tzinfo=UTC)
"""Seven in the morning in Amsterdam, on a Monday, the second of the month."""


def sensor(entity_id: str, area: str | None, kind: str, unit: str, device: str | None = None) -> Entity:
    return Entity(
        entity_id=entity_id,
        name=entity_id.partition(".")[2].replace("_", " "),
        area_id=area,
        device_id=device,
        device_class=kind,
        unit=unit,
    )


HOME = Home(
    name="Canal House",
    time_zone="Europe/Amsterdam",
    areas=(
        Area(area_id="kitchen", name="Kitchen"),
        Area(area_id="bedroom", name="Bedroom"),
        Area(area_id="garden", name="Garden"),
    ),
    devices=(Device(device_id="plug", name="Plug", area_id="kitchen"),),
    entities=(
        Entity(entity_id="light.kitchen", name="Kitchen lamp", area_id="kitchen"),
        Entity(entity_id="switch.kettle", name="Kettle", area_id="kitchen"),
        Entity(entity_id="binary_sensor.hall", name="Hall", device_class="motion"),
        Entity(entity_id="automation.morning", name="Morning", area_id="bedroom"),
        sensor("sensor.kitchen_temperature", "kitchen", "temperature", "°C"),
        sensor("sensor.bedroom_temperature", "bedroom", "temperature", "°F"),
        sensor("sensor.bedroom_co2", "bedroom", "carbon_dioxide", "ppm"),
        sensor("sensor.bedroom_humidity", "bedroom", "humidity", "%"),
        sensor("sensor.garden_temperature", "garden", "temperature", "°C"),
        sensor("sensor.freezer_temperature", "kitchen", "temperature", "°C"),
        sensor("sensor.plug_energy", "kitchen", "energy", "Wh", "plug"),
        sensor("sensor.plug_energy_today", "kitchen", "energy", "kWh", "plug"),
        sensor("sensor.meter", None, "energy", "kWh"),
    ),
    automations=(Automation(entity_id="automation.morning", alias="Morning"),),
)


@dataclass
class SmallHome:
    """One home, told by a list of changes; what lies ahead of the clock has not happened yet."""

    clock: TurnedClock
    home: Home = HOME
    rows: list[Event] = field(default_factory=list)
    kinds: list[StatisticKind] = field(default_factory=list)
    grid: tuple[str, ...] = ()
    measured: dict[str, list[Span]] = field(default_factory=dict)
    """Hourly spans by statistic; 5-minute ones under `id/5`."""
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)
    spans_asked: list[tuple[tuple[str, ...], datetime, datetime, Period]] = field(default_factory=list)
    fails_after: int | None = None
    """So many slices of history come, then the hub is gone."""
    behind: timedelta = timedelta(seconds=5)
    """How late the recorder is."""
    _since: datetime | None = None
    _told: int = 0
    _states: dict[str, LiveState] = field(default_factory=dict)
    _ears: list[Callable[[Sequence[Change]], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._since = self.clock.now()

    # What a test does with it.

    def happens(self, entity_id: str, state: str, at: datetime, **who: Any) -> None:
        """Write a change down; `hear` tells it."""
        self.rows.append(Event(entity_id, state, to_ms(at), **who))

    def set(self, entity_id: str, state: str, **attributes: Any) -> None:
        """Make an entity be so now, and tell it."""
        now, before = self.clock.now(), self._states.get(entity_id)
        changed = before.last_changed if before and before.state == state else now
        self._states[entity_id] = after = LiveState(entity_id, state, attributes, changed, now)
        self._tell([Change(entity_id, before, after)])

    def runs(self, automation: str, at: datetime, changes: str = "", state: str = "on") -> None:
        """Let an automation run; what it `changes` is in the past with its context."""
        before = self._states.get(automation)
        now = self.clock.now()
        after = LiveState(automation, "on", {"last_triggered": at.isoformat()}, now, now)
        self._states[automation] = after
        if self._since is not None:
            self._tell([Change(automation, before, after)])
        if changes:
            context = len(self.rows) + 1
            self.happens(changes, state, at, cause=Cause.MACHINE, context=context, actor=automation)

    def hear(self) -> None:
        """Tell what has happened up to now, one by one, unless the hub is away."""
        rows = sorted(self.rows, key=lambda row: row.at)
        now = to_ms(self.clock.now())
        due = [row for row in rows[self._told :] if row.at <= now]
        self._told += len(due)
        for row in due:
            before = self._states.get(row.entity_id)
            at = from_ms(row.at)
            self._states[row.entity_id] = after = LiveState(row.entity_id, row.state, {}, at, at)
            if self._since is not None:
                self._tell([Change(row.entity_id, before, after)])

    def goes_away(self) -> None:
        self._since = None

    def comes_back(self) -> None:
        """Be there again: as a mirror does, the first batch tells how things are now."""
        self.hear()
        self._since = self.clock.now()

    def _tell(self, changes: Sequence[Change]) -> None:
        for ear in tuple(self._ears):
            ear(changes)

    # HomeSource.

    async def describe(self) -> Home:
        return self.home

    async def history(self, home: Home, since: datetime, until: datetime) -> AsyncIterator[Slice]:
        """Yield hours, as a hub's reader does: other states only, of a sensor one number a minute."""
        self.asked.append((since, until))
        if self._since is None:
            raise NeighbourError("hub: away")
        wanted = set(streams_of(home).all)
        written = to_ms(self.clock.now() - self.behind)
        states: dict[str, str] = {}
        minutes: dict[str, int] = {}
        at = since
        for number in itertools.count():
            if at >= until:
                return
            if number == self.fails_after:
                raise NeighbourError("hub: no answer")
            end = min(at + timedelta(hours=1), until)
            rows = [
                row
                for row in sorted(self.rows, key=lambda row: row.at)
                if row.entity_id in wanted
                and to_ms(at) <= row.at < to_ms(end)
                and row.at < written
                and _is_kept(row, states, minutes)
            ]
            yield Slice(Events.of(rows), end)
            at = end

    # HomeNow.

    def start(self) -> None:
        return

    @property
    def since(self) -> datetime | None:
        return self._since

    def states(self) -> Mapping[str, LiveState]:
        return self._states

    def listen(self, hear: Callable[[Sequence[Change]], None]) -> Callable[[], None]:
        self._ears.append(hear)
        return lambda: self._ears.remove(hear)

    async def statistics(self) -> Sequence[StatisticKind]:
        self._reach()
        return self.kinds

    async def spans(
        self, statistic_ids: Sequence[str], since: datetime, until: datetime, period: Period
    ) -> Mapping[str, Sequence[Span]]:
        self._reach()
        self.spans_asked.append((tuple(statistic_ids), since, until, period))
        end = "/5" if period == "5minute" else ""
        now = self.clock.now()
        return {
            one: [s for s in self.measured.get(one + end, ()) if since <= s.start < until and s.end <= now]
            for one in statistic_ids
        }

    async def energy_ids(self) -> Sequence[str]:
        self._reach()
        return self.grid

    async def render(self, template: str) -> str:
        raise InputError(f"no template: {template}")

    async def log(self) -> Sequence[LogEntry]:
        return ()

    async def notifications(self) -> Sequence[HubNotification]:
        return ()

    async def close(self) -> None:
        return

    def _reach(self) -> None:
        if self._since is None:
            raise NeighbourError("hub: away")


def _is_kept(row: Event, states: dict[str, str], minutes: dict[str, int]) -> bool:
    if states.get(row.entity_id) == row.state:
        return False
    if row.entity_id.startswith("sensor.") and number_of(row.state) is not None:
        if minutes.get(row.entity_id) == row.at // 60_000:
            return False
        minutes[row.entity_id] = row.at // 60_000
    states[row.entity_id] = row.state
    return True


class Figures:
    """A home with its statistics over one database; `kill` ends them without a word and starts anew."""

    def __init__(self, folder: Path, clock: TurnedClock, home: Home = HOME) -> None:
        self.clock = clock
        self.store = Store(folder / "nightshift.db", clock)
        self.hub = SmallHome(clock, home)
        self.archive = Archive(self.store, clock)
        self.bus = Bus()
        self.announced: list[StatsChanged] = []
        self.bus.subscribe(StatsChanged, self.announced.append)
        self.pending = 0
        self.statistics = self._made()

    @property
    def zone(self) -> ZoneInfo:
        return self.hub.home.zone

    def _made(self) -> Statistics:
        made = Statistics(
            home=lambda: self.hub.home,
            now=self.hub,
            source=self.hub,
            archive=self.archive,
            store=self.store,
            bus=self.bus,
            pending=self._pending,
        )
        made.start()
        return made

    async def _pending(self, _home_id: str) -> int:
        return self.pending

    def kill(self) -> None:
        """What was only in memory is gone."""
        self.statistics.stop()
        self.statistics = self._made()
        self.hub._since = self.clock.now()

    async def turn(self, **by: float) -> None:
        """Let time go by, and hear what happens meanwhile when it happens."""
        until = self.clock.now() + timedelta(**by)
        for at in sorted({row.at for row in self.hub.rows}):
            if self.clock.now() < from_ms(at) <= until:
                await self.clock.turn(from_ms(at) - self.clock.now())
                self.hub.hear()
        await self.clock.turn(until - self.clock.now())
        self.hub.hear()

    async def look(self) -> Outcome:
        """Let the job make one pass."""
        run = self.statistics.job.run
        assert run is not None
        now = self.clock.now()
        context = RunContext(
            run_id="run",
            job="stats_aggregator",
            home="home",
            trigger=Trigger.MANUAL,
            scheduled_for=None,
            started_at=now,
            clock=self.clock,
            engine=EmbeddedEngine(self.clock),
            on_progress=lambda _: None,
            zone=self.zone,
            occasion=now,
        )
        return await run(context)

    async def latest(self) -> dict[str, PlaceStats]:
        return {place.area_id: place for place in await self.statistics.queries.latest("home")}

    async def of(self, area: str = "") -> Stats:
        return (await self.latest())[area].stats
