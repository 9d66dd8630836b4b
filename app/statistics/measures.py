"""What measures a home: which of its sensors are a room's temperature, humidity or CO2, which are its meters.

Pure. What a name says goes for what a sensor measures: the hub knows that a freezer's inside is a
temperature, not that nobody lives in it.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from app.hub.now import LiveState, StatisticKind
from app.model import Area, Entity, Home


class Quantity(StrEnum):
    """What rooms are measured by; the values are the fields of `Stats`."""

    TEMPERATURE = "temperature"
    HUMIDITY = "humidity"
    CO2 = "co2"


_CLASSES: Final = {
    "temperature": Quantity.TEMPERATURE,
    "humidity": Quantity.HUMIDITY,
    "carbon_dioxide": Quantity.CO2,
}
"""By the hub's device classes."""
_SENSIBLE: Final = {
    Quantity.TEMPERATURE: (-40.0, 60.0),
    Quantity.HUMIDITY: (0.0, 100.0),
    Quantity.CO2: (200.0, 10_000.0),
}
"""Beyond, the sensor is broken."""
_NO_ROOM: Final = re.compile(
    r"\b(fridge|refrigerator|freezer|oven|boiler|kettle|water|flow|return|floor|cpu|gpu|processor|chip|"
    r"board|disk|battery|device|core|soil|plant|dew|feels|apparent|target|set ?point|inverter|motor|printer|"
    r"nozzle|bed|supply|exhaust|radiator|aquarium|tank|sauna|forecast|"
    r"kuhlschrank|gefrier\w*|backofen|wasser|vorlauf|rucklauf|koelkast|vriezer|frigo|refrigerateur|"
    r"congelateur|frigorifico|congelador|frigorifero)\b"
)
_NOT_LIVED_IN: Final = re.compile(
    r"\b(outdoors?|outside|exterior|garden|(back|front)? ?yard|balcony|terrace|patio|porch|deck|roof|street|"
    r"driveway|pool|shed|garage|carport|cellar|basement|attic|loft|storage|pantry|greenhouse|barn|"
    r"aussen\w*|draussen|garten|balkon|terrasse|hof|keller|dachboden|schuppen|gewachshaus|"
    r"buiten|tuin|terras|kelder|zolder|schuur|exterieur|jardin|balcon|cave|grenier|"
    r"terraza|sotano|giardino|balcone|terrazza|esterno|cantina|soffitta)\b"
)
_NO_CONSUMPTION: Final = re.compile(
    r"\b(export\w*|return\w*|produc\w*|solar|pv|inverter|generat\w*|feed|yield|charg\w*|discharg\w*|"
    r"yesterday|today|daily|hourly|weekly|monthly|yearly|week|month|year|last|cost|reactive|apparent)\b"
)
_KWH: Final = {
    "Wh": 0.001, "kWh": 1.0, "MWh": 1000.0, "GWh": 1e6, "J": 1 / 3.6e6, "kJ": 1 / 3600, "MJ": 1 / 3.6,
    "GJ": 1000 / 3.6, "cal": 4.184 / 3.6e6, "kcal": 4.184 / 3600, "Mcal": 4.184 / 3.6, "Gcal": 4184 / 3.6,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RoomSensor:
    """A sensor that says how it is in a place; `area_id` is empty where it stands in none."""

    entity_id: str
    area_id: str
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class Meter:
    """A long-term statistic of kWh used in a place; `area_id` is empty for what the home draws
    from the grid.
    """

    statistic_id: str
    area_id: str
    factor: float
    """What its unit is in kWh."""


def room_sensors(home: Home) -> tuple[RoomSensor, ...]:
    """Return the home's sensors of how it is in its places, gardens and cellars too."""
    areas = {area.area_id for area in home.areas}
    found = []
    for entity in home.entities:
        quantity = _CLASSES.get(entity.device_class or "")
        if entity.domain != "sensor" or quantity is None or not _plain(entity):
            continue
        area = entity.area_id if entity.area_id in areas else None
        text = _words(f"{entity.entity_id.partition('.')[2]} {entity.name}")
        # Without a place, only what a room is said of.
        if _NO_ROOM.search(text) or (area is None and _NOT_LIVED_IN.search(text)):
            continue
        found.append(RoomSensor(entity.entity_id, area or "", quantity))
    return tuple(found)


def lived_in(areas: Iterable[Area]) -> frozenset[str]:
    """Return the ids of the areas that people live in, by their names: no garden, no cellar, no garage."""
    return frozenset(
        area.area_id for area in areas if not _NOT_LIVED_IN.search(_words(f"{area.area_id} {area.name}"))
    )


def read(quantity: Quantity, value: float | None, unit: Any) -> float | None:
    """Return a measured value in degrees Celsius, per cent or ppm; None when it is none, or makes
    no sense.
    """
    if value is None or not math.isfinite(value):
        return None
    if quantity is Quantity.TEMPERATURE and unit != "°C":
        if unit == "°F":
            value = (value - 32) / 1.8
        elif unit == "K":
            value -= 273.15
        else:
            return None
    low, high = _SENSIBLE[quantity]
    return value if low <= value <= high else None


def read_state(sensor: RoomSensor, state: LiveState | None) -> float | None:
    """Return what a sensor says now, as `read` does."""
    if state is None:
        return None
    try:
        value = float(state.state)
    except ValueError:
        return None
    return read(sensor.quantity, value, state.attributes.get("unit_of_measurement"))


def area_meters(home: Home, kinds: Sequence[StatisticKind], grid: Sequence[str]) -> tuple[Meter, ...]:
    """Return what is metered in each area: one meter for each device, nothing that produces.

    A device with the grid's meter measures the whole home and is left out. Of a device with several counters
    the one with the shortest name is its total; those of a day or a month begin anew and would count twice.
    """
    summed = {kind.statistic_id: kind for kind in kinds if kind.has_sum and kind.unit in _KWH}
    areas = {area.area_id for area in home.areas}
    entities = [e for e in home.entities if e.entity_id in summed and e.device_class == "energy"]
    whole = {e.device_id for e in entities if e.entity_id in grid and e.device_id}
    own: dict[str, Entity] = {}
    for entity in sorted(entities, key=lambda e: (len(e.entity_id), e.entity_id), reverse=True):
        if entity.area_id not in areas or entity.entity_id in grid or entity.device_id in whole:
            continue
        if entity.disabled or _NO_CONSUMPTION.search(
            _words(f"{entity.entity_id.partition('.')[2]} {entity.name}")
        ):
            continue
        own[entity.device_id or entity.entity_id] = entity
    return tuple(
        Meter(e.entity_id, e.area_id or "", _KWH[summed[e.entity_id].unit])
        for e in sorted(own.values(), key=lambda e: e.entity_id)
    )


def grid_meters(kinds: Sequence[StatisticKind], grid: Sequence[str]) -> tuple[Meter, ...]:
    """Return the meters of what is drawn from the grid; those that the hub keeps no sum of are left out."""
    units = {kind.statistic_id: kind.unit for kind in kinds if kind.has_sum}
    known = [one for one in dict.fromkeys(grid) if units.get(one) in _KWH]
    return tuple(Meter(one, "", _KWH[units[one]]) for one in known)


def means(values: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Return the mean of each place's values."""
    by_place: dict[str, list[float]] = {}
    for place, value in values:
        by_place.setdefault(place, []).append(value)
    return {place: sum(found) / len(found) for place, found in by_place.items()}


def of_the_home(by_place: Mapping[str, float], rooms: frozenset[str]) -> float | None:
    """Return the home's own value: the mean of the rooms that people live in, else of what stands in no
    place.
    """
    inside = [value for place, value in by_place.items() if place in rooms]
    return sum(inside) / len(inside) if inside else by_place.get("")


def _plain(entity: Entity) -> bool:
    return entity.entity_category is None and not entity.disabled and not entity.hidden


def _words(text: str) -> str:
    """Return a name as plain lower case words: no accents, nothing that joins."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[_\W]+", " ", kept).lower()
