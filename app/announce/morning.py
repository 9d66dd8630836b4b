"""Tells the home over MQTT of its morning: scores, alerts, reports, what its areas are like."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from app.alerts.alert import Alert
from app.alerts.announcements import AlertChanged
from app.alerts.book import AlertBook
from app.announce.alert_news import alert_message, coach_message
from app.announce.discovery import DeviceFacts, device_payload
from app.announce.morning_state import (
    MorningPlan,
    MorningStanding,
    Scored,
    areas_message,
    morning_message,
    plan_of,
)
from app.announce.topics import Topics
from app.bus import Bus
from app.clock import Clock
from app.insights.announcements import CoachAlert, InsightReady
from app.insights.insights import Insights
from app.insights.scorecards import Scorecards
from app.model import Home
from app.reports.announcements import ReportReady
from app.reports.reports import Reports
from app.statistics.announcements import StatsChanged
from app.statistics.queries import StatsQueries
from app.statistics.stats import PlaceStats

_log = logging.getLogger(__name__)
_SETTLES: Final = 10.0
"""Seconds: Home Assistant drops what comes while it works on the message before (its `discovery.py`)."""
_LARGEST: Final = 200_000
_MOST_GONE: Final = 400
_LONGEST_KEY: Final = 100
_PLATFORMS: Final = frozenset({"sensor", "binary_sensor", "event", "button", "switch"})


class Publish(Protocol):
    """Who carries a message (`connection.MqttConnection.publish`)."""

    def __call__(self, topic: str, payload: str, *, retain: bool) -> None:
        """Hand it over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MorningSources:
    """What is told of. `home` gives the home as last known, None before the hub was ever reached."""

    home_id: str
    home: Callable[[], Home | None]
    insights: Insights
    scorecards: Scorecards
    alerts: AlertBook
    reports: Reports
    stats: StatsQueries

    async def standing(self, places: Sequence[PlaceStats] | None = None) -> MorningStanding:
        """Read how things stand; `places` are their figures, where they are known. Raises StoreError."""
        scored = [
            Scored(
                insight,
                await self.insights.trend(self.home_id, card.name),
                await self.insights.previous(insight),
            )
            for card in await self.scorecards.active(self.home_id)
            if (insight := await self.insights.latest(self.home_id, card.name)) is not None
        ]
        alerts: Sequence[Alert] = await self.alerts.open(self.home_id)
        return MorningStanding(
            scored=scored,
            alerts=alerts,
            report=await self.reports.latest(self.home_id),
            places=await self.stats.latest(self.home_id) if places is None else places,
            home=self.home(),
        )


class MorningTeller:
    """The morning's part of the device: its two states, its events, and the discovery message of all.

    `hear` takes the discovery message that the broker kept from before: what is not there any more, such as
    an area that was removed, is taken out of Home Assistant.
    """

    def __init__(
        self,
        sources: MorningSources,
        bus: Bus,
        clock: Clock,
        topics: Topics,
        facts: DeviceFacts,
        publish: Publish,
    ) -> None:
        self._sources = sources
        self._bus = bus
        self._clock = clock
        self._topics = topics
        self._facts = facts
        self._publish = publish
        self._stale = asyncio.Event()
        self._places: Sequence[PlaceStats] | None = None
        self._plan: MorningPlan | None = None
        self._known: dict[str, str] = {}
        self._described = ""
        self._described_at: float | None = None
        self._unsubscribe: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._unsubscribe = [
            self._bus.subscribe(AlertChanged, self._on_alert),
            self._bus.subscribe(CoachAlert, self._on_coach),
            self._bus.subscribe(StatsChanged, self._on_stats),
            self._bus.subscribe(InsightReady, self._on_news),
            self._bus.subscribe(ReportReady, self._on_news),
        ]
        self._stale.set()
        self._task = asyncio.create_task(self._keep_true(), name="mqtt: the morning")

    async def stop(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def hear(self, payload: bytes) -> None:
        """Take the discovery message of an earlier start, as anyone on the broker may have written it."""
        if len(payload) > _LARGEST:
            return
        try:
            said = json.loads(payload)
        except (ValueError, RecursionError):
            return
        parts = said.get("components") if isinstance(said, dict) else None
        if not isinstance(parts, dict):
            return
        before = len(self._known)
        for key, part in parts.items():
            if isinstance(part, dict) and len(part) > 1 and len(self._known) < _MOST_GONE:
                self._remember({key: part.get("platform")})
        if len(self._known) > before:
            self._stale.set()

    def _on_alert(self, changed: AlertChanged) -> None:
        self._publish(self._topics.alert, alert_message(changed), retain=False)
        self._stale.set()

    def _on_coach(self, alert: CoachAlert) -> None:
        self._publish(self._topics.coach_alert, coach_message(alert), retain=False)

    def _on_stats(self, changed: StatsChanged) -> None:
        self._places = changed.places
        self._stale.set()

    def _on_news(self, _news: InsightReady | ReportReady) -> None:
        self._stale.set()

    async def _keep_true(self) -> None:
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                await self._tell()
            except Exception:  # noqa: BLE001 - the edge: MQTT never takes the rest down
                _log.exception("MQTT: could not tell of the morning; the next change tries again")
                if self._plan is None:
                    await self._describe(MorningPlan())

    async def _tell(self) -> None:
        standing = await self._sources.standing(self._places)
        plan = plan_of(standing)
        self._publish(self._topics.morning, morning_message(standing, plan), retain=True)
        self._publish(self._topics.areas, areas_message(standing, plan), retain=True)
        await self._describe(plan)

    async def _describe(self, plan: MorningPlan) -> None:
        """Say which entities there are, if that is news."""
        message = json.dumps(device_payload(self._topics, self._facts, plan, self._known))
        if message == self._described:
            return
        if self._described_at is not None:
            rest = _SETTLES - (self._clock.monotonic() - self._described_at)
            if rest > 0:
                await self._clock.sleep(rest)
                self._stale.set()  # what changed meanwhile is read anew, and described then
                return
        parts = device_payload(self._topics, self._facts, plan)["components"]
        self._remember({key: part["platform"] for key, part in parts.items()})
        self._plan = plan
        self._described, self._described_at = message, self._clock.monotonic()
        self._publish(self._topics.discovery, message, retain=True)

    def _remember(self, platforms: Mapping[str, object]) -> None:
        for key, platform in platforms.items():
            if isinstance(platform, str) and platform in _PLATFORMS and len(key) <= _LONGEST_KEY:
                self._known[key] = platform
