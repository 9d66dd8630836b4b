"""The alerts' own figures, for scorecards and reports: read from what is stored and what is now."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from app.alerts.alert import AlertKind, Level
from app.alerts.book import AlertBook
from app.alerts.surroundings import NIGHT_FROM, NIGHT_UNTIL
from app.alerts.watch import AlertWatch
from app.clock import Clock
from app.figures import Figure, FigureAbout
from app.model import Home

_LOOKS: Final = "Nothing is to be done: the alerts look every five minutes while Home Assistant is there."
ABOUT: Final = {
    "alerts_open": FigureAbout("open alerts", needs=_LOOKS),
    "alerts_open_critical": FigureAbout("open alerts of level critical", needs=_LOOKS),
    "alerts_open_high": FigureAbout("open alerts of level high", needs=_LOOKS),
    "alerts_open_medium": FigureAbout("open alerts of level medium", needs=_LOOKS),
    "alerts_last_7_days": FigureAbout("alerts noticed in the last seven days"),
    "alerts_critical_last_7_days": FigureAbout("critical alerts noticed in the last seven days"),
    "batteries_low": FigureAbout("devices with a low battery", needs=_LOOKS),
    "devices_unavailable_share": FigureAbout(
        "devices that are unavailable",
        "%",
        "share of the home's devices that are unavailable, of those that should always be there",
        _LOOKS,
    ),
    "devices_silent": FigureAbout("devices that went silent", needs=_LOOKS),
    "doors_open_last_night": FigureAbout(
        "doors and locks found open last night",
        what="doors and locks that an alert found open in the last finished night, 23:00 to 06:00",
        needs="It is known once Home Assistant was reached: its settings have the time zone.",
    ),
}
_LEVELS: Final = {
    "alerts_open_critical": Level.CRITICAL,
    "alerts_open_high": Level.HIGH,
    "alerts_open_medium": Level.MEDIUM,
}
_KINDS: Final = {"batteries_low": AlertKind.LOW_BATTERY, "devices_silent": AlertKind.SILENT}
_AT_NIGHT: Final = frozenset({
    AlertKind.OPEN_AT_NIGHT, AlertKind.UNLOCKED_AT_NIGHT, AlertKind.OPEN_NOBODY_HOME,
    AlertKind.UNLOCKED_NOBODY_HOME,
})  # fmt: skip
_WEEK: Final = timedelta(days=7)
_NOT_LOOKED: Final = "No pass of the alerts has looked at the home since the start."
_AWAY: Final = "Home Assistant is away."


class AlertFigures:
    """Construct: `AlertFigures(book, watch, home=lambda: runtime.home, clock=clock)`."""

    def __init__(
        self, book: AlertBook, watch: AlertWatch, home: Callable[[], Home | None], clock: Clock
    ) -> None:
        self._book = book
        self._watch = watch
        self._home = home
        self._clock = clock

    @property
    def about(self) -> Mapping[str, FigureAbout]:
        return ABOUT

    async def figure(self, home_id: str, name: str) -> Figure:
        """Return one of them. Raises KeyError for a name that is none of them, StoreError.

        Before the first pass since the start nothing is known to be well: what is open now is then missing.
        """
        if name not in ABOUT:
            raise KeyError(name)
        now = self._clock.now()
        if name.endswith("last_7_days"):
            levels = (Level.CRITICAL,) if "critical" in name else ()
            found = await self._book.listed(home_id, levels=levels, since=now - _WEEK, limit=10_000)
            return Figure(float(len(found)), "", now)
        if name == "doors_open_last_night":
            return await self._last_night(home_id, now)
        looked_at = self._watch.looked_at
        if looked_at is None:
            return Figure(None, ABOUT[name].unit, now, _NOT_LOOKED)
        if name == "devices_unavailable_share":
            share = self._watch.share_unavailable()
            if share is None:
                return Figure(None, "%", now, f"{_AWAY} Or it has no device that can be looked at.")
            return Figure(round(share * 100, 1), "%", now)
        opened = await self._book.open(home_id)
        if (level := _LEVELS.get(name)) is not None:
            opened = [one for one in opened if one.level is level]
        elif (kind := _KINDS.get(name)) is not None:
            opened = [one for one in opened if one.kind is kind]
        return Figure(float(len(opened)), "", looked_at)

    async def _last_night(self, home_id: str, now: datetime) -> Figure:
        home = self._home()
        if home is None or not home.knows_zone:
            return Figure(None, "", now, "The home's time zone is not known yet.")
        start, end = last_night(now, home)
        found = await self._book.during(home_id, start, end)
        things = {one.cause for one in found if one.kind in _AT_NIGHT}
        return Figure(float(len(things)), "", end)


def last_night(now: datetime, home: Home) -> tuple[datetime, datetime]:
    """Return when the last finished night began and ended (UTC): 23:00 to 06:00 where the home is."""
    local = now.astimezone(home.zone)
    day = local.date() if local.time() >= NIGHT_UNTIL else local.date() - timedelta(days=1)
    end = datetime.combine(day, NIGHT_UNTIL, home.zone)
    start = datetime.combine(day - timedelta(days=1), NIGHT_FROM, home.zone)
    return start.astimezone(now.tzinfo), end.astimezone(now.tzinfo)
