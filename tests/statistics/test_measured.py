"""What the hub measured: energy and how it was in the rooms, by the hour and by the day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from app.hub.now import Span, StatisticKind
from app.statistics.measures import area_meters, room_sensors
from app.statistics.usual import usual_band
from tests.statistics.small_home import HOME, MONDAY, Figures

KINDS = [
    StatisticKind("sensor.meter", "Meter", "kWh", has_mean=False, has_sum=True),
    StatisticKind("sensor.plug_energy", "Plug", "Wh", has_mean=False, has_sum=True),
    StatisticKind("sensor.plug_energy_today", "Plug", "kWh", has_mean=False, has_sum=True),
    StatisticKind("sensor.kitchen_temperature", "Kitchen", "°C", has_mean=True, has_sum=False),
    StatisticKind("sensor.bedroom_temperature", "Bedroom", "°F", has_mean=True, has_sum=False),
    StatisticKind("sensor.bedroom_co2", "Bedroom", "ppm", has_mean=True, has_sum=False),
    StatisticKind("sensor.garden_temperature", "Garden", "°C", has_mean=True, has_sum=False),
    StatisticKind("sensor.freezer_temperature", "Freezer", "°C", has_mean=True, has_sum=False),
]
HOUR = timedelta(hours=1)


def hours(since: datetime, count: int, **values: float) -> list[Span]:
    return [Span(since + n * HOUR, since + (n + 1) * HOUR, **values) for n in range(count)]


def measure(figures: Figures, days: int = 50) -> None:
    """Half a kWh an hour on workdays and one at the weekend, from so many days ago until two days ahead."""
    hub = figures.hub
    hub.kinds, hub.grid = list(KINDS), ("sensor.meter",)
    since = MONDAY - timedelta(days=days)
    count = (days + 2) * 24
    hub.measured = {
        "sensor.meter": [
            Span(at, at + HOUR, change=1.0 if at.astimezone(figures.zone).weekday() >= 5 else 0.5)
            for at in (since + n * HOUR for n in range(count))
        ],
        "sensor.plug_energy": hours(since, count, change=100.0),
        "sensor.plug_energy_today": hours(since, count, change=100.0),
        "sensor.kitchen_temperature": hours(since, count, mean=20.0),
        "sensor.bedroom_temperature": hours(since, count, mean=64.4),
        "sensor.bedroom_co2": hours(since, count, mean=900.0),
        "sensor.garden_temperature": hours(since, count, mean=4.0),
        "sensor.freezer_temperature": hours(since, count, mean=-18.0),
    }


async def test_energy_of_the_past_is_there_after_the_first_pass(figures: Figures) -> None:
    measure(figures)
    await figures.turn(minutes=5)
    await figures.look()
    days = await figures.statistics.queries.energy_days("home", 15)
    assert [day.kwh for day in days[-8:-1]] == [12.0] * 5 + [24.0] * 2
    assert days[-1].kwh == 3.5  # seven hours of today
    assert [day.whole for day in days[-3:]] == [True, True, False]
    assert (days[-2].usual_low, days[-2].usual, days[-2].usual_high) == (24.0, 24.0, 24.0)
    assert (days[-4].usual_low, days[-4].usual_high) == (12.0, 12.0)
    # Today's is not over: what is usual is said of whole days.
    assert days[-1].usual is None


async def test_energy_of_this_week_and_month_is_of_local_days(figures: Figures) -> None:
    measure(figures)
    await figures.turn(minutes=5)
    await figures.look()
    home = await figures.of()
    assert (home.energy_today, home.energy_this_week, home.energy_this_month) == (3.5, 3.5, 27.5)


async def test_the_minutes_since_the_full_hour_are_added(figures: Figures) -> None:
    measure(figures)
    figures.hub.measured["sensor.meter/5"] = [
        Span(MONDAY + n * timedelta(minutes=5), MONDAY + (n + 1) * timedelta(minutes=5), change=0.1)
        for n in range(12)
    ]
    await figures.turn(minutes=20)
    await figures.look()
    assert (await figures.of()).energy_today == pytest.approx(3.9)


async def test_an_area_has_what_its_devices_metered_once(figures: Figures) -> None:
    measure(figures)
    await figures.turn(minutes=5)
    await figures.look()
    assert (await figures.of("kitchen")).energy_today == pytest.approx(0.7)
    assert (await figures.of("bedroom")).energy_today is None


def test_of_a_devices_counters_the_total_is_taken_and_the_grids_own_left_out() -> None:
    assert [m.statistic_id for m in area_meters(HOME, KINDS, ["sensor.meter"])] == ["sensor.plug_energy"]


def test_a_freezer_is_no_room() -> None:
    assert "sensor.freezer_temperature" not in {s.entity_id for s in room_sensors(HOME)}
    assert "sensor.kitchen_temperature" in {s.entity_id for s in room_sensors(HOME)}


async def test_a_later_hour_costs_one_question_for_all_rooms(figures: Figures) -> None:
    measure(figures)
    await figures.turn(minutes=5)
    await figures.look()
    figures.hub.spans_asked.clear()
    await figures.turn(hours=1)
    outcome = await figures.look()
    asked = [(period, since) for _, since, _, period in figures.hub.spans_asked]
    assert asked[:2] == [("hour", MONDAY - timedelta(days=3)), ("hour", MONDAY - 2 * HOUR)]
    assert outcome.counts["hours_measured"] > 0
    assert (await figures.of()).energy_today == 4.0
    figures.hub.spans_asked.clear()
    await figures.turn(minutes=5)
    await figures.look()
    assert {period for *_, period in figures.hub.spans_asked} <= {"5minute"}


async def test_an_hour_that_comes_late_is_waited_for(figures: Figures) -> None:
    measure(figures)
    await figures.turn(minutes=5)
    await figures.look()
    late = figures.hub.measured
    figures.hub.measured = {key: [s for s in spans if s.end <= MONDAY] for key, spans in late.items()}
    await figures.turn(minutes=57)
    await figures.look()
    assert (await figures.of()).energy_today == 3.5
    figures.hub.measured = late
    await figures.turn(minutes=5)
    await figures.look()
    assert (await figures.of()).energy_today == 4.0


async def test_what_a_utility_tells_days_later_is_put_in(figures: Figures) -> None:
    measure(figures)
    told = figures.hub.measured["sensor.meter"]
    sunday = MONDAY - timedelta(days=1)
    figures.hub.measured["sensor.meter"] = [s for s in told if s.start < sunday - timedelta(hours=7)]
    await figures.turn(minutes=5)
    await figures.look()
    days = await figures.statistics.queries.energy_days("home", 3)
    assert days[-2].kwh is None
    figures.hub.measured["sensor.meter"] = told
    await figures.turn(hours=1)
    await figures.look()
    days = await figures.statistics.queries.energy_days("home", 3)
    assert (days[-2].kwh, days[-2].usual) == (24.0, 24.0)


async def test_another_meter_is_not_added_to_the_one_before(figures: Figures) -> None:
    measure(figures)
    await figures.turn(minutes=5)
    await figures.look()
    figures.hub.grid = ("grid:import",)
    figures.hub.kinds.append(StatisticKind("grid:import", "Import", "MWh", has_mean=False, has_sum=True))
    figures.hub.measured["grid:import"] = hours(MONDAY - timedelta(days=2), 60, change=0.002)
    await figures.turn(hours=1)
    await figures.look()
    days = await figures.statistics.queries.energy_days("home", 5)
    assert [day.kwh for day in days[:2]] == [None, None]
    assert days[-2].kwh == pytest.approx(48.0)


async def test_rooms_are_read_by_the_hour_and_by_the_day(figures: Figures) -> None:
    measure(figures)
    await figures.turn(minutes=5)
    await figures.look()
    rooms = {r.area_id: r for r in await figures.statistics.queries.room_temperatures("home", hours=24)}
    assert set(rooms) == {"kitchen", "bedroom", "garden"}
    assert [p.temperature for p in rooms["bedroom"].points] == pytest.approx([18.0] * 24)
    days = {r.area_id: r for r in await figures.statistics.queries.room_temperatures("home", days=31)}
    assert len(days["kitchen"].points) == 31
    assert days["kitchen"].points[-1].at == datetime(2026, 2, 1, 23, tzinfo=UTC)


async def test_what_rooms_say_now_is_in_degrees_celsius_and_the_garden_is_no_room(figures: Figures) -> None:
    hub = figures.hub
    hub.set("sensor.kitchen_temperature", "21.04", unit_of_measurement="°C")
    hub.set("sensor.bedroom_temperature", "66.2", unit_of_measurement="°F")
    hub.set("sensor.garden_temperature", "3", unit_of_measurement="°C")
    hub.set("sensor.freezer_temperature", "-18", unit_of_measurement="°C")
    hub.set("sensor.bedroom_humidity", "unavailable", unit_of_measurement="%")
    await figures.look()
    assert (await figures.of("kitchen")).temperature == 21.0
    assert (await figures.of("bedroom")).temperature == 19.0
    assert (await figures.of("garden")).temperature == 3.0
    assert (await figures.of()).temperature == 20.0
    assert (await figures.of()).humidity is None


async def test_while_the_hub_is_away_nothing_is_said_to_be_measured_now(figures: Figures) -> None:
    figures.hub.set("sensor.kitchen_temperature", "21", unit_of_measurement="°C")
    await figures.look()
    figures.hub.goes_away()
    outcome = await figures.look()
    assert (await figures.of("kitchen")).temperature is None
    assert outcome.details["notes"]


def test_what_is_usual_takes_six_days_of_a_kind() -> None:
    monday = date(2026, 2, 2)
    known = {monday - timedelta(days=n): float(n) for n in range(1, 8)}
    assert usual_band(monday, known) is None
    known[monday - timedelta(days=10)] = 10.0
    assert usual_band(monday, known) == pytest.approx((3.5, 5.5, 8.5))


def test_what_was_more_than_six_weeks_ago_is_not_usual_any_more() -> None:
    monday = date(2026, 2, 2)
    known = {monday - timedelta(days=n): 1.0 for n in range(43, 90)}
    assert usual_band(monday, known) is None


async def test_in_a_zone_of_half_an_hour_the_day_has_its_hours(figures: Figures) -> None:
    measure(figures)
    figures.hub.home = HOME.model_copy(update={"time_zone": "Asia/Kolkata"})
    figures.hub.measured["sensor.meter"] = hours(MONDAY - timedelta(days=5), 200, change=1.0)
    await figures.turn(minutes=5)
    await figures.look()
    days = await figures.statistics.queries.energy_days("home", 4)
    assert [day.kwh for day in days[:-1]] == [24.0] * 3


@pytest.mark.parametrize(("day", "kwh"), [(date(2026, 3, 29), 23.0), (date(2026, 10, 25), 25.0)])
async def test_the_day_on_which_the_clock_changes_has_its_own_hours(
    figures: Figures, day: date, kwh: float
) -> None:
    measure(figures)
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    await figures.clock.turn(at + timedelta(days=2) - MONDAY)
    figures.hub.measured["sensor.meter"] = hours(at - timedelta(days=2), 24 * 4, change=1.0)
    await figures.look()
    known = {d.day: d for d in await figures.statistics.queries.energy_days("home", 5)}
    assert (known[day].kwh, known[day].whole) == (kwh, True)
