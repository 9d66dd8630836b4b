"""The rows of `alert`, and the statements over them."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.alerts.alert import Alert, AlertKind, Level
from app.clock import from_ms

OPEN: Final = (
    "SELECT * FROM alert WHERE home_id = ? AND closed_at IS NULL ORDER BY detected_at DESC, alert_id DESC"
)
ONE: Final = "SELECT * FROM alert WHERE home_id = ? AND alert_id = ?"
LAST_OF_CAUSE: Final = (
    "SELECT * FROM alert WHERE home_id = ? AND cause = ? AND closed_at >= ? AND archived_at IS NULL"
    " ORDER BY closed_at DESC LIMIT 1"
)
TOLD: Final = "SELECT count(*) FROM alert WHERE home_id = ? AND told_at > ? AND told_level <> 'critical'"
NEW: Final = (
    "INSERT INTO alert (alert_id, home_id, cause, kind, level, title, description, entity_id, area_id, place,"
    " detected_at, updated_at, told_at, told_level, waits)"
    " VALUES (:alert_id, :home_id, :cause, :kind, :level, :title, :description, :entity_id, :area_id, :place,"
    " :detected_at, :updated_at, :told_at, :told_level, :waits)"
)
CHANGED: Final = (
    "UPDATE alert SET kind = :kind, level = :level, title = :title, description = :description,"
    " entity_id = :entity_id, area_id = :area_id, place = :place, updated_at = :updated_at,"
    " closed_at = :closed_at, reopened_at = :reopened_at, times = :times, is_read = :is_read,"
    " read_by = :read_by, read_at = :read_at,"
    " acknowledged_by = :acknowledged_by, acknowledged_at = :acknowledged_at, told_at = :told_at,"
    " told_level = :told_level, waits = :waits WHERE alert_id = :alert_id"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """An alert with what is kept of telling it: `told_at` and at what level, and whether it `waits` to be."""

    alert: Alert
    told_at: datetime | None = None
    told_level: Level | None = None
    waits: bool = False


def kept_of(row: sqlite3.Row) -> Kept:
    return Kept(
        alert=Alert(
            alert_id=row["alert_id"],
            home_id=row["home_id"],
            cause=row["cause"],
            kind=AlertKind(row["kind"]),
            level=Level(row["level"]),
            title=row["title"],
            description=row["description"],
            entity_id=row["entity_id"],
            area_id=row["area_id"],
            place=row["place"],
            detected_at=from_ms(row["detected_at"]),
            updated_at=from_ms(row["updated_at"]),
            closed_at=_instant(row["closed_at"]),
            reopened_at=_instant(row["reopened_at"]),
            times=row["times"],
            is_read=bool(row["is_read"]),
            read_by=row["read_by"],
            read_at=_instant(row["read_at"]),
            acknowledged_by=row["acknowledged_by"],
            acknowledged_at=_instant(row["acknowledged_at"]),
        ),
        told_at=_instant(row["told_at"]),
        told_level=Level(row["told_level"]) if row["told_level"] else None,
        waits=bool(row["waits"]),
    )


def _instant(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)
