import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.announce.letters import Letters
from app.bus import Bus
from app.errors import NeighbourError
from app.habits.announcements import SuggestionsChanged
from app.jobs.announcements import JobFailing, JobRecovered, RunEnded, SubjectGivenUp
from app.jobs.run import Run, RunStatus, Trigger
from app.jobs.subject import Retry


class Box:
    """Takes letters; the first `refusals` of them it does not."""

    def __init__(self, refusals: int = 0) -> None:
        self.letters: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue()
        self._refusals = refusals

    async def send(self, subject: str, text: str, html: str | None = None, *, key: str) -> None:  # noqa: ARG002 - Post
        if self._refusals:
            self._refusals -= 1
            raise NeighbourError("mail: no answer")
        await self.letters.put((subject, text, key))


def _changed(*created: str) -> SuggestionsChanged:
    return SuggestionsChanged("home", "run", len(created), created, created, ())


def _ended(
    status: RunStatus, attempt: int, trigger: Trigger = Trigger.SCHEDULE, *, again: bool = False
) -> RunEnded:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    run = Run("r", "analysis", "home", trigger, status, now, now, error_message="hub: gone", attempt=attempt)
    return RunEnded(run, now + timedelta(minutes=30) if again else None)


async def test_new_suggestions_are_one_letter() -> None:
    bus, box = Bus(), Box()
    letters = Letters(box, bus, {"stats": "Statistics"})
    letters.start()
    bus.announce(_changed("Turn on the kettle at 06:45", "Turn off the hall at 23:00"))
    subject, text, key = await asyncio.wait_for(box.letters.get(), 60)
    await letters.stop()
    assert subject == "Nightshift: 2 new suggestions"
    assert "- Turn on the kettle at 06:45\n" in text
    assert key == "suggestions-run"


async def test_a_night_without_news_writes_nothing_and_a_first_failure_neither() -> None:
    bus, box = Bus(), Box()
    letters = Letters(box, bus, {"stats": "Statistics"})
    letters.start()
    bus.announce(_changed())
    bus.announce(_ended(RunStatus.FAILED, attempt=1, again=True))
    bus.announce(_ended(RunStatus.FAILED, attempt=2, trigger=Trigger.CATCH_UP, again=True))
    bus.announce(_ended(RunStatus.FAILED, attempt=1, trigger=Trigger.MANUAL))
    bus.announce(_ended(RunStatus.COMPLETED, attempt=2))
    bus.announce(_ended(RunStatus.FAILED, attempt=3, trigger=Trigger.RETRY))
    subject, text, _ = await asyncio.wait_for(box.letters.get(), 60)
    await letters.stop()
    assert subject == "Nightshift: the night failed"
    assert "did not succeed in 3 tries: hub: gone" in text
    assert box.letters.empty()


async def test_a_letter_that_cannot_leave_does_not_hold_up_the_next(caplog: pytest.LogCaptureFixture) -> None:
    bus, box = Bus(), Box(refusals=1)
    letters = Letters(box, bus, {"stats": "Statistics"})
    letters.start()
    bus.announce(_changed("first"))
    bus.announce(_changed("second"))
    _, text, _ = await asyncio.wait_for(box.letters.get(), 60)
    await letters.stop()
    assert "second" in text
    assert "was not sent: mail: no answer" in caplog.text


async def test_a_job_that_keeps_failing_works_again_or_gives_up_is_a_letter_each() -> None:
    bus, box = Bus(), Box()
    letters = Letters(box, bus, {"stats": "Statistics"})
    letters.start()
    now = datetime(2026, 1, 1, tzinfo=UTC)
    retry = Retry(1, "stats", "home", "person.ana", "Ana", "r1", now, 3, 3, "hub: gone", None, now)
    bus.announce(JobFailing("analysis", "home", 3, "each night that failed had its own"))
    bus.announce(JobFailing("stats", "home", 3, "hub: gone"))
    bus.announce(JobRecovered("stats", "home"))
    bus.announce(SubjectGivenUp(retry))
    written = [await asyncio.wait_for(box.letters.get(), 60) for _ in range(3)]
    await letters.stop()
    assert [subject for subject, _, _ in written] == [
        "Nightshift: Statistics keeps failing",
        "Nightshift: Statistics works again",
        "Nightshift: Statistics gave up on Ana",
    ]
    assert "3 times in a row. The last time: hub: gone" in written[0][1]
    assert "3 more tries" in written[2][1]
    assert len({key for _, _, key in written}) == 3
