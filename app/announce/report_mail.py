"""Reports by mail: each is sent once, over restarts and a mail server that is away."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.announce.letters import Post
from app.bus import Bus
from app.clock import Clock, from_ms, to_ms
from app.errors import NightshiftError, RefusedError, StoreError
from app.reports.announcements import ReportReady
from app.reports.letter import letter_of
from app.reports.report import Report, ReportKind
from app.reports.reports import Reports
from app.store.database import Store

_log = logging.getLogger(__name__)
_WAITS: Final = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 120, 240, 240, 240, 240)
)  # 19 hours in all: then the next one is due
_OLDEST: Final = timedelta(hours=24)
_FRESH: Final = {ReportKind.DAILY: timedelta(days=1), ReportKind.MONTHLY: timedelta(days=7)}
"""How long after its last day a report may have been made to be worth a mail."""
_AFTER_TROUBLE: Final = 60.0
FAILED_KEPT: Final = timedelta(days=30)
"""How long it is kept that a mail could not be sent."""


@dataclass(frozen=True, slots=True)
class _Owed:
    report: Report
    attempts: int
    next_at: datetime


class ReportMail:
    """Mails reports as they are made: `ReportMail(mailer, bus, clock, store, reports, home_id, zone)`.

    `zone` gives the home's. Start it after the store is open and before the jobs; without mail set up, or
    with the option `report_mail` off, it is not made at all.
    """

    def __init__(
        self,
        post: Post,
        bus: Bus,
        clock: Clock,
        store: Store,
        reports: Reports,
        home_id: str,
        zone: Callable[[], ZoneInfo],
    ) -> None:
        self._post = post
        self._bus = bus
        self._clock = clock
        self._book = MailBook(store, clock, reports, home_id)
        self._zone = zone
        self._new = asyncio.Event()
        self._unsubscribe: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._unsubscribe = self._bus.subscribe(ReportReady, self._on_ready)
        self._task = asyncio.create_task(self._deliver(), name="reports by mail")

    async def stop(self) -> None:
        if self._unsubscribe:
            self._unsubscribe()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _on_ready(self, _event: ReportReady) -> None:
        self._new.set()

    async def _deliver(self) -> None:
        """Send what is owed, then wait for a new report or the next try."""
        while True:
            self._new.clear()
            try:
                wait = await self._send_due()
            except StoreError as error:
                _log.warning("The reports to be mailed could not be read: %s", error)
                wait = _AFTER_TROUBLE
            await self._wait(wait)

    async def _send_due(self) -> float | None:
        """Send what is due; return the seconds until the next try, None when nothing waits."""
        waits: list[datetime] = []
        for owed in await self._book.owed(self._zone()):
            if owed.next_at <= self._clock.now():
                again_at = await self._send(owed)
                if again_at is not None:
                    waits.append(again_at)
            else:
                waits.append(owed.next_at)
        return max(0.0, (min(waits) - self._clock.now()).total_seconds()) if waits else None

    async def _send(self, owed: _Owed) -> datetime | None:
        """Try once; return when it is tried again, None when it is over."""
        letter = await asyncio.to_thread(letter_of, owed.report, self._zone())
        try:
            await self._post.send(letter.subject, letter.text, letter.html, key=letter.key)
        except NightshiftError as error:
            # Who refuses will refuse again until a person has mended something: the next report will tell.
            last = isinstance(error, RefusedError) or owed.attempts >= len(_WAITS)
            again_at = None if last else self._clock.now() + _WAITS[owed.attempts]
            await self._book.failed(owed.report, str(error), again_at)
            _log.warning(
                "The report %s was not mailed: %s%s",
                owed.report.report_id,
                error,
                "" if again_at is None else "; it is tried again",
            )
            return again_at
        await self._book.sent(owed.report)
        return None

    async def _wait(self, seconds: float | None) -> None:
        new = asyncio.create_task(self._new.wait())
        tasks: set[asyncio.Task[object]] = {new}
        if seconds is not None:
            tasks.add(asyncio.create_task(self._clock.sleep(seconds)))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class MailBook:
    """Which report was mailed: table `report_mail`. A row is written with the first try and its end.

    Of a process that ended in the middle of a try it is not known whether the mail went out: it is sent
    again, under the same Message-ID.
    """

    def __init__(self, store: Store, clock: Clock, reports: Reports, home_id: str) -> None:
        self._store = store
        self._clock = clock
        self._reports = reports
        self._home_id = home_id

    async def owed(self, zone: ZoneInfo) -> list[_Owed]:
        """Return the reports of the last day that were neither sent nor given up, the oldest first.

        One that was made late, of a morning that was missed, is on the page and is not mailed any more.
        """
        now = self._clock.now()
        recent = [
            report
            for report in await self._reports.recent(self._home_id, limit=10)
            if report.generated_at >= now - _OLDEST and _is_fresh(report, zone)
        ]
        async with self._store.reading() as db:
            rows = await db.execute_fetchall("SELECT * FROM report_mail WHERE home_id = ?", (self._home_id,))
        known = {row["report_id"]: row for row in rows}
        found = []
        for report in sorted(recent, key=lambda one: one.generated_at):
            row = known.get(report.report_id)
            if row is None:
                found.append(_Owed(report, 0, now))
            elif row["sent_at"] is None and row["next_at"] is not None:
                found.append(_Owed(report, row["attempts"], from_ms(row["next_at"])))
        return found

    async def sent(self, report: Report) -> None:
        await self._write(report, sent=True, again_at=None, error="")

    async def failed(self, report: Report, error: str, again_at: datetime | None) -> None:
        """Note a failed try; `again_at` None gives it up."""
        await self._write(report, sent=False, again_at=again_at, error=error)

    async def _write(self, report: Report, *, sent: bool, again_at: datetime | None, error: str) -> None:
        now = to_ms(self._clock.now())
        async with self._store.writing() as db:
            await db.execute(
                "INSERT INTO report_mail (home_id, report_id, attempts, next_at, sent_at, tried_at, error)"
                " VALUES (?, ?, 1, ?, ?, ?, ?) ON CONFLICT (home_id, report_id) DO UPDATE SET"
                " attempts = attempts + 1, next_at = excluded.next_at, sent_at = excluded.sent_at,"
                " tried_at = excluded.tried_at, error = excluded.error",
                (
                    report.home_id,
                    report.report_id,
                    None if again_at is None else to_ms(again_at),
                    now if sent else None,
                    now,
                    error[:300],
                ),
            )


def _is_fresh(report: Report, zone: ZoneInfo) -> bool:
    made = report.generated_at.astimezone(zone).date()
    return made - report.last_day <= _FRESH[report.kind]


async def forget_failed_mail(store: Store, now: datetime) -> int:
    """Remove what could not be mailed over 30 days ago, or was mailed then; return how many."""
    async with store.writing() as db:
        cursor = await db.execute(
            "DELETE FROM report_mail WHERE coalesce(sent_at, tried_at) < ?", (to_ms(now - FAILED_KEPT),)
        )
        return cursor.rowcount
