"""A scorecard assessed: read, filled up from the last good readings while the hub is away, scored."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.clock import Clock
from app.figures import FigureAbout
from app.insights.insight import Insight
from app.insights.readings import Reading, Readings
from app.insights.recommending import recommend
from app.insights.scorecard import Scorecard
from app.insights.scoring import score

STALE_AT_MOST: Final = timedelta(days=7)
"""A reading that is older than this stands in for nothing."""


class Assessor:
    """Makes an insight of a scorecard; stores nothing."""

    def __init__(self, readings: Readings, clock: Clock) -> None:
        self._readings = readings
        self._clock = clock

    def figures(self) -> dict[str, FigureAbout]:
        """Return every figure that a scorecard may ask for, with what it is."""
        return self._readings.figures()

    async def assess(
        self, home_id: str, zone: ZoneInfo, card: Scorecard, before: Sequence[Insight] = ()
    ) -> Insight:
        """Return the insight of today, the local day of now. `before` are the last days' insights, the
        newest first: what the hub cannot tell now is taken from the newest, and what is still to be done
        keeps its id.
        """
        readings = await self._readings.read(home_id, zone, card)
        now = self._clock.now()
        if before:
            readings = _filled_up(readings, before[0].connector_data_snapshot, now)
        day = now.astimezone(zone).date()
        known = [advice for insight in before for advice in insight.recommendations]
        # Exact fractions: a long scorecard's take tens of milliseconds.
        scored = await asyncio.to_thread(score, card, readings)
        advised = await asyncio.to_thread(recommend, card, readings, home_id=home_id, day=day, before=known)
        return Insight(
            insight_id=f"insight_{home_id}_{card.name}_{day:%Y%m%d}",
            home_id=home_id,
            scorecard=card.name,
            title=card.title,
            day=day,
            health_score=scored.health_score,
            health_breakdown=scored.breakdown,
            recommendations=advised,
            connector_data_snapshot={key: _kept(reading) for key, reading in readings.items()},
            confidence=scored.confidence,
            stale_since=min((one.read_at for one in readings.values() if one.stale), default=None),
            generated_at=now,
        )


def _filled_up(
    readings: Mapping[str, Reading], snapshot: Mapping[str, Any], now: datetime
) -> dict[str, Reading]:
    """Return the readings, those that the hub could not be asked for as they were last read."""
    return {
        key: (_earlier(reading, snapshot.get(key), now) or reading) if reading.away else reading
        for key, reading in readings.items()
    }


def _earlier(reading: Reading, kept: Any, now: datetime) -> Reading | None:
    """Return what was read before, of the same source in the same unit, unless it is too old."""
    # Snapshots of before there were words have the id in their place.
    if not isinstance(kept, dict) or kept.get("source", kept.get("read_from")) != reading.source:
        return None
    value, unit, at = kept.get("value"), kept.get("unit"), kept.get("read_at")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    if not isinstance(unit, str) or not isinstance(at, str) or (reading.unit and unit != reading.unit):
        return None
    read_at = datetime.fromisoformat(at)
    if not timedelta() <= now - read_at <= STALE_AT_MOST:
        return None
    return replace(reading, value=float(value), unit=unit, read_at=read_at, missing="", to_do="", stale=True)


def _kept(reading: Reading) -> dict[str, Any]:
    """Return a reading as the snapshot keeps it; `away`: the hub could not be asked for it."""
    return {
        "value": reading.value,
        "unit": reading.unit,
        "read_from": reading.read_from,
        "source": reading.source,
        "read_at": reading.read_at.isoformat(),
        "missing": reading.missing,
        "to_do": reading.to_do,
        "away": reading.away,
        "stale": reading.stale,
    }
