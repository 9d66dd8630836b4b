"""The section "Health score": of the morning for a day, over its days for a month."""

import statistics
from datetime import date

from app.insights.enough import lacking, percent
from app.insights.insight import Insight
from app.insights.trend import Direction
from app.reports.period import Period
from app.reports.report import Item, Section
from app.reports.sources import Sources
from app.reports.words import counted, line

_GOING = {
    Direction.IMPROVING: "improving over 30 days",
    Direction.DECLINING: "declining over 30 days",
    Direction.STEADY: "steady over 30 days",
}
_MOST = 5000
_TITLES = 3
"""Of readings that are missing, so many by name: the page has them all."""


async def scores(home_id: str, period: Period, sources: Sources) -> Section:
    section = Section(
        key="score",
        title="Health score",
        empty="No score: the daily insights found none." if period.daily else "No scores of that month.",
    )
    if period.daily:
        items = await _of_the_morning(home_id, period, sources)
    else:
        items = await _of_the_month(home_id, period, sources)
    return section.model_copy(update={"items": tuple(items)})


async def _of_the_morning(home_id: str, period: Period, sources: Sources) -> list[Item]:
    morning = period.until.date()
    items = []
    for insight in await sources.insights.recent(home_id, since=morning, limit=_MOST):
        if insight.day != morning:
            continue
        remarks = []
        if not insight.sufficient:
            remarks.append(_missing(insight))
        elif insight.confidence < 1:
            remarks.append(f"from {percent(insight.confidence)} of what it is made of")
        if insight.stale_since is not None:
            remarks.append("from earlier readings: Home Assistant was away")
        going = await sources.insights.trend(home_id, insight.scorecard)
        if going.direction in _GOING and going.last == insight.known_score:
            remarks.append(_GOING[going.direction])
        said = f"{insight.known_score} of 100" if insight.sufficient else "not known yet"
        items.append(Item(title=line(insight.title), value=said, remark=", ".join(remarks)))
        items += [
            Item(
                title=line(category.title),
                value=str(category.score),
                remark=f"{category.weight:.0%} of {line(insight.title)}",
            )
            for category in insight.health_breakdown
            if category.score is not None
        ]
    return items


async def _of_the_month(home_id: str, period: Period, sources: Sources) -> list[Item]:
    cards: dict[str, list[Insight]] = {}
    for insight in await sources.insights.recent(home_id, since=period.first, limit=_MOST):
        fresh = insight.stale_since is None and insight.sufficient
        if insight.day <= period.last and fresh:
            cards.setdefault(insight.scorecard, []).append(insight)
    items = []
    for found in cards.values():
        points = [(one.known_score or 0, one.day) for one in found]
        low, high = min(points), max(points)
        items.append(
            Item(
                title=line(found[0].title),
                value=f"{statistics.fmean(score for score, _ in points):.0f} of 100",
                remark=f"mean of {counted(len(points), 'day')}; "
                f"lowest {low[0]} on {_short(low[1])}, highest {high[0]} on {_short(high[1])}",
            )
        )
    return items


def _missing(insight: Insight) -> str:
    """Say that too little is known, and of what."""
    titles = [title for lack in lacking(insight) for title in lack.titles]
    more = f" and {len(titles) - _TITLES} more" if len(titles) > _TITLES else ""
    said = f"too little is known: {percent(insight.confidence)} of what it is made of"
    return f"{said}; missing {line(', '.join(titles[:_TITLES]))}{more}" if titles else said


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"
