"""What may trigger: every discrete change of the home as one stream, with what was known at that moment."""

from dataclasses import dataclass

import numpy as np

from app.events import Int32, Int64
from app.habits.days import DAY_TYPES, Days
from app.habits.habit import Conditions
from app.habits.localtime import MINUTE_MS, Bool, Float64, LocalTime, weekdays
from app.habits.sun import SunTimes
from app.habits.targets import STATES, Target
from app.habits.timeline import Timeline
from app.model import Home

_NEVER_TRIGGERS = frozenset(
    {
        "automation", "button", "calendar", "camera", "conversation", "counter", "date", "datetime", "event",
        "image", "input_button", "input_datetime", "input_number", "input_text", "notify", "number", "scene",
        "script", "stt", "sun", "tag", "text", "time", "timer", "todo", "tts", "update", "wake_word",
        "weather", "zone",
    }
)  # fmt: skip
"""Domains whose state is no event of the home, or that the clock and the sun already stand for."""
_MOST_STATES = 12
_MOST_A_DAY = 1_500.0


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of trigger: an entity's coming to a state. `rows` are its rows in the timeline."""

    entity: int
    entity_id: str
    state: str
    rows: Int64


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """All triggers in the order of time: `at` (ms) and `kind`, an index into `kinds`."""

    kinds: tuple[Kind, ...]
    at: Int64
    kind: Int32


def trigger_stream(timeline: Timeline, home: Home, span_days: float) -> Stream:
    """Collect what may trigger; an entity that talks all the time pairs with everything and is left out."""
    facts = {entity.entity_id: entity for entity in home.entities}
    kinds: list[Kind] = []
    for index, entity_id in enumerate(timeline.entities):
        rows = timeline.rows(index)
        known = facts.get(entity_id)
        if entity_id.partition(".")[0] in _NEVER_TRIGGERS or rows.stop - rows.start < 4:
            continue
        if known is not None and (known.disabled or known.entity_category is not None):
            continue
        states = np.unique(timeline.state[rows])
        if len(states) > _MOST_STATES or (rows.stop - rows.start) / max(span_days, 1) > _MOST_A_DAY:
            continue
        own = np.arange(rows.start, rows.stop)
        for state in states.tolist():
            chosen = own[(timeline.state[rows] == state) & timeline.real[rows]]
            if len(chosen) >= 4:
                kinds.append(Kind(index, entity_id, timeline.states[state], chosen))
    rows_all = np.concatenate([kind.rows for kind in kinds]) if kinds else np.empty(0, np.int64)
    which = np.repeat(np.arange(len(kinds), dtype=np.int32), [len(kind.rows) for kind in kinds])
    order = np.argsort(timeline.at[rows_all], kind="stable")
    return Stream(tuple(kinds), timeline.at[rows_all][order], which[order])


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What was known at each instant `at` (ms, ascending) at which a kind of trigger came, for one target.

    `quiet` is how long (ms) the trigger's entity had been in the state before, `until` when it left the new
    state, `away` how long (ms) the target had not been as wanted; `minute` local minutes of the day;
    `weekday` 0 is Monday; `dark` and `home` are None where nothing is known of the sun or of persons.
    """

    at: Int64
    quiet: Int64
    until: Int64
    away: Int64
    minute: Float64
    weekday: Int64
    dark: Bool | None
    home: Bool | None

    def hold(self, conditions: Conditions) -> Bool:
        """Return at which of the instants all of the conditions hold."""
        good = np.ones(len(self.at), np.bool_)
        if conditions.quiet is not None:
            good &= self.quiet >= conditions.quiet * MINUTE_MS
        if conditions.away is not None:
            good &= self.away >= conditions.away * MINUTE_MS
        if conditions.hours is not None:
            low, high = conditions.hours
            after, before = self.minute >= low, self.minute < high
            good &= (after & before) if low < high else (after | before)
        if conditions.day_type != "daily":
            good &= np.isin(self.weekday, DAY_TYPES[conditions.day_type])
        if conditions.dark is not None and self.dark is not None:
            good &= self.dark == conditions.dark
        if conditions.someone_home and self.home is not None:
            good &= self.home
        return good


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What the conditions ask, beside the trigger and the target: the clock, the sun, who is home."""

    timeline: Timeline
    days: Days
    sun: SunTimes | None
    presence: tuple[Int64, Bool] | None

    def known(self, kind: Kind, target: Target) -> Known:
        table = self.timeline
        rows = kind.rows
        at = table.at[rows]
        end = table.rows(kind.entity).stop
        nxt = np.minimum(rows + 1, end - 1)
        until = np.where(rows + 1 < end, table.at[nxt], np.int64(1) << 62)
        local = self.days.local
        return Known(
            at, at - table.at[rows - 1], until, target.away_since(at), local.minutes(at),
            weekdays(local.days(at)), self.dark(at), self.someone_home(at),
        )  # fmt: skip

    def dark(self, at: Int64) -> Bool | None:
        return None if self.sun is None else is_dark(at, self.days.local, self.sun)

    def someone_home(self, at: Int64) -> Bool | None:
        if self.presence is None:
            return None
        times, home = self.presence
        where = np.searchsorted(times, at, "right") - 1
        return np.where(where >= 0, home[np.maximum(where, 0)], True)


def is_dark(at: Int64, local: LocalTime, sun: SunTimes) -> Bool:
    """Return whether the sun is below the horizon."""
    minutes, day = local.minutes(at), local.days(at)
    return np.asarray(
        ~((minutes >= sun.minutes("sunrise", day)) & (minutes < sun.minutes("sunset", day))), np.bool_
    )


def presence(timeline: Timeline) -> tuple[Int64, Bool] | None:
    """Return when (ms) the home became occupied or empty, by its persons, or None if it knows none."""
    at: list[Int64] = []
    step: list[Int64] = []
    home = timeline.code("home")
    for index, entity_id in enumerate(timeline.entities):
        rows = timeline.rows(index)
        if not entity_id.startswith("person.") or rows.stop == rows.start:
            continue
        inside = (timeline.state[rows] == home).astype(np.int64)
        at.append(timeline.at[rows])
        step.append(np.diff(inside, prepend=0))
    if not at:
        return None
    times, steps = np.concatenate(at), np.concatenate(step)
    order = np.argsort(times, kind="stable")
    return times[order], np.cumsum(steps[order]) > 0


def is_actuator(entity_id: str) -> bool:
    return entity_id.partition(".")[0] in STATES
