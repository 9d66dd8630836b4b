"""One transaction of a pass: alerts are raised, reopened, changed, closed, and people told or not."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import aiosqlite

from app.alerts.alert import Alert, Level
from app.alerts.announcements import AlertChange, AlertChanged
from app.alerts.finding import Finding
from app.alerts.rows import CHANGED, LAST_OF_CAUSE, NEW, ONE, TOLD, Kept, kept_of
from app.alerts.telling import AGAIN_AFTER, Telling, TellingRules, worse
from app.clock import to_ms

REOPENED_WITHIN: Final = timedelta(hours=12)
"""A cause that comes back so soon is the same alert again: it is reopened, not repeated."""
_WORDS_AT_MOST: Final = timedelta(minutes=30)
"""How often an alert whose figures move is written anew."""
_HOUR: Final = timedelta(hours=1)


class Writing:
    """One transaction of a pass; it counts whom people were told of, as it goes."""

    def __init__(
        self, db: aiosqlite.Connection, home_id: str, now: datetime, rules: TellingRules, zone: ZoneInfo
    ) -> None:
        self._db = db
        self._home_id = home_id
        self._now = now
        self._local = now.astimezone(zone)
        self._rules = rules
        self._told: int | None = None

    async def found(self, finding: Finding, kept: Kept | None) -> list[AlertChanged]:
        if kept is None:
            since = to_ms(self._now - REOPENED_WITHIN)
            rows = await self._db.execute_fetchall(LAST_OF_CAUSE, (self._home_id, finding.cause, since))
            last = next((kept_of(row) for row in rows), None)
            return [await (self._reopen(last, finding) if last else self._raise(finding))]
        words = worded(kept.alert, finding, self._now)
        if words is None:
            return []
        alert = kept.alert.model_copy(update={**words, "updated_at": self._now})
        telling = Telling.NOT
        # What people were told of, or wait to be, is told again only when it got worse.
        before = kept.told_level or (kept.alert.level if kept.waits else None)
        if worse(alert.level, kept.alert.level) and (before is None or worse(alert.level, before)):
            telling = await self._may(alert.level)
        changed = replace(kept, alert=alert)
        if telling is Telling.NOT and kept.waits:
            telling = Telling.LATER
        return [await self._write(changed, AlertChange.UPDATED, telling, CHANGED)]

    async def close(self, kept: Kept) -> AlertChanged:
        closed = kept.alert.model_copy(update={"closed_at": self._now, "updated_at": self._now})
        return await self._write(replace(kept, alert=closed), AlertChange.CLOSED, Telling.NOT, CHANGED)

    async def release(self, kept: Kept) -> list[AlertChanged]:
        rows = await self._db.execute_fetchall(ONE, (self._home_id, kept.alert.alert_id))
        for now in map(kept_of, rows):
            if now.waits and await self._may(now.alert.level) is Telling.NOW:
                return [await self._write(now, AlertChange.RELEASED, Telling.NOW, CHANGED)]
        return []

    async def _raise(self, finding: Finding) -> AlertChanged:
        alert = Alert(
            alert_id=f"{to_ms(self._now):012x}{secrets.token_hex(5)}",
            home_id=self._home_id,
            cause=finding.cause,
            detected_at=self._now,
            updated_at=self._now,
            **said_of(finding),
        )
        return await self._write(Kept(alert), AlertChange.RAISED, await self._may(alert.level), NEW)

    async def _reopen(self, last: Kept, finding: Finding) -> AlertChanged:
        alert = last.alert.model_copy(
            update={
                **said_of(finding),
                "updated_at": self._now,
                "closed_at": None,
                "reopened_at": self._now,
                "times": last.alert.times + 1,
                "is_read": False,
                "read_by": "",
                "read_at": None,
                "acknowledged_by": "",
                "acknowledged_at": None,
            }
        )
        telling = Telling.NOT
        if (
            alert.level is Level.CRITICAL
            or last.told_at is None
            or self._now - last.told_at >= AGAIN_AFTER
            or (last.told_level is not None and worse(alert.level, last.told_level))
        ):
            telling = await self._may(alert.level)
        return await self._write(replace(last, alert=alert), AlertChange.REOPENED, telling, CHANGED)

    async def _may(self, level: Level) -> Telling:
        if self._told is None:
            since = to_ms(self._now - _HOUR)
            rows = await self._db.execute_fetchall(TOLD, (self._home_id, since))
            self._told = next(iter(rows))[0]
        return self._rules.may(level, self._local, self._told or 0)

    async def _write(self, kept: Kept, change: AlertChange, telling: Telling, statement: str) -> AlertChanged:
        tell = telling is Telling.NOW
        if tell:
            kept = replace(kept, told_at=self._now, told_level=kept.alert.level, waits=False)
            if kept.alert.level is not Level.CRITICAL and self._told is not None:
                self._told += 1
        else:
            kept = replace(kept, waits=telling is Telling.LATER)
        await self._db.execute(statement, values_of(kept))
        return AlertChanged(kept.alert, change, tell)


def said_of(finding: Finding) -> dict[str, Any]:
    names = ("kind", "level", "title", "description", "entity_id", "area_id", "place")
    return {name: getattr(finding, name) for name in names}


def worded(alert: Alert, finding: Finding, now: datetime) -> dict[str, Any] | None:
    """Return what of an alert changes by what is found now; None when nothing that is worth writing."""
    said = said_of(finding)
    differs = {name for name, value in said.items() if getattr(alert, name) != value}
    if differs & {"kind", "level", "title"}:
        return said
    if not differs or now - alert.updated_at < _WORDS_AT_MOST:
        return None
    # After a restart the hub says that it all began just now: what was said before is right.
    return None if finding.since is not None and finding.since >= alert.detected_at else said


def values_of(kept: Kept) -> Mapping[str, Any]:
    alert = kept.alert
    values: dict[str, Any] = alert.model_dump(mode="python")
    for name in ("detected_at", "updated_at", "closed_at", "reopened_at", "read_at", "acknowledged_at"):
        values[name] = None if values[name] is None else to_ms(values[name])
    return values | {
        "told_at": None if kept.told_at is None else to_ms(kept.told_at),
        "told_level": kept.told_level,
        "waits": int(kept.waits),
    }
