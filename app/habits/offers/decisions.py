"""What people decided on suggestions: one decision stands for each, and every one is kept."""

import secrets
from collections.abc import Mapping
from typing import Any

import aiosqlite

from app.bus import Bus
from app.clock import Clock, from_ms, to_ms
from app.habits.announcements import SuggestionDecided
from app.habits.offers.decision import (
    PENDING,
    Body,
    Decision,
    Mode,
    Verdict,
    Via,
    Wish,
    gives_way,
    same_wish,
)
from app.habits.offers.troubles import DecidedAlreadyError
from app.store.database import Store


class Decisions:
    """The decisions of homes. Each change is announced after it is stored."""

    def __init__(self, store: Store, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock

    async def standing(self, home_id: str) -> dict[str, Decision]:
        """Return the decision that stands for each suggestion, undone ones too, by suggestion id."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT * FROM decision WHERE home_id = ? AND superseded_at IS NULL", (home_id,)
            )
        return {row["suggestion_id"]: _decision(row) for row in rows}

    async def of(self, home_id: str, suggestion_id: str) -> Decision | None:
        """Return the decision that stands for one suggestion."""
        async with self._store.reading() as db:
            return await _standing(db, home_id, suggestion_id)

    async def history(self, home_id: str, suggestion_id: str) -> list[Decision]:
        """Return all that was ever decided on a suggestion, the newest first."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT * FROM decision WHERE home_id = ? AND suggestion_id = ? ORDER BY rowid DESC",
                (home_id, suggestion_id),
            )
        return [_decision(row) for row in rows]

    async def decide(self, home_id: str, wish: Wish, *, over: str | None = None) -> Decision:
        """Make a decision and return it; the same wish again (a double tap) gives the one that stands.

        It takes the place of a decision that holds no longer, of the same person's own decline or snooze, and
        of the one whose id is `over` (which the decider knew of). Of two people at once the first wins.

        Raises DecidedAlreadyError when another decision stands.
        """
        suggestion_id = wish.body.suggestion.id
        now = self._clock.now()
        async with self._store.writing() as db:
            known = await _standing(db, home_id, suggestion_id)
            if known is not None and not gives_way(known, wish, now, over):
                if same_wish(known, wish):
                    return known
                raise DecidedAlreadyError(known)
            if known is not None:
                if known.verdict is Verdict.UNDONE and wish.verdict is Verdict.UNDONE:
                    return known
                await db.execute(
                    "UPDATE decision SET superseded_at = ? WHERE decision_id = ?",
                    (to_ms(now), known.decision_id),
                )
            made = Decision(
                f"{to_ms(now):012x}{secrets.token_hex(5)}", home_id, suggestion_id, wish.verdict, wish.mode,
                wish.until, wish.reason, now, wish.who.user_id, wish.who.via, wish.body,
            )  # fmt: skip
            await db.execute(
                "INSERT INTO decision (decision_id, home_id, suggestion_id, verdict, mode, until, reason,"
                " decided_at, decided_by, via, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    made.decision_id, home_id, suggestion_id, made.verdict, made.mode,
                    to_ms(made.until) if made.until else None, made.reason, to_ms(now), made.decided_by,
                    made.via, made.body.model_dump_json(),
                ),
            )  # fmt: skip
        self._announce(made)
        return made

    async def settle(
        self, decision: Decision, verdict: Verdict | None = None, /, **known: Any
    ) -> Decision | None:
        """Write down what became of a decision: its next verdict, and what is now `known` (of its body).

        Returns it as it is now, or None when another took its place meanwhile, or it was settled otherwise:
        then nothing is written.
        """
        async with self._store.writing() as db:
            rows = await db.execute_fetchall(
                "SELECT * FROM decision WHERE decision_id = ? AND superseded_at IS NULL AND verdict = ?",
                (decision.decision_id, decision.verdict),
            )
            row = next(iter(rows), None)
            if row is None:
                return None
            before = _decision(row)
            body = Body.model_validate(before.body.model_dump() | known)
            after = verdict or before.verdict
            if body == before.body and after is before.verdict:
                return before
            await db.execute(
                "UPDATE decision SET verdict = ?, body = ? WHERE decision_id = ?",
                (after, body.model_dump_json(), decision.decision_id),
            )
        settled = _decision({**dict(row), "verdict": after, "body": body.model_dump_json()})
        if after is not before.verdict or body.trouble != before.body.trouble:
            self._announce(settled)
        return settled

    async def pending(self, home_id: str) -> list[Decision]:
        """Return what is still to be carried out in the hub, the oldest first."""
        found = [one for one in (await self.standing(home_id)).values() if one.verdict in PENDING]
        return sorted(found, key=lambda one: one.decided_at)

    def _announce(self, decision: Decision) -> None:
        self._bus.announce(
            SuggestionDecided(
                home_id=decision.home_id,
                suggestion_id=decision.suggestion_id,
                title=decision.body.suggestion.title,
                verdict=decision.verdict.value,
                mode=decision.mode.value if decision.mode else "",
                via=decision.via.value,
                by=decision.decided_by,
                trouble=decision.body.trouble,
            )
        )


async def _standing(db: aiosqlite.Connection, home_id: str, suggestion_id: str) -> Decision | None:
    rows = await db.execute_fetchall(
        "SELECT * FROM decision WHERE home_id = ? AND suggestion_id = ? AND superseded_at IS NULL",
        (home_id, suggestion_id),
    )
    return next((_decision(row) for row in rows), None)


def _decision(row: aiosqlite.Row | Mapping[str, Any]) -> Decision:
    return Decision(
        decision_id=row["decision_id"],
        home_id=row["home_id"],
        suggestion_id=row["suggestion_id"],
        verdict=Verdict(row["verdict"]),
        mode=Mode(row["mode"]) if row["mode"] else None,
        until=from_ms(row["until"]) if row["until"] is not None else None,
        reason=row["reason"],
        decided_at=from_ms(row["decided_at"]),
        decided_by=row["decided_by"],
        via=Via(row["via"]),
        body=Body.model_validate_json(row["body"]),
    )
