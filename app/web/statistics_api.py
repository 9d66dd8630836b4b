"""The API of the statistics: the figures of every place and how they went; it only reads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from app.statistics.queries import DayCount, EnergyDay, RoomSeries, StatsQueries
from app.statistics.stats import PlaceStats
from app.web.job_api import number

_MOST_DAYS: Final = 400
_MOST_HOURS: Final = 1488
_DIGITS: Final = 3


@dataclass(frozen=True, slots=True)
class StatisticsParts:
    """What the handler asks."""

    home_id: str
    queries: StatsQueries


STATISTICS: Final = web.AppKey("statistics", StatisticsParts)


async def statistics(request: web.Request) -> web.Response:
    """Give the figures of every place, the energy and the events by day, the rooms by the hour.

    `?days=30` local days, today last; `?hours=48` of the rooms, or 0 for their days.
    """
    parts = request.app[STATISTICS]
    days = number(request, "days", 1, _MOST_DAYS, 30)
    hours = number(request, "hours", 0, _MOST_HOURS, 48)
    queries, home_id = parts.queries, parts.home_id
    rooms = await queries.room_temperatures(home_id, hours=hours or None, days=days)
    return web.json_response(
        {
            "places": [place_json(place) for place in await queries.latest(home_id)],
            "energy": [energy_json(day) for day in await queries.energy_days(home_id, days)],
            "rooms": [room_json(room) for room in rooms],
            "events": [count_json(day) for day in await queries.events_by_day(home_id, days)],
            "counted_until": _until(await queries.counted(home_id)),
            "measured_until": _iso(await queries.measured_until(home_id)),
        }
    )


def place_json(place: PlaceStats) -> dict[str, Any]:
    """Return the figures of one place; `area_id` is empty for the home itself."""
    return {
        "area_id": place.area_id,
        "name": place.name,
        "computed_at": place.computed_at.isoformat(),
        "stats": place.stats.model_dump(),
    }


def energy_json(day: EnergyDay) -> dict[str, Any]:
    """Return a local day's energy from the grid (kWh), and what is usual for such a day."""
    return {
        "day": day.day.isoformat(),
        "kwh": _rounded(day.kwh),
        "usual_low": _rounded(day.usual_low),
        "usual": _rounded(day.usual),
        "usual_high": _rounded(day.usual_high),
        "whole": day.whole,
    }


def room_json(room: RoomSeries) -> dict[str, Any]:
    """Return how it was in a room, oldest first."""
    return {
        "area_id": room.area_id,
        "name": room.name,
        "points": [
            {
                "at": point.at.isoformat(),
                "temperature": _rounded(point.temperature),
                "humidity": _rounded(point.humidity),
                "co2": _rounded(point.co2),
            }
            for point in room.points
        ],
    }


def count_json(day: DayCount) -> dict[str, Any]:
    """Return what happened on a local day; null for a day that was not counted."""
    return {
        "day": day.day.isoformat(),
        "events": day.events,
        "automations_fired": day.automations_fired,
        "whole": day.whole,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def _until(counted: tuple[datetime, datetime] | None) -> str | None:
    return None if counted is None else counted[1].isoformat()


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
