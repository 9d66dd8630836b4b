"""Who made each state change in a recorder database: its contexts and events, put before the hub's own rules.

A row's context is shared by all that one press or one automation run caused. The events table says how the
context began; `attribution` judges. The recorder tells two things that a running hub's logbook does not: a
context above this one (then a machine acted, whatever user it carries), and which entities a call named.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.events import NO_ACTOR, Int32, Int64, UInt8
from app.hub.attribution import CALLABLE, Attributor, Link, context_number, contradicts, machine_users
from app.hub.recorder_file import RecorderFile
from app.model import Home

_KINDS = ("automation_triggered", "script_started", "call_service")
"""Whatever began a context is first of these: a run may carry the user and the calls of what triggered it."""
_PLANNED = frozenset({"scene", "script", "automation"})
_CONFIRMS_WITHIN_MS = 30_000
"""A slow or polled device reports what it was told to do up to this much later, with a context of its own."""
_FROM_ABOVE = "parent"
_MASK = 0x7FFF_FFFF_FFFF_FFFF
_NO_CONTEXT = bytes(16)
NO_USER = -1


@dataclass(frozen=True, slots=True)
class Call:
    """A service call that named an entity; `at` in ms."""

    at: int
    context: int
    service: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the events table tells: how each context began, and which calls named which entity, in order."""

    links: dict[int, Link]
    calls: dict[str, list[Call]]


@dataclass(frozen=True, slots=True)
class Rows:
    """State changes to be attributed: columns as in `Events`, sorted by `at`. `parent` is the context above
    or 0; `user` is a code into `users` or NO_USER; `first` marks what a hub saw first after it had started.
    """

    entities: tuple[str, ...]
    states: tuple[str, ...]
    users: tuple[str, ...]
    entity: Int32
    state: Int32
    at: Int64
    context: Int64
    parent: Int64
    user: Int32
    first: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Attributed:
    """Columns for `Events`. Only what can be acted on has a cause and a context."""

    actors: tuple[str, ...]
    cause: UInt8
    actor: Int32
    context: Int64


def context_of(raw: bytes | str | None) -> int:
    """Return the `context_number` of a context id as the file has it, 16 bytes or text; 0 for none."""
    if isinstance(raw, str):
        return context_number(raw)
    if raw is None or len(raw) != 16:
        return 0
    return int.from_bytes(raw[8:], "big") & _MASK


def context_numbers(raws: Sequence[Any]) -> Int64:
    """Return `context_of` each, fast when all are 16 bytes or missing."""
    try:
        joined = b"".join([raw or _NO_CONTEXT for raw in raws])
    except TypeError:  # text, in older files
        joined = b""
    if len(joined) != 16 * len(raws):
        return np.fromiter(map(context_of, raws), np.int64, len(raws))
    numbers: Int64 = np.frombuffer(joined, ">i8")[1::2].astype(np.int64)
    numbers &= np.int64(_MASK)
    return numbers


def user_id(raw: bytes | str | None) -> str:
    """Return a user id as in the hub's list of users: 32 hexadecimal digits, or empty."""
    return raw.hex() if isinstance(raw, bytes) else (raw or "").replace("-", "")


def read_ledger(file: RecorderFile, since: float, until: float) -> Ledger:
    """Read runs and service calls of that stretch (seconds since 1970)."""
    kind, join = "e.event_type", ""
    if file.layout.event_types:
        kind, join = "t.event_type", "JOIN event_types t ON t.event_type_id = e.event_type_id"
    rows = file.rows(
        f"SELECT {kind}, e.time_fired_ts, d.shared_data, {file.layout.contexts('e')} FROM events e {join}"  # noqa: S608 - our own names
        f" LEFT JOIN event_data d ON d.data_id = e.data_id WHERE {kind} IN (?, ?, ?)"
        " AND e.time_fired_ts >= ? AND e.time_fired_ts < ?",
        [*_KINDS, since, until],
    )
    ledger = Ledger({}, {})
    for name, at, text, context, user, parent in sorted(rows, key=lambda row: (_KINDS.index(row[0]), row[1])):
        _note(ledger, name, round(at * 1000), _data(text), context_of(context), user_id(user), parent)
    for calls in ledger.calls.values():
        calls.sort(key=attrgetter("at"))
    return ledger


def _note(
    ledger: Ledger, name: str, at: int, data: Mapping[str, Any], context: int, user: str, parent: object
) -> None:
    if not context:
        return
    known = ledger.links.get(context)
    if name == "call_service":
        domain, service = str(data.get("domain", "")), str(data.get("service", ""))
        entities = _named(data)
        for entity in entities:
            ledger.calls.setdefault(entity, []).append(Call(at, context, service))
        if known is None or (domain in _PLANNED and known.domain not in _PLANNED):
            source = next((entity for entity in entities if domain in _PLANNED), "")
            ledger.links[context] = Link(
                user_id="" if parent else user, event_type=name, domain=domain, service=service,
                source=source, context=context,
            )  # fmt: skip
    elif known is None:
        source = str(data.get("entity_id") or "")
        ledger.links[context] = Link(
            user_id="" if parent else user, event_type=name, domain=name.partition("_")[0],
            source=source, context=context,
        )  # fmt: skip


def _named(data: Mapping[str, Any]) -> list[str]:
    given = data.get("service_data")
    named = given.get("entity_id") if isinstance(given, dict) else None
    entities = named if isinstance(named, list) else [named]
    return [entity for entity in entities if isinstance(entity, str)]


def attribute_rows(rows: Rows, ledger: Ledger, home: Home) -> Attributed:
    """Tell for every row who made the change."""
    callable_ = np.array([name.partition(".")[0] in CALLABLE for name in rows.entities], bool)
    wanted = np.flatnonzero(callable_[rows.entity]) if len(callable_) else np.empty(0, np.intp)
    causes: list[int] = []
    contexts: list[int] = []
    codes: list[int] = []
    actors: dict[str, int] = {}
    judge = Attributor(_machines(home, rows.users))
    links = _Links(rows, ledger)
    for change in _changes(rows, wanted):
        entity_id = rows.entities[change.entity]
        # A state that is the first known is no change: nobody's act.
        link = None if change.first or judge.state_of(entity_id) is None else links.of(change)
        who = judge.note(entity_id, change.state, change.at, link)
        causes.append(who.cause)
        contexts.append(who.context)
        codes.append(actors.setdefault(who.actor, len(actors)) if who.actor else NO_ACTOR)
    cause = np.zeros(len(rows.at), np.uint8)
    actor = np.full(len(rows.at), NO_ACTOR, np.int32)
    context = np.zeros(len(rows.at), np.int64)
    cause[wanted], actor[wanted], context[wanted] = causes, codes, contexts
    return Attributed(tuple(actors), cause, actor, context)


class _Change(NamedTuple):
    entity: int
    state: str
    at: int
    context: int
    parent: int
    user: str
    first: bool


def _changes(rows: Rows, wanted: npt.NDArray[np.intp]) -> Iterator[_Change]:
    """Yield those rows as plain values: columns as lists are several times faster to walk than arrays."""
    users = (*rows.users, "")  # NO_USER is the last
    states = (*rows.states, "0")  # and so is NUMERIC: no rule asks which number
    columns = (rows.entity, rows.state, rows.at, rows.context, rows.parent, rows.user, rows.first)
    for entity, state, at, context, parent, user, first in zip(
        *(c[wanted].tolist() for c in columns), strict=True
    ):
        yield _Change(entity, states[state], at, context, parent, users[user], first)


def _machines(home: Home, seen: tuple[str, ...]) -> AbstractSet[str]:
    """Users that are no people. Without the list of accounts: everyone seen who belongs to no person,
    if the persons tell their accounts at all; taking a machine for somebody would offer its doings back.
    """
    persons = {person.user_id for person in home.persons if person.user_id}
    if home.users or not persons:
        return machine_users(home)
    return frozenset(seen) - persons


class _Links:
    """Finds what each row is linked to."""

    def __init__(self, rows: Rows, ledger: Ledger) -> None:
        self._entities = rows.entities
        self._ledger = ledger
        self._calls = {code: ledger.calls.get(name) for code, name in enumerate(rows.entities)}
        self._told = bool(np.any(rows.context != 0))
        self._first = _first_of_context(rows)
        self._confirmed: set[tuple[int, int]] = set()

    def of(self, change: _Change) -> Link | None:
        """Return the row's link; None when the file keeps no contexts."""
        context = change.context
        if not context:
            return Link() if self._told else None
        link = self._ledger.links.get(context)
        if link is not None:
            self._confirmed.add((change.entity, context))
            return link
        if change.parent:
            above = self._ledger.links.get(change.parent)
            if above is not None and above.event_type != "call_service":
                return replace(above, context=context)
            return Link(event_type=_FROM_ABOVE, context=context)
        if change.user:
            return Link(user_id=change.user, context=context)
        return self._late(change) or Link(source=self._began(change.entity, context), context=context)

    def _late(self, change: _Change) -> Link | None:
        """The link of a call that this row confirms late, if none of the entity's rows did before."""
        calls = self._calls.get(change.entity)
        if not calls:
            return None
        place = bisect_right(calls, change.at, key=attrgetter("at")) - 1
        if place < 0 or change.at - calls[place].at > _CONFIRMS_WITHIN_MS:
            return None
        call = calls[place]
        if (change.entity, call.context) in self._confirmed or contradicts(call.service, change.state):
            return None
        self._confirmed.add((change.entity, call.context))
        return self._ledger.links.get(call.context)

    def _began(self, entity: int, context: int) -> str:
        """Return the entity whose change this one followed, or empty."""
        first = self._first.get(context, entity)
        return "" if first == entity else self._entities[first]


def _first_of_context(rows: Rows) -> dict[int, int]:
    """Return, for contexts that more than one entity shares, the entity that changed first."""
    numbers, first, count = np.unique(rows.context, return_index=True, return_counts=True)
    shared = count > 1
    return dict(zip(numbers[shared].tolist(), rows.entity[first[shared]].tolist(), strict=True))


def _data(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
