"""The chart of a score over 30 days: the whole as a line, and each part as a small one of its own.

Each part has its own place and its name beside it: no colour has to be told from another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from app.insights.enough import percent
from app.insights.insight import CategoryScore, Insight
from app.web.plots import Label, Scale, Tick, day_labels, line, middle
from app.web.wording import counted, date_text, listed

DAYS: Final = 30
_SCALE: Final = Scale(0, 100, 25)


@dataclass(frozen=True, slots=True)
class PartLine:
    """One part: its `path`, where its newest point is, and how it went in words; titles may be hostile."""

    title: str
    path: str
    last: tuple[float, float] | None
    value: str
    said: str


@dataclass(frozen=True, slots=True)
class ScorePlot:
    """`stale` are the places of days whose readings were of an earlier day; `lacking` how many days had too
    little known for a score, which are gaps in the line; `rows` the table, newest first: a day, its score,
    then one cell for each part.
    """

    path: str
    last: tuple[float, float] | None
    stale: tuple[tuple[float, float], ...]
    lacking: int
    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]
    parts: tuple[PartLine, ...]
    said: str
    rows: tuple[tuple[str, ...], ...]


def draw_scores(insights: Sequence[Insight], today: date) -> ScorePlot | None:
    """Draw the last 30 local days up to `today`; the insights are of one scorecard, newest first.

    Returns None where nothing was read on any day.
    """
    days = [today - timedelta(days=DAYS - 1 - number) for number in range(DAYS)]
    by_day = {one.day: one for one in reversed(insights) if one.day in set(days)}
    if all(one.health_score is None for one in by_day.values()):
        return None
    newest = max(by_day.values(), key=lambda one: one.day)
    scores = _series(days, by_day, lambda one: one.known_score)
    few = [one for one in by_day.values() if not one.sufficient]
    places = _places(scores)
    parts = tuple(_part(days, by_day, part) for part in newest.health_breakdown)
    stale = [
        place
        for day, place in zip(days, places, strict=True)
        if day in by_day and by_day[day].stale_since is not None
    ]
    return ScorePlot(
        path=line(places),
        last=_last(places),
        stale=tuple((x, y) for x, y in stale if y is not None),
        lacking=len(few),
        ticks=_SCALE.ticks(),
        labels=day_labels(days),
        parts=parts,
        said=_said(scores, len(few)),
        rows=tuple(_row(by_day[day], newest) for day in reversed(days) if day in by_day),
    )


def _part(days: Sequence[date], by_day: dict[date, Insight], part: CategoryScore) -> PartLine:
    """Draw one part; `part` is it in the newest insight."""
    values = _series(days, by_day, lambda one: _score_of(one, part.key))
    places = _places(values)
    return PartLine(
        title=part.title,
        path=line(places),
        last=_last(places),
        value="—" if part.score is None else str(part.score),
        said=f"{part.title}: {_range([value for value in values if value is not None])}.",
    )


def _series(
    days: Sequence[date], by_day: dict[date, Insight], score: Callable[[Insight], int | None]
) -> list[int | None]:
    return [score(by_day[day]) if day in by_day else None for day in days]


def _places(values: Sequence[int | None]) -> list[tuple[float, float | None]]:
    return [
        (middle(number, len(values)), None if value is None else _SCALE.y(value))
        for number, value in enumerate(values)
    ]


def _last(places: Sequence[tuple[float, float | None]]) -> tuple[float, float] | None:
    known = [(x, y) for x, y in places if y is not None]
    return known[-1] if known else None


def _score_of(insight: Insight, key: str) -> int | None:
    return next((part.score for part in insight.health_breakdown if part.key == key), None)


def _range(known: Sequence[int]) -> str:
    if not known:
        return "not known on any day"
    if len(known) == 1:
        return f"{known[0]} on the only day known"
    return f"from {min(known)} to {max(known)}, {known[-1]} at last"


def _said(scores: Sequence[int | None], lacking: int) -> str:
    known = [score for score in scores if score is not None]
    gaps = len(scores) - len(known)
    words = [f"The score of the last {len(scores)} days: {_range(known)}"]
    if gaps:
        words.append(f"{counted(gaps, 'day', 'days')} without one")
        if lacking:
            words[-1] += f", {lacking} of them because too little was known"
    return f"{listed(words, 'with')}."


def _row(insight: Insight, newest: Insight) -> tuple[str, ...]:
    day = date_text(insight.day) + (" (earlier readings)" if insight.stale_since is not None else "")
    cells = [_score_of(insight, part.key) for part in newest.health_breakdown]
    score = str(insight.known_score) if insight.sufficient else f"too little known ({_read(insight)})"
    return (day, score, *("—" if one is None else str(one) for one in cells))


def _read(insight: Insight) -> str:
    return percent(insight.confidence) if insight.health_score is not None else "nothing"
