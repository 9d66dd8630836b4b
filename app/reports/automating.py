"""The section "What automations did": of Nightshift's accepted ones and of people's own."""

from app.habits.offers.watched import Watched, WatchedDay
from app.reports.period import Period
from app.reports.report import Item, Section
from app.reports.sources import Sources
from app.reports.words import counted, line

_MOST = 10


async def automating(home_id: str, period: Period, sources: Sources) -> Section:
    watched = await sources.watches.listed(home_id)
    items = []
    for one in sorted(watched, key=lambda each: (not each.suggestion_id, -_fired(each, period), each.alias)):
        days = _within(one, period)
        if not any(day.fired or day.by_hand or day.missed for day in days):
            continue
        items.append(
            Item(
                title=line(one.alias),
                value=_acted(_fired(one, period)),
                remark=_remark(one, days),
            )
        )
    left = len(items) - _MOST
    if left > 0:
        items = [*items[:_MOST], Item(title=f"and {left} more that acted")]
    empty = "No automation changed anything." if watched else "The night has not looked at automations yet."
    return Section(key="automations", title="What automations did", items=tuple(items), empty=empty)


def _acted(times: int) -> str:
    return f"acted {counted(times, 'time')}" if times else "did not act"


def _within(one: Watched, period: Period) -> list[WatchedDay]:
    first, last = period.first.isoformat(), period.last.isoformat()
    return [day for day in one.days if first <= day.day <= last]


def _fired(one: Watched, period: Period) -> int:
    return sum(day.fired for day in _within(one, period))


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
