"""What became of an accepted automation, in words: its figures, the days they fell on, what is proposed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from app.habits.offers.verdicts import AFTER_DAYS
from app.habits.offers.watched import Watched, WatchedDay
from app.web.wording import counted, date_text, listed

_PROPOSALS: Final = {
    "shift": ("change", "Shift it", "Changed in Home Assistant."),
    "condition": ("change", "Add the condition", "Changed in Home Assistant."),
    "retire": ("undo", "Remove the automation", "Removed."),
}
"""What the API is asked for when a proposal is taken, the button, and what it says then."""
_NAMED: Final = 5
"""Undos named one by one, the newest."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A count over all days. `kind` is the shape of its marks, `marks` where they stand, in percent."""

    label: str
    said: str
    kind: str
    marks: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Since:
    """What an accepted automation did since, and what is proposed. Texts may be empty, and hostile.

    `first` and `last` are the dates at either end of the days' strips; `undos` tells when it was taken back.
    `post` is what the proposal's button asks the API for, after the suggestion's own address.
    """

    watched: str
    first: str
    last: str
    figures: tuple[Figure, ...]
    undos: str
    why: str
    post: str
    body: str
    label: str
    done: str


def since_of(watched: Watched) -> Since | None:
    """Put what became of an automation into words; None while no day is known."""
    if not watched.days:
        return None
    proposal, days = watched.proposal, watched.days
    kind = proposal.proposal if proposal else ""
    change = proposal.automation if proposal else None
    post, label, done = _PROPOSALS.get(kind, ("", "", "")) if change or kind == "retire" else ("", "", "")
    first, last = _ends(days)
    figures = [
        _figure("Ran", "wanted", [day.fired for day in days], days),
        _figure("Taken back by someone", "unwanted", [day.undone for day in days], days),
        _figure("Done by hand all the same", "act", [day.by_hand for day in days], days),
    ]
    if any(day.missed is not None for day in days):
        missed = [day.missed or 0 for day in days]
        figures.append(_figure("Did not run although its moment came", "missed", missed, days))
    return Since(
        watched=counted(len(days), "day", "days"),
        first=date_text(first),
        last=date_text(last),
        figures=tuple(figures),
        undos=_undos(watched.undone_at),
        why=proposal.why if proposal else "",
        post=post,
        body=json.dumps({"automation": change} if change else {}),
        label=label,
        done=done,
    )


def _ends(days: Sequence[WatchedDay]) -> tuple[date, date]:
    """Return the first and the last day that the strips have room for: two weeks at least."""
    known = [date.fromisoformat(day.day) for day in days]
    first = known[0]
    return first, max(known[-1], first + timedelta(days=AFTER_DAYS))


def _figure(label: str, kind: str, counts: list[int], days: Sequence[WatchedDay]) -> Figure:
    first, last = _ends(days)
    room = (last - first) / timedelta(days=1) + 1
    places = [(date.fromisoformat(day.day) - first) / timedelta(days=1) + 0.5 for day in days]
    marks = tuple(round(100 * place / room, 2) for place, count in zip(places, counts, strict=True) if count)
    return Figure(label, counted(sum(counts), "time", "times"), kind, marks)


def _undos(undone_at: Sequence[str]) -> str:
    """Return when it was taken back, the newest first, in the home's own time as the night told it."""
    newest = sorted((datetime.fromisoformat(one) for one in undone_at), reverse=True)
    # A date is not broken over two lines.
    named = [f"{date_text(one.date())} at {one:%H:%M}".replace(" ", "\u00a0") for one in newest[:_NAMED]]
    return f"{', '.join(named)} and earlier" if len(newest) > _NAMED else listed(named)
