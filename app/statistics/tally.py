"""Counting state changes by local hour and place. Pure.

What counts is one rule for the past (columns) and for what is heard live: a change of an entity that the
archive would keep, from one real state to another. Going `unavailable` and coming back is the radio's doing,
and a restart of the hub would else be the busiest minute of the day.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from app.events import NO_ACTOR, Events
from app.hub.streams import streams_of
from app.model import Cause, Home
from app.statistics.localdays import MINUTE_MS, hour_of, hours_of

HOME_ITSELF: Final = ""
"""The `area_id` of the home as a whole, which also has what is in no area."""
_NEVER: Final = 2**62
_DEEPEST: Final = 12
AWAY: Final = frozenset({"unavailable", "unknown", ""})


@dataclass(frozen=True, slots=True)
class Places:
    """Which entities count, and where they are: `areas` has those with an area that exists.

    `acts` are the areas that each automation acts in: its own, or those of what its actions name.
    """

    counted: frozenset[str]
    areas: Mapping[str, str]
    acts: Mapping[str, frozenset[str]]
    zone: ZoneInfo

    @classmethod
    def of(cls, home: Home) -> "Places":
        known = {area.area_id for area in home.areas}
        areas = {
            e.entity_id: e.area_id for e in home.entities if e.area_id is not None and e.area_id in known
        }
        devices = {
            d.device_id: d.area_id for d in home.devices if d.area_id is not None and d.area_id in known
        }
        places = devices | areas | {area: area for area in known}
        acts = {
            automation.entity_id: frozenset({own})
            if (own := areas.get(automation.entity_id))
            else frozenset(
                place for name in _named(automation.config.get("actions")) if (place := places.get(name))
            )
            for automation in home.automations
        }
        return cls(frozenset(streams_of(home).all), areas, acts, home.zone)


@dataclass(slots=True)
class Tally:
    """Counts by (start of the local hour in ms, area_id)."""

    places: Places
    events: Counter[tuple[int, str]] = field(default_factory=Counter)
    automations: Counter[tuple[int, str]] = field(default_factory=Counter)

    @property
    def begins(self) -> int:
        """When the first hour begins in which anything counted; beyond all times when nothing did."""
        return min((hour for hour, _ in self.events), default=_NEVER)

    def add(self, entity_id: str, at: int) -> None:
        """Count one change."""
        if entity_id in self.places.counted:
            area = self.places.areas.get(entity_id)
            self._add(self.events, at, (area,) if area else ())

    def add_run(self, automation: str, at: int) -> None:
        """Count one run of an automation."""
        self._add(self.automations, at, self.places.acts.get(automation, ()))

    def _add(self, counter: Counter[tuple[int, str]], at: int, areas: Iterable[str]) -> None:
        hour = hour_of(at, self.places.zone)
        for area in (HOME_ITSELF, *areas):
            counter[hour, area] += 1

    def add_past(self, events: Events, away: set[str]) -> int:
        """Count the changes of a stretch of the past; return how many counted.

        `away` are the entities that were away when the stretch began, and is brought up to date: stretches
        have to come oldest first.
        """
        if not len(events):
            return 0
        real = _real(events, away)
        counted = np.array([name in self.places.counted for name in events.entities], bool)
        chosen = events.take(real & counted[events.entity])
        hours = hours_of(chosen.at, self.places.zone)
        self._count(hours, HOME_ITSELF)
        by_area: dict[str, list[int]] = {}
        for code, name in enumerate(chosen.entities):
            if area := self.places.areas.get(name):
                by_area.setdefault(area, []).append(code)
        for area, codes in by_area.items():
            self._count(hours[np.isin(chosen.entity, codes)], area)
        return len(chosen)

    def _count(self, hours: np.ndarray[tuple[int], np.dtype[np.int64]], area: str) -> None:
        for hour, count in zip(*np.unique(hours, return_counts=True), strict=True):
            self.events[int(hour), area] += int(count)


def _named(config: Any, depth: int = 0) -> Iterator[str]:
    """Yield the ids of entities, devices and areas that a piece of an automation's configuration names."""
    if depth > _DEEPEST:
        return
    if isinstance(config, list):
        for one in config:
            yield from _named(one, depth + 1)
    elif isinstance(config, Mapping):
        for key, value in config.items():
            if key in {"entity_id", "device_id", "area_id"}:
                yield from (
                    one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)
                )
            else:
                yield from _named(value, depth + 1)


def runs_in(events: Events, known: set[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return the runs of automations that changed something: (entity id, when its first change came), in
    order.

    The past does not hold that an automation ran, only what it changed; all that one run changed has one
    context. Without a context, changes within one minute are one run. Those in `known` are left out, the
    others join it.
    """
    machine = (events.cause == Cause.MACHINE) & (events.actor != NO_ACTOR)
    found: list[tuple[str, int]] = []
    rows = np.flatnonzero(machine)
    for actor, context, at in zip(
        events.actor[rows].tolist(), events.context[rows].tolist(), events.at[rows].tolist(), strict=True
    ):
        name = events.actors[actor]
        run = (name, context or -(at // MINUTE_MS))
        if name.startswith("automation.") and run not in known:
            known.add(run)
            found.append((name, at))
    return found


def _real(events: Events, away: set[str]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which changes are from one real state to another, and bring `away` up to date."""
    gone = np.array([word in AWAY for word in events.states] + [False], bool)[events.state]
    # Each entity's changes one after another: `events` are in order of time, and the sort is stable.
    order = np.argsort(events.entity, kind="stable")
    entity, gone_in_order = events.entity[order], gone[order]
    first = np.ones(len(order), bool)
    first[1:] = entity[1:] != entity[:-1]
    was_away = np.zeros(len(order), bool)
    was_away[1:] = gone_in_order[:-1]
    away_codes = [code for code, name in enumerate(events.entities) if name in away]
    was_away[first] = np.isin(entity[first], away_codes)
    last = np.append(first[1:], True)
    for code, is_gone in zip(entity[last].tolist(), gone_in_order[last].tolist(), strict=True):
        (away.add if is_gone else away.discard)(events.entities[code])
    real = np.empty(len(order), bool)
    real[order] = ~gone_in_order & ~was_away
    return real
