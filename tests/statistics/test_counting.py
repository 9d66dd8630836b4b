"""What happens is counted, each change once, whatever is cut off."""

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.clock import TurnedClock, to_ms
from app.events import Events
from app.model import Automation
from app.statistics import ear
from app.statistics.book import Book, Mark
from app.statistics.tally import Places, Tally
from tests.statistics.small_home import HOME, MONDAY, Figures


async def test_a_press_is_counted_at_home_and_in_its_area(figures: Figures) -> None:
    await figures.turn(minutes=5)
    await figures.look()
    figures.hub.set("light.kitchen", "off")
    figures.hub.set("light.kitchen", "on")
    figures.hub.set("binary_sensor.hall", "off")
    figures.hub.set("binary_sensor.hall", "on")
    await figures.look()
    assert (await figures.of()).events_today == 2
    assert (await figures.of("kitchen")).events_today == 1
    assert (await figures.of("bedroom")).events_today == 0


async def test_what_was_heard_is_written_down_when_it_has_settled(figures: Figures) -> None:
    await figures.turn(minutes=5)
    await figures.look()
    figures.hub.happens("light.kitchen", "off", figures.clock.now() + timedelta(seconds=20))
    figures.hub.happens("light.kitchen", "on", figures.clock.now() + timedelta(seconds=40))
    figures.hub.happens("light.kitchen", "off", figures.clock.now() + timedelta(seconds=200))
    await figures.turn(minutes=5)
    outcome = await figures.look()
    # The minute of the last one is not over yet: it waits in memory, and is told all the same.
    assert outcome.counts["events_new"] == 1
    assert (await figures.of()).events_today == 2


async def test_a_home_in_which_nothing_happens_writes_nothing(figures: Figures) -> None:
    await figures.turn(minutes=5)
    await figures.look()
    await figures.turn(minutes=5)
    await figures.look()
    async with figures.store.reading() as db:
        before = next(iter(await db.execute_fetchall("PRAGMA data_version")))[0]
    await figures.turn(minutes=5)
    outcome = await figures.look()
    assert outcome.quiet
    async with figures.store.reading() as db:
        assert next(iter(await db.execute_fetchall("PRAGMA data_version")))[0] == before
    assert (await figures.latest())[""].computed_at == figures.clock.now()


async def test_the_first_pass_counts_this_month_from_the_history(figures: Figures) -> None:
    for day in range(1, 30):
        figures.hub.happens("light.kitchen", "on" if day % 2 else "off", MONDAY - timedelta(days=day))
    await figures.turn(minutes=5)
    await figures.look()
    assert len(figures.hub.asked) == 1
    # Sunday the first; the Monday of this week is today.
    assert (await figures.of()).events_this_month == 1
    assert (await figures.of()).events_this_week == 0


async def test_after_the_first_night_the_days_before_are_counted_too(figures: Figures) -> None:
    for day in range(1, 30):
        figures.hub.happens("light.kitchen", "on" if day % 2 else "off", MONDAY - timedelta(days=day))
    await figures.turn(minutes=5)
    await figures.look()
    await figures.archive.append("home", Events.of(figures.hub.rows))
    await figures.archive.mark("home", figures.clock.now())
    await figures.turn(days=1)
    for _ in range(2):
        await figures.look()
        await figures.turn(minutes=5)
    days = await figures.statistics.queries.events_by_day("home", 40)
    assert [day.events for day in days[-31:]] == [1] * 29 + [0, 0]


async def test_days_that_the_hub_has_forgotten_were_not_days_without_events(figures: Figures) -> None:
    await figures.clock.turn(timedelta(days=20))
    figures.hub.happens("light.kitchen", "on", figures.clock.now() - timedelta(days=3))
    figures.hub.happens("light.kitchen", "off", figures.clock.now() - timedelta(hours=3))
    figures.hub.hear()
    figures.kill()
    await figures.turn(minutes=5)
    await figures.look()
    days = await figures.statistics.queries.events_by_day("home", 6)
    assert [day.events for day in days] == [None, None, 1, 0, 0, 1]
    assert [day.whole for day in days] == [False, False, False, True, True, False]


async def test_what_happened_while_the_hub_was_away_is_read_from_its_history(figures: Figures) -> None:
    await figures.turn(minutes=5)
    await figures.look()
    figures.hub.goes_away()
    start = figures.clock.now()
    for minute in range(1, 60):
        state = "on" if minute % 2 else "off"
        figures.hub.happens("switch.kettle", state, start + timedelta(minutes=minute))
    await figures.turn(minutes=62)
    await figures.look()
    assert (await figures.of()).events_today == 0
    figures.hub.comes_back()
    await figures.turn(minutes=5)
    await figures.look()
    assert (await figures.of("kitchen")).events_today == 59


async def test_a_pass_just_after_a_restart_waits_until_the_recorder_has_written(figures: Figures) -> None:
    await figures.turn(minutes=5)
    await figures.look()
    figures.hub.set("light.kitchen", "off")
    for second, state in ((7, "on"), (9, "off"), (15, "on"), (22, "off"), (62, "on")):
        figures.hub.happens("light.kitchen", state, figures.clock.now() + timedelta(seconds=second))
    await figures.turn(seconds=10)
    figures.kill()
    for _ in range(12):
        await figures.look()
        await figures.turn(seconds=10)
    await figures.turn(minutes=5)
    await figures.look()
    assert (await figures.of()).events_today == 5


async def test_a_hub_that_goes_away_halfway_loses_nothing_of_what_was_read(figures: Figures) -> None:
    for hour in range(6):
        figures.hub.happens(
            "switch.kettle", "on" if hour % 2 else "off", MONDAY - timedelta(hours=hour, minutes=30)
        )
    figures.hub.fails_after = 2
    await figures.turn(minutes=5)
    for _ in range(10):
        assert (await figures.look()).details["behind"]
    figures.hub.fails_after = None
    assert not (await figures.look()).details["behind"]
    assert (await figures.of()).events_today == 6


async def test_going_unavailable_and_coming_back_is_nothing_that_happened(figures: Figures) -> None:
    await figures.turn(minutes=5)
    await figures.look()
    start = figures.clock.now()
    for number, state in enumerate(("on", "unavailable", "on", "off", "unknown", "on")):
        figures.hub.happens("light.kitchen", state, start + timedelta(minutes=1 + number))
    await figures.turn(minutes=10)
    await figures.look()
    live = (await figures.of()).events_today
    tally = Tally(Places.of(HOME))
    tally.add_past(Events.of(figures.hub.rows), set())
    assert live == 1
    # In the past the light's first state is a change, too: nothing says what it was before.
    assert sum(count for (_, area), count in tally.events.items() if not area) == 2


async def test_a_sensor_counts_once_a_minute(figures: Figures) -> None:
    await figures.turn(minutes=5)
    await figures.look()
    start = figures.clock.now()
    for second in range(0, 180, 5):
        figures.hub.happens(
            "sensor.kitchen_temperature", str(20 + second / 1000), start + timedelta(seconds=second)
        )
    await figures.turn(minutes=5)
    await figures.look()
    assert (await figures.of("kitchen")).events_today == 3


async def test_more_than_memory_should_hold_is_read_from_the_history(
    figures: Figures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ear, "_MOST", 10)
    await figures.turn(minutes=5)
    await figures.look()
    figures.hub.set("light.kitchen", "on")
    start = figures.clock.now()
    for second in range(40):
        state = "on" if second % 2 else "off"
        figures.hub.happens("light.kitchen", state, start + timedelta(seconds=5 * second))
    await figures.turn(minutes=5)
    await figures.look()
    assert (await figures.of()).events_today == 40


async def test_a_mark_from_a_clock_that_was_ahead_holds_nothing_up(figures: Figures) -> None:
    book = Book(figures.store)
    ahead = to_ms(MONDAY + timedelta(days=30))
    await book.keep_counts("home", Tally(Places.of(HOME)), Mark(to_ms(MONDAY - timedelta(days=1)), ahead))
    figures.hub.set("light.kitchen", "off")
    await figures.turn(minutes=5)
    await figures.look()
    figures.hub.set("light.kitchen", "on")
    await figures.turn(minutes=5)
    await figures.look()
    mark = await book.mark("home")
    assert (await figures.of()).events_today == 1
    assert mark is not None
    assert mark.counted_until <= to_ms(figures.clock.now())


async def test_automations_that_ran_are_counted(figures: Figures) -> None:
    await figures.turn(minutes=5)
    figures.hub.set("automation.morning", "on", last_triggered=None)
    await figures.look()
    figures.hub.runs("automation.morning", figures.clock.now())
    await figures.turn(minutes=1)
    figures.hub.runs("automation.morning", figures.clock.now())
    await figures.look()
    assert (await figures.of()).automations_fired_today == 2
    assert (await figures.of("bedroom")).automations_fired_today == 2
    assert (await figures.of("kitchen")).automations_fired_today == 0


async def test_an_automation_without_an_area_counts_where_it_acts(figures: Figures) -> None:
    acts = [
        {"action": "light.turn_on", "target": {"entity_id": ["light.kitchen", "light.unknown"]}},
        {"choose": [{"sequence": [{"action": "light.turn_off", "target": {"area_id": "garden"}}]}]},
    ]
    evening = Automation(entity_id="automation.evening", config={"actions": acts})
    figures.hub.home = HOME.model_copy(update={"automations": (*HOME.automations, evening)})
    await figures.turn(minutes=5)
    figures.hub.set("automation.evening", "on", last_triggered=None)
    figures.hub.runs("automation.evening", figures.clock.now())
    await figures.look()
    fired = {area: place.stats.automations_fired_today for area, place in (await figures.latest()).items()}
    assert fired == {"": 1, "kitchen": 1, "garden": 1, "bedroom": 0}


async def test_of_runs_that_were_not_heard_those_count_that_changed_something(figures: Figures) -> None:
    await figures.turn(minutes=5)
    await figures.look()
    figures.hub.goes_away()
    for state in ("on", "off", "on"):
        await figures.turn(minutes=10)
        figures.hub.runs("automation.morning", figures.clock.now(), "light.kitchen", state)
    await figures.turn(minutes=10)
    figures.hub.comes_back()
    await figures.turn(minutes=5)
    await figures.look()
    assert (await figures.of()).automations_fired_today == 3


async def test_a_run_that_was_not_heard_and_changed_nothing_counts_by_what_the_hub_says_of_it(
    figures: Figures,
) -> None:
    await figures.turn(minutes=5)
    await figures.look()
    figures.hub.goes_away()
    await figures.turn(minutes=10)
    figures.hub.runs("automation.morning", figures.clock.now())
    await figures.turn(minutes=10)
    figures.hub.comes_back()
    await figures.turn(minutes=5)
    await figures.look()
    assert (await figures.of()).automations_fired_today == 1


async def test_a_day_in_which_nothing_happened_is_counted_to_its_end(figures: Figures) -> None:
    await figures.turn(minutes=5)
    await figures.look()
    await figures.turn(days=2)
    await figures.look()
    days = await figures.statistics.queries.events_by_day("home", 2)
    assert [day.events for day in days] == [0, 0]
    figure = await figures.statistics.figures.figure("home", "events_yesterday")
    assert figure.value == 0


async def test_the_ledger_hears_when_a_pass_goes_otherwise_than_the_one_before(figures: Figures) -> None:
    quiet = []
    for what in ("first", "as before", "away", "still away", "back", "as before"):
        await figures.turn(minutes=5)
        if what == "away":
            figures.hub.goes_away()
        if what == "back":
            figures.hub.comes_back()
            await figures.turn(minutes=5)
        figures.hub.happens("light.kitchen", what, figures.clock.now())
        figures.hub.hear()
        quiet.append((await figures.look()).quiet)
    assert quiet == [False, True, False, True, False, True]


async def test_an_area_that_is_gone_is_told_no_more(figures: Figures) -> None:
    await figures.turn(minutes=5)
    await figures.look()
    assert "garden" in await figures.latest()
    figures.hub.home = HOME.model_copy(update={"areas": HOME.areas[:2]})
    await figures.look()
    assert set(await figures.latest()) == {"", "kitchen", "bedroom"}
    assert len(figures.announced[-1].places) == 3


async def test_suggestions_that_wait_are_told_of_the_home(figures: Figures) -> None:
    figures.pending = 4
    await figures.look()
    assert (await figures.of()).suggestions_pending == 4
    assert (await figures.of("kitchen")).suggestions_pending is None


_STEP = st.one_of(
    st.tuples(st.just("turn"), st.sampled_from([2, 7, 20, 45, 70, 200, 300, 900])),
    st.tuples(st.sampled_from(["look", "look", "kill", "away", "back"]), st.just(0)),
)


@settings(max_examples=25)
@given(
    gaps=st.lists(st.integers(min_value=1, max_value=120_000), min_size=5, max_size=60),
    steps=st.lists(_STEP, min_size=3, max_size=30),
)
@pytest.mark.timeout(300)
def test_whatever_is_cut_off_each_change_is_counted_once(
    gaps: list[int], steps: list[tuple[str, int]]
) -> None:
    asyncio.run(_cut_off_at_will(gaps, steps))


async def _cut_off_at_will(gaps: list[int], steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        figures = Figures(Path(folder), TurnedClock(MONDAY))
        await figures.store.open()
        at = MONDAY
        for known in HOME.entities:
            figures.hub.set(known.entity_id, "0")
        for number, gap in enumerate(gaps):
            at += timedelta(milliseconds=gap)
            entity, state = [
                ("light.kitchen", "on" if number % 8 < 4 else "off"),
                ("sensor.kitchen_temperature", str(10 + number / 10)),
                ("binary_sensor.hall", "on" if number % 8 < 4 else "off"),
                ("sensor.bedroom_co2", str(400 + number)),
            ][number % 4]
            figures.hub.happens(entity, state, at)
        for what, seconds in [*steps, ("back", 0), ("turn", 9000), ("look", 0), ("turn", 300), ("look", 0)]:
            await _do(figures, what, seconds)
        expected = Tally(Places.of(HOME))
        async for piece in figures.hub.history(HOME, MONDAY, figures.clock.now()):
            expected.add_past(piece.events, set())
        assert await _kept(figures) == {key: n for key, n in expected.events.items() if n}
        figures.statistics.stop()
        await figures.store.close()


async def _do(figures: Figures, what: str, seconds: int) -> None:
    match what:
        case "turn":
            await figures.turn(seconds=seconds)
        case "look":
            await figures.look()
        case "kill":
            figures.kill()
        case "away":
            figures.hub.goes_away()
        case "back" if figures.hub.since is None:
            figures.hub.comes_back()


async def _kept(figures: Figures) -> dict[tuple[int, str], int]:
    """Return what is in the tables, and what is heard and waits."""
    hours = await figures.statistics.queries.hours("home", MONDAY - timedelta(days=2), figures.clock.now())
    kept: dict[Any, int] = {(to_ms(h.starts_at), h.area_id): h.events for h in hours}
    tally = Tally(Places.of(HOME))
    for heard in figures.statistics._ear.pending:
        tally.add(heard.entity_id, heard.at)
    for key, count in tally.events.items():
        kept[key] = kept.get(key, 0) + count
    return {key: count for key, count in kept.items() if count}
