"""The demo's weeks before: alerts that came and went, and the scores of the mornings since.

The alerts are invented, like everything in that home, and the same each time; the scores are worked out from
them and from the home's own figures as every morning's are.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from app.alerts.alert import AlertKind, Level
from app.alerts.book import AlertBook, Settled
from app.alerts.figures import ABOUT
from app.alerts.finding import Finding
from app.alerts.telling import TellingRules
from app.bus import Bus
from app.clock import Clock, TurnedClock
from app.figures import Figure, FigureAbout
from app.hub.now import HomeNow
from app.insights.assessing import Assessor
from app.insights.insight import Insight
from app.insights.insights import Insights
from app.insights.readings import Readings
from app.insights.scorecards import Scorecards, parsed
from app.model import Home
from app.statistics.book import Book
from app.statistics.figures import StatsFigures
from app.statistics.queries import StatsQueries
from app.store.database import Store

_MORNINGS: Final = 29
_SIX: Final = time(6)
_NIGHT: Final = timedelta(hours=8)


@dataclass(frozen=True, slots=True)
class _Episode:
    """An alert that came so many days ago at an hour of the day, and lasted for so many hours."""

    days: int
    hour: int
    hours: float
    finding: Finding

    def began(self, now: datetime) -> datetime:
        local = now - timedelta(days=self.days)
        return local.replace(hour=self.hour, minute=12, second=0, microsecond=0)

    def lasts_at(self, at: datetime, now: datetime) -> bool:
        began = self.began(now)
        return began <= at < began + timedelta(hours=self.hours)


def _found(kind: AlertKind, level: Level, title: str, said: str, entity: str, place: str) -> Finding:
    cause = f"{kind}:invented:{entity}"
    area = place.lower().replace(" ", "_")
    return Finding(
        cause=cause, kind=kind, level=level, title=title, description=said, entity_id=entity, area_id=area,
        place=place,
    )  # fmt: skip


_TERRACE: Final = _found(
    AlertKind.LEFT_OPEN, Level.MEDIUM, "Terrace door (Living room) was left open",
    "It usually stands open for less.", "binary_sensor.terrace_door", "Living room",
)  # fmt: skip
_WINDOW: Final = _found(
    AlertKind.OPEN_AT_NIGHT, Level.HIGH, "Bathroom window was open at night", "It is on the ground floor.",
    "binary_sensor.bathroom_window", "Bathroom",
)  # fmt: skip
_BATTERY: Final = _found(
    AlertKind.LOW_BATTERY, Level.LOW, "Low battery: Kitchen motion", "15 % or less is left.",
    "sensor.kitchen_motion_battery", "Kitchen",
)  # fmt: skip
_AWAY: Final = _found(
    AlertKind.UNAVAILABLE, Level.MEDIUM, "Study motion is unavailable", "It has not answered for an hour.",
    "binary_sensor.study_motion", "Study",
)  # fmt: skip
_WATER: Final = _found(
    AlertKind.WATER, Level.CRITICAL, "Water: Washing machine leak sensor", "It says wet. Look at once.",
    "binary_sensor.washing_machine_leak", "Kitchen",
)  # fmt: skip
_LOG: Final = _found(
    AlertKind.KEYWORD, Level.MEDIUM, "In the log of Home Assistant: undervoltage",
    "The power supply may be too weak.", "", "",
)  # fmt: skip
_PAST: Final = tuple(
    _Episode(*one)
    for one in (
        (78, 13, 5, _TERRACE), (71, 2, 60, _AWAY), (66, 23, 7, _WINDOW), (58, 9, 50, _BATTERY),
        (57, 16, 3, _TERRACE), (49, 4, 2, _LOG), (44, 11, 2, _WATER), (41, 15, 4, _TERRACE),
        (36, 23, 8, _WINDOW), (27, 3, 80, _AWAY), (25, 23, 7, _WINDOW), (22, 14, 4, _TERRACE),
        (18, 8, 130, _BATTERY), (16, 19, 0.5, _WATER), (12, 22, 9, _WINDOW), (9, 15, 3, _TERRACE),
        (6, 1, 30, _AWAY), (5, 4, 2, _LOG), (3, 16, 4, _TERRACE),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DemoPast:
    """What the weeks before are written with."""

    store: Store
    clock: Clock
    home: Callable[[], Home | None]
    now: HomeNow
    scorecards: Scorecards
    insights: Insights

    async def invent(self, home_id: str) -> None:
        """Write the alerts and the scores of the weeks before; nothing of it is announced."""
        if (home := self.home()) is None:
            return
        now = self.clock.now().astimezone(home.zone)
        await self._alerts(home_id, now, home)
        await self._scores(home_id, now, home)

    async def _alerts(self, home_id: str, now: datetime, home: Home) -> None:
        steps = [(one.began(now), one, True) for one in _PAST]
        steps += [(one.began(now) + timedelta(hours=one.hours), one, False) for one in _PAST]
        rules = TellingRules(quiet=None, an_hour=0)
        for at, one, begins in sorted(steps, key=lambda step: step[0]):
            book = AlertBook(self.store, Bus(), TurnedClock(at), rules, zone=lambda: home.zone)
            if begins:
                await book.settle(home_id, Settled(due=[one.finding]))
            else:
                await book.settle(home_id, Settled(over=frozenset({one.finding.cause})))

    async def _scores(self, home_id: str, now: datetime, home: Home) -> None:
        for kept in await self.scorecards.active(home_id):
            card, mark = await parsed(kept), hashlib.sha256(kept.text.encode()).hexdigest()[:16]
            before: list[Insight] = []
            for ago in range(_MORNINGS, 0, -1):
                day = now.date() - timedelta(days=ago)
                clock = TurnedClock(datetime.combine(day, _SIX, home.zone))
                stats = StatsFigures(StatsQueries(Book(self.store), clock, self.home), clock, self.home)
                readings = Readings(self.now, (stats, _AlertsThen(clock, now, home)), clock)
                insight = await Assessor(readings, clock).assess(home_id, home.zone, card, before)
                before = [await self.insights.keep(insight, mark, ()), *before[:6]]


class _AlertsThen:
    """The alerts' figures as they were at a moment of the weeks before: implements Figures."""

    def __init__(self, clock: Clock, now: datetime, home: Home) -> None:
        at = clock.now()
        standing = [one.finding for one in _PAST if one.lasts_at(at, now)]
        night = [
            one.finding for one in _PAST if at - _NIGHT <= one.began(now) + _NIGHT and one.began(now) < at
        ]
        self._at = at
        self._values = {
            "alerts_open_critical": _count(standing, level=Level.CRITICAL),
            "alerts_open_high": _count(standing, level=Level.HIGH),
            "doors_open_last_night": _count(night, kind=AlertKind.OPEN_AT_NIGHT),
            "batteries_low": _count(standing, kind=AlertKind.LOW_BATTERY),
            "devices_unavailable_share": round(
                100 * _count(standing, kind=AlertKind.UNAVAILABLE) / max(1, len(home.devices)), 1
            ),
        }

    @property
    def about(self) -> Mapping[str, FigureAbout]:
        return {name: ABOUT[name] for name in self._values}

    async def figure(self, _home_id: str, name: str) -> Figure:
        unit = "%" if name.endswith("_share") else ""
        return Figure(float(self._values[name]), unit, self._at)


def _count(found: Sequence[Finding], kind: AlertKind | None = None, level: Level | None = None) -> int:
    return sum(kind in {None, one.kind} and level in {None, one.level} for one in found)
