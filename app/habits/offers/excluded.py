"""What people said is never to be offered. Pure: asked by the page and by the night's worker alike."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from app.errors import InputError
from app.habits.suggestion import Suggestion
from app.model import Entity, Home

NEVER_LABEL: Final = "nightshift_never"
"""A label of that name in Home Assistant, on an entity, a device or an area, says "never" too."""
_VALUES: Final = {
    "entity": re.compile(r"[a-z0-9_]{1,64}\.[a-z0-9_]{1,190}"),
    "area": re.compile(r"[a-z0-9_-]{1,190}"),
    "domain": re.compile(r"[a-z0-9_]{1,64}"),
    "label": re.compile(r"[a-z0-9_-]{1,190}"),
    "kind": re.compile(r"[a-z_]{1,32}(:[a-z0-9_]{1,64}(:[a-z0-9_]{1,64})?)?"),
}


class ExclusionKind(StrEnum):
    """What an exclusion names."""

    ENTITY = "entity"
    AREA = "area"
    DOMAIN = "domain"
    LABEL = "label"
    KIND = "kind"
    """A kind of habit, `kind[:domain[:state]]`: `sun`, `sun:cover`, `sun:cover:closed`."""


@dataclass(frozen=True, slots=True, order=True)
class Exclusion:
    """Never for this. `value` is Home Assistant's id, or a kind of habit."""

    kind: ExclusionKind
    value: str

    @classmethod
    def of(cls, kind: object, value: object) -> Self:
        """Return a checked one.

        Raises InputError.
        """
        if not isinstance(kind, str) or kind not in _VALUES:
            raise InputError(f"kind: give one of {', '.join(_VALUES)}")
        if not isinstance(value, str) or not _VALUES[kind].fullmatch(value):
            raise InputError(f"value: that is no {kind} as Home Assistant writes it")
        return cls(ExclusionKind(kind), value)


class Excluded:
    """A home's exclusions, ready to be asked."""

    def __init__(self, home: Home | None, exclusions: Iterable[Exclusion] = ()) -> None:
        self._entities: Mapping[str, Entity] = {one.entity_id: one for one in home.entities} if home else {}
        self._values: dict[ExclusionKind, set[str]] = {kind: set() for kind in ExclusionKind}
        for one in exclusions:
            self._values[one.kind].add(one.value)
        self._values[ExclusionKind.LABEL].add(NEVER_LABEL)

    def why(self, entity_id: str) -> Exclusion | None:
        """Return what excludes an entity: itself, its area, its domain, a label, a group's member."""
        return self._why(entity_id, frozenset())

    def kind(self, kind: str, domain: str, state: str) -> Exclusion | None:
        """Return what excludes a kind of habit on entities of that domain, brought to that state."""
        for value in (kind, f"{kind}:{domain}", f"{kind}:{domain}:{state}"):
            if value in self._values[ExclusionKind.KIND]:
                return Exclusion(ExclusionKind.KIND, value)
        return None

    def suggestion(self, suggestion: Suggestion) -> Exclusion | None:
        """Return what excludes a suggestion."""
        for entity_id, state in acts_of(suggestion.habit):
            domain = entity_id.partition(".")[0]
            if found := self.why(entity_id) or self.kind(suggestion.kind, domain, state):
                return found
        return None

    def _why(self, entity_id: str, seen: frozenset[str]) -> Exclusion | None:
        if entity_id in seen:
            return None
        entity = self._entities.get(entity_id) or Entity(entity_id=entity_id)
        names: tuple[tuple[ExclusionKind, Iterable[str]], ...] = (
            (ExclusionKind.ENTITY, (entity_id,)),
            (ExclusionKind.AREA, (entity.area_id,) if entity.area_id else ()),
            (ExclusionKind.DOMAIN, (entity.domain,)),
            (ExclusionKind.LABEL, entity.labels),
        )
        for kind, values in names:
            for value in values:
                if value in self._values[kind]:
                    return Exclusion(kind, value)
        # Acting on a group acts on each of its members.
        return next((why for one in entity.members if (why := self._why(one, seen | {entity_id}))), None)


def acts_of(habit: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each entity that a stored habit acts on, with the state it brings it to."""
    steps = habit.get("steps") or [{"entities": habit.get("entities"), "state": habit.get("state")}]
    for step in steps:
        for entity_id in step.get("entities") or ():
            yield str(entity_id), str(step.get("state") or "")


def kinds_of(suggestion: Suggestion) -> tuple[Exclusion, ...]:
    """Return what "never for this kind" excludes: such habits on such things, brought to such a state."""
    found = {
        f"{suggestion.kind}:{entity_id.partition('.')[0]}:{state}"
        for entity_id, state in acts_of(suggestion.habit)
    }
    return tuple(Exclusion(ExclusionKind.KIND, value) for value in sorted(found)) or (
        Exclusion(ExclusionKind.KIND, suggestion.kind),
    )


def never_again(suggestion: Suggestion, what: str, entity_id: str | None) -> tuple[Exclusion, ...]:
    """Return what to exclude so that no such thing is offered: its entities (or one), or its kind.

    Raises InputError.
    """
    if what == "kind":
        return kinds_of(suggestion)
    if what != "entity":
        raise InputError("what: give entity or kind")
    own = sorted({one for one, _ in acts_of(suggestion.habit)})
    if entity_id is not None and entity_id not in own:
        raise InputError("entity_id: that suggestion does not act on it")
    chosen = [entity_id] if entity_id else own
    if not chosen:
        raise InputError("what: that suggestion names no entity")
    return tuple(Exclusion.of(ExclusionKind.ENTITY.value, one) for one in chosen)
