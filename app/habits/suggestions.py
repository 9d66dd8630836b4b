"""What is on offer: the suggestions of the last good night, kept in the store."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.bus import Bus
from app.clock import Clock, from_ms, to_ms
from app.habits.announcements import SuggestionsChanged
from app.habits.offers.decisions import Decisions
from app.habits.offers.excluded import Exclusion
from app.habits.offers.exclusions import Exclusions
from app.habits.offers.returning import Returned, concerns, hidden, returned
from app.habits.suggestion import Suggestion
from app.model import Home
from app.store.database import Store


class SuggestionStatus(StrEnum):
    """Where a suggestion stands."""

    OFFERED = "offered"
    """The last good night found it."""
    FADED = "faded"
    """An earlier night found it, the last one did not."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A stored suggestion. `words_key` tells which facts a model worded; empty for a template's words.

    `returned` is there when people declined it once and it is offered again: its card has to say so.
    """

    suggestion: Suggestion
    status: SuggestionStatus
    first_seen: datetime
    last_seen: datetime
    words_key: str
    returned: Returned | None = None


class Suggestions:
    """The suggestions of a home. Only a night that ended well replaces them.

    `home` gives the home as last known: areas and labels, by which things are excluded, are its.
    """

    def __init__(
        self, store: Store, bus: Bus, clock: Clock, home: Callable[[], Home | None] = lambda: None
    ) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._home = home
        self._decisions = Decisions(store, bus, clock)
        self._exclusions = Exclusions(store, clock)

    async def offered(self, home_id: str) -> list[Offered]:
        """Return what is on offer now, the surest first: found, and neither decided nor excluded."""
        found = [known for known in await self.known(home_id) if known.status is SuggestionStatus.OFFERED]
        standing = await self._decisions.standing(home_id)
        excluded = await self._exclusions.excluded(home_id, self._home())
        now = self._clock.now()
        ids = {one.suggestion.id for one in found}
        # A habit that drifted may have got another id; one whose own is still there is another habit.
        drifted = [decision for key, decision in standing.items() if key not in ids]
        left = []
        for one in found:
            if excluded.suggestion(one.suggestion):
                continue
            own = standing.get(one.suggestion.id)
            about = [own] if own else [each for each in drifted if concerns(each, one.suggestion)]
            if any(hidden(each, one.suggestion, now) for each in about):
                continue
            why = (returned(each, one.suggestion, now) for each in about)
            left.append(replace(one, returned=next((each for each in why if each), None)))
        return sorted(left, key=lambda one: -one.suggestion.evidence.confidence)

    async def exclusions(self, home_id: str) -> list[Exclusion]:
        """Return what the night has to leave out."""
        return await self._exclusions.listed(home_id)

    async def get(self, home_id: str, suggestion_id: str) -> Offered | None:
        """Return one that any night found, faded or decided as it may be."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT * FROM suggestion WHERE home_id = ? AND suggestion_id = ?", (home_id, suggestion_id)
            )
        return next((_offered(row) for row in rows), None)

    async def bring_back(self, home_id: str, suggestion_id: str, not_before: datetime) -> None:
        """Offer one again that faded because of what was decided, unless it was last found before that."""
        async with self._store.writing() as db:
            await db.execute(
                "UPDATE suggestion SET status = ? WHERE home_id = ? AND suggestion_id = ? AND last_seen >= ?",
                (SuggestionStatus.OFFERED, home_id, suggestion_id, to_ms(not_before)),
            )

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
        before = {known.suggestion.id: known for known in await self.offered(home_id)}
        now = to_ms(self._clock.now())
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
        # Decided ones are found night after night, and neither new nor on offer.
        after = {known.suggestion.id: known.suggestion.title for known in await self.offered(home_id)}
        changed = SuggestionsChanged(
            home_id=home_id,
            run_id=run_id,
            offered=len(after),
            titles=tuple(after.values()),
            created=tuple(title for key, title in after.items() if key not in before),
            faded=tuple(before[key].suggestion.title for key in sorted(before.keys() - after.keys())),
            created_ids=tuple(key for key in after if key not in before),
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
