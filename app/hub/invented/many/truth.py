"""What was put into an invented home: the truth that a miner's findings are held against."""

from dataclasses import dataclass
from typing import Literal

from app.events import Events
from app.model import Home

Kind = Literal["clock", "sun", "trigger", "presence", "numeric", "duration", "routine"]
Fate = Literal["alive", "dead", "drifting"]
Step = tuple[str, str]

DAY_TYPES: dict[str, tuple[int, ...]] = {
    "daily": (0, 1, 2, 3, 4, 5, 6),
    "workdays": (0, 1, 2, 3, 4),
    "weekends": (5, 6),
    "mondays": (0,),
    "tuesdays": (1,),
    "wednesdays": (2,),
    "thursdays": (3,),
    "fridays": (4,),
    "saturdays": (5,),
    "sundays": (6,),
}


@dataclass(frozen=True, slots=True)
class Planted:
    """A habit that the people of an invented home have.

    `label` names its row in tables of figures. `steps` are (entity, state), in the order in which they are
    done. `adherence` is the share of its chances that are taken; a chance is a moment at which it is due,
    its conditions hold, somebody is at home (unless `nobody` is a condition) and the first step isn't so yet.

    `at` are local minutes of the day (clock), at the end of the history; `was_at` those at its beginning,
    which differ if the habit drifts. `sun` is the event and the minutes after it. `trigger` is the entity and
    the state it comes to; `equal` are other changes that are the same occasion (a phone and its person).
    `threshold` is an entity, `above` or `below`, and a number. `delay` is the median time (s) from the
    trigger to the act. `conditions` are words: dark, somebody, nobody, hours, first today, quiet, state,
    number. `fate`: a dead habit stopped at `ended` (ms).
    """

    kind: Kind
    label: str
    steps: tuple[Step, ...]
    adherence: float
    day_type: str = "daily"
    at: int | None = None
    was_at: int | None = None
    sun: tuple[str, int] | None = None
    trigger: Step | None = None
    equal: tuple[Step, ...] = ()
    threshold: tuple[str, Literal["above", "below"], float] | None = None
    delay: float = 0.0
    spread: float = 0.0
    """Standard deviation of the moment, in minutes (clock, sun)."""
    conditions: frozenset[str] = frozenset({"somebody"})
    hours: tuple[int, int] | None = None
    other: Step | None = None
    """The entity that has to be in that state (condition `state`)."""
    fate: Fate = "alive"
    ended: int | None = None

    @property
    def name(self) -> str:
        return f"{self.label}: {self.steps[0][0]} {self.steps[0][1]}"


@dataclass(frozen=True, slots=True)
class Kept:
    """How a habit really went: the moments (ms) of its chances, and those at which it was done."""

    chances: tuple[int, ...]
    done: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ManyHome:
    """One of many homes: its facts, what happened, whether its source tells causes, and the truth.

    `machine_made` are the (entity, state) that automations and other apps bring about; `existing` those of
    them that an automation's configuration says.
    """

    seed: int
    home: Home
    events: Events
    until: int
    days: int
    causes_known: bool
    truth: tuple[Planted, ...]
    kept: tuple[Kept, ...]
    machine_made: frozenset[Step]
    existing: frozenset[Step]
