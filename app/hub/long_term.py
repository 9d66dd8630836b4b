"""The hub's long-term statistics: hourly and daily figures that it keeps for ever.

Contract: `recorder/list_statistic_ids`, `recorder/statistics_during_period` and `energy/get_prefs` of Home
Assistant. Values come in the unit that the hub shows; energy always in kWh.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from app.clock import from_ms
from app.errors import NeighbourError
from app.hub.client import Hub
from app.hub.errors import CommandError, UnknownCommandError
from app.hub.names import plain_name
from app.hub.now import Period, Span, StatisticKind

_UNITS: Final = {"energy": "kWh"}
_TYPES: Final = ["change", "max", "mean", "min"]
_LENGTHS: Final[Mapping[Period, timedelta]] = {
    "5minute": timedelta(minutes=5),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "month": timedelta(days=28),
}
_MOST_SPANS_AT_ONCE = 20_000
"""Of one answer: about 2 MB."""
_MOST_SPANS = 400_000
_MOST_KINDS = 20_000
_SECONDS = 120.0


async def read_kinds(hub: Hub) -> Sequence[StatisticKind]:
    """Return what long-term statistics there are; none without a recorder. Raises NeighbourError."""
    try:
        said = await hub.command("recorder/list_statistic_ids", timeout_seconds=_SECONDS)
    except UnknownCommandError:
        return ()
    known = said[:_MOST_KINDS] if isinstance(said, list) else ()
    return tuple(kind for one in known if (kind := _kind(one)))


def _kind(said: Any) -> StatisticKind | None:
    statistic_id = said.get("statistic_id") if isinstance(said, dict) else None
    if not isinstance(statistic_id, str) or not statistic_id:
        return None
    unit = _UNITS.get(said.get("unit_class") or "") or said.get("display_unit_of_measurement")
    # `has_mean` gave way to `mean_type` (0 none, 1 arithmetic, 2 circular: the mean of angles).
    mean_type = said.get("mean_type")
    return StatisticKind(
        statistic_id=statistic_id,
        name=plain_name(said.get("name")),
        unit=str(unit or "")[:50],
        has_mean=mean_type in {1, 2} if isinstance(mean_type, int) else said.get("has_mean") is True,
        has_sum=said.get("has_sum") is True,
    )


async def read_spans(
    hub: Hub, statistic_ids: Sequence[str], since: datetime, until: datetime, period: Period
) -> Mapping[str, Sequence[Span]]:
    """Return each statistic's periods from `since` to before `until`, the oldest first.

    Days and months are those of the hub's zone; the one that is not over yet is told as far as it went. What
    the hub does not have, or has nothing of, is left out. Raises NeighbourError, also when more is asked than
    can be held (400,000 periods).
    """
    wanted = list(dict.fromkeys(statistic_ids))
    if not wanted or until <= since:
        return {}
    each = math.ceil((until - since) / _LENGTHS[period])
    if each * len(wanted) > _MOST_SPANS:
        raise NeighbourError(
            f"hub: {each * len(wanted)} periods of statistics are too many to be read at once"
        )
    found: dict[str, Sequence[Span]] = {}
    at_once = max(1, _MOST_SPANS_AT_ONCE // each)
    for first in range(0, len(wanted), at_once):
        some = wanted[first : first + at_once]
        said = await hub.command(
            "recorder/statistics_during_period",
            timeout_seconds=_SECONDS,
            start_time=since.isoformat(),
            end_time=until.isoformat(),
            statistic_ids=some,
            period=period,
            units=dict(_UNITS),
            types=list(_TYPES),
        )
        rows = said if isinstance(said, dict) else {}
        for statistic_id in some:
            told = rows.get(statistic_id)
            rows_of = told if isinstance(told, list) else ()
            # The hub widens what is asked to whole periods, on both sides.
            spans = [span for row in rows_of if (span := _span(row)) and since <= span.start < until]
            if spans:
                found[statistic_id] = spans
    return found


def _span(row: Any) -> Span | None:
    if not isinstance(row, dict):
        return None
    start, end = _number(row.get("start")), _number(row.get("end"))
    if start is None or end is None or not 0 <= start < end < 1e14:
        return None
    return Span(
        start=from_ms(round(start)),
        end=from_ms(round(end)),
        mean=_number(row.get("mean")),
        min=_number(row.get("min")),
        max=_number(row.get("max")),
        change=_number(row.get("change")),
    )


def _number(said: Any) -> float | None:
    if isinstance(said, bool) or not isinstance(said, int | float) or not math.isfinite(said):
        return None
    return float(said)


async def read_energy_ids(hub: Hub) -> Sequence[str]:
    """Return the statistics of what is drawn from the grid, as the Energy dashboard has it; none without one.

    Raises NeighbourError.
    """
    try:
        said = await hub.command("energy/get_prefs")
    except UnknownCommandError:
        return ()
    except CommandError as error:
        if error.code == "not_found":
            return ()
        raise
    sources = said.get("energy_sources") if isinstance(said, dict) else None
    found: list[str] = []
    for source in sources if isinstance(sources, list) else ():
        if not isinstance(source, dict) or source.get("type") != "grid":
            continue
        # A meter of its own each, in newer hubs; a list of meters in older ones.
        flows = source.get("flow_from")
        for flow in [source, *(flows if isinstance(flows, list) else ())]:
            meter = flow.get("stat_energy_from") if isinstance(flow, dict) else None
            if isinstance(meter, str) and meter and meter not in found:
                found.append(meter)
    return tuple(found)
