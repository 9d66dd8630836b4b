"""What is worth knowing and is no automation: an act that stopped, a thing unlike itself, shifts, usage.

Each is a count held against what that thing usually does; all of them together are few enough to be read.
"""

from math import sqrt

import numpy as np

from app.habits.days import Days
from app.habits.evidence import binomial_tail
from app.habits.facts import name_of
from app.habits.habit import Habit
from app.habits.localtime import day_of
from app.habits.suggestion import Note
from app.habits.targets import Target
from app.habits.usage import Use, by_room, uses
from app.model import Entity, Home
from app.words.templates import Step, one_act, span, the

_LATELY = 14
_WEEK = 7
_LEAST_DAYS = 28
_SEASON_DAYS = 90
_USUAL_SHARE = 0.5
_TIMES = 2.0
_SURE = 1e-4
_FAR = 4.0
_MOST_OF_A_KIND = 5
_MOST_ROOMS = 8


def notes_of(targets: list[Target], offered: list[Habit], days: Days, home: Home) -> list[Note]:
    """Return the notes, at most a handful of each kind."""
    if days.count < _LEAST_DAYS // 2:
        return []
    used = uses(targets, days)
    entities = {entity.entity_id: entity for entity in home.entities}
    kinds: list[list[Note]] = [[], [], [], []]
    for use in used:
        tried = (
            _stopped(use, entities),
            _unlike(use, entities),
            _weekend(use, entities),
            _season(use, entities),
        )
        for kind, note in zip(kinds, tried, strict=True):
            if note is not None:
                kind.append(note)
    moved = [_moved(habit, entities) for habit in offered if habit.moved]
    shown = [note for kind in (*kinds, moved) for note in kind[:_MOST_OF_A_KIND]]
    return shown + _usage(used, entities, home)


def _words(target: Target, entities: dict[str, Entity]) -> str:
    names = tuple(name_of(entity_id, entities) for entity_id in target.entities)
    return one_act(Step(target.anchor.partition(".")[0], target.state, names))


def _note(kind: str, text: str, use: Use, **facts: float) -> Note:
    figures = {name: round(value, 2) for name, value in facts.items()}
    return Note(
        kind=kind, text=text, entities=list(use.target.entities), state=use.target.state, facts=figures
    )


def _stopped(use: Use, entities: dict[str, Entity]) -> Note | None:
    """Done on most days, and not once in the last two weeks."""
    if len(use.counts) < _LEAST_DAYS or use.counts[-_LATELY:].any():
        return None
    done = np.flatnonzero(use.counts)
    if not len(done):
        return None
    until = int(done[-1]) + 1
    if until < _LATELY or len(done) < _USUAL_SHARE * until:
        return None
    last = day_of(int(use.numbers[done[-1]]))
    text = (
        f"“{_words(use.target, entities)}” has stopped: it was done on {len(done)} of {until} days up to"
        f" {last.isoformat()}, and not once since."
    )
    return _note("stopped", text, use, days_done=len(done), of=until, days_since=len(use.counts) - until)


def _unlike(use: Use, entities: dict[str, Entity]) -> Note | None:
    """Far more, or far less, in the last week than in any usual week."""
    if len(use.counts) < _LEAST_DAYS:
        return None
    before, lately = use.counts[:-_WEEK], use.counts[-_WEEK:]
    usual, now = float(before.mean()), float(lately.mean())
    scatter = max(float(before.std()), sqrt(max(usual, 0.2)))
    if abs(now - usual) * sqrt(_WEEK) < _FAR * scatter or max(now, usual) < 1.0:
        return None
    if max(now, usual) < _TIMES * min(now, usual):
        return None
    text = (
        f"“{_words(use.target, entities)}” was done {now:.1f} times a day in the last week,"
        f" {usual:.1f} times a day before."
    )
    return _note("unlike itself", text, use, usual_a_day=usual, lately_a_day=now)


def _weekend(use: Use, entities: dict[str, Entity]) -> Note | None:
    """At least twice as often on one kind of day, and surely not by chance."""
    weekend = use.weekend
    if len(use.counts) < _LEAST_DAYS or not weekend.any() or weekend.all():
        return None
    return _two_rates(
        use, use.counts[weekend], use.counts[~weekend], ("on weekend days", "on workdays"), "week", entities
    )


def _season(use: Use, entities: dict[str, Entity]) -> Note | None:
    """At least twice as often in the last third of three months or more as in the first."""
    if len(use.counts) < _SEASON_DAYS:
        return None
    third = len(use.counts) // 3
    when = ("lately", "three months ago" if len(use.counts) < 2 * _SEASON_DAYS else "at first")
    return _two_rates(use, use.counts[-third:], use.counts[:third], when, "season", entities)


def _two_rates(
    use: Use,
    first: np.ndarray[tuple[int], np.dtype[np.int64]],
    second: np.ndarray[tuple[int], np.dtype[np.int64]],
    when: tuple[str, str],
    kind: str,
    entities: dict[str, Entity],
) -> Note | None:
    one, two = float(first.mean()), float(second.mean())
    if max(one, two) < max(_TIMES * min(one, two), 0.2):
        return None
    # A day on which it was done counts once: what comes in bursts is no evidence of itself.
    share = len(first) / (len(first) + len(second))
    a, b = int((first > 0).sum()), int((second > 0).sum())
    tail = binomial_tail(a, a + b, share) if one > two else binomial_tail(b, a + b, 1 - share)
    if tail > _SURE:
        return None
    text = (
        f"“{_words(use.target, entities)}” is done {one:.1f} times a day {when[0]}"
        f" and {two:.1f} times a day {when[1]}."
    )
    return _note(kind, text, use, first_a_day=one, second_a_day=two)


def _moved(habit: Habit, entities: dict[str, Entity]) -> Note:
    side = "later" if habit.moved > 0 else "earlier"
    text = f"“{_words(habit.target, entities)}” has moved: it is now {span(abs(habit.moved))} {side}."
    return Note(
        kind="shift", text=text, entities=list(habit.target.entities), state=habit.target.state,
        facts={"minutes": float(habit.moved)},
    )  # fmt: skip


def _usage(used: list[Use], entities: dict[str, Entity], home: Home) -> list[Note]:
    """Say how much each room and the most used things are used."""
    notes = [
        Note(
            kind="room",
            text=f"In {the(room)} people switch something {rate:.1f} times a day.",
            facts={"a_day": round(rate, 2)},
        )
        for room, rate in by_room(used, home)[:_MOST_ROOMS]
    ]
    busiest = sorted(used, key=lambda use: (-use.a_day, use.target.anchor, use.target.state))
    for use in busiest[:_MOST_OF_A_KIND]:
        share = float((use.counts > 0).mean())
        text = f"“{_words(use.target, entities)}” is done {use.a_day:.1f} times a day."
        notes.append(_note("device", text, use, a_day=use.a_day, share_of_days=share))
    return notes
