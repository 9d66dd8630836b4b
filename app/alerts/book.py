"""The alerts of homes, kept: one open row for each cause; what changes is announced once it is stored."""

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import aiosqlite

from app.alerts.alert import Alert, Level
from app.alerts.announcements import AlertChange, AlertChanged
from app.alerts.finding import Finding
from app.alerts.rows import CHANGED, LAST_OF_CAUSE, NEW, ONE, OPEN, TOLD, Kept, kept_of
from app.alerts.telling import AGAIN_AFTER, Telling, TellingRules, worse
from app.bus import Bus
from app.clock import Clock, to_ms
from app.store.database import Store

REOPENED_WITHIN: Final = timedelta(hours=12)
"""A cause that comes back so soon is the same alert again: it is reopened, not repeated."""
_WORDS_AT_MOST: Final = timedelta(minutes=30)
"""How often an alert whose figures move is written anew."""
_HOUR: Final = timedelta(hours=1)
_LONGEST_ID: Final = 64


@dataclass(frozen=True, slots=True)
class Settled:
    """What a pass wants to be written: what is wrong by now, and which causes are over."""

    due: Sequence[Finding] = ()
    over: Collection[str] = frozenset()
    known: Collection[str] = frozenset()
    """What was seen well for the first time."""


class AlertBook:
    """Stores alerts. `zone` gives a home's zone, in which quiet hours are meant.

    Construct: `AlertBook(store, bus, clock, TellingRules.of(options), zone=lambda: home.zone)`.
    """

    def __init__(
        self, store: Store, bus: Bus, clock: Clock, rules: TellingRules, zone: Callable[[], ZoneInfo]
    ) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._rules = rules
        self._zone = zone

    async def open(self, home_id: str) -> list[Alert]:
        """Return what is wrong now, the newest first."""
        return [kept.alert for kept in await self._open(home_id)]

    async def get(self, home_id: str, alert_id: str) -> Alert | None:
        if len(alert_id) > _LONGEST_ID:
            return None
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(ONE, (home_id, alert_id))
        return next((kept_of(row).alert for row in rows), None)

    async def listed(
        self,
        home_id: str,
        *,
        only_open: bool = False,
        levels: Collection[Level] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
    ) -> list[Alert]:
        """Return alerts noticed from `since` to before `until`, the newest first; archived ones are left out.

        With `only_open` those that last; with `levels` those of these levels.
        """
        where, values = ["home_id = ?", "archived_at IS NULL"], list[Any]([home_id])
        if only_open:
            where.append("closed_at IS NULL")
        if levels:
            where.append(f"level IN ({', '.join('?' * len(levels))})")
            values += [str(level) for level in levels]
        for column, instant in (("detected_at >= ?", since), ("detected_at < ?", until)):
            if instant is not None:
                where.append(column)
                values.append(to_ms(instant))
        order = "ORDER BY detected_at DESC, alert_id DESC LIMIT ?"
        query = f"SELECT * FROM alert WHERE {' AND '.join(where)} {order}"  # noqa: S608 - our own words
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(query, (*values, limit))
        return [kept_of(row).alert for row in rows]

    async def during(self, home_id: str, since: datetime, until: datetime) -> list[Alert]:
        """Return what was wrong at any time from `since` to before `until`, archived ones too."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT * FROM alert WHERE home_id = ? AND detected_at < ?"
                " AND (closed_at IS NULL OR closed_at >= ?) ORDER BY detected_at, alert_id",
                (home_id, to_ms(until), to_ms(since)),
            )
        return [kept_of(row).alert for row in rows]

    async def known(self, home_id: str) -> frozenset[str]:
        """Return what was seen well at least once."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall("SELECT what FROM alert_known WHERE home_id = ?", (home_id,))
        return frozenset(row["what"] for row in rows)

    async def read(self, home_id: str, alert_id: str, by: str) -> Alert | None:
        """Note that somebody has read it, the first one who did; None when there is no such alert."""
        return await self._mark(home_id, alert_id, by, AlertChange.READ)

    async def acknowledge(self, home_id: str, alert_id: str, by: str) -> Alert | None:
        """Note that somebody takes care of it, the first one who did; it is then read, too."""
        return await self._mark(home_id, alert_id, by, AlertChange.ACKNOWLEDGED)

    async def settle(self, home_id: str, wanted: Settled) -> list[AlertChanged]:
        """Make the open alerts what they have to be; announce and return what changed.

        One transaction, and none at all where nothing changes. Raises StoreError.
        """
        if not wanted.known and not self._anything(await self._open(home_id), wanted):
            return []
        changes: list[AlertChanged] = []
        async with self._store.writing() as db:
            opened = {
                kept.alert.cause: kept for kept in map(kept_of, await db.execute_fetchall(OPEN, (home_id,)))
            }
            writing = _Writing(db, home_id, self._clock.now(), self._rules, self._zone())
            for finding in wanted.due:
                changes += await writing.found(finding, opened.get(finding.cause))
            for cause in wanted.over:
                if (kept := opened.get(cause)) is not None:
                    changes.append(await writing.close(kept))
            for kept in opened.values():
                if kept.waits and kept.alert.cause not in wanted.over:
                    changes += await writing.release(kept)
            await db.executemany(
                "INSERT INTO alert_known (home_id, what, first_seen) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [(home_id, what, to_ms(self._clock.now())) for what in wanted.known],
            )
        for change in changes:
            self._bus.announce(change)
        return changes

    async def archive(self, home_id: str, before: datetime) -> int:
        """Put those that ended before then out of every list; return how many. They stay for the counts."""
        async with self._store.writing() as db:
            cursor = await db.execute(
                "UPDATE alert SET archived_at = ?"
                " WHERE home_id = ? AND closed_at < ? AND archived_at IS NULL",
                (to_ms(self._clock.now()), home_id, to_ms(before)),
            )
            return cursor.rowcount

    async def forget(self, home_id: str, before: datetime) -> int:
        """Delete archived ones that ended before then; return how many."""
        async with self._store.writing() as db:
            cursor = await db.execute(
                "DELETE FROM alert WHERE home_id = ? AND closed_at < ? AND archived_at IS NOT NULL",
                (home_id, to_ms(before)),
            )
            return cursor.rowcount

    async def _open(self, home_id: str) -> list[Kept]:
        async with self._store.reading() as db:
            return [kept_of(row) for row in await db.execute_fetchall(OPEN, (home_id,))]

    def _anything(self, opened: Iterable[Kept], wanted: Settled) -> bool:
        now = self._clock.now()
        kept = {one.alert.cause: one for one in opened}
        return (
            any(cause in kept for cause in wanted.over)
            or any(
                (known := kept.get(finding.cause)) is None or _worded(known.alert, finding, now) is not None
                for finding in wanted.due
            )
            or any(one.waits and self._may_go(one, now) for one in kept.values())
        )

    def _may_go(self, kept: Kept, now: datetime) -> bool:
        # The rate limit is asked when it is written: here only whether it is worth a look.
        return self._rules.may(kept.alert.level, now.astimezone(self._zone()), 0) is Telling.NOW

    async def _mark(self, home_id: str, alert_id: str, by: str, change: AlertChange) -> Alert | None:
        known = await self.get(home_id, alert_id)
        if known is None or _is_marked(known, change):
            return known
        async with self._store.writing() as db:
            rows = await db.execute_fetchall(ONE, (home_id, alert_id))
            kept = next((kept_of(row) for row in rows), None)
            if kept is None or _is_marked(kept.alert, change):
                return kept.alert if kept else None
            now = self._clock.now()
            marks: dict[str, Any] = {}
            if not kept.alert.is_read:
                marks |= {"is_read": True, "read_by": by, "read_at": now}
            if change is AlertChange.ACKNOWLEDGED:
                marks |= {"acknowledged_by": by, "acknowledged_at": now}
            # Who has seen it needs no telling any more.
            kept = replace(kept, alert=kept.alert.model_copy(update=marks), waits=False)
            await db.execute(CHANGED, _values(kept))
        self._bus.announce(AlertChanged(kept.alert, change))
        return kept.alert


class _Writing:
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
        words = _worded(kept.alert, finding, self._now)
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
            **_said(finding),
        )
        return await self._write(Kept(alert), AlertChange.RAISED, await self._may(alert.level), NEW)

    async def _reopen(self, last: Kept, finding: Finding) -> AlertChanged:
        alert = last.alert.model_copy(
            update={
                **_said(finding),
                "updated_at": self._now,
                "closed_at": None,
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
        await self._db.execute(statement, _values(kept))
        return AlertChanged(kept.alert, change, tell)


def _is_marked(alert: Alert, change: AlertChange) -> bool:
    if change is AlertChange.READ:
        return alert.is_read
    return alert.acknowledged_at is not None


def _said(finding: Finding) -> dict[str, Any]:
    names = ("kind", "level", "title", "description", "entity_id", "area_id", "place")
    return {name: getattr(finding, name) for name in names}


def _worded(alert: Alert, finding: Finding, now: datetime) -> dict[str, Any] | None:
    """Return what of an alert changes by what is found now; None when nothing that is worth writing."""
    said = _said(finding)
    differs = {name for name, value in said.items() if getattr(alert, name) != value}
    if not differs or (not differs & {"kind", "level", "title"} and now - alert.updated_at < _WORDS_AT_MOST):
        return None
    return said


def _values(kept: Kept) -> Mapping[str, Any]:
    alert = kept.alert
    values: dict[str, Any] = alert.model_dump(mode="python")
    for name in ("detected_at", "updated_at", "closed_at", "read_at", "acknowledged_at"):
        values[name] = None if values[name] is None else to_ms(values[name])
    return values | {
        "told_at": None if kept.told_at is None else to_ms(kept.told_at),
        "told_level": kept.told_level,
        "waits": int(kept.waits),
    }
