"""What a suggestion would have done in the past: each fire wanted, unwanted, or without effect.

The rules (see docs/mining.md):

* A reactive fire is wanted if a person did the same up to 15 minutes after it or 2 minutes before it; a
  clock's or the sun's fire, within 15 minutes on either side.
* Unwanted if never done, or taken back within 2 minutes.
* A fire that finds everything already so is neither; it is counted apart.
* A replay carries its own effect: having fired, it finds things as wanted until someone changes them.
"""

from dataclasses import dataclass, field

import numpy as np

from app.events import Int64
from app.habits.localtime import MINUTE_MS
from app.habits.targets import Target

AFTER_MS = 15 * MINUTE_MS
BEFORE_MS = 2 * MINUTE_MS
AROUND_MS = 15 * MINUTE_MS


def _none() -> Int64:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """Instants (ms): `wanted` fires with the act each one met in `met`, `unwanted` fires, and people's acts
    that it `missed`. `without_effect` counts fires that found everything so already; `already` those of a
    clock's or the sun's where people had it so, so that there was nothing to do.
    """

    wanted: Int64 = field(default_factory=_none)
    met: Int64 = field(default_factory=_none)
    unwanted: Int64 = field(default_factory=_none)
    missed: Int64 = field(default_factory=_none)
    without_effect: int = 0
    days: int = 0
    already: int = 0

    @property
    def fires(self) -> int:
        return len(self.wanted) + len(self.unwanted)

    @property
    def precision(self) -> float:
        return len(self.wanted) / self.fires if self.fires else 0.0

    @property
    def coverage(self) -> float:
        """The share of people's acts that it would have spared them."""
        acts = len(self.met) + len(self.missed)
        return len(self.met) / acts if acts else 0.0


def play_reactive(
    fires: Int64, target: Target, acts: Int64, days: int = 0, after_ms: int = AFTER_MS
) -> Played:
    """Replay fires (ms, ascending, all conditions but the target's own state applied) on `target`.

    `acts` are the intents of the span replayed: what it did not meet, it missed. A fire is wanted if people
    did it up to `after_ms` later.
    """
    if not len(fires):
        return Played(missed=acts, days=days)
    already = target.was_in(fires)
    # One cycle lasts from one leaving to the next: the first fire in it acts, whatever follows finds it done.
    cycle = target.leaves.searchsorted(fires)
    fresh = np.flatnonzero(~already)
    first = _first_of_each(cycle[fresh])
    acting = fires[fresh[first]]
    came, by_person = target.came
    where = came.searchsorted(acting)
    known = where < len(came)
    soon = np.zeros(len(acting), np.bool_)
    soon[known] = came[where[known]] - acting[known] <= after_ms
    person = np.zeros(len(acting), np.bool_)
    person[soon] = by_person[where[soon]]
    meant = np.zeros(len(acting), np.bool_)
    meant[person] = _was_meant(target, came[where[person]])
    late, late_met = _just_after(fires[already], cycle[already], cycle[fresh[first]], target)
    wanted = np.concatenate([acting[meant], late])
    met = np.concatenate([came[where[meant]], late_met])
    # An automation that does it anyway makes the fire neither good nor bad.
    unwanted = acting[~meant & ~(soon & ~person)]
    order = np.argsort(wanted, kind="stable")
    return Played(
        wanted[order], met[order], unwanted, acts[~_among(acts, met)],
        len(fires) - len(wanted) - len(unwanted), days,
    )  # fmt: skip


def _first_of_each(ordered: Int64) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which of the numbers (ascending) are the first of their value."""
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first


def _among(values: Int64, wanted: Int64) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which values are among the wanted: `np.isin`, many times as fast for as few as here."""
    if not len(wanted):
        return np.zeros(len(values), np.bool_)
    ordered = np.sort(wanted)
    where = np.minimum(ordered.searchsorted(values), len(ordered) - 1)
    return np.asarray(ordered[where] == values, np.bool_)


def _was_meant(target: Target, came: Int64) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which of people's acts they let stand for two minutes."""
    leaves = target.leaves
    where = leaves.searchsorted(came, "right")
    held = np.full(len(came), np.int64(1) << 40, np.int64)
    known = where < len(leaves)
    held[known] = leaves[where[known]] - came[known]
    return np.asarray(held >= target.shortest_stay, np.bool_)


def _just_after(fires: Int64, cycle: Int64, taken: Int64, target: Target) -> tuple[Int64, Int64]:
    """Return fires that came at most BEFORE_MS after a person's own act (one for each act), and those acts.

    Cycles in which the automation had acted before are not counted twice.
    """
    where = target.acts.searchsorted(fires, "right") - 1
    near = where >= 0
    near[near] = fires[near] - target.acts[where[near]] <= BEFORE_MS
    near &= ~_among(cycle, taken)
    chosen = np.flatnonzero(near)
    chosen = chosen[_first_of_each(where[chosen])]
    return fires[chosen], target.acts[where[chosen]]


def play_clock(fires: Int64, target: Target, acts: Int64, reach_ms: int) -> Played:
    """Replay a clock's or the sun's fires, one for each day it is due.

    `acts` are the intents of the span; those up to `reach_ms` from a fire belong to this habit, and count as
    missed if the fire was more than 15 minutes off. Acts at other hours are other habits' business.
    """
    wanted: list[int] = []
    met: list[int] = []
    unwanted: list[int] = []
    idle = already = 0
    was_in = target.was_in(fires)
    cycle = np.searchsorted(target.leaves, fires, "left")
    spent = -1
    for i, fire in enumerate(fires.tolist()):
        act = _nearest(acts, fire)
        if act is not None and abs(act - fire) <= AROUND_MS:
            wanted.append(fire)
            met.append(act)
            spent = int(cycle[i])
        elif was_in[i]:
            idle += 1
            already += 1
        elif cycle[i] == spent or _near(target.machine, fire):
            idle += 1
        else:
            unwanted.append(fire)
            spent = int(cycle[i])
    own = acts[_within_reach(acts, fires, reach_ms)]
    hit = np.array(met, np.int64)
    # A day on which the fire met an act has missed nothing, even if people did it once more later.
    hit_fires = np.array(wanted, np.int64)
    missed = own[~np.isin(own, hit) & ~_within_reach(own, hit_fires, reach_ms)]
    return Played(hit_fires, hit, np.array(unwanted, np.int64), missed, idle, len(fires), already)


def _nearest(acts: Int64, at: int) -> int | None:
    if not len(acts):
        return None
    return int(acts[np.argmin(np.abs(acts - at))])


def _near(acts: Int64, at: int) -> bool:
    nearest = _nearest(acts, at)
    return nearest is not None and abs(nearest - at) <= AROUND_MS


def _within_reach(acts: Int64, fires: Int64, reach_ms: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if not len(fires):
        return np.zeros(len(acts), np.bool_)
    after = np.searchsorted(fires, acts)
    left = np.abs(acts - fires[np.maximum(after - 1, 0)])
    right = np.abs(fires[np.minimum(after, len(fires) - 1)] - acts)
    return np.asarray(np.minimum(left, right) <= reach_ms, np.bool_)
