"""Live events: what the house announces, on its way to open pages (server-sent events).

One listener on the bus, one small mailbox per open page. A mailbox is bounded: of a run's progress only the
latest counts, and a page that cannot keep up is told to read everything anew. A lost connection loses
nothing, for the page reads its state when it connects again.
"""

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final

from aiohttp import web

from app import __version__
from app.alerts.announcements import AlertChanged
from app.bus import Bus
from app.clock import Clock
from app.habits.announcements import AutomationVerdict, SuggestionDecided, SuggestionsChanged
from app.insights.announcements import CoachAlert, InsightReady
from app.jobs.announcements import (
    JobChanged,
    JobFailing,
    JobRecovered,
    RunEnded,
    RunLogged,
    RunProgressed,
    RunSkipped,
    RunStarted,
    SubjectGivenUp,
)
from app.neighbours import NeighbourChanged
from app.reports.announcements import ReportReady
from app.statistics.announcements import StatsChanged
from app.web.failures import error_json
from app.web.news import alert_changed_json, coach_json, insight_ready_json, report_ready_json
from app.web.shapes import log_json, neighbour_json, progress_json, retry_json, run_json

_log = logging.getLogger(__name__)

BEAT_SECONDS: Final = 15.0
LARGEST_MAILBOX: Final = 64
MOST_PAGES: Final = 32
_MOST_LINES: Final = 50
"""Log lines in one event."""
_BEAT: Final = b": still here\n\n"


class Mailbox:
    """The events one open page has not read yet, as bytes ready to be sent."""

    def __init__(self) -> None:
        self._letters: OrderedDict[str, bytes] = OrderedDict()
        self._count = 0
        self._arrived = asyncio.Event()
        self.closed = False

    def put(self, letter: bytes, replaces: str | None = None) -> None:
        """Add a letter; one of the same `replaces` that was not read yet gives way to it."""
        self._count += 1
        key = replaces or str(self._count)
        self._letters.pop(key, None)
        self._letters[key] = letter
        if len(self._letters) > LARGEST_MAILBOX:
            self._letters.clear()
            self._letters["refresh"] = _letter("refresh", {})
        self._arrived.set()

    async def take(self) -> list[bytes]:
        """Wait for letters and return all there are; none when the mailbox was closed."""
        await self._arrived.wait()
        self._arrived.clear()
        letters = list(self._letters.values())
        self._letters.clear()
        return letters

    def close(self) -> None:
        self.closed = True
        self._arrived.set()


class LiveFeed:
    """Passes announcements to every open page, and a heartbeat so that dead connections are noticed."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._pages: dict[Mailbox, web.Request] = {}
        self._unsubscribe: list[Callable[[], None]] = []
        self._heart: asyncio.Task[None] | None = None

    @property
    def pages(self) -> int:
        """How many pages are listening."""
        return len(self._pages)

    def start(self) -> None:
        self._unsubscribe = [
            self._bus.subscribe(RunStarted, lambda event: self._post("run_started", run_json(event.run))),
            self._bus.subscribe(RunProgressed, self._progressed),
            self._bus.subscribe(RunEnded, lambda event: self._post("run_ended", run_json(event.run))),
            self._bus.subscribe(RunSkipped, lambda event: self._post("run_skipped", run_json(event.run))),
            self._bus.subscribe(RunLogged, self._logged),
            self._bus.subscribe(
                SubjectGivenUp, lambda event: self._post("subject_given_up", retry_json(event.retry))
            ),
            self._bus.subscribe(JobFailing, lambda event: self._post("job_failing", asdict(event))),
            self._bus.subscribe(JobRecovered, lambda event: self._post("job_recovered", asdict(event))),
            self._bus.subscribe(JobChanged, lambda event: self._post("job", {"job": event.job})),
            self._bus.subscribe(
                NeighbourChanged, lambda event: self._post("neighbour", neighbour_json(event.neighbour))
            ),
            self._bus.subscribe(
                SuggestionsChanged, lambda event: self._post("suggestions", {"offered": event.offered})
            ),
            self._bus.subscribe(SuggestionDecided, self._decided),
            self._bus.subscribe(AlertChanged, lambda event: self._post("alert", alert_changed_json(event))),
            self._bus.subscribe(CoachAlert, lambda event: self._post("coach_alert", coach_json(event))),
            self._bus.subscribe(InsightReady, lambda event: self._post("insight", insight_ready_json(event))),
            self._bus.subscribe(StatsChanged, self._computed),
            self._bus.subscribe(ReportReady, lambda event: self._post("report", report_ready_json(event))),
            self._bus.subscribe(AutomationVerdict, self._judged),
        ]

    async def stop(self) -> None:
        """End every page's stream, so that the server can stop."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        for mailbox in self._pages:
            mailbox.close()
        if self._heart:
            self._heart.cancel()
            with suppress(asyncio.CancelledError):
                await self._heart

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """GET /api/events: stream until the page goes away or the server stops."""
        if len(self._pages) >= MOST_PAGES:
            self._forget_the_gone()
        if len(self._pages) >= MOST_PAGES:
            return error_json(503, "Too many pages are open: close some.")
        mailbox = Mailbox()
        self._pages[mailbox] = request
        if self._heart is None or self._heart.done():
            self._heart = asyncio.create_task(self._beat(), name="live heartbeat")
        mailbox.put(_letter("hello", {"version": __version__}))
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        try:
            await response.prepare(request)
            await response.write(b"retry: 3000\n\n")
            while not mailbox.closed:
                for letter in await mailbox.take():
                    await response.write(letter)
        except ConnectionError:
            _log.debug("A page went away")
        finally:
            self._pages.pop(mailbox, None)
        return response

    def _forget_the_gone(self) -> None:
        """Free the places of pages whose connection ended since the last heartbeat."""
        gone = [mailbox for mailbox, request in self._pages.items() if request.transport is None]
        for mailbox in gone:
            mailbox.close()
            del self._pages[mailbox]

    async def _beat(self) -> None:
        """Beat while pages are open; a write to a page that is gone ends its stream."""
        while self._pages:
            await self._clock.sleep(BEAT_SECONDS)
            for mailbox in self._pages:
                mailbox.put(_BEAT, replaces="beat")

    def _progressed(self, event: RunProgressed) -> None:
        data = {"run_id": event.run_id, "job": event.job, **progress_json(event.progress)}
        self._post("progress", data, replaces=f"progress {event.run_id}")

    def _decided(self, event: SuggestionDecided) -> None:
        told = {"suggestion_id": event.suggestion_id, "verdict": event.verdict, "mode": event.mode}
        self._post("suggestion_decided", told)

    def _computed(self, event: StatsChanged) -> None:
        # Many figures, and few pages show them: who does reads them anew.
        self._post("statistics", {"places": len(event.places)}, replaces="statistics")

    def _judged(self, event: AutomationVerdict) -> None:
        self._post("automation_verdict", {"suggestion_id": event.suggestion_id, "proposal": event.proposal})

    def _logged(self, event: RunLogged) -> None:
        # Whoever shows the log asks for the lines it has not got: many at once do not have to be sent.
        lines = [log_json(line) for line in event.lines[-_MOST_LINES:]]
        self._post("run_logged", {"run_id": event.run_id, "job": event.job, "lines": lines})

    def _post(self, name: str, data: dict[str, Any], replaces: str | None = None) -> None:
        letter = _letter(name, data)
        for mailbox in self._pages:
            mailbox.put(letter, replaces)


def _letter(name: str, data: dict[str, Any]) -> bytes:
    # json.dumps escapes every line break, so one event is always one data line.
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
