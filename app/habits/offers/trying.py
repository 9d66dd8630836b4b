"""Trying automations on a home's past, in the worker process: what each would have done in the same trial.

It reads an automation in the shape that our own habits write it. Unlike the night's trial of a habit, whose
moment is learnt anew each night, an automation is held to one moment; so the suggested one is tried as well,
and the two are compared on the same days.
"""

import json
import re
from dataclasses import replace
from typing import Any, BinaryIO, Final

import numpy as np

from app.errors import InputError
from app.events import Int64
from app.habits.analysis import Scene, prepare
from app.habits.crossings import crossing
from app.habits.days import Days
from app.habits.habit import PRESENCE, Bound
from app.habits.learning import REACH_MS, Span
from app.habits.localtime import MINUTE_MS, Bool, weekdays
from app.habits.offers.adjusting import WEEKDAYS, delay_of, kind_of, seconds_of
from app.habits.replay import AFTER_MS, Played, play_clock, play_reactive
from app.habits.snapshot import Progress, Snapshot, read_frame, read_snapshot
from app.habits.suggestion import Replay
from app.habits.targets import Target
from app.habits.triggers import HOME, NEVER_OVER

_QUIET: Final = re.compile(r"trigger\.from_state\.last_changed\)\.total_seconds\(\) >= (\d{1,7})")
_AWAY: Final = re.compile(
    r"not is_state\('[a-z0-9_.]+', '[^']*'\).*last_changed\)\.total_seconds\(\) >= (\d{1,7})"
)
_FORGOTTEN: Final = "What happened then is no longer kept, so this cannot be tried."
_UNREADABLE: Final = "This automation has a condition that cannot be tried here."


def try_both(payload: BinaryIO, progress: Progress) -> bytes:
    """Read `{habit, before, after}` and a framed snapshot; return both automations' replays as JSON.

    Raises InputError for what cannot be tried, and for a damaged stream.
    """
    asked = json.loads(read_frame(payload))
    progress("Reading the past", 0, 0)
    snapshot = read_snapshot(payload)
    progress("Trying it", 0, 0)
    before, after = tried(snapshot, asked["habit"], asked["before"], asked["after"])
    return json.dumps({"before": before.model_dump(), "after": after.model_dump()}).encode()


def tried(
    snapshot: Snapshot, habit: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> tuple[Replay, Replay]:
    """Return what the automation of a habit would have done in its trial, as it was and as changed."""
    scene = prepare(snapshot)
    trial = _Trial(scene, habit, kind_of(before))
    first, second = trial.play(before), trial.play(after)
    return trial.replay(first), trial.replay(_as_missed(second, first))


def _as_missed(after: Played, before: Played) -> Played:
    """Count what the suggested one was there for: who moves it away has not done away with those acts."""
    own = np.union1d(before.met, before.missed)
    left = own[~np.isin(own, after.met)]
    return replace(after, missed=np.union1d(after.missed, left))


class _Trial:
    """The days on which a habit was tried, and the things it acts on."""

    def __init__(self, scene: Scene, habit: dict[str, Any], kind: str) -> None:
        self._scene = scene
        self._by_clock = kind in {"time", "sun"}
        span = Span.of(scene.days)
        steps = habit.get("steps") or [habit]
        day_type = str(habit.get("day_type") or "daily")
        if self._by_clock:
            span = span.for_moments(day_type)
        elif len(steps) == 1 and day_type == "daily" and _people_alone(habit):
            span = span.for_people()
        self._days: Days = span.rest
        self._targets = [_target(scene, step) for step in steps]

    def play(self, automation: dict[str, Any]) -> Played:
        """Return what an automation would have done in the trial."""
        leader = self._targets[0]
        fires = _fires(automation, self._scene, leader)
        fires = fires[self._days.watched(fires)]
        parts = [self._one(fires, target, automation) for target in self._targets]
        return parts[0] if len(parts) == 1 else _majority(parts)

    def _one(self, fires: Int64, target: Target, automation: dict[str, Any]) -> Played:
        acts = target.acts[self._days.watched(target.acts)]
        if self._by_clock:
            return play_clock(fires, target, acts, REACH_MS)
        return play_reactive(fires, target, acts, self._days.count, _reach(automation, target))

    def replay(self, played: Played) -> Replay:
        def told(moments: Int64) -> list[str]:
            return [self._scene.days.local.text(int(at)) for at in moments[-100:]]

        return Replay(
            days=self._days.count,
            fires=played.fires,
            wanted=len(played.wanted),
            unwanted=len(played.unwanted),
            missed=len(played.missed),
            precision=round(played.precision, 3),
            coverage=round(played.coverage, 3),
            wanted_at=told(played.wanted),
            unwanted_at=told(played.unwanted),
            missed_at=told(played.missed),
        )


def _people_alone(habit: dict[str, Any]) -> bool:
    """Return whether it was judged by who comes or goes alone (`habit.people_alone`)."""
    trigger = habit.get("trigger") or {}
    return str(trigger.get("entity_id")).startswith(PRESENCE) and not habit.get("conditions")


def _majority(parts: list[Played]) -> Played:
    """Return a routine's: a fire of it is wanted if people did at least half of what it then would do."""
    wanted = np.sort(np.concatenate([one.wanted for one in parts]))
    unwanted = np.sort(np.concatenate([one.unwanted for one in parts]))
    fires = np.unique(np.concatenate([wanted, unwanted]))
    good, bad = (
        np.searchsorted(ones, fires, "right") - np.searchsorted(ones, fires, "left")
        for ones in (wanted, unwanted)
    )
    return replace(parts[0], wanted=fires[good >= bad], unwanted=fires[good < bad])


def _target(scene: Scene, step: dict[str, Any]) -> Target:
    entities = set(step.get("entities") or ())
    for target in scene.targets:
        if target.state == step.get("state") and entities and entities <= set(target.entities):
            return target
    raise InputError(_FORGOTTEN)


def _reach(automation: dict[str, Any], target: Target) -> int:
    """Return how long (ms) after a fire people's act makes it wanted: less for what lasts only a while."""
    own = automation["triggers"][0].get("entity_id")
    if not set([own] if isinstance(own, str) else own or ()) & set(target.entities):
        return AFTER_MS
    return int(min(AFTER_MS, max(MINUTE_MS, 0.5 * delay_of(automation) * 1000)))


def _fires(automation: dict[str, Any], scene: Scene, target: Target) -> Int64:
    """Return when (ms) an automation would have fired on the observed days, its target's state aside."""
    trigger = automation["triggers"][0]
    kind = kind_of(automation)
    if kind in {"time", "sun"}:
        at = _due(trigger, kind, scene)
        quiet = until = np.full(len(at), NEVER_OVER, np.int64)
    else:
        at, quiet, until = _changes(trigger, kind, scene)
    # A state that has to last is judged when it has lasted; a delay that just passes, before it.
    lasts = seconds_of(trigger.get("for")) * 1000
    held = until - at >= lasts
    at, quiet = at[held] + lasts, quiet[held]
    for condition in automation["conditions"]:
        good = _holds(condition, at, quiet, scene, target)
        at, quiet = at[good], quiet[good]
    return np.sort(at + seconds_of(automation["actions"][0].get("delay")) * 1000)


def _due(trigger: dict[str, Any], kind: str, scene: Scene) -> Int64:
    days = scene.days
    numbers = days.numbers[days.observed]
    if kind == "time":
        return days.local.instants(numbers, seconds_of(trigger["at"]) / 60)
    if scene.around.sun is None:
        raise InputError("The home's place is not known, so nothing can be tried by the sun.")
    minutes = scene.around.sun.minutes(str(trigger["event"]), numbers)
    there = ~np.isnan(minutes)
    return days.local.instants(numbers[there], minutes[there] + seconds_of(trigger.get("offset")) / 60)


def _changes(trigger: dict[str, Any], kind: str, scene: Scene) -> tuple[Int64, Int64, Int64]:
    """Return when (ms) the trigger came, how long it had been otherwise before, and when it was over."""
    given = trigger["entity_id"]
    entity_id = given if isinstance(given, str) else given[0]
    if kind == "numeric_state" and entity_id == HOME:
        return _goings(scene, arrives=trigger.get("above") is not None)
    if kind == "numeric_state":
        series = scene.around.numbers.get(entity_id)
        if series is None:
            raise InputError(_FORGOTTEN)
        rising = trigger.get("above") is not None
        limit = float(trigger["above"] if rising else trigger["below"])
        crossed = crossing(entity_id, series, limit, rising=rising)
        return crossed.at, crossed.quiet, crossed.until
    line = scene.timeline
    if entity_id not in line.entities:
        raise InputError(_FORGOTTEN)
    rows = line.rows(line.entities.index(entity_id))
    own = np.arange(rows.start, rows.stop)
    chosen = own[(line.state[rows] == line.code(str(trigger["to"]))) & line.real[rows]]
    if trigger.get("from") is not None:
        chosen = chosen[line.state[chosen - 1] == line.code(str(trigger["from"]))]
    following = line.at[np.minimum(chosen + 1, rows.stop - 1)]
    until = np.where(chosen + 1 < rows.stop, following, np.int64(NEVER_OVER))
    return line.at[chosen], line.at[chosen] - line.at[chosen - 1], until


def _goings(scene: Scene, *, arrives: bool) -> tuple[Int64, Int64, Int64]:
    if scene.around.presence is None:
        raise InputError(_FORGOTTEN)
    at, occupied = scene.around.presence
    turned = np.flatnonzero(np.diff(occupied.astype(np.int8))) + 1
    times, home = at[turned], occupied[turned]
    own = home if arrives else ~home
    return times[own], np.diff(times, prepend=at[:1])[own], np.append(times[1:], np.int64(NEVER_OVER))[own]


def _holds(condition: dict[str, Any], at: Int64, quiet: Int64, scene: Scene, target: Target) -> Bool:
    """Return at which of the instants a condition holds."""
    kind = condition.get("condition")
    if kind == "time":
        return _in_time(condition, at, scene)
    if kind == "template":
        return _by_template(str(condition.get("value_template") or ""), at, quiet, target)
    found = _of_state(condition, at, scene, target) if kind == "state" else None
    if kind == "numeric_state":
        found = _of_number(condition, at, scene)
    if found is None:
        raise InputError(_UNREADABLE)
    return found


def _of_state(condition: dict[str, Any], at: Int64, scene: Scene, target: Target) -> Bool | None:
    around, entity_id, state = scene.around, condition.get("entity_id"), condition.get("state")
    if not isinstance(entity_id, str) or not isinstance(state, str):
        return None
    if entity_id == "sun.sun":
        dark = around.dark(at)
        return dark if dark is None or state == "below_horizon" else ~dark
    if not condition.get("for"):
        return around.is_state(entity_id, state, at)
    if entity_id not in target.entities:
        return None
    return np.asarray(target.away_since(at) >= seconds_of(condition["for"]) * 1000, np.bool_)


def _of_number(condition: dict[str, Any], at: Int64, scene: Scene) -> Bool | None:
    around, entity_id = scene.around, str(condition.get("entity_id") or "")
    above, below = condition.get("above"), condition.get("below")
    if entity_id == HOME:
        home = around.someone_home(at)
        return home if home is None or above is not None else ~home
    return around.within(Bound(entity_id, above, below), at) if entity_id in around.numbers else None


def _by_template(text: str, at: Int64, quiet: Int64, target: Target) -> Bool:
    if found := _QUIET.search(text):
        return np.asarray(quiet >= int(found[1]) * 1000, np.bool_)
    if found := _AWAY.search(text):
        return np.asarray(target.away_since(at) >= int(found[1]) * 1000, np.bool_)
    raise InputError(_UNREADABLE)


def _in_time(condition: dict[str, Any], at: Int64, scene: Scene) -> Bool:
    local = scene.days.local
    good = np.ones(len(at), np.bool_)
    if chosen := condition.get("weekday"):
        good &= np.isin(weekdays(local.days(at)), [WEEKDAYS.index(day) for day in chosen])
    if condition.get("after") and condition.get("before"):
        low, high = (seconds_of(condition[side]) / 60 for side in ("after", "before"))
        minute = local.minutes(at)
        after, before = minute >= low, minute < high
        good &= (after & before) if low < high else (after | before)
    return good
