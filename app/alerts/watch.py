"""Watches a home: every five minutes for what is wrong, at once for smoke, gas, carbon monoxide and water."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from app.alerts.alert import Alert, AlertKind
from app.alerts.announcements import AlertChange, AlertChanged
from app.alerts.book import AlertBook, Settled
from app.alerts.detectors import DETECTORS, HAZARDS
from app.alerts.detectors.devices import Device, devices_of
from app.alerts.detectors.hazards import may_warn
from app.alerts.finding import Finding, Still
from app.alerts.keywords import Keywords
from app.alerts.past import Past
from app.alerts.recent import Recent
from app.alerts.sight import Sight, things_of
from app.alerts.telling import ORDER
from app.clock import Clock
from app.errors import NeighbourError, NightshiftError
from app.hub.now import Change, HomeNow, HubNotification, LiveState, LogEntry
from app.model import Home

_log = logging.getLogger(__name__)
_NOT_YET_OVER: Final = {
    AlertKind.SMOKE: timedelta(minutes=10),
    AlertKind.GAS: timedelta(minutes=10),
    AlertKind.CARBON_MONOXIDE: timedelta(minutes=10),
    AlertKind.WATER: timedelta(minutes=10),
    AlertKind.UNAVAILABLE: timedelta(minutes=5),
}
"""For how long it has to be well before it is over: such sensors flicker."""
_FORGOTTEN_AFTER: Final = timedelta(minutes=30)
"""So long an entity is gone from the hub before its alert is over."""
_DAYS_AT_ONCE: Final = 1
_ASK_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Looked:
    """What a pass came to; `away` when the hub was, and nothing was judged."""

    away: bool = False
    open: int = 0
    raised: int = 0
    closed: int = 0
    days_learned: int = 0


@dataclass(frozen=True, slots=True)
class _Said:
    """What the hub says of itself; None where it was not asked, or did not answer."""

    log: Sequence[LogEntry] | None = None
    notifications: Sequence[HubNotification] | None = None


class AlertWatch:
    """Finds what is wrong in one home and has it written down.

    Construct: `AlertWatch(home_id=HOME_ID, home=lambda: runtime.home, now=home_now, book=book,
    keywords=Keywords(store, clock), past=Past(store, archive, clock, HOME_ID), clock=clock)`;
    `start()` begins to listen, `await stop()` ends it; the job's work is `AlertDetection(watch).run`.
    """

    def __init__(
        self,
        *,
        home_id: str,
        home: Callable[[], Home | None],
        now: HomeNow,
        book: AlertBook,
        keywords: Keywords,
        past: Past,
        clock: Clock,
    ) -> None:
        self._home_id = home_id
        self._home = home
        self._now = now
        self._book = book
        self._keywords = keywords
        self._past = past
        self._clock = clock
        self._recent = Recent()
        self._looking = asyncio.Lock()
        self._danger = asyncio.Event()
        self._known: set[str] | None = None
        self._first: dict[str, datetime] = {}
        self._well: dict[str, datetime] = {}
        self._looked_at: datetime | None = None
        self._unavailable: float | None = None
        self._listening: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def looked_at(self) -> datetime | None:
        """When a whole pass last looked at the home (UTC), None before the first since the start."""
        return self._looked_at

    def share_unavailable(self) -> float | None:
        """Return the share (0 to 1) of the home's devices that were unavailable when last looked at.

        None when the hub was away then, or there are no devices.
        """
        return self._unavailable

    def start(self) -> None:
        """Begin to listen. What is on already is looked at, at once."""
        if self._task is not None:
            return
        self._listening = self._now.listen(self._hear)
        self._danger.set()
        self._task = asyncio.create_task(self._heed(), name="alerts: dangers")

    async def stop(self) -> None:
        """Stop listening; twice is fine."""
        if self._listening is not None:
            self._listening()
            self._listening = None
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def look(self) -> Looked:
        """Look at everything once. Raises StoreError."""
        home = self._home()
        learned = 0 if home is None else await self._past.learn(home, _DAYS_AT_ONCE)
        # Before the lock is taken: a danger does not wait for what the hub takes long to tell.
        said = _Said() if self._now.since is None else await self._said_by_hub()
        async with self._looking:
            standing = await self._book.open(self._home_id)
            if self._now.since is None:
                self._unavailable = None
                return Looked(away=True, open=len(standing), days_learned=learned)
            keywords = await self._keywords.of(self._home_id)
            sight = replace(await self._sight(self._now.states(), standing, said), keywords=keywords)
            # Thousands of entities take longer than others may be kept waiting.
            found, unjudged = await asyncio.to_thread(_found, sight)
            due = self._due(sight.now, found)
            over = self._over(sight, standing, {one.cause for one in found}, unjudged)
            devices = devices_of(sight)
            changes = await self._settle(Settled(due, over, _seen_well(sight, devices)))
            gone = sum(1 for one in devices if one.gone is not None)
            self._unavailable = gone / len(devices) if devices else None
            self._looked_at = sight.now
        kinds = [one.change for one in changes]
        raised = kinds.count(AlertChange.RAISED) + kinds.count(AlertChange.REOPENED)
        closed = kinds.count(AlertChange.CLOSED)
        return Looked(False, len(standing) + raised - closed, raised, closed, learned)

    async def look_for_dangers(self) -> None:
        """Look at what may not wait. It only raises: what is over is told by the pass. Raises StoreError."""
        async with self._looking:
            if self._now.since is None:
                return
            sensors = {
                one: live for one, live in self._now.states().items() if one.startswith("binary_sensor.")
            }
            sight = await self._sight(sensors, (), _Said())
            found = [one for one in HAZARDS(sight) if isinstance(one, Finding) and not one.after]
            for finding in found:
                self._well.pop(finding.cause, None)
            if found:
                await self._settle(Settled(sorted(found, key=_by_level)))

    def _hear(self, changes: Sequence[Change]) -> None:
        self._recent.hear(changes)
        if any(_may_be_danger(change) for change in changes):
            self._danger.set()

    async def _heed(self) -> None:
        while True:
            await self._danger.wait()
            self._danger.clear()
            try:
                await self.look_for_dangers()
            except NightshiftError as error:
                _log.warning("A danger could not be written down, and is tried again: %s", error)
                await self._clock.sleep(5)
                self._danger.set()
            except Exception:  # noqa: BLE001 - a task's edge: it must go on listening for smoke
                _log.exception("Looking for dangers failed; the next pass looks again")

    async def _sight(self, states: Mapping[str, LiveState], standing: Iterable[Alert], said: _Said) -> Sight:
        home = self._home() or Home(home_id=self._home_id)
        learned, known = await self._past.learned(), frozenset(await self._load_known())
        now = self._clock.now()
        return Sight(
            now=now,
            home=home,
            since=self._now.since or now,
            things=await asyncio.to_thread(things_of, home, dict(states), self._recent),
            learned=learned,
            recent=self._recent,
            standing=frozenset(one.cause for one in standing),
            known=known,
            log=said.log,
            notifications=said.notifications,
        )

    async def _said_by_hub(self) -> _Said:
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                return _Said(await self._now.log(), await self._now.notifications())
        except (NeighbourError, TimeoutError) as error:
            _log.info("The hub's log was not read this time: %s", str(error) or "no answer in time")
            return _Said()

    def _due(self, now: datetime, found: Iterable[Finding | Still]) -> list[Finding]:
        """Return what has lasted for long enough, the worst first."""
        findings = [one for one in found if isinstance(one, Finding)]
        self._first = {one.cause: self._first.get(one.cause, now) for one in findings}
        due = [one for one in findings if now - (one.since or self._first[one.cause]) >= one.after]
        return sorted(due, key=_by_level)

    def _over(
        self, sight: Sight, standing: Sequence[Alert], found: set[str], unjudged: frozenset[AlertKind]
    ) -> frozenset[str]:
        """Return which causes are over: judged, not found, and well for long enough."""
        well = {}
        for alert in standing:
            if alert.cause in found or alert.kind in unjudged:
                continue
            thing = sight.things.get(alert.entity_id)
            about_itself = alert.kind in {AlertKind.UNAVAILABLE, AlertKind.SILENT, AlertKind.KEYWORD}
            if thing is not None and not thing.usable and not about_itself:
                continue  # It cannot be heard: whether it is over is not known.
            well[alert.cause] = self._well.get(alert.cause, sight.now)
        self._well = well
        return frozenset(
            alert.cause
            for alert in standing
            if alert.cause in well and sight.now - well[alert.cause] >= _patience(alert, sight)
        )

    async def _settle(self, wanted: Settled) -> list[AlertChanged]:
        changes = await self._book.settle(self._home_id, wanted)
        if self._known is not None:
            self._known |= set(wanted.known)
        return changes

    async def _load_known(self) -> set[str]:
        if self._known is None:
            self._known = set(await self._book.known(self._home_id))
        return self._known


def _found(sight: Sight) -> tuple[list[Finding | Still], frozenset[AlertKind]]:
    """Ask every detector. One that fails is logged; what it would have said stays as it is."""
    found: list[Finding | Still] = []
    unjudged = set(sight.unjudged)
    for detector, kinds in DETECTORS:
        try:
            found += detector(sight)
        except Exception:  # noqa: BLE001 - the edge of one detector: the others still look
            _log.exception("The detector of %s failed", ", ".join(sorted(kinds)))
            unjudged |= kinds
    return found, frozenset(unjudged)


def _seen_well(sight: Sight, devices: Iterable[Device]) -> frozenset[str]:
    """Return what is seen well for the first time."""
    if not sight.settled:
        return frozenset()
    seen = {f"available:{one.key}" for one in devices if one.gone is None}
    seen |= {f"locked:{one.entity_id}" for one in sight.in_domain("lock") if one.state == "locked"}
    return frozenset(seen - sight.known)


def _patience(alert: Alert, sight: Sight) -> timedelta:
    patience = _NOT_YET_OVER.get(alert.kind, timedelta())
    if alert.entity_id and alert.entity_id not in sight.things:
        return max(patience, _FORGOTTEN_AFTER)
    return patience


def _may_be_danger(change: Change) -> bool:
    """Whether a change may be a danger's: cheap; the detector knows better."""
    after, before = change.after, change.before
    if after is None or not change.entity_id.startswith("binary_sensor."):
        return False
    if after.state != "on" or (before is not None and before.state == "on"):
        return False
    return may_warn(change.entity_id, after.attributes.get("device_class"))


def _by_level(finding: Finding) -> int:
    return ORDER.index(finding.level)
