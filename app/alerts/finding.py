"""What a detector says: something is wrong now, and what makes it one and the same thing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.alerts.alert import AlertKind, Level

_AT_ONCE: Final = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong at this moment.

    `cause` stays the same while it lasts and when it comes back. `since` is when it began (UTC), None: when
    it was first found; it becomes an alert once it has lasted for `after`. Texts hold nothing that ticks
    ("open since 14:05", never "for 25 minutes"), so that one that lasts is not written anew each time.
    """

    cause: str
    kind: AlertKind
    level: Level
    title: str
    description: str
    entity_id: str = ""
    area_id: str = ""
    place: str = ""
    since: datetime | None = None
    after: timedelta = _AT_ONCE


@dataclass(frozen=True, slots=True)
class Still:
    """What stands stays as it is: it cannot be judged anew, but it is not over."""

    cause: str
