"""An alert: one cause, one row, from when it was noticed until it is over."""

from datetime import datetime
from enum import StrEnum

from app.model import Frozen


class Level(StrEnum):
    """How much it matters, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class AlertKind(StrEnum):
    """What is wrong."""

    SMOKE = "smoke"
    GAS = "gas"
    CARBON_MONOXIDE = "carbon_monoxide"
    WATER = "water"
    FROST = "frost"
    HEAT = "heat"
    FREEZER = "freezer"
    LEFT_OPEN = "left_open"
    OPEN_AT_NIGHT = "open_at_night"
    OPEN_NOBODY_HOME = "open_nobody_home"
    UNLOCKED_AT_NIGHT = "unlocked_at_night"
    UNLOCKED_NOBODY_HOME = "unlocked_nobody_home"
    LOCK_JAMMED = "lock_jammed"
    LOW_BATTERY = "low_battery"
    UNAVAILABLE = "unavailable"
    SILENT = "silent"
    UNUSUAL_USE = "unusual_use"
    KEYWORD = "keyword"


class Alert(Frozen):
    """What the page, the API and MQTT show of one. Times are UTC; `cause` is what makes it one alert.

    `area_id` and `place` (the area's name) are empty where it has none. `closed_at` None: it lasts.
    `times` is how often the cause came (1 the first time), `reopened_at` when it last came back; None also
    where that was not noted then. `read_by` and `acknowledged_by` are user ids, or empty. Texts may hold
    names from the hub: they may be hostile.
    """

    alert_id: str
    home_id: str
    cause: str
    kind: AlertKind
    level: Level
    title: str
    description: str
    entity_id: str = ""
    area_id: str = ""
    place: str = ""
    detected_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    reopened_at: datetime | None = None
    times: int = 1
    is_read: bool = False
    read_by: str = ""
    read_at: datetime | None = None
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None

    @property
    def open(self) -> bool:
        return self.closed_at is None
