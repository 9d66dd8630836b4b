"""State changes as columns: the one shape in which a home's past is read, kept and mined.

A block (`encode`/`decode`) is these columns compressed; it is what the archive seals a day as, and what is
handed to a worker process.
"""

import json
import math
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from app.errors import InputError
from app.model import Cause

NUMERIC = -1
"""State code of a numeric state: the number is in `value`."""
NO_ACTOR = -1
_MAGIC = b"NSB1"
_LONGEST_STATE = 255
_LARGEST = float(np.finfo(np.float32).max)

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]


class Event(NamedTuple):
    """One state change. `at` is milliseconds since 1970 UTC; `context` 0 means unknown, else a 63-bit number
    that is the same for all that one press or one automation run caused; `actor` is the user's or the
    automation's id, or empty.
    """

    entity_id: str
    state: str
    at: int
    cause: Cause = Cause.UNKNOWN
    context: int = 0
    actor: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Columns of equal length, sorted by `at` (ms since 1970 UTC), ties in the order they were read.

    `entity`, `state` and `actor` are codes into the vocabularies beside them; `state` is NUMERIC where the
    state is a number, which then is in `value` (NaN elsewhere); `actor` is NO_ACTOR where unknown.
    """

    entities: tuple[str, ...]
    states: tuple[str, ...]
    actors: tuple[str, ...]
    entity: Int32
    state: Int32
    value: Float32
    at: Int64
    cause: UInt8
    context: Int64
    actor: Int32

    def __len__(self) -> int:
        return len(self.at)

    @classmethod
    def empty(cls) -> Self:
        return cls.of(())

    @classmethod
    def of(cls, rows: Iterable[Sequence[Any]]) -> Self:
        """Build columns from rows in any order: events, or what has their fields in their places."""
        # Column by column, each word looked at once: a home says the same few again and again.
        names, texts, at, cause, context, users = _columns_of(list(rows))
        entities, states, actors = _codes(names), dict[str, int](), _codes(filter(None, users))
        code: dict[str, int] = {}
        number: dict[str, float] = {}
        for text in dict.fromkeys(texts):
            found = number_of(text)
            number[text] = math.nan if found is None else found
            word = text[:_LONGEST_STATE]
            code[text] = NUMERIC if found is not None else states.setdefault(word, len(states))
        built = cls(
            tuple(entities), tuple(states), tuple(actors),
            np.array([entities[name] for name in names], np.int32),
            np.array([code[text] for text in texts], np.int32),
            np.array([number[text] for text in texts], np.float32),
            np.array(at, np.int64), np.array(cause, np.uint8), np.array(context, np.int64),
            np.array([actors.get(user, NO_ACTOR) for user in users], np.int32),
        )  # fmt: skip
        return built.sorted()

    def sorted(self) -> Self:
        if len(self) < 2 or bool(np.all(self.at[1:] >= self.at[:-1])):
            return self
        return self.take(np.argsort(self.at, kind="stable"))

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_] | slice) -> Self:
        """Return these rows (indices, a mask or a slice), vocabularies unchanged."""
        return type(self)(
            self.entities, self.states, self.actors,
            self.entity[rows], self.state[rows], self.value[rows], self.at[rows],
            self.cause[rows], self.context[rows], self.actor[rows],
        )  # fmt: skip

    def between(self, start: int, end: int) -> Self:
        """Return what happened from `start` to before `end` (ms)."""
        low, high = np.searchsorted(self.at, [start, end])
        return self.take(slice(int(low), int(high)))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return all parts as one, vocabularies merged, sorted."""
        if not parts:
            return cls.empty()
        if len(parts) == 1:
            return parts[0]
        entities, entity_maps = _merge_words([p.entities for p in parts])
        states, state_maps = _merge_words([p.states for p in parts])
        actors, actor_maps = _merge_words([p.actors for p in parts])
        joined = cls(
            entities, states, actors,
            np.concatenate([_recode(p.entity, m) for p, m in zip(parts, entity_maps, strict=True)]),
            np.concatenate([_recode(p.state, m) for p, m in zip(parts, state_maps, strict=True)]),
            np.concatenate([p.value for p in parts]),
            np.concatenate([p.at for p in parts]),
            np.concatenate([p.cause for p in parts]),
            np.concatenate([p.context for p in parts]),
            np.concatenate([_recode(p.actor, m) for p, m in zip(parts, actor_maps, strict=True)]),
        )  # fmt: skip
        return joined.sorted()

    def rows(self) -> Iterator[Event]:
        """Yield the rows back, oldest first; numbers as Python's shortest text of the float32."""
        for i in range(len(self)):
            code = int(self.state[i])
            text = self.states[code] if code >= 0 else _number_text(self.value[i])
            who = int(self.actor[i])
            yield Event(
                self.entities[int(self.entity[i])], text, int(self.at[i]), Cause(int(self.cause[i])),
                int(self.context[i]), self.actors[who] if who >= 0 else "",
            )  # fmt: skip

    def compact(self) -> Self:
        """Return the same rows with vocabularies of only the words they use."""
        entities, entity = _used(self.entities, self.entity)
        states, state = _used(self.states, self.state)
        actors, actor = _used(self.actors, self.actor)
        return type(self)(
            entities, states, actors, entity, state, self.value, self.at, self.cause, self.context, actor
        )

    def encode(self) -> bytes:
        """Return one compressed block. Times are stored as differences, columns one after another."""
        own = self.compact()
        words = json.dumps([own.entities, own.states, own.actors], separators=(",", ":")).encode()
        numeric = own.state == NUMERIC
        # Contexts are random bits: kept only where there is one, or they would be most of the block.
        linked = own.context != 0
        columns = (
            np.diff(own.at, prepend=np.int64(0)).astype("<i8"),
            own.entity.astype("<i4"),
            own.state.astype("<i4"),
            own.cause.astype("u1"),
            own.actor.astype("<i4"),
            np.flatnonzero(linked).astype("<i4"),
            own.context[linked].astype("<i8"),
            own.value[numeric].astype("<f4"),
        )
        body = b"".join(_shuffled(column) for column in columns)
        head = struct.pack("<4sIIII", _MAGIC, len(own), len(words), int(linked.sum()), int(numeric.sum()))
        return head + zlib.compress(words + body, 6)

    @classmethod
    def decode(cls, block: bytes) -> Self:
        """Read a block back.

        Raises InputError when the bytes are no block or are cut short.
        """
        size = struct.calcsize("<4sIIII")
        try:
            magic, count, words_size, linked, numeric = struct.unpack("<4sIIII", block[:size])
            if magic != _MAGIC:
                raise InputError("not an archive block")
            plain = zlib.decompress(block[size:])
            entities, states, actors = (tuple(words) for words in json.loads(plain[:words_size]))
        except (struct.error, zlib.error, ValueError) as error:
            raise InputError(f"a damaged archive block ({error})") from error
        reader = _Columns(plain, words_size)
        at = np.cumsum(reader.next("<i8", count))
        entity = reader.next("<i4", count).astype(np.int32)
        state = reader.next("<i4", count).astype(np.int32)
        cause = reader.next("u1", count).astype(np.uint8)
        actor = reader.next("<i4", count).astype(np.int32)
        where = reader.next("<i4", linked)
        context = np.zeros(count, np.int64)
        context[where] = reader.next("<i8", linked)
        value = np.full(count, np.nan, np.float32)
        value[state == NUMERIC] = reader.next("<f4", numeric)
        return cls(entities, states, actors, entity, state, value, at.astype(np.int64), cause, context, actor)


def _columns_of(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return an event's fields, a list each; the many iterators of `zip(*rows)` would wake the collector."""
    return [list(map(itemgetter(place), rows)) for place in range(len(Event._fields))]


def _codes(words: Iterable[str]) -> dict[str, int]:
    return {word: code for code, word in enumerate(dict.fromkeys(words))}


def number_of(state: str) -> float | None:
    """Return a numeric state as a float, or None. `nan` and `inf` are words, not numbers."""
    if not state or state[0] not in "-+.0123456789" or "_" in state:
        return None
    try:
        number = float(state)
    except ValueError:
        return None
    return number if abs(number) <= _LARGEST else None


def _number_text(value: np.float32) -> str:
    return np.format_float_positional(value, unique=True, trim="-")


def _merge_words(vocabularies: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], list[Int32]]:
    merged: dict[str, int] = {}
    maps = [
        np.array([merged.setdefault(word, len(merged)) for word in words], np.int32) for words in vocabularies
    ]
    return tuple(merged), maps


def recoded(codes: Int32, words: tuple[str, ...], vocabulary: dict[str, int]) -> Int32:
    """Return codes into `words` as codes into a vocabulary that grows by what it does not know."""
    return _recode(codes, np.array([vocabulary.setdefault(w, len(vocabulary)) for w in words], np.int32))


def _recode(codes: Int32, new: Int32) -> Int32:
    """Translate codes; negative ones (NUMERIC, NO_ACTOR) stay."""
    if not len(new):
        return codes
    return np.where(codes >= 0, new[codes], codes).astype(np.int32)


def _used(words: tuple[str, ...], codes: Int32) -> tuple[tuple[str, ...], Int32]:
    present = np.unique(codes[codes >= 0])
    new = np.zeros(len(words), np.int32)
    new[present] = np.arange(len(present), dtype=np.int32)
    return tuple(words[int(i)] for i in present), _recode(codes, new)


def _shuffled(column: npt.NDArray[np.generic]) -> bytes:
    """Put the bytes of equal weight together: a column of small numbers then is mostly zeros."""
    return np.ascontiguousarray(column).view(np.uint8).reshape(-1, column.itemsize).T.tobytes()


class _Columns:
    """Reads the columns of a block, one after another."""

    def __init__(self, plain: bytes, offset: int) -> None:
        self._plain = plain
        self._offset = offset

    def next(self, kind: str, count: int) -> npt.NDArray[np.int64]:
        dtype = np.dtype(kind)
        size = dtype.itemsize * count
        if self._offset + size > len(self._plain):
            raise InputError("a damaged archive block (cut short)")
        raw = np.frombuffer(self._plain, np.uint8, size, self._offset)
        self._offset += size
        column: npt.NDArray[np.int64] = (
            np.ascontiguousarray(raw.reshape(dtype.itemsize, count).T).view(dtype).reshape(count)
        )
        return column
