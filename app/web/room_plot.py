"""The chart of the temperatures: a line for each room, one below the other on the same scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean
from typing import Final
from zoneinfo import ZoneInfo

from app.statistics.figures import COMFORT
from app.statistics.measures import Quantity
from app.statistics.queries import RoomPoint, RoomSeries
from app.web.plots import Scale, Tick, line, scale_of
from app.web.wording import date_text, time_of

HOURS: Final = 48
_LEAST_SPAN: Final = 4.0
_TABLE_STEP: Final = 3
"""Hours from one row of the table to the next."""
_UNITS: Final = {
    Quantity.TEMPERATURE: "°C",
    Quantity.HUMIDITY: "% humidity",
    Quantity.CO2: "ppm CO₂",
}
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RoomLine:
    """One room: `now` is its newest hour's mean; `name` may be hostile."""

    name: str
    path: str
    last: tuple[float, float]
    now: str
    range: str
    outside: str
    """How long its temperature, humidity or CO2 was out of comfort, "" when none was."""
    said: str


@dataclass(frozen=True, slots=True)
class RoomPlot:
    """`band` is the comfortable range as (top, height); `midnights` are places to the right; `rows` the
    table: a time, then one cell for each room.
    """

    rooms: tuple[RoomLine, ...]
    others: tuple[str, ...]
    """Rooms without a thermometer whose air was out of comfort, in words; may be hostile."""
    ticks: tuple[Tick, ...]
    midnights: tuple[float, ...]
    band: tuple[float, float]
    comfort: str
    rows: tuple[tuple[str, ...], ...]


def draw_rooms(series: Sequence[RoomSeries], now: datetime, zone: ZoneInfo) -> RoomPlot | None:
    """Draw the hours of the last two days. Returns None where no room has a thermometer."""
    rooms = [
        (room, points)
        for room in series
        if (points := [(one, one.temperature) for one in room.points if one.temperature is not None])
    ]
    if not rooms:
        return None
    first = now - timedelta(hours=HOURS)
    scale = scale_of((value for _, points in rooms for _, value in points), least=_LEAST_SPAN)
    low, high = COMFORT[Quantity.TEMPERATURE]
    top, bottom = scale.y(high), scale.y(low)
    midnights = _midnights(first, now, zone)
    return RoomPlot(
        rooms=tuple(_room(room, points, first, scale) for room, points in rooms),
        others=tuple(
            f"{room.name}: {outside}"
            for room in series
            if all(room is not drawn for drawn, _ in rooms) and (outside := _outside(room.points))
        ),
        ticks=scale.ticks("°"),
        midnights=tuple(_x(at, first) for at in midnights),
        band=(top, round(bottom - top, 2)),
        comfort=f"{low:g} to {high:g} °C",
        rows=_rows([room for room, _ in rooms], first, now, zone),
    )


def _room(
    room: RoomSeries, points: Sequence[tuple[RoomPoint, float]], first: datetime, scale: Scale
) -> RoomLine:
    places: list[tuple[float, float | None]] = []
    before: datetime | None = None
    for point, value in points:
        if before is not None and point.at - before > timedelta(hours=2):
            places.append((0.0, None))
        # The mean of an hour stands in its middle.
        places.append((_x(point.at + timedelta(minutes=30), first), scale.y(value)))
        before = point.at
    values = [value for _, value in points]
    spread = f"{min(values):.1f} to {max(values):.1f} °C"
    x, y = places[-1]
    outside = _outside(room.points)
    return RoomLine(
        name=room.name,
        path=line(places),
        last=(x, y if y is not None else 0.0),
        now=f"{values[-1]:.1f} °C",
        range=spread,
        outside=outside,
        said=f"{room.name}: {values[-1]:.1f} °C at last, {spread} in the last {HOURS} hours."
        + (f" {outside}." if outside else ""),
    )


def _outside(points: Sequence[RoomPoint]) -> str:
    """Say how many hours were out of comfort, whatever was measured; "" for none."""
    said = []
    for quantity, unit in _UNITS.items():
        low, high = COMFORT[quantity]
        known = [value for one in points if (value := _value(one, quantity)) is not None]
        lower, higher = sum(value < low for value in known), sum(value > high for value in known)
        said += [f"{lower} h below {low:g} {unit}"] if lower else []
        said += [f"{higher} h above {high:g} {unit}"] if higher else []
    return ", ".join(said)


def _value(point: RoomPoint, quantity: Quantity) -> float | None:
    return {
        Quantity.TEMPERATURE: point.temperature,
        Quantity.HUMIDITY: point.humidity,
        Quantity.CO2: point.co2,
    }[quantity]


def _x(at: datetime, first: datetime) -> float:
    share = (at - first) / timedelta(hours=HOURS)
    return round(100 * min(1.0, max(0.0, share)), 3)


def _midnights(first: datetime, now: datetime, zone: ZoneInfo) -> list[datetime]:
    day, last = first.astimezone(zone).date() + timedelta(days=1), now.astimezone(zone).date()
    found = []
    while day <= last:
        found.append(datetime(day.year, day.month, day.day, tzinfo=zone))
        day += timedelta(days=1)
    return found


def _rows(
    rooms: Sequence[RoomSeries], first: datetime, now: datetime, zone: ZoneInfo
) -> tuple[tuple[str, ...], ...]:
    """Return the means of every three hours, the newest first; they end with the hour that goes on."""
    step = timedelta(hours=_TABLE_STEP)
    end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    slots = [_slots(room, end, step) for room in rooms]
    rows = []
    for number in range((now - first) // step):
        until = end - number * step
        since = until - step
        cells = [f"{fmean(known):.1f} °C" if (known := slot.get(number)) else "—" for slot in slots]
        day = date_text(since.astimezone(zone).date())
        rows.append((f"{day}, {time_of(since, zone)} to {time_of(until, zone)}", *cells))
    return tuple(rows)


def _slots(room: RoomSeries, end: datetime, step: timedelta) -> dict[int, list[float]]:
    """Return a room's temperatures by how many steps before the end they were."""
    found: dict[int, list[float]] = {}
    for point in room.points:
        if point.temperature is not None:
            # An hour that begins where a step ends belongs to the step after it.
            found.setdefault((end - point.at - _HOUR) // step, []).append(point.temperature)
    return found
