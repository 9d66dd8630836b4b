"""What was offered and decided in a stretch of time: for reports."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.clock import from_ms, to_ms
from app.habits.offers.decision import Verdict
from app.store.database import Store

_ANSWERS: Final = {
    Verdict.ACCEPTING: Verdict.ACCEPTED,
    Verdict.ACCEPTED: Verdict.ACCEPTED,
    Verdict.DECLINED: Verdict.DECLINED,
    Verdict.SNOOZED: Verdict.SNOOZED,
}
"""What people say to an offer; taking an acceptance back is none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision on a suggestion; `after` is how long that had been on offer, None where not known."""

    title: str
    verdict: Verdict
    decided_at: datetime
    after: timedelta | None


@dataclass(frozen=True, slots=True)
class Answered:
    """`offered` are the titles of what was new in that time."""

    offered: tuple[str, ...]
    answers: tuple[Answer, ...]


class Answers:
    """Reads suggestions and decisions: `Answers(store)`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def between(self, home_id: str, since: datetime, until: datetime) -> Answered:
        """Return what was first found, and what was decided, from `since` to before `until`.

        Of several decisions on one suggestion the last of that time counts; `after` is of the first ever.
        """
        span = (home_id, to_ms(since), to_ms(until))
        async with self._store.reading() as db:
            offered = await db.execute_fetchall(
                "SELECT json_extract(body, '$.suggestion.title') FROM suggestion"
                " WHERE home_id = ? AND first_seen >= ? AND first_seen < ?"
                " ORDER BY first_seen, suggestion_id",
                span,
            )
            rows = await db.execute_fetchall(
                "SELECT decision.suggestion_id, verdict, decided_at, first_seen,"
                " json_extract(decision.body, '$.suggestion.title') AS title,"
                " (SELECT min(first.decided_at) FROM decision AS first WHERE first.home_id = decision.home_id"
                "  AND first.suggestion_id = decision.suggestion_id) AS first_decided"
                " FROM decision LEFT JOIN suggestion USING (home_id, suggestion_id)"
                " WHERE home_id = ? AND decided_at >= ? AND decided_at < ? ORDER BY decided_at",
                span,
            )
        last: dict[str, Answer] = {}
        for row in rows:
            if (said := _ANSWERS.get(Verdict(row["verdict"]))) is None:
                continue
            known = last.get(row["suggestion_id"])
            after = known.after if known else None
            if row["first_seen"] is not None and row["decided_at"] == row["first_decided"]:
                after = max(from_ms(row["decided_at"]) - from_ms(row["first_seen"]), timedelta())
            last[row["suggestion_id"]] = Answer(row["title"] or "", said, from_ms(row["decided_at"]), after)
        return Answered(tuple(row[0] or "" for row in offered), tuple(last.values()))
