"""The figures of the home and of its places as the page Home shows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.statistics.stats import PlaceStats, Stats
from app.web.wording import counted


@dataclass(frozen=True, slots=True)
class Span:
    """One kind of figure over today, this week and this month; "" where it is not known."""

    title: str
    today: str
    week: str
    month: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure of now."""

    title: str
    value: str


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A place's figures; "" where there is nothing to count or measure with. The name may be hostile."""

    name: str
    events: str
    week: str
    temperature: str
    humidity: str
    co2: str
    energy: str


@dataclass(frozen=True, slots=True)
class Places:
    """The home's spans and readings, and a row for each area; `has_energy`: any of them has a meter."""

    spans: tuple[Span, ...]
    readings: tuple[Reading, ...]
    rows: tuple[PlaceRow, ...]
    has_energy: bool
    quiet: int
    """How many areas have nothing to tell."""


def view_of_places(places: Sequence[PlaceStats]) -> Places | None:
    """Put the figures into words; None before the first pass."""
    home = next((place for place in places if not place.area_id), None)
    if home is None:
        return None
    stats = home.stats
    spans = [
        Span(
            "State changes",
            f"{stats.events_today:,}",
            f"{stats.events_this_week:,}",
            f"{stats.events_this_month:,}",
        ),
        Span(
            "Automations fired",
            f"{stats.automations_fired_today:,}",
            f"{stats.automations_fired_this_week:,}",
            f"{stats.automations_fired_this_month:,}",
        ),
    ]
    if any(one is not None for one in (stats.energy_today, stats.energy_this_week, stats.energy_this_month)):
        spans.append(
            Span(
                "Energy from the grid",
                _kwh(stats.energy_today),
                _kwh(stats.energy_this_week),
                _kwh(stats.energy_this_month),
            )
        )
    rows = [_row(place) for place in places if place.area_id]
    told = [row for row in rows if any((row.week != "0", row.temperature, row.humidity, row.co2, row.energy))]
    return Places(
        spans=tuple(spans),
        readings=tuple(_readings(stats)),
        rows=tuple(told),
        has_energy=any(row.energy for row in told),
        quiet=len(rows) - len(told),
    )


def _readings(stats: Stats) -> list[Reading]:
    readings = [
        Reading("Temperature", _degrees(stats.temperature)),
        Reading("Humidity", _percent(stats.humidity)),
        Reading("CO₂", _ppm(stats.co2)),
    ]
    if stats.suggestions_pending is not None:
        readings.append(Reading("To answer", counted(stats.suggestions_pending, "suggestion", "suggestions")))
    return [one for one in readings if one.value]


def _row(place: PlaceStats) -> PlaceRow:
    stats = place.stats
    return PlaceRow(
        name=place.name,
        events=f"{stats.events_today:,}",
        week=f"{stats.events_this_week:,}",
        temperature=_degrees(stats.temperature),
        humidity=_percent(stats.humidity),
        co2=_ppm(stats.co2),
        energy=_kwh(stats.energy_today),
    )


def _degrees(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} °C"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} %"


def _ppm(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f} ppm"


def _kwh(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f} kWh"
