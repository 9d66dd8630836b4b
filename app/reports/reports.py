"""The reports that were made: table `report`."""

from datetime import date
from typing import Any

from app.clock import Clock, to_ms
from app.reports.report import Report, ReportKind
from app.store.database import Store


class Reports:
    """The reports of homes: `Reports(store, clock)`. One of each kind for the days it is about."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def recent(
        self,
        home_id: str,
        kind: ReportKind | None = None,
        *,
        limit: int = 30,
        before: date | None = None,
    ) -> list[Report]:
        """Return the reports, the newest days first: of one kind, or those of days before `before`."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT body FROM report WHERE home_id = ? AND (? IS NULL OR kind = ?)"
                " AND (? IS NULL OR last_day < ?) ORDER BY last_day DESC, kind DESC LIMIT ?",
                (home_id, kind, kind, _day(before), _day(before), limit),
            )
        return [Report.model_validate_json(row["body"]) for row in rows]

    async def latest(self, home_id: str, kind: ReportKind | None = None) -> Report | None:
        """Return the newest report; None before there was one."""
        found = await self.recent(home_id, kind, limit=1)
        return found[0] if found else None

    async def get(self, home_id: str, report_id: str) -> Report | None:
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT body FROM report WHERE home_id = ? AND report_id = ?", (home_id, report_id)
            )
        return next((Report.model_validate_json(row["body"]) for row in rows), None)

    async def around(self, report: Report) -> tuple[str | None, str | None]:
        """Return the ids of the reports of its kind before and after it."""
        async with self._store.reading() as db:
            found: list[str | None] = []
            for which, order in (("<", "DESC"), (">", "ASC")):
                rows: Any = await db.execute_fetchall(
                    "SELECT report_id FROM report WHERE home_id = ? AND kind = ?"  # noqa: S608 - constants
                    f" AND first_day {which} ? ORDER BY first_day {order} LIMIT 1",
                    (report.home_id, report.kind, report.first_day.isoformat()),
                )
                found.append(next((row["report_id"] for row in rows), None))
        return found[0], found[1]

    async def keep(self, report: Report) -> bool:
        """Keep it, in place of one of the same days; return whether it is still to be announced."""
        async with self._store.writing() as db:
            await db.execute(
                "INSERT INTO report (home_id, report_id, kind, first_day, last_day, generated_at, body)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (home_id, report_id) DO UPDATE SET"
                " generated_at = excluded.generated_at, body = excluded.body",
                (
                    report.home_id,
                    report.report_id,
                    report.kind,
                    report.first_day.isoformat(),
                    report.last_day.isoformat(),
                    to_ms(report.generated_at),
                    report.model_dump_json(),
                ),
            )
            rows = await db.execute_fetchall(
                "SELECT announced_at FROM report WHERE home_id = ? AND report_id = ?",
                (report.home_id, report.report_id),
            )
            return all(row["announced_at"] is None for row in rows)

    async def unannounced(self, home_id: str, report_id: str) -> Report | None:
        """Return a report that was kept and not announced: the process ended in between."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT body FROM report WHERE home_id = ? AND report_id = ? AND announced_at IS NULL",
                (home_id, report_id),
            )
        return next((Report.model_validate_json(row["body"]) for row in rows), None)

    async def announced(self, report: Report) -> None:
        """Note that it was announced."""
        async with self._store.writing() as db:
            await db.execute(
                "UPDATE report SET announced_at = ? WHERE home_id = ? AND report_id = ?",
                (to_ms(self._clock.now()), report.home_id, report.report_id),
            )

    async def forget(self, kind: ReportKind, before: date) -> int:
        """Remove those of that kind about days before; return how many."""
        async with self._store.writing() as db:
            cursor = await db.execute(
                "DELETE FROM report WHERE kind = ? AND last_day < ?", (kind, before.isoformat())
            )
            return cursor.rowcount


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
