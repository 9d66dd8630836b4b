"""From targets to habits with evidence: learnt on the first days, replayed on the rest.

What counts as evidence is decided here and in `gates`; nothing is learnt from the held-out days but the final
estimate of a moment that has stood the test.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from app.events import Int64
from app.habits.clock_habits import (
    LEAST_DUE,
    LEAST_KEPT,
    TRIALS_A_WINDOW,
    Found,
    find_clock_habits,
    refit,
    tests_made,
)
from app.habits.days import DAY_TYPES, WEEKLY, Days
from app.habits.drift import Moving, moving
from app.habits.durations import duration_rule
from app.habits.evidence import binomial_tail, discoveries, wilson_lower
from app.habits.habit import CLOCK, SUN, TRIGGER, Conditions, Habit, When
from app.habits.lines import due_as_known, due_instants
from app.habits.localtime import DAY_MS, MINUTE_MS
from app.habits.occupied import AWAKE_MINUTES
from app.habits.replay import AROUND_MS, Played, play_clock, play_reactive
from app.habits.rule import Rule
from app.habits.surroundings import Surroundings
from app.habits.targets import Target
from app.habits.trigger_habits import Sources, find_rules
from app.model import Entity

LEARN_SHARE = 0.7
LEARN_SHARE_MOMENTS = 0.5
FALSE_SHARE = 0.01
"""One in a hundred of what is kept may be chance's."""
REACH_MS = 120 * MINUTE_MS
"""Acts this near a clock habit's moment are its business: outside its quarter of an hour they are missed."""
_HOME_GAIN = 0.05
_HOME_KEEPS = 0.9
_COMMON = tuple(name for name in DAY_TYPES if name not in WEEKLY)


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """The observed days: all of them, those to learn from, and the held-out rest; `cut` (ms) parts them."""

    whole: Days
    learn: Days
    rest: Days
    cut: int

    @classmethod
    def of(cls, days: Days, share: float = LEARN_SHARE) -> "Span":
        cut = days.split(share)
        return cls(days, days.part(days.first - 1, cut), days.part(cut, days.last + 1), cut)

    def for_moments(self, day_type: str) -> "Span":
        """Return the span as a habit of the clock or the sun is judged on it.

        It learns but one number from the first part, so that half the days are enough for it, and twice as
        many can judge it. A single weekday comes round too seldom for that.
        """
        return self if day_type in WEEKLY else Span.of(self.whole, LEARN_SHARE_MOMENTS)

    def for_people(self) -> "Span":
        """Return the span as people's coming and going is judged on it: it learns but one number as well."""
        return Span.of(self.whole, LEARN_SHARE_MOMENTS)


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """Something found for a target, not yet judged against everything else that was tried."""

    target: Target
    found: Found | Rule

    @property
    def p_value(self) -> float:
        return self.found.p_value


@dataclass(slots=True)
class Tried:
    """What was found and how much was tried, in families of tests: many clear daily habits don't let in
    single weekdays that are not, and the hundreds of things that change don't drown the few who come and go.
    """

    clocks: list[Candidate] = field(default_factory=list)
    clock_tests: int = 0
    weekly: list[Candidate] = field(default_factory=list)
    weekly_tests: int = 0
    rules: list[Candidate] = field(default_factory=list)
    rule_tests: Counter[str] = field(default_factory=Counter)
    """By family of triggers, as `rule.family` tells."""
    lengths: list[Candidate] = field(default_factory=list)
    length_tests: int = 0

    @property
    def found(self) -> list[Candidate]:
        return [*self.clocks, *self.weekly, *self.rules, *self.lengths]

    def standing(self) -> list[Candidate]:
        """Return the candidates that beat chance, with everything that was tried in their family counted."""
        stood: list[Candidate] = []
        families = [
            (self.clocks, self.clock_tests),
            (self.weekly, self.weekly_tests),
            (self.lengths, self.length_tests),
        ]
        for name, tests in self.rule_tests.items():
            own = [one for one in self.rules if isinstance(one.found, Rule) and one.found.family == name]
            families.append((own, tests))
        for found, tests in families:
            good = discoveries([candidate.p_value for candidate in found], tests, FALSE_SHARE)
            stood += [candidate for candidate, stands in zip(found, good.tolist(), strict=True) if stands]
        return stood


def learn(
    target: Target,
    span: Span,
    sources: Sources,
    around: Surroundings,
    entities: dict[str, Entity],
    tried: Tried,
    *,
    weekly: bool,
) -> None:
    """Add to `tried` what stands out for one target.

    Whether there is a moment at all, and on which kind of day, is asked of all days: weekends and single
    weekdays come round too seldom to be found on a part of them. When exactly, `as_habit` learns on the
    first part alone. Reactions are found on the first part alone.
    """
    clocks = find_clock_habits(target.acts, span.whole, around.sun, _COMMON, around.occupied)
    tried.clock_tests += tests_made(around.sun, _COMMON)
    if weekly:
        # What is kept too seldom to be offered takes nothing away: Sundays are half of the weekends.
        taken = [habit.explained for habit in clocks if wilson_lower(habit.kept, habit.of) >= LEAST_KEPT]
        left = _without_near(target.acts, taken, span.whole)
        single = find_clock_habits(left, span.whole, None, WEEKLY, around.occupied)
        tried.weekly += [Candidate(target, habit) for habit in single]
        tried.weekly_tests += tests_made(None, WEEKLY)
    tried.clocks += [Candidate(target, habit) for habit in clocks]
    early = target.acts[target.acts < span.cut]
    hours = [stretch for habit in clocks if (stretch := _stretch(habit.when)) is not None]
    rules, tests = find_rules(target, early, sources, around, hours)
    lasting = duration_rule(target, around, entities, span.cut)
    if lasting is not None:
        tried.lengths.append(Candidate(target, lasting))
    tried.length_tests += 1
    tried.rules += [Candidate(target, rule) for rule in rules]
    tried.rule_tests.update(tests)


def as_habit(candidate: Candidate, span: Span, around: Surroundings) -> Habit:
    """Replay a candidate on both parts of the days, and estimate it on all of them."""
    if isinstance(candidate.found, Rule):
        return _reaction(candidate.target, candidate.found, span, around)
    return _clock(candidate.target, candidate.found, span, around)


def confidence(habit: Habit) -> float:
    """Return a lower bound of how often it would be right.

    What learnt but one number from the first days counts them whole; a reaction's trigger and conditions were
    chosen on them, so they count half.
    """
    held, train = habit.held_out, habit.train
    weight = 1.0 if habit.one_number else 0.5
    return wilson_lower(len(held.wanted) + len(train.wanted) * weight, held.fires + train.fires * weight)


def _clock(target: Target, found: Found, whole: Span, around: Surroundings) -> Habit:
    span = whole.for_moments(found.when.day_type)
    moved = moving(found, target.acts, span.whole, span.cut, around)
    if moved is not None:
        return _moving(target, found, moved, span, around)
    early = target.acts[target.acts < span.cut]
    learnt = refit(found, early, span.learn, around.sun, around.occupied)
    conditions = _presence(target, learnt, span, around)
    due = due_as_known(learnt.when, learnt.center, target.acts, span.whole, around.sun, span.cut)
    due = _peopled(due, around, conditions)
    train = _play(target, learnt, span.learn, around, conditions)
    held = play_clock(due[due >= span.cut], target, _acts(target, span.rest), REACH_MS)
    final = refit(learnt, target.acts, span.whole, around.sun, around.occupied)
    played = _play(target, final, span.whole, around, conditions)
    return Habit(
        CLOCK if final.when.anchor == "midnight" else SUN, target, when=final.when, conditions=conditions,
        days_observed=_days_due(played, target, final.when.day_type, whole.whole),
        days_kept=len(played.wanted), spread=final.spread * 60.0, p_value=found.p_value,
        expected=found.expected,
        p_first=learnt.by_itself, train=train, held_out=held, whole=played, explained=final.explained,
        fires=due,
    )  # fmt: skip


def _moving(target: Target, found: Found, moved: Moving, span: Span, around: Surroundings) -> Habit:
    conditions = Conditions(someone_home=True) if found.peopled else Conditions()
    moved = replace(moved, due=_peopled(moved.due, around, conditions))
    whole = moved.played(target, span.whole, REACH_MS)
    return Habit(
        CLOCK, target, when=When("midnight", moved.minutes, moved.day_type), conditions=conditions,
        days_observed=_days_due(whole, target, moved.day_type, span.whole),
        days_kept=len(whole.wanted), spread=moved.spread * 60.0, p_value=found.p_value,
        expected=found.expected, p_first=moved.p_first, train=moved.played(target, span.learn, REACH_MS),
        held_out=moved.played(target, span.rest, REACH_MS), whole=whole, explained=moved.own,
        fires=moved.due, moved=round(moved.moved),
    )  # fmt: skip


def _days_due(played: Played, target: Target, day_type: str, days: Days) -> int:
    """Return on how many days a moment of the clock or the sun was due: not where there was nothing to do.

    A lamp that is on already can't be turned on. But a kettle that happens to be on is soon off whatever the
    hour: where people do it as soon at any time (over waking hours), these days are silent as all others.
    Nor is it a habit of every day or weekend if there is something to do on fewer than half of them.
    """
    able, of_kind = played.days - played.already, len(days.of_type(day_type))
    if able < LEAST_DUE * of_kind:
        return of_kind
    waking = max(target.otherwise(days.first, days.last) * AWAKE_MINUTES / 1440, 1.0)
    chance = -np.expm1(-len(target.acts) / waking * 2 * AROUND_MS)
    tail = binomial_tail(len(played.wanted), able, float(chance))
    p_value = tail * TRIALS_A_WINDOW * DAY_MS / (2 * AROUND_MS)
    return able if p_value <= FALSE_SHARE else played.days


def _acts(target: Target, days: Days) -> Int64:
    return target.acts[days.watched(target.acts)]


def _peopled(due: Int64, around: Surroundings, conditions: Conditions) -> Int64:
    if conditions.someone_home is not None and (home := around.someone_home(due)) is not None:
        due = due[home == conditions.someone_home]
    return due


def _play(target: Target, found: Found, days: Days, around: Surroundings, conditions: Conditions) -> Played:
    fires = _peopled(due_instants(found.when, days, around.sun), around, conditions)
    return play_clock(fires, target, _acts(target, days), REACH_MS)


def _presence(target: Target, found: Found, span: Span, around: Surroundings) -> Conditions:
    """Ask for somebody at home if that clearly makes it more right on the days to learn from, or if people
    never did it then with nobody home: it isn't known to be wanted where it was never seen.
    """
    alone = Conditions()
    if around.presence is None:
        return alone
    peopled = replace(alone, someone_home=True)
    due = due_instants(found.when, span.whole, around.sun)
    without = _play(target, found, span.learn, around, alone)
    with_home = _play(target, found, span.learn, around, peopled)
    # What would never have mattered isn't asked for.
    comes_up = len(_peopled(due, around, Conditions(someone_home=False))) > 0
    if found.peopled:
        return peopled if comes_up else alone
    better = with_home.precision >= without.precision + _HOME_GAIN
    keeps = len(with_home.wanted) >= _HOME_KEEPS * len(without.wanted)
    loses = len(with_home.wanted) < len(without.wanted)
    return peopled if (better and keeps) or (comes_up and not loses) else alone


def _reaction(target: Target, rule: Rule, span: Span, around: Surroundings) -> Habit:
    def played(days: Days) -> Played:
        acts = target.acts[days.watched(target.acts)]
        return play_reactive(rule.fires(days.watched(rule.known.at)), target, acts, days.count, rule.reach)

    if rule.one_number:
        span = span.for_people()
    whole, train = played(span.whole), played(span.learn)
    local = around.days.local
    kept = np.unique(local.days(whole.wanted))
    came_up = np.union1d(kept, local.days(whole.unwanted))
    return Habit(
        TRIGGER, target, trigger=rule.trigger, conditions=rule.conditions,
        days_observed=len(came_up), days_kept=len(kept), spread=rule.lag_spread, lag=rule.lag,
        p_value=rule.p_value, expected=rule.expected, train=train, held_out=played(span.rest),
        p_first=rule.by_itself(train) if rule.one_number else 0.0,
        whole=whole, explained=whole.met, fires=rule.fires(span.whole.watched(rule.known.at)),
    )  # fmt: skip


def _stretch(when: When) -> tuple[int, int] | None:
    """Return the hours around a moment of the clock, in half hours: an hour or more on either side."""
    if when.anchor != "midnight":
        return None
    return (when.minutes - 60) // 30 * 30 % 1440, -(-(when.minutes + 60) // 30) * 30 % 1440


def _without_near(acts: Int64, taken: list[Int64], days: Days) -> Int64:
    """Leave out acts at the hours of habits found already, on whatever day: they are those habits' own."""
    keep = np.ones(len(acts), np.bool_)
    minutes = days.local.minutes(acts)
    for own in taken:
        if len(own):
            middle = float(np.median(days.local.minutes(own)))
            keep &= np.abs((minutes - middle + 720) % 1440 - 720) > REACH_MS / MINUTE_MS / 2
    return acts[keep]
