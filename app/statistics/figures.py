"""The statistics' own figures, for scorecards: yesterday's counts, energy against the usual, comfort."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from app.clock import Clock, from_ms
from app.figures import Figure, FigureAbout
from app.model import Home
from app.statistics.book import PlaceDay, PlaceHour
from app.statistics.localdays import DAY, starts_at
from app.statistics.measures import Quantity, lived_in
from app.statistics.queries import StatsQueries, hours_in
from app.statistics.tally import HOME_ITSELF

COMFORT: Final[Mapping[Quantity, tuple[float, float]]] = {
    Quantity.TEMPERATURE: (18.0, 26.0),
    Quantity.HUMIDITY: (30.0, 60.0),
    Quantity.CO2: (0.0, 1000.0),
}
"""Degrees Celsius: WHO Housing and health guidelines (2018), at least 18; EN 16798-1 category II, at most 26
in summer. Per cent: EN 16798-1 and the limits that mould and dry eyes set. Ppm: Umweltbundesamt (2008),
harmless below 1000.
"""
_LEAST_HOURS: Final = 12
"""Of fewer room hours no share is told."""
_NIGHT_HOURS: Final = 6
_COUNTS: Final = "Nothing is to be done: it is known after the first whole day with Home Assistant."
_METER: Final = "Name a grid meter in the settings of Home Assistant's Energy dashboard."
_SENSORS: Final = "Have a {} sensor in a room: its device in an area of Home Assistant."
ABOUT: Final = {
    "events_today": FigureAbout(
        "state changes today",
        what="state changes so far today",
        needs="Nothing is to be done: wait a little.",
    ),
    "events_yesterday": FigureAbout("state changes yesterday", needs=_COUNTS),
    "automations_fired_yesterday": FigureAbout("automations that ran yesterday", needs=_COUNTS),
    "energy_yesterday_kwh": FigureAbout(
        "yesterday's energy", "kWh", "energy drawn from the grid yesterday", _METER
    ),
    "energy_ratio": FigureAbout(
        "yesterday's energy",
        "times the usual",
        "yesterday's energy over what such a day usually uses",
        f"{_METER} It then takes six days of the same kind, Monday to Friday or weekend.",
    ),
    "standby_power": FigureAbout(
        "least power last night",
        "W",
        "lowest hourly power drawn from the grid last night, midnight to 6",
        _METER,
    ),
    "comfort_temperature_share": FigureAbout(
        "hours at a comfortable temperature yesterday",
        "%",
        "yesterday's room hours between 18 and 26 °C",
        _SENSORS.format("temperature"),
    ),
    "comfort_humidity_share": FigureAbout(
        "hours at a comfortable humidity yesterday",
        "%",
        "yesterday's room hours between 30 and 60 % humidity",
        _SENSORS.format("humidity"),
    ),
    "comfort_co2_share": FigureAbout(
        "hours with fresh air yesterday",
        "%",
        "yesterday's room hours at 1000 ppm CO2 or less",
        _SENSORS.format("CO2"),
    ),
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What every figure starts from. `day` is the day before the one in which it is asked."""

    home: Home
    now: datetime
    day: date

    @property
    def over(self) -> datetime:
        """When that day was over."""
        return from_ms(starts_at(self.day + DAY, self.home.zone))


class StatsFigures:
    """Implements `app.figures.Figures`, read from what the job keeps."""

    def __init__(self, queries: StatsQueries, clock: Clock, home: Callable[[], Home | None]) -> None:
        self._queries = queries
        self._clock = clock
        self._home = home

    @property
    def about(self) -> Mapping[str, FigureAbout]:
        return ABOUT

    async def figure(self, home_id: str, name: str) -> Figure:
        """Return one of them. Raises KeyError for a name that is none of them, StoreError."""
        if name not in ABOUT:
            raise KeyError(name)
        now, home = self._clock.now(), self._home()
        if home is None:
            return Figure(None, ABOUT[name].unit, now, "The home has not been reached yet.")
        asked = _Asked(home, now, now.astimezone(home.zone).date() - DAY)
        if name == "events_today":
            return await self._today(home_id, asked)
        if name in {"events_yesterday", "automations_fired_yesterday"}:
            return await self._counted(home_id, asked, name)
        if name in {"energy_yesterday_kwh", "energy_ratio"}:
            return await self._energy(home_id, asked, name)
        if name == "standby_power":
            return await self._standby(home_id, asked)
        return await self._comfort(
            home_id, asked, Quantity(name.removeprefix("comfort_").removesuffix("_share"))
        )

    async def _today(self, home_id: str, asked: _Asked) -> Figure:
        latest = await self._queries.latest(home_id)
        if not latest:
            return Figure(None, "", asked.now, "Nothing has been counted yet.")
        seen = latest[0].computed_at
        if seen.astimezone(asked.home.zone).date() <= asked.day:
            return Figure(None, "", seen, "Nothing has been counted today yet.")
        return Figure(float(latest[0].stats.events_today), "", seen)

    async def _counted(self, home_id: str, asked: _Asked, name: str) -> Figure:
        counted = await self._queries.counted(home_id)
        if counted is None or counted[0] > from_ms(starts_at(asked.day, asked.home.zone)):
            return Figure(None, "", asked.over, "Counting began after yesterday did.")
        if counted[1] < asked.over:
            return Figure(None, "", counted[1], "Yesterday is not counted to its end: the hub was away.")
        day = await self._day(home_id, asked) or PlaceDay(HOME_ITSELF, asked.day)
        value = day.events if name == "events_yesterday" else day.automations_fired
        return Figure(float(value), "", asked.over)

    async def _energy(self, home_id: str, asked: _Asked, name: str) -> Figure:
        unit, day = ABOUT[name].unit, await self._day(home_id, asked)
        if day is None or day.energy is None:
            why = "No grid consumption was measured yesterday: Home Assistant's Energy dashboard names it."
            return Figure(None, unit, asked.over, why)
        hours = hours_in(asked.day, asked.home)
        if day.energy_hours < hours:
            why = f"Of yesterday's energy {day.energy_hours} of {hours:g} hours are known."
            return Figure(None, unit, asked.over, why)
        if name == "energy_yesterday_kwh":
            return Figure(round(day.energy, 3), unit, asked.over)
        if day.energy_usual is None:
            why = "What such a day usually uses is told when six of its kind are known."
            return Figure(None, unit, asked.over, why)
        if day.energy_usual <= 0:
            return Figure(None, unit, asked.over, "Such a day usually draws nothing from the grid.")
        return Figure(round(day.energy / day.energy_usual, 3), unit, asked.over)

    async def _standby(self, home_id: str, asked: _Asked) -> Figure:
        today = asked.day + DAY
        since = from_ms(starts_at(today, asked.home.zone))
        until = since + timedelta(hours=_NIGHT_HOURS)
        if asked.now < until:  # before six: the night before
            since, until = since - timedelta(days=1), until - timedelta(days=1)
        hours = await self._queries.hours(home_id, since, until)
        used = [hour.energy for hour in hours if hour.area_id == HOME_ITSELF and hour.energy is not None]
        if len(used) < _NIGHT_HOURS:
            return Figure(None, "W", until, "The energy of the night's hours is not known.")
        return Figure(round(min(used) * 1000, 1), "W", until)

    async def _comfort(self, home_id: str, asked: _Asked, quantity: Quantity) -> Figure:
        rooms = lived_in(asked.home.areas)
        hours = await self._queries.hours(home_id, from_ms(starts_at(asked.day, asked.home.zone)), asked.over)
        values = [_value(hour, quantity) for hour in hours if hour.area_id in rooms]
        known = [value for value in values if value is not None]
        if not known:
            return Figure(None, "%", asked.over, f"No room's {_said(quantity)} was measured yesterday.")
        if len(known) < _LEAST_HOURS:
            why = f"Only {len(known)} room hours of {_said(quantity)} were measured yesterday."
            return Figure(None, "%", asked.over, why)
        low, high = COMFORT[quantity]
        good = sum(low <= value <= high for value in known)
        return Figure(round(100 * good / len(known), 1), "%", asked.over)

    async def _day(self, home_id: str, asked: _Asked) -> PlaceDay | None:
        days = await self._queries.days(home_id, asked.day, asked.day)
        return next((day for day in days if day.area_id == HOME_ITSELF), None)


def _value(hour: PlaceHour, quantity: Quantity) -> float | None:
    return {
        Quantity.TEMPERATURE: hour.temperature,
        Quantity.HUMIDITY: hour.humidity,
        Quantity.CO2: hour.co2,
    }[quantity]


def _said(quantity: Quantity) -> str:
    return "CO2" if quantity is Quantity.CO2 else quantity.value
