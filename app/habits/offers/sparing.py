"""The condition that would have spared people most undos, found by replaying it over the fires. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from math import comb
from typing import Any

import numpy as np

from app.events import Int64
from app.habits.automation import clock_text, conditions_of
from app.habits.facts import name_of
from app.habits.habit import Conditions
from app.habits.localtime import weekdays
from app.habits.offers.record import Case, times
from app.habits.offers.watched import Proposal
from app.habits.splits import splits
from app.habits.surroundings import Known, Surroundings
from app.model import Home

_LEAST_UNDONE = 4
_LEAST_KEPT = 3
_REMOVES = 0.5
_KEEPS = 0.9
_BY_CHANCE = 0.05
"""The condition that is taken is the best of many: its chance is multiplied by how many were tried."""
_MOST_HOURS = 48


def condition(case: Case) -> Proposal | None:
    """Find the condition that would have spared people most undos, by replaying it over the fires."""
    record, automation = case.record, case.own.automation
    undone, kept = int(record.undone.sum()), int((~record.undone).sum())
    if undone < _LEAST_UNDONE or kept < _LEAST_KEPT:
        return None
    known = _known(record.at, case.around)
    candidates, tried = _candidates(case, known)
    best: tuple[int, int, Conditions] | None = None
    for candidate in candidates:
        hold = known.hold(candidate)
        spared = int((record.undone & ~hold).sum())
        left = int((~record.undone & hold).sum())
        if spared < _REMOVES * undone or left < _KEEPS * kept:
            continue
        if _chance(spared, kept - left, undone, kept) * tried > _BY_CHANCE:
            continue
        if best is None or (spared, left) > best[:2]:
            best = spared, left, candidate
    if best is None:
        return None
    spared, left, chosen = best
    why = (
        f"Add a condition, only {_worded(chosen, case.home)}: since {case.since} it acted "
        f"{times(len(record.at))}, and people undid it {times(undone)}. This would have spared {spared} of "
        f"those, and kept {left} of the {kept} that they let stand."
    )
    written = [*automation.get("conditions", []), *conditions_of(chosen)]
    return Proposal(
        proposal="condition",
        why=why,
        figures=case.figures(spared=spared, kept=kept, still_kept=left),
        automation={**automation, "conditions": written},
    )


def _known(at: Int64, around: Surroundings) -> Known:
    nothing = np.zeros(len(at), np.int64)
    local = around.days.local
    return Known(
        at, nothing, nothing, nothing, local.minutes(at), weekdays(local.days(at)), around.dark(at),
        around.someone_home(at), around,
    )  # fmt: skip


def _candidates(case: Case, known: Known) -> tuple[list[Conditions], int]:
    """Return what may be asked for, and how many that were looked at."""
    record, plain = case.record, Conditions()
    found = [replace(plain, day_type=name) for name in ("workdays", "weekends")]
    if known.dark is not None:
        found += [replace(plain, dark=dark) for dark in (True, False)]
    if known.home is not None:
        found += [replace(plain, someone_home=home) for home in (True, False)]
    low, high = (int(edge) // 30 for edge in (known.minute.min(), known.minute.max()))
    for half in range(low + 1, min(high, low + _MOST_HOURS) + 1):
        found += [replace(plain, hours=(half * 30, 0)), replace(plain, hours=(0, half * 30))]
    but = record.entities | frozenset(_triggers(case.own.automation))
    asked = splits(case.around, record.at[~record.undone], record.at[record.undone], but)
    found += [replace(plain, state=state) for state in asked.states]
    found += [replace(plain, number=bound) for bound in asked.bounds]
    return found, len(found) + asked.looked_at


def _triggers(automation: dict[str, Any]) -> Iterator[str]:
    for trigger in automation.get("triggers", []):
        given = trigger.get("entity_id")
        names = given if isinstance(given, list) else [given]
        yield from (one for one in names if isinstance(one, str))


def _chance(spared: int, lost: int, undone: int, kept: int) -> float:
    """Return how likely a condition that knows nothing would hold off as many undos (hypergeometric tail)."""
    out, of = spared + lost, undone + kept
    ways = sum(comb(undone, hits) * comb(kept, out - hits) for hits in range(spared, min(undone, out) + 1))
    return ways / comb(of, out)


def _worded(conditions: Conditions, home: Home) -> str:
    entities = {entity.entity_id: entity for entity in home.entities}
    if conditions.hours is not None:
        low, high = conditions.hours
        return f"from {clock_text(low * 60)[:5]} on" if low else f"before {clock_text(high * 60)[:5]}"
    if conditions.dark is not None:
        return "when it is dark" if conditions.dark else "when it is light"
    if conditions.someone_home is not None:
        return "when somebody is home" if conditions.someone_home else "when nobody is home"
    if conditions.state is not None:
        return f"while {name_of(conditions.state[0], entities)} is {conditions.state[1]}"
    if (bound := conditions.number) is not None:
        side, limit = ("above", bound.above) if bound.above is not None else ("below", bound.below)
        return f"while {name_of(bound.entity_id, entities)} is {side} {limit:g}"
    return f"on {conditions.day_type}"
