"""Words that people look for, in the hub's log and in the notifications of its side bar."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from app.alerts.alert import AlertKind, Level
from app.alerts.finding import Finding, Still
from app.alerts.keywords import Keyword, pattern_of
from app.alerts.sight import Sight
from app.hub.names import plain_name
from app.jobs.text import one_line

LASTS: Final = timedelta(hours=24)
"""So long after its last line of the log an alert is over."""
_OURS: Final = "nightshift"
_LINE: Final = 300


def found_words(sight: Sight) -> Iterator[Finding | Still]:
    """Say which words were found: one alert for a word and the part of the hub that wrote it.

    What Nightshift itself put into the side bar is not read: an alert would be found by its own words.
    """
    pattern = pattern_of(sight.keywords)
    if pattern is None or sight.log is None or sight.notifications is None:
        return
    levels = {one.key: one for one in sight.keywords}
    told: set[str] = set()
    for entry in sight.log:
        text = f"{entry.message} {entry.logger}"[:4000]
        found = pattern.search(text)
        if found is None or sight.now - entry.last_occurred > LASTS or _OURS in entry.logger:
            continue
        keyword = levels[" ".join(found.group().split()).casefold()]
        cause = f"keyword:log:{_key(keyword.key, entry.logger)}"
        if cause not in told:
            told.add(cause)
            said = f"{entry.logger}: {entry.message}"
            yield _finding(cause, keyword, "In Home Assistant's log", said)
    for notification in sight.notifications:
        if notification.notification_id.startswith(_OURS):
            continue
        found = pattern.search(f"{notification.title} {notification.message}"[:4000])
        if found is None:
            continue
        keyword = levels[" ".join(found.group().split()).casefold()]
        cause = f"keyword:notification:{_key(keyword.key, notification.notification_id)}"
        if cause not in told:
            told.add(cause)
            said = f"{notification.title}: {notification.message}"
            yield _finding(cause, keyword, "A notification in Home Assistant", said)


def _finding(cause: str, keyword: Keyword, where: str, said: str) -> Finding:
    return Finding(
        cause=cause,
        kind=AlertKind.KEYWORD,
        level=Level(keyword.level),
        title=f"{where}: {plain_name(keyword.word)}",
        description=one_line(plain_name(one_line(said, _LINE * 4)[:_LINE]), _LINE),
    )


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:16]
