"""What every page has around it: the way to the other rooms, the home's name, who is looking."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp_jinja2
from aiohttp import web

from app.web.alerts_api import ALERTS
from app.web.api import offered_now
from app.web.failures import root_of
from app.web.overview import Overview, tell_overview
from app.web.parts import PARTS, WebParts
from app.web.security import DOORMAN, VISITOR
from app.web.states import JobState, all_states, zone_of_page
from app.web.visitors import RefusedVisitorError, Visitor, Way


@dataclass(frozen=True, slots=True)
class Room:
    """A page one can always go to; `path` is relative to the first page, and `""` is that one."""

    name: str
    title: str
    path: str


ROOMS: Final = (
    Room("suggestions", "Suggestions", ""),
    Room("home", "Home", "home"),
    Room("alerts", "Alerts", "alerts"),
    Room("reports", "Reports", "reports"),
    Room("jobs", "Jobs", "jobs"),
)


async def show(
    request: web.Request,
    template: str,
    *,
    room: str,
    context: Mapping[str, Any],
    states: list[JobState] | None = None,
) -> web.Response:
    """Render a page in its frame. `room` is the one it belongs to."""
    parts = request.app[PARTS]
    alerts = request.app[ALERTS]
    visitor: Visitor = request[VISITOR]
    overview = overview_of(parts, states if states is not None else await all_states(parts))
    return aiohttp_jinja2.render_template(
        template,
        request,
        {
            "root": root_of(request),
            "rooms": ROOMS,
            "room": room,
            "waiting": {
                "suggestions": len(await offered_now(parts)),
                "alerts": await alerts.book.unread(alerts.home_id),
                "jobs": overview.attention,
            },
            "home": parts.home(),
            "zone": str(zone_of_page(parts)),
            "can_log_out": visitor.way is Way.SESSION,
            "refused": _refused(request, visitor),
            **context,
        },
    )


def overview_of(parts: WebParts, states: list[JobState]) -> Overview:
    """Say how all jobs stand together."""
    standings = [one for state in states for one in state.standings]
    hub = parts.neighbours.get("hub")
    return tell_overview(standings, hub, parts.clock.now(), zone_of_page(parts))


def _refused(request: web.Request, visitor: Visitor) -> str:
    """Return why the buttons would not work, "" if they would; the gate decides anyway."""
    try:
        request.app[DOORMAN].check_admin(visitor)
    except RefusedVisitorError as error:
        return str(error)
    return ""
