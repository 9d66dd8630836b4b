"""What a pass of the alerts costs: 500 entities, 400 days of archive. Prints a table.

Run: python -m benchmarks.alerts [DAYS]
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from app.alerts.announcements import AlertChanged
from app.alerts.book import AlertBook
from app.alerts.keywords import Keywords
from app.alerts.past import Past
from app.alerts.telling import TellingRules
from app.alerts.watch import AlertWatch
from app.archive.archive import Archive
from app.bus import Bus
from app.clock import TurnedClock
from app.hub.now import Change, HubNotification, LiveState, LogEntry, Period, Span, StatisticKind
from app.model import Area, Device, Entity, Home
from app.options import Options
from app.store.database import Store
from benchmarks.measuring import watched
from benchmarks.speed_home import ZONE, day_of, day_starts, speed_home

ROWS_A_DAY = 25_000
_SECONDS = 0.050


@dataclass
class StillHome:
    """A home in which nothing moves but what is set."""

    known: dict[str, LiveState]
    since: datetime | None
    hearers: list[Callable[[Sequence[Change]], None]] = field(default_factory=list)
    lines: list[LogEntry] = field(default_factory=list)

    def start(self) -> None:
        """It is always heard."""

    def states(self) -> Mapping[str, LiveState]:
        return self.known

    def listen(self, hear: Callable[[Sequence[Change]], None]) -> Callable[[], None]:
        self.hearers.append(hear)
        return lambda: self.hearers.remove(hear)

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
        return self.lines

    async def notifications(self) -> Sequence[HubNotification]:
        return ()

    async def close(self) -> None:
        self.hearers.clear()


def big_home() -> Home:
    """Return the home of the speed benchmarks with batteries, doors, locks and detectors: 500 entities."""
    home = speed_home()
    entities = [
        one.model_copy(update={"device_id": f"device_{number // 3}", "platform": f"platform_{number % 7}",
                               "area_id": f"room_{number % 20}", "name": one.entity_id})
        for number, one in enumerate(home.entities)
    ]  # fmt: skip
    kinds = ("door", "window", "smoke", "moisture", "battery", "motion", "lock")
    for number in range(500 - len(entities)):
        kind = kinds[number % len(kinds)]
        domain = "lock" if kind == "lock" else "binary_sensor"
        entities.append(
            Entity(
                entity_id=f"{domain}.extra_{number}", device_class=kind, device_id=f"extra_{number // 2}",
                platform="zha", area_id=f"room_{number % 20}", name=f"Front door {number}",
            )
        )  # fmt: skip
    devices = {one.device_id for one in entities if one.device_id}
    return home.model_copy(
        update={
            "entities": tuple(entities),
            "devices": tuple(Device(device_id=one, name=one) for one in sorted(devices)),
            "areas": tuple(Area(area_id=f"room_{number}", name=f"Room {number}") for number in range(20)),
        }
    )


def states_of(home: Home, now: datetime) -> dict[str, LiveState]:
    found = {}
    for one in home.entities:
        state = "21.5" if one.domain == "sensor" else "locked" if one.domain == "lock" else "off"
        attributes = {"device_class": one.device_class, "friendly_name": one.name}
        at = now - timedelta(hours=1)
        found[one.entity_id] = LiveState(one.entity_id, state, attributes, at, at)
    return found


async def _passes(
    watch: AlertWatch, now: StillHome, home: Home, clock: TurnedClock, count: int
) -> tuple[float, float, float]:
    """Return the middle and the largest CPU of so many passes, and the loop's longest own pause, in ms."""
    spent, longest = [], 0.0
    for number in range(count):
        await clock.turn(timedelta(minutes=5))
        now.known = states_of(home, clock.now())
        if number % 5 == 4:  # The heartbeat computes, too: it is not beside every pass.
            async with watched() as seen:
                await watch.look()
            longest = max(longest, seen.own)
            continue
        before = time.process_time()
        await watch.look()
        spent.append(time.process_time() - before)
    spent.sort()
    return spent[len(spent) // 2] * 1000, spent[-1] * 1000, longest * 1000


async def main(days: int) -> None:
    home = big_home()
    with tempfile.TemporaryDirectory() as folder:
        clock = TurnedClock(day_starts(days).astimezone(UTC) + timedelta(hours=4))
        store = Store(Path(folder) / "nightshift.db", clock)
        await store.open()
        archive, bus = Archive(store, clock), Bus()
        for number in range(days):
            await archive.append("home", day_of(number, ROWS_A_DAY))
            await archive.seal("home", ZoneInfo(ZONE.key), day_starts(number + 1).date())
        await archive.mark("home", clock.now())
        now = StillHome(states_of(home, clock.now()), clock.now() - timedelta(days=1))
        past = Past(store, archive, clock, "home")
        book = AlertBook(store, bus, clock, TellingRules.of(Options()), zone=lambda: ZONE)
        heard: list[AlertChanged] = []
        bus.subscribe(AlertChanged, heard.append)
        watch = AlertWatch(
            home_id="home", home=lambda: home, now=now, book=book, keywords=Keywords(store, clock), past=past,
            clock=clock,
        )  # fmt: skip
        print(f"{len(home.entities)} entities, {days} days of {ROWS_A_DAY} events in the archive")
        print(f"{'CPU of a pass':<44}{'middle':>10}{'largest':>10}{'loop held':>11}   ms")
        kept = min(days - 1, 90)
        for what, count in (("that learns a day of the past", kept), ("with all learned, nothing new", 50)):
            middle, largest, held = await _passes(watch, now, home, clock, count)
            print(f"{what:<44}{middle:>10.1f}{largest:>10.1f}{held:>11.1f}")
            if what.startswith("with"):
                assert middle < _SECONDS * 1000, "the promise of docs/alerts.md"
        async with store.reading() as db:
            rows = await db.execute_fetchall("SELECT count(*), sum(length(facts)) FROM alert_day")
            learned, size = next(iter(rows))
        kinds = sorted({one.alert.kind.value for one in heard})
        print(f"{learned} learned days take {size / 1000:.0f} kB; {len(heard)} alerts: {kinds}")
        await store.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 400))
