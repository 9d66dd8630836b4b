"""Streams of numbers in a recorder database, thinned to one reading per entity and stretch of time.

They are most of a recorder's rows. A reading is found through Home Assistant's own index, so that the many
between two of them are never looked at.
"""

import numpy as np

from app.events import NO_ACTOR, NUMERIC, Events, number_of
from app.hub.recorder_facts import Known
from app.hub.recorder_file import RecorderFile

_THINNED_TO_MINUTES = (5, 15, 30, 60, 120, 240, 480, 1440)
_MEASURED = frozenset({"humidity", "temperature", "illuminance", "carbon_dioxide", "pm25", "power"})
_UNITS = frozenset({"lx", "W", "kW", "°C", "°F"})
_FEWEST_SECONDS = 1.0
_CLOSELY_READ = 32
_CLOSE_READINGS = 30_000
"""Of what is measured where people act on it: humidity, light, warmth, power. About 7 µs each."""
_READINGS = 12_000
"""Of all other streams together: these tell little more than that the hub was awake."""

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


def read_readings(file: RecorderFile, streams: list[Known], since: float, until: float) -> Events:
    """Return the first reading of each stretch of time of each stream of numbers (times in seconds).

    The stretch is as short as the number of readings allows, five minutes to a day; shorter for what is
    measured where people act on it.
    """
    first, last = file.ends("last_updated_ts")
    if first is None or not streams:
        return Events.empty()
    start, end = max(since, first), min(until, last + 1)
    close = sorted((known for known in streams if _is_measured(known)), key=_is_power)[:_CLOSELY_READ]
    chosen = {known.entity_id for known in close}
    others = [known for known in streams if known.entity_id not in chosen]
    return Events.join(
        [
            _thinned(file, close, start, end, _CLOSE_READINGS),
            _thinned(file, others, start, end, _READINGS),
        ]
    )


def _thinned(file: RecorderFile, streams: list[Known], start: float, end: float, most: int) -> Events:
    step = _step(len(streams) * max(end - start, _FEWEST_SECONDS), most)
    values = {"since": start, "until": end, "step": step}
    entity: list[int] = []
    seconds: list[float] = []
    numbers: list[float] = []
    for code, known in enumerate(streams):
        column = "entity_id" if isinstance(known.key, str) else "metadata_id"
        query = (_BY_SEEK if file.layout.indexed else _BY_SCAN).format(key=column)
        for at, state in file.rows(query, values | {"of": known.key}):
            number = None if state is None else number_of(state)
            if number is not None:
                entity.append(code)
                seconds.append(at)
                numbers.append(number)
    count = len(entity)
    return Events(
        tuple(known.entity_id for known in streams), (), (),
        np.array(entity, np.int32), np.full(count, NUMERIC, np.int32), np.array(numbers, np.float32),
        np.rint(np.array(seconds, np.float64) * 1000).astype(np.int64), np.zeros(count, np.uint8),
        np.zeros(count, np.int64), np.full(count, NO_ACTOR, np.int32),
    ).sorted()  # fmt: skip


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
