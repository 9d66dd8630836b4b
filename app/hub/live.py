"""A home and its past, read from a hub that is up."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.clock import to_ms
from app.errors import NeighbourError
from app.events import Event, Events, number_of
from app.hub.attribution import Attributor, machine_users
from app.hub.client import Hub
from app.hub.errors import CommandError, LostError, NoReplyError, UnknownCommandError
from app.hub.logbook import Logbook
from app.hub.registries import read_home
from app.hub.source import Slice
from app.hub.streams import Streams, streams_of
from app.model import Home

_log = logging.getLogger(__name__)

_FIRST_SPAN = timedelta(hours=1)
_LONGEST_SPAN = timedelta(hours=6)
_SHORTEST_SPAN = timedelta(minutes=15)
_BATCH = 200
_SMALLEST_BATCH = 25
_HEAVY_ROWS = 5_000
"""A reply of that many rows is about 250 KB: decoding more at a time would hold up a small machine."""
_EDGE = timedelta(milliseconds=1)
_LOGBOOK_LEAD = timedelta(seconds=60)
"""So far before a slice the logbook is asked, for calls and runs whose effects fall into it."""
_MINUTE_MS = 60_000

Rows = dict[str, list[tuple[int, str]]]


@dataclass(frozen=True, slots=True)
class _Piece:
    """What one request asks for."""

    entities: tuple[str, ...]
    start: datetime
    end: datetime

    def halves(self) -> tuple["_Piece", "_Piece"] | None:
        """Return two smaller pieces, oldest first, or None when it is as small as it gets."""
        if self.end - self.start > _SHORTEST_SPAN:
            middle = self.start + (self.end - self.start) / 2
            return _Piece(self.entities, self.start, middle), _Piece(self.entities, middle, self.end)
        if len(self.entities) > _SMALLEST_BATCH:
            half = len(self.entities) // 2
            return (
                _Piece(self.entities[:half], self.start, self.end),
                _Piece(self.entities[half:], self.start, self.end),
            )
        return None


class HubSource:
    """Reads over a hub's API. It does not own the hub: whoever made that closes it."""

    def __init__(self, hub: Hub, home_id: str = "home") -> None:
        self._hub = hub
        self._home_id = home_id
        self._has_calls = True
        self._has_logbook = True

    async def describe(self) -> Home:
        """Ask the hub for its home. Raises as `read_home` does."""
        return await read_home(self._hub, self._home_id)

    async def close(self) -> None:
        """Do nothing: no file and no connection is this object's own."""

    async def history(self, home: Home, since: datetime, until: datetime) -> AsyncIterator[Slice]:
        """Yield slices from 15 minutes to 6 hours long, by how much happens in the home.

        A request that gets no answer is asked again in halves; only when the smallest stays without answer
        is NoReplyError raised. States that an entity already had are no events.
        """
        streams = streams_of(home)
        reader = _Reader(streams, Attributor(machine_users(home)))
        await self._seed(reader, streams, since)
        start, span = since, _FIRST_SPAN
        while start < until:
            end = min(until, start + span)
            past, heaviest = await self._past(streams, start, end)
            logbook = await self._logbook(streams, past, start, end)
            events = await asyncio.to_thread(reader.events, past, logbook)
            yield Slice(events, end)
            start = end
            if heaviest > _HEAVY_ROWS:
                span = max(span / 2, _SHORTEST_SPAN)
            elif heaviest < _HEAVY_ROWS // 4:
                span = min(span * 2, _LONGEST_SPAN)

    async def _seed(self, reader: "_Reader", streams: Streams, since: datetime) -> None:
        """Learn what things were before the first slice: what comes back from `unavailable` is no act."""
        for batch in _batches(streams.linked):
            before = _Piece(batch, since - 3 * _EDGE, since - 2 * _EDGE)
            replies = await self._states(before, include_start_time_state=True)
            for _, reply in replies:
                for entity_id, state in _last_states(reply, since):
                    reader.attributor.seed(entity_id, state, to_ms(since))

    async def _past(self, streams: Streams, start: datetime, end: datetime) -> tuple[Rows, int]:
        """Return the states between two instants, and how many rows the largest reply had."""
        past: Rows = {}
        heaviest = 0
        for batch in _batches(streams.all):
            piece = _Piece(batch, start, end)
            for part, reply in await self._states(piece, include_start_time_state=False):
                rows = await asyncio.to_thread(_rows, reply, part.start, part.end)
                heaviest = max(heaviest, sum(map(len, rows.values())))
                for entity_id, states in rows.items():
                    past.setdefault(entity_id, []).extend(states)
        return past, heaviest

    async def _states(self, piece: _Piece, *, include_start_time_state: bool) -> list[tuple[_Piece, Any]]:
        try:
            return await self._asked(
                "history/history_during_period",
                piece,
                include_start_time_state=include_start_time_state,
                significant_changes_only=False,
                minimal_response=True,
                no_attributes=True,
            )
        except UnknownCommandError:
            raise NeighbourError("hub: it keeps no history: add `history:` to its configuration") from None

    async def _logbook(self, streams: Streams, past: Rows, start: datetime, end: datetime) -> Logbook:
        """Return the links of what changed. Nothing that could be linked changed: nothing is asked."""
        changed = tuple(entity_id for entity_id in streams.linked if entity_id in past)
        if not changed or not self._has_logbook:
            return Logbook(())
        entries: list[Any] = []
        # By entity, not for the whole home: then the hub finds a context's beginning however long ago it was,
        # and entities that its owner keeps out of the logbook are told all the same.
        try:
            for batch in _batches(tuple(dict.fromkeys((*changed, *streams.runs)))):
                piece = _Piece(batch, start - _LOGBOOK_LEAD, end)
                for _, reply in await self._asked("logbook/get_events", piece):
                    entries.extend(reply if isinstance(reply, list) else ())
        except UnknownCommandError:
            _log.warning("The hub keeps no logbook, so who did what stays unknown: add `logbook:` there")
            self._has_logbook = False
            return Logbook(())
        calls = await self._calls(start - _LOGBOOK_LEAD, end)
        logbook = await asyncio.to_thread(Logbook, entries, calls)
        if logbook.left_out:
            _log.warning("%d logbook entries could not be read and were left out", logbook.left_out)
        return logbook

    async def _calls(self, start: datetime, end: datetime) -> list[Any]:
        """Return the action calls, none on a hub that does not tell them."""
        if not self._has_calls:
            return []
        try:
            replies = await self._asked("logbook/get_action_calls", _Piece((), start, end))
        except UnknownCommandError:
            self._has_calls = False
            return []
        except CommandError as error:
            _log.warning("%s: going on without action calls", error)
            self._has_calls = False
            return []
        return [call for _, reply in replies if isinstance(reply, list) for call in reply]

    async def _asked(self, kind: str, piece: _Piece, **fields: Any) -> list[tuple[_Piece, Any]]:
        """Ask for a piece, in halves when no answer comes; return each part with its reply, oldest first."""
        if piece.entities:
            fields["entity_ids"] = list(piece.entities)
        # The hub leaves out both ends of a stretch; `_rows` cuts it exactly.
        fields["start_time"] = (piece.start - _EDGE).isoformat()
        fields["end_time"] = (piece.end + _EDGE).isoformat()
        try:
            try:
                return [(piece, await self._hub.command(kind, **fields))]
            except LostError:
                # The hub went, or the proxy cut off a reply that was too large: once more tells which.
                return [(piece, await self._hub.command(kind, **fields))]
        except NoReplyError:
            halves = piece.halves()
            if halves is None:
                raise
        _log.info("%s from %s to %s got no answer; asking for halves", kind, piece.start, piece.end)
        return [part for half in halves for part in await self._asked(kind, half, **fields)]


class _Reader:
    """Turns replies into events, slice after slice, along each entity's own past."""

    def __init__(self, streams: Streams, attributor: Attributor) -> None:
        self.attributor = attributor
        self._linked = frozenset(streams.linked)
        self._minutes: dict[str, int] = {}

    def events(self, past: Rows, logbook: Logbook) -> Events:
        """Return the changes in a slice. Runs in a thread of its own, one slice at a time."""
        return Events.of(self._changes(past, logbook))

    def _changes(self, past: Rows, logbook: Logbook) -> Iterator[Event]:
        for entity_id, rows in past.items():
            linked = entity_id in self._linked
            told: set[tuple[int, str]] = set()
            for at, state in rows:
                if self.attributor.state_of(entity_id) == state or not self._fits(entity_id, state, at):
                    continue
                # What comes and goes and comes within a millisecond (a device that appears) came once.
                if (at, state) in told:
                    continue
                told.add((at, state))
                link = logbook.link(entity_id, state, at) if linked else None
                who = self.attributor.note(entity_id, state, at, link)
                yield Event(entity_id, state, at, who.cause, who.context, who.actor)

    def _fits(self, entity_id: str, state: str, at: int) -> bool:
        """Let one number a minute through from a sensor: thresholds need no more."""
        if not entity_id.startswith("sensor.") or number_of(state) is None:
            return True
        minute = at // _MINUTE_MS
        if self._minutes.get(entity_id) == minute:
            return False
        self._minutes[entity_id] = minute
        return True


def _batches(entities: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return (entities[i : i + _BATCH] for i in range(0, len(entities), _BATCH))


def _last_states(reply: Any, before: datetime) -> Iterator[tuple[str, str]]:
    """Yield what each entity of a history reply was last before that instant."""
    first = before.timestamp()
    for entity_id, rows in _lists(reply):
        earlier = [state for state, updated, _ in map(_fields, rows) if state is not None and updated < first]
        if earlier:
            yield entity_id, earlier[-1]


def _rows(reply: Any, start: datetime, end: datetime) -> Rows:
    """Return each entity's (ms, state) from `start` to before `end` out of a history reply."""
    first, last = to_ms(start), to_ms(end)
    found: Rows = {}
    for entity_id, rows in _lists(reply):
        kept = [
            (at, state)
            for state, updated, changed in map(_fields, rows)
            if state is not None and changed >= updated and first <= (at := round(updated * 1000)) < last
        ]
        if kept:
            found[entity_id] = kept
    return found


def _lists(reply: Any) -> Iterator[tuple[str, list[Any]]]:
    for entity_id, rows in reply.items() if isinstance(reply, Mapping) else ():
        if isinstance(rows, list):
            yield entity_id, rows


def _fields(row: Any) -> tuple[str | None, float, float]:
    """Return a history row's state and the seconds since 1970 when it was updated and last changed.

    Rows are `{"s": state, "lu": seconds}`, with `lc` where the state had changed before: then only the
    attributes did. A state of null is an entity's removal; it and what makes no sense come back as None.
    """
    if not isinstance(row, dict):
        return None, 0, 0
    state, updated = row.get("s"), row.get("lu")
    if not isinstance(state, str) or not isinstance(updated, int | float):
        return None, 0, 0
    changed = row.get("lc")
    return state, updated, changed if isinstance(changed, int | float) else updated
