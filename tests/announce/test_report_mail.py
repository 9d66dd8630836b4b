"""Reports by mail: once each, over restarts, refusals and a mail server that is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.announce.report_mail import ReportMail, forget_failed_mail
from app.bus import Bus
from app.clock import TurnedClock
from app.mail.sender import mailer_of
from app.neighbours import Neighbours
from app.options import MailSecurity, Options
from app.reports.announcements import ReportReady
from app.reports.period import Period
from app.reports.report import Item, Report, ReportKind, Section
from app.reports.reports import Reports
from app.store.database import Store
from tests.mail.peer import Inbox, mail_server

ZONE = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 5, 3, 4, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EVIL = '<img src="https://evil.example/x">'


def _report(at: datetime = NOW, *, days_ago: int = 0) -> Report:
    period = Period.day_before((at - timedelta(days=days_ago)).date(), ZONE)
    return Report(
        report_id=period.report_id,
        home_id="home",
        kind=ReportKind.DAILY,
        title=f"Canal house: {period.named}",
        summary="1 alert.",
        first_day=period.first,
        last_day=period.last,
        generated_at=at,
        sections=(
            Section(
                key="alerts",
                title="Alerts",
                items=(Item(title=f"Water {EVIL}", value="critical", remark="14:00", level="critical"),),
            ),
            Section(key="energy", title="Energy", empty="Nothing was measured."),
        ),
    )


class Office:
    """Reports in a real database, and the mail as one start of the process sends it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.clock = TurnedClock(NOW)
        self.store = Store(folder / "nightshift.db", self.clock)
        self.reports = Reports(self.store, self.clock)
        self.bus = Bus()
        self.options = Options(
            mail_host="127.0.0.1",
            mail_port=port,
            mail_security=MailSecurity.NONE,
            mail_from="nightshift@example.org",
            mail_to="ana@example.org",
        )

    async def make(self, report: Report) -> None:
        await self.reports.keep(report)
        self.bus.announce(ReportReady(report))
        await self.reports.announced(report)

    @asynccontextmanager
    async def mailing(self) -> AsyncIterator[ReportMail]:
        mailer = mailer_of(self.options, Neighbours(self.bus, self.clock), self.clock)
        assert mailer
        mail = ReportMail(mailer, self.bus, self.clock, self.store, self.reports, "home", lambda: ZONE)
        mail.start()
        try:
            yield mail
        finally:
            await mail.stop()

    async def rows(self) -> list[tuple[str, int, bool, bool]]:
        """Return each report's id, tries, whether it was sent, and whether it is tried again."""
        async with self.store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT report_id, attempts, sent_at IS NOT NULL, next_at IS NOT NULL FROM report_mail"
            )
        return [(row[0], row[1], bool(row[2]), bool(row[3])) for row in rows]


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    async with mail_server() as opened:
        yield opened


@pytest.fixture
async def desk(tmp_path: Path, inbox: Inbox) -> AsyncIterator[Office]:
    opened = Office(tmp_path, inbox.port)
    await opened.store.open()
    yield opened
    await opened.store.close()


async def _until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.005)


async def _written(desk: Office, count: int) -> list[tuple[str, int, bool, bool]]:
    """Wait until so many tries are written down."""
    async with asyncio.timeout(60):
        while sum(row[1] for row in rows) < count if (rows := await desk.rows()) else True:
            await asyncio.sleep(0.005)
    return rows


async def test_a_report_is_mailed_as_html_and_as_text_with_nothing_live_in_it(
    desk: Office, inbox: Inbox
) -> None:
    async with desk.mailing():
        await desk.make(_report())
        await _written(desk, 1)
    (message,) = inbox.messages
    assert message["Subject"] == "Canal house: Saturday 2 May 2026"
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    assert html
    assert text
    shown = html.get_content()
    assert "<h2" in shown
    assert "Nothing was measured." in shown
    assert EVIL not in shown
    assert "&lt;img" in shown
    assert "<script" not in shown
    assert "http" not in shown.replace("https://evil.example", ""), "a mail loads nothing from anywhere"
    assert f"* [critical] Water {EVIL}" not in text.get_content()
    assert f"* Water {EVIL}: critical (14:00)" in text.get_content()
    assert "3 May 2026 at 06:01" in shown


async def test_it_is_sent_once_over_restarts_and_remakings(desk: Office, inbox: Inbox) -> None:
    for _ in range(2):
        async with desk.mailing():
            await desk.make(_report())
            await _written(desk, 1)
            await desk.make(_report())
            await desk.clock.turn(MINUTE)
    assert len(inbox.messages) == 1
    assert await desk.rows() == [("daily-2026-05-02", 1, True, False)]


async def test_one_made_while_nobody_mailed_is_sent_at_the_next_start_if_it_is_of_today(
    desk: Office, inbox: Inbox
) -> None:
    await desk.make(_report(NOW - timedelta(days=2), days_ago=0))
    await desk.make(_report())
    async with desk.mailing():
        await _written(desk, 1)
    assert [message["Subject"] for message in inbox.messages] == ["Canal house: Saturday 2 May 2026"]


async def test_a_report_of_a_morning_that_was_missed_is_not_mailed_any_more(
    desk: Office, inbox: Inbox
) -> None:
    async with desk.mailing():
        for days_ago in (3, 2, 1, 0):
            await desk.make(_report(days_ago=days_ago))
        await _written(desk, 1)
    assert [message["Subject"] for message in inbox.messages] == ["Canal house: Saturday 2 May 2026"]


async def test_a_server_that_is_away_is_asked_again_and_gets_the_same_message(
    desk: Office, inbox: Inbox
) -> None:
    inbox.on_data = "451 later, please"
    async with desk.mailing():
        await desk.make(_report())
        assert await _written(desk, 1) == [("daily-2026-05-02", 1, False, True)]
        await desk.clock.turn(MINUTE)
        await _written(desk, 2)
    inbox.on_data = "250 taken"
    await desk.clock.turn(4 * MINUTE)
    async with desk.mailing():
        await desk.clock.turn(2 * MINUTE)
        await _written(desk, 3)
    assert await desk.rows() == [("daily-2026-05-02", 3, True, False)]
    (message,) = inbox.messages
    assert message["Message-ID"].endswith("@nightshift>")


async def test_what_is_refused_is_given_up_and_the_next_report_is_tried(desk: Office, inbox: Inbox) -> None:
    inbox.on_data = "554 no"
    async with desk.mailing():
        await desk.make(_report())
        assert await _written(desk, 1) == [("daily-2026-05-02", 1, False, False)]
        inbox.on_data = "250 taken"
        await desk.clock.turn(timedelta(days=1))
        await desk.make(_report(desk.clock.now()))
        await _written(desk, 2)
    assert [message["Subject"] for message in inbox.messages] == ["Canal house: Sunday 3 May 2026"]


async def test_a_day_without_a_server_gives_the_report_up(desk: Office, inbox: Inbox) -> None:
    inbox.on_data = "451 later, please"
    async with desk.mailing():
        await desk.make(_report())
        await _written(desk, 1)
        for number in range(2, 11):
            await desk.clock.turn(timedelta(hours=4, minutes=1))
            if desk.clock.now() >= NOW + timedelta(hours=24):
                break
            await _written(desk, number)
    ((_, attempts, sent, _),) = await desk.rows()
    assert attempts <= 10
    assert not sent
    assert not inbox.messages


async def test_what_was_not_sent_is_forgotten_after_thirty_days(desk: Office, inbox: Inbox) -> None:
    inbox.on_data = "554 no"
    async with desk.mailing():
        await desk.make(_report())
        await _written(desk, 1)
    assert await forget_failed_mail(desk.store, NOW + timedelta(days=29)) == 0
    assert await forget_failed_mail(desk.store, NOW + timedelta(days=31)) == 1
    assert await desk.rows() == []
