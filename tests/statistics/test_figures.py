"""The statistics' own figures: a number, or why there is none."""

from datetime import timedelta

import pytest

from app.hub.now import Span
from tests.statistics.small_home import MONDAY, Figures
from tests.statistics.test_measured import measure


async def _value(figures: Figures, name: str) -> float | None:
    figure = await figures.statistics.figures.figure("home", name)
    assert (figure.value is None) == bool(figure.missing)
    assert figure.as_of <= figures.clock.now()
    return figure.value


async def test_before_the_first_pass_every_figure_says_why_it_is_missing(figures: Figures) -> None:
    for name in figures.statistics.figures.about:
        assert await _value(figures, name) is None


async def test_a_name_that_is_none_is_no_figure(figures: Figures) -> None:
    with pytest.raises(KeyError):
        await figures.statistics.figures.figure("home", "profit")


async def test_yesterdays_energy_is_held_against_what_such_days_use(figures: Figures) -> None:
    measure(figures)
    sunday = MONDAY - timedelta(hours=31)  # its midnight, in Amsterdam
    figures.hub.measured["sensor.meter"] = [
        Span(s.start, s.end, change=1.5) if sunday <= s.start < sunday + timedelta(hours=24) else s
        for s in figures.hub.measured["sensor.meter"]
    ]
    await figures.turn(minutes=5)
    await figures.look()
    assert await _value(figures, "energy_yesterday_kwh") == 36.0
    assert await _value(figures, "energy_ratio") == 1.5
    assert await _value(figures, "standby_power") == 500.0


async def test_a_day_of_which_an_hour_is_missing_is_not_compared(figures: Figures) -> None:
    measure(figures)
    del figures.hub.measured["sensor.meter"][-2 * 24 - 12]
    await figures.turn(minutes=5)
    await figures.look()
    figure = await figures.statistics.figures.figure("home", "energy_ratio")
    assert figure.value is None
    assert figure.missing == "Of yesterday's energy 23 of 24 hours are known."


async def test_comfort_is_the_share_of_room_hours_inside_the_range(figures: Figures) -> None:
    measure(figures)
    figures.hub.measured["sensor.bedroom_temperature"] = [
        Span(s.start, s.end, mean=s.mean if number % 4 else 60.0)
        for number, s in enumerate(figures.hub.measured["sensor.bedroom_temperature"])
    ]
    await figures.turn(minutes=5)
    await figures.look()
    # The kitchen all day, the bedroom three hours of four; the garden is no room.
    assert await _value(figures, "comfort_temperature_share") == 87.5
    assert await _value(figures, "comfort_co2_share") == 100.0
    figure = await figures.statistics.figures.figure("home", "comfort_humidity_share")
    assert figure.missing == "No room's humidity was measured yesterday."


async def test_yesterday_counts_only_when_it_was_counted_whole(figures: Figures) -> None:
    figures.hub.happens("light.kitchen", "on", MONDAY - timedelta(hours=20))
    await figures.turn(minutes=5)
    await figures.look()
    figures.hub.set("automation.morning", "on", last_triggered=None)
    figures.hub.runs("automation.morning", figures.clock.now())
    figures.hub.goes_away()
    await figures.turn(days=1)
    assert await _value(figures, "events_yesterday") is None
    figures.hub.comes_back()
    await figures.turn(minutes=5)
    await figures.look()
    assert await _value(figures, "events_yesterday") == 0
    assert await _value(figures, "automations_fired_yesterday") == 1
    assert await _value(figures, "events_today") == 0
