from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.archive.archive import Archive
from app.bus import Bus
from app.clock import TurnedClock, to_ms
from app.errors import NeighbourError
from app.events import Event, Events
from app.habits.announcements import SuggestionsChanged
from app.habits.nightly import NightlyAnalysis
from app.habits.offers.excluded import Exclusion
from app.habits.offers.exclusions import Exclusions
from app.habits.offers.watches import Watches
from app.habits.suggestions import Suggestions, SuggestionStatus
from app.hub.source import Slice
from app.jobs.announcements import Progress
from app.jobs.context import RunContext
from app.jobs.engine import EmbeddedEngine
from app.jobs.run import Trigger
from app.model import Area, Automation, Cause, Entity, Home
from app.neighbours import Neighbours
from app.store.database import Store
from app.words.writer import Writer

NOW = datetime(2026, 2, 2, 2, tzinfo=UTC)
DAYS = 28

pytestmark = pytest.mark.timeout(300)


def coffee(days: int = DAYS) -> list[Event]:
    """Every day a person starts the kettle at about a quarter to seven, and stops it ten minutes later."""
    rows = []
    for day in range(days):
        start = (
            NOW - timedelta(days=days - day) + timedelta(hours=4, minutes=45, seconds=(day * 97) % 240 - 120)
        )
        for state, later in (("on", 0), ("off", 10)):
            at = to_ms(start + timedelta(minutes=later + (day * 7) % 5 if later else 0))
            rows.append(Event("switch.kettle", state, at, Cause.HAND))
        # A home that is alive, and observed, all day long.
        rows += [
            Event("binary_sensor.hall", "on" if hour % 2 else "off", to_ms(start) + hour * 3_500_000 + day)
            for hour in range(24)
        ]
    return [row for row in rows if row.at < to_ms(NOW)]


@dataclass
class Told:
    """A home that tells what it is given to tell; it can be made to fail halfway."""

    rows: list[Event]
    home: Home = field(
        default_factory=lambda: Home(
            time_zone="Europe/Amsterdam",
            areas=(Area(area_id="kitchen", name="Kitchen"),),
            entities=(
                Entity(entity_id="switch.kettle", name="Kettle", area_id="kitchen"),
                Entity(entity_id="binary_sensor.hall", name="Hall", device_class="motion"),
            ),
        )
    )
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)
    fails_after: timedelta | None = None

    async def describe(self) -> Home:
        return self.home

    async def history(self, _home: Home, since: datetime, until: datetime) -> AsyncIterator[Slice]:
        self.asked.append((since, until))
        events, at = Events.of(self.rows), since
        while at < until:
            end = min(at + timedelta(days=1), until)
            if self.fails_after is not None and end - since > self.fails_after:
                raise NeighbourError("hub: no answer")
            yield Slice(events.between(to_ms(at), to_ms(end)), end)
            at = end

    async def close(self) -> None:
        return


@dataclass
class House:
    """The rooms that a night goes through."""

    store: Store
    clock: TurnedClock
    bus: Bus
    archive: Archive
    suggestions: Suggestions
    source: Told
    steps: list[Progress] = field(default_factory=list)
    met: list[Home] = field(default_factory=list)

    async def night(self, run_id: str = "run") -> dict[str, Any]:
        async def meet(home: Home) -> None:
            self.met.append(home)

        night = NightlyAnalysis(
            source=self.source,
            meet=meet,
            archive=self.archive,
            suggestions=self.suggestions,
            writer=Writer(None, Neighbours(self.bus, self.clock), self.clock),
            history_days=40,
            keep_days=400,
            watches=Watches(self.store, self.bus, self.clock),
        )
        context = RunContext(
            run_id=run_id,
            job="analysis",
            home="home",
            trigger=Trigger.MANUAL,
            scheduled_for=None,
            started_at=self.clock.now(),
            clock=self.clock,
            engine=EmbeddedEngine(self.clock),
            on_progress=self.steps.append,
            zone=(await self.source.describe()).zone,
            occasion=self.clock.now(),
        )
        return dict((await night.run(context)).counts)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock, bus = TurnedClock(NOW), Bus()
    store = Store(tmp_path / "nightshift.db", clock)
    await store.open()
    yield House(store, clock, bus, Archive(store, clock), Suggestions(store, bus, clock), Told(coffee()))
    await store.close()


async def test_a_night_reads_files_mines_and_offers(house: House) -> None:
    heard: list[SuggestionsChanged] = []
    house.bus.subscribe(SuggestionsChanged, heard.append)
    counts = await house.night()
    offered = await house.suggestions.offered("home")
    assert counts["events"] == counts["events_new"] == len(house.source.rows)
    assert counts["suggestions_generated"] == counts["suggestions_new"] == len(offered) > 0
    assert any("Kettle" in one.suggestion.title for one in offered)
    (told,) = heard
    assert set(told.created) == {one.suggestion.title for one in offered}
    assert house.met == [house.source.home]
    assert [step.step for step in house.steps][:2] == ["Reading the home", "Reading what happened"]


async def test_the_next_night_asks_only_for_what_is_new(house: House) -> None:
    await house.night("first")
    first = await house.suggestions.offered("home")
    await house.clock.turn(timedelta(days=1))
    counts = await house.night("second")
    assert house.source.asked[1][0] == NOW - timedelta(hours=2)
    assert counts["events_new"] == counts["suggestions_new"] == 0
    second = await house.suggestions.offered("home")
    assert [one.suggestion.id for one in second] == [one.suggestion.id for one in first]
    assert second[0].first_seen == first[0].first_seen


async def test_a_hub_that_fails_halfway_costs_only_the_other_half(house: House) -> None:
    house.source.fails_after = timedelta(days=20)
    with pytest.raises(NeighbourError):
        await house.night("cut")
    kept = await house.archive.size("home")
    assert 0 < kept.events < len(house.source.rows)
    house.source.fails_after = None
    counts = await house.night("whole")
    assert house.source.asked[1][0] == NOW - timedelta(days=40 - 20, hours=2)
    assert counts["events"] == len(house.source.rows)


async def test_a_night_that_fails_leaves_what_was_on_offer(house: House) -> None:
    await house.night("good")
    offered = await house.suggestions.offered("home")
    house.source.fails_after = timedelta()
    with pytest.raises(NeighbourError):
        await house.night("bad")
    assert await house.suggestions.offered("home") == offered


async def test_a_habit_that_is_no_longer_found_fades_and_comes_back_as_the_same(house: House) -> None:
    await house.night("one")
    (kettle, *rest) = await house.suggestions.offered("home")
    heard: list[SuggestionsChanged] = []
    house.bus.subscribe(SuggestionsChanged, heard.append)
    await house.suggestions.replace("home", "two", [(one.suggestion, "") for one in rest])
    assert heard[0].faded == (kettle.suggestion.title,)
    known = {one.suggestion.id: one for one in await house.suggestions.known("home")}
    assert known[kettle.suggestion.id].status is SuggestionStatus.FADED
    await house.night("three")
    assert kettle.suggestion.title in heard[1].created
    assert (await house.suggestions.offered("home"))[0].first_seen == kettle.first_seen


async def test_a_home_without_history_offers_nothing_and_says_why(house: House) -> None:
    house.source.rows = []
    counts = await house.night()
    assert counts["events"] == counts["suggestions_generated"] == 0


async def test_a_mark_from_a_clock_that_was_wrong_does_not_keep_the_home_from_being_read(
    house: House,
) -> None:
    await house.archive.mark("home", NOW + timedelta(days=3650))
    counts = await house.night()
    assert house.source.asked == [(NOW - timedelta(days=40), NOW)]
    assert counts["events_new"] == len(house.source.rows)
    assert await house.archive.watermark("home") == NOW


async def test_after_two_years_off_no_more_is_asked_for_than_is_kept(house: House) -> None:
    await house.archive.mark("home", NOW - timedelta(days=730))
    await house.night()
    assert house.source.asked == [(NOW - timedelta(days=400), NOW)]


async def test_what_people_excluded_is_neither_found_nor_offered(house: House) -> None:
    await house.night("first")
    assert any("Kettle" in one.suggestion.title for one in await house.suggestions.offered("home"))
    kettle = Exclusion.of("entity", "switch.kettle")
    await Exclusions(house.store, house.clock).add("home", kettle, "ana")
    assert await house.suggestions.offered("home") == []
    counts = await house.night("second")
    assert (counts["suggestions_generated"], counts["set_aside"] > 0) == (0, True)
    assert all(one.status is SuggestionStatus.FADED for one in await house.suggestions.known("home"))


async def test_a_night_looks_after_the_homes_automations_and_the_next_writes_no_day_twice(
    house: House,
) -> None:
    config = {"triggers": [{"trigger": "time", "at": "20:00:00"}], "actions": [
        {"action": "fan.turn_on", "target": {"entity_id": "fan.hall"}}]}  # fmt: skip
    fan = Automation(entity_id="automation.fan", unique_id="fan", alias="Fan", config=config)
    house.source.home = house.source.home.model_copy(update={"automations": (fan,)})
    for day in range(1, DAYS):
        at = to_ms(NOW - timedelta(days=day) + timedelta(hours=17))
        house.source.rows += [
            Event("fan.hall", "on", at, Cause.MACHINE, day, "automation.fan"),
            Event("fan.hall", "off", at + (120_000 if day in {3, 9} else 3_600_000), Cause.HAND),
        ]
    watches = Watches(house.store, house.bus, house.clock)
    await house.night("first")
    (one,) = await watches.listed("home")
    figures = sum(day.fired for day in one.days), sum(day.undone for day in one.days)
    assert (one.alias, figures, one.proposal) == ("Fan", (DAYS - 1, 2), None)
    await house.clock.turn(timedelta(days=1))
    await house.night("second")
    (again,) = await watches.listed("home")
    assert again.days[: len(one.days)] == one.days
