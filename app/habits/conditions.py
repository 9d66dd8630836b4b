"""The search for conditions: one split at a time, and only one that would have helped in both halves.

A condition is chosen on the days to learn from. It has to make the rule more precise in the first and in the
second half of them, so that it isn't fitted to one odd week; the held-out days judge the result afterwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np

from app.events import Int64
from app.habits.evidence import binomial_tail, wilson_lower
from app.habits.habit import Conditions
from app.habits.localtime import Bool, Float64
from app.habits.replay import Played, play_reactive
from app.habits.splits import Splits, light_limits, splits
from app.habits.surroundings import Known
from app.habits.targets import Target

_QUIET = (5, 10, 15, 30, 60, 120)
_AWAY = (5, 15, 30, 60, 120, 240, 480)
_MOST = 3
_HOPELESS = 0.3
_GOOD_ENOUGH = 0.9
_LEAST_GAIN = 0.04
_LEAST_WORTH = 0.04
_BY_CHANCE = 0.05
_TRIED = 20
"""About as many candidates are tried for each condition that is added; those of `splits` come on top."""
_LEAST_KEPT_COVERAGE = 0.7
_PRECISION_WEIGHT = 0.5
_HOURS_SHARE = 0.95
_BUSY_SHARES = (0.75, 0.9)
_LONGEST_HOURS = 720
_HALF_HOUR = 30
_LEAST_SEEN = 20
_LONG_GAP = 360.0
"""Minutes: hours as long as a night in which people never did it, of twenty times and more."""


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
    known: Known, inside: Bool, target: Target, acts: Int64, start: Conditions, trigger: str
) -> tuple[Conditions, Played]:
    """Add conditions to `start` as long as one more helps clearly; return them and their replay.

    `inside` marks the trigger's instants of the days to learn from, `acts` are those days' intents;
    `trigger` is the entity that triggers.
    """
    conditions = start
    played = play_reactive(known.at[inside & known.hold(conditions)], target, acts)
    but = frozenset({trigger, *target.entities})
    wide = False
    while asked(conditions) - asked(start) < _MOST:
        offered = Splits()
        if wide and conditions.state is None and conditions.number is None:
            offered = splits(known.around, played.wanted, played.unwanted, but)
        elif conditions.dark is None and conditions.number is None and _hopeful(played):
            # Whether it is dark is asked of the sun and of the sensors at once: who asks first wins.
            offered = light_limits(known.around, acts, played.wanted, played.unwanted)
        candidates = [
            *_one_more(conditions, known, played),
            *(replace(conditions, state=state) for state in offered.states),
            *(replace(conditions, number=bound) for bound in offered.bounds),
        ]
        trial = _Trial(known, inside, target, acts, conditions, played)
        better = trial.best(candidates, _TRIED + offered.looked_at)
        if better is not None:
            conditions, played = better
        elif wide or not _hopeful(played):
            break
        else:
            # The rest of the home is asked last: what the clock and the sun tell needs no other entity.
            wide = True
    return _earned(conditions, played, known, inside, target, acts)


def _hopeful(played: Played) -> bool:
    """Return whether one more condition may make it good, and it isn't good already."""
    return _HOPELESS <= played.precision <= _GOOD_ENOUGH


def _earned(
    conditions: Conditions, played: Played, known: Known, inside: Bool, target: Target, acts: Int64
) -> tuple[Conditions, Played]:
    """Leave out again what the rule is hardly better for, beginning with where the search began."""
    plain = Conditions()
    for one in fields(conditions):
        if getattr(conditions, one.name) == getattr(plain, one.name):
            continue
        without = replace(conditions, **{one.name: getattr(plain, one.name)})
        loose = play_reactive(known.at[inside & known.hold(without)], target, acts)
        if worth(loose) >= worth(played) - _LEAST_WORTH:
            conditions, played = without, loose
    return conditions, played


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """One round: the conditions so far, and what they were worth."""

    known: Known
    inside: Bool
    target: Target
    acts: Int64
    conditions: Conditions
    played: Played

    def best(self, candidates: list[Conditions], tried: int) -> tuple[Conditions, Played] | None:
        best: tuple[Conditions, Played] | None = None
        for candidate in candidates:
            hold = self.known.hold(candidate)
            played = self._play(self.inside & hold, self.acts)
            if worth(played) <= worth(best[1] if best else self.played):
                continue
            if played.coverage < _LEAST_KEPT_COVERAGE * self.played.coverage:
                continue
            if clearly_better(played, self.played, tried) and self._helps_both_halves(hold):
                best = candidate, played
        return best

    def _helps_both_halves(self, hold: Bool) -> bool:
        before = self.known.hold(self.conditions)
        middle = int(np.median(self.acts))
        early = self.known.at < middle
        for part, own in ((early, self.acts[self.acts < middle]), (~early, self.acts[self.acts >= middle])):
            half = self.inside & part
            if self._play(half & hold, own).precision <= self._play(half & before, own).precision:
                return False
        return True

    def _play(self, chosen: Bool, acts: Int64) -> Played:
        return play_reactive(self.known.at[chosen], self.target, acts)


def asked(conditions: Conditions) -> int:
    """Return how many conditions there are."""
    plain = Conditions()
    return sum(getattr(conditions, one.name) != getattr(plain, one.name) for one in fields(conditions))


def clearly_better(tried: Played, before: Played, candidates: int) -> bool:
    """Return whether what a condition leaves out is so much worse than the rest that it isn't chance.

    Of the fires that it drops, as many unwanted ones have to be among them as dropping any would hardly ever
    give: a condition that happens to cut off two of three mistakes is no condition.
    """
    gain = wilson_lower(len(tried.wanted), tried.fires) - wilson_lower(len(before.wanted), before.fires)
    spared = len(before.unwanted) - len(tried.unwanted)
    lost = max(0, len(before.wanted) - len(tried.wanted))
    if gain < _LEAST_GAIN or spared <= 0 or not before.fires:
        return False
    if len(tried.wanted) > len(before.wanted) and beyond(tried, before, candidates):
        # What fired in vain before had used up the chance: it comes up more often now, which tells as well.
        return True
    share = len(before.unwanted) / before.fires
    return binomial_tail(spared, spared + lost, share) * candidates <= _BY_CHANCE


def beyond(tried: Played, before: Played, candidates: int) -> bool:
    """Return whether a rule is right more often than the other's share of right fires would let it be."""
    return binomial_tail(len(tried.wanted), tried.fires, before.precision) * candidates <= _BY_CHANCE


def _one_more(conditions: Conditions, known: Known, played: Played) -> Iterator[Conditions]:
    if conditions.quiet is None:
        yield from (replace(conditions, quiet=minutes) for minutes in _QUIET)
    if conditions.away is None:
        yield from (replace(conditions, away=minutes) for minutes in _AWAY)
    if conditions.hours is None:
        hits = known.minute[np.isin(known.at, played.wanted)]
        if (hours := _arc(hits, _HOURS_SHARE)) is not None:
            yield replace(conditions, hours=hours)
    if conditions.day_type == "daily":
        yield replace(conditions, day_type="workdays")
        yield replace(conditions, day_type="weekends")
    if conditions.dark is None and known.dark is not None:
        yield replace(conditions, dark=True)
        yield replace(conditions, dark=False)
    if conditions.someone_home is None and known.home is not None:
        yield replace(conditions, someone_home=True)
        yield replace(conditions, someone_home=False)


def where_seen(
    conditions: Conditions, played: Played, known: Known, inside: Bool, target: Target, acts: Int64
) -> tuple[Conditions, Played]:
    """Keep a rule to the hours in which people ever wanted it, where it fired in vain in the rest.

    That is no choice among many that has to beat chance, but how far the evidence reaches: what is never done
    from eleven at night to half past nine isn't known to be wanted at four because somebody passes a sensor
    once. It must not cost a single act. A rule for the dark is left alone: its hours move with the year.
    """
    if conditions.hours is not None or conditions.dark is not None or len(played.wanted) < _LEAST_SEEN:
        return conditions, played
    minutes = np.sort(known.minute[np.isin(known.at, played.wanted)])
    gaps = np.diff(minutes, append=minutes[0] + 1440.0)
    where = int(np.argmax(gaps))
    if gaps[where] < _LONG_GAP:
        return conditions, played
    low, high = minutes[(where + 1) % len(minutes)] - _HALF_HOUR, minutes[where] + _HALF_HOUR
    hours = (int(low // _HALF_HOUR) * _HALF_HOUR % 1440, -int(-high // _HALF_HOUR) * _HALF_HOUR % 1440)
    narrow = replace(conditions, hours=hours)
    hold = known.hold(narrow)
    if not np.isin(played.unwanted, known.at[~hold]).any():
        return conditions, played
    seen = play_reactive(known.at[inside & hold], target, acts)
    no_worse = seen.precision >= played.precision and seen.coverage >= played.coverage
    return (narrow, seen) if no_worse else (conditions, played)


def busy_hours(minutes: Float64) -> list[tuple[int, int]]:
    """Return the hours of most and of nearly all acts, if these aren't all day: a search may begin there."""
    arcs = [_arc(minutes, share) for share in _BUSY_SHARES]
    return list(dict.fromkeys(arc for arc in arcs if arc is not None))


def _arc(minutes: Float64, share: float) -> tuple[int, int] | None:
    """Return the shortest stretch of the day with that share of them, in half hours, if it is short."""
    if len(minutes) < 6:
        return None
    ordered = np.sort(minutes)
    need = int(np.ceil(share * len(ordered)))
    around = np.concatenate([ordered, ordered + 1440])
    widths = around[need - 1 : need - 1 + len(ordered)] - ordered
    where = int(np.argmin(widths))
    low = int(ordered[where] // _HALF_HOUR * _HALF_HOUR)
    high = int(-(-(ordered[where] + widths[where] + 1) // _HALF_HOUR) * _HALF_HOUR)
    if high - low > _LONGEST_HOURS:
        return None
    return low, high % 1440
