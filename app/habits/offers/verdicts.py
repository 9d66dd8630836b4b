"""What to do with an accepted automation once it was watched for two weeks. Pure; it never acts by itself.

In this order: another time, if people do it at another; a condition, if one would have spared half of the
undos and hardly a fire that people let stand; to retire it, if it is undone more often than not, or never
fires; else to keep it.
"""

import re
from math import ceil
from typing import Any, Final

import numpy as np

from app.errors import InputError
from app.events import Int64
from app.habits.automation import clock_text
from app.habits.localtime import DAY_MS, MINUTE_MS
from app.habits.offers.adjusting import MOST_OFFSET, Adjustments, adjust
from app.habits.offers.occasions import minutes_of, sun_offset
from app.habits.offers.record import EARLY_MS, LATE_MS, Case, Record, nearest_to, times
from app.habits.offers.sparing import condition
from app.habits.offers.watched import Accepted, Proposal
from app.habits.surroundings import Surroundings
from app.model import Home

AFTER_DAYS: Final = 14
_LONG_DAYS: Final = 28
_LEAST_OBSERVED = 10
_LEAST_SHIFT = 15
_REACH_MS = 120 * MINUTE_MS
_LEAST_PRESSES = 5
_ONE_WAY = 0.8
_LEAST_UNDONE = 4
_LEAST_DUE = 3
_DAY = 24 * 60
_SUN_NAMED = re.compile(r"(?:\b\d+ minutes (?:before|after)|\bat) (sunrise|sunset)\b")


def proposal(record: Record, own: Accepted, around: Surroundings, home: Home) -> Proposal | None:
    """Return what is proposed, or None as long as too little is known."""
    days = around.days
    midnights = days.local.instants(days.numbers, 0.0)
    # The day on which it was accepted counts too, though in part.
    inside = (midnights > record.since - DAY_MS) & (midnights < record.until)
    case = Case(record, own, around, home, days.numbers[days.observed & inside])
    if case.age < AFTER_DAYS or case.observed < _LEAST_OBSERVED:
        return None
    if not record.enabled:
        return _faded(case)
    # What a person changed in Home Assistant since is not written over: nothing is ready for it.
    better = None if own.edited else _shift(case) or condition(case)
    if better is not None:
        return better
    if not len(record.at):
        return _never_fired(case)
    return _undone(case) or _keep(case)


def _keep(case: Case) -> Proposal:
    record = case.record
    fired, undone = len(record.at), int(record.undone.sum())
    days = len(np.intersect1d(case.around.days.local.days(record.at), case.seen))
    said = f"Keep it: since {case.since} it acted {times(fired)}, on {days} of {case.observed} days"
    said += f", and people undid it {times(undone)}." if undone else ", and nobody undid it."
    if len(record.by_hand):
        said += f" People did the same by hand {times(len(record.by_hand))}."
    return Proposal(proposal="keep", why=said, figures=case.figures())


def _undone(case: Case) -> Proposal | None:
    fired, undone = len(case.record.at), int(case.record.undone.sum())
    if fired < _LEAST_UNDONE or undone * 2 <= fired:
        return None
    why = (
        f"Retire it: since {case.since} it acted {times(fired)}, and people undid it {times(undone)}, "
        "within ten minutes."
    )
    return Proposal(proposal="retire", why=why, figures=case.figures())


def _never_fired(case: Case) -> Proposal | None:
    record = case.record
    due = None if record.due is None else len(record.due)
    if due is not None and len(record.by_hand) * 2 >= due > 0:
        why = (
            f"Keep it: its moment came {times(due)} since {case.since}, and people did it themselves "
            f"within a quarter of an hour {times(len(record.by_hand))}."
        )
        return Proposal(proposal="keep", why=why, figures=case.figures(due=due))
    if due is not None and due >= _LEAST_DUE:
        what = "nobody ever said yes" if case.own.mode == "notify" else "it never changed anything"
        why = f"Retire it: its moment came {times(due)} since {case.since}, and {what}"
        if record.missed is not None and len(record.missed):
            why += f", though {times(len(record.missed))} there was something to change"
        return Proposal(proposal="retire", why=f"{why}.", figures=case.figures(due=due))
    if case.age < _LONG_DAYS:
        return None
    if due == 0:
        why = f"Retire it: the habit faded. Its moment has not come once since {case.since}."
    else:
        why = f"Retire it: it has not acted once since {case.since}."
    return Proposal(proposal="retire", why=why, figures=case.figures())


def _faded(case: Case) -> Proposal | None:
    """Say of one that is switched off whether people still keep the habit by hand."""
    record = case.record
    if case.age < _LONG_DAYS or case.observed < _LEAST_OBSERVED or len(record.presses):
        return None
    why = f"Retire it: it is switched off, and since {case.since} nobody did it by hand either."
    return Proposal(proposal="retire", why=why, figures=case.figures())


def _shift(case: Case) -> Proposal | None:
    """Move a clock or sun automation to where people do it themselves, if that is a quarter hour off."""
    record, automation = case.record, case.own.automation
    if record.due is None or len(automation.get("triggers", [])) != 1:
        return None
    offsets = _offsets(_not_right(record), record.presses)
    if len(offsets) < max(_LEAST_PRESSES, ceil(len(record.due) / 2)):
        return None
    middle = float(np.median(offsets))
    one_way = float((np.sign(offsets) == np.sign(middle)).mean())
    if abs(middle) < _LEAST_SHIFT or one_way < _ONE_WAY:
        return None
    moved = _moved(automation, round(middle / 5) * 5)
    if moved is None:
        return None
    changed, said = moved
    side = "later" if middle > 0 else "earlier"
    why = (
        f"Shift it to {said.removeprefix('at ')}: on {len(offsets)} of {len(record.due)} days since "
        f"{case.since} people did it themselves, half of them {abs(round(middle))} minutes {side} or more."
    )
    return Proposal(
        proposal="shift",
        why=why,
        figures=case.figures(due=len(record.due), presses=len(offsets), minutes=round(middle)),
        automation=changed,
    )


def _not_right(record: Record) -> Int64:
    """Return the moments at which nothing came, or what came was undone: elsewhere the time was right."""
    due = np.empty(0, np.int64) if record.due is None else record.due
    off = nearest_to(record.at[~record.undone], due) - due
    return due[(off < -EARLY_MS) | (off > LATE_MS)]


def _offsets(due: Int64, presses: Int64) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return by how many minutes people's own act, the nearest to each moment, was off."""
    if not len(presses) or not len(due):
        return np.empty(0, np.float64)
    off = nearest_to(presses, due) - due
    return np.asarray(off[np.abs(off) <= _REACH_MS] / MINUTE_MS, np.float64)


def _moved(automation: dict[str, Any], by: int) -> tuple[dict[str, Any], str] | None:
    """Return the automation that many minutes later, and when that is; its name tells the new time."""
    trigger = automation["triggers"][0]
    at, offset = minutes_of(trigger), sun_offset(trigger)
    try:
        # Past midnight its weekdays would be others.
        if at is not None and 0 <= at + by < _DAY:
            clock = clock_text((at + by) * 60)[:5]
            return adjust(automation, Adjustments(at=clock)), clock
        if offset is None or abs(offset + by) > MOST_OFFSET:
            return None
        moved = adjust(automation, Adjustments(offset_minutes=offset + by))
    except InputError:
        return None  # its wiring is none that is changed here
    side = "before" if offset + by < 0 else "after"
    said = f"{abs(offset + by)} minutes {side}" if offset + by else "at"
    return {
        **moved,
        "alias": _SUN_NAMED.sub(rf"{said} \1", moved["alias"], count=1),
    }, f"{said} {trigger['event']}"
