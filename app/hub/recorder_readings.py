"""Streams of numbers in a recorder database: read in full where people act on them, thinned where not.

They are most of a recorder's rows. Where people switch something because a number passed a limit, the minute
of it has to be known, and a reading every so often loses it: those few streams are heard in passing, while
the pages are gone through for what is no number. Of all others one reading per stretch of time is found
through Home Assistant's own index, so that the many between two of them are never looked at.
"""

from typing import Any

import numpy as np

from app.events import NO_ACTOR, NUMERIC, Events, Float32, Int32, Int64, number_of
from app.hub.recorder_facts import Known
from app.hub.recorder_file import RecorderFile

_THINNED_TO_MINUTES = (5, 15, 30, 60, 120, 240, 480, 1440)
_MEASURED = frozenset({"humidity", "temperature", "illuminance", "carbon_dioxide", "pm25", "power"})
_UNITS = frozenset({"lx", "W", "kW", "°C", "°F"})
_FEWEST_SECONDS = 1.0
_HOUR_MS = 3_600_000
_CLOSELY_READ = 32
"""Of what is measured where people act on it: humidity, light, warmth, power. No more are mined either."""
_MOST_IN_FULL = 60_000
"""Rows of these that are read in full of a large database: 16 sensors at a reading in four minutes, for the
ten days that a recorder keeps unless told otherwise. Each takes 1.4 µs to read and as much again to mine. A
stream that does not fit in any more is thinned."""
_LARGE = 2_000_000
"""Rows of a database that takes all the time there is; each row less leaves some to the streams."""
_SPARED_BY_EACH = 0.1
_CLOSE_READINGS = 10_000
"""Of the closely read that do not fit in. About 7 µs each."""
_READINGS = 12_000
"""Of all other streams together: these tell little more than that the hub was awake."""

_MOST_WORDS = 20_000
"""Of which the number is remembered: a sensor says the same few hundred again and again."""

_COUNT = """
SELECT COUNT(*) FROM (SELECT 1 FROM states
 WHERE {key} = :of AND last_updated_ts >= :since AND last_updated_ts < :until LIMIT :most)
"""
"""Looks into the index only, 0.04 µs a row; the limit because a long query would hold up a running hub."""
_BY_SEEK = """
WITH RECURSIVE found(at) AS (
  SELECT MIN(last_updated_ts) FROM states
   WHERE {key} = :of AND last_updated_ts >= :since AND last_updated_ts < :until
  UNION ALL
  SELECT (SELECT MIN(last_updated_ts) FROM states WHERE {key} = :of AND last_updated_ts < :until
            AND last_updated_ts >= (CAST(found.at / :step AS INTEGER) + 1) * :step)
    FROM found WHERE found.at IS NOT NULL)
SELECT found.at, s.state FROM found JOIN states s ON s.{key} = :of AND s.last_updated_ts = found.at
"""
"""One seek in Home Assistant's own index for each reading, however many lie between two."""
_BY_SCAN = """
SELECT MIN(last_updated_ts), state FROM states
 WHERE {key} = :of AND last_updated_ts >= :since AND last_updated_ts < :until
 GROUP BY CAST(last_updated_ts / :step AS INTEGER)
"""


class Readings:
    """What is read of the streams of numbers (times in seconds): `in_full` are those to be heard in passing.

    Of the others, `events` takes the first reading of each stretch of time, as short as the number of
    readings allows, five minutes to a day.
    """

    def __init__(self, file: RecorderFile, streams: list[Known], since: float, until: float) -> None:
        self._file = file
        first, last = file.ends("last_updated_ts")
        self._start: float = since if first is None else max(since, first)
        self._end: float = until if first is None else min(until, last + 1)
        low, high = file.ends("state_id")
        rows = 0 if low is None else high - low + 1
        self._room = _MOST_IN_FULL + round(_SPARED_BY_EACH * max(0, _LARGE - rows))
        close = sorted((known for known in streams if _is_measured(known)), key=_is_power)[:_CLOSELY_READ]
        self.in_full = self._that_fit(close)
        heard = {known.entity_id for known in self.in_full}
        closely = {known.entity_id for known in close}
        self._close = [known for known in close if known.entity_id not in heard]
        self._others = [known for known in streams if known.entity_id not in closely]
        self._codes: dict[object, int] = {}
        for code, known in enumerate(self.in_full):
            self._codes |= {known.key: code, known.entity_id: code}
        self._numbers: dict[str | None, float] = {}
        self._rows: list[tuple[Any, ...]] = []
        self._entity: list[Int32] = []
        self._at: list[Int64] = []
        self._value: list[Float32] = []

    def hear(self, *row: object) -> None:
        """Take a row: its key (or entity id), time and state. Called by SQLite, so it must be quick.

        Rows that come back from a query cost more, and a second query over the same pages as much as both.
        """
        self._rows.append(row)

    def end_page(self) -> None:
        """Put away what was heard since the page before: 16 bytes for each number."""
        if not self._rows:
            return
        keys, seconds, states = zip(*self._rows, strict=True)
        self._rows.clear()
        if len(self._numbers) > _MOST_WORDS:
            self._numbers.clear()
        for state in set(states).difference(self._numbers):
            self._numbers[state] = _number(state)
        value = np.fromiter(map(self._numbers.__getitem__, states), np.float32, len(states))
        rows = np.flatnonzero(~np.isnan(value))
        self._entity.append(np.fromiter(map(self._codes.__getitem__, keys), np.int32, len(keys))[rows])
        self._at.append(_milliseconds(seconds)[rows])
        self._value.append(value[rows])

    def events(self) -> Events:
        """Return what was heard, without repeats, and the thinned others."""
        return Events.join(
            [
                self._heard(),
                self._thinned(self._close, _CLOSE_READINGS),
                self._thinned(self._others, _READINGS),
            ]
        )

    def _that_fit(self, streams: list[Known]) -> list[Known]:
        """Return as many as fit in, meters of power last, and of others those of few rows first."""
        counted = sorted((_is_power(known), self._count(known), known.entity_id, known) for known in streams)
        left, found = self._room, []
        for _, count, _, known in counted:
            if count <= left:
                found.append(known)
                left -= count
        return found

    def _count(self, known: Known) -> int:
        values = {"of": known.key, "since": self._start, "until": self._end, "most": self._room + 1}
        ((count,),) = self._file.rows(_COUNT.format(key=_column(known)), values)
        return int(count)

    def _heard(self) -> Events:
        if not self._at:
            return Events.empty()
        entity, at = np.concatenate(self._entity), np.concatenate(self._at)
        value = np.concatenate(self._value)
        self._entity, self._at, self._value = [], [], []
        order = np.lexsort((at, entity))
        entity, at, value = entity[order], at[order], value[order]
        new = np.ones(len(at), np.bool_)
        # Once an hour in any case, because that a number still is as it was has to be known too.
        new[1:] = (value[1:] != value[:-1]) | (entity[1:] != entity[:-1])
        new[1:] |= at[1:] // _HOUR_MS != at[:-1] // _HOUR_MS
        return _events(self.in_full, entity[new], at[new], value[new])

    def _thinned(self, streams: list[Known], most: int) -> Events:
        step = _step(len(streams) * max(self._end - self._start, _FEWEST_SECONDS), most)
        values = {"since": self._start, "until": self._end, "step": step}
        rows = []
        for code, known in enumerate(streams):
            query = (_BY_SEEK if self._file.layout.indexed else _BY_SCAN).format(key=_column(known))
            for at, state in self._file.rows(query, values | {"of": known.key}):
                rows.append((code, at, _number(state)))
        if not rows:
            return Events.empty()
        entity, seconds, numbers = zip(*rows, strict=True)
        value = np.array(numbers, np.float32)
        kept = np.flatnonzero(~np.isnan(value))
        return _events(streams, np.array(entity, np.int32)[kept], _milliseconds(seconds)[kept], value[kept])


def _events(streams: list[Known], entity: Int32, at: Int64, value: Float32) -> Events:
    count = len(at)
    return Events(
        tuple(known.entity_id for known in streams), (), (),
        entity, np.full(count, NUMERIC, np.int32), value, at, np.zeros(count, np.uint8),
        np.zeros(count, np.int64), np.full(count, NO_ACTOR, np.int32),
    ).sorted()  # fmt: skip


def _number(state: str | None) -> float:
    number = None if state is None else number_of(state)
    return np.nan if number is None else number


def _milliseconds(seconds: tuple[float, ...]) -> Int64:
    return np.rint(np.array(seconds, np.float64) * 1000).astype(np.int64)


def _column(known: Known) -> str:
    return "entity_id" if isinstance(known.key, str) else "metadata_id"


def _step(seconds: float, most: int) -> float:
    """Return the shortest stretch, in seconds, that leaves at most so many readings of all streams' time."""
    fit = (60.0 * minutes for minutes in _THINNED_TO_MINUTES if seconds <= most * 60 * minutes)
    return next(fit, 60.0 * _THINNED_TO_MINUTES[-1])


def _is_measured(known: Known) -> bool:
    kind = known.attributes.get("device_class")
    return kind in _MEASURED if kind else known.attributes.get("unit_of_measurement") in _UNITS


def _is_power(known: Known) -> bool:
    """Every plug has a meter: they come after what there is one of in a room."""
    return "power" in known.entity_id or known.attributes.get("unit_of_measurement") in {"W", "kW"}
