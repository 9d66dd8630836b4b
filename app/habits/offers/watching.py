"""What automations did of late, and what people made of it. Pure; over the night's own frames.

An automation's own row in the history says only whether it is on: that it fired is told by what it changed
(the context of a change names its automation). A run that found everything so already leaves no trace.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.clock import to_ms
from app.errors import InputError
from app.events import Int64
from app.habits.known import effects_of, members_of
from app.habits.localtime import DAY_MS, MINUTE_MS, Bool, day_of
from app.habits.offers.checking import acts_in
from app.habits.offers.occasions import occasions
from app.habits.offers.record import EARLY_MS, LATE_MS, Record, nearest_to
from app.habits.offers.verdicts import proposal
from app.habits.offers.watched import WINDOW_DAYS, Accepted, Runs, Watched, WatchedDay
from app.habits.scripts import with_scripts
from app.habits.surroundings import Surroundings
from app.habits.targets import people
from app.habits.timeline import Timeline
from app.hub.attribution import is_ours
from app.hub.automations import plural
from app.model import Automation, Home

UNDONE_MS = 10 * MINUTE_MS
BY_HAND_MS = 15 * MINUTE_MS
_AT_ONCE_MS = 2 * MINUTE_MS
_ONE_RUN_MS = MINUTE_MS
"""Changes without a context belong to one run if they are this near each other."""
_NEVER = np.int64(1) << 62
_MOST = 300
_MOST_UNDONE_SHOWN = 20


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What watching needs of the night. `until` is the snapshot's instant (ms)."""

    home: Home
    around: Surroundings
    runs: Runs
    causes_known: bool
    until: int


def watch(scene: Scene, accepted: Sequence[Accepted]) -> list[Watched]:
    """Return what each enabled or fired automation of the home did, and a proposal for each accepted one.

    Nothing where the source does not tell who acted: an undo could not be told from an automation's own step.
    """
    if not scene.causes_known or not len(scene.around.days.numbers):
        return []
    by_person = people(scene.around.timeline, causes_known=True)
    ours = {one.unique_id: one for one in accepted}
    members = members_of(scene.home)
    told = []
    for automation in with_scripts(scene.home)[:_MOST]:
        own = ours.get(automation.unique_id or "")
        if own is None and is_ours(automation):
            continue  # made by us, and taken back since or under way
        told.append(_watched(scene, automation, own, by_person, members))
    return told


def _watched(
    scene: Scene,
    automation: Automation,
    own: Accepted | None,
    by_person: Bool,
    members: dict[str, tuple[str, ...]],
) -> Watched:
    record = _record(scene, automation, own, by_person, members)
    local = scene.around.days.local
    undone = np.sort(record.undone_at[record.undone])
    return Watched(
        unique_id=automation.unique_id or automation.entity_id,
        entity_id=automation.entity_id,
        alias=automation.alias or automation.entity_id,
        suggestion_id=own.suggestion_id if own else "",
        since=own.since if own else None,
        days=_days(scene, record),
        undone_at=[local.text(int(at)) for at in undone[-_MOST_UNDONE_SHOWN:]],
        proposal=proposal(record, own, scene.around, scene.home) if own else None,
    )


def _record(
    scene: Scene,
    automation: Automation,
    own: Accepted | None,
    by_person: Bool,
    members: dict[str, tuple[str, ...]],
) -> Record:
    # From midnight on: a day of which only a part is in sight must not take the place of the whole one.
    local = scene.around.days.local
    first = local.days(np.array([scene.until - WINDOW_DAYS * DAY_MS], np.int64)) + 1
    since = int(local.instants(first, 0.0)[0])
    if own is not None:
        since = max(since, to_ms(own.since))
    record = _fires(scene, automation, by_person, since)
    acts = acts_of(automation, members)
    presses = _presses(scene, acts, by_person, since)
    due = occasions(automation.config, scene.around, since, scene.until) if automation.config else None
    if due is not None:
        due = due[_was_on(scene.around, automation, due)]
    near = record.at if due is None else np.union1d(due, record.at)
    return replace(
        record,
        since=since,
        until=scene.until,
        enabled=automation.enabled,
        presses=presses,
        by_hand=_one_for_each(presses, near),
        due=due,
        missed=None
        if due is None or not acts or _asks(own)
        else _missed(scene, due, record.at, presses, acts),
        entities=record.entities | {entity_id for entity_id, _ in acts},
    )


def _fires(scene: Scene, automation: Automation, by_person: Bool, since: int) -> Record:
    """Return when it changed something, run by run, and which runs a person undid."""
    runs, table, actor = scene.runs, scene.around.timeline, automation.entity_id
    if actor not in runs.actors:
        return Record()
    own = np.flatnonzero((runs.actor == runs.actors.index(actor)) & (runs.at >= since))
    own = own[np.argsort(runs.at[own], kind="stable")]
    found = rows_in(runs, own, table)
    # Its run is linked to each of them: what is else not believed (after a restart, say) is true of these.
    kept = found >= 0
    rows, contexts = found[kept], runs.context[own[kept]]
    if not len(rows):
        return Record()
    after = np.minimum(rows + 1, len(table.at) - 1)
    # What comes next for the same entity, by a person: not another machine's, nor its own later step.
    undone = (after > rows) & (table.entity[after] == table.entity[rows]) & by_person[after]
    undone &= table.at[after] - table.at[rows] <= UNDONE_MS
    undone &= ~_anew(automation, table, rows, after)
    _, starts, run = np.unique(_run_of(table.at[rows], contexts), return_index=True, return_inverse=True)
    first_undo = np.full(len(starts), _NEVER, np.int64)
    np.minimum.at(first_undo, run[undone], table.at[after[undone]])
    order = np.argsort(starts, kind="stable")
    return Record(
        at=table.at[rows[starts[order]]],
        undone=first_undo[order] < _NEVER,
        undone_at=first_undo[order],
        entities=frozenset(table.entities[index] for index in np.unique(table.entity[rows]).tolist()),
    )


def _anew(automation: Automation, table: Timeline, rows: Int64, after: Int64) -> Bool:
    """Return where what triggered it had changed in between: somebody who comes back into a dark hall undoes
    nothing. At once (two minutes) it is an undo all the same: they wave at the sensor, and press.
    """
    anew = np.zeros(len(rows), np.bool_)
    fired, acted = table.at[rows], table.at[after]
    for name in triggers_of(automation):
        if name in table.entities:
            times = table.at[table.rows(table.entities.index(name))]
            own = table.entity[rows] == table.entities.index(name)
            anew |= ~own & (times.searchsorted(acted, "right") > times.searchsorted(fired, "right"))
    return np.asarray(anew & (acted - fired > _AT_ONCE_MS), np.bool_)


def triggers_of(automation: Automation) -> set[str]:
    """Return the entities that trigger it."""
    found: set[str] = set()
    for trigger in plural(automation.config)["triggers"]:
        given = trigger.get("entity_id") if isinstance(trigger, dict) else None
        names = given if isinstance(given, list) else [given]
        found |= {one for one in names if isinstance(one, str)}
    return found


def _run_of(at: Int64, contexts: Int64) -> Int64:
    """Return a number for each change, the same for all of one run; `at` ascends."""
    apart = np.cumsum(np.diff(at, prepend=at[:1]) > _ONE_RUN_MS)
    # Contexts are above zero: what has none is numbered below.
    return np.asarray(np.where(contexts != 0, contexts, -1 - apart), np.int64)


def rows_in(runs: Runs, own: Int64, table: Timeline) -> Int64:
    """Return the timeline's row of each change; -1 for one that was no true change, or a flap."""
    found = np.full(len(own), -1, np.int64)
    where = {name: index for index, name in enumerate(table.entities)}
    for code in np.unique(runs.entity[own]).tolist():
        index = where.get(runs.entities[code])
        if index is None:
            continue
        mine = np.flatnonzero(runs.entity[own] == code)
        rows = table.rows(index)
        times = table.at[rows]
        place = times.searchsorted(runs.at[own[mine]])
        known = place < len(times)
        known[known] = times[place[known]] == runs.at[own[mine[known]]]
        found[mine[known]] = rows.start + place[known]
    return found


def acts_of(automation: Automation, members: dict[str, tuple[str, ...]]) -> frozenset[tuple[str, str]]:
    """Return what it brings to which state, as far as that can be told: no toggles, no ranges."""
    try:
        found = set(acts_in(automation.config.get("actions", [])))
    except InputError:
        effects = effects_of(automation, members)
        found = {(name, one.state) for one in effects if one.state for name in one.entities}
    states = {name: {state for other, state in found if other == name} for name, _ in found}
    return frozenset((name, state) for name, state in found if len(states[name]) == 1)


def _presses(scene: Scene, acts: frozenset[tuple[str, str]], by_person: Bool, since: int) -> Int64:
    """Return when people did the same themselves; several of its entities within a minute are one press."""
    table = scene.around.timeline
    found = [np.empty(0, np.int64)]
    for name, state in acts:
        if name in table.entities:
            rows = table.rows(table.entities.index(name))
            good = by_person[rows] & (table.state[rows] == table.code(state)) & (table.at[rows] >= since)
            found.append(table.at[rows][good])
    at = np.sort(np.concatenate(found))
    return at[np.diff(at, prepend=np.int64(-1) << 62) > _ONE_RUN_MS]


def _one_for_each(presses: Int64, moments: Int64) -> Int64:
    """Return the presses within reach of a moment: at most one for each."""
    nearest = nearest_to(presses, moments)
    good = np.abs(nearest - moments) <= BY_HAND_MS
    return np.unique(nearest[good])


def _was_on(around: Surroundings, automation: Automation, at: Int64) -> Bool:
    """Return when the automation was switched on, as its own row in the history tells."""
    if automation.entity_id not in around.timeline.entities:
        return np.full(len(at), automation.enabled, np.bool_)
    index = around.timeline.entities.index(automation.entity_id)
    states = around.states_at(index, at)
    return np.asarray((states == around.timeline.code("on")) | ((states < 0) & automation.enabled), np.bool_)


def _asks(own: Accepted | None) -> bool:
    """Return whether it asks on the phone first: no answer is nothing missed, and a yes may come late."""
    return own is not None and own.mode == "notify"


def _missed(
    scene: Scene, due: Int64, fired: Int64, presses: Int64, acts: frozenset[tuple[str, str]]
) -> Int64:
    """Return when it should have acted, there was something to change, and nothing came.

    What a person did themselves around that moment is counted as by hand, not as missed.
    """
    around = scene.around
    due = due[due + LATE_MS <= scene.until]
    early = nearest_to(fired, due) - due
    came = (early >= -EARLY_MS) & (early <= LATE_MS)
    came |= np.abs(nearest_to(presses, due) - due) <= BY_HAND_MS
    already = np.ones(len(due), np.bool_)
    for name, state in acts:
        already &= around.is_state(name, state, due - 1) | _not_there(around, name, due)
    return due[~came & ~already]


def _not_there(around: Surroundings, name: str, at: Int64) -> Bool:
    """Return when nothing is known of an entity: whether there was something to change cannot be told."""
    if name not in around.timeline.entities:
        return np.ones(len(at), np.bool_)
    return np.asarray(around.states_at(around.timeline.entities.index(name), at) < 0, np.bool_)


def _days(scene: Scene, record: Record) -> list[WatchedDay]:
    """Return a row for each local day of the window that is over or has begun, the oldest first."""
    local = scene.around.days.local
    first, last = local.days(np.array([record.since, record.until], np.int64)).tolist()

    def count(at: Int64) -> list[int]:
        counts: list[int] = np.bincount(local.days(at) - first, minlength=last - first + 1).tolist()
        return counts

    fired, undone = count(record.at), count(record.at[record.undone])
    by_hand = count(record.by_hand[(record.by_hand >= record.since) & (record.by_hand <= record.until)])
    missed = None if record.missed is None else count(record.missed)
    return [
        WatchedDay(
            day=day_of(first + i).isoformat(),
            fired=fired[i],
            undone=undone[i],
            by_hand=by_hand[i],
            missed=missed[i] if missed is not None else None,
        )
        for i in range(last - first + 1)
    ]
