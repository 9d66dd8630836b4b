"""The search for conditions: one split at a time, and only one that would have helped in both halves.

A condition is chosen on the days to learn from. It has to make the rule more precise in the first and in the
second half of them, so that it isn't fitted to one odd week; the held-out days judge the result afterwards.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from app.events import Int64
from app.habits.evidence import binomial_tail, wilson_lower
from app.habits.habit import Conditions
from app.habits.localtime import Float64
from app.habits.replay import Played, play_reactive
from app.habits.targets import Target
from app.habits.triggers import Known

_QUIET = (5, 10, 15, 30, 60, 120)
_AWAY = (5, 15, 30, 60, 120, 240, 480)
_MOST = 3
_LEAST_GAIN = 0.04
_BY_CHANCE = 0.05
_TRIED = 20
"""About as many candidates are tried for each condition that is added."""
_LEAST_KEPT_COVERAGE = 0.7
_PRECISION_WEIGHT = 0.5
_HOURS_SHARE = 0.95
_LONGEST_HOURS = 720
_HALF_HOUR = 30


def worth(played: Played) -> float:
    """Return one number for a rule: van Rijsbergen's F with precision weighing double, on a lower bound.

    A wrong fire annoys; a missed one costs a press.
    """
    precision = wilson_lower(len(played.wanted), played.fires)
    coverage = played.coverage
    weight = _PRECISION_WEIGHT**2
    below = weight * precision + coverage
    return (1 + weight) * precision * coverage / below if below else 0.0


def search(
    known: Known, inside: np.ndarray[tuple[int], np.dtype[np.bool_]], target: Target, acts: Int64,
    start: Conditions,
) -> tuple[Conditions, Played]:  # fmt: skip
    """Add conditions to `start` as long as one more helps clearly; return them and their replay.

    `inside` marks the trigger's instants of the days to learn from, `acts` are those days' intents.
    """
    conditions = start
    played = play_reactive(known.at[inside & known.hold(conditions)], target, acts)
    middle = int(np.median(acts)) if len(acts) else 0
    early, late = inside & (known.at < middle), inside & (known.at >= middle)
    halves = ((early, acts[acts < middle]), (late, acts[acts >= middle]))
    for _ in range(_MOST):
        best, best_played = conditions, played
        for candidate in _one_more(conditions, known, played):
            hold = known.hold(candidate)
            tried = play_reactive(known.at[inside & hold], target, acts)
            if worth(tried) <= worth(best_played) or tried.coverage < _LEAST_KEPT_COVERAGE * played.coverage:
                continue
            if not _clearly_better(tried, played):
                continue
            before = known.hold(conditions)
            if all(
                play_reactive(known.at[part & hold], target, own).precision
                > play_reactive(known.at[part & before], target, own).precision
                for part, own in halves
            ):
                best, best_played = candidate, tried
        if best == conditions:
            break
        conditions, played = best, best_played
    return conditions, played


def _clearly_better(tried: Played, before: Played) -> bool:
    """Return whether what a condition leaves out is so much worse than the rest that it isn't chance.

    Of the fires that it drops, as many unwanted ones have to be among them as dropping any would hardly ever
    give: a condition that happens to cut off two of three mistakes is no condition.
    """
    gain = wilson_lower(len(tried.wanted), tried.fires) - wilson_lower(len(before.wanted), before.fires)
    spared = len(before.unwanted) - len(tried.unwanted)
    lost = max(0, len(before.wanted) - len(tried.wanted))
    if gain < _LEAST_GAIN or spared <= 0:
        return False
    share = len(before.unwanted) / before.fires
    return binomial_tail(spared, spared + lost, share) * _TRIED <= _BY_CHANCE


def _one_more(conditions: Conditions, known: Known, played: Played) -> Iterator[Conditions]:
    if conditions.quiet is None:
        yield from (replace(conditions, quiet=minutes) for minutes in _QUIET)
    if conditions.away is None:
        yield from (replace(conditions, away=minutes) for minutes in _AWAY)
    if conditions.hours is None:
        hits = known.minute[np.isin(known.at, played.wanted)]
        if (hours := _arc(hits)) is not None:
            yield replace(conditions, hours=hours)
    if conditions.day_type == "daily":
        yield replace(conditions, day_type="workdays")
        yield replace(conditions, day_type="weekends")
    if conditions.dark is None and known.dark is not None:
        yield replace(conditions, dark=True)
        yield replace(conditions, dark=False)
    if not conditions.someone_home and known.home is not None:
        yield replace(conditions, someone_home=True)


def _arc(minutes: Float64) -> tuple[int, int] | None:
    """Return the shortest stretch of the day with nearly all hits, widened to half hours, if it is short."""
    if len(minutes) < 6:
        return None
    ordered = np.sort(minutes)
    need = int(np.ceil(_HOURS_SHARE * len(ordered)))
    around = np.concatenate([ordered, ordered + 1440])
    widths = around[need - 1 : need - 1 + len(ordered)] - ordered
    where = int(np.argmin(widths))
    low = int(ordered[where] // _HALF_HOUR * _HALF_HOUR)
    high = int(-(-(ordered[where] + widths[where] + 1) // _HALF_HOUR) * _HALF_HOUR)
    if high - low > _LONGEST_HOURS:
        return None
    return low, high % 1440
