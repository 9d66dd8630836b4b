"""Puts the figures of every place together: what is in the tables, what was heard since, what is measured
now.
"""

from collections.abc import Mapping
from datetime import date, datetime

from app.hub.now import LiveState
from app.model import Home
from app.statistics.book import Sums
from app.statistics.localdays import DAY, starts_at
from app.statistics.measures import Quantity, RoomSensor, lived_in, means, of_the_home, read_state
from app.statistics.stats import PlaceStats, Stats
from app.statistics.tally import HOME_ITSELF, Tally

_DIGITS = {Quantity.TEMPERATURE: 1, Quantity.HUMIDITY: 0, Quantity.CO2: 0}


def firsts(today: date) -> tuple[date, date, date]:
    """Return the first days of today, of this week (its Monday) and of this month."""
    return today, today - today.weekday() * DAY, today.replace(day=1)


def assemble(
    home: Home,
    now: datetime,
    *,
    sums: Mapping[str, list[Sums]],
    heard: Tally,
    energy: Mapping[str, float],
    readings: Mapping[str, Mapping[Quantity, float]],
    pending: int | None,
) -> tuple[PlaceStats, ...]:
    """Return the figures of the home and of each of its areas.

    `sums` has, of each place, those of the days since each of `firsts`; `heard` is not in them yet, nor is
    `energy` (kWh).
    """
    begins = [starts_at(first, home.zone) for first in firsts(now.astimezone(home.zone).date())]
    places = [(HOME_ITSELF, home.name), *((area.area_id, area.name) for area in home.areas)]
    return tuple(
        PlaceStats(
            home_id=home.home_id,
            area_id=area,
            name=name,
            computed_at=now,
            stats=_stats(
                sums.get(area, [Sums()] * len(begins)),
                [_since(heard.events, area, begin) for begin in begins],
                [_since(heard.automations, area, begin) for begin in begins],
                energy.get(area),
                readings.get(area, {}),
                pending if area == HOME_ITSELF else None,
            ),
        )
        for area, name in places
    )


def read_rooms(
    home: Home, sensors: tuple[RoomSensor, ...], states: Mapping[str, LiveState]
) -> dict[str, dict[Quantity, float]]:
    """Return what is measured in each place now, the home's as the mean of the rooms people live in."""
    inside = lived_in(home.areas)
    found: dict[str, dict[Quantity, float]] = {}
    for quantity in Quantity:
        values = (
            (sensor.area_id, value)
            for sensor in sensors
            if sensor.quantity is quantity
            and (value := read_state(sensor, states.get(sensor.entity_id))) is not None
        )
        by_place = means(values)
        own = of_the_home(by_place, inside)
        by_place.pop(HOME_ITSELF, None)
        for place, value in by_place.items():
            found.setdefault(place, {})[quantity] = round(value, _DIGITS[quantity])
        if own is not None:
            found.setdefault(HOME_ITSELF, {})[quantity] = round(own, _DIGITS[quantity])
    return found


def _stats(
    sums: list[Sums],
    events: list[int],
    automations: list[int],
    energy: float | None,
    readings: Mapping[Quantity, float],
    pending: int | None,
) -> Stats:
    today, week, month = sums
    return Stats(
        events_today=today.events + events[0],
        events_this_week=week.events + events[1],
        events_this_month=month.events + events[2],
        automations_fired_today=today.automations_fired + automations[0],
        automations_fired_this_week=week.automations_fired + automations[1],
        automations_fired_this_month=month.automations_fired + automations[2],
        energy_today=_kwh(today.energy, energy),
        energy_this_week=_kwh(week.energy, energy),
        energy_this_month=_kwh(month.energy, energy),
        temperature=readings.get(Quantity.TEMPERATURE),
        humidity=readings.get(Quantity.HUMIDITY),
        co2=readings.get(Quantity.CO2),
        suggestions_pending=pending,
    )


def _since(counts: Mapping[tuple[int, str], int], area: str, begin: int) -> int:
    return sum(count for (hour, place), count in counts.items() if place == area and hour >= begin)


def _kwh(kept: float | None, more: float | None) -> float | None:
    """Return both together; None when neither is known. To the watt-hour: more no meter tells."""
    return None if kept is None and more is None else round((kept or 0.0) + (more or 0.0), 3)
