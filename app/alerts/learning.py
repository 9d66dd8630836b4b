"""What one local day of the archive teaches: how long things stay open or on, how often they are used, what
figures a sensor shows. A pure function of that day's events, for a thread of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np

from app.events import NUMERIC, Events
from app.model import Entity, Home

CONTACTS: Final = frozenset({"door", "garage_door", "window", "opening"})
GATES: Final = frozenset({"garage", "gate", "door"})
SWITCHED: Final = frozenset({"switch", "light", "fan", "humidifier"})
_OPEN: Final = frozenset({"on", "open", "unlocked"})
_SHUT: Final = frozenset({"off", "closed", "locked"})
_NOT_AWAY: Final = frozenset({"home", "unavailable", "unknown", ""})
_MOST_SPELLS: Final = 300
_NIGHT_MS: Final = 30 * 60_000
_AWAY_MS: Final = 15 * 60_000
_HOUR_MS: Final = 3_600_000
_SECOND_MS: Final = 1000


@dataclass(slots=True)
class DayFacts:
    """A day's facts, as JSON in the store. Spells are seconds, `running` is ms since 1970, hours are local.

    `spells`: how long each thing was open or on, of those that ended this day; `running`: since when
    those that had not ended by its end; `night` and `away`: what was open at night, or with nobody home, for
    long; `uses`: how often it was opened or switched on, by hour; `range`: a sensor's least, middle and
    largest; `gaps`: its readings and its longest silence; `gone`: the longest it was unavailable;
    `shut`: what was seen shut or off, `closed`: what was so at its end; `people`: where each was then.
    """

    day: str
    complete: bool = True
    spells: dict[str, list[int]] = field(default_factory=dict)
    running: dict[str, int] = field(default_factory=dict)
    night: list[str] = field(default_factory=list)
    away: list[str] = field(default_factory=list)
    uses: dict[str, dict[str, int]] = field(default_factory=dict)
    range: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    gaps: dict[str, tuple[int, int]] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    shut: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    people: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) or name == "day"}

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        known = {name: given[name] for name in cls.__slots__ if name in given}
        return cls(**{"complete": False, **known})


@dataclass(frozen=True, slots=True)
class LocalDay:
    """A local day: its name, its bounds (ms since 1970) and the night's bounds inside it."""

    day: str
    start: int
    end: int
    night: tuple[tuple[int, int], ...]


def openings_of(home: Home) -> dict[str, Entity]:
    """Return what opens and shuts, is locked or switched: what spells are learned of."""
    return {one.entity_id: one for one in home.entities if not one.disabled and _has_spells(one)}


def _has_spells(entity: Entity) -> bool:
    if entity.entity_category is not None:
        return False
    if entity.domain in SWITCHED or entity.domain == "lock":
        return True
    if entity.domain == "cover":
        return entity.device_class in GATES
    return entity.domain == "binary_sensor" and entity.device_class in CONTACTS


def learn(events: Events, home: Home, day: LocalDay, before: DayFacts | None, offset: int) -> DayFacts:
    """Return what a day teaches. `events` are that day's; `before` is the day before's facts, if known.

    `offset` is the zone's, in ms, for the hours of the day.
    """
    facts = DayFacts(day.day)
    spelled = openings_of(home)
    running = dict(before.running) if before else {}
    closed = set(before.closed) if before else set()
    empty = _nobody_home(events, home, day, facts, before)
    seen = set()
    for entity_id, rows in _by_entity(events):
        seen.add(entity_id)
        at, state = events.at[rows], events.state[rows]
        numeric = state == NUMERIC
        if bool(numeric.all()):
            _measure(facts, entity_id, at, events.value[rows], day)
            continue
        words = [events.states[code] if code >= 0 else "" for code in state.tolist()]
        instants = at.tolist()
        _gone(facts, entity_id, words, instants, day)
        if bool(numeric.any()):
            _measure(facts, entity_id, at[numeric], events.value[rows][numeric], day)
        elif entity_id in spelled:
            known = running.pop(entity_id, None)
            spells = _spells(words, instants, known, closed=entity_id in closed)
            _count(facts, entity_id, spells, day, offset)
            _note_spells(facts, entity_id, spells, day, empty)
            said = [word for word in words if word in _SHUT or word in _OPEN]
            if any(word in _SHUT for word in said):
                facts.shut.append(entity_id)
            if said:
                (closed.add if said[-1] in _SHUT else closed.discard)(entity_id)
    for entity_id, since in running.items():
        if entity_id not in seen and entity_id in spelled:
            _note_spells(facts, entity_id, [(since, None)], day, empty)
    facts.closed = sorted(closed)
    return facts


def _by_entity(events: Events) -> Iterator[tuple[str, Any]]:
    order = np.argsort(events.entity, kind="stable")
    codes = events.entity[order]
    edges = np.flatnonzero(np.diff(codes)) + 1
    for rows in np.split(order, edges):
        if len(rows):
            yield events.entities[int(events.entity[rows[0]])], rows


_Spell = tuple[int | None, int | None]
"""When it began and when it ended, ms; None: its beginning was not seen, its end is to come."""


def _spells(words: list[str], at: list[int], running: int | None, *, closed: bool) -> list[_Spell]:
    """Return the spells in which something was open or on; what it was while unheard is not guessed."""
    spells: list[_Spell] = []
    since, lost = running, False
    last = "on" if running is not None else "off" if closed else ""
    for word, instant in zip(words, at, strict=True):
        if word in _OPEN:
            if last in _SHUT:
                since, lost = instant, False
            elif last not in _OPEN:
                since, lost = None, True
            last = word
        elif word in _SHUT:
            if last in _OPEN and not lost and since is not None:
                spells.append((since, instant))
            since, lost, last = None, False, word
        # Anything else (unavailable, jammed, opening): as it was before.
    if last in _OPEN and since is not None:
        spells.append((since, None))
    return spells


def _count(facts: DayFacts, entity_id: str, spells: list[_Spell], day: LocalDay, offset: int) -> None:
    for since, _ in spells:
        if since is not None and day.start <= since < day.end:
            hour = str((since + offset) // _HOUR_MS % 24)
            hours = facts.uses.setdefault(entity_id, {})
            hours[hour] = hours.get(hour, 0) + 1


def _note_spells(
    facts: DayFacts, entity_id: str, spells: list[_Spell], day: LocalDay, empty: list[tuple[int, int]]
) -> None:
    for since, ended in spells[-_MOST_SPELLS:]:
        if since is None:
            continue
        if ended is None:
            facts.running[entity_id] = since
        else:
            facts.spells.setdefault(entity_id, []).append((ended - since) // _SECOND_MS)
    if _overlap(spells, day.night, day) >= _NIGHT_MS:
        facts.night.append(entity_id)
    if _overlap(spells, empty, day) >= _AWAY_MS:
        facts.away.append(entity_id)


def _overlap(spells: list[_Spell], spans: Any, day: LocalDay) -> int:
    """Return the longest stretch (ms) that a spell shares with a span."""
    longest = 0
    for since, ended in spells:
        for start, end in spans:
            shared = min(ended or day.end, end) - max(since or day.start, start)
            longest = max(longest, shared)
    return longest


def _nobody_home(
    events: Events, home: Home, day: LocalDay, facts: DayFacts, before: DayFacts | None
) -> list[tuple[int, int]]:
    """Return the spans of the day in which every person was known to be elsewhere."""
    people = {person.entity_id for person in home.persons}
    if not people:
        return []
    where = {one: state for one, state in (before.people if before else {}).items() if one in people}
    moves = [
        (int(events.at[row]), events.entities[int(events.entity[row])], int(events.state[row]))
        for row in np.flatnonzero(np.isin(events.entity, _codes(events, people)))
    ]
    spans: list[tuple[int, int]] = []
    since = day.start if _all_away(where, people) else None
    for at, person, code in moves:
        where[person] = events.states[code] if code >= 0 else ""
        away = _all_away(where, people)
        if away and since is None:
            since = at
        elif not away and since is not None:
            spans.append((since, at))
            since = None
    if since is not None:
        spans.append((since, day.end))
    facts.people = where
    return spans


def _all_away(where: Mapping[str, str], people: set[str]) -> bool:
    return len(where) == len(people) and not set(where.values()) & _NOT_AWAY


def _codes(events: Events, names: set[str]) -> list[int]:
    return [code for code, name in enumerate(events.entities) if name in names]


def _measure(facts: DayFacts, entity_id: str, at: Any, value: Any, day: LocalDay) -> None:
    ordered = np.sort(value[np.isfinite(value)])
    if not len(ordered):
        return
    middle = ordered[len(ordered) // 2]
    facts.range[entity_id] = (
        round(float(ordered[0]), 2),
        round(float(middle), 2),
        round(float(ordered[-1]), 2),
    )
    # Pieces put together by hand: `diff` with its ends joined on takes three times as long, for each sensor.
    edges = int(at[0]) - day.start, day.end - int(at[-1])
    longest = max(*edges, int(np.diff(at).max())) if len(at) > 1 else max(edges)
    facts.gaps[entity_id] = (len(at), longest // _SECOND_MS)


def _gone(facts: DayFacts, entity_id: str, words: list[str], at: list[int], day: LocalDay) -> None:
    since: int | None = None
    longest = 0
    for word, instant in zip(words, at, strict=True):
        if word == "unavailable":
            since = instant if since is None else since
        elif since is not None:
            longest, since = max(longest, instant - since), None
    if since is not None:
        longest = max(longest, day.end - since)
    if longest:
        facts.gone[entity_id] = longest // _SECOND_MS
