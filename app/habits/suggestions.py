"""What is on offer: the suggestions of the last good night, kept in the store."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.bus import Bus
from app.clock import Clock, from_ms, to_ms
from app.habits.announcements import SuggestionsChanged
from app.habits.suggestion import Suggestion
from app.store.database import Store


class SuggestionStatus(StrEnum):
    """Where a suggestion stands."""

    OFFERED = "offered"
    """The last good night found it."""
    FADED = "faded"
    """An earlier night found it, the last one did not."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A stored suggestion. `words_key` tells which facts a model worded; empty for a template's words."""

    suggestion: Suggestion
    status: SuggestionStatus
    first_seen: datetime
    last_seen: datetime
    words_key: str


class Suggestions:
    """The suggestions of a home. Only a night that ended well replaces them."""

    def __init__(self, store: Store, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock

    async def offered(self, home_id: str) -> list[Offered]:
        """Return what is on offer now, the surest first."""
        found = [known for known in await self.known(home_id) if known.status is SuggestionStatus.OFFERED]
        return sorted(found, key=lambda one: -one.suggestion.evidence.confidence)

    async def known(self, home_id: str) -> list[Offered]:
        """Return all that any night found, faded ones too."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT * FROM suggestion WHERE home_id = ? ORDER BY suggestion_id", (home_id,)
            )
        return [_offered(row) for row in rows]

    async def replace(
        self, home_id: str, run_id: str, found: Sequence[tuple[Suggestion, str]]
    ) -> SuggestionsChanged:
        """Make `found` (each with its `words_key`) what is on offer; the rest fades. Announces it.

        Harmless when repeated with the same run: ids are stable.
        """
        before = {known.suggestion.id: known for known in await self.known(home_id)}
        now = to_ms(self._clock.now())
        ids = {suggestion.id for suggestion, _ in found}
        async with self._store.writing() as db:
            await db.execute(
                "UPDATE suggestion SET status = ?, run_id = ? WHERE home_id = ? AND status = ?",
                (SuggestionStatus.FADED, run_id, home_id, SuggestionStatus.OFFERED),
            )
            for suggestion, words_key in found:
                body = {"suggestion": suggestion.model_dump(mode="json"), "words_key": words_key}
                await db.execute(
                    "INSERT INTO suggestion"
                    " (home_id, suggestion_id, status, body, first_seen, last_seen, run_id)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (home_id, suggestion_id) DO UPDATE SET"
                    " status = excluded.status, body = excluded.body, last_seen = excluded.last_seen,"
                    " run_id = excluded.run_id",
                    (home_id, suggestion.id, SuggestionStatus.OFFERED, json.dumps(body), now, now, run_id),
                )
        was = {key for key, known in before.items() if known.status is SuggestionStatus.OFFERED}
        changed = SuggestionsChanged(
            home_id=home_id,
            run_id=run_id,
            offered=len(found),
            titles=tuple(suggestion.title for suggestion, _ in found),
            created=tuple(suggestion.title for suggestion, _ in found if suggestion.id not in was),
            faded=tuple(before[key].suggestion.title for key in sorted(was - ids)),
        )
        self._bus.announce(changed)
        return changed


def _offered(row: Any) -> Offered:
    body = json.loads(row["body"])
    return Offered(
        suggestion=Suggestion.model_validate(body["suggestion"]),
        status=SuggestionStatus(row["status"]),
        first_seen=from_ms(row["first_seen"]),
        last_seen=from_ms(row["last_seen"]),
        words_key=body["words_key"],
    )
