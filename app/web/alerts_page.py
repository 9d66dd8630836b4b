"""The page Alerts: what is wrong now, the worst first; what was; the words looked for in the hub's log."""

from datetime import datetime
from typing import Final

from aiohttp import web

from app.alerts.alert import Level
from app.alerts.job import ALERT_DETECTOR
from app.alerts.keywords import DEFAULTS, MOST
from app.web.alert_view import by_level, standing_of, view_of_alert
from app.web.alerts_api import ALERTS
from app.web.frame import show
from app.web.home_page import weeks_drawn
from app.web.news import LEVELS
from app.web.parts import PARTS, WebParts
from app.web.states import zone_of_page

_SHOWN: Final = 50


async def show_alerts(request: web.Request) -> web.Response:
    """GET /alerts: the open ones by level, then those that are over."""
    parts, rooms = request.app[PARTS], request.app[ALERTS]
    now, zone, home = parts.clock.now(), zone_of_page(parts), parts.home()
    opened = await rooms.book.open(rooms.home_id)
    known = await rooms.book.listed(rooms.home_id, limit=_SHOWN + len(opened))
    over = sorted(
        (one for one in known if one.closed_at is not None),
        key=lambda one: one.closed_at or one.detected_at,
        reverse=True,
    )
    words = await rooms.keywords.of(rooms.home_id)
    return await show(
        request,
        "alerts.html",
        room="alerts",
        context={
            "standing": standing_of(opened, await _looked(parts), now, zone),
            "open": [view_of_alert(one, home, now, zone) for one in by_level(opened)],
            "over": [view_of_alert(one, home, now, zone) for one in over[:_SHOWN]],
            "unread": sum(not one.is_read for one in opened),
            "alerts_drawn": await weeks_drawn(request, now, zone),
            "keywords": words,
            "are_defaults": tuple(words) == DEFAULTS,
            "levels": [(level.value, LEVELS[level]) for level in Level],
            "most": MOST,
        },
    )


async def _looked(parts: WebParts) -> datetime | None:
    """Return when it was last looked: with a row of its own where something came of it, or without."""
    if ALERT_DETECTOR not in parts.jobs.specs:
        return None
    runs = await parts.ledger.recent(ALERT_DETECTOR, 1)
    known = [parts.jobs.looked_at(ALERT_DETECTOR), *(run.completed_at for run in runs)]
    return max((at for at in known if at is not None), default=None)
