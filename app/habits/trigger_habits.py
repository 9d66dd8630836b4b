"""Habits of reaction: when A happens, people do B.

A trigger is an opportunity only if the target isn't already as wanted, and of those only the first one after
the target was left (the rest finds it done). What of it beats chance is told by `lags`.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from app.events import Int64
from app.habits.conditions import beyond, busy_hours, search, where_seen, worth
from app.habits.crossings import Crossings
from app.habits.days import DAY_TYPES, Days
from app.habits.evidence import binomial_tail, spread
from app.habits.groups import ECHO_MS
from app.habits.habit import Conditions
from app.habits.lags import FURTHEST_MS, LEAST_HITS, WINDOWS_TESTED, Tested, tested_lags
from app.habits.lengths import lasting_kinds
from app.habits.localtime import MINUTE_MS, Bool, weekdays
from app.habits.opportunities import Opportunities
from app.habits.replay import AFTER_MS, Played, play_reactive
from app.habits.rule import LIMITS, PEOPLE, THINGS, Rule, family
from app.habits.splits import telling_states
from app.habits.surroundings import Known, Surroundings
from app.habits.targets import Target
from app.habits.triggers import Kind, Stream, is_actuator

_START_QUIET = (None, 5, 15, 60)
_LEAST_ACTS = 6
_LEAST_SHARE = 0.08
_MOST_KINDS = 24
_LEAST_DAYS = 4
_MOSTLY_AFTER = 0.67
_LEAST_PRECISION = 0.3
_START_AWAY = 120
_MOST_STARTS = 3
_DAYS_SHARE = 0.85
_BY_CHANCE = 0.01
_DELAY_FROM_MS = 90_000
_DELAY_TIGHT = 0.7
_HELD_SHARE = 0.9
_HARDLY_LESS = 0.93


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """What may come before an act, on the days to learn from. `devices` maps entities to their devices."""

    stream: Stream
    crossings: Crossings
    devices: dict[str, str]

    @property
    def until(self) -> int:
        """When (ms) the days to learn from end."""
        return self.crossings.until


def find_rules(
    target: Target, acts: Int64, sources: Sources, around: Surroundings, hours: list[tuple[int, int]]
) -> tuple[list[Rule], dict[str, int]]:
    """Return the reactions that lead to `target`, and how many tests were made in each family of triggers.

    `acts` (ms) are the intents of the days to learn from. A device's own sensors follow its switch, they
    don't cause it. `hours` are stretches of the day (local minutes) in which people often do this: a search
    may begin there.
    """
    if len(acts) < _LEAST_ACTS:
        return [], {}
    stream, devices, until = sources.stream, sources.devices, sources.until
    own = {devices[entity_id] for entity_id in target.entities if entity_id in devices}
    starts = [Conditions(quiet=quiet) for quiet in _START_QUIET]
    if around.sun is not None:
        # By day it is left undone, and of each cycle only the first opportunity counts.
        starts.append(Conditions(dark=True))
    if around.presence is not None:
        starts.append(Conditions(someone_home=True))
    starts += [Conditions(hours=usual) for usual in busy_hours(around.days.local.minutes(acts))]
    # "The first of the morning": neither the hours nor the idle time helps without the other.
    starts += [Conditions(hours=stretch, away=_START_AWAY) for stretch in dict.fromkeys(hours)]
    starts += [Conditions(state=state) for state in telling_states(around, acts, frozenset(target.entities))]
    days = _telling_days(acts, around.days)
    starts = [replace(start, day_type=days) for start in starts]
    rules: list[Rule] = []
    lasting = lasting_kinds(stream.kinds, acts)
    kinds = _near(acts, stream, until) + sources.crossings.before(acts, FURTHEST_MS, _enough(acts)) + lasting
    for kind in kinds:
        if kind.entity_id in target.entities or devices.get(kind.entity_id) in own:
            continue
        rule = _rule(kind, target, acts, around, until, starts)
        if rule is not None:
            rules.append(rule)
    of_people = sum(family(kind.trigger) == PEOPLE for kind in stream.kinds)
    tried = {
        PEOPLE: of_people,
        LIMITS: sources.crossings.tried,
        THINGS: len(stream.kinds) - of_people,
    }
    return rules, {name: count * WINDOWS_TESTED * len(starts) for name, count in tried.items()}


def _telling_days(acts: Int64, days: Days) -> str:
    """Return the kind of day that the acts themselves tell, whatever comes before them; else `daily`.

    What is done on weekends alone is left undone from Monday to Friday, and of each cycle only the first
    opportunity counts: weekdays would use up the weekend's.
    """
    numbers = np.unique(days.local.days(acts))
    at, observed = weekdays(numbers), weekdays(days.numbers[days.observed])
    for name in ("workdays", "weekends"):
        kept, usual = int(np.isin(at, DAY_TYPES[name]).sum()), np.isin(observed, DAY_TYPES[name]).mean()
        if kept >= _DAYS_SHARE * len(at) and 2 * binomial_tail(kept, len(at), float(usual)) <= _BY_CHANCE:
            return name
    return "daily"


def _enough(acts: Int64) -> float:
    """Return before how many of the acts something has to come to be looked at."""
    return max(LEAST_HITS, _LEAST_SHARE * len(acts))


def _near(acts: Int64, stream: Stream, until: int) -> list[Kind]:
    """Return the kinds that come before enough of the acts, the most beyond their frequency first.

    One backward window join over the whole stream.
    """
    low = np.searchsorted(stream.at, acts - AFTER_MS, "left")
    high = np.searchsorted(stream.at, acts, "left")
    counts = high - low
    which = np.repeat(np.arange(len(acts)), counts)
    rows = np.repeat(low, counts) + np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    size = max(len(stream.kinds), 1)
    pairs = np.unique(which * size + stream.kind[rows])
    hits = np.bincount(pairs % size, minlength=size)
    span = max(until - int(stream.at[0]), 1) if len(stream.at) else 1
    total = np.bincount(stream.kind, minlength=size)
    expected = len(acts) * (1.0 - np.exp(-total * (AFTER_MS / span)))
    enough = np.flatnonzero(hits >= _enough(acts))
    order = enough[np.argsort(-hits[enough] / np.maximum(expected[enough], 0.1), kind="stable")]
    return [stream.kinds[int(i)] for i in order[:_MOST_KINDS]]


def _rule(
    kind: Kind, target: Target, acts: Int64, around: Surroundings, until: int, starts: list[Conditions]
) -> Rule | None:
    inside = (kind.at < until) & around.days.watched(kind.at)
    if is_actuator(kind.entity_id):
        inside &= ~_echoes(kind.at, acts)
    asked = Opportunities.of(kind.at, inside, target)
    # What cannot have enough hits in any window is not looked at further: most kinds, and most starts.
    followed = asked.followed(FURTHEST_MS)
    if followed.cycles(inside) < LEAST_HITS:
        return None
    known = around.known(kind, target)
    # Worked out at most once, and for most kinds never.
    elsewhere = cache(lambda: Opportunities.on_other_days(kind.at, inside, target, around.days, until))
    rate = int(np.searchsorted(target.acts, until)) / max(until - around.days.first, 1)
    telling: list[tuple[Tested, Conditions]] = []
    for start in starts:
        if start.state is not None and start.state[0] == kind.entity_id:
            continue
        chosen = inside & known.hold(start)
        if followed.cycles(chosen) < LEAST_HITS:
            continue
        tested = tested_lags(chosen, asked, elsewhere, rate)
        if tested is not None:
            telling.append((tested, start))
    if not telling:
        return None
    telling.sort(key=lambda one: one[0].p_value)
    best = telling[0][0]
    begun = [start for _, start in telling[:_MOST_STARTS]]
    conditions, played = _searched(known, inside, target, acts, kind.entity_id, starts, begun)
    conditions, played = where_seen(conditions, played, known, inside, target, acts)
    after = played.met >= played.wanted
    lags = (played.met - played.wanted)[after] / 1000.0
    if not _often(played, around) or played.precision < _LEAST_PRECISION:
        return None
    rule = Rule(
        kind,
        kind.trigger,
        conditions,
        known,
        played,
        best.p_value,
        best.expected,
        float(np.median(lags)),
        spread((played.met - played.wanted) / 1000.0),
        window=best.window,
    )
    return _with_delay(_on_all_days(rule, target, around), target, acts, inside)


def _on_all_days(rule: Rule, target: Target, around: Surroundings) -> Rule:
    """Ask all days whether people's coming or going is followed by it at all, as it is asked of the clock.

    They come and go too seldom for a part of the days; that part has to show it as well (`Rule.by_itself`).
    """
    if not rule.one_number:
        return rule
    at, days = rule.known.at, around.days
    inside = days.watched(at)
    tested = tested_lags(
        inside,
        Opportunities.of(at, inside, target),
        lambda: Opportunities.on_other_days(at, inside, target, days, days.last),
        len(target.acts) / max(days.last - days.first, 1),
    )
    if tested is None:
        return rule
    return replace(rule, p_value=tested.p_value, expected=tested.expected, window=tested.window)


def _searched(
    known: Known,
    inside: Bool,
    target: Target,
    acts: Int64,
    trigger: str,
    starts: list[Conditions],
    begun: list[Conditions],
) -> tuple[Conditions, Played]:
    """Search for conditions from the plain start (the first) and from those of `begun`; return the best.

    The starts that convince most are only where a search may begin: each has to be worth its conditions.
    """
    plain = best = search(known, inside, target, acts, starts[0], trigger)
    if not _often(plain[1], known.around):
        # Four times of four are no rule: they must not stand in the way of one that holds more.
        bare = play_reactive(known.at[inside & known.hold(starts[0])], target, acts)
        plain = best = starts[0], bare
    for start in begun:
        if start == starts[0]:
            continue
        narrow = search(known, inside, target, acts, start, trigger)
        if not _often(narrow[1], known.around):
            continue
        if worth(narrow[1]) > worth(best[1]) and beyond(narrow[1], plain[1], len(starts)):
            best = narrow
    return best


def _often(played: Played, around: Surroundings) -> bool:
    """Return whether people did it after it often enough, and on enough days, to speak of a habit.

    What comes after the act as often as before it is no occasion: the door that they close behind them.
    """
    met = played.met[played.met >= played.wanted]
    if len(met) < max(LEAST_HITS, _MOSTLY_AFTER * len(played.met)):
        return False
    return len(np.unique(around.days.local.days(met))) >= _LEAST_DAYS


def _echoes(at: Int64, acts: Int64) -> Bool:
    """Return which triggers are the same press as an act: one switch that moves both."""
    low = acts.searchsorted(at - ECHO_MS, "left")
    high = acts.searchsorted(at + ECHO_MS, "right")
    return np.asarray(high > low, np.bool_)


def _with_delay(rule: Rule, target: Target, acts: Int64, inside: Bool) -> Rule:
    """Let the automation wait as people do, if they do so steadily and it costs nothing."""
    if rule.kind.waited or rule.lag * 1000 < _DELAY_FROM_MS or rule.lag_spread > _DELAY_TIGHT * rule.lag:
        return rule
    after = rule.played.met >= rule.played.wanted
    lags = (rule.played.met - rule.played.wanted)[after]
    delay = round(float(np.percentile(lags, 25)) / MINUTE_MS) * 60
    if not delay:
        return rule
    hits = np.isin(rule.known.at, rule.played.wanted[after])
    lasted = (rule.known.until - rule.known.at)[hits] >= delay * 1000
    held = bool(lasted.mean() >= _HELD_SHARE)
    waiting = replace(rule, trigger=replace(rule.trigger, delay=delay, held=held))
    played = play_reactive(waiting.fires(inside), target, acts)
    # Acts that people do sooner than it would spoil a fire without one being wrong that was right before.
    if played.precision < _HARDLY_LESS * rule.played.precision or (
        played.coverage < _HARDLY_LESS * rule.played.coverage
    ):
        return rule
    return replace(waiting, played=played)
