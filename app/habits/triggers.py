"""What may trigger: every discrete change of the home, and of who is in it, as one stream."""

from dataclasses import dataclass

import numpy as np

from app.events import Int32, Int64
from app.habits.groups import ECHO_MS
from app.habits.habit import Trigger
from app.habits.localtime import Bool
from app.habits.targets import STATES
from app.habits.timeline import Timeline
from app.model import Entity, Home

_NEVER_TRIGGERS = frozenset(
    {
        "automation", "button", "calendar", "camera", "conversation", "counter", "date", "datetime", "event",
        "image", "input_button", "input_datetime", "input_number", "input_text", "notify", "number", "scene",
        "script", "stt", "sun", "tag", "text", "time", "timer", "todo", "tts", "update", "wake_word",
        "weather", "zone",
    }
)  # fmt: skip
"""Domains whose state is no event of the home, or that the clock and the sun already stand for."""
_MOST_STATES = 12
_MOST_A_DAY = 1_500.0


_LEAST_ROWS = 4
_WITH_THE_GROUP = 0.9
NEVER_OVER = 1 << 62
"""When (ms) a state is left that was never seen to be."""
HOME = "zone.home"


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of trigger: an entity's coming to a state, a number's crossing, the home's becoming empty.

    `at` (ms, ascending) is when it came, `quiet` for how long (ms) it had been otherwise before, `until` when
    it was over. `waited`: `at` is this many seconds later, the state having lasted so long.
    """

    trigger: Trigger
    at: Int64
    quiet: Int64
    until: Int64
    waited: int = 0

    @property
    def entity_id(self) -> str:
        return self.trigger.entity_id


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """All triggers in the order of time: `at` (ms) and `kind`, an index into `kinds`."""

    kinds: tuple[Kind, ...]
    at: Int64
    kind: Int32


def trigger_stream(
    timeline: Timeline, home: Home, span_days: float, presence: tuple[Int64, Bool] | None
) -> Stream:
    """Collect what may trigger; an entity that talks all the time pairs with everything and is left out."""
    facts = {entity.entity_id: entity for entity in home.entities}
    persons = sum(_seen(timeline, index) for index in _persons(timeline))
    kinds: list[Kind] = []
    for index, entity_id in enumerate(timeline.entities):
        rows = timeline.rows(index)
        known = facts.get(entity_id)
        domain = entity_id.partition(".")[0]
        # A person is told by their trackers, not the other way round.
        if domain in _NEVER_TRIGGERS or (persons and domain == "device_tracker"):
            continue
        if known is not None and (known.disabled or known.entity_category is not None):
            continue
        many = (rows.stop - rows.start) / max(span_days, 1) > _MOST_A_DAY
        if many or rows.stop - rows.start < _LEAST_ROWS:
            continue
        states = np.unique(timeline.state[rows])
        if len(states) <= _MOST_STATES:
            kinds += _of_entity(timeline, index, states.tolist())
    kinds = _without_members(kinds, facts)
    if presence is not None and persons > 1:
        kinds += _of_home(*presence)
    return stream_of(kinds)


def _without_members(kinds: list[Kind], facts: dict[str, Entity]) -> list[Kind]:
    """Leave out of a group's members what the group says at the same moments: the spot that comes on as one
    of the spots is no occasion of its own.
    """
    by_name = {(kind.entity_id, kind.trigger.to_state): kind for kind in kinds}
    said: set[tuple[str, str]] = set()
    for (entity_id, state), whole in by_name.items():
        for member in facts[entity_id].members if entity_id in facts else ():
            part = by_name.get((member, state))
            if part is None:
                continue
            near = np.searchsorted(whole.at, part.at - ECHO_MS) < np.searchsorted(
                whole.at, part.at + ECHO_MS, "right"
            )
            if near.mean() >= _WITH_THE_GROUP:
                said.add((member, state))
    return [kind for kind in kinds if (kind.entity_id, kind.trigger.to_state) not in said]


def stream_of(kinds: list[Kind]) -> Stream:
    """Put kinds of triggers in the order of time."""
    at = np.concatenate([kind.at for kind in kinds]) if kinds else np.empty(0, np.int64)
    which = np.repeat(np.arange(len(kinds), dtype=np.int32), [len(kind.at) for kind in kinds])
    order = np.argsort(at, kind="stable")
    return Stream(tuple(kinds), at[order], which[order])


def _of_entity(timeline: Timeline, index: int, states: list[int]) -> list[Kind]:
    rows = timeline.rows(index)
    own = np.arange(rows.start, rows.stop)
    kinds: list[Kind] = []
    for state in states:
        chosen = own[(timeline.state[rows] == state) & timeline.real[rows]]
        if len(chosen) < _LEAST_ROWS:
            continue
        before = np.unique(timeline.state[chosen - 1])
        came_from = timeline.states[int(before[0])] if len(before) == 1 else None
        at = timeline.at[chosen]
        following = timeline.at[np.minimum(chosen + 1, rows.stop - 1)]
        until = np.where(chosen + 1 < rows.stop, following, np.int64(NEVER_OVER))
        trigger = Trigger(timeline.entities[index], timeline.states[state], came_from)
        kinds.append(Kind(trigger, at, at - timeline.at[chosen - 1], until))
    return kinds


def _of_home(at: Int64, occupied: Bool) -> list[Kind]:
    """Return the first's arrival and the last's leaving: with one person only, that person says it better."""
    turned = np.flatnonzero(np.diff(occupied.astype(np.int8))) + 1
    times, to_home = at[turned], occupied[turned]
    quiet, until = np.diff(times, prepend=at[:1]), np.append(times[1:], np.int64(NEVER_OVER))
    arrives = Trigger(HOME, "home", above=0)
    leaves = Trigger(HOME, "not_home", below=1)
    return [
        Kind(trigger, times[own], quiet[own], until[own])
        for trigger, own in ((arrives, to_home), (leaves, ~to_home))
        if int(own.sum()) >= _LEAST_ROWS
    ]


def presence(timeline: Timeline) -> tuple[Int64, Bool] | None:
    """Return when (ms) the home became occupied or empty, by its persons, or None if it knows none."""
    at: list[Int64] = []
    step: list[Int64] = []
    home = timeline.code("home")
    for index in _persons(timeline):
        rows = timeline.rows(index)
        inside = (timeline.state[rows] == home).astype(np.int64)
        at.append(timeline.at[rows])
        step.append(np.diff(inside, prepend=0))
    if not at:
        return None
    times, steps = np.concatenate(at), np.concatenate(step)
    order = np.argsort(times, kind="stable")
    return times[order], np.cumsum(steps[order]) > 0


def is_actuator(entity_id: str) -> bool:
    return entity_id.partition(".")[0] in STATES


def _persons(timeline: Timeline) -> list[int]:
    return [
        index
        for index, entity_id in enumerate(timeline.entities)
        if entity_id.startswith("person.") and timeline.rows(index).stop > timeline.rows(index).start
    ]


def _seen(timeline: Timeline, index: int) -> bool:
    """Return whether that person ever moved."""
    rows = timeline.rows(index)
    return bool(rows.stop - rows.start >= _LEAST_ROWS)
