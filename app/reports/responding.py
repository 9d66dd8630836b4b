"""The section "Response": what Nightshift offered, what was decided, and how long that took."""

import statistics
from collections import Counter
from datetime import timedelta

from app.habits.offers.decision import Verdict
from app.reports.period import Period
from app.reports.report import Item, Section
from app.reports.sources import Sources
from app.reports.words import counted, lasted, line

_MOST_TITLES = 3
_VERDICTS = {Verdict.ACCEPTED: "accepted", Verdict.DECLINED: "declined", Verdict.SNOOZED: "put off"}


async def responding(home_id: str, period: Period, sources: Sources) -> Section:
    answered = await sources.answers.between(home_id, period.since, period.until)
    waiting = len(await sources.suggestions.offered(home_id))
    items = []
    if answered.offered:
        items.append(
            Item(
                title="New suggestions",
                value=str(len(answered.offered)),
                remark=line("; ".join(answered.offered[:_MOST_TITLES])),
            )
        )
    if answered.answers:
        verdicts = Counter(one.verdict for one in answered.answers)
        said = [f"{verdicts[verdict]} {word}" for verdict, word in _VERDICTS.items() if verdicts[verdict]]
        items.append(Item(title="Decided", value=str(len(answered.answers)), remark=", ".join(said)))
        took = [one.after for one in answered.answers if one.after is not None]
        if took:
            items.append(_time("Time to an answer", took))
    if waiting:
        items.append(Item(title="Waiting for an answer", value=str(waiting), remark="now"))
    items += await _to_alerts(home_id, period, sources)
    return Section(
        key="response",
        title="Response",
        items=tuple(items),
        empty="Nothing was offered or decided, and nothing waits for an answer.",
    )


async def _to_alerts(home_id: str, period: Period, sources: Sources) -> list[Item]:
    found = await sources.alerts.during(home_id, period.since, period.until)
    new = [one for one in found if period.holds(one.detected_at)]
    seen = [one.acknowledged_at - one.detected_at for one in new if one.acknowledged_at is not None]
    if not new:
        return []
    items = [Item(title="Alerts acknowledged", value=f"{len(seen)} of {counted(len(new), 'new one')}")]
    return [*items, _time("Time to an acknowledgement", seen)] if seen else items


def _time(title: str, took: list[timedelta]) -> Item:
    middle = timedelta(seconds=statistics.median(one.total_seconds() for one in took))
    remark = f"the middle of {len(took)}" if len(took) > 1 else ""
    return Item(title=title, value=lasted(middle), remark=remark)
