"""What the night hands to the miner: a home, its events, and the instant up to which they are known.

A snapshot crosses a process boundary as frames: 4-byte little-endian length, then the bytes. The first frame
is the header (JSON), each further one a block (`Events.encode`), until the end of the stream.
"""

import json
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, TypeVar

import numpy as np
import numpy.typing as npt

from app.clock import to_ms
from app.errors import InputError
from app.events import NO_ACTOR, NUMERIC, Events, Int32, Int64, UInt8, recoded
from app.habits.numbers import Measuring, Series
from app.habits.offers.excluded import Exclusion
from app.habits.offers.watched import Accepted, Gathering, Runs
from app.model import Home

Progress = Callable[[str, int, int], None]
"""Called with a step's name, how much of it is done, and of how much."""

Number = TypeVar("Number", bound=np.generic)
_LENGTH = struct.Struct("<I")
_LARGEST_FRAME = 1 << 28
_HEARTBEAT_MS = 300_000


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A home's past as of one instant.

    `causes_known` False means that the source never tells who acted: then every unattributed change of an
    actuator is taken for a person's, and the result says so. `rows` is how many events there were before
    numeric streams were thinned (None: nothing was). `numbers` are the measurements kept of them (None: they
    are among the events). `excluded` is what people never want offered. `accepted` are the automations to
    be watched, `runs` what automations changed of late (None: it is to be read from the events).
    """

    home: Home
    as_of: datetime
    events: Events
    causes_known: bool = True
    explain: bool = False
    rows: int | None = None
    numbers: dict[str, Series] | None = None
    excluded: tuple[Exclusion, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    runs: Runs | None = None


def encode_snapshot(
    home: Home,
    as_of: datetime,
    *,
    causes_known: bool = True,
    explain: bool = False,
    since: datetime | None = None,
    excluded: Iterable[Exclusion] = (),
    accepted: Iterable[Accepted] = (),
) -> bytes:
    """Return the first frame of a snapshot; the blocks follow, each through `frame`."""
    header = {
        "home": home.model_dump(mode="json"),
        "as_of": as_of.isoformat(),
        "causes_known": causes_known,
        "explain": explain,
        "since": since.isoformat() if since else None,
        "excluded": [[one.kind, one.value] for one in excluded],
        "accepted": [one.model_dump(mode="json") for one in accepted],
    }
    return frame(json.dumps(header, separators=(",", ":")).encode())


def frame(content: bytes) -> bytes:
    """Return the bytes with their length before them."""
    return _LENGTH.pack(len(content)) + content


def read_frame(payload: BinaryIO) -> bytes:
    """Read what comes before a snapshot in the same stream, one frame.

    Raises InputError when the stream is damaged.
    """
    for content in _frames(payload):
        return content
    raise InputError("a damaged snapshot (empty)")


def read_snapshot(payload: BinaryIO) -> Snapshot:
    """Read a snapshot back, block by block, thinning numeric streams on the way.

    Only one block is held in full at a time.

    Raises InputError when the stream is damaged.
    """
    frames = _frames(payload)
    try:
        header = json.loads(next(frames))
        home = Home.model_validate(header["home"])
        as_of = datetime.fromisoformat(header["as_of"])
        since = datetime.fromisoformat(header["since"]) if header.get("since") else None
        excluded = tuple(Exclusion.of(kind, value) for kind, value in header.get("excluded") or ())
        accepted = tuple(Accepted.model_validate(one) for one in header.get("accepted") or ())
    except (StopIteration, KeyError, ValueError, TypeError) as error:
        raise InputError(f"a damaged snapshot: no header ({error})") from error
    first = to_ms(since) if since else -(1 << 62)
    gathered = _Gathered()
    rows = 0
    measuring, running = Measuring(home), Gathering(home, to_ms(as_of))
    for block in frames:
        events = Events.decode(block).between(first, to_ms(as_of) + 1)
        rows += len(events)
        measuring.add(events)
        running.add(events)
        gathered.add(thinned(events))
    return Snapshot(
        home, as_of, gathered.events(), bool(header.get("causes_known", True)),
        bool(header.get("explain", False)), rows, measuring.series(), excluded, accepted,
        running.runs(),
    )  # fmt: skip


class _Gathered:
    """Events of many blocks, of the columns that mining asks for: a year's others would double its memory."""

    def __init__(self) -> None:
        self._entities: dict[str, int] = {}
        self._states: dict[str, int] = {}
        self._entity: list[Int32] = []
        self._state: list[Int32] = []
        self._at: list[Int64] = []
        self._cause: list[UInt8] = []

    def add(self, events: Events) -> None:
        self._entity.append(recoded(events.entity, events.entities, self._entities))
        self._state.append(recoded(events.state, events.states, self._states))
        self._at.append(events.at)
        self._cause.append(events.cause)

    def events(self) -> Events:
        """Return them as one, and keep none: numbers, contexts and actors are all the same in it."""
        entity, state = _joined(self._entity, np.int32), _joined(self._state, np.int32)
        at, cause = _joined(self._at, np.int64), _joined(self._cause, np.uint8)
        count = len(at)
        return Events(
            tuple(self._entities), tuple(self._states), (), entity, state,
            np.broadcast_to(np.float32(np.nan), count), at, cause,
            np.broadcast_to(np.int64(0), count), np.broadcast_to(np.int32(NO_ACTOR), count),
        ).sorted()  # fmt: skip


def _joined(parts: list[npt.NDArray[Number]], kind: type[Number]) -> npt.NDArray[Number]:
    """Return the parts as one column, and let go of them before the next is built."""
    column = np.concatenate([np.empty(0, kind), *parts])
    parts.clear()
    return column


def thinned(events: Events) -> Events:
    """Keep every discrete change, and of all numbers together the first in each five minutes, and the last.

    Numbers are most of what a recorder holds; habits are made of discrete changes, and numbers tell them only
    that the source was alive.
    """
    numeric = np.flatnonzero(events.state == NUMERIC)
    if not len(numeric):
        return events
    _, first = np.unique(events.at[numeric] // _HEARTBEAT_MS, return_index=True)
    keep = events.state != NUMERIC
    keep[numeric[first]] = True
    keep[numeric[-1]] = True
    return events.take(keep)


def _frames(payload: BinaryIO) -> Iterator[bytes]:
    while head := payload.read(_LENGTH.size):
        if len(head) < _LENGTH.size:
            raise InputError("a damaged snapshot (cut short)")
        (size,) = _LENGTH.unpack(head)
        if size > _LARGEST_FRAME:
            raise InputError("a damaged snapshot (a frame too large)")
        content = payload.read(size)
        if len(content) < size:
            raise InputError("a damaged snapshot (cut short)")
        yield content
