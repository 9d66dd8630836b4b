"""Habits of every kind that a night can find, drawn at random and always the same for the same seed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

import numpy as np

from app.habits.automation import automation_of, conditions_of
from app.habits.days import DAY_TYPES
from app.habits.habit import Bound, Conditions, Habit, Trigger, When
from app.habits.offers.adjusting import (
    MOST_DELAY,
    MOST_OFFSET,
    WEEKDAYS,
    Adjustments,
    adjust,
    kind_of,
    limit_of,
)
from app.habits.offers.checking import checked
from app.habits.offers.notify_first import asks_first
from app.habits.safety import NEVER, TABLE
from app.habits.targets import STATES, Target
from app.habits.triggers import HOME

T = TypeVar("T")
_NAMES: Final = ("lamp", "2nd_floor_lamp", "kettle_corner", "hall_3", "sofa", "x" * 60)
_STATES: Final = ("on", "off", "playing", "home", "Living room", "23", "näher", "it's on", 'the "old" one')
_OWN_OTHERS: Final = {"off": "on", "closed": "open", "on": "off", "open": "closed"}


@dataclass
class Lot:
    """Draws; `number` tells one from the other in names."""

    random: np.random.Generator
    number: int = 0
    acts: tuple[tuple[str, str], ...] = field(
        default=tuple(
            (domain, state)
            for domain, states in STATES.items()
            for state in states
            if any(
                row.domain == domain and state in row.states and row.verdict.risk != NEVER for row in TABLE
            )
        )
    )

    def one_of(self, these: tuple[T, ...] | list[T]) -> T:
        return these[int(self.random.integers(len(these)))]

    def whole(self, low: int, high: int) -> int:
        return int(self.random.integers(low, high + 1))

    def chance(self, share: float = 0.5) -> bool:
        return bool(self.random.random() < share)

    def figure(self) -> float:
        """A limit as people round it: whole, halves, tenths; also far below zero."""
        return float(
            self.one_of([self.whole(-40, 5000), self.whole(-80, 200) / 2, self.whole(-500, 2000) / 10])
        )

    def entity(self, *domains: str) -> str:
        self.number += 1
        return f"{self.one_of(domains)}.{self.one_of(_NAMES)}_{self.number}"

    def target(self, *but: str) -> Target:
        domain, state = self.one_of([one for one in self.acts if one[0] not in but])
        names = tuple(self.entity(domain) for _ in range(self.whole(1, 4)))
        none = np.empty(0, np.int64)
        return Target(names, state, none, none.astype(np.bool_), none, none, none)

    def bound(self) -> Bound:
        name = self.entity("sensor")
        return Bound(name, above=self.figure()) if self.chance() else Bound(name, below=self.figure())

    def conditions(self, *, after_a_state: bool) -> Conditions:
        """Any of them, all of them, none."""
        share = self.one_of((0.0, 0.3, 0.6, 1.0))

        def maybe(make: Callable[[], T]) -> T | None:
            return make() if self.chance(share) else None

        return Conditions(
            quiet=maybe(lambda: self.whole(1, 600)) if after_a_state else None,
            away=maybe(lambda: self.whole(1, 1440)),
            hours=maybe(lambda: (self.whole(0, 47) * 30, self.whole(0, 47) * 30)),
            day_type=maybe(lambda: self.one_of(tuple(DAY_TYPES))) or "daily",
            dark=maybe(self.chance),
            someone_home=maybe(self.chance),
            state=maybe(
                lambda: (self.entity("binary_sensor", "media_player", "person"), self.one_of(_STATES))
            ),
            number=maybe(self.bound),
        )

    def when(self, *anchors: str) -> When:
        anchor = self.one_of(anchors)
        minutes = self.whole(0, 1439) if anchor == "midnight" else self.whole(-240, 240)
        return When(anchor, minutes, self.one_of(tuple(DAY_TYPES)))

    def change(self) -> Trigger:
        """Something comes to a state, from another or from any."""
        before = self.one_of(_STATES) if self.chance() else None
        return Trigger(self.entity("binary_sensor", "light", "person", "event"), self.one_of(_STATES), before)


def _clock(lot: Lot) -> Habit:
    return _habit(lot, "clock", when=lot.when("midnight"))


def _sun(lot: Lot) -> Habit:
    return _habit(lot, "sun", when=lot.when("sunrise", "sunset"))


def _reaction(lot: Lot) -> Habit:
    return _habit(lot, "trigger", trigger=lot.change())


def _lasting(lot: Lot) -> Habit:
    return _habit(lot, "trigger", trigger=replace(lot.change(), delay=lot.whole(1, 7200), held=True))


def _waiting(lot: Lot) -> Habit:
    return _habit(lot, "trigger", trigger=replace(lot.change(), delay=lot.whole(1, 7200)))


def _crossing(lot: Lot) -> Habit:
    bound = lot.bound()
    state = "above" if bound.above is not None else "below"
    delay = lot.one_of((0, 0, 60, 600))
    trigger = Trigger(bound.entity_id, state, None, delay, lot.chance(), bound.above, bound.below)
    return _habit(lot, "trigger", trigger=trigger)


def _presence(lot: Lot) -> Habit:
    arrives, leaves = Trigger(HOME, "home", above=0), Trigger(HOME, "not_home", below=1)
    trigger = replace(lot.one_of((arrives, leaves)), delay=lot.one_of((0, 0, 300)), held=lot.chance())
    return _habit(lot, "trigger", trigger=trigger)


def _duration(lot: Lot) -> Habit:
    """Brought back once it has been otherwise for a while."""
    target = lot.target("climate", "vacuum", "lock")
    before = _OWN_OTHERS.get(target.state, "off")
    trigger = Trigger(target.anchor, before, target.state, lot.whole(1, 240) * 60, held=True)
    return Habit("trigger", target, trigger=trigger, conditions=lot.conditions(after_a_state=True))


def _routine(lot: Lot) -> Habit:
    leader = lot.one_of((_clock, _sun, _reaction, _presence))(lot)
    steps = tuple(Habit(leader.kind, lot.target()) for _ in range(lot.whole(2, 5)))
    return replace(leader, steps=steps)


def _habit(lot: Lot, kind: str, when: When | None = None, trigger: Trigger | None = None) -> Habit:
    after_a_state = trigger is not None and trigger.above is None and trigger.below is None
    return Habit(
        kind, lot.target(), when=when, trigger=trigger, conditions=lot.conditions(after_a_state=after_a_state)
    )


MADE: Final[dict[str, Callable[[Lot], Habit]]] = {
    "at a time": _clock,
    "by the sun": _sun,
    "when something changes": _reaction,
    "when something lasts": _lasting,
    "a while after something": _waiting,
    "when a number crosses a limit": _crossing,
    "when people come or go": _presence,
    "after it has been on": _duration,
    "a routine": _routine,
}
"""The kinds of habits, by how people would call them."""


def as_found(lot: Lot, kind: str) -> dict[str, Any]:
    """Return the automation of a habit, in its first shape."""
    lot.number += 1
    return checked(automation_of(MADE[kind](lot), f"{kind}, number {lot.number}"))


def edited(lot: Lot, automation: dict[str, Any]) -> dict[str, Any]:
    """Return it as somebody may change it on the page, all that its trigger lets them at once."""
    trigger, conditions = automation["triggers"][0], automation["conditions"]
    kind = kind_of(automation)
    given: dict[str, Any] = {"alias": f"changed {lot.number}"}
    if kind == "time":
        given["at"] = f"{lot.whole(0, 23):02d}:{lot.whole(0, 59):02d}"
    if kind == "sun":
        given["offset_minutes"] = lot.whole(-MOST_OFFSET, MOST_OFFSET)
    if kind in {"state", "numeric_state"}:
        given["delay_minutes"] = lot.one_of((0, 1, lot.whole(0, MOST_DELAY), MOST_DELAY))
    if limit_of(trigger):
        given["limit"] = lot.figure()
    numbers = [i for i, one in enumerate(conditions) if limit_of(one)]
    given["limits"] = [{"condition": i, "limit": lot.figure()} for i in numbers]
    others = [i for i, one in enumerate(conditions) if one["condition"] != "time"]
    given["drop"] = [i for i in others if lot.chance(0.3)]
    given["days"] = [day for day in WEEKDAYS if lot.chance()] or ["sun"]
    if lot.chance(0.3):
        given["any_hour"] = True
    else:
        hour = lot.whole(0, 23)
        given["hours"] = {"after": f"{hour:02d}:30", "before": f"{(hour + lot.whole(1, 23)) % 24:02d}:30"}
    return checked(adjust(automation, Adjustments.of(given)))


def narrowed(lot: Lot, automation: dict[str, Any]) -> dict[str, Any]:
    """Return it with one more condition, as a verdict proposes it."""
    more = conditions_of(replace(lot.conditions(after_a_state=False), away=None))[:1]
    return checked({**automation, "conditions": [*automation["conditions"], *more]})


def asking(lot: Lot, automation: dict[str, Any]) -> dict[str, Any]:
    """Return it as one that asks on the phones first."""
    phones = [f"notify.mobile_app_{name}" for name in ("ana", "pixel_7", "bens_iphone")]
    return asks_first(automation, f"nightshift_{lot.number}", phones[: lot.whole(1, 3)])


def switched_off(_lot: Lot, automation: dict[str, Any]) -> dict[str, Any]:
    """Return it as it is first put when it is made switched off."""
    return {**automation, "initial_state": False}


def every_way(lot: Lot, kind: str) -> Iterator[dict[str, Any]]:
    """Yield one habit's automation in every shape that people can make it in."""
    found = as_found(lot, kind)
    for shape in (found, edited(lot, found), narrowed(lot, found)):
        yield shape
        yield asking(lot, shape)
        yield switched_off(lot, shape)
