"""What sensors measure, as coarse as habits need it: humidity, temperature, light, air, power.

A recorder is mostly numbers. Kept of them is where a value moves on to another step of its scale, at most one
a minute, of the kinds of measurement that people act on. A step is what people would call a difference.
"""

import re
from dataclasses import dataclass
from math import floor, log10

import numpy as np
import numpy.typing as npt

from app.events import NUMERIC, Events, Float32, Int64
from app.habits.localtime import DAY_MS, HOUR_MS, MINUTE_MS, Float64
from app.model import Entity, Home

_STEPS: dict[str, float] = {
    "humidity": 1.0,
    "temperature": 0.25,
    "carbon_dioxide": 25.0,
    "pm25": 2.0,
    "illuminance": 0.0,
    "power": 0.0,
}
"""Kinds of measurement and their steps; 0: each step is a sixth of the value."""
_RATIO = np.log1p(1 / 6)
_UNITS = {"lx": "illuminance", "W": "power", "kW": "power", "°C": "temperature", "°F": "temperature"}
_WORDS = (
    (re.compile(r"humidity"), "humidity"),
    (re.compile(r"temperature"), "temperature"),
    (re.compile(r"illuminance|_lux\b"), "illuminance"),
    (re.compile(r"co2|carbon_dioxide"), "carbon_dioxide"),
)
_ROUND_TO: dict[str, float] = {
    "humidity": 1.0,
    "temperature": 0.5,
    "carbon_dioxide": 50.0,
    "pm25": 5.0,
}
_MOST_ENTITIES = 32
_MOST_A_DAY = 400
"""Of one entity; a noisier one is thinned to one in five minutes."""
_STALE_MS = DAY_MS
"""A recorder writes changes only: a meter of light says 0 once at dusk, and nothing more until it dawns."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One sensor's measurements: `at` (ms, ascending) and `value`; `measures` is a device class."""

    measures: str
    at: Int64
    value: Float32

    def value_at(self, at: Int64) -> Float64:
        """Return the last value known at those instants; NaN where that is none or over a day old."""
        if not len(self.at):
            return np.full(len(at), np.nan)
        where = self.at.searchsorted(at, "right") - 1
        row = np.maximum(where, 0)
        known = (where >= 0) & (at - self.at[row] <= _STALE_MS)
        return np.where(known, self.value[row].astype(np.float64), np.nan)

    def rounded(self, value: float) -> float:
        """Return a limit as people would write it: 68 %, 21.5 degrees, 40 lx, 1500 W."""
        step = _ROUND_TO.get(self.measures)
        if step is None:
            step = 10.0 ** (floor(log10(abs(value))) - 1) * 5 if value else 1.0
        return round(round(value / step) * step, 3)


def measures(entity_id: str, known: Entity | None) -> str | None:
    """Return what kind of measurement an entity is, or None if it is none that people act on."""
    if not entity_id.startswith("sensor."):
        return None
    if known is not None and (known.disabled or known.entity_category is not None):
        return None
    if known is not None and known.device_class:
        return known.device_class if known.device_class in _STEPS else None
    if known is not None and known.unit in _UNITS:
        return _UNITS[known.unit]
    return next((kind for pattern, kind in _WORDS if pattern.search(entity_id)), None)


class Measuring:
    """Collects measurements block by block: ten bytes for each that is kept."""

    def __init__(self, home: Home) -> None:
        self._known = {entity.entity_id: entity for entity in home.entities}
        self._codes: dict[str, int] = {}
        self._measures: list[str] = []
        self._entity: list[npt.NDArray[np.uint8]] = []
        self._second: list[npt.NDArray[np.uint32]] = []
        self._value: list[Float32] = []

    def add(self, events: Events) -> None:
        """Take what matters from a block."""
        lookup = np.array([self._code(entity_id) for entity_id in events.entities], np.int64)
        if not len(lookup) or (lookup < 0).all():
            return
        rows = np.flatnonzero((events.state == NUMERIC) & (lookup[events.entity] >= 0))
        code = lookup[events.entity[rows]]
        order = np.argsort(code, kind="stable")
        rows, code = rows[order], code[order]
        at, value = events.at[rows], events.value[rows]
        keep = _moves(code, at, value, self._measures)
        self._entity.append(code[keep].astype(np.uint8))
        self._second.append((at[keep] // 1000).astype(np.uint32))
        self._value.append(value[keep])

    def series(self) -> dict[str, Series]:
        """Return what was collected, by entity id, and keep none of it."""
        if not self._entity:
            return {}
        entity, second = np.concatenate(self._entity), np.concatenate(self._second)
        value = np.concatenate(self._value)
        self._entity, self._second, self._value = [], [], []
        found: dict[str, Series] = {}
        for entity_id, code in self._codes.items():
            own = np.flatnonzero(entity == code) if code >= 0 else np.empty(0, np.intp)
            if len(own):
                order = own[np.argsort(second[own], kind="stable")]
                at = second[order].astype(np.int64) * 1000
                found[entity_id] = Series(self._measures[code], at, value[order])
        return found

    def _code(self, entity_id: str) -> int:
        if entity_id not in self._codes:
            kind = measures(entity_id, self._known.get(entity_id))
            wanted = kind is not None and len(self._measures) < _MOST_ENTITIES
            self._codes[entity_id] = len(self._measures) if wanted else -1
            if wanted and kind is not None:
                self._measures.append(kind)
        return self._codes[entity_id]


def _moves(code: Int64, at: Int64, value: Float32, kinds: list[str]) -> npt.NDArray[np.intp]:
    """Return the rows (sorted by entity and time) on which a value moves on to another step."""
    steps = np.array([_STEPS[kind] for kind in kinds])[code]
    # A limit is passed above it, not on it: with 22.0 it is 22.1 that counts, and so begins the next step.
    plain = np.ceil(value / np.where(steps > 0, steps, 1.0))
    relative = np.floor(np.log(np.maximum(value, 1.0)) / _RATIO)
    level = np.where(steps > 0, plain, relative)
    moved = np.ones(len(code), np.bool_)
    hour = at // HOUR_MS
    # Once an hour in any case: that it still is as it was has to be known too.
    moved[1:] = (code[1:] != code[:-1]) | (level[1:] != level[:-1]) | (hour[1:] != hour[:-1])
    rows = _first_of_each(np.flatnonzero(moved), code, at, MINUTE_MS)
    days = max(1.0, float(at.max() - at.min()) / DAY_MS) if len(at) else 1.0
    often = np.flatnonzero(np.bincount(code[rows]) > _MOST_A_DAY * days)
    if len(often):
        noisy = np.isin(code[rows], often)
        rows = np.sort(np.concatenate([rows[~noisy], _first_of_each(rows[noisy], code, at, 5 * MINUTE_MS)]))
    return rows


def _first_of_each(rows: npt.NDArray[np.intp], code: Int64, at: Int64, length: int) -> npt.NDArray[np.intp]:
    slot = at[rows] // length
    first = np.ones(len(rows), np.bool_)
    first[1:] = (slot[1:] != slot[:-1]) | (code[rows][1:] != code[rows][:-1])
    return rows[first]
