"""What is kept of watched automations: a row for each day, and what is proposed for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from app.bus import Bus
from app.clock import Clock, from_ms, to_ms
from app.habits.announcements import AutomationVerdict
from app.habits.offers.decision import Verdict
from app.habits.offers.decisions import Decisions
from app.habits.offers.watched import WINDOW_DAYS, Accepted, Proposal, Watched, WatchedDay
from app.store.database import Store

KEPT_DAYS: Final = 400
_SHOWN_DAYS = 60
_GONE = timedelta(days=60)
"""An automation that no night saw for so long is forgotten, its days with it."""


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    undone_at: list[str] = []
    proposal: Proposal | None = None


@dataclass(frozen=True, slots=True)
class _Told:
    """What was announced of an automation, and since when it stood as it did then."""

    since: int | None
    announced: str


class Watches:
    """What homes' automations did. Only a night that ended well writes."""

    def __init__(self, store: Store, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._decisions = Decisions(store, bus, clock)

    async def accepted(self, home_id: str) -> list[Accepted]:
        """Return the automations made of suggestions that stand, for the night to watch.

        What was added to people's own is theirs: watched as such, with no verdict.
        """
        standing = await self._decisions.standing(home_id)
        return [
            Accepted(
                suggestion_id=one.suggestion_id,
                unique_id=one.body.unique_id,
                since=one.decided_at,
                mode=one.mode.value if one.mode else "",
                edited=one.body.edited,
                automation=one.body.automation,
            )
            for one in standing.values()
            if one.verdict is Verdict.ACCEPTED and not one.gone and one.body.automation and not one.body.onto
        ]

    async def keep(self, home_id: str, watched: Sequence[Watched]) -> None:
        """Write down what a night saw; the same night again writes the same rows.

        A proposal is announced when it is new, or another than the last for the same decision; one on what
        was decided otherwise since the night began is neither kept nor announced.
        """
        standing = {one.suggestion_id: one.since for one in await self.accepted(home_id)}
        now = self._clock.now()
        new: list[Watched] = []
        async with self._store.writing() as db:
            rows = await db.execute_fetchall(
                "SELECT unique_id, since, announced FROM watched_automation WHERE home_id = ?", (home_id,)
            )
            told = {row["unique_id"]: _Told(row["since"], row["announced"]) for row in rows}
            for one in watched:
                if one.suggestion_id and standing.get(one.suggestion_id) != one.since:
                    continue
                since = to_ms(one.since) if one.since else None
                before = told.get(one.unique_id)
                announced = before.announced if before and before.since == since else ""
                if one.proposal and one.proposal.proposal != announced:
                    new.append(one)
                    announced = one.proposal.proposal
                body = _Body(undone_at=one.undone_at, proposal=one.proposal)
                await db.execute(
                    "INSERT OR REPLACE INTO watched_automation (home_id, unique_id, entity_id, alias,"
                    " suggestion_id, since, proposal, announced, seen_at, body)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        home_id, one.unique_id, one.entity_id, one.alias, one.suggestion_id, since,
                        one.proposal.proposal if one.proposal else None, announced, to_ms(now),
                        body.model_dump_json(),
                    ),
                )  # fmt: skip
                await db.executemany(
                    "INSERT INTO watched (home_id, unique_id, day, fired, undone, by_hand, missed)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (home_id, unique_id, day) DO UPDATE SET"
                    " fired = excluded.fired, undone = excluded.undone, by_hand = excluded.by_hand,"
                    " missed = excluded.missed",
                    [
                        (home_id, one.unique_id, day.day, day.fired, day.undone, day.by_hand, day.missed)
                        for day in one.days
                    ],
                )
            oldest = (now - timedelta(days=KEPT_DAYS)).date().isoformat()
            await db.execute("DELETE FROM watched WHERE home_id = ? AND day < ?", (home_id, oldest))
            gone = (home_id, to_ms(now - _GONE))
            await db.execute(
                "DELETE FROM watched WHERE home_id = ? AND unique_id IN ("
                " SELECT unique_id FROM watched_automation WHERE home_id = watched.home_id AND seen_at < ?)",
                gone,
            )
            await db.execute("DELETE FROM watched_automation WHERE home_id = ? AND seen_at < ?", gone)
        for one in new:
            if one.proposal is not None:
                self._bus.announce(
                    AutomationVerdict(
                        home_id=home_id,
                        suggestion_id=one.suggestion_id,
                        title=one.alias,
                        proposal=one.proposal.proposal,
                        why=one.proposal.why,
                    )
                )

    async def of(self, home_id: str, suggestion_id: str) -> Watched | None:
        """Return what a suggestion's automation did, its newest sixty days; None before the first night.

        Its proposal is None again as soon as people decided anew.
        """
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT * FROM watched_automation WHERE home_id = ? AND suggestion_id = ?",
                (home_id, suggestion_id),
            )
        found = await self._with_days(home_id, list(rows), _SHOWN_DAYS)
        return found[0] if found else None

    async def listed(self, home_id: str, days: int = WINDOW_DAYS) -> list[Watched]:
        """Return all automations that the last night saw, people's own too, with their newest days."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT * FROM watched_automation WHERE home_id = ? AND seen_at ="
                " (SELECT max(seen_at) FROM watched_automation WHERE home_id = ?) ORDER BY alias, unique_id",
                (home_id, home_id),
            )
        return await self._with_days(home_id, list(rows), days)

    async def _with_days(self, home_id: str, rows: list[Any], count: int) -> list[Watched]:
        standing = {one.suggestion_id: to_ms(one.since) for one in await self.accepted(home_id)}
        since = (self._clock.now() - timedelta(days=count)).date().isoformat()
        whole: list[Watched] = []
        async with self._store.reading() as db:
            for row in rows:
                days = await db.execute_fetchall(
                    "SELECT day, fired, undone, by_hand, missed FROM watched"
                    " WHERE home_id = ? AND unique_id = ? AND day >= ? ORDER BY day",
                    (home_id, row["unique_id"], since),
                )
                whole.append(_watched(row, [WatchedDay(**dict(day)) for day in days], standing))
        return whole


def _watched(row: Any, days: list[WatchedDay], standing: dict[str, int]) -> Watched:
    body = _Body.model_validate_json(row["body"])
    stands = standing.get(row["suggestion_id"]) == row["since"]
    return Watched(
        unique_id=row["unique_id"],
        entity_id=row["entity_id"],
        alias=row["alias"],
        suggestion_id=row["suggestion_id"],
        since=from_ms(row["since"]) if row["since"] is not None else None,
        days=days,
        undone_at=body.undone_at,
        proposal=body.proposal if stands else None,
    )
