"""The figures of one place: the home, or one of its areas."""

from datetime import datetime

from app.model import Frozen


class Stats(Frozen):
    """What was counted and measured; None where there is nothing to count or measure with.

    Today, this week (since Monday) and this month are local. Energy is kWh drawn from the grid, temperature
    in degrees Celsius, humidity in per cent, CO2 in ppm: of a place the mean of its sensors now.
    """

    events_today: int = 0
    events_this_week: int = 0
    events_this_month: int = 0
    automations_fired_today: int = 0
    automations_fired_this_week: int = 0
    automations_fired_this_month: int = 0
    energy_today: float | None = None
    energy_this_week: float | None = None
    energy_this_month: float | None = None
    temperature: float | None = None
    humidity: float | None = None
    co2: float | None = None
    suggestions_pending: int | None = None
    feedback_today: int | None = None
    replies_pending: int | None = None


class PlaceStats(Frozen):
    """A row of `computed_stats`; `area_id` is empty for the home itself."""

    home_id: str
    area_id: str
    name: str
    computed_at: datetime
    stats: Stats
