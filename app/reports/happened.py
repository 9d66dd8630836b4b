"""The section "What happened": how much, where, and how that compares."""

import statistics
from collections import Counter
from datetime import date, datetime, timedelta

from app.reports.period import Period
from app.reports.report import Item, Section
from app.reports.sources import Sources
from app.reports.words import counted, line, on, percent
from app.statistics.book import PlaceDay

_COMPARED_DAYS = 14
_LEAST_DAYS = 7
_MOST_AREAS = 5
_HOME = ""


async def happened(home_id: str, period: Period, sources: Sources) -> Section:
    section = Section(key="happened", title="What happened")
    span = await sources.stats.counted(home_id)
    if span is None or span[1] <= period.since or span[0] > (period.since if period.daily else period.until):
        return section.model_copy(update={"empty": _not_counted(period, span)})
    days = await sources.stats.days(home_id, period.first, period.last)
    home = [day for day in days if day.area_id == _HOME]
    events = sum(day.events for day in home)
    items = [
        Item(
            title="State changes",
            value=f"{events:,}",
            remark=_only(period, span) or await _compared(home_id, period, sources, events),
        ),
        Item(title="Automations fired", value=f"{sum(day.automations_fired for day in home):,}"),
    ]
    if not period.daily and home:
        most = max(home, key=lambda day: day.events)
        items.append(
            Item(
                title="Busiest day",
                value=f"{most.day:%A} {most.day.day}",
                remark=counted(most.events, "change"),
            )
        )
    return section.model_copy(update={"items": (*items, *_areas(days, sources))})


async def _compared(home_id: str, period: Period, sources: Sources, events: int) -> str:
    """Return how much it was before: of a day the two weeks before it, of a month the month before."""
    if period.daily:
        first = period.first - timedelta(days=_COMPARED_DAYS)
        known = await _whole_days(home_id, period, sources, first)
        if len(known) < _LEAST_DAYS:
            return ""
        usual = statistics.median(known)
        return f"usually {round(usual):,}: the middle one of the {len(known)} days before"
    known = await _whole_days(home_id, period, sources, period.before.first)
    if len(known) < _LEAST_DAYS or not sum(known):
        return ""
    a_day, before = events / period.days, statistics.fmean(known)
    return f"{a_day:,.0f} a day, {percent(a_day / before - 1)} than in the month before"


async def _whole_days(home_id: str, period: Period, sources: Sources, first: date) -> list[int]:
    span = await sources.stats.counted(home_id)
    days = await sources.stats.days(home_id, first, period.first - timedelta(days=1))
    since = span[0].astimezone(period.zone).date() if span else period.first
    return [day.events for day in days if day.area_id == _HOME and day.day > since]


def _areas(days: tuple[PlaceDay, ...], sources: Sources) -> list[Item]:
    home = sources.home()
    names = {area.area_id: area.name for area in home.areas} if home else {}
    by_area: Counter[str] = Counter()
    for day in days:
        if day.area_id in names:
            by_area[day.area_id] += day.events
    return [
        Item(title=line(names[area]), value=f"{count:,}", remark="state changes in this area")
        for area, count in by_area.most_common(_MOST_AREAS)
        if count
    ]


def _only(period: Period, span: tuple[datetime, datetime]) -> str:
    """Say so if not all of the period was counted: Nightshift was new, or the hub has been away since."""
    if span[0] > period.since:
        return f"counted from {on(span[0], period.zone)} on"
    return f"counted only until {on(span[1], period.zone)}" if span[1] < period.until else ""


def _not_counted(period: Period, span: tuple[datetime, datetime] | None) -> str:
    if span is None:
        return "Nothing has been counted yet: the statistics begin with their first pass."
    what = "That day" if period.daily else "That month"
    if span[1] <= period.since:
        return f"{what} has not been counted yet: the statistics have come to {on(span[1], period.zone)}."
    return f"{what} began before Nightshift counted."
