"""What a habit is, before it becomes a suggestion: plain facts with no words and no wiring."""

from dataclasses import dataclass, field

import numpy as np

from app.events import Int64
from app.habits.replay import Played
from app.habits.targets import Target

CLOCK, SUN, TRIGGER = "clock", "sun", "trigger"
PRESENCE = ("person.", "zone.", "device_tracker.")


@dataclass(frozen=True, slots=True)
class When:
    """The moment of a clock or sun habit.

    `anchor` is `midnight`, `sunrise` or `sunset`; `minutes` are local minutes after it (negative: before),
    rounded as people round; `day_type` a key of `DAY_TYPES`.
    """

    anchor: str
    minutes: int
    day_type: str


@dataclass(frozen=True, slots=True)
class Bound:
    """A number's limit: above `above`, or below `below`; the other is None."""

    entity_id: str
    above: float | None = None
    below: float | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """What else has to hold. Minutes; None where it doesn't matter.

    `quiet`: how long the trigger had been in its state before; `away`: how long the target had not been as
    wanted; `hours` local minutes of the day from, to (may run across midnight); `dark`: the sun is down
    (True) or up (False); `someone_home`: somebody is (True), nobody is (False); `state`: another entity and
    the state it is in; `number`: another entity's limit.
    """

    quiet: int | None = None
    away: int | None = None
    hours: tuple[int, int] | None = None
    day_type: str = "daily"
    dark: bool | None = None
    someone_home: bool | None = None
    state: tuple[str, str] | None = None
    number: Bound | None = None


@dataclass(frozen=True, slots=True)
class Trigger:
    """An entity's change to a state; `delay` is the seconds after it at which people act (0: at once).

    A number's crossing has `above` or `below`, and these words as its `to_state`. The home's becoming
    occupied or empty is `zone.home` with `above` 0 or `below` 1, and `home` or `not_home` as its `to_state`.
    """

    entity_id: str
    to_state: str
    from_state: str | None = None
    delay: int = 0
    held: bool = False
    """True if the state has to last for the delay (`for:`), False if the delay just passes."""
    above: float | None = None
    below: float | None = None


def people_alone(trigger: Trigger, conditions: Conditions) -> bool:
    """Return whether nothing is asked but who comes or goes."""
    return trigger.entity_id.startswith(PRESENCE) and conditions == Conditions()


@dataclass(frozen=True, slots=True, eq=False)
class Habit:
    """A habit with its evidence.

    `kind` is `clock`, `sun` or `trigger`; the one has `when`, the other `trigger`. `spread` is the
    interquartile range of people's acts around the moment, in seconds. `train`, `held_out` and `whole` are
    its replays on the days learnt from, on the rest, and on all. `p_value` is corrected for the places that
    were searched; `expected` is the share that chance alone would keep.
    """

    kind: str
    target: Target
    when: When | None = None
    trigger: Trigger | None = None
    conditions: Conditions = field(default_factory=Conditions)
    days_observed: int = 0
    days_kept: int = 0
    spread: float = 0.0
    lag: float = 0.0
    p_value: float = 1.0
    expected: float = 0.0
    p_first: float = 0.0
    """A clock habit's p-value on the days learnt from alone."""
    train: Played = field(default_factory=Played)
    held_out: Played = field(default_factory=Played)
    whole: Played = field(default_factory=Played)
    explained: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    """The acts (ms) that this habit accounts for."""
    fires: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    """When (ms) it would have fired on the observed days, whatever the target's state."""
    moved: int = 0
    """By how many minutes the moment of a clock habit moved over the days observed."""
    steps: tuple["Habit", ...] = ()
    """What else is done with it, in order: then this is a routine."""

    @property
    def one_number(self) -> bool:
        """Return whether it learnt but one number: the clock's or the sun's moment; how long people take
        after they come or go, if nothing else is asked.
        """
        if self.kind != TRIGGER:
            return True
        return self.trigger is not None and people_alone(self.trigger, self.conditions)

    @property
    def targets(self) -> tuple[Target, ...]:
        return self.target, *(step.target for step in self.steps)
