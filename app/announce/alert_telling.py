"""Notifies people of alerts, on their phones and in the hub's side bar, and takes it back when it is over."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from app.alerts.alert import Alert, Level
from app.alerts.announcements import AlertChange, AlertChanged
from app.announce.alert_notice import coached, in_side_bar, notification_id, off_phone, on_phone
from app.announce.notification import Notification
from app.announce.phones import Phones
from app.bus import Bus
from app.clock import Clock
from app.errors import NeighbourError
from app.hub.errors import NoReplyError
from app.hub.now import HubNotification
from app.insights.announcements import CoachAlert
from app.model import Home
from app.neighbours import NeighbourChanged, NeighbourState

_log = logging.getLogger(__name__)
_WAITS: Final = (5.0, 30.0, 120.0, 600.0)
"""Seconds before another try, where the hub could not be asked."""
_MOST_AT_ONCE: Final = 200
_GOODBYE_SECONDS: Final = 2.0
_REMEMBERED: Final = 1000
_OVER: Final = frozenset({AlertChange.CLOSED, AlertChange.ACKNOWLEDGED})


class SideBar(Protocol):
    """The hub's side bar (`hub.side_bar.PersistentNotifications`)."""

    async def create(self, notification_id: str, title: str, message: str) -> None:
        """Let a notification stand."""

    async def dismiss(self, notification_id: str) -> None:
        """Take it away."""


@dataclass(slots=True)
class _Case:
    """What is known of an alert people were told of; one thing is done about it at a time."""

    alert: Alert
    over: asyncio.Event = field(default_factory=asyncio.Event)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0


class AlertTelling:
    """Listens to the bus: `AlertTelling(bus=…, clock=…, phones=…, standing=now.notifications, …)`.

    Whether and when people are told is decided before (`AlertChanged.tell`). `standing` gives what stands in
    the side bar, `lasting` the open alerts; `quiet` says whether these are quiet hours; `page` gives the path
    of our page in the hub.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        clock: Clock,
        phones: Phones,
        side_bar: SideBar,
        standing: Callable[[], Awaitable[Sequence[HubNotification]]],
        lasting: Callable[[], Awaitable[Sequence[Alert]]],
        home: Callable[[], Home | None],
        quiet: Callable[[], bool],
        page: Callable[[], str],
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._phones = phones
        self._side_bar = side_bar
        self._standing = standing
        self._lasting = lasting
        self._home = home
        self._quiet = quiet
        self._page = page
        self._began = clock.now()
        self._told: dict[str, None] = {}
        self._cases: dict[str, _Case] = {}
        self._looking = asyncio.Lock()
        self._over_meanwhile: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsubscribe: list[Callable[[], None]] = []

    def start(self) -> None:
        self._unsubscribe = [
            self._bus.subscribe(AlertChanged, self._on_alert),
            self._bus.subscribe(CoachAlert, self._on_coach),
            self._bus.subscribe(NeighbourChanged, self._on_neighbour),
        ]
        self._begin(self._show_what_lasts())

    async def stop(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        tasks = set(self._tasks)
        if tasks:
            # What was noted as told is on its way.
            await asyncio.wait(tasks, timeout=_GOODBYE_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _on_alert(self, changed: AlertChanged) -> None:
        alert = changed.alert
        if changed.change in _OVER:
            if self._looking.locked():
                self._over_meanwhile.add(alert.alert_id)
            # Of what was noticed before the start it is not known whether people were told.
            if alert.alert_id in self._told or alert.detected_at < self._began:
                self._about(alert, self._take_back, over=True)
        elif changed.tell:
            self._begin_to_tell(alert)
        elif changed.change is AlertChange.UPDATED:
            self._about(alert, self._reword)

    def _on_coach(self, alert: CoachAlert) -> None:
        self._begin(self._coach(alert))

    def _on_neighbour(self, changed: NeighbourChanged) -> None:
        if changed.neighbour.name == "hub" and changed.neighbour.state is NeighbourState.OK:
            self._begin(self._show_what_lasts())

    def _begin_to_tell(self, alert: Alert) -> None:
        self._told[alert.alert_id] = None
        if len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]
        self._about(alert, self._tell)

    def _about(
        self, alert: Alert, work: Callable[[_Case], Coroutine[Any, Any, None]], *, over: bool = False
    ) -> None:
        """Do this about an alert, after what is being done about it."""
        case = self._cases.setdefault(alert.alert_id, _Case(alert))
        case.alert = alert
        case.waiting += 1
        if over:
            case.over.set()
        elif case.over.is_set():
            # It came back: what waited for its end is done, and it may be told again.
            case.over.clear()
        if not self._begin(self._in_turn(case, work)):
            self._done_with(case)

    def _begin(self, work: Coroutine[Any, Any, None]) -> bool:
        if len(self._tasks) >= _MOST_AT_ONCE:
            work.close()
            _log.warning("Too many notifications at once; one was left out")
            return False
        task = asyncio.create_task(work, name="notifying of an alert")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _in_turn(self, case: _Case, work: Callable[[_Case], Coroutine[Any, Any, None]]) -> None:
        try:
            async with case.turn:
                await work(case)
        except Exception:  # noqa: BLE001 - a task's edge: it would end unheard
            _log.exception("Could not notify of the alert %r", case.alert.title)
        finally:
            self._done_with(case)

    def _done_with(self, case: _Case) -> None:
        case.waiting -= 1
        if not case.waiting:
            self._cases.pop(case.alert.alert_id, None)

    async def _show_what_lasts(self) -> None:
        """Show again what is critical, lasts, and is no longer shown.

        The hub keeps its side bar in memory, and a process that was killed may not have come to telling it.
        """
        try:
            await self._until_done(self._show_again, asyncio.Event())
        except Exception:  # noqa: BLE001 - a task's edge: it would end unheard
            _log.exception("Could not show again what lasts")

    async def _show_again(self) -> None:
        async with self._looking:
            self._over_meanwhile.clear()
            urgent = [
                one
                for one in await self._lasting()
                if one.level is Level.CRITICAL and one.acknowledged_at is None
            ]
            shown = {one.notification_id for one in await self._standing()} if urgent else set()
            for alert in urgent:
                # What ended while this was read is being taken back: shown now, it would stand for ever.
                if notification_id(alert) in shown or alert.alert_id in self._over_meanwhile:
                    continue
                if alert.alert_id in self._told:
                    self._about(alert, self._put_back)
                else:
                    self._begin_to_tell(alert)

    async def _put_back(self, case: _Case) -> None:
        await self._until_done(lambda: self._show(case.alert), case.over)

    async def _tell(self, case: _Case) -> None:
        """Show it in the side bar and on the phones; what fails is tried again until it is over."""
        reached: set[str] = set()
        await asyncio.gather(
            self._until_done(lambda: self._show(case.alert), case.over),
            self._until_done(lambda: self._to_phones(on_phone(case.alert, self._page()), reached), case.over),
        )

    async def _reword(self, case: _Case) -> None:
        """Show how it is now, where its notification still stands in the side bar."""
        name = notification_id(case.alert)
        try:
            if any(one.notification_id == name for one in await self._standing()):
                await self._show(case.alert)
        except NeighbourError as error:
            _log.info("The notification of %r keeps its old words: %s", case.alert.title, error)

    async def _take_back(self, case: _Case) -> None:
        """Take it out of the side bar and off the phones."""
        never, reached = asyncio.Event(), set[str]()
        await asyncio.gather(
            self._until_done(lambda: self._side_bar.dismiss(notification_id(case.alert)), never),
            self._until_done(lambda: self._to_phones(off_phone(case.alert), reached), never),
        )

    async def _coach(self, alert: CoachAlert) -> None:
        reached: set[str] = set()
        shown = coached(alert, self._page(), quiet=self._quiet())
        try:
            await self._until_done(lambda: self._to_phones(shown, reached), asyncio.Event())
        except Exception:  # noqa: BLE001 - a task's edge: it would end unheard
            _log.exception("Could not notify of the recommendation %r", alert.title)

    async def _show(self, alert: Alert) -> None:
        title, message = in_side_bar(alert, self._page())
        await self._side_bar.create(notification_id(alert), title, message)

    async def _to_phones(self, shown: Notification, reached: set[str]) -> None:
        """Notify every phone that was not reached yet. Raises NeighbourError when one could not be."""
        phones = [one for one in await self._phones.chosen(self._home()) if one not in reached]
        results = await asyncio.gather(
            *(self._phones.send(one, shown) for one in phones), return_exceptions=True
        )
        failed: BaseException | None = None
        for phone, result in zip(phones, results, strict=True):
            # Where no answer came it may have arrived: nobody is told twice.
            if result is None or isinstance(result, NoReplyError):
                reached.add(phone)
            else:
                failed = result
        if failed is not None:
            raise failed

    async def _until_done(self, work: Callable[[], Awaitable[None]], over: asyncio.Event) -> None:
        """Do it; where the hub could not be asked, again after a while, until `over`."""
        for wait in (*_WAITS, None):
            try:
                await work()
            except NeighbourError as error:
                if wait is None:
                    _log.warning("A notification did not go out: %s", error)
                    return
                _log.info("A notification did not go out yet: %s", error)
                if await self._first(over, wait):
                    return
            else:
                return

    async def _first(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait for the event, so long at most; return whether it came."""
        tasks = {
            asyncio.ensure_future(event.wait()),
            asyncio.ensure_future(self._clock.sleep(seconds)),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return event.is_set()
