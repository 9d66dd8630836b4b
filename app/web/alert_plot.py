"""The chart of the alerts: a bar for each week, of pieces that each level has its own pattern for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.alerts.alert import Level
from app.web.plots import Label, Tick, middle, scale_of
from app.web.wording import counted, date_text, listed

WEEKS: Final = 12
_GAP: Final = 0.6
"""Between two pieces, in percent."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The alerts of one level in one week."""

    level: Level
    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class WeekBar:
    """The number over a bar: where it stands."""

    total: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class AlertPlot:
    """`rows` are the table, newest week first: the week, all of them, then one cell for each of `levels`."""

    pieces: tuple[Piece, ...]
    bars: tuple[WeekBar, ...]
    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]
    levels: tuple[Level, ...]
    total: int
    said: str
    rows: tuple[tuple[str, ...], ...]


def first_week(now: datetime, zone: ZoneInfo) -> datetime:
    """Return when the first week that is drawn begins: a Monday's midnight."""
    today = now.astimezone(zone).date()
    day = today - timedelta(days=today.weekday() + 7 * (WEEKS - 1))
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def draw_alerts(alerts: Sequence[tuple[datetime, Level]], now: datetime, zone: ZoneInfo) -> AlertPlot | None:
    """Draw the alerts of the last twelve weeks by the week they were noticed in; None when there are none.

    Each is when it was noticed, and its level.
    """
    monday = first_week(now, zone).date()
    weeks: list[dict[Level, int]] = [{} for _ in range(WEEKS)]
    for at, level in alerts:
        number = (at.astimezone(zone).date() - monday).days // 7
        if 0 <= number < WEEKS:
            weeks[number][level] = weeks[number].get(level, 0) + 1
    totals = [sum(week.values()) for week in weeks]
    if not any(totals):
        return None
    scale = scale_of([*totals, max(totals) * 1.1], least=4, from_zero=True)
    pitch = 100 / WEEKS
    pieces = []
    for number, week in enumerate(weeks):
        below = 0
        for level in Level:
            if not (count := week.get(level, 0)):
                continue
            bottom, top = scale.y(below), scale.y(below + count)
            pieces.append(
                Piece(
                    level=level,
                    x=round((number + 0.2) * pitch, 3),
                    width=round(0.6 * pitch, 3),
                    y=round(top + (_GAP if bottom - top > 2 * _GAP else 0), 2),
                    height=round(max(0.4, bottom - top - _GAP), 2),
                )
            )
            below += count
    levels = tuple(level for level in Level if any(level in week for week in weeks))
    return AlertPlot(
        pieces=tuple(pieces),
        bars=tuple(
            WeekBar(total, middle(number, WEEKS), scale.y(total))
            for number, total in enumerate(totals)
            if total
        ),
        ticks=scale.ticks(),
        labels=_labels(monday),
        levels=levels,
        total=sum(totals),
        said=_said(weeks, totals),
        rows=tuple(_row(monday, number, weeks[number], levels) for number in reversed(range(WEEKS))),
    )


def _labels(monday: date) -> tuple[Label, ...]:
    shown = (0, WEEKS // 2, WEEKS - 1)
    texts = [date_text(monday + timedelta(days=7 * number)).partition(" ")[2] for number in shown[:-1]]
    return tuple(
        Label(text, middle(number, WEEKS)) for text, number in zip((*texts, "this week"), shown, strict=True)
    )


def _said(weeks: Sequence[dict[Level, int]], totals: Sequence[int]) -> str:
    counts = [f"{count} {level}" for level in Level if (count := sum(week.get(level, 0) for week in weeks))]
    return (
        f"{counted(sum(totals), 'alert', 'alerts')} in {WEEKS} weeks: {listed(counts)};"
        f" {totals[-1]} this week, {totals[-2]} the week before."
    )


def _row(monday: date, number: int, week: dict[Level, int], levels: Sequence[Level]) -> tuple[str, ...]:
    begins = monday + timedelta(days=7 * number)
    ends = begins + timedelta(days=6)
    name = "this week" if number == WEEKS - 1 else f"{date_text(begins)} to {date_text(ends)}"
    return (name, str(sum(week.values())), *(str(week.get(level, 0)) for level in levels))
