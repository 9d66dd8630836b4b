"""What people act on: groups of actuators brought to a state, and when people did so.

Seven lamps on one switch are one target. One press is one act, whatever number of entities it moves.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.events import Int64
from app.habits.days import Days
from app.habits.groups import ECHO_MS, ON_OFF, grouped, said_of_members
from app.habits.localtime import Bool
from app.habits.snapshot import Snapshot
from app.habits.timeline import Timeline
from app.model import Cause, Entity

UNDONE_MS = 120_000
"""An act taken back sooner was not meant."""

STATES: dict[str, tuple[str, ...]] = {
    "light": ("on", "off"),
    "switch": ("on", "off"),
    "fan": ("on", "off"),
    "humidifier": ("on", "off"),
    "input_boolean": ("on", "off"),
    "cover": ("open", "closed"),
    "media_player": ("playing", "off"),
    "climate": ("off", "heat", "cool", "heat_cool", "auto", "dry", "fan_only"),
    "vacuum": ("cleaning",),
    "lock": ("locked", "unlocked"),
    "valve": ("open", "closed"),
    "siren": ("on",),
    "water_heater": ("on", "eco", "electric", "gas", "performance", "high_demand", "heat_pump"),
    "lawn_mower": ("mowing",),
    "alarm_control_panel": ("disarmed", "armed_away", "armed_home", "armed_night"),
}
"""Actuators and the states people bring them to. What may never be automated is here too, so that it can be
said why it is not offered."""


@dataclass(frozen=True, eq=False)
class Target:
    """A group of actuators and one state of theirs.

    `flips` are the instants (ms) at which the group came to be, or ceased to be, as wanted: `is_in[i]` tells
    which from `flips[i]` on; before the first flip it is `not is_in[0]`. `acts` are the intents: people's
    acts to this state that were not taken back. `done` are all people's acts to it, `machine` the
    automations'.
    """

    entities: tuple[str, ...]
    state: str
    flips: Int64
    is_in: Bool
    acts: Int64
    done: Int64
    machine: Int64
    shortest_stay: int = UNDONE_MS
    """A stay shorter than this (ms) was taken back; 0 where short is how it works."""

    @property
    def anchor(self) -> str:
        """The entity that stands for the group in its identity."""
        return self.entities[0]

    def was_in(self, at: Int64) -> Bool:
        """Return whether the group was as wanted just before those instants."""
        if not len(self.flips):
            return np.zeros(len(at), np.bool_)
        # Before the first flip it was otherwise than from there on.
        return self._was[self.flips.searchsorted(at)]

    @cached_property
    def _was(self) -> Bool:
        return np.concatenate([~self.is_in[:1], self.is_in])

    @cached_property
    def came(self) -> tuple[Int64, Bool]:
        """When people or automations brought it there, in the order of time, and whether people did."""
        came = np.concatenate([self.done, self.machine])
        by_person = np.r_[np.ones(len(self.done), np.bool_), np.zeros(len(self.machine), np.bool_)]
        order = np.argsort(came, kind="stable")
        return came[order], by_person[order]

    @cached_property
    def leaves(self) -> Int64:
        """When it ceased to be as wanted."""
        return self.flips[~self.is_in]

    def otherwise(self, first: int, last: int) -> int:
        """Return for how long (ms) it was not as wanted between two instants."""
        inside = (self.flips > first) & (self.flips < last)
        at = np.concatenate([[first], self.flips[inside], [last]])
        was = np.concatenate([self.was_in(at[:1] + 1), self.is_in[inside]])
        return int(np.diff(at)[~was].sum())

    def away_since(self, at: Int64) -> Int64:
        """Return how long (ms) it had not been as wanted at those instants; a day's length if never known."""
        leaves = self.leaves
        where = leaves.searchsorted(at, "left") - 1
        known = where >= 0
        since = np.full(len(at), np.int64(1) << 40, np.int64)
        since[known] = at[known] - leaves[where[known]]
        return since


@dataclass(frozen=True, slots=True, eq=False)
class _Acts:
    """Who moved what, by entity index: people's rows of the timeline."""

    timeline: Timeline
    human: Bool


def find_targets(snapshot: Snapshot, timeline: Timeline, days: Days) -> list[Target]:
    """Return every (group, state) on which people acted at least once."""
    human = people(timeline, causes_known=snapshot.causes_known) & ~said_of_members(timeline, snapshot.home)
    entities = {entity.entity_id: entity for entity in snapshot.home.entities}
    usable = [
        index
        for index, entity_id in enumerate(timeline.entities)
        if _usable(entities.get(entity_id), entity_id) and human[timeline.rows(index)].any()
    ]
    acts = _Acts(timeline, human)
    targets: list[Target] = []
    for members in grouped(timeline, human, usable, snapshot.home):
        names = [timeline.entities[index] for index in members]
        domain = names[0].partition(".")[0]
        for state in ("on", "off") if domain in ON_OFF else STATES[domain]:
            target = _target(acts, members, _commanded(names, entities), state, days)
            if target is not None:
                targets.append(target)
    return targets


def people(timeline: Timeline, *, causes_known: bool) -> Bool:
    """Return which rows a person did: by app, voice or wall switch.

    Where causes are known an unknown one stays out: attribution already gives a wall switch its own cause.
    """
    by_person = (timeline.cause == Cause.PERSON) | (timeline.cause == Cause.HAND)
    if not causes_known:
        by_person |= timeline.cause == Cause.UNKNOWN
    return np.asarray(by_person & timeline.real, np.bool_)


def _usable(entity: Entity | None, entity_id: str) -> bool:
    if entity is not None and (entity.disabled or entity.entity_category is not None):
        return False
    return entity_id.partition(".")[0] in STATES


def _commanded(names: list[str], entities: dict[str, Entity]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in entities or not entities[name].hidden) or tuple(names)


def _target(acts: _Acts, members: list[int], names: tuple[str, ...], state: str, days: Days) -> Target | None:
    """Build the group's own history of one state: it is as wanted when more than half its members are."""
    table = acts.timeline
    code = table.code(state)
    at: list[Int64] = []
    step: list[Int64] = []
    human: list[Bool] = []
    machine: list[Bool] = []
    for index in members:
        rows = table.rows(index)
        is_in = (table.state[rows] == code).astype(np.int64)
        if not len(is_in):
            continue
        # What it was before the first known row can't be known; it is taken to have been otherwise.
        move = np.diff(is_in, prepend=0)
        moved = move != 0
        at.append(table.at[rows][moved])
        step.append(move[moved])
        human.append(acts.human[rows][moved])
        machine.append((table.cause[rows] == Cause.MACHINE)[moved])
    if not at:
        return None
    times, steps = np.concatenate(at), np.concatenate(step)
    by_people, by_machine = np.concatenate(human), np.concatenate(machine)
    order = np.argsort(times, kind="stable")
    times, steps = times[order], steps[order]
    by_people, by_machine = by_people[order], by_machine[order]
    inside = np.cumsum(steps) * 2 > len(members)
    turned = np.flatnonzero(np.diff(inside.astype(np.int8), prepend=np.int8(0)))
    if not len(turned):
        return None
    # The press is the first move of the echo; it tells when, and who.
    first = np.maximum(np.searchsorted(times, times[turned] - ECHO_MS, "left"), np.r_[0, turned[:-1] + 1])
    toward = np.where(inside[turned], 1, -1)
    while (wrong := (steps[first] != toward) & (first < turned)).any():
        first = np.where(wrong, first + 1, first)
    flips, is_in_group = times[first], inside[turned]
    who_people, who_machine = by_people[first], by_machine[first]
    done = is_in_group & who_people
    meant = done & ~_taken_back(flips, is_in_group)
    watched = days.watched(flips)
    if not done.any():
        return None
    return Target(
        names, state, flips, is_in_group, flips[meant & watched], flips[done],
        flips[is_in_group & who_machine], 0 if _works_briefly(flips, is_in_group) else UNDONE_MS,
    )  # fmt: skip


def _taken_back(flips: Int64, is_in: Bool) -> Bool:
    """Return which comings were followed, or led, by a quick going the other way.

    Where most stays are that short (a kettle, a microwave), short is how it works, not a change of mind.
    """
    held = np.diff(flips, append=np.int64(1) << 62)
    brief = held < UNDONE_MS
    back = np.zeros(len(flips), np.bool_)
    if not _works_briefly(flips, is_in):
        back |= is_in & brief
    away = brief[~is_in]
    if len(away) and away.mean() < 0.5:
        # Coming back at once takes back the going: that is no wish for this state by itself.
        back[1:] |= is_in[1:] & brief[:-1]
    return back


def _works_briefly(flips: Int64, is_in: Bool) -> bool:
    stays = np.diff(flips, append=np.int64(1) << 62)[is_in]
    return bool(len(stays)) and float((stays < UNDONE_MS).mean()) >= 0.5
