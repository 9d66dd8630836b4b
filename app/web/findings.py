"""What the last good night says beside its suggestions, what it set aside, and what an empty page says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.jobs.run import Run
from app.web.wording import sentence, when

_PLAINER: Final = (
    ("beaten by chance", "no more often than chance would have it"),
    ("a proxy of: ", "another habit says it better: "),
    ("explained by: ", "another habit says it better: "),
    (" on the held-out days", " on the later days it was tried on"),
)
"""The analysis' own terms, and what the page says for them."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why habits are not offered; every text may be hostile."""

    why: str
    habits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """The last good run's `notes` on itself, what it `noticed` at home that is no automation, and the habits
    it set aside by reason; `count` is of habits.
    """

    notes: tuple[str, ...] = ()
    noticed: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Empty:
    """What stands where suggestions would: `title`, `text`, and what comes `next`."""

    title: str
    text: str
    next: str


def read_findings(run: Run | None) -> Findings:
    """Return what a run's details tell; those of an older version may have less."""
    if run is None:
        return Findings()
    notes = tuple(sentence(str(note)) for note in _list(run.details.get("notes")))
    by_reason: dict[str, list[str]] = {}
    for one in _list(run.details.get("set_aside")):
        if isinstance(one, Mapping):
            by_reason.setdefault(_plain(str(one.get("why", ""))), []).append(str(one.get("habit", "")))
    reasons = tuple(Reason(why, tuple(habits)) for why, habits in by_reason.items())
    noticed = tuple(sentence(str(note)) for note in _list(run.details.get("noticed")))
    return Findings(notes, noticed, reasons, sum(len(one.habits) for one in reasons))


def tell_empty(good: Run | None, following: datetime | None, now: datetime, zone: ZoneInfo) -> Empty:
    """Say why nothing is on offer, and what comes next. `good` is the last good run."""
    at = when(following, now, zone) if following else ""
    if good is None:
        return Empty(
            "Suggestions appear here after the first good night.",
            "Each comes with its evidence: on which days you did it, and what an automation would have done"
            " right and wrong.",
            f"Nightshift looks {at}." if at else "Resume the nights, and Nightshift looks.",
        )
    following_up = f"Nightshift looks again {at}." if at else "Resume the nights, and Nightshift looks again."
    if not good.counts.get("patterns_detected"):
        return Empty(
            "No habits seen yet, and that is normal.",
            "A habit shows after two weeks at the earliest, one of a single weekday after three.",
            following_up,
        )
    return Empty(
        "Nothing to offer, and that is normal.",
        "A habit is offered only when it shows on many days and holds when it is tried on days it was not"
        " learned from.",
        following_up,
    )


def _plain(why: str) -> str:
    for term, plainer in _PLAINER:
        why = why.replace(term, plainer)
    if why.startswith("only "):
        why = f"right {why}"
    return sentence(why) or "No reason was kept."


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
