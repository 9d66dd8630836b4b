"""The section "Top issues": what deserves a look, the worst first, five at most."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from app.alerts.alert import Alert, Level
from app.insights.insight import Priority
from app.jobs.run import RunStatus
from app.reports.automating import watched_in, within
from app.reports.period import Period
from app.reports.report import Item, Section
from app.reports.sources import Sources
from app.reports.words import counted, line, on
from app.upkeep.job import HEALTH_CHECK

_MOST = 5
_RUNS_READ = {True: 200, False: 1000}
"""Of a day and of a month: more runs than there are."""
_OFTEN = 3
_ORDER = {level: number for number, level in enumerate(Level)}
_LEVELS = {Priority.CRITICAL: Level.CRITICAL, Priority.HIGH: Level.HIGH}


@dataclass(frozen=True, slots=True)
class _Issue:
    level: Level
    weight: int
    item: Item


async def issues(home_id: str, period: Period, sources: Sources) -> Section:
    found = [
        *await _alerts(home_id, period, sources),
        *await _advice(home_id, period, sources),
        *await _own_jobs(home_id, period, sources),
        *await _own_health(period, sources),
        *await _automations(home_id, period, sources),
    ]
    return Section(key="issues", title="Top issues", items=_worst(found), empty="Nothing stands out.")


def _worst(found: Iterable[_Issue]) -> tuple[Item, ...]:
    ordered = sorted(found, key=lambda one: (_ORDER[one.level], -one.weight, one.item.title))
    return tuple(
        one.item.model_copy(update={"level": one.level.value, "value": one.level.value})
        for one in ordered[:_MOST]
    )


async def _alerts(home_id: str, period: Period, sources: Sources) -> list[_Issue]:
    """Return what was still wrong when the period ended, if it is grave, and what came back often."""
    found = []
    for alert in await sources.alerts.during(home_id, period.since, period.until):
        lasts = alert.closed_at is None or alert.closed_at >= period.until
        grave = alert.level in {Level.CRITICAL, Level.HIGH}
        if lasts and grave:
            remark = _lasting(alert, period)
        elif alert.times >= _OFTEN:
            remark = f"came back {counted(alert.times - 1, 'time')}"
        elif alert.level is Level.CRITICAL:
            remark = f"on {on(alert.detected_at, period.zone)}"
        else:
            continue
        found.append(_Issue(alert.level, alert.times, Item(title=line(alert.title), remark=remark)))
    return found


def _lasting(alert: Alert, period: Period) -> str:
    if alert.reopened_at is not None and alert.reopened_at < period.until:
        return f"open again since {on(alert.reopened_at, period.zone)}, not over yet"
    return f"since {on(alert.detected_at, period.zone)}, not over yet"


async def _advice(home_id: str, period: Period, sources: Sources) -> list[_Issue]:
    """Return what the newest insights of the period's end recommend, where it is critical or high."""
    newest = period.until.date()
    found = []
    for insight in await sources.insights.recent(home_id, since=newest):
        if insight.day != newest:
            continue
        for one in insight.recommendations:
            if (level := _LEVELS.get(one.priority)) is not None:
                item = Item(title=line(one.title), remark=line(one.rests_on or one.message))
                found.append(_Issue(level, 0, item))
    return found


async def _own_jobs(home_id: str, period: Period, sources: Sources) -> list[_Issue]:
    runs = await sources.ledger.recent(limit=_RUNS_READ[period.daily])
    failed = Counter(
        run.job
        for run in runs
        if run.status is RunStatus.FAILED and run.home in {home_id, ""} and period.holds(run.started_at)
    )
    return [
        _Issue(
            Level.MEDIUM,
            count,
            Item(
                title=f"The job “{sources.job_title(job)}” failed",
                remark=f"{counted(count, 'time')}: see the page Jobs",
            ),
        )
        for job, count in failed.items()
    ]


async def _own_health(period: Period, sources: Sources) -> list[_Issue]:
    """Return what the last health check of the period found sick."""
    for run in await sources.ledger.recent(HEALTH_CHECK, limit=20):
        if run.started_at > period.until or "sick" not in run.details:
            continue
        if run.started_at < period.until - timedelta(days=1):
            break
        return [
            _Issue(
                Level.MEDIUM,
                0,
                Item(title=line(f"Nightshift: {sick['title']}"), remark=line(str(sick["message"]))),
            )
            for sick in run.details["sick"]
        ]
    return []


async def _automations(home_id: str, period: Period, sources: Sources) -> list[_Issue]:
    """Return the automations that people kept undoing."""
    found = []
    for one in await watched_in(home_id, period, sources):
        days = within(one, period)
        fired, undone = sum(day.fired for day in days), sum(day.undone for day in days)
        if undone >= 2 and 2 * undone >= fired:
            remark = f"undone by people {undone} of {counted(fired, 'time')}"
            found.append(_Issue(Level.LOW, undone, Item(title=line(one.alias), remark=remark)))
    return found
