"""The page Alerts: what is wrong now, the worst first; what was; the words looked for in the hub's log."""

from typing import Final

from aiohttp import web

from app.alerts.alert import Level
from app.alerts.job import ALERT_DETECTOR
from app.alerts.keywords import DEFAULTS, MOST
from app.web.alert_plot import draw_alerts
from app.web.alert_view import by_level, standing_of, view_of_alert
from app.web.alerts_api import ALERTS
from app.web.frame import show
from app.web.home_page import alerts_of_weeks
from app.web.news import LEVELS
from app.web.parts import PARTS
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
    looked = parts.jobs.looked_at(ALERT_DETECTOR) if ALERT_DETECTOR in parts.jobs.specs else None
    return await show(
        request,
        "alerts.html",
        room="alerts",
        context={
            "standing": standing_of(opened, looked, now, zone),
            "open": [view_of_alert(one, home, now, zone) for one in by_level(opened)],
            "over": [view_of_alert(one, home, now, zone) for one in over[:_SHOWN]],
            "unread": sum(not one.is_read for one in opened),
            "alerts_drawn": draw_alerts(await alerts_of_weeks(request, now, zone), now, zone),
            "keywords": words,
            "are_defaults": tuple(words) == DEFAULTS,
            "levels": [(level.value, LEVELS[level]) for level in Level],
            "most": MOST,
        },
    )
