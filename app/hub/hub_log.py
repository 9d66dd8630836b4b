"""What the hub says of itself: its log of warnings and errors, and what stands in its side bar.

Contract: `system_log/list` (administrators only) and `persistent_notification/get` of Home Assistant.
"""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from app.hub.client import Hub
from app.hub.errors import UnknownCommandError
from app.hub.now import HubNotification, LogEntry

_MOST_ENTRIES = 200
_MOST_NOTIFICATIONS = 200
_LONGEST_TEXT = 2000
_LONGEST_NAME = 200


async def read_log(hub: Hub) -> Sequence[LogEntry]:
    """Return the hub's log of warnings and errors, the newest first; none where it keeps none.

    Raises NeighbourError.
    """
    try:
        said = await hub.command("system_log/list")
    except UnknownCommandError:
        return ()
    rows = said if isinstance(said, list) else ()
    entries = sorted(
        (entry for row in rows if (entry := _entry(row))), key=lambda entry: entry.last_occurred, reverse=True
    )
    return tuple(entries[:_MOST_ENTRIES])


def _entry(row: Any) -> LogEntry | None:
    if not isinstance(row, dict):
        return None
    first, last = _instant(row.get("first_occurred")), _instant(row.get("timestamp"))
    told = row.get("message")
    message = _text("\n".join(filter(_is_text, told)) if isinstance(told, list) else told)
    if last is None or not message:
        return None
    count = row.get("count")
    return LogEntry(
        logger=_text(row.get("name"))[:_LONGEST_NAME],
        level=_text(row.get("level"))[:_LONGEST_NAME],
        message=message,
        first_occurred=first or last,
        last_occurred=last,
        count=count if isinstance(count, int) and count > 0 else 1,
    )


async def read_notifications(hub: Hub) -> Sequence[HubNotification]:
    """Return what stands in the hub's side bar, the newest first. Raises NeighbourError."""
    try:
        said = await hub.command("persistent_notification/get")
    except UnknownCommandError:
        return ()
    rows = said if isinstance(said, list) else ()
    found = sorted(
        (one for row in rows if (one := _notification(row))), key=lambda one: one.created_at, reverse=True
    )
    return tuple(found[:_MOST_NOTIFICATIONS])


def _notification(row: Any) -> HubNotification | None:
    if not isinstance(row, dict):
        return None
    notification_id, created = _text(row.get("notification_id")), _written(row.get("created_at"))
    if not notification_id or created is None:
        return None
    return HubNotification(
        notification_id=notification_id[:_LONGEST_NAME],
        title=_text(row.get("title"))[:_LONGEST_NAME],
        message=_text(row.get("message")),
        created_at=created,
    )


def _is_text(said: Any) -> bool:
    return isinstance(said, str)


def _text(said: Any) -> str:
    """Return a text with its lines, but without what would turn a terminal or a page upside down."""
    if not isinstance(said, str):
        return ""
    return "".join(
        letter for letter in said[:_LONGEST_TEXT] if letter == "\n" or letter.isprintable()
    ).strip()


def _instant(seconds: Any) -> datetime | None:
    if not isinstance(seconds, int | float) or not math.isfinite(seconds) or not 0 <= seconds < 1e11:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _written(said: Any) -> datetime | None:
    try:
        instant = datetime.fromisoformat(said)
    except (TypeError, ValueError):
        return None
    return instant.astimezone(UTC) if instant.tzinfo else None
