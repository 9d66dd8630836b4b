"""What is told of any job: it keeps failing, it works again, something of it was given up."""

import json
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeAlias

from app.bus import Bus
from app.jobs.announcements import JobFailing, JobRecovered, SubjectGivenUp
from app.jobs.text import one_line

_MESSAGE_LENGTH = 255
News: TypeAlias = JobFailing | JobRecovered | SubjectGivenUp


class JobEvent(StrEnum):
    """The event types of the *Job* entity."""

    FAILING = "failing"
    """It failed as often in a row as its declaration bears."""
    RECOVERED = "recovered"
    """One that was failing works again."""
    GIVEN_UP = "given_up"
    """All tries for one of its subjects failed."""


def listen(bus: Bus, hear: Callable[[News], None]) -> list[Callable[[], None]]:
    """Call `hear` with all such news; return what ends it."""
    return [
        bus.subscribe(JobFailing, hear),
        bus.subscribe(JobRecovered, hear),
        bus.subscribe(SubjectGivenUp, hear),
    ]


def news_message(news: News) -> str:
    """Return the event as JSON: `event_type`, `job`, `home`, `subject`, `count`, `message`."""
    told: dict[str, Any]
    if isinstance(news, JobFailing):
        told = _told(JobEvent.FAILING, news.job, news.home, count=news.failures, message=news.error_message)
    elif isinstance(news, JobRecovered):
        told = _told(JobEvent.RECOVERED, news.job, news.home)
    else:
        retry = news.retry
        name = retry.name or retry.subject_id
        told = _told(
            JobEvent.GIVEN_UP, retry.job, retry.home, name, retry.retry_count, message=retry.last_error
        )
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def letter_of_news(news: News, title: str) -> tuple[str, str]:
    """Return subject and text of the letter about it; `title` is the job's."""
    if isinstance(news, JobFailing):
        text = (
            f"{title} failed {news.failures} times in a row. The last time: {news.error_message}\n\n"
            "It is tried again when it is next due. Its page (Jobs) shows the log of each run.\n"
        )
        return f"Nightshift: {title} keeps failing", text
    if isinstance(news, JobRecovered):
        return f"Nightshift: {title} works again", f"{title} was failing and has completed again.\n"
    retry = news.retry
    name = retry.name or retry.subject_id
    text = (
        f"{title} failed for {name}, and so did {retry.retry_count} more tries. "
        f"The last time: {retry.last_error}\n\n"
        "It is not tried again by itself: the page (Jobs) has Try again and Dismiss.\n"
    )
    return f"Nightshift: {title} gave up on {name}", text


def _told(
    event: JobEvent, job: str, home: str, subject: str = "", count: int = 0, message: str = ""
) -> dict[str, Any]:
    return {
        "event_type": event,
        "job": job,
        "home": home,
        "subject": one_line(subject, _MESSAGE_LENGTH),
        "count": count,
        "message": one_line(message, _MESSAGE_LENGTH),
    }
