"""Things that are moved as one: what people move together, and what Home Assistant knows as a group."""

from collections import defaultdict

import numpy as np

from app.habits.localtime import Bool
from app.habits.timeline import Timeline
from app.model import Home

ECHO_MS = 3_000
"""Acts of several entities within this of each other are one press."""
ON_OFF = frozenset({"light", "switch", "fan", "humidifier", "input_boolean"})
_TOGETHER = 0.7
_FEWEST_TOGETHER = 3
_FIRST_CHOICE = ("light", "cover", "fan", "media_player", "climate", "switch", "input_boolean")
_OTHERWISE = {"on": "off", "open": "closed"}
"""States of a group that one member alone brings about, and what the others then still are."""


def said_of_members(timeline: Timeline, home: Home) -> Bool:
    """Return which rows of the timeline are a group's that only says what some of its members did.

    Who turns on the shelf turns on "Living room lights" in name only: a group is on when any of it is. While
    another member isn't, nobody acted on the group.
    """
    said = np.zeros(len(timeline.at), np.bool_)
    index = {entity_id: number for number, entity_id in enumerate(timeline.entities)}
    for entity in home.entities:
        if not entity.members or entity.entity_id not in index:
            continue
        rows = timeline.rows(index[entity.entity_id])
        for state, otherwise in _OTHERWISE.items():
            came = np.flatnonzero(timeline.state[rows] == timeline.code(state)) + rows.start
            for member in entity.members:
                own = timeline.rows(index[member]) if member in index else slice(0, 0)
                # What never moves (a bulb that is dead) tells nothing of the rest.
                if own.stop - own.start > 1:
                    last = timeline.at[own].searchsorted(timeline.at[came] + ECHO_MS, "right") - 1
                    left = timeline.state[own][np.maximum(last, 0)] == timeline.code(otherwise)
                    said[came[left & (last >= 0)]] = True
    return said


def grouped(timeline: Timeline, human: Bool, usable: list[int], home: Home) -> list[list[int]]:
    """Join entities that people nearly always move together; each group in the order of entity ids."""
    families: defaultdict[str, list[int]] = defaultdict(list)
    names = timeline.entities
    for index in usable:
        domain = names[index].partition(".")[0]
        families["on/off" if domain in ON_OFF else domain].append(index)
    groups: list[list[int]] = []
    for family in families.values():
        parent = {index: index for index in family}
        for first, second in _pairs(timeline, human, family):
            parent[_root(parent, first)] = _root(parent, second)
        joined: defaultdict[int, list[int]] = defaultdict(list)
        for index in sorted(family, key=lambda i: names[i]):
            joined[_root(parent, index)].append(index)
        groups.extend(_without_shadows(members, names, home) for members in joined.values())
    return groups


def _root(parent: dict[int, int], index: int) -> int:
    while parent[index] != index:
        index = parent[index]
    return index


def _pairs(table: Timeline, human: Bool, family: list[int]) -> list[tuple[int, int]]:
    """Return the pairs of which each moves with the other, to the same state, in most of its acts."""
    rows = np.flatnonzero(human & np.isin(table.entity, family))
    rows = rows[np.argsort(table.at[rows], kind="stable")]
    at, entity, state = table.at[rows], table.entity[rows].astype(np.int64), table.state[rows]
    ends = np.searchsorted(at, at + ECHO_MS, "right")
    counts = ends - np.arange(len(at)) - 1
    left = np.repeat(np.arange(len(at)), counts)
    right = left + 1 + np.arange(len(left)) - np.repeat(np.cumsum(counts) - counts, counts)
    same = (state[left] == state[right]) & (entity[left] != entity[right])
    left, right = left[same], right[same]
    size = len(table.entities)
    key = np.concatenate([left * size + entity[right], right * size + entity[left]])
    own = np.unique(key)
    mover, other = entity[own // size], own % size
    pairs, together = np.unique(mover * size + other, return_counts=True)
    total = np.bincount(entity, minlength=size)
    share = {
        int(pair): float(n) / float(total[pair // size])
        for pair, n in zip(pairs, together, strict=True)
        if n >= _FEWEST_TOGETHER
    }
    return [
        (pair // size, pair % size)
        for pair, part in share.items()
        if part >= _TOGETHER and share.get(pair % size * size + pair // size, 0.0) >= _TOGETHER
    ]


def _without_shadows(members: list[int], names: tuple[str, ...], home: Home) -> list[int]:
    """Leave out what only mirrors another member: a lamp beside its group, a device's second face."""
    if len(members) < 2:
        return members
    facts = {entity.entity_id: entity for entity in home.entities}
    ids = {names[index] for index in members}
    hidden: set[str] = set()
    for entity_id in ids:
        inside = set(facts[entity_id].members) if entity_id in facts else set()
        if inside and inside <= ids:
            hidden |= inside
        elif inside:
            hidden.add(entity_id)
    faces: defaultdict[str, list[str]] = defaultdict(list)
    for entity_id in sorted(ids - hidden):
        if entity_id in facts and (device := facts[entity_id].device_id):
            faces[device].append(entity_id)
    for entity_ids in faces.values():
        domains = {entity_id.partition(".")[0] for entity_id in entity_ids}
        if len(domains) > 1:
            best = min(domains, key=lambda d: _FIRST_CHOICE.index(d) if d in _FIRST_CHOICE else 99)
            hidden |= {e for e in entity_ids if e.partition(".")[0] != best}
    return [index for index in members if names[index] not in hidden] or members
