"""A small world in which things happen one after another: states, who changed them, and what follows."""

import heapq
import random
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from astral import Observer
from astral.sun import sunrise, sunset

from app.clock import to_ms
from app.events import Event
from app.hub.invented.plan import Plan, Resident
from app.model import Cause, zone_of

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


class Origin(NamedTuple):
    """Who makes a change: as in `Event`."""

    cause: Cause
    context: int = 0
    actor: str = ""


NOBODY = Origin(Cause.UNKNOWN)
"""What a sensor reports: nobody's act."""


class Sky:
    """Sunrise and sunset (ms) at one place, by local day."""

    def __init__(self, plan: Plan) -> None:
        self.zone: ZoneInfo = zone_of(plan.zone)
        self._observer = Observer(plan.latitude, plan.longitude)
        self._known: dict[date, tuple[int, int]] = {}

    def rise_and_set(self, day: date) -> tuple[int, int]:
        found = self._known.get(day)
        if found is None:
            try:
                found = (
                    to_ms(sunrise(self._observer, day, tzinfo=self.zone)),
                    to_ms(sunset(self._observer, day, tzinfo=self.zone)),
                )
            except ValueError:  # near the poles the sun may stay up or down: then the lights follow the clock
                found = (self.local(day, time(7)), self.local(day, time(19)))
            self._known[day] = found
        return found

    def local(self, day: date, at: time) -> int:
        """Return that wall-clock time of that day in ms."""
        return to_ms(datetime.combine(day, at, self.zone))

    def hour(self, day: date, hours: float) -> int:
        """Return so many hours by the wall clock after midnight in ms; more than 24 are the next day's."""
        naive = datetime.combine(day, time(0)) + timedelta(hours=hours)
        return to_ms(naive.replace(tzinfo=self.zone))

    def day_of(self, at: int) -> date:
        return datetime.fromtimestamp(at / 1000, self.zone).date()

    def is_dark(self, at: int) -> bool:
        rise, down = self.rise_and_set(self.day_of(at))
        return not rise <= at < down


class World:
    """States of all entities at a moment that moves on, and the rows a hub would have recorded."""

    def __init__(self, plan: Plan, states: dict[str, str], groups: dict[str, tuple[str, ...]]) -> None:
        self.plan = plan
        self.sky = Sky(plan)
        self.states = states
        self.rows: list[Event] = []
        self.downtimes: list[tuple[int, int]] = []
        self.now = 0
        self.random = random.Random(plan.seed)  # noqa: S311 - an invented home, no secret
        self.home: set[str] = {resident.slug for resident in plan.residents}
        self.listeners: dict[str, list[Callable[[str], None]]] = {}
        self._groups = groups
        self._group_of = {member: group for group, members in groups.items() for member in members}
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._down = False

    def at(self, when: int, act: Callable[[], None]) -> None:
        """Let that happen at that moment (ms), or at once if it has passed."""
        self._count += 1
        heapq.heappush(self._queue, (max(when, self.now), self._count, act))

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        self.at(self.now + round(seconds * SECOND), act)

    def run(self, until: int) -> None:
        """Let everything happen that is due before `until`."""
        while self._queue and self._queue[0][0] < until:
            self.now, _, act = heapq.heappop(self._queue)
            act()
        self.now = until

    def when(self, entity_id: str, act: Callable[[str], None]) -> None:
        """Call `act` with the new state whenever that entity has changed."""
        self.listeners.setdefault(entity_id, []).append(act)

    def begin_day(self, day: date) -> None:
        """Each day has its own dice, so that a longer stretch begins as a shorter one does."""
        self.random.seed(f"{self.plan.seed} {day.isoformat()}")

    def somebody_home(self) -> bool:
        return bool(self.home)

    def context(self) -> int:
        return self.random.getrandbits(63) | 1

    def sense(self, entity_id: str, state: str) -> None:
        """A sensor reports."""
        self._set(entity_id, state, NOBODY)

    def by_hand(self, entity_id: str, state: str) -> None:
        """Somebody uses a wall switch, a remote or the device itself."""
        self._act(entity_id, state, Origin(Cause.HAND, self.context()))

    def by_app(self, entity_id: str, state: str, resident: Resident) -> None:
        """Somebody uses the app; who has no account uses the switch."""
        if not resident.user_id:
            self.by_hand(entity_id, state)
            return
        self._act(entity_id, state, Origin(Cause.PERSON, self.context(), resident.user_id))

    def by_machine(self, entity_id: str, state: str, actor: str, context: int | None = None) -> None:
        """An automation or another app acts; `actor` is its entity id or its account."""
        self._act(entity_id, state, Origin(Cause.MACHINE, context or self.context(), actor))

    def come_up(self) -> None:
        """The past begins: every state is recorded once."""
        for entity_id, state in self.states.items():
            self._record(entity_id, state, NOBODY)

    def restart(self, seconds: float) -> None:
        """The hub is away for so long; back again, it finds everything unavailable first."""
        self._down = True
        self.downtimes.append((self.now, self.now + round(seconds * SECOND)))
        self.after(seconds, self._come_back)

    def _come_back(self) -> None:
        self._down = False
        for entity_id in self.states:
            self.rows.append(Event(entity_id, "unavailable", self.now))
        for entity_id in self.states:
            self.after(5 + 40 * self.random.random(), partial(self._restore, entity_id))

    def _restore(self, entity_id: str) -> None:
        self.rows.append(Event(entity_id, self.states[entity_id], self.now))

    def drop_out(self, entity_id: str, seconds: float) -> None:
        """A device loses its connection for a while."""
        self._record(entity_id, "unavailable", NOBODY)
        self.after(seconds, lambda: self._record(entity_id, self.states[entity_id], NOBODY))

    def _act(self, entity_id: str, state: str, origin: Origin) -> None:
        members = self._groups.get(entity_id)
        if members is None:
            self._set(entity_id, state, origin)
            self._follow_members(entity_id, origin)
            return
        # A group passes the call on; its members report one by one, and the group once the first has.
        for place, member in enumerate(members):
            self.after(
                0.05 + 0.12 * place,
                partial(self._set, member, state, origin),
            )
        self.after(0.08, partial(self._set, entity_id, state, origin))

    def _follow_members(self, entity_id: str, origin: Origin) -> None:
        group = self._group_of.get(entity_id)
        if group is not None:
            lit = any(self.states[member] == "on" for member in self._groups[group])
            self._set(group, "on" if lit else "off", origin)

    def _set(self, entity_id: str, state: str, origin: Origin) -> None:
        if self.states.get(entity_id) == state:
            return
        self.states[entity_id] = state
        self._record(entity_id, state, origin)
        for act in self.listeners.get(entity_id, ()):
            act(state)

    def _record(self, entity_id: str, state: str, origin: Origin) -> None:
        if not self._down:
            self.rows.append(Event(entity_id, state, self.now, *origin))
