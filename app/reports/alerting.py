"""The section "Alerts": what was wrong, for how long, and what still is."""

from collections import Counter
from datetime import datetime, timedelta

from app.alerts.alert import Alert, Level
from app.reports.period import Period
from app.reports.report import Item, Section
from app.reports.sources import Sources
from app.reports.words import at, counted, lasted, line, on

_MOST = 12
_ORDER = {level: number for number, level in enumerate(Level)}


async def alerting(home_id: str, period: Period, sources: Sources) -> Section:
    found = await sources.alerts.during(home_id, period.since, period.until)
    section = Section(key="alerts", title="Alerts", empty="None was noticed.")
    if period.daily:
        return section.model_copy(update={"items": tuple(_each(found, period))})
    return section.model_copy(update={"items": tuple(_together(found, period, sources.clock.now()))})


def _each(found: list[Alert], period: Period) -> list[Item]:
    """Return an item for each, the worst first."""
    ordered = sorted(found, key=lambda one: (_ORDER[one.level], one.detected_at))
    items = [
        Item(title=line(one.title), value=one.level.value, remark=_when(one, period), level=one.level.value)
        for one in ordered[:_MOST]
    ]
    if len(ordered) > _MOST:
        items.append(Item(title=f"and {len(ordered) - _MOST} more, on the page Alerts"))
    return items


def _when(alert: Alert, period: Period) -> str:
    def said(instant: datetime) -> str:
        return at(instant, period.zone) if period.holds(instant) else on(instant, period.zone)

    if alert.closed_at is None or alert.closed_at >= period.until:
        state = f"since {said(alert.detected_at)}, open at the end of the day"
        if alert.reopened_at is not None and alert.reopened_at < period.until:
            state = f"open again since {said(alert.reopened_at)}, first {said(alert.detected_at)}"
    else:
        state = f"{said(alert.detected_at)} to {said(alert.closed_at)}"
    if alert.times > 1:
        state += f", {alert.times} times"
    if alert.acknowledged_at is not None:
        state += ", acknowledged"
    return state


def _together(found: list[Alert], period: Period, now: datetime) -> list[Item]:
    new = [one for one in found if period.holds(one.detected_at)]
    by_level = Counter(one.level for one in new)
    items = [
        Item(title=f"Level {level.value}", value=str(by_level[level]), level=level.value)
        for level in Level
        if by_level[level]
    ]
    by_cause: dict[str, list[Alert]] = {}
    for one in found:
        by_cause.setdefault(one.cause, []).append(one)
    often = sorted(by_cause.values(), key=lambda same: (-_times(same), _ORDER[same[0].level]))
    items += [
        Item(
            title=line(same[-1].title),
            value=counted(_times(same), "time"),
            remark=f"{lasted(_open_for(same, period, now))} in all",
            level=same[-1].level.value,
        )
        for same in often[:_MOST]
    ]
    return items


def _times(same: list[Alert]) -> int:
    return sum(one.times for one in same)


def _open_for(same: list[Alert], period: Period, now: datetime) -> timedelta:
    """Return how long the period saw them; a reopened one counts from its first to its last moment."""
    until = min(period.until, now)
    spans = [
        min(one.closed_at or until, until) - max(one.detected_at, period.since)
        for one in same
        if one.detected_at < until
    ]
    return sum(spans, timedelta())
