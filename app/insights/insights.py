"""The insights, a day's of each scorecard: table `coach_insights`, and what was told of them."""

import json
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from app.clock import Clock, from_ms, to_ms
from app.insights.insight import Insight, Recommendation
from app.insights.previous import PREVIOUS_WITHIN, Previous, previous_of
from app.insights.trend import DAYS, Trend, trend
from app.store.database import Store

_COLUMNS = (
    "insight_id, home_id, scorecard, title, day, health_score, health_breakdown, recommendations,"
    " connector_data_snapshot, confidence, stale_since, fingerprint, generated_at"
)
_SCORES = (
    "insight_id, home_id, scorecard, title, day, health_score, '[]' AS health_breakdown,"
    " '[]' AS recommendations, '{}' AS connector_data_snapshot, confidence, stale_since, fingerprint,"
    " generated_at"
)
"""Without what a score is made of: a month of it is long to read, and a trend asks for none of it."""


class Insights:
    """What was found, one row for each home, scorecard and local day."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def latest(self, home_id: str, scorecard: str | None = None) -> Insight | None:
        """Return the newest insight, of any scorecard or of one."""
        found = await self.recent(home_id, scorecard, limit=1)
        return found[0] if found else None

    async def latest_of_each(self, home_id: str) -> list[Insight]:
        """Return the newest insight of every scorecard that ever had one, by name."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                f"SELECT {_COLUMNS}, max(day) FROM coach_insights WHERE home_id = ?"  # noqa: S608 - constant columns
                " GROUP BY scorecard ORDER BY scorecard",
                (home_id,),
            )
        return [_insight(row) for row in rows]

    async def recent(
        self, home_id: str, scorecard: str | None = None, *, limit: int = 31, since: date | None = None
    ) -> list[Insight]:
        """Return the insights, the newest day first, of one scorecard or of all."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                f"SELECT {_COLUMNS} FROM coach_insights WHERE home_id = ?"  # noqa: S608 - constant columns
                " AND (? IS NULL OR scorecard = ?) AND day >= ?"
                " ORDER BY day DESC, generated_at DESC, scorecard LIMIT ?",
                (home_id, scorecard, scorecard, since.isoformat() if since else "", limit),
            )
        return [_insight(row) for row in rows]

    async def trend(self, home_id: str, scorecard: str, days: int = DAYS) -> Trend:
        """Return where a scorecard's score is going, up to its newest day.

        Days before the scorecard was last changed are no part of it: they were scored by other rules.
        """
        async with self._store.reading() as db:
            rows = list(
                await db.execute_fetchall(
                    f"SELECT {_SCORES} FROM coach_insights WHERE home_id = ? AND scorecard = ?"  # noqa: S608 - constant columns
                    " ORDER BY day DESC LIMIT ?",
                    (home_id, scorecard, days),
                )
            )
        if not rows:
            return trend((), date.min + timedelta(days=days), days)
        alike = [_insight(row) for row in rows if row["fingerprint"] == rows[0]["fingerprint"]]
        return trend(alike, alike[0].day, days)

    async def previous(self, insight: Insight) -> Previous | None:
        """Return the score before an insight's, of the week before its day; None where there is none."""
        since = insight.day - PREVIOUS_WITHIN
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                f"SELECT {_SCORES} FROM coach_insights WHERE home_id = ? AND scorecard = ?"  # noqa: S608 - constant columns
                " AND day >= ? AND day <= ? ORDER BY day DESC",
                (insight.home_id, insight.scorecard, since.isoformat(), insight.day.isoformat()),
            )
        marks = {row["day"]: row["fingerprint"] for row in rows}
        mark = marks.get(insight.day.isoformat())
        for row in rows:
            if row["day"] < insight.day.isoformat():
                same = mark in {None, row["fingerprint"]}
                if (found := previous_of(insight, _insight(row), same_rules=same)) is not None:
                    return found
        return None

    async def keep(self, insight: Insight, fingerprint: str, tell: Collection[str]) -> Insight:
        """Keep a day's insight in place of that day's earlier one, and note which recommendations to tell.

        One with readings of an earlier day takes the place of none that was read afresh; that one is
        returned, and nothing is written.
        """
        async with self._store.writing() as db:
            rows = list(
                await db.execute_fetchall(
                    f"SELECT {_COLUMNS} FROM coach_insights WHERE home_id = ? AND scorecard = ? AND day = ?",  # noqa: S608 - constant columns
                    (insight.home_id, insight.scorecard, insight.day.isoformat()),
                )
            )
            if rows and insight.stale_since is not None and rows[0]["stale_since"] is None:
                return _insight(rows[0])
            await db.execute(
                f"INSERT OR REPLACE INTO coach_insights ({_COLUMNS})"  # noqa: S608 - constant columns
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                _row(insight, fingerprint),
            )
            now = to_ms(self._clock.now())
            await db.executemany(
                "INSERT INTO coach_told (home_id, recommendation_id, claimed_at) VALUES (?, ?, ?)"
                " ON CONFLICT (home_id, recommendation_id) DO NOTHING",
                [(insight.home_id, one, now) for one in tell],
            )
        return insight

    async def untold(self, insight: Insight) -> list[Recommendation]:
        """Return the insight's recommendations that are noted to be told and were not yet."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT recommendation_id FROM coach_told WHERE home_id = ? AND told_at IS NULL",
                (insight.home_id,),
            )
        waiting = {row["recommendation_id"] for row in rows}
        return [one for one in insight.recommendations if one.recommendation_id in waiting]

    async def told(self, home_id: str, recommendation_ids: Collection[str]) -> None:
        """Note that these were told: they are not told again."""
        if not recommendation_ids:
            return
        async with self._store.writing() as db:
            await db.executemany(
                "UPDATE coach_told SET told_at = ? WHERE home_id = ? AND recommendation_id = ?",
                [(to_ms(self._clock.now()), home_id, one) for one in recommendation_ids],
            )

    async def forget(self, home_id: str, before: date) -> int:
        """Remove the insights of the days before, and what was told and is recommended nowhere any more.

        Return the number of insights removed.
        """
        async with self._store.writing() as db:
            cursor = await db.execute(
                "DELETE FROM coach_insights WHERE home_id = ? AND day < ?", (home_id, before.isoformat())
            )
            await db.execute(
                "DELETE FROM coach_told WHERE home_id = ?1 AND recommendation_id NOT IN ("
                " SELECT value ->> 'recommendation_id' FROM coach_insights, json_each(recommendations)"
                " WHERE home_id = ?1)",
                (home_id,),
            )
            return cursor.rowcount


def _row(insight: Insight, fingerprint: str) -> tuple[Any, ...]:
    plain = insight.model_dump(mode="json")
    return (
        insight.insight_id,
        insight.home_id,
        insight.scorecard,
        insight.title,
        insight.day.isoformat(),
        insight.health_score,
        json.dumps(plain["health_breakdown"]),
        json.dumps(plain["recommendations"]),
        json.dumps(plain["connector_data_snapshot"]),
        insight.confidence,
        to_ms(insight.stale_since) if insight.stale_since else None,
        fingerprint,
        to_ms(insight.generated_at),
    )


def _insight(row: Any) -> Insight:
    return Insight(
        insight_id=row["insight_id"],
        home_id=row["home_id"],
        scorecard=row["scorecard"],
        title=row["title"],
        day=date.fromisoformat(row["day"]),
        health_score=row["health_score"],
        health_breakdown=json.loads(row["health_breakdown"]),
        recommendations=json.loads(row["recommendations"]),
        connector_data_snapshot=json.loads(row["connector_data_snapshot"]),
        confidence=row["confidence"],
        stale_since=from_ms(row["stale_since"]) if row["stale_since"] is not None else None,
        generated_at=from_ms(row["generated_at"]),
    )
