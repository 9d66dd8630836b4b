"""The invented home's long-term statistics: what a hub would have kept of its sensors' readings."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from app.clock import from_ms, to_ms
from app.events import NUMERIC, Events, Int64
from app.hub.now import Period, Span, StatisticKind
from app.model import Home

_Values = npt.NDArray[np.float64]
_MINUTE: Final = 60_000
_STEPS: Final = {"5minute": 5 * _MINUTE, "hour": 60 * _MINUTE}


def kinds_of(home: Home) -> Sequence[StatisticKind]:
    """Return one statistic for each sensor with a unit; a meter is summed, the others are averaged."""
    return [
        StatisticKind(
            statistic_id=entity.entity_id,
            name=entity.name,
            unit=entity.unit,
            has_mean=entity.device_class != "energy",
            has_sum=entity.device_class == "energy",
        )
        for entity in home.entities
        if entity.domain == "sensor" and entity.unit
    ]


def spans_of(
    home: Home, events: Events, statistic_ids: Sequence[str], since: datetime, until: datetime, period: Period
) -> Mapping[str, Sequence[Span]]:
    """Return each statistic's periods that begin from `since` to before `until`, as a hub would."""
    kinds = {kind.statistic_id: kind for kind in kinds_of(home)}
    edges = np.array(list(_edges(home, since, until, period)), np.int64)
    code = {name: number for number, name in enumerate(events.entities)}
    found = {}
    for statistic_id in statistic_ids:
        kind = kinds.get(statistic_id)
        if kind is None or len(edges) < 2:
            continue
        own = events.take(events.entity == code.get(statistic_id, -1))
        spans = _sums(own, edges) if kind.has_sum else _means(own, edges)
        if spans:
            found[statistic_id] = spans
    return found


def _edges(home: Home, since: datetime, until: datetime, period: Period) -> Iterator[int]:
    """Yield where periods begin, and where the last one ends: by the clock, days and months by the home's."""
    start, end = to_ms(since), to_ms(until)
    if period in _STEPS:
        step = _STEPS[period]
        first = -(-start // step) * step
        yield from range(first, end, step)
        yield -(-end // step) * step
        return
    day = since.astimezone(home.zone).date()
    while True:
        at = to_ms(datetime.combine(day, datetime.min.time(), home.zone))
        if at >= start and (period == "day" or day.day == 1):
            yield at
            if at >= end:
                return
        day += timedelta(days=1)


def _held(own: Events, at: Int64) -> _Values:
    """Return the value at each moment; none before the first, and while it is unavailable."""
    values = np.concatenate([[np.nan], np.where(own.state == NUMERIC, own.value, np.nan)])
    return values[np.searchsorted(own.at, at, side="right")].astype(np.float64)


def _sums(own: Events, edges: Int64) -> Sequence[Span]:
    meter = _held(own, edges)
    return [
        Span(from_ms(int(start)), from_ms(int(end)), change=round(float(change), 3))
        for start, end, change in zip(edges[:-1], edges[1:], np.diff(meter), strict=True)
        if not np.isnan(change)
    ]


def _means(own: Events, edges: Int64) -> Sequence[Span]:
    own = own.between(0, int(edges[-1]))
    starts, values = edges[:-1], np.where(own.state == NUMERIC, own.value, np.nan).astype(np.float64)
    # What is so when a period begins counts in it too: a reading that stays as it is is not told again.
    places = np.searchsorted(own.at, starts)
    values = np.insert(values, places, _held(own, starts))
    begins = places + np.arange(len(starts))
    known = ~np.isnan(values)
    counts = np.add.reduceat(known.astype(np.int64), begins)
    sums = np.add.reduceat(np.where(known, values, 0.0), begins)
    lows, highs = np.fmin.reduceat(values, begins), np.fmax.reduceat(values, begins)
    return [
        Span(
            from_ms(int(edges[n])),
            from_ms(int(edges[n + 1])),
            mean=round(float(sums[n] / counts[n]), 2),
            min=round(float(lows[n]), 2),
            max=round(float(highs[n]), 2),
        )
        for n in np.flatnonzero(counts)
    ]
