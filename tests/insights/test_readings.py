"""Each metric is read on its own; what fails says why, and the others go on."""

import asyncio
import logging
import math
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.clock import TurnedClock
from app.errors import NeighbourError
from app.hub.now import Span, StatisticKind
from app.insights import readings as readings_module
from app.insights.naming import read_from, source_of
from app.insights.readings import Reading, Readings, last_days
from app.insights.scorecard import Metric, Scorecard
from tests.insights.small import AMSTERDAM, KNOWN, MORNING, SmallFigures, SmallHome

BANDS = ({"at_least": 1, "score": 100}, {"score": 0})
ENERGY = StatisticKind("sensor.energy", "Energy", "kWh", has_mean=False, has_sum=True)
WARMTH = StatisticKind("sensor.warmth", "Warmth", "°C", has_mean=True, has_sum=False)
HOUR = timedelta(hours=1)


def card(*metrics: dict[str, Any]) -> Scorecard:
    return Scorecard.model_validate(
        {
            "name": "c",
            "title": "C",
            "categories": (
                {
                    "key": "c",
                    "title": "C",
                    "weight": 100,
                    "metrics": tuple(
                        {"key": f"m{number}", "title": "M", "bands": BANDS, **one}
                        for number, one in enumerate(metrics)
                    ),
                },
            ),
        }
    )


async def read(
    home: SmallHome, *metrics: dict[str, Any], figures: SmallFigures | None = None
) -> list[Reading]:
    reader = Readings(home, [figures or SmallFigures()], TurnedClock(MORNING))
    return list((await reader.read("home", AMSTERDAM, card(*metrics))).values())


async def one(home: SmallHome, figures: SmallFigures | None = None, **metric: Any) -> Reading:
    (found,) = await read(home, metric, figures=figures)
    return found


def hours(count: int, **values: float) -> list[Span]:
    start = datetime(2026, 3, 8, 23, tzinfo=UTC)
    return [Span(start + n * HOUR, start + (n + 1) * HOUR, **values) for n in range(count)]


async def test_an_entity_is_read_with_its_unit() -> None:
    home = SmallHome()
    home.put("sensor.runway", "90.5", unit_of_measurement="d")
    found = await one(home, entity="sensor.runway")
    assert (found.value, found.unit, found.read_from, found.missing) == (90.5, "d", "Runway", "")
    assert (found.read_at, found.source) == (MORNING, "sensor.runway")


async def test_what_people_called_an_entity_is_what_they_read() -> None:
    home = SmallHome()
    home.put("sensor.kg_3f", "7", friendly_name="Cellar\u202e\nfreezer" + "!" * 200)
    found = await one(home, entity="sensor.kg_3f")
    assert found.read_from.startswith("Cellar freezer!")
    assert len(found.read_from) <= 60
    assert found.source == "sensor.kg_3f"
    home.put("sensor.kg_3f", "unavailable", friendly_name="Cellar freezer")
    found = await one(home, entity="sensor.kg_3f")
    assert found.missing == "Cellar freezer is unavailable."
    assert found.to_do == "Look in Home Assistant why it has no value."


async def test_what_the_hub_does_not_have_goes_by_its_id_and_says_what_helps() -> None:
    found = await one(SmallHome(), entity="sensor.gone")
    assert (found.read_from, found.missing) == ("sensor.gone", "Home Assistant has no sensor.gone.")
    assert found.to_do == "Add it to Home Assistant, or write your own entity in the scorecard."


@settings(deadline=None)
@given(st.sampled_from(sorted(KNOWN)), st.none() | st.floats(0, 100))
def test_no_figures_technical_name_reaches_anybody(name: str, value: float | None) -> None:
    figures = SmallFigures({name: value})
    found = asyncio.run(one(SmallHome(), figures, figure=name))
    assert found.source == name
    assert "_" not in f"{found.read_from}{found.missing}{found.to_do}{found.unit}"
    assert KNOWN[name].title in found.read_from
    assert (value is None) == bool(found.missing)
    assert value is None or not found.to_do


async def test_an_attribute_is_read_where_one_is_named() -> None:
    home = SmallHome()
    home.put(
        "climate.hall", "heat", current_temperature=20.5, fan="auto", odd=math.inf, huge=10**400, yes=True
    )
    found = await one(home, entity="climate.hall", attribute="current_temperature")
    assert (found.value, found.read_from) == (20.5, "current temperature of Hall")
    assert found.source == "climate.hall, attribute current_temperature"
    said = "The fan of Hall says auto, which is no number."
    assert (await one(home, entity="climate.hall", attribute="fan")).missing == said
    assert (await one(home, entity="climate.hall", attribute="none")).missing.endswith(
        "has no attribute none."
    )
    assert (await one(home, entity="climate.hall", attribute="odd")).value is None
    assert (await one(home, entity="climate.hall", attribute="huge")).value is None
    assert (await one(home, entity="climate.hall", attribute="yes")).value == 1


@pytest.mark.parametrize(
    ("state", "value"), [("on", 1), ("off", 0), ("-3.5", -3.5), ("1e3", 1000), ("True", 1), ("false", 0)]
)
async def test_what_is_on_or_true_counts_one(state: str, value: float) -> None:
    home = SmallHome()
    home.put("sensor.x", state)
    assert (await one(home, entity="sensor.x")).value == value


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("unavailable", "X is unavailable."),
        ("unknown", "X is unknown."),
        ("open", "X says open, which is no number."),
        ("", "X says nothing, which is no number."),
        ("nan", "X says nan, which is no number."),
        ("1_000", "X says 1_000, which is no number."),
    ],
)
async def test_what_is_no_number_is_missing_and_says_so(state: str, said: str) -> None:
    home = SmallHome()
    home.put("sensor.x", state)
    found = await one(home, entity="sensor.x")
    assert (found.value, found.missing, found.away) == (None, said, False)


async def test_an_entity_in_another_unit_is_missing_for_the_bands_would_be_wrong() -> None:
    home = SmallHome()
    home.put("sensor.x", "70", unit_of_measurement="°F")
    assert (
        await one(home, entity="sensor.x", unit="°C")
    ).missing == "It is in °F, and the scorecard takes °C."
    home.put("sensor.x", "70", unit_of_measurement="days")
    assert (await one(home, entity="sensor.x", unit="d")).value == 70
    home.put("sensor.x", "70", unit_of_measurement="x" * 500)
    assert len((await one(home, entity="sensor.x")).unit) <= 20


async def test_a_figure_is_read_from_the_room_that_has_it() -> None:
    figures = SmallFigures({"batteries_low": 2.0, "energy_ratio": None}, failing={"broken"})
    found = await one(SmallHome(), figures, figure="batteries_low")
    assert (found.value, found.read_from) == (2, "Nightshift's figure “devices with a low battery”")
    missing = await one(SmallHome(), figures, figure="energy_ratio")
    assert missing.missing == "Nothing was counted yet."
    assert missing.to_do.startswith("Name a grid meter in the settings of Home Assistant's Energy dashboard.")
    assert (await one(SmallHome(), figures, figure="nowhere")).missing == "There is no figure nowhere."


async def test_figures_are_read_while_the_hub_is_away_and_all_else_is_not() -> None:
    home = SmallHome(since=None, kinds=[ENERGY], templates={"t": "5"})
    home.put("sensor.x", "5")
    found = await read(
        home,
        {"figure": "batteries_low"},
        {"entity": "sensor.x"},
        {"statistic": "sensor.energy", "take": "change"},
        {"template": "t"},
        figures=SmallFigures({"batteries_low": 1}),
    )
    assert [one.value for one in found] == [1, None, None, None]
    assert [one.away for one in found] == [False, True, True, True]


async def test_a_statistic_is_taken_of_yesterday_or_of_the_last_days() -> None:
    home = SmallHome(kinds=[ENERGY, WARMTH])
    home.past = {"sensor.energy": hours(24, change=0.5), "sensor.warmth": hours(24, mean=20, min=18, max=23)}
    energy = await one(home, statistic="sensor.energy", take="change")
    assert (energy.value, energy.unit) == (12, "kWh")
    assert energy.read_from == "Energy, total of yesterday"
    start = datetime(2026, 3, 8, 23, tzinfo=UTC)
    assert home.asked == [(start, start + timedelta(days=1), "hour")]
    taken = [(await one(home, statistic="sensor.warmth", take=take)).value for take in ("mean", "min", "max")]
    assert taken == [20, 18, 23]
    week = await one(home, statistic="sensor.warmth", take="mean", days=7)
    assert week.missing == "Only 24 of 168 hours have a reading."


async def test_a_mean_counts_each_span_by_its_length() -> None:
    start = datetime(2026, 3, 8, 23, tzinfo=UTC)
    spans = [Span(start, start + 18 * HOUR, mean=10), Span(start + 18 * HOUR, start + 24 * HOUR, mean=30)]
    home = SmallHome(kinds=[WARMTH], past={"sensor.warmth": spans})
    assert (await one(home, statistic="sensor.warmth", take="mean")).value == 15


async def test_a_statistic_of_less_than_half_the_time_is_missing() -> None:
    home = SmallHome(kinds=[ENERGY], past={"sensor.energy": hours(11, change=1)})
    found = await one(home, statistic="sensor.energy", take="change")
    assert found.missing == "Only 11 of 24 hours have a reading."
    home.past = {"sensor.energy": hours(12, change=1)}
    assert (await one(home, statistic="sensor.energy", take="change")).value == 12
    home.past = {}
    assert (await one(home, statistic="sensor.energy", take="change")).missing.startswith("Only 0 of 24")


async def test_a_statistic_that_is_not_kept_or_not_of_that_kind_is_missing() -> None:
    home = SmallHome(kinds=[ENERGY, WARMTH])
    said = "Home Assistant keeps no long-term statistic sensor.other."
    assert (await one(home, statistic="sensor.other", take="mean")).missing == said
    said = "Energy has no mean; it has change."
    assert (await one(home, statistic="sensor.energy", take="mean")).missing == said
    said = "Warmth has no change; it has mean, min or max."
    assert (await one(home, statistic="sensor.warmth", take="change")).missing == said


async def test_one_bad_template_stops_no_other_metric(caplog: pytest.LogCaptureFixture) -> None:
    home = SmallHome(templates={"good": " 42\n", "words": "many", "broken": RuntimeError("a bug"),
                                "refused": NeighbourError("the hub\nhung up")})  # fmt: skip
    home.put("sensor.x", "7")
    with caplog.at_level(logging.ERROR):
        found = await read(
            home,
            {"template": "{% if"},
            {"template": "good"},
            {"template": "broken"},
            {"template": "words"},
            {"template": "refused"},
            {"entity": "sensor.x"},
            {"figure": "broken"},
            figures=SmallFigures(failing={"broken"}),
        )
    assert [one.value for one in found] == [None, 42, None, None, None, 7, None]
    assert [one.missing for one in found] == [
        "The template is wrong: TemplateSyntaxError: unexpected end",
        "",
        "Reading it failed; Nightshift's log says more.",
        "The template says many, which is no number.",
        "The hub could not be asked: the hub hung up",
        "",
        "Reading it failed; Nightshift's log says more.",
    ]
    assert [record.exc_info is not None for record in caplog.records] == [True, True]


async def test_a_hub_that_answers_never_holds_nothing_up_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings_module, "_SECONDS_FOR_ONE", 0.02)
    monkeypatch.setattr(readings_module, "_SECONDS_FOR_ALL", 0.05)
    home = SmallHome(slow=True)
    home.put("sensor.x", "7")
    slow = {"template": "t"}
    async with asyncio.timeout(60):
        found = await read(home, slow, slow, slow, slow, slow, {"figure": "batteries_low"},
                           figures=SmallFigures({"batteries_low": 1}))  # fmt: skip
    assert all(one.away and one.missing == "The hub took too long to answer." for one in found[:5])
    assert found[5].value == 1


@settings(deadline=None)
@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001 - made aware below
    st.sampled_from(["Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
                     "Pacific/Chatham", "America/Santiago", "UTC"]),
    st.integers(1, 31),
)  # fmt: skip
def test_the_last_days_are_whole_local_days_in_any_zone_and_over_any_change(
    naive: datetime, name: str, days: int
) -> None:
    now, zone = naive.replace(tzinfo=UTC), ZoneInfo(name)
    since, until = last_days(now, zone, days)
    assert since < until <= now
    assert (until.astimezone(zone).date() - since.astimezone(zone).date()).days == days
    assert until.astimezone(zone).date() == now.astimezone(zone).date()
    assert abs((until - since) - timedelta(days=days)) <= HOUR
    # No local instant of those days lies outside, none of another day inside.
    assert (since - timedelta(milliseconds=1)).astimezone(zone).date() < since.astimezone(zone).date()
    assert (until - timedelta(milliseconds=1)).astimezone(zone).date() < until.astimezone(zone).date()


def test_the_day_of_the_change_has_23_or_25_hours() -> None:
    spring = last_days(datetime(2026, 3, 30, 4, tzinfo=UTC), AMSTERDAM, 1)
    autumn = last_days(datetime(2026, 10, 26, 5, tzinfo=UTC), AMSTERDAM, 1)
    assert (spring[1] - spring[0], autumn[1] - autumn[0]) == (23 * HOUR, 25 * HOUR)


def test_a_metric_says_where_it_is_read_from() -> None:
    week = Metric.model_validate(
        {"key": "m", "title": "M", "statistic": "energy:cost", "take": "max", "days": 7}
    )
    assert source_of(week) == "statistic energy:cost, highest of the last 7 days"
    assert read_from(week, {}, {}, {}) == "energy:cost, highest of the last 7 days"
    cost = StatisticKind("energy:cost", "Cost of energy", "EUR", has_mean=True, has_sum=False)
    assert read_from(week, {}, {}, {"energy:cost": cost}) == "Cost of energy, highest of the last 7 days"
    shown = Metric.model_validate({"key": "m", "title": "M", "template": "{{ 1 }}"})
    assert (source_of(shown), read_from(shown, {}, {}, {})) == ("a template", "a template of the scorecard")
