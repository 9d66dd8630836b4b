"""The alerts of homes, kept: one open row for each cause; what changes is announced once it is stored."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.alerts.alert import Alert, Level
from app.alerts.announcements import AlertChange, AlertChanged
from app.alerts.finding import Finding
from app.alerts.rows import CHANGED, ONE, OPEN, Kept, kept_of
from app.alerts.settling import Writing, values_of, worded
from app.alerts.telling import Telling, TellingRules
from app.bus import Bus
from app.clock import Clock, from_ms, to_ms
from app.store.database import Store

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

    async def unread(self, home_id: str) -> int:
        """Return how many of what is wrong now was read by nobody."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT count(*) FROM alert WHERE home_id = ? AND closed_at IS NULL AND NOT is_read",
                (home_id,),
            )
        return int(next(iter(rows))[0])

    async def noticed(self, home_id: str, since: datetime) -> list[tuple[datetime, Level]]:
        """Return when each alert since then was noticed, and of what level; archived ones too."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT detected_at, level FROM alert WHERE home_id = ? AND detected_at >= ?"
                " ORDER BY detected_at",
                (home_id, to_ms(since)),
            )
        return [(from_ms(row["detected_at"]), Level(row["level"])) for row in rows]

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
            writing = Writing(db, home_id, self._clock.now(), self._rules, self._zone())
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
                (known := kept.get(finding.cause)) is None or worded(known.alert, finding, now) is not None
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
            await db.execute(CHANGED, values_of(kept))
        self._bus.announce(AlertChanged(kept.alert, change))
        return kept.alert


def _is_marked(alert: Alert, change: AlertChange) -> bool:
    if change is AlertChange.READ:
        return alert.is_read
    return alert.acknowledged_at is not None
