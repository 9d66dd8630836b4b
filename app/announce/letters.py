"""One letter after a night that found something new, or failed for good, and when a job needs looking at."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Protocol

from app.announce.job_news import News, letter_of_news, listen
from app.bus import Bus
from app.errors import NightshiftError
from app.habits.announcements import SuggestionsChanged
from app.habits.nightly import ANALYSIS
from app.jobs.announcements import JobFailing, RunEnded, SubjectGivenUp
from app.jobs.run import Run, RunStatus, Trigger

_log = logging.getLogger(__name__)
_LETTERS_WAITING = 16


class Post(Protocol):
    """Who carries a letter (`mail.sender.Mailer`)."""

    async def send(self, subject: str, text: str, html: str | None = None, *, key: str) -> None:
        """Send one letter; the same key gives the same Message-ID."""


class Letters:
    """Listens to the bus and writes to the address in `mail_to`. A letter that cannot leave is logged.

    `titles` are those of the jobs, by name.
    """

    def __init__(self, post: Post, bus: Bus, titles: Mapping[str, str]) -> None:
        self._post = post
        self._bus = bus
        self._titles = titles
        self._waiting: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue(_LETTERS_WAITING)
        self._unsubscribe: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._unsubscribe = [
            self._bus.subscribe(SuggestionsChanged, self._on_suggestions),
            self._bus.subscribe(RunEnded, self._on_end),
            *listen(self._bus, self._on_news),
        ]
        self._task = asyncio.create_task(self._deliver(), name="letters")

    async def stop(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _on_suggestions(self, changed: SuggestionsChanged) -> None:
        if changed.created:
            self._put(*letter_about(changed))

    def _on_end(self, event: RunEnded) -> None:
        # Whoever starts a run sees how it ends; of a night that is tried again only the last failure is told.
        ended = event.run
        if ended.job != ANALYSIS or ended.trigger is Trigger.MANUAL:
            return
        if ended.status is RunStatus.FAILED and not event.again_at:
            self._put(*letter_of_failure(ended))

    def _on_news(self, news: News) -> None:
        if isinstance(news, JobFailing) and news.job == ANALYSIS:
            return  # each night that failed had its own letter
        job = news.job if not isinstance(news, SubjectGivenUp) else news.retry.job
        # It is put into one envelope only, so that its key need not be found again.
        self._put(*letter_of_news(news, self._titles.get(job, job)), f"job-{job}-{secrets.token_hex(8)}")

    def _put(self, subject: str, text: str, key: str) -> None:
        try:
            self._waiting.put_nowait((subject, text, key))
        except asyncio.QueueFull:
            _log.warning("A letter was dropped: too many are waiting for the mail server")

    async def _deliver(self) -> None:
        while True:
            subject, text, key = await self._waiting.get()
            try:
                await self._post.send(subject, text, key=key)
            except NightshiftError as error:
                _log.warning("The letter %r was not sent: %s", subject, error)


def letter_about(changed: SuggestionsChanged) -> tuple[str, str, str]:
    """Return subject, text and key of the letter about new suggestions."""
    count = len(changed.created)
    subject = f"Nightshift: {count} new suggestion{'s' if count != 1 else ''}"
    lines = "\n".join(f"- {title}" for title in changed.created)
    text = (
        f"Found last night:\n\n{lines}\n\nThe evidence for each is on Nightshift's page in Home Assistant.\n"
    )
    return subject, text, f"suggestions-{changed.run_id}"


def letter_of_failure(run: Run) -> tuple[str, str, str]:
    """Return subject, text and key of the letter about a night that failed for good."""
    tries = "failed" if run.attempt == 1 else f"did not succeed in {run.attempt} tries"
    text = (
        f"The nightly analysis {tries}: {run.error_message}\n\n"
        "It is tried again the next night. Nothing is lost: what was read is kept.\n"
    )
    return "Nightshift: the night failed", text, f"failed-{run.run_id}"
