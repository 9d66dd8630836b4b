"""The section "Energy": what was drawn from the grid against what is usual."""

from collections.abc import Sequence

from app.reports.period import Period
from app.reports.report import Item, Section
from app.reports.sources import Sources
from app.reports.words import counted, kwh, percent
from app.statistics.queries import EnergyDay

_LOOKED_BACK = 70
"""Days, from today: two months and what of this one is over."""
_LEAST_DAYS = 20


async def energy(home_id: str, period: Period, sources: Sources) -> Section:
    section = Section(
        key="energy", title="Energy", empty="Not known: Home Assistant measures no energy from the grid."
    )
    today = sources.clock.now().astimezone(period.zone).date()
    days = await sources.stats.energy_days(home_id, max(_LOOKED_BACK, (today - period.first).days + 32))
    if not days:
        return section
    known = [day for day in days if period.first <= day.day <= period.last and day.kwh is not None]
    if not known:
        return section.model_copy(update={"empty": "Not known: nothing was measured then."})
    items = _of_the_day(known[0]) if period.daily else _of_the_month(known, days, period)
    return section.model_copy(update={"items": tuple(items)})


def _of_the_day(day: EnergyDay) -> list[Item]:
    used = day.kwh or 0.0
    items = [
        Item(
            title="From the grid",
            value=kwh(used),
            remark=_against_the_usual(day) if day.whole else "hours of the day are missing",
        )
    ]
    if day.usual_low is not None and day.usual_high is not None:
        kind = "weekend days" if day.day.weekday() >= 5 else "workdays"
        items.append(
            Item(
                title="Usual",
                value=f"{kwh(day.usual_low)} to {kwh(day.usual_high)}",
                remark=f"eight in ten {kind} of the six weeks before",
            )
        )
    return items


def _against_the_usual(day: EnergyDay) -> str:
    if day.kwh is None or day.usual_low is None or day.usual is None or day.usual_high is None:
        return "too few such days before to say what is usual"
    if day.usual_low <= day.kwh <= day.usual_high:
        return "as usual"
    if not day.usual:
        return "more than usual"
    return f"{percent(day.kwh / day.usual - 1)} than the usual {kwh(day.usual)}"


def _of_the_month(known: Sequence[EnergyDay], days: Sequence[EnergyDay], period: Period) -> list[Item]:
    total = sum(day.kwh or 0.0 for day in known)
    measured = counted(len(known), "day")
    remark = "" if len(known) == period.days else f"of the {measured} that were measured"
    before = [
        day for day in days if period.before.first <= day.day <= period.before.last and day.kwh is not None
    ]
    earlier = sum(day.kwh or 0.0 for day in before)
    if min(len(before), len(known)) >= _LEAST_DAYS and earlier > 0:
        change = percent((total / len(known)) / (earlier / len(before)) - 1)
        remark = ", ".join(filter(None, [remark, f"{change} a day than in the month before"]))
    items = [
        Item(title="From the grid", value=kwh(total), remark=remark),
        Item(title="A day", value=kwh(total / len(known)), remark="on average"),
    ]
    judged = [day for day in known if day.usual_low is not None and day.usual_high is not None and day.whole]
    if judged:
        over = sum((day.kwh or 0.0) > (day.usual_high or 0.0) for day in judged)
        under = sum((day.kwh or 0.0) < (day.usual_low or 0.0) for day in judged)
        items.append(
            Item(
                title="Days above the usual",
                value=str(over),
                remark=f"{under} below, {len(judged) - over - under} within, of {len(judged)}",
            )
        )
    most = max(known, key=lambda day: day.kwh or 0.0)
    items.append(
        Item(title="Most on a day", value=kwh(most.kwh or 0.0), remark=f"{most.day:%A} {most.day.day}")
    )
    return items
