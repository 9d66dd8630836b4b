"""How often alerts are wrong: invented homes in which people live as always, watched for weeks.

Prints a table, and whatever is raised, to be judged by a person.
Run: python -m benchmarks.alerts_at_rest [HOMES [DAYS]]
"""

import asyncio
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.alerts.announcements import AlertChange, AlertChanged
from app.alerts.book import AlertBook
from app.alerts.keywords import Keywords
from app.alerts.past import Past
from app.alerts.telling import TellingRules
from app.alerts.watch import AlertWatch
from app.archive.archive import Archive
from app.bus import Bus
from app.clock import TurnedClock, from_ms, to_ms
from app.events import Events
from app.hub.invented import InventedSource
from app.hub.now import Change, LiveState
from app.model import Home
from app.options import Options
from app.store.database import Store
from benchmarks.alerts import StillHome

PAST_DAYS = 30
BEGINS = datetime(2026, 5, 4, 22, 0, tzinfo=UTC)
_STEP = timedelta(minutes=5)


def go_on(now: StillHome, events: Events, home: Home) -> None:
    """Let everything be so that happened in these events."""
    classes = {one.entity_id: one for one in home.entities}
    for row in events.rows():
        before, at = now.known.get(row.entity_id), from_ms(row.at)
        entity = classes.get(row.entity_id)
        attributes = (
            {"device_class": entity.device_class, "unit_of_measurement": entity.unit} if entity else {}
        )
        changed = before.last_changed if before and before.state == row.state else at
        after = LiveState(row.entity_id, row.state, attributes, changed, at)
        now.known[row.entity_id] = after
        for hear in now.hearers:
            hear([Change(row.entity_id, before, after)])


async def live(seed: int, days: int) -> list[AlertChanged]:
    """Return what was announced in a home that is known for a month, over so many days."""
    clock = TurnedClock(BEGINS + timedelta(days=days))
    source = InventedSource(clock, seed, days=PAST_DAYS + days)
    home = await source.describe()
    everything = await source.events(clock.now())
    clock = TurnedClock(BEGINS)
    heard: list[AlertChanged] = []
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "nightshift.db", clock)
        await store.open()
        archive, bus = Archive(store, clock), Bus()
        bus.subscribe(AlertChanged, heard.append)
        past = everything.between(0, to_ms(BEGINS))
        await archive.append("home", past)
        await archive.mark("home", BEGINS)
        now = StillHome({}, BEGINS - timedelta(hours=1))
        go_on(now, past, home)
        watch = AlertWatch(
            home_id="home",
            home=lambda: home,
            now=now,
            book=AlertBook(store, bus, clock, TellingRules.of(Options()), zone=lambda: home.zone),
            keywords=Keywords(store, clock),
            past=Past(store, archive, clock, "home"),
            clock=clock,
        )
        watch.start()
        while clock.now() < BEGINS + timedelta(days=days):
            before = clock.now()
            go_on(now, everything.between(to_ms(before), to_ms(before + _STEP)), home)
            await clock.turn(_STEP)
            await watch.look()
            there = clock.now().astimezone(home.zone)
            if there.hour == 3 and there.minute == 0:
                await archive.append(
                    "home", everything.between(to_ms(before - timedelta(days=1)), to_ms(before))
                )
                await archive.seal("home", home.zone, there.date())
                await archive.mark("home", before)
        await watch.stop()
        await store.close()
    return heard


async def main(seeds: int, days: int) -> None:
    found = [(seed, one) for seed in range(1, seeds + 1) for one in await live(seed, days)]
    raised = [(seed, one) for seed, one in found if one.change in {AlertChange.RAISED, AlertChange.REOPENED}]
    kinds = Counter(one.alert.kind for _, one in raised)
    told = Counter(one.alert.kind for _, one in found if one.tell)
    print(f"| in {seeds} homes and {days} days each | alerts | notified of |\n|---|---|---|")
    for kind, count in kinds.most_common():
        print(f"| {kind} | {count} | {told[kind]} |")
    print()
    for seed, one in raised:
        said = one.alert
        print(f"{seed}: {said.updated_at:%d %b %H:%M} UTC {said.level} {said.title}: {said.description}")


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    asyncio.run(main(*(given + [3, 30][len(given) :])))
