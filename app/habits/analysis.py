"""One night's analysis: a pure function from a home's past to suggestions.

No database, no clock, no network: `as_of` is in the snapshot, and the same snapshot gives the same result.
"""

from dataclasses import dataclass, replace

import numpy as np

from app.clock import to_ms
from app.events import Int64
from app.habits import safety
from app.habits.automation import automation_of
from app.habits.crossings import Crossings
from app.habits.days import Days, observe
from app.habits.facts import facts_of, habit_json, identities
from app.habits.gates import failed
from app.habits.goings import as_people_move, goings, keeps_the_hour
from app.habits.habit import TRIGGER, Habit
from app.habits.known import (
    Known,
    done_already,
    known_effects,
    machine_does,
    mostly_of,
    never_fails,
)
from app.habits.learning import Candidate, Span, Tried, as_habit, confidence, learn
from app.habits.localtime import LocalTime
from app.habits.merge import Dropped, explain_away
from app.habits.notes import notes_of
from app.habits.numbers import Measuring
from app.habits.offers.conflicts import Beside
from app.habits.offers.excluded import Excluded
from app.habits.offers.watched import Runs
from app.habits.offers.watching import Scene as Watching
from app.habits.offers.watching import watch
from app.habits.routines import routines
from app.habits.snapshot import Progress, Snapshot
from app.habits.suggestion import Analysed, Analysis, Evidence, Replay, SetAside, Suggestion
from app.habits.sun import sun_times
from app.habits.surroundings import Surroundings
from app.habits.targets import Target, find_targets
from app.habits.timeline import Timeline
from app.habits.trigger_habits import Sources
from app.habits.triggers import presence, trigger_stream
from app.model import Home
from app.words.templates import words_for

LEAST_DAYS = 13
"""Fourteen days of history hold thirteen whole ones wherever they begin."""
LEAST_DAYS_WEEKLY = 20
_MOST_DATES = 100
_THERE = frozenset({"motion", "occupancy", "presence", "moving", "vibration"})
_NEVER_FAILS_SAID = "an automation or another app does it: it never fails"
_TO_THE_SECOND = 10.0
"""People do nothing within ten seconds of the same time of day, day after day."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """All that the steps share."""

    home: Home
    causes_known: bool
    timeline: Timeline
    days: Days
    around: Surroundings
    targets: list[Target]
    excluded: Excluded


def analyse_home(snapshot: Snapshot, progress: Progress | None = None) -> Analysis:
    """Find what people do again and again, test it, and return what is worth offering."""
    tell = progress or (lambda _step, _done, _of: None)
    tell("Reading", 0, 1)
    scene = prepare(snapshot)
    analysed = _analysed(scene, snapshot)
    explain = snapshot.explain
    tell("Looking after automations", 0, 1)
    watching = _watching(scene, snapshot)
    watched = watch(watching, snapshot.accepted)
    # The timeline holds what is needed of the events: who hands them over and forgets them frees a third of
    # the memory.
    del snapshot
    if scene.days.count < LEAST_DAYS:
        return Analysis(analysed=analysed, patterns_detected=0, suggestions=[], watched=watched)
    span = Span.of(scene.days)
    tried = _learn(scene, span, tell)
    habits = []
    stood = tried.standing()
    for done, candidate in enumerate(stood):
        tell("Replaying", done, len(stood))
        habits.append(as_habit(candidate, span, scene.around))
    aside = [] if not explain else _beaten(tried.found, stood, span, scene)
    offered, why = _select(habits, scene)
    offered = routines(offered, span)
    suggestions = _suggestions(offered, scene, Beside(watching))
    tell("Replaying", len(stood), len(stood))
    return Analysis(
        analysed=analysed,
        patterns_detected=len(stood),
        suggestions=suggestions,
        set_aside=(why + aside) if explain else [],
        notes=notes_of(scene.targets, offered, scene.days, scene.home),
        watched=watched,
    )


def prepare(snapshot: Snapshot) -> Scene:
    home = snapshot.home
    until = to_ms(snapshot.as_of)
    events = snapshot.events.between(-(1 << 62), until + 1)
    timeline = Timeline.of(events)
    first, last = (int(events.at[0]), int(events.at[-1])) if len(events) else (until, until)
    local = LocalTime.over(home.zone, first, last)
    days = observe(events, timeline, local, until)
    sun = sun_times(home.place, home.zone, days.numbers) if home.place and len(days.numbers) else None
    numbers = snapshot.numbers
    if numbers is None:
        measuring = Measuring(home)
        measuring.add(events)
        numbers = measuring.series()
    around = Surroundings(timeline, days, sun, presence(timeline), numbers)
    excluded = Excluded(home, snapshot.excluded)
    targets = [_without(target, excluded) for target in find_targets(snapshot, timeline, days)]
    return Scene(home, snapshot.causes_known, timeline, days, around, targets, excluded)


def _watching(scene: Scene, snapshot: Snapshot) -> Watching:
    """Return what is needed to say what the home's automations did of late, over the same timeline."""
    until = to_ms(snapshot.as_of)
    runs = snapshot.runs or Runs.of(snapshot.events, scene.home, until)
    return Watching(scene.home, scene.around, runs, scene.causes_known, until)


def _without(target: Target, excluded: Excluded) -> Target:
    """Return the group without what people excluded; whole if nothing would be left, to be set aside."""
    left = tuple(entity_id for entity_id in target.entities if excluded.why(entity_id) is None)
    return target if len(left) in {0, len(target.entities)} else replace(target, entities=left)


def _analysed(scene: Scene, snapshot: Snapshot) -> Analysed:
    days = scene.days
    notes: list[str] = []
    if not snapshot.causes_known:
        notes.append(
            "The source doesn't tell who acted: every change of an actuator was taken for a person's,"
            " so an automation's work may look like a habit."
        )
    if days.count < LEAST_DAYS:
        notes.append(
            f"{days.count} whole days were observed: daily habits need 14 days of history, weekly ones 21."
        )
    elif days.count < LEAST_DAYS_WEEKLY:
        notes.append(
            f"{days.count} whole days were observed: daily habits were looked for;"
            " habits of a single weekday need three weeks."
        )
    unobserved = int((~days.observed).sum())
    if unobserved > 2:
        notes.append(f"{unobserved} days were left out as not observed (down, away, or in part).")
    if snapshot.home.place is None:
        notes.append("The home's place isn't known, so nothing was looked for around sunrise and sunset.")
    events = len(snapshot.events)
    return Analysed(
        events=events if snapshot.rows is None else snapshot.rows,
        entities=len(snapshot.events.entities),
        days=days.count,
        first=days.local.text(days.first) if events else None,
        last=days.local.text(days.last) if events else None,
        notes=notes,
    )


def _learn(scene: Scene, span: Span, tell: Progress) -> Tried:
    home = scene.home
    stream = trigger_stream(scene.timeline, home, float(scene.days.count), scene.around.presence)
    entities = {entity.entity_id: entity for entity in home.entities}
    devices = {name: one.device_id for name, one in entities.items() if one.device_id}
    sources = Sources(stream, Crossings(scene.around.numbers, span.cut), devices)
    weekly = scene.days.count >= LEAST_DAYS_WEEKLY
    tried = Tried()
    for done, target in enumerate(scene.targets):
        tell("Looking for habits", done, len(scene.targets))
        learn(target, span, sources, scene.around, entities, tried, weekly=weekly)
    return tried


def _select(habits: list[Habit], scene: Scene) -> tuple[list[Habit], list[SetAside]]:
    """Return what is offered, and why the rest isn't."""
    aside: list[SetAside] = []
    good: list[Habit] = []
    timed: list[Habit] = []
    effects = known_effects(scene.home)
    moves = goings(scene.timeline, scene.around.presence)
    for habit in habits:
        why = failed(habit) or _known_or_unsafe(habit, scene, effects) or as_people_move(habit, moves)
        if why is None:
            good.append(habit)
        else:
            aside.append(SetAside(habit=_title(habit, scene), why=why))
            timed += [habit] if why == _NEVER_FAILS_SAID else []
    # What else comes before the same acts tells a machine's work once more, less exactly.
    echoes = [habit for habit in good if any(mostly_of(habit, other) for other in timed)]
    aside += [SetAside(habit=_title(habit, scene), why=_NEVER_FAILS_SAID) for habit in echoes]
    stay, dropped = explain_away([habit for habit in good if habit not in echoes])
    aside += [SetAside(habit=_title(one.habit, scene), why=_explained(one, scene)) for one in dropped]
    return stay, aside


def _known_or_unsafe(habit: Habit, scene: Scene, effects: list[Known]) -> str | None:
    if _excluded(habit, scene.excluded):
        return "never, as you said"
    verdict = _verdict(habit, scene)
    if verdict.risk == safety.NEVER:
        return f"never automated: {verdict.why}"
    if keeps_the_hour(habit, scene.days.local):
        return "people keep the hour, not what happens before"
    if _passing_by(habit, scene.home):
        return "motion is no wish to turn something off"
    return _machines(habit, scene, effects)


def _excluded(habit: Habit, excluded: Excluded) -> bool:
    state = habit.target.state
    return any(
        excluded.why(entity_id) or excluded.kind(habit.kind, entity_id.partition(".")[0], state)
        for entity_id in habit.target.entities
    )


def _machines(habit: Habit, scene: Scene, effects: list[Known]) -> str | None:
    """Return which machine does it already."""
    alias = done_already(habit, effects, scene.days.local.minutes(habit.whole.met))
    if alias is not None:
        return f"an automation does it: {alias}"
    if habit.kind != TRIGGER and habit.spread < _TO_THE_SECOND:
        return "an automation or another app does it: it is always on the second"
    if not scene.causes_known and habit.kind == TRIGGER and never_fails(habit):
        return _NEVER_FAILS_SAID
    moments = np.sort(np.concatenate([habit.whole.wanted, habit.whole.unwanted]))
    if machine_does(habit.target.machine, moments):
        return "an automation or another app does it"
    return None


def _passing_by(habit: Habit, home: Home) -> bool:
    """Return whether somebody's being there turns something off: people leave one room and enter another."""
    trigger = habit.trigger
    if trigger is None or habit.target.state not in {"off", "closed"} or trigger.to_state != "on":
        return False
    kinds = {entity.entity_id: entity.device_class for entity in home.entities}
    kind = kinds.get(trigger.entity_id) or ""
    return kind in _THERE or (not kind and "motion" in trigger.entity_id)


def _verdict(habit: Habit, scene: Scene) -> safety.Verdict:
    acts = [(entity_id, target.state) for target in habit.targets for entity_id in target.entities]
    return safety.judge_acts(acts, scene.home)


def _explained(dropped: Dropped, scene: Scene) -> str:
    if dropped.by is None:
        return f"follows {dropped.minutes} minutes after it was last the other way"
    if dropped.habit.kind == TRIGGER and dropped.by.kind == TRIGGER:
        return f"a proxy of: {_title(dropped.by, scene)}"
    return f"explained by: {_title(dropped.by, scene)}"


def _beaten(found: list[Candidate], stood: list[Candidate], span: Span, scene: Scene) -> list[SetAside]:
    standing_ids = {id(candidate) for candidate in stood}
    return [
        SetAside(habit=_title(as_habit(one, span, scene.around), scene), why="beaten by chance")
        for one in found
        if id(one) not in standing_ids
    ]


def _title(habit: Habit, scene: Scene) -> str:
    return words_for(facts_of(habit, scene.home), scene.home.language).title


def _suggestions(habits: list[Habit], scene: Scene, beside: Beside) -> list[Suggestion]:
    made: list[Suggestion] = []
    for habit, identity in zip(habits, identities(habits), strict=True):
        words = words_for(facts_of(habit, scene.home), scene.home.language)
        automation = automation_of(habit, words.title)
        made.append(
            Suggestion(
                id=identity,
                title=words.title,
                description=words.description,
                kind=habit.kind,
                habit=habit_json(habit),
                automation=automation,
                evidence=_evidence(habit, scene),
                risk="low" if _verdict(habit, scene).risk == safety.LOW else "confirm",
                conflicts=beside.conflicts(habit),
                extends=beside.extends(habit, automation),
            )
        )
    return sorted(made, key=lambda suggestion: (-suggestion.evidence.confidence, suggestion.id))


def _evidence(habit: Habit, scene: Scene) -> Evidence:
    held = habit.held_out

    def dates(*moments: Int64) -> list[str]:
        return [scene.days.local.text(int(at)) for at in _shown(np.concatenate(moments), scene.days.local)]

    return Evidence(
        days_observed=habit.days_observed,
        days_kept=habit.days_kept,
        confidence=round(confidence(habit), 2),
        replay=Replay(
            days=held.days,
            fires=held.fires,
            wanted=len(held.wanted),
            unwanted=len(held.unwanted),
            missed=len(held.missed),
            precision=round(held.precision, 3),
            coverage=round(held.coverage, 3),
            wanted_at=dates(held.wanted),
            unwanted_at=dates(held.unwanted),
            missed_at=dates(held.missed),
        ),
        examples=dates(habit.whole.met),
        misses=dates(habit.whole.unwanted, held.missed),
    )


def _shown(moments: Int64, local: LocalTime) -> Int64:
    """Return at most 100 of the moments: one of each of the newest days, then the newest of the rest."""
    newest = np.sort(moments)[::-1]
    _, first = np.unique(local.days(newest), return_index=True)
    rest = np.setdiff1d(np.arange(len(newest)), first)
    chosen = np.concatenate([np.sort(first), rest])[:_MOST_DATES]
    shown: Int64 = np.sort(newest[chosen])
    return shown
