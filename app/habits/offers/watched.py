"""What is watched of automations, and who ran when: the shapes that cross to the worker and back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from app.events import Events, Int32, Int64, recoded
from app.habits.localtime import DAY_MS
from app.model import Home

WINDOW_DAYS: Final = 35
"""So far back each night looks: a verdict may ask for 28 days, and a day that came late is seen again."""
_MOST_AUTOMATIONS = 500


class _Watched(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Accepted(_Watched):
    """An automation that was made of a suggestion, as it stands: `since` is its last change (UTC),
    `edited` whether a person changed it in Home Assistant.
    """

    suggestion_id: str
    unique_id: str
    since: datetime
    mode: str
    edited: bool = False
    automation: dict[str, Any]


class WatchedDay(_Watched):
    """A local day ('YYYY-MM-DD'). `fired`: it changed something; of these `undone` by a person within ten
    minutes; `by_hand`: a person did the same within 15 minutes of its moment; `missed`: its moment came,
    there was something to change, and it did not (None: it cannot be told).
    """

    day: str
    fired: int
    undone: int
    by_hand: int
    missed: int | None = None


class Proposal(_Watched):
    """What is proposed after two weeks, in one sentence, with its figures. `automation` is the changed one,
    ready to be accepted (shift, condition).
    """

    proposal: Literal["keep", "shift", "condition", "retire"]
    why: str
    figures: dict[str, int | float] = {}
    automation: dict[str, Any] | None = None


class Conflict(_Watched):
    """An automation or a script that does the opposite of a suggestion about when it would act. `name` is
    what it is called, `target` the entity and `state` what that is brought to; `met` of `fires` in the last
    weeks were that near.
    """

    entity_id: str
    name: str
    target: str
    state: str
    met: int
    fires: int
    says: str


class Extends(_Watched):
    """An automation that acts at the same moments: the suggestion could be one more step of it. `automation`
    is its configuration with that step, for whoever wants to make it so.
    """

    entity_id: str
    unique_id: str | None
    name: str
    says: str
    automation: dict[str, Any]


class Watched(_Watched):
    """One automation's last weeks. `unique_id` is its entity id where it has no other; `suggestion_id` is
    empty for those that people made. `undone_at` are local ISO times, the newest last.
    """

    unique_id: str
    entity_id: str
    alias: str
    suggestion_id: str = ""
    since: datetime | None = None
    days: list[WatchedDay] = []
    undone_at: list[str] = []
    proposal: Proposal | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """What automations and scripts changed of late, in the order of time: codes into the words beside."""

    actors: tuple[str, ...]
    entities: tuple[str, ...]
    actor: Int32
    entity: Int32
    at: Int64
    context: Int64

    @classmethod
    def of(cls, events: Events, home: Home, until: int) -> Self:
        gathering = Gathering(home, until)
        gathering.add(events)
        return cls(*gathering.columns())


class Gathering:
    """Picks those rows out of a home's events, block by block, while the events themselves are thinned."""

    def __init__(self, home: Home, until: int) -> None:
        self._since = until - WINDOW_DAYS * DAY_MS
        self._until = until
        self._known = {one.entity_id for one in home.automations[:_MOST_AUTOMATIONS]}
        self._actors: dict[str, int] = {}
        self._entities: dict[str, int] = {}
        self._parts: list[tuple[Int32, Int32, Int64, Int64]] = []

    def add(self, events: Events) -> None:
        """Note what the block tells. Blocks come in the order of time."""
        wanted = [one in self._known or one.startswith("script.") for one in events.actors]
        if not any(wanted) or not len(events) or int(events.at[-1]) < self._since:
            return
        # NO_ACTOR is the last of them.
        own = np.array([*wanted, False], np.bool_)[events.actor]
        rows = np.flatnonzero(own & (events.at >= self._since) & (events.at <= self._until))
        if len(rows):
            self._parts.append((
                recoded(events.actor[rows], events.actors, self._actors),
                recoded(events.entity[rows], events.entities, self._entities),
                events.at[rows], events.context[rows],
            ))  # fmt: skip

    def columns(self) -> tuple[tuple[str, ...], tuple[str, ...], Int32, Int32, Int64, Int64]:
        """Return the columns of `Runs`."""
        none = (np.empty(0, np.int32),) * 2, (np.empty(0, np.int64),) * 2
        parts = [(*none[0], *none[1]), *self._parts]
        actor, entity = (np.concatenate([part[i] for part in parts]).astype(np.int32) for i in (0, 1))
        at, context = (np.concatenate([part[i] for part in parts]).astype(np.int64) for i in (2, 3))
        return tuple(self._actors), tuple(self._entities), actor, entity, at, context

    def runs(self) -> Runs:
        return Runs(*self.columns())
