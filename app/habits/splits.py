"""What else in the home was so when it was wanted, and wasn't when it was not: states and numbers to ask for.

Only the few that part the two best are handed on; how many were looked at goes with them, for the one that is
taken has to beat chance as the best of so many.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from app.events import Int64
from app.habits.evidence import binomial_tail, percentiles
from app.habits.habit import Bound
from app.habits.localtime import DAY_MS, Bool
from app.habits.numbers import Series
from app.habits.surroundings import Surroundings

What = TypeVar("What", tuple[str, str], Bound)
_MAY_ASK = frozenset(
    {
        "alarm_control_panel", "binary_sensor", "climate", "cover", "fan", "humidifier", "input_boolean",
        "input_select", "light", "lock", "media_player", "person", "select", "switch", "vacuum",
    }
)  # fmt: skip
_MOST_STATES = 8
_KEEPS = 0.85
_MOST = 3
_LEAST_UNWANTED = 4
_QUANTILES = (5, 10, 20)
_OTHER_DAYS = (-7, -3, -2, -1, 1, 2, 3, 7)
_LEAST_LIFT = 2.0
_MOST_STARTS = 2
_BEFORE_MS = 30_000
"""What changes with the trigger is its echo: the state of a moment before has to tell."""


@dataclass(frozen=True, slots=True)
class Splits:
    """States (entity, state) and limits worth trying, and how many there were to choose from."""

    states: tuple[tuple[str, str], ...] = ()
    bounds: tuple[Bound, ...] = ()
    looked_at: int = 0


def splits(around: Surroundings, wanted: Int64, unwanted: Int64, but: frozenset[str]) -> Splits:
    """Return what parts wanted fires (ms) from unwanted ones; `but` are entities that must not be asked."""
    if len(unwanted) < _LEAST_UNWANTED:
        return Splits()
    at = np.concatenate([wanted, unwanted])
    states = [
        one
        for index, entity_id in _askable(around, but)
        for one in _states(around, index, entity_id, at, len(wanted))
    ]
    bounds = [
        one
        for entity_id, series in around.numbers.items()
        if entity_id not in but
        for one in _bounds(entity_id, series, at, len(wanted), wanted)
    ]
    return Splits(_best(states), _best(bounds), len(states) + len(bounds))


def light_limits(around: Surroundings, acts: Int64, wanted: Int64, unwanted: Int64) -> Splits:
    """Return how bright or dim it may be, as `splits` does, but of sensors of light alone.

    What is dark in a room its own sensor says better than the sun: behind a cloud it is dark by day.
    The limits are those of people's `acts` (ms), not of the fires that were wanted: where it is too bright
    at first, that opportunity is the cycle's, and the act at dusk is nobody's.
    """
    if not len(wanted) or len(unwanted) < _LEAST_UNWANTED:
        return Splits()
    at = np.concatenate([wanted, unwanted])
    bounds = [
        one
        for entity_id, series in around.numbers.items()
        if series.measures == "illuminance"
        for one in _bounds(entity_id, series, at, len(wanted), acts - _BEFORE_MS)
    ]
    return Splits(bounds=_best(bounds), looked_at=len(bounds))


def telling_states(around: Surroundings, acts: Int64, but: frozenset[str]) -> list[tuple[str, str]]:
    """Return the few states that hold at nearly all acts (ms), but not at that hour on other days."""
    days = around.days
    other = (acts + np.array(_OTHER_DAYS, np.int64)[:, None] * DAY_MS).ravel()
    other = other[days.watched(other)]
    if not len(acts) or not len(other):
        return []
    found: list[tuple[float, tuple[str, str]]] = []
    for index, entity_id in _askable(around, but):
        # Codes begin at -1.
        counts = np.bincount(around.states_at(index, acts - _BEFORE_MS) + 1)
        code, share = int(np.argmax(counts)) - 1, float(counts.max()) / len(acts)
        if code < 0 or share < _KEEPS:
            continue
        usual = float((around.states_at(index, other - _BEFORE_MS) == code).mean())
        if usual <= share / _LEAST_LIFT:
            found.append((usual, (entity_id, around.timeline.states[code])))
    return [what for _, what in sorted(found)[:_MOST_STARTS]]


def _askable(around: Surroundings, but: frozenset[str]) -> list[tuple[int, str]]:
    return [
        (index, entity_id)
        for index, entity_id in enumerate(around.timeline.entities)
        if entity_id not in but and entity_id.partition(".")[0] in _MAY_ASK
    ]


def _best(tried: list[tuple[float, What]]) -> tuple[What, ...]:
    good = sorted((one for one in tried if one[0] < 1.0), key=lambda one: (one[0], str(one[1])))
    return tuple(what for _, what in good[:_MOST])


def _states(
    around: Surroundings, index: int, entity_id: str, at: Int64, wanted: int
) -> list[tuple[float, tuple[str, str]]]:
    codes = around.states_at(index, at - _BEFORE_MS)
    usual = np.flatnonzero(np.bincount(codes[:wanted] + 1)) - 1
    if len(usual) > _MOST_STATES:
        return []
    return [
        (_parts(codes == code, wanted), (entity_id, around.timeline.states[code]))
        for code in usual[usual >= 0].tolist()
    ]


def _bounds(
    entity_id: str, series: Series, at: Int64, wanted: int, usual: Int64
) -> list[tuple[float, Bound]]:
    """Return limits of what it was at the `usual` instants, each with how likely chance parts as well."""
    values, known = series.value_at(at), series.value_at(usual)
    known = known[~np.isnan(known)]
    if len(known) < _KEEPS * len(usual):
        return []
    tried: list[tuple[float, Bound]] = []
    limits = percentiles(known, [*_QUANTILES, *(100 - share for share in _QUANTILES)])
    for lowest, highest in zip(limits[: len(_QUANTILES)], limits[len(_QUANTILES) :], strict=True):
        low, high = series.rounded(lowest), series.rounded(highest)
        tried.append((_parts(values > low, wanted), Bound(entity_id, above=low)))
        tried.append((_parts(values < high, wanted), Bound(entity_id, below=high)))
    return tried


def _parts(inside: Bool, wanted: int) -> float:
    """Return how likely chance drops as many unwanted fires among those dropped; 1 if much is lost.

    The first `wanted` of the fires were wanted.
    """
    unwanted = len(inside) - wanted
    lost = wanted - int(np.count_nonzero(inside[:wanted]))
    spared = unwanted - int(np.count_nonzero(inside[wanted:]))
    if lost > (1 - _KEEPS) * wanted or spared < _LEAST_UNWANTED:
        return 1.0
    return binomial_tail(spared, spared + lost, unwanted / len(inside))
