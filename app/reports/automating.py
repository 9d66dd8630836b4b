"""The section "What automations did": of Nightshift's accepted ones and of people's own."""

from app.habits.nightly import ANALYSIS
from app.habits.offers.watched import WINDOW_DAYS, Watched, WatchedDay
from app.jobs.run import RunStatus
from app.reports.period import Period
from app.reports.report import Item, Section
from app.reports.sources import Sources
from app.reports.words import counted, line

_MOST = 10
_NIGHTS_READ = 60
_WELL = frozenset({RunStatus.COMPLETED, RunStatus.PARTIAL})


async def automating(home_id: str, period: Period, sources: Sources) -> Section:
    watched = await watched_in(home_id, period, sources)
    items = []
    for one in sorted(watched, key=lambda each: (not each.suggestion_id, -_fired(each, period), each.alias)):
        days = within(one, period)
        if not any(day.fired or day.by_hand or day.missed for day in days):
            continue
        items.append(
            Item(title=line(one.alias), value=_acted(_fired(one, period)), remark=_remark(one, days))
        )
    left = len(items) - _MOST
    if left > 0:
        items = [*items[:_MOST], Item(title=f"and {left} more that acted")]
    empty = "No automation changed anything."
    if not await _gone_over(home_id, period, sources):
        empty = "Not known yet: the nightly analysis, which looks at automations, has not gone over it."
        if items:
            items.append(Item(title="Not all of it", remark="the nightly analysis has not gone over it yet"))
    return Section(key="automations", title="What automations did", items=tuple(items), empty=empty)


async def watched_in(home_id: str, period: Period, sources: Sources) -> list[Watched]:
    """Return the automations that are watched, with their days from the period's first on."""
    today = sources.clock.now().astimezone(period.zone).date()
    return await sources.watches.listed(home_id, max(WINDOW_DAYS, (today - period.first).days + 2))


def within(one: Watched, period: Period) -> list[WatchedDay]:
    """Return its days in the period."""
    first, last = period.first.isoformat(), period.last.isoformat()
    return [day for day in one.days if first <= day.day <= last]


async def _gone_over(home_id: str, period: Period, sources: Sources) -> bool:
    """Return whether a night that ended well began after the period was over."""
    nights = await sources.ledger.recent(ANALYSIS, _NIGHTS_READ, home_id)
    return any(run.status in _WELL and run.started_at >= period.until for run in nights)


def _acted(times: int) -> str:
    return f"acted {counted(times, 'time')}" if times else "did not act"


def _fired(one: Watched, period: Period) -> int:
    return sum(day.fired for day in within(one, period))


def _remark(one: Watched, days: list[WatchedDay]) -> str:
    said = []
    if undone := sum(day.undone for day in days):
        said.append(f"undone by people {counted(undone, 'time')}")
    if by_hand := sum(day.by_hand for day in days):
        said.append(f"done by hand {counted(by_hand, 'time')}")
    if missed := sum(day.missed or 0 for day in days):
        said.append(f"did nothing {counted(missed, 'time')} although it was its moment")
    if one.suggestion_id:
        said.append("suggested by Nightshift")
    return ", ".join(said)
