"""What the statistics cost: CPU of a pass, bytes written, size; 500 entities in 20 areas, 400 days archived.

Run: python -m benchmarks.stats [--days 400] [--passes 60]
"""

import argparse
import asyncio
import math
import sqlite3
import tempfile
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np

from app.archive.archive import Archive
from app.clock import TurnedClock, to_ms
from app.events import NO_ACTOR, NUMERIC, Events
from app.hub.now import Change, LiveState, Span, StatisticKind
from app.model import Area, Device, Entity, Home
from app.system import settle_memory
from benchmarks.measuring import watched, written
from tests.statistics.small_home import Figures, SmallHome

ZONE = "Europe/Amsterdam"
AREAS = 20
EVENTS_A_DAY = 25_000
START = datetime(2026, 11, 2, 10, tzinfo=UTC)
_DAY_MS = 86_400_000


def the_home() -> Home:
    """Return 20 areas with 25 entities each: 5 sensors of rooms, 2 meters, 18 of other kinds."""
    entities: list[Entity] = []
    for area in range(AREAS):
        own = [(f"sensor.room_{area}_temperature_{n}", "temperature", "°C") for n in range(3)]
        own += [(f"sensor.room_{area}_humidity", "humidity", "%")]
        own += [(f"sensor.room_{area}_co2", "carbon_dioxide", "ppm")]
        own += [(f"sensor.room_{area}_plug_{n}_energy", "energy", "kWh") for n in range(2)]
        own += [(f"binary_sensor.room_{area}_motion_{n}", "motion", "") for n in range(4)]
        own += [(f"sensor.room_{area}_power_{n}", "power", "W") for n in range(6)]
        own += [(f"light.room_{area}_{n}", "", "") for n in range(7)]
        own += [(f"automation.room_{area}", "", "")]
        entities += [
            Entity(
                entity_id=entity_id,
                name=entity_id.partition(".")[2].replace("_", " "),
                area_id=f"room_{area}",
                device_id=entity_id if kind == "energy" else None,
                device_class=kind or None,
                unit=unit or None,
            )
            for entity_id, kind, unit in own
        ]
    return Home(
        name="Benchmark",
        time_zone=ZONE,
        areas=tuple(Area(area_id=f"room_{n}", name=f"Room {n}") for n in range(AREAS)),
        devices=tuple(
            Device(device_id=e.entity_id, area_id=e.area_id) for e in entities if e.device_class == "energy"
        ),
        entities=tuple(entities),
    )


def a_day(home: Home) -> Events:
    """Return one day's changes, beginning at 0 ms."""
    chance = np.random.default_rng(3)
    names = tuple(e.entity_id for e in home.entities if e.device_class != "energy")
    entity = chance.integers(0, len(names), EVENTS_A_DAY).astype(np.int32)
    numeric = np.array([name.startswith("sensor.") for name in names])[entity]
    return Events(
        entities=names,
        states=("off", "on"),
        actors=(),
        entity=entity,
        state=np.where(numeric, NUMERIC, chance.integers(0, 2, EVENTS_A_DAY)).astype(np.int32),
        value=np.where(numeric, chance.normal(21, 3, EVENTS_A_DAY).round(1), np.nan).astype(np.float32),
        at=np.sort(chance.integers(0, _DAY_MS, EVENTS_A_DAY)).astype(np.int64),
        cause=np.zeros(EVENTS_A_DAY, np.uint8),
        context=np.zeros(EVENTS_A_DAY, np.int64),
        actor=np.full(EVENTS_A_DAY, NO_ACTOR, np.int32),
    )


async def fill_archive(archive: Archive, home: Home, days: int) -> None:
    """Keep so many days, each sealed."""
    day = a_day(home)
    midnight = START.replace(hour=0)
    for number in range(days, 0, -1):
        start = midnight - timedelta(days=number)
        await archive.append(home.home_id, replace(day, at=day.at + to_ms(start)))
        if not number % 10 or number == 1:
            await archive.seal(home.home_id, home.zone, date(2030, 1, 1))
    await archive.mark(home.home_id, START)


class Measured(SmallHome):
    """A home whose sensors and meters always have their figures."""

    async def spans(self, statistic_ids, since, until, period):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - SmallHome's own
        step = timedelta(minutes=5) if period == "5minute" else timedelta(hours=1)
        over = self.clock.now() - timedelta(minutes=1)
        count = max(0, math.floor((min(until, over) - since) / step))
        starts = [since + n * step for n in range(count)]
        energy = [Span(at, at + step, change=0.2 + at.hour / 100) for at in starts]
        rooms = [Span(at, at + step, mean=20 + at.hour / 10) for at in starts]
        return {one: energy if "energy" in one or ":" in one else rooms for one in statistic_ids}


def with_figures(figures: Figures, home: Home) -> None:
    """Give the home its long-term statistics."""
    hub = figures.hub
    hub.kinds = [
        StatisticKind(
            e.entity_id,
            e.name,
            e.unit or "",
            has_mean=e.device_class != "energy",
            has_sum=e.device_class == "energy",
        )
        for e in home.entities
        if e.unit
    ]
    hub.kinds.append(StatisticKind("grid:import", "Import", "kWh", has_mean=False, has_sum=True))
    hub.grid = ("grid:import",)


def live(figures: Figures, home: Home, count: int, chance: np.random.Generator) -> None:
    """Let so much happen in the last five minutes."""
    now = figures.clock.now()
    for number in range(count):
        entity = home.entities[int(chance.integers(0, len(home.entities)))]
        at = now - timedelta(seconds=300 * (1 - number / count))
        before = figures.hub._states.get(entity.entity_id)  # noqa: SLF001 - the home is our own
        number_said = entity.domain == "sensor"
        state = str(round(float(chance.normal(21, 3)), 1)) if number_said else str(number % 2)
        attributes = {"unit_of_measurement": entity.unit} if entity.unit else {}
        after = LiveState(entity.entity_id, state, attributes, at, at)
        figures.hub._states[entity.entity_id] = after  # noqa: SLF001
        figures.hub._tell([Change(entity.entity_id, before, after)])  # noqa: SLF001


async def costs(figures: Figures, home: Home, passes: int, events: int) -> tuple[list[float], list[float]]:
    """Return the CPU seconds of ordinary passes, and of those after a full hour."""
    chance = np.random.default_rng(5)
    ordinary: list[float] = []
    hourly: list[float] = []
    for _ in range(passes):
        await figures.clock.turn(timedelta(minutes=5))
        cpu = time.process_time()
        live(figures, home, events, chance)
        await figures.clock.turn(timedelta(seconds=0))
        await figures.look()
        took = time.process_time() - cpu
        (hourly if figures.clock.now().minute < 5 else ordinary).append(took)
    return ordinary, hourly


def tables(path: Path) -> None:
    """Print what the statistics' tables take, alone in a file; it empties the database."""
    with sqlite3.connect(path, isolation_level=None) as db:
        others = [
            name
            for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not name.startswith(("stat_", "computed_", "sqlite_", "_sqlite"))
        ]
        db.execute("PRAGMA foreign_keys=OFF")
        db.execute("PRAGMA journal_mode=DELETE")
        for name in others:
            db.execute(f"DROP TABLE {name}")
        for name in ("stat_hour", "stat_day", "computed_stats"):
            rows = db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608 - our own words
            db.execute("VACUUM")
            whole = path.stat().st_size
            db.execute(f"DROP TABLE {name}")
            db.execute("VACUUM")
            print(f"{name}: {rows} rows, {(whole - path.stat().st_size) / 1024:.0f} KiB")
    db.close()


async def main(days: int, passes: int) -> None:
    home = the_home()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures = Figures(folder, TurnedClock(START), home)
        await figures.store.open()
        settle_memory()
        await fill_archive(figures.archive, home, days)
        with_figures(figures, home)
        figures.hub.__class__ = Measured
        print(f"{len(home.entities)} entities, {AREAS} areas, {days} days of {EVENTS_A_DAY} changes archived")
        await figures.clock.turn(timedelta(minutes=5))
        async with watched() as first:
            await figures.look()
        print(
            f"first pass (two months from archive and hub): {first.cpu:.2f} s of CPU,"
            f" longest pause {first.own * 1000:.1f} ms of CPU"
        )
        await figures.clock.turn(timedelta(minutes=5))
        await costs(figures, home, 3, 90)
        print("| passes | CPU ms, median | worst | longest pause, CPU ms | bytes written a pass |")
        print("|---|---|---|---|---|")
        for what, events in (("90 changes in 5 minutes", 90), ("900", 900), ("nothing happens", 0)):
            async with watched() as loop:
                with written(folder) as told:
                    ordinary, hourly = await costs(figures, home, passes, events)
            row = f"{median(ordinary) * 1000:.1f} | {max(ordinary) * 1000:.1f} | {loop.own * 1000:.1f}"
            row += f" | {told['bytes'] // passes}"
            print(f"| {what} | {row} |")
            if hourly:
                print(f"| … after a full hour | {median(hourly) * 1000:.1f} | {max(hourly) * 1000:.1f} | | |")
        await figures.store.close()
        tables(figures.store.path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--passes", type=int, default=60)
    given = parser.parse_args()
    asyncio.run(main(given.days, given.passes))
