"""Words that people look for, in the hub's log and in the notifications of its side bar."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from app.alerts.alert import AlertKind, Level
from app.alerts.finding import Finding, Still
from app.alerts.keywords import Keyword, pattern_of
from app.alerts.sight import Sight
from app.hub.names import plain_name
from app.hub.now import HubNotification, LogEntry
from app.jobs.text import one_line

LASTS: Final = timedelta(hours=24)
"""So long after its last line of the log an alert is over."""
_OURS: Final = "nightshift"
_LINE: Final = 300
_READ: Final = 4000
"""So much of a line is looked through."""


def found_words(sight: Sight) -> Iterator[Finding | Still]:
    """Say which words were found: one alert for a word, wherever and however often the hub says it.

    What Nightshift itself put into the side bar is not read: an alert would be found by its own words.
    """
    pattern = pattern_of(sight.keywords)
    if pattern is None or sight.log is None or sight.notifications is None:
        return
    known = {one.key: one for one in sight.keywords}
    told: set[str] = set()
    for said in (*_standing(sight.notifications), *_lines(sight, sight.log)):
        for found in pattern.finditer(said[:_READ]):
            keyword = known[" ".join(found.group().split()).casefold()]
            if keyword.key not in told:
                told.add(keyword.key)
                yield _finding(keyword, said)


def _standing(notifications: Sequence[HubNotification]) -> Iterator[str]:
    for one in notifications:
        if not one.notification_id.startswith(_OURS):
            yield f"{one.title}: {one.message}"


def _lines(sight: Sight, log: Sequence[LogEntry]) -> Iterator[str]:
    for entry in log:
        if _OURS not in entry.logger and sight.now - entry.last_occurred <= LASTS:
            yield f"{entry.logger}: {entry.message}"


def _finding(keyword: Keyword, said: str) -> Finding:
    return Finding(
        cause=f"keyword:{keyword.key}",
        kind=AlertKind.KEYWORD,
        level=Level(keyword.level),
        title=f"Home Assistant says: {plain_name(keyword.word)}",
        description=one_line(plain_name(one_line(said, _LINE * 4)[:_LINE]), _LINE),
    )
