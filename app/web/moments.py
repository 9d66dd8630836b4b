"""The geometry of a habit's evidence: days across, the time of day down; Jinja writes it as SVG.

Places are percentages, so that the drawing fills any width while its marks keep their size.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.habits.suggestion import Evidence
from app.web.wording import counted, date_text, listed

SHOWN_DAYS: Final = 91
_DAY: Final = 1440
_LEAST_SPAN: Final = 240
"""Minutes of the day drawn at least: closer, and a minute early looks like another habit."""
_STEPS: Final = ((480, 60), (960, 180), (_DAY, 360))
"""Up to so many minutes: how far the lines of the hours are apart."""
_CROWDED: Final = 45
_KEPT: Final = 100
"""Of each kind no more instants come with the evidence: one of each older day, and the newest."""
_NOT_ALL: Final = "There are more than can be drawn: of older days it is one time each, of the newest all."
KINDS: Final = {
    "act": ("time done by hand", "times done by hand"),
    "wanted": ("run that was wanted", "runs that were wanted"),
    "unwanted": ("run that was not wanted", "runs that were not wanted"),
    "missed": ("miss in the trial", "misses in the trial"),
    "unkept": ("time not done, before the trial", "times not done, before the trial"),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One instant: its `kind`, a key of KINDS, and where it is, in percent of the width and the height."""

    kind: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Hour:
    """A line across: its label and how far down it is, in percent."""

    label: str
    y: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole drawing. `weekends` are (x, width), `line` how far down it would run each day; in percent."""

    marks: tuple[Mark, ...]
    hours: tuple[Hour, ...]
    weekends: tuple[tuple[float, float], ...]
    line: float | None
    kinds: tuple[str, ...]
    days: tuple[str, ...]
    said: str
    note: str
    crowded: bool


def draw_moments(evidence: Evidence, zone: ZoneInfo, at: int | None = None) -> Drawing | None:
    """Draw when people did it, when it would have run in the trial, and what it would have missed.

    `at`: local minutes at which it runs every day, if it does. Returns None when nothing is known to draw.
    """
    instants = _instants(evidence, zone)
    if not instants:
        return None
    last = max(one.date() for _, one in instants)
    first = max(min(one.date() for _, one in instants), last - timedelta(days=SHOWN_DAYS - 1))
    shown = [(kind, one) for kind, one in instants if one.date() >= first]
    days = (last - first).days + 1
    low, high = _span([_minute(one) for _, one in shown] + ([at] if at is not None else []))
    marks = tuple(
        Mark(kind, _percent((one.date() - first).days + 0.5, days), _percent(_minute(one) - low, high - low))
        for kind, one in shown
    )
    kinds = tuple(kind for kind in KINDS if any(mark.kind == kind for mark in marks))
    middle = first + timedelta(days=days // 2)
    return Drawing(
        marks=marks,
        hours=_hours(low, high),
        weekends=_weekends(first, days),
        line=_percent(at - low, high - low) if at is not None else None,
        kinds=kinds,
        days=tuple(dict.fromkeys(date_text(day) for day in (first, middle, last))),
        said=_said(marks, kinds, first, last),
        note=_NOT_ALL if any(len(texts) >= _KEPT for texts in _told(evidence).values()) else "",
        crowded=days > _CROWDED,
    )


def _instants(evidence: Evidence, zone: ZoneInfo) -> list[tuple[str, datetime]]:
    told = _told(evidence).items()
    return [(kind, datetime.fromisoformat(text).astimezone(zone)) for kind, texts in told for text in texts]


def _told(evidence: Evidence) -> dict[str, list[str]]:
    replay = evidence.replay
    in_trial = {*replay.unwanted_at, *replay.missed_at}
    return {
        "act": evidence.examples,
        "wanted": replay.wanted_at,
        "unwanted": replay.unwanted_at,
        "missed": replay.missed_at,
        "unkept": [one for one in evidence.misses if one not in in_trial],
    }


def _minute(instant: datetime) -> int:
    return instant.hour * 60 + instant.minute


def _span(minutes: Sequence[int]) -> tuple[int, int]:
    """Return from which to which minute of the day to draw, in whole hours: a bit more than is needed."""
    low, high = (min(minutes) - 30) // 60 * 60, -(-(max(minutes) + 31) // 60) * 60
    while high - low < _LEAST_SPAN:
        low, high = low - 60, high + 60
    if high - low > _STEPS[1][0]:
        return 0, _DAY
    shift = max(0, -low) - max(0, high - _DAY)
    return max(0, low + shift), min(_DAY, high + shift)


def _hours(low: int, high: int) -> tuple[Hour, ...]:
    step = next(step for most, step in _STEPS if high - low <= most)
    lines = range(-(-low // step) * step, high + 1, step)
    return tuple(Hour(f"{minute // 60}:00", _percent(minute - low, high - low)) for minute in lines)


def _weekends(first: date, days: int) -> tuple[tuple[float, float], ...]:
    numbers = [number for number in range(days) if (first + timedelta(days=number)).weekday() >= 5]
    return tuple((_percent(number, days), _percent(1, days)) for number in numbers)


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 2)


def _said(marks: Iterable[Mark], kinds: Sequence[str], first: date, last: date) -> str:
    found = [mark.kind for mark in marks]
    counts = [counted(found.count(kind), *KINDS[kind]) for kind in kinds]
    return f"From {date_text(first)} to {date_text(last)}, by time of day: {listed(counts)}."
